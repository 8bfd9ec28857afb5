// SPDX-License-Identifier: Apache-2.0
#include "alloc_faults.h"

#include <jansson.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool active;
static bool failed;
static size_t left;
static size_t to_fail;

static bool fails(void)
{
    if (!active)
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    if (to_fail == 0)
        return false;
    to_fail--;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void alloc_faults_start(size_t n, size_t in_a_row)
{
    left = n;
    to_fail = in_a_row;
    failed = false;
    active = true;
}

bool alloc_faults_stop(void)
{
    active = false;
    return failed;
}

void alloc_faults_of_json(bool too)
{
    json_set_alloc_funcs(too ? malloc : __real_malloc, free);
}
