// SPDX-License-Identifier: Apache-2.0
// Consumers through the current JavaScript client.
import { all, assert, millis, server, take, test, unique, until } from "./interop.mjs";
import { run } from "./modern.mjs";

const codes = (code) => (error) => {
    assert.equal(error.code, code, `${error.name} ${error.code} ${error.message}`);
    return true;
};

/** A durable pull consumer of stream `name`. */
async function pull(t, name, config = {}) {
    const durable_name = unique("D");
    const info = await t.jsm.consumers.add(name, { durable_name, ack_policy: "explicit", ...config });
    return { info, name: info.name, consumer: await t.js.consumers.get(name, info.name) };
}

test("a consumer's defaults are those of nats-server", async (t) => {
    const stream = await t.filled(["a", "b"]);
    const { info } = await pull(t, stream);
    const { config } = info;
    assert.equal(config.ack_wait, 30 * 1e9);
    assert.equal(config.max_deliver, -1);
    assert.equal(config.max_ack_pending, 1000);
    assert.equal(config.max_waiting, 512);
    assert.equal(config.deliver_policy, "all");
    assert.equal(config.replay_policy, "instant");
    assert.equal(config.num_replicas, 0);
    assert.equal(info.stream_name, stream);
    assert.equal(info.num_pending, 2);
    assert.equal(info.num_ack_pending, 0);
    assert.equal(info.num_waiting, 0);
    assert.deepEqual([info.delivered.consumer_seq, info.delivered.stream_seq], [0, 0]);
});

test("fetch gives what there is and ends", async (t) => {
    const stream = await t.filled(["a", "b", "c"]);
    const { consumer } = await pull(t, stream);
    const two = await all(await consumer.fetch({ max_messages: 2 }), (m) => { m.ack(); return m.string(); });
    assert.deepEqual(two, ["m1", "m2"]);
    const rest = await all(await consumer.fetch({ max_messages: 10, expires: 1000 }),
        (m) => { m.ack(); return m.string(); });
    assert.deepEqual(rest, ["m3"]);
});

test("fetch by bytes stops before too much", async (t) => {
    const stream = await t.filled(["a", "b", "c"]);
    for (let i = 0; i < 3; i++) {
        await t.js.publish(`${stream}.big`, "x".repeat(2000));
    }
    const { consumer } = await pull(t, stream, { filter_subject: `${stream}.big` });
    const got = [];
    await assert.rejects(async () => {
        for await (const m of await consumer.fetch({ max_bytes: 5000, expires: 20000 })) {
            got.push(m.data.length);
        }
    }, /message size exceeds maxbytes/i);
    assert.deepEqual(got, [2000, 2000]);
});

test("next gives one, or nothing when there is none", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer } = await pull(t, stream);
    const m = await consumer.next();
    assert.equal(m.string(), "m1");
    assert.equal(m.subject, `${stream}.a`);
    assert.equal(m.seq, 1);
    assert.equal(m.redelivered, false);
    assert.equal(m.info.stream, stream);
    assert.equal(m.info.pending, 0);
    assert.equal(m.info.deliveryCount, 1);
    m.ack();
    assert.equal(await consumer.next({ expires: 1000 }), null);
});

test("next waits for a message to come", async (t) => {
    const stream = await t.filled([]);
    const { consumer, name } = await pull(t, stream);
    const waiting = consumer.next({ expires: 20000 });
    await until(async () => (await t.jsm.consumers.info(stream, name)).num_waiting === 1);
    await t.js.publish(`${stream}.a`, "at last");
    assert.equal((await waiting).string(), "at last");
});

test("consume follows the stream", async (t) => {
    const stream = await t.filled(["a", "b"]);
    const { consumer } = await pull(t, stream);
    const messages = await consumer.consume({ max_messages: 10 });
    const reading = take(messages, 500, (m) => { m.ack(); return m.string(); });
    for (let i = 3; i <= 500; i++) {
        t.js.publish(`${stream}.a`, `m${i}`);
    }
    const got = await reading;
    assert.deepEqual(got, Array.from({ length: 500 }, (_, i) => `m${i + 1}`));
});

test("consume by bytes follows the stream", async (t) => {
    const stream = await t.filled([]);
    const { consumer } = await pull(t, stream);
    const messages = await consumer.consume({ max_bytes: 20000 });
    const reading = take(messages, 60, (m) => { m.ack(); return m.data.length; });
    for (let i = 0; i < 60; i++) {
        await t.js.publish(`${stream}.a`, "x".repeat(3000));
    }
    assert.deepEqual(await reading, new Array(60).fill(3000));
});

