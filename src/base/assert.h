// SPDX-License-Identifier: Apache-2.0
// ASSERT is for our own bugs, never for input. It is always on: a broken invariant in a program
// that promises durability must stop it, not be carried on to disk.
#pragma once

#include "base/compiler.h"

// Prints where and what to stderr and aborts.
AGOG_NORETURN AGOG_COLD void assert_fail(const char *file, int line, const char *expression);

#define ASSERT(expression) ((expression) ? (void)0 : assert_fail(__FILE__, __LINE__, #expression))
