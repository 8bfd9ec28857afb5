// SPDX-License-Identifier: Apache-2.0
// What differs between compilers, in one place: no other header of ours tests for one.
#pragma once

#if defined(__GNUC__)
#define AGOG_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define AGOG_NODISCARD                  __attribute__((warn_unused_result))
#define AGOG_NORETURN                   __attribute__((noreturn))
#define AGOG_COLD                       __attribute__((cold))
#else
#define AGOG_PRINTF(format_at, args_at)
#define AGOG_NODISCARD
#define AGOG_NORETURN
#define AGOG_COLD
#endif