test("two readers of one consumer share the work", async (t) => {
    const stream = await t.filled([]);
    const { consumer, name } = await pull(t, stream);
    const second = await t.js.consumers.get(stream, name);
    const got = [];
    const counts = [0, 0];
    const readers = [consumer, second].map(async (one, index) => {
        const messages = await one.consume({ max_messages: 5 });
        t.after(() => messages.close());
        for await (const m of messages) {
            counts[index]++;
            got.push(m.seq);
            m.ack();
        }
    });
    assert.equal(readers.length, 2);
    for (let i = 0; i < 200; i++) {
        await t.js.publish(`${stream}.a`);
    }
    await until(() => got.length >= 200);
    assert.deepEqual(got.sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i + 1));
    assert.ok(counts[0] > 0 && counts[1] > 0, `uneven: ${counts}`);
});

test("an ordered consumer reads all, from where it is told", async (t) => {
    const stream = await t.filled(["a", "b", "a", "b"]);
    const whole = await t.js.consumers.get(stream);
    assert.deepEqual(await take(await whole.consume(), 4, (m) => m.string()), ["m1", "m2", "m3", "m4"]);
    const later = await t.js.consumers.get(stream, { deliver_policy: "by_start_sequence", opt_start_seq: 3 });
    assert.deepEqual(await take(await later.consume(), 2, (m) => m.seq), [3, 4]);
    const ofB = await t.js.consumers.get(stream, { filter_subjects: `${stream}.b` });
    assert.deepEqual(await take(await ofB.consume(), 2, (m) => m.string()), ["m2", "m4"]);
    const fetched = await t.js.consumers.get(stream);
    assert.equal((await all(await fetched.fetch({ max_messages: 3 }))).length, 3);
});

test("an ordered consumer goes on after the server was killed", async (t) => {
    const stream = await t.filled(["a", "b"]);
    const ordered = await t.js.consumers.get(stream);
    const messages = await ordered.consume({ expires: 2000, idle_heartbeat: 500 });
    const got = [];
    const reading = (async () => {
        for await (const m of messages) {
            got.push(m.string());
            if (got.length === 4) {
                break;
            }
        }
    })();
    await until(() => got.length === 2);
    await server("restart");
    await until(() => t.js.publish(`${stream}.a`, "m3").then(() => true, () => false));
    await t.js.publish(`${stream}.a`, "m4");
    await reading;
    assert.deepEqual(got, ["m1", "m2", "m3", "m4"]);
});

test("a message that was not acknowledged comes again", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer, name } = await pull(t, stream, { ack_wait: millis(300) });
    assert.equal((await consumer.next()).redelivered, false);
    const again = await consumer.next({ expires: 10000 });
    assert.equal(again.string(), "m1");
    assert.equal(again.redelivered, true);
    assert.equal(again.info.deliveryCount, 2);
    assert.equal((await t.jsm.consumers.info(stream, name)).num_redelivered, 1);
    await again.ackAck();
    const info = await t.jsm.consumers.info(stream, name);
    assert.equal(info.num_ack_pending, 0);
    assert.equal(info.num_redelivered, 0);
    assert.equal(info.ack_floor.stream_seq, 1);
});

test("a nak brings it back at once, or after a delay", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer } = await pull(t, stream, { ack_wait: 60 * 1e9 });
    (await consumer.next()).nak();
    const second = await consumer.next({ expires: 10000 });
    assert.equal(second.info.deliveryCount, 2);
    second.nak(200);
    const third = await consumer.next({ expires: 10000 });
    assert.equal(third.info.deliveryCount, 3);
    third.ack();
});

