// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_fail(const char *file, int line, const char *expression)
{
    fprintf(stderr, "agog: bug at %s:%d: %s does not hold; please report it\n", file, line,
            expression);
    abort();
}
