// SPDX-License-Identifier: Apache-2.0
// Publishing into streams through the current JavaScript client.
import { all, assert, test, unique, until } from "./interop.mjs";
import { core, run } from "./modern.mjs";

const codes = (code) => (error) => {
    assert.equal(error.code, code, `${error.name} ${error.code} ${error.message}`);
    return true;
};

test("an acknowledgement names stream and sequence", async ({ stream, js }) => {
    const { config } = await stream();
    const first = await js.publish(`${config.name}.a`, "one");
    const second = await js.publish(`${config.name}.b`, "two");
    assert.deepEqual([first.stream, first.seq, first.duplicate], [config.name, 1, false]);
    assert.equal(second.seq, 2);
});

test("publishing where no stream listens fails at once", async ({ js }) => {
    await assert.rejects(js.publish(unique("nowhere."), "x", { timeout: 20000 }),
        (error) => error.name === "JetStreamNotEnabled");
});

test("a message id counts once", async ({ stream, js, jsm }) => {
    const { config } = await stream();
    const first = await js.publish(`${config.name}.a`, "one", { msgID: "same" });
    const again = await js.publish(`${config.name}.a`, "other text", { msgID: "same" });
    const other = await js.publish(`${config.name}.a`, "two", { msgID: "different" });
    assert.deepEqual([first.duplicate, again.duplicate, other.duplicate], [false, true, false]);
    assert.equal(again.seq, first.seq);
    assert.equal((await jsm.streams.info(config.name)).state.messages, 2);
    assert.equal((await jsm.streams.getMessage(config.name, { seq: 1 })).string(), "one");
});

test("a message id is forgotten after the window", async ({ stream, js }) => {
    const { config } = await stream({ duplicate_window: 200 * 1e6 });
    await js.publish(`${config.name}.a`, "", { msgID: "same" });
    await until(async () => !(await js.publish(`${config.name}.a`, "", { msgID: "same" })).duplicate);
});

test("an expected stream must be the one", async ({ stream, js }) => {
    const { config } = await stream();
    const subject = `${config.name}.a`;
    assert.equal((await js.publish(subject, "", { expect: { streamName: config.name } })).seq, 1);
    await assert.rejects(js.publish(subject, "", { expect: { streamName: "other" } }),
        codes(10060));
});

test("an expected last sequence must be the last", async ({ stream, js }) => {
    const { config } = await stream();
    const subject = `${config.name}.a`;
    assert.equal((await js.publish(subject, "")).seq, 1);
    assert.equal((await js.publish(subject, "", { expect: { lastSequence: 1 } })).seq, 2);
    await assert.rejects(js.publish(subject, "", { expect: { lastSequence: 1 } }),
        (error) => codes(10071)(error) && assert.match(error.message, /wrong last sequence: 2/) === undefined);
});

test("an expected last sequence of the subject must be it", async ({ stream, js }) => {
    const { config } = await stream();
    const [a, b] = [`${config.name}.a`, `${config.name}.b`];
    const fresh = { expect: { lastSubjectSequence: 0 } };
    assert.equal((await js.publish(a, "", fresh)).seq, 1);
    assert.equal((await js.publish(b, "", fresh)).seq, 2);
    assert.equal((await js.publish(a, "", { expect: { lastSubjectSequence: 1 } })).seq, 3);
    await assert.rejects(js.publish(a, "", fresh), codes(10071));
    await assert.rejects(js.publish(b, "", { expect: { lastSubjectSequence: 3 } }), codes(10071));
});

test("an expected last sequence can be of other subjects", { since: "2.12.0" }, async (t) => {
    const { stream, js } = t;
    const { config } = await stream();
    await js.publish(`${config.name}.a.1`, "");
    await js.publish(`${config.name}.b`, "");
    const expect = { lastSubjectSequence: 1, lastSubjectSequenceSubject: `${config.name}.a.*` };
    assert.equal((await js.publish(`${config.name}.a.2`, "", { expect })).seq, 3);
    await assert.rejects(js.publish(`${config.name}.a.3`, "", { expect }), codes(10071));
});

test("an expected last message id must be it", async ({ stream, js }) => {
    const { config } = await stream();
    const subject = `${config.name}.a`;
    await js.publish(subject, "", { msgID: "first" });
    assert.equal((await js.publish(subject, "",
        { msgID: "second", expect: { lastMsgID: "first" } })).seq, 2);
    await assert.rejects(js.publish(subject, "", { expect: { lastMsgID: "first" } }),
        codes(10070));
});

test("a rollup replaces what came before, of the subject or of all", async (t) => {
    const { filled, js, jsm } = t;
    const name = await filled(["a", "b", "a"], { allow_rollup_hdrs: true });
    const headers = core.headers();
    headers.set("Nats-Rollup", "sub");
    await js.publish(`${name}.a`, "rolled", { headers });
    assert.equal((await jsm.streams.info(name)).state.messages, 2);
    headers.set("Nats-Rollup", "all");
    await js.publish(`${name}.a`, "alone", { headers });
    const { state } = await jsm.streams.info(name);
    assert.deepEqual([state.messages, state.first_seq, state.last_seq], [1, 5, 5]);
});

test("a rollup is refused where it is not allowed", async ({ filled, js }) => {
    const name = await filled(["a"]);
    const headers = core.headers();
    headers.set("Nats-Rollup", "sub");
    await assert.rejects(js.publish(`${name}.a`, "", { headers }),
        (error) => error.code === 10098 || /rollup not permitted/.test(error.message));
});