test("a terminated message does not come again, and an advisory tells", { since: "2.10.4" }, async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer, name } = await pull(t, stream, { ack_wait: millis(200) });
    const advisory = t.nc.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.${stream}.${name}`, { max: 1 });
    (await consumer.next()).term("cannot be read");
    const [told] = await take(advisory, 1, (m) => m.json());
    assert.equal(told.stream_seq, 1);
    assert.equal(told.reason, "cannot be read");
    assert.equal(await consumer.next({ expires: 1000 }), null);
    assert.equal((await t.jsm.consumers.info(stream, name)).num_ack_pending, 0);
});

test("saying that work goes on holds a message back", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer } = await pull(t, stream, { ack_wait: 1e9 });
    const m = await consumer.next();
    const end = Date.now() + 2000;
    const other = consumer.next({ expires: 1500 });
    while (Date.now() < end) {
        m.working();
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(await other, null);
    assert.equal(await m.ackAck(), true);
});

test("an acknowledgement can be acknowledged, once", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer, name } = await pull(t, stream);
    const m = await consumer.next();
    assert.equal(await m.ackAck(), true);
    const info = await t.jsm.consumers.info(stream, name);
    assert.deepEqual([info.ack_floor.stream_seq, info.ack_floor.consumer_seq], [1, 1]);
});

test("acknowledging one of policy all settles those before it", async (t) => {
    const stream = await t.filled(["a", "b", "c"]);
    const { consumer, name } = await pull(t, stream, { ack_policy: "all" });
    const got = await all(await consumer.fetch({ max_messages: 3 }));
    assert.equal((await t.jsm.consumers.info(stream, name)).num_ack_pending, 3);
    await got[2].ackAck();
    const info = await t.jsm.consumers.info(stream, name);
    assert.equal(info.num_ack_pending, 0);
    assert.equal(info.ack_floor.stream_seq, 3);
});

test("a message is delivered as often as allowed, then an advisory tells", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer, name } = await pull(t, stream, { ack_wait: millis(200), max_deliver: 2 });
    const advisory = t.nc.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${name}`, { max: 1 });
    assert.equal((await consumer.next()).info.deliveryCount, 1);
    assert.equal((await consumer.next({ expires: 10000 })).info.deliveryCount, 2);
    const pulled = consumer.next({ expires: 2000 });
    const [told] = await take(advisory, 1, (m) => m.json());
    assert.deepEqual([told.stream_seq, told.deliveries], [1, 2]);
    assert.equal(await pulled, null);
});

test("a backoff spaces redeliveries", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer, info } = await pull(t, stream, { backoff: [millis(100), millis(700)], max_deliver: 3 });
    assert.deepEqual(info.config.backoff, [millis(100), millis(700)]);
    assert.equal(info.config.ack_wait, millis(100));
    const times = [];
    for (let i = 1; i <= 3; i++) {
        const m = await consumer.next({ expires: 10000 });
        assert.equal(m.info.deliveryCount, i);
        times.push(Date.now());
    }
    assert.ok(times[2] - times[1] > times[1] - times[0]);
});

test("max_ack_pending holds back until something is settled", async (t) => {
    const stream = await t.filled(["a", "b", "c"]);
    const { consumer } = await pull(t, stream, { max_ack_pending: 2 });
    const two = await all(await consumer.fetch({ max_messages: 3, expires: 1000 }));
    assert.equal(two.length, 2);
    await two[0].ackAck();
    assert.equal((await consumer.next({ expires: 10000 })).string(), "m3");
});

test("one filter, and several, choose subjects", { since: "2.10.0" }, async (t) => {
    const stream = await t.filled(["a", "b", "c", "a", "b.x"]);
    const one = await pull(t, stream, { filter_subject: `${stream}.a` });
    assert.equal(one.info.num_pending, 2);
    assert.deepEqual(await all(await one.consumer.fetch({ max_messages: 2 }), (m) => m.seq), [1, 4]);
    const several = await pull(t, stream, { filter_subjects: [`${stream}.c`, `${stream}.b.>`] });
    assert.equal(several.info.num_pending, 2);
    assert.deepEqual(await all(await several.consumer.fetch({ max_messages: 2 }), (m) => m.seq), [3, 5]);
    await assert.rejects(pull(t, stream, { filter_subjects: [`${stream}.*`, `${stream}.a`] }), codes(10138));
});

test("a consumer starts where its policy says", async (t) => {
    const stream = await t.filled(["a", "b", "a", "b"]);
    const second = await t.jsm.streams.getMessage(stream, { seq: 2 });
    const cases = [
        [{ deliver_policy: "last" }, [4]],
        [{ deliver_policy: "new" }, []],
        [{ deliver_policy: "last_per_subject", filter_subject: `${stream}.*` }, [3, 4]],
        [{ deliver_policy: "by_start_sequence", opt_start_seq: 3 }, [3, 4]],
        [{ deliver_policy: "by_start_time", opt_start_time: second.timestamp }, [2, 3, 4]],
    ];
    for (const [config, expected] of cases) {
        const { consumer, info } = await pull(t, stream, config);
        assert.equal(info.num_pending, expected.length, JSON.stringify(config));
        const got = await all(await consumer.fetch({ max_messages: 10, expires: 1000 }), (m) => m.seq);
        assert.deepEqual(got, expected, JSON.stringify(config));
    }
});

test("headers alone can be asked for", async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer } = await pull(t, stream, { headers_only: true });
    const m = await consumer.next();
    assert.equal(m.data.length, 0);
    assert.equal(m.headers.get("Nats-Msg-Size"), "2");
});

