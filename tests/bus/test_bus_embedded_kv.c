// SPDX-License-Identifier: Apache-2.0
// The conformance suite on the embedded bus: key-value buckets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus_fixture.h"
#include "conformance.h"

int main(int argc, char **argv)
{
    static const struct conformance_bus embedded = {"embedded bus",
                                                    fixture_make_place,
                                                    fixture_address,
                                                    fixture_open_place,
                                                    fixture_remove_place,
                                                    0,
                                                    false};
    return conformance_kv_run(&embedded, argc, argv);
}
