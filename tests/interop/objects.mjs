// SPDX-License-Identifier: Apache-2.0
// The object store of the current JavaScript client.
import { createHash } from "node:crypto";
import { all, assert, load, take, test, unique, until } from "./interop.mjs";
import { run } from "./modern.mjs";

const { Objm } = load("@nats-io/obj");
const MEBIBYTE = 1 << 20;

async function store(t, options = {}) {
    const made = await new Objm(t.nc).create(unique("obj"), options);
    t.after(() => made.destroy());
    return made;
}

/** Bytes that do not repeat where chunks do. */
const bytes = (size) => new Uint8Array(size).map((_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255);

const digest = (data) => `SHA-256=${createHash("sha256").update(data).digest("base64url")}`;

test("an object of several megabytes comes back as it was", async (t) => {
    const objects = await store(t);
    const body = bytes(5 * MEBIBYTE + 17);
    const info = await objects.putBlob({ name: "report.md", description: "the long one" }, body);
    assert.equal(info.size, body.length);
    assert.equal(info.chunks, Math.ceil(body.length / (128 * 1024)));
    assert.equal(info.digest.replace(/=+$/, ""), digest(body).replace(/=+$/, ""));
    assert.equal(Buffer.compare(await objects.getBlob("report.md"), body), 0);
    const found = await objects.info("report.md");
    assert.deepEqual([found.size, found.description, found.deleted], [body.length, "the long one", false]);
});

test("an object is streamed in and out", async (t) => {
    const objects = await store(t);
    const body = bytes(MEBIBYTE);
    const parts = new ReadableStream({ start(controller) {
        for (let at = 0; at < body.length; at += 50000) {
            controller.enqueue(body.slice(at, at + 50000));
        }
        controller.close();
    } });
    await objects.put({ name: "streamed", options: { max_chunk_size: 32768 } }, parts);
    const result = await objects.get("streamed");
    const got = [];
    for await (const part of result.data) {
        got.push(part);
    }
    assert.ok(!await result.error);
    assert.equal(Buffer.compare(Buffer.concat(got), body), 0);
    assert.equal(result.info.chunks, 32);
});

test("an object put again replaces the first and frees its chunks", async (t) => {
    const objects = await store(t);
    await objects.putBlob({ name: "a" }, bytes(MEBIBYTE));
    const before = (await objects.status()).size;
    await objects.putBlob({ name: "a" }, bytes(1000));
    assert.equal((await objects.getBlob("a")).length, 1000);
    assert.ok((await objects.status()).size < before / 10);
});

test("objects are listed and deleted", async (t) => {
    const objects = await store(t);
    for (const name of ["one", "two", "three with spaces / and é"]) {
        await objects.putBlob({ name }, bytes(100));
    }
    assert.equal((await objects.list()).length, 3);
    await objects.delete("two");
    assert.deepEqual((await objects.list()).map((info) => info.name).sort(),
        ["one", "three with spaces / and é"]);
    assert.equal((await objects.info("two")).deleted, true);
    assert.equal(await objects.getBlob("two"), null);
    assert.equal(await objects.getBlob("never there"), null);
});

test("a watch tells what is there and what comes", async (t) => {
    const objects = await store(t);
    await objects.putBlob({ name: "there" }, bytes(10));
    const watch = await objects.watch({ includeHistory: true });
    const reading = take(watch, 3, (info) => [info.name, info.deleted]);
    await until(() => watch.getProcessed() >= 1);
    await objects.putBlob({ name: "new" }, bytes(10));
    await objects.delete("there");
    assert.deepEqual(await reading, [["there", false], ["new", false], ["there", true]]);
});

test("a sealed store takes nothing more", async (t) => {
    const objects = await store(t);
    await objects.putBlob({ name: "a" }, bytes(10));
    assert.equal((await objects.seal()).sealed, true);
    await assert.rejects(objects.putBlob({ name: "b" }, bytes(10)), (error) => error.code === 10109);
    assert.equal((await objects.getBlob("a")).length, 10);
});

test("links lead to objects", async (t) => {
    const [objects, other] = [await store(t), await store(t)];
    const info = await objects.putBlob({ name: "real" }, bytes(5000));
    await other.link("shortcut", info);
    assert.equal((await other.getBlob("shortcut")).length, 5000);
    const linked = await other.linkStore("all of it", objects);
    assert.equal(linked.options.link.bucket, info.bucket);
});

test("an object's description changes without its bytes", async (t) => {
    const objects = await store(t);
    await objects.putBlob({ name: "old" }, bytes(5000));
    await objects.update("old", { name: "new", description: "renamed" });
    assert.equal(await objects.info("old"), null);
    const info = await objects.info("new");
    assert.deepEqual([info.description, info.size], ["renamed", 5000]);
    assert.equal((await objects.getBlob("new")).length, 5000);
});

test("an empty object is an object", async (t) => {
    const objects = await store(t);
    const info = await objects.putBlob({ name: "nothing" }, new Uint8Array(0));
    assert.deepEqual([info.size, info.chunks], [0, 0]);
    assert.equal((await objects.getBlob("nothing")).length, 0);
});

test("a store's status and list tell of it", async (t) => {
    const objects = await store(t, { description: "of reports" });
    await objects.putBlob({ name: "a" }, bytes(1000));
    const status = await objects.status();
    assert.equal(status.description, "of reports");
    assert.equal(status.sealed, false);
    assert.ok(status.size > 1000);
    const names = await all(new Objm(t.nc).list(), (one) => one.bucket);
    assert.ok(names.includes(status.bucket));
});

await run();
