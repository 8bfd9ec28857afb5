// SPDX-License-Identifier: Apache-2.0
// The key-value store of the current JavaScript client.
import { all, assert, load, server, take, test, unique, until } from "./interop.mjs";
import { run } from "./modern.mjs";

const { Kvm } = load("@nats-io/kv");

async function bucket(t, options = {}) {
    const kv = await new Kvm(t.nc).create(unique("kv"), options);
    t.after(() => kv.destroy());
    return kv;
}

const sequenceRefused = (error) => {
    assert.equal(error.code, 10071, `${error.name} ${error.message}`);
    return true;
};

test("what was put is got", async (t) => {
    const kv = await bucket(t);
    assert.equal(await kv.put("a", "one"), 1);
    assert.equal(await kv.put("a", "two"), 2);
    const entry = await kv.get("a");
    assert.deepEqual([entry.string(), entry.revision, entry.operation, entry.key],
        ["two", 2, "PUT", "a"]);
    assert.ok(Math.abs(entry.created.getTime() - Date.now()) < 60000);
    assert.equal(await kv.get("absent"), null);
});

test("an earlier revision is got while the history has it", async (t) => {
    const kv = await bucket(t, { history: 3 });
    for (const word of ["one", "two", "three"]) {
        await kv.put("a", word);
    }
    assert.equal((await kv.get("a", { revision: 1 })).string(), "one");
    await kv.put("a", "four");
    assert.equal(await kv.get("a", { revision: 1 }), null);
});

test("a key is created once", async (t) => {
    const kv = await bucket(t);
    assert.equal(await kv.create("a", "first"), 1);
    await assert.rejects(kv.create("a", "second"), sequenceRefused);
    assert.equal((await kv.get("a")).string(), "first");
});

test("a key that was deleted can be created again", async (t) => {
    const kv = await bucket(t);
    await kv.create("a", "first");
    await kv.delete("a");
    assert.equal(await kv.create("a", "second"), 3);
    assert.equal((await kv.get("a")).string(), "second");
});

test("an update needs the revision it is based on", async (t) => {
    const kv = await bucket(t);
    const first = await kv.put("a", "one");
    const second = await kv.update("a", "two", first);
    await assert.rejects(kv.update("a", "lost", first), sequenceRefused);
    assert.equal((await kv.get("a")).revision, second);
});

test("only one of many updates from the same revision wins", async (t) => {
    const kv = await bucket(t);
    const first = await kv.put("a", "0");
    const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => kv.update("a", String(i), first)));
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
});

test("a delete leaves a marker and the history", async (t) => {
    const kv = await bucket(t, { history: 5 });
    await kv.put("a", "one");
    await kv.delete("a");
    const gone = await kv.get("a");
    assert.equal(gone.operation, "DEL");
    const history = await all(await kv.history({ key: "a" }), (e) => e.operation);
    assert.deepEqual(history, ["PUT", "DEL"]);
});

test("a purge leaves the marker alone", async (t) => {
    const kv = await bucket(t, { history: 5 });
    await kv.put("a", "one");
    await kv.put("a", "two");
    await kv.put("b", "other");
    await kv.purge("a");
    const history = await all(await kv.history({ key: "a" }), (e) => [e.operation, e.revision]);
    assert.deepEqual(history, [["PURGE", 4]]);
    assert.equal((await kv.get("b")).string(), "other");
});

test("a purge can need a revision", async (t) => {
    const kv = await bucket(t);
    await kv.put("a", "one");
    const second = await kv.put("a", "two");
    await assert.rejects(kv.purge("a", { previousSeq: 1 }), sequenceRefused);
    await kv.purge("a", { previousSeq: second });
    assert.equal((await kv.get("a")).operation, "PURGE");
});

test("the history is told in order", async (t) => {
    const kv = await bucket(t, { history: 3 });
    for (const word of ["one", "two", "three", "four"]) {
        await kv.put("a", word);
        await kv.put("b.c", word);
    }
    const history = await all(await kv.history({ key: "a" }), (e) => e.string());
    assert.deepEqual(history, ["two", "three", "four"]);
    assert.equal((await all(await kv.history())).length, 6);
});

test("keys are listed, by filter too, without what was deleted", async (t) => {
    const kv = await bucket(t);
    assert.deepEqual(await all(await kv.keys()), []);
    for (const key of ["agent.roy", "agent.jen", "agent.liz", "stage.qa"]) {
        await kv.put(key, "x");
    }
    await kv.delete("agent.liz");
    assert.deepEqual((await all(await kv.keys())).sort(), ["agent.jen", "agent.roy", "stage.qa"]);
    assert.deepEqual((await all(await kv.keys("agent.*"))).sort(), ["agent.jen", "agent.roy"]);
});