test("a paused consumer delivers nothing until resumed", { since: "2.11.0" }, async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer, name } = await pull(t, stream);
    const until_ = new Date(Date.now() + 3600e3);
    const paused = await t.jsm.consumers.pause(stream, name, until_);
    assert.equal(paused.paused, true);
    assert.equal(Date.parse(paused.pause_until), until_.getTime());
    const info = await t.jsm.consumers.info(stream, name);
    assert.equal(info.paused, true);
    assert.ok(info.pause_remaining > 3000e9);
    assert.equal(await consumer.next({ expires: 1000 }), null);
    assert.equal((await t.jsm.consumers.resume(stream, name)).paused, false);
    assert.equal((await consumer.next()).string(), "m1");
});

test("consumers are listed, looked at and deleted", async (t) => {
    const stream = await t.filled(["a"]);
    const made = [];
    for (let i = 0; i < 3; i++) {
        made.push((await pull(t, stream)).name);
    }
    assert.deepEqual((await all(t.jsm.consumers.list(stream), (info) => info.name)).sort(), made.sort());
    assert.equal((await t.jsm.streams.info(stream)).state.consumer_count, 3);
    assert.equal(await t.jsm.consumers.delete(stream, made[0]), true);
    await assert.rejects(t.jsm.consumers.info(stream, made[0]), codes(10014));
    await assert.rejects(t.jsm.consumers.delete(stream, made[0]), codes(10014));
    assert.equal((await all(t.jsm.consumers.list(stream))).length, 2);
});

test("a consumer can be changed", async (t) => {
    const stream = await t.filled(["a"]);
    const { name } = await pull(t, stream);
    const info = await t.jsm.consumers.update(stream, name, { description: "new", max_ack_pending: 7, ack_wait: 5e9 });
    assert.equal(info.config.description, "new");
    assert.equal(info.config.max_ack_pending, 7);
    assert.equal(info.config.ack_wait, 5e9);
});

test("making a consumer again otherwise is refused", { since: "2.10.0" }, async (t) => {
    const stream = await t.filled(["a"]);
    const { name, info } = await pull(t, stream);
    const again = await t.jsm.consumers.add(stream, { durable_name: name, ack_policy: "explicit" });
    assert.equal(again.created, info.created);
    await assert.rejects(t.jsm.consumers.add(stream, { durable_name: name, ack_policy: "none" }), codes(10148));
});

test("an ephemeral consumer goes when nobody is interested", async (t) => {
    const stream = await t.filled(["a"]);
    const { name } = await t.jsm.consumers.add(stream, { ack_policy: "explicit", inactive_threshold: millis(300) });
    await until(() => t.jsm.consumers.info(stream, name).then(() => false, (e) => e.code === 10014));
});

test("a durable consumer remembers over a kill", { only: "agog" }, async (t) => {
    const stream = await t.filled(["a", "b", "c"]);
    const { consumer, name } = await pull(t, stream);
    await (await consumer.next()).ackAck();
    await server("restart");
    await until(() => t.nc.rtt().then(() => true, () => false));
    const info = await t.jsm.consumers.info(stream, name);
    assert.equal(info.ack_floor.stream_seq, 1);
    assert.equal(info.num_pending + info.num_ack_pending, 2);
    const again = await t.js.consumers.get(stream, name);
    assert.equal((await again.next()).string(), "m2");
});

test("a pull that waits when its consumer is deleted is told", async (t) => {
    const stream = await t.filled([]);
    const { consumer, name } = await pull(t, stream);
    const messages = await consumer.consume({ abort_on_missing_resource: true });
    const reading = all(messages).catch(() => null);
    await until(async () => (await t.jsm.consumers.info(stream, name)).num_waiting > 0);
    const told = (async () => {
        for await (const status of messages.status()) {
            if (status.type === "consumer_deleted") {
                return status;
            }
        }
        return null;
    })();
    await t.jsm.consumers.delete(stream, name);
    await reading;
    assert.equal((await told)?.type, "consumer_deleted");
});

test("an idle pull has heartbeats", async (t) => {
    const stream = await t.filled([]);
    const { consumer } = await pull(t, stream);
    const messages = await consumer.consume({ expires: 3000, idle_heartbeat: 500 });
    t.after(() => messages.close());
    const beats = (async () => {
        for await (const status of messages.status()) {
            if (status.type === "heartbeat") {
                return status;
            }
            assert.notEqual(status.type, "heartbeats_missed");
        }
        return null;
    })();
    (async () => { for await (const m of messages) { m.ack(); } })();
    assert.equal((await beats).lastStreamSequence, 0);
});

