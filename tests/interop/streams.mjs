// SPDX-License-Identifier: Apache-2.0
// Streams and their messages through the current JavaScript client.
import { all, assert, millis, take, test, unique, until } from "./interop.mjs";
import { jetstream, run } from "./modern.mjs";

const codes = (code) => (error) => {
    assert.equal(error.code, code, `${error.name} ${error.code} ${error.message}`);
    return true;
};

test("a stream's defaults are those of nats-server", async ({ stream }) => {
    const { config, state, created } = await stream();
    assert.equal(config.retention, "limits");
    assert.equal(config.storage, "file");
    assert.equal(config.discard, "old");
    assert.equal(config.max_msgs, -1);
    assert.equal(config.max_bytes, -1);
    assert.equal(config.max_age, 0);
    assert.equal(config.max_msg_size, -1);
    assert.equal(config.max_consumers, -1);
    assert.equal(config.max_msgs_per_subject, -1);
    assert.equal(config.num_replicas, 1);
    assert.equal(config.duplicate_window, 120 * 1e9);
    assert.equal(state.messages, 0);
    assert.equal(state.first_seq, 0);
    assert.equal(state.last_seq, 0);
    assert.ok(Date.parse(created) > Date.parse("2020-01-01"));
});

test("a stream made twice alike is the same stream", async ({ stream, jsm }) => {
    const { config } = await stream({ description: "d" });
    const again = await jsm.streams.add({ name: config.name, subjects: config.subjects,
        description: "d" });
    assert.equal(again.config.description, "d");
});

test("a stream made again otherwise is refused", async ({ stream, jsm }) => {
    const { config } = await stream();
    await assert.rejects(jsm.streams.add({ name: config.name, subjects: ["elsewhere.>"] }),
        codes(10058));
});

test("overlapping subjects are refused", async ({ stream, jsm }) => {
    const { config } = await stream();
    await assert.rejects(jsm.streams.add({ name: unique("S"), subjects: [`${config.name}.a.*`] }),
        codes(10065));
});

test("a stream can be changed", async ({ stream, jsm }) => {
    const { config } = await stream({ max_msgs: 10 });
    const updated = await jsm.streams.update(config.name,
        { max_msgs: 20, subjects: [`${config.name}.>`, `more.${config.name}`] });
    assert.equal(updated.config.max_msgs, 20);
    const info = await jsm.streams.info(config.name);
    assert.deepEqual(info.config.subjects, [`${config.name}.>`, `more.${config.name}`]);
});

test("what may not change is refused", async ({ stream, jsm }) => {
    const { config } = await stream();
    await assert.rejects(
        jsm.streams.update(config.name, { ...config, storage: "memory" }), codes(10052));
});

test("lowering a limit drops the oldest messages", async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "c", "d"]);
    await jsm.streams.update(name, { max_msgs: 2 });
    const { state } = await jsm.streams.info(name);
    assert.equal(state.messages, 2);
    assert.equal(state.first_seq, 3);
});

test("info counts messages, bytes, subjects and deleted ones", async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "a", "c"]);
    await jsm.streams.deleteMessage(name, 2);
    const info = await jsm.streams.info(name, { subjects_filter: ">", deleted_details: true });
    assert.equal(info.state.messages, 3);
    assert.equal(info.state.num_subjects, 2);
    assert.deepEqual(info.state.subjects, { [`${name}.a`]: 2, [`${name}.c`]: 1 });
    assert.equal(info.state.num_deleted, 1);
    assert.deepEqual(info.state.deleted, [2]);
    assert.ok(info.state.bytes > 0);
    const some = await jsm.streams.info(name, { subjects_filter: `${name}.c` });
    assert.deepEqual(some.state.subjects, { [`${name}.c`]: 1 });
});

test("a stream that is not there is not found", async ({ jsm }) => {
    await assert.rejects(jsm.streams.info("not-there"), codes(10059));
    await assert.rejects(jsm.streams.delete("not-there"), codes(10059));
});

test("streams are listed, by subject too", async ({ stream, jsm }) => {
    const first = (await stream()).config.name;
    const second = (await stream()).config.name;
    const names = (await all(jsm.streams.list(), (info) => info.config.name));
    assert.ok(names.includes(first) && names.includes(second));
    assert.deepEqual(await all(jsm.streams.names(`${second}.x`)), [second]);
    assert.equal(await jsm.streams.find(`${first}.y`), first);
    assert.deepEqual(await all(jsm.streams.list(`${first}.*`), (i) => i.config.name), [first]);
});