test("a watch tells what is there and what comes", async (t) => {
    const kv = await bucket(t);
    await kv.put("a", "old");
    await kv.put("a", "now");
    const watch = await kv.watch();
    const reading = take(watch, 4, (e) => [e.key, e.operation, e.string()]);
    await until(() => watch.getProcessed() === 1);
    await kv.put("b", "new");
    await kv.delete("a");
    await kv.purge("b");
    assert.deepEqual(await reading, [["a", "PUT", "now"], ["b", "PUT", "new"], ["a", "DEL", ""],
        ["b", "PURGE", ""]]);
});

test("a watch can be of some keys, of updates alone, of the whole history", async (t) => {
    const kv = await bucket(t, { history: 5 });
    await kv.put("a.1", "one");
    await kv.put("a.1", "two");
    await kv.put("b", "other");
    const past = await take(await kv.watch({ key: "a.*", include: "history" }), 2, (e) => e.string());
    assert.deepEqual(past, ["one", "two"]);
    const updates = await kv.watch({ key: "a.*", include: "updates", ignoreDeletes: true });
    const reading = take(updates, 1, (e) => e.string());
    await t.nc.flush();
    await kv.delete("a.1");
    await kv.put("b", "not watched");
    await kv.put("a.2", "three");
    assert.deepEqual(await reading, ["three"]);
    const resumed = await take(await kv.watch({ resumeFromRevision: 3 }), 3, (e) => e.revision);
    assert.deepEqual(resumed, [3, 4, 5]);
});

test("a watch of headers alone has no values", async (t) => {
    const kv = await bucket(t);
    await kv.put("a", "0123456789");
    const [entry] = await take(await kv.watch({ headers_only: true }), 1);
    assert.equal(entry.value.length, 0);
    assert.equal(entry.length, 10);
});

test("a bucket's values live as long as it says", async (t) => {
    const kv = await bucket(t, { ttl: 300 });
    await kv.put("a", "brief");
    await until(async () => await kv.get("a") === null);
});

test("a key lives as long as it was created for", { since: "2.11.0" }, async (t) => {
    const kv = await bucket(t, { markerTTL: 60000 });
    await kv.create("a", "brief", "1s");
    await kv.create("b", "lasting");
    const watch = await kv.watch({ key: "a", include: "updates" });
    const [gone] = await take(watch, 1, (e) => [e.key, e.operation]);
    assert.deepEqual(gone, ["a", "PURGE"]);
    assert.equal((await kv.get("b")).string(), "lasting");
});

test("a purge marker goes when its time is over", { since: "2.11.0" }, async (t) => {
    const kv = await bucket(t, { markerTTL: 60000 });
    await kv.put("a", "one");
    await kv.purge("a", { ttl: "1s" });
    assert.equal((await kv.get("a")).operation, "PURGE");
    await until(async () => await kv.get("a") === null);
});

test("a bucket's status tells its configuration and size", async (t) => {
    const kv = await bucket(t, { history: 4, description: "of agents", maxValueSize: 100, ttl: 3600000 });
    await kv.put("a", "one");
    const status = await kv.status();
    assert.deepEqual([status.history, status.description, status.maxValueSize, status.ttl, status.values],
        [4, "of agents", 100, 3600000, 1]);
    assert.ok(status.size > 0);
    assert.equal(status.streamInfo.config.name, `KV_${status.bucket}`);
    await assert.rejects(kv.put("a", "x".repeat(101)), (error) => error.code === 10054);
});

test("buckets are listed and opened again", async (t) => {
    const kv = await bucket(t);
    await kv.put("a", "one");
    const name = (await kv.status()).bucket;
    const kvm = new Kvm(t.nc);
    assert.ok((await all(kvm.list(), (status) => status.bucket)).includes(name));
    assert.equal((await (await kvm.open(name)).get("a")).string(), "one");
});

test("binary and large values come back as they were", async (t) => {
    const kv = await bucket(t);
    const value = new Uint8Array(1 << 20).map((_, i) => i * 7);
    await kv.put("a", value);
    assert.equal(Buffer.compare((await kv.get("a")).value, value), 0);
    await kv.put("empty", "");
    assert.equal((await kv.get("empty")).value.length, 0);
});

test("a mirrored bucket reads what was put into the first", { since: "2.10.0" }, async (t) => {
    const kv = await bucket(t);
    await kv.put("a", "one");
    const { bucket: name } = await kv.status();
    const copy = await bucket(t, { mirror: { name } });
    await until(async () => (await copy.status()).values === 1);
    const { streamInfo } = await copy.status();
    const entry = await t.jsm.direct.getMessage(streamInfo.config.name,
        { last_by_subj: `$KV.${name}.a` });
    assert.equal(entry.string(), "one");
});

test("keys and their revisions are there after a kill", { only: "agog" }, async (t) => {
    const kv = await bucket(t);
    for (let i = 0; i < 20; i++) {
        await kv.put(`k${i}`, String(i));
    }
    await server("restart");
    await until(() => t.nc.rtt().then(() => true, () => false));
    assert.equal((await kv.get("k19")).revision, 20);
    assert.equal((await all(await kv.keys())).length, 20);
    assert.equal(await kv.put("k0", "again"), 21);
});

await run();