test("a message may have a time to live of its own", { since: "2.11.0" }, async (t) => {
    const { stream, js, jsm } = t;
    const { config } = await stream({ allow_msg_ttl: true });
    await js.publish(`${config.name}.a`, "brief", { ttl: "1s" });
    await js.publish(`${config.name}.a`, "lasting", { ttl: "never" });
    const brief = await jsm.streams.getMessage(config.name, { seq: 1 });
    assert.equal(brief.header.get("Nats-TTL"), "1s");
    await until(async () => (await jsm.streams.info(config.name)).state.messages === 1);
    assert.equal((await jsm.streams.getMessage(config.name, { seq: 2 })).string(), "lasting");
});

test("a time to live is refused where it is not allowed", { since: "2.11.0" }, async (t) => {
    const { config } = await t.stream();
    await assert.rejects(t.js.publish(`${config.name}.a`, "", { ttl: "1s" }), codes(10166));
});

test("a deleted message leaves a marker", { since: "2.11.0" }, async ({ stream, js, jsm }) => {
    const { config } = await stream({ allow_msg_ttl: true, allow_rollup_hdrs: true,
        subject_delete_marker_ttl: 60 * 1e9, max_age: 1e9, duplicate_window: 1e9 });
    await js.publish(`${config.name}.a`, "goes by age");
    const marker = await until(async () => {
        const last = await jsm.streams.getMessage(config.name,
            { last_by_subj: `${config.name}.a` });
        return last?.header?.get("Nats-Marker-Reason") ? last : null;
    });
    assert.equal(marker.header.get("Nats-Marker-Reason"), "MaxAge");
    assert.equal(marker.header.get("Nats-TTL"), "1m0s");
    assert.equal(marker.data.length, 0);
});

test("a batch is stored whole", { since: "2.12.0" }, async ({ stream, js, jsm }) => {
    const { config } = await stream({ allow_atomic: true });
    const batch = await js.startBatch(`${config.name}.a`, "1");
    batch.add(`${config.name}.b`, "2");
    await batch.add(`${config.name}.c`, "3", { ack: true });
    assert.equal((await jsm.streams.info(config.name)).state.messages, 0);
    const ack = await batch.commit(`${config.name}.d`, "4");
    assert.deepEqual([ack.stream, ack.seq, ack.count, ack.batch],
        [config.name, 4, 4, batch.id]);
    assert.equal((await jsm.streams.info(config.name)).state.messages, 4);
    assert.equal((await jsm.streams.getMessage(config.name, { seq: 3 })).string(), "3");
});

test("a batch of which one expectation fails is not stored", { since: "2.12.0" }, async (t) => {
    const { config } = await t.stream({ allow_atomic: true });
    await t.js.publish(`${config.name}.a`, "there");
    const batch = await t.js.startBatch(`${config.name}.a`, "1");
    const headers = core.headers();
    headers.set("Nats-Expected-Last-Subject-Sequence", "7");
    batch.add(`${config.name}.b`, "2", { headers });
    await assert.rejects(batch.commit(`${config.name}.c`, "3"));
    assert.equal((await t.jsm.streams.info(config.name)).state.messages, 1);
});

test("a batch is refused where it is not allowed", { since: "2.12.0" }, async ({ stream, js }) => {
    const { config } = await stream();
    await assert.rejects(js.startBatch(`${config.name}.a`, "1"), codes(10174));
});

test("many publishes under way at once all arrive, in order", async ({ stream, js, jsm }) => {
    const { config } = await stream();
    const acks = await Promise.all(Array.from({ length: 1000 },
        (_, i) => js.publish(`${config.name}.n`, String(i))));
    assert.deepEqual(acks.map((ack) => ack.seq), Array.from({ length: 1000 }, (_, i) => i + 1));
    assert.equal((await jsm.streams.getMessage(config.name, { seq: 777 })).string(), "776");
});

test("a report of ten megabytes is stored", async ({ stream, js, jsm }) => {
    const { config } = await stream();
    const body = "0123456789abcdef".repeat(10 * 1024 * 1024 / 16);
    assert.equal((await js.publish(`${config.name}.big`, body, { timeout: 20000 })).seq, 1);
    const { state } = await jsm.streams.info(config.name);
    assert.ok(state.bytes >= body.length);
});

test("a stream that acknowledges nothing stores all the same", async ({ nc, stream, jsm }) => {
    const { config } = await stream({ no_ack: true });
    nc.publish(`${config.name}.x`, "quiet");
    await until(async () => (await jsm.streams.info(config.name)).state.messages === 1);
});

test("a plain publish is stored too", async ({ nc, stream, jsm }) => {
    const { config } = await stream();
    nc.publish(`${config.name}.x`, "core");
    await until(async () => (await jsm.streams.info(config.name)).state.messages === 1);
    assert.equal((await jsm.streams.getMessage(config.name, { seq: 1 })).string(), "core");
    assert.equal((await all(jsm.streams.names(`${config.name}.x`))).length, 1);
});

test("what agog does not do is refused and not ignored", { only: "agog" }, async ({ stream }) => {
    for (const feature of ["allow_msg_counter", "allow_msg_schedules", "allow_batched"]) {
        await assert.rejects(stream({ [feature]: true }), codes(10052));
    }
});

await run();