test("hundreds of streams are listed page by page", async ({ stream, jsm }) => {
    const made = new Set();
    for (let i = 0; i < 300; i++) {
        made.add((await stream({ storage: "memory" })).config.name);
    }
    const listed = await all(jsm.streams.list(), (info) => info.config.name);
    assert.equal(listed.filter((name) => made.has(name)).length, 300);
    assert.deepEqual(listed, [...listed].sort());
    const names = await all(jsm.streams.names());
    assert.equal(names.filter((name) => made.has(name)).length, 300);
});

test("a purge takes all, or a subject, or up to a sequence, or all but some", async (t) => {
    const { filled, jsm } = t;
    const name = await filled(["a", "b", "a", "b", "a", "b"]);
    assert.equal((await jsm.streams.purge(name, { filter: `${name}.a`, keep: 1 })).purged, 2);
    assert.equal((await jsm.streams.purge(name, { seq: 4 })).purged, 1);
    assert.equal((await jsm.streams.purge(name, { filter: `${name}.b` })).purged, 2);
    assert.equal((await jsm.streams.purge(name)).purged, 1);
    const { state } = await jsm.streams.info(name);
    assert.equal(state.messages, 0);
    assert.equal(state.first_seq, 7);
    assert.equal(state.last_seq, 6);
});

test("messages are read by sequence and as last of a subject", async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "a"]);
    const second = await jsm.streams.getMessage(name, { seq: 2 });
    assert.equal(second.subject, `${name}.b`);
    assert.equal(second.string(), "m2");
    assert.ok(Math.abs(second.time.getTime() - Date.now()) < 60000);
    const last = await jsm.streams.getMessage(name, { last_by_subj: `${name}.a` });
    assert.equal(last.seq, 3);
    const next = await jsm.streams.getMessage(name, { seq: 2, next_by_subj: `${name}.a` });
    assert.equal(next.seq, 3);
    assert.equal(await jsm.streams.getMessage(name, { seq: 99 }), null);
    assert.equal(await jsm.streams.getMessage(name, { last_by_subj: `${name}.zz` }), null);
});

test("headers come back with a stored message", async ({ stream, js, jsm, nc }) => {
    const { config } = await stream();
    const { headers } = await import("./modern.mjs").then(({ core }) => core);
    const made = headers();
    made.append("X-Agent", "roy");
    made.append("X-Agent", "jen");
    await js.publish(`${config.name}.x`, "with", { headers: made });
    const stored = await jsm.streams.getMessage(config.name, { seq: 1 });
    assert.deepEqual(stored.header.values("X-Agent"), ["roy", "jen"]);
    assert.equal(nc.isClosed(), false);
});

test("a message can be deleted", async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "c"]);
    assert.equal(await jsm.streams.deleteMessage(name, 2), true);
    assert.equal(await jsm.streams.getMessage(name, { seq: 2 }), null);
    await assert.rejects(jsm.streams.deleteMessage(name, 2), codes(10043));
    const { state } = await jsm.streams.info(name);
    assert.equal(state.messages, 2);
    assert.equal(state.num_deleted, 1);
});

test("streams that deny deleting and purging refuse both", async ({ filled, jsm }) => {
    const name = await filled(["a"], { deny_delete: true, deny_purge: true });
    await assert.rejects(jsm.streams.deleteMessage(name, 1), codes(10057));
    await assert.rejects(jsm.streams.purge(name), codes(10110));
});

test("a sealed stream takes nothing more", async ({ filled, js, jsm }) => {
    const name = await filled(["a"]);
    const info = await jsm.streams.info(name);
    const sealed = await jsm.streams.update(name, { ...info.config, sealed: true });
    assert.equal(sealed.config.sealed, true);
    await assert.rejects(js.publish(`${name}.a`, "more"), codes(10109));
    await assert.rejects(jsm.streams.deleteMessage(name, 1), codes(10109));
});

test("max_msgs discards the oldest", async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "c"], { max_msgs: 2 });
    const { state } = await jsm.streams.info(name);
    assert.equal(state.messages, 2);
    assert.equal(state.first_seq, 2);
});

test("discard new refuses what is too much", async ({ filled, js }) => {
    const name = await filled(["a", "b"], { max_msgs: 2, discard: "new" });
    await assert.rejects(js.publish(`${name}.c`, "m3"), codes(10077));
});

test("discard new per subject refuses a second message of one", async ({ filled, js }) => {
    const name = await filled(["a"], { max_msgs_per_subject: 1, discard: "new",
        discard_new_per_subject: true });
    await assert.rejects(js.publish(`${name}.a`, "again"), codes(10077));
    assert.equal((await js.publish(`${name}.b`, "other")).seq, 2);
});

