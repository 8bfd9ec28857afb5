// SPDX-License-Identifier: Apache-2.0
// Allocations that can be made to fail. A test that links alloc_faults.c with --wrap for malloc,
// calloc and realloc walks every point at which memory can run out.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// After n more that succeed, so many allocations in a row fail, or fewer when alloc_faults_stop
// comes.
void alloc_faults_start(size_t n, size_t in_a_row);

// Lets every allocation succeed again; whether one has failed since the start.
bool alloc_faults_stop(void);

// Whether jansson's count among them. Its parser ends the process when one fails, its writer does
// not. Starts off.
void alloc_faults_of_json(bool too);
