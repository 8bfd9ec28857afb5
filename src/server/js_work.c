// SPDX-License-Identifier: Apache-2.0
#include "server/js_work.h"

#include "server/jetstream.h"
#include "server/server_private.h"

#include <stdlib.h>

static void run(uv_work_t *request)
{
    struct js_work *work = request->data;
    struct js_stream *stream = work->stream;
    work->run(work);
    uv_mutex_lock(&stream->work_lock);
    work->ran = true;
    uv_cond_broadcast(&stream->work_ran);
    uv_mutex_unlock(&stream->work_lock);
}

static void take(struct js_work *work)
{
    if (work->taken)
        return;
    work->taken = true;
    work->done(work);
}

static void after(uv_work_t *request, int status)
{
    struct js_work *work = request->data;
    struct js_stream *stream = work->stream;
    (void)status;
    take(work);
    free(work);
    js_stream_release(stream);
}

void js_work_start(struct js_work *work, struct js_stream *stream, js_work_step run_step,
                   js_work_step done)
{
    work->request.data = work;
    work->stream = stream;
    work->run = run_step;
    work->done = done;
    stream->holds++;
    uv_queue_work(&stream->js->server->loop, &work->request, run, after);
}

void js_work_wait(struct js_work *work)
{
    struct js_stream *stream = work->stream;
    uv_mutex_lock(&stream->work_lock);
    while (!work->ran)
        uv_cond_wait(&stream->work_ran, &stream->work_lock);
    uv_mutex_unlock(&stream->work_lock);
    take(work);
}
