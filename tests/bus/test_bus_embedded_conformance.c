// SPDX-License-Identifier: Apache-2.0
// The conformance suite on the embedded bus: one client at a time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus_fixture.h"
#include "conformance.h"

int main(void)
{
    static const struct conformance_bus embedded = {"embedded bus",
                                                    fixture_make_place,
                                                    fixture_address,
                                                    fixture_open_place,
                                                    fixture_remove_place,
                                                    0,
                                                    false};
    return conformance_run(&embedded);
}
