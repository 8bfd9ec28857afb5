// SPDX-License-Identifier: Apache-2.0
// What an info says of the server beside the metadata that its owner gave: nats-server's version
// and API level, and the level that the configuration needs. None of it is stored; reading a
// configuration leaves it out (wire/jsonfields).
#pragma once

#include "wire/consumer_config.h"
#include "wire/stream_config.h"

// The metadata of an info, a JSON object; the caller frees it. NULL when memory runs out.
char *js_metadata_of_stream(const struct stream_config *config);
char *js_metadata_of_consumer(const struct consumer_config *config);
