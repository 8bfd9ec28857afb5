// SPDX-License-Identifier: Apache-2.0
// The conformance suite on a NATS server: one client at a time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conformance.h"
#include "nats_fixture.h"

int main(void)
{
    static const struct conformance_bus nats = {
        "bus on NATS", nats_make_place, nats_address, nats_open_url, nats_remove_place, 0, false};
    return nats_is_missing() ? NATS_SKIPPED : conformance_run(&nats);
}
