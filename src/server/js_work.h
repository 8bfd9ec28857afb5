// SPDX-License-Identifier: Apache-2.0
// A piece of a stream's work on the disk, done in libuv's pool while the loop goes on: a commit, or
// giving space back. Its result is taken by the loop when it comes around, or earlier by whoever
// has to wait for it.
#pragma once

#include <stdbool.h>
#include <uv.h>

struct js_stream;
struct js_work;
typedef void (*js_work_step)(struct js_work *work);

// Begins the struct of each kind of work, which is from malloc and freed when all is over.
struct js_work {
    uv_work_t request;
    struct js_stream *stream; // kept alive by the work
    js_work_step run;         // in the pool
    js_work_step done;        // in the loop, once
    bool ran;                 // under the stream's work_lock
    bool taken;               // done was called
};

void js_work_start(struct js_work *work, struct js_stream *stream, js_work_step run,
                   js_work_step done);

// Blocks until it ran and calls done, if that is still to be called.
void js_work_wait(struct js_work *work);
