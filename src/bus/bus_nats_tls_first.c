// SPDX-License-Identifier: Apache-2.0
// The TLS handshake before the server's first line, in releases of nats.c that have it.
#include "bus/bus_nats_private.h"

natsStatus bus_nats_tls_first(natsOptions *options)
{
    return natsOptions_TLSHandshakeFirst(options);
}