test("max_msgs_per_subject keeps the last of each", async ({ filled, jsm }) => {
    const name = await filled(["a", "a", "b", "a"], { max_msgs_per_subject: 1 });
    const { state } = await jsm.streams.info(name);
    assert.equal(state.messages, 2);
    assert.equal((await jsm.streams.getMessage(name, { last_by_subj: `${name}.a` })).string(), "m4");
});

test("max_bytes and max_msg_size hold", async ({ stream, js, jsm }) => {
    const { config } = await stream({ max_bytes: 10000, max_msg_size: 4000 });
    await assert.rejects(js.publish(`${config.name}.x`, "x".repeat(4001)), codes(10054));
    for (let i = 0; i < 10; i++) {
        await js.publish(`${config.name}.x`, "x".repeat(3000));
    }
    const { state } = await jsm.streams.info(config.name);
    assert.ok(state.bytes <= 10000);
    assert.equal(state.messages, 3);
});

test("max_age lets messages go", async ({ filled, jsm }) => {
    const name = await filled(["a", "b"], { max_age: millis(300), duplicate_window: millis(300) });
    await until(async () => (await jsm.streams.info(name)).state.messages === 0);
    assert.equal((await jsm.streams.info(name)).state.first_seq, 3);
});

test("direct get answers by sequence, last and next", async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "a"], { allow_direct: true });
    const second = await jsm.direct.getMessage(name, { seq: 2 });
    assert.equal(second.string(), "m2");
    assert.equal(second.subject, `${name}.b`);
    assert.equal((await jsm.direct.getMessage(name, { last_by_subj: `${name}.a` })).seq, 3);
    assert.equal((await jsm.direct.getMessage(name, { next_by_subj: `${name}.a`, seq: 2 })).seq, 3);
    assert.equal(await jsm.direct.getMessage(name, { seq: 9 }), null);
});

test("direct get gives a batch from a sequence", { since: "2.11.0" }, async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "a", "c", "a"], { allow_direct: true });
    const some = await all(await jsm.direct.getBatch(name, { seq: 2, batch: 3 }), (m) => m.seq);
    assert.deepEqual(some, [2, 3, 4]);
    const ofA = await all(await jsm.direct.getBatch(name,
        { seq: 1, batch: 10, next_by_subj: `${name}.a` }), (m) => m.string());
    assert.deepEqual(ofA, ["m1", "m3", "m5"]);
});

test("direct get gives a batch from a time", { since: "2.11.0" }, async ({ filled, jsm }) => {
    const name = await filled(["a", "b", "c"], { allow_direct: true });
    const second = await jsm.streams.getMessage(name, { seq: 2 });
    const got = await all(await jsm.direct.getBatch(name,
        { start_time: second.timestamp, batch: 10 }), (m) => m.seq);
    assert.deepEqual(got, [2, 3]);
});

test("direct get gives the last of several subjects", { since: "2.11.0" }, async (t) => {
    const name = await t.filled(["a", "b", "a", "c"], { allow_direct: true });
    const got = await all(await t.jsm.direct.getLastMessagesFor(name,
        { multi_last: [`${name}.a`, `${name}.c`] }), (m) => m.string());
    assert.deepEqual(got, ["m3", "m4"]);
    const earlier = await all(await t.jsm.direct.getLastMessagesFor(name,
        { multi_last: [`${name}.>`], up_to_seq: 2 }), (m) => m.string());
    assert.deepEqual(earlier, ["m1", "m2"]);
});

test("a mirror follows its stream", async ({ filled, stream, js, jsm }) => {
    const name = await filled(["a", "b"]);
    const { config } = await stream({ mirror: { name } });
    await until(async () => (await jsm.streams.info(config.name)).state.messages === 2);
    await js.publish(`${name}.c`, "m3");
    await until(async () => (await jsm.streams.info(config.name)).state.messages === 3);
    const third = await jsm.streams.getMessage(config.name, { seq: 3 });
    assert.equal(third.string(), "m3");
    assert.equal(third.subject, `${name}.c`);
    assert.equal((await jsm.streams.info(config.name)).mirror.name, name);
});