test("a push consumer delivers to its subject", async (t) => {
    const stream = await t.filled(["a", "b"]);
    const name = unique("P");
    await t.jsm.consumers.add(stream, { durable_name: name, ack_policy: "explicit",
        deliver_subject: unique("deliver.") });
    const push = await t.js.consumers.getPushConsumer(stream, name);
    const messages = await push.consume();
    const got = await take(messages, 2, (m) => { m.ack(); return m.string(); });
    assert.deepEqual(got, ["m1", "m2"]);
});

test("a push consumer with a queue group shares the work", async (t) => {
    const stream = await t.filled([]);
    const deliver_subject = unique("deliver.");
    await t.jsm.consumers.add(stream, { durable_name: unique("P"), ack_policy: "explicit",
        deliver_subject, deliver_group: "team" });
    const counts = [0, 0];
    for (const index of [0, 1]) {
        const member = await t.connect();
        member.subscribe(deliver_subject, { queue: "team", callback: (_, m) => {
            counts[index]++;
            m.respond();
        } });
        await member.flush();
    }
    for (let i = 0; i < 100; i++) {
        await t.js.publish(`${stream}.a`);
    }
    await until(() => counts[0] + counts[1] >= 100);
    assert.ok(counts[0] > 0 && counts[1] > 0, `uneven: ${counts}`);
});

test("an ordered push consumer with flow control reads all", async (t) => {
    const stream = await t.filled([]);
    const body = "x".repeat(1000);
    await Promise.all(Array.from({ length: 2000 }, () => t.js.publish(`${stream}.a`, body)));
    const push = await t.js.consumers.getPushConsumer(stream, { filter_subjects: `${stream}.>` });
    const got = await take(await push.consume(), 2000, (m) => m.seq);
    assert.deepEqual(got, Array.from({ length: 2000 }, (_, i) => i + 1));
});

test("a work queue forgets what was acknowledged", async (t) => {
    const stream = await t.filled(["a", "b"], { retention: "workqueue" });
    const { consumer } = await pull(t, stream);
    await (await consumer.next()).ackAck();
    await until(async () => (await t.jsm.streams.info(stream)).state.messages === 1);
    await assert.rejects(pull(t, stream), codes(10099));
});

test("an interest stream keeps what somebody still needs", async (t) => {
    const { config } = await t.stream({ retention: "interest" });
    const [one, two] = [await pull(t, config.name), await pull(t, config.name)];
    await t.js.publish(`${config.name}.a`, "m1");
    await (await one.consumer.next()).ackAck();
    assert.equal((await t.jsm.streams.info(config.name)).state.messages, 1);
    await (await two.consumer.next()).ackAck();
    await until(async () => (await t.jsm.streams.info(config.name)).state.messages === 0);
});

test("a stream's limits bound its consumers", { since: "2.10.0" }, async (t) => {
    const stream = await t.filled(["a"], { max_consumers: 1, consumer_limits: { max_ack_pending: 5 } });
    await assert.rejects(pull(t, stream, { max_ack_pending: 6 }), codes(10121));
    const { info } = await pull(t, stream);
    assert.equal(info.config.max_ack_pending, 5);
    await assert.rejects(pull(t, stream), codes(10026));
});

test("an overflow group pulls only when there is enough", { since: "2.11.0" }, async (t) => {
    const stream = await t.filled(["a"]);
    const { consumer } = await pull(t, stream, { priority_policy: "overflow", priority_groups: ["g"] });
    const none = await all(await consumer.fetch({ max_messages: 1, expires: 1000, group: "g", min_pending: 3 }));
    assert.equal(none.length, 0);
    await t.js.publish(`${stream}.a`);
    await t.js.publish(`${stream}.a`);
    const some = await all(await consumer.fetch({ max_messages: 1, expires: 5000, group: "g", min_pending: 3 }));
    assert.equal(some.length, 1);
});

test("a consumer can be set back", { since: "2.14.0" }, async (t) => {
    const stream = await t.filled(["a", "b", "c"]);
    const { consumer, name } = await pull(t, stream);
    for (const m of await all(await consumer.fetch({ max_messages: 3 }))) {
        await m.ackAck();
    }
    const reset = await t.jsm.consumers.reset(stream, name, 2);
    assert.equal(reset.reset_seq, 2);
    const again = await t.js.consumers.get(stream, name);
    assert.equal((await again.next()).string(), "m2");
});

await run();
