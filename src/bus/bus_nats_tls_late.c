// SPDX-License-Identifier: Apache-2.0
// Releases of nats.c before 3.10 cannot begin with the TLS handshake.
#include "bus/bus_nats_private.h"

natsStatus bus_nats_tls_first(natsOptions *options)
{
    (void)options;
    return NATS_NO_SERVER_SUPPORT;
}