test("a stream gathers its sources", async ({ filled, stream, jsm }) => {
    const one = await filled(["a", "b"]);
    const two = await filled(["c"]);
    const { config } = await stream({ sources: [{ name: one }, { name: two }] });
    await until(async () => (await jsm.streams.info(config.name)).state.messages === 3);
    const info = await jsm.streams.info(config.name, { subjects_filter: ">" });
    assert.deepEqual(Object.keys(info.state.subjects).sort(),
        [`${one}.a`, `${one}.b`, `${two}.c`].sort());
    assert.deepEqual(info.sources.map((source) => source.name).sort(), [one, two].sort());
    const first = await jsm.streams.getMessage(config.name, { last_by_subj: `${two}.c` });
    assert.match(first.header.get("Nats-Stream-Source"), new RegExp(`^${two} 1`));
});

test("what is stored is published again elsewhere", async ({ stream, js, nc }) => {
    const name = unique("S");
    await stream({ name, republish: { src: `${name}.>`, dest: `again.${name}.>` } });
    const sub = nc.subscribe(`again.${name}.>`, { max: 2 });
    await js.publish(`${name}.x.y`, "first");
    await js.publish(`${name}.x.y`, "second");
    const [first, second] = await take(sub, 2);
    assert.equal(first.subject, `again.${name}.x.y`);
    assert.equal(first.string(), "first");
    assert.equal(first.headers.get("Nats-Stream"), name);
    assert.equal(first.headers.get("Nats-Subject"), `${name}.x.y`);
    assert.equal(second.headers.get("Nats-Sequence"), "2");
    assert.equal(second.headers.get("Nats-Last-Sequence"), "1");
});

test("subjects are renamed on the way in", { since: "2.10.0" }, async ({ stream, js, jsm }) => {
    const name = unique("S");
    await stream({ name, subject_transform: { src: `${name}.*.*`, dest: `${name}.{{wildcard(2)}}.{{wildcard(1)}}` } });
    await js.publish(`${name}.a.b`, "swapped");
    assert.equal((await jsm.streams.getMessage(name, { seq: 1 })).subject, `${name}.b.a`);
});

test("a stream starts at the sequence asked for", { since: "2.10.0" }, async ({ stream, js }) => {
    const { config } = await stream({ first_seq: 1000 });
    assert.equal((await js.publish(`${config.name}.x`)).seq, 1000);
});

test("metadata is kept with what the server adds", { since: "2.11.0" }, async ({ nc, stream, jsm }) => {
    const { config } = await stream({ metadata: { owner: "cynthia" } });
    const info = await jsm.streams.info(config.name);
    assert.equal(info.config.metadata.owner, "cynthia");
    assert.match(info.config.metadata["_nats.level"], /^\d+$/);
    assert.equal(info.config.metadata["_nats.ver"], nc.info.version);
    assert.equal(info.config.metadata["_nats.req.level"], "0");
    const again = await jsm.streams.update(config.name, { ...info.config, allow_msg_ttl: true });
    assert.equal(again.config.metadata["_nats.req.level"], "1");
    const consumer = await jsm.consumers.add(config.name, { durable_name: "d", ack_policy: "explicit",
        metadata: { "_nats.ver": "9.9.9", room: "two" } });
    assert.equal(consumer.config.metadata["_nats.ver"], nc.info.version);
    assert.equal(consumer.config.metadata.room, "two");
});

test("the account's use is counted", async ({ filled, jsm }) => {
    const before = await jsm.getAccountInfo();
    const name = await filled(["a"]);
    await jsm.consumers.add(name, { durable_name: "d", ack_policy: "explicit" });
    const after = await jsm.getAccountInfo();
    assert.equal(after.streams, before.streams + 1);
    assert.equal(after.consumers, before.consumers + 1);
    assert.ok(after.storage > before.storage);
    assert.ok(after.api.total > before.api.total);
    assert.equal(typeof after.limits.max_storage, "number");
});

test("advisories tell of streams made and deleted", async ({ jsm, nc }) => {
    const name = unique("S");
    const sub = nc.subscribe(`$JS.EVENT.ADVISORY.STREAM.*.${name}`, { max: 2 });
    await nc.flush();
    await jsm.streams.add({ name, subjects: [`${name}.>`] });
    await jsm.streams.delete(name);
    const [made, gone] = await take(sub, 2, (m) => m.json());
    assert.equal(made.type, "io.nats.jetstream.advisory.v1.stream_action");
    assert.equal(made.stream, name);
    assert.deepEqual([made.action, gone.action], ["create", "delete"]);
});

test("work queues and interest streams refuse what they cannot be", async ({ stream, jsm }) => {
    const { config } = await stream({ retention: "workqueue" });
    assert.equal(config.retention, "workqueue");
    await assert.rejects(
        jsm.consumers.add(config.name, { durable_name: "d", ack_policy: "none" }), codes(10084));
    assert.equal(jetstream.RetentionPolicy.Workqueue, "workqueue");
});

await run();
