// SPDX-License-Identifier: Apache-2.0
// Core NATS through the current JavaScript client.
import { assert, server, take, test, unique, until, url } from "./interop.mjs";
import { core, run } from "./modern.mjs";

test("the server introduces itself", async ({ nc }) => {
    const { info } = nc;
    assert.equal(info.proto, 1);
    assert.equal(info.headers, true);
    assert.equal(info.jetstream, true);
    assert.equal(info.max_payload, 16777216);
    assert.equal(info.port, Number(new URL(url).port));
    assert.match(info.server_id, /^N[A-Z2-7]{55}$/);
    assert.ok(info.client_id > 0);
    assert.match(info.client_ip, /^127\./);
});

test("a message reaches a subscriber whole", async ({ nc }) => {
    const subject = unique("core.");
    const sub = nc.subscribe(subject, { max: 1 });
    nc.publish(subject, "hello", { reply: "somewhere.else" });
    const [m] = await take(sub, 1);
    assert.equal(m.string(), "hello");
    assert.equal(m.subject, subject);
    assert.equal(m.reply, "somewhere.else");
    assert.equal(m.headers, undefined);
});

test("messages of one publisher arrive in order", async ({ nc, connect }) => {
    const subject = unique("core.");
    const sub = nc.subscribe(subject, { max: 5000 });
    await nc.flush();
    const other = await connect();
    for (let i = 0; i < 5000; i++) {
        other.publish(subject, String(i));
    }
    const got = await take(sub, 5000, (m) => Number(m.string()));
    assert.deepEqual(got, Array.from({ length: 5000 }, (_, i) => i));
});

test("wildcards match tokens and tails", async ({ nc }) => {
    const base = unique("w");
    const got = { star: [], tail: [] };
    nc.subscribe(`${base}.*.end`, { callback: (_, m) => got.star.push(m.subject) });
    nc.subscribe(`${base}.>`, { callback: (_, m) => got.tail.push(m.subject) });
    const subjects = [`${base}.a.end`, `${base}.a.b.end`, `${base}.end`, base];
    subjects.forEach((subject) => nc.publish(subject));
    await nc.flush();
    assert.deepEqual(got.star, [`${base}.a.end`]);
    assert.deepEqual(got.tail, subjects.slice(0, 3));
});

test("headers keep their order, their case and several values", async ({ nc }) => {
    const subject = unique("core.");
    const sub = nc.subscribe(subject, { max: 1 });
    const headers = core.headers();
    headers.append("X-Agent", "cynthia");
    headers.append("X-Agent", "roy");
    headers.set("lower-case", "é → ✓");
    nc.publish(subject, "body", { headers });
    const [m] = await take(sub, 1);
    assert.deepEqual(m.headers.values("X-Agent"), ["cynthia", "roy"]);
    assert.equal(m.headers.get("lower-case"), "é → ✓");
    assert.deepEqual(m.headers.keys(), ["X-Agent", "lower-case"]);
    assert.equal(m.string(), "body");
});

test("a queue group gives each message to one member", async ({ nc, connect }) => {
    const subject = unique("core.");
    const counts = [0, 0, 0];
    for (const index of counts.keys()) {
        const member = await connect();
        member.subscribe(subject, { queue: "workers", callback: () => counts[index]++ });
        await member.flush();
    }
    const watcher = await connect();
    const seen = watcher.subscribe(subject, { max: 300 });
    await watcher.flush();
    for (let i = 0; i < 300; i++) {
        nc.publish(subject, "job");
    }
    assert.equal((await take(seen, 300)).length, 300);
    await until(() => counts[0] + counts[1] + counts[2] >= 300);
    assert.equal(counts[0] + counts[1] + counts[2], 300);
    counts.forEach((count) => assert.ok(count > 0, `uneven: ${counts}`));
});

test("a request gets its reply", async ({ nc, connect }) => {
    const subject = unique("core.");
    const responder = await connect();
    responder.subscribe(subject, { callback: (_, m) => m.respond(`re: ${m.string()}`) });
    await responder.flush();
    const answers = await Promise.all(["a", "b", "c"].map((word) => nc.request(subject, word)));
    assert.deepEqual(answers.map((m) => m.string()), ["re: a", "re: b", "re: c"]);
});

test("a request without the shared inbox gets its reply", async ({ nc }) => {
    const subject = unique("core.");
    nc.subscribe(subject, { callback: (_, m) => m.respond(m.data) });
    const m = await nc.request(subject, "alone", { noMux: true, timeout: 5000 });
    assert.equal(m.string(), "alone");
});

test("a request nobody serves fails at once as no responders", async ({ nc }) => {
    await assert.rejects(nc.request(unique("core."), "", { timeout: 20000 }),
        (error) => error instanceof core.errors.RequestError && error.isNoResponders());
    await assert.rejects(
        nc.request(unique("core."), "", { timeout: 20000, noMux: true }),
        (error) => error instanceof core.errors.NoRespondersError || error.isNoResponders());
});

test("a request may gather many replies", async ({ nc, connect }) => {
    const subject = unique("core.");
    for (const word of ["one", "two", "three"]) {
        const responder = await connect();
        responder.subscribe(subject, { callback: (_, m) => m.respond(word) });
        await responder.flush();
    }
    const got = [];
    for await (const m of await nc.requestMany(subject, "", { strategy: "count", maxMessages: 3,
        maxWait: 20000 })) {
        got.push(m.string());
    }
    assert.deepEqual(got.sort(), ["one", "three", "two"]);
});

test("unsubscribing after some messages stops there", async ({ nc }) => {
    const subject = unique("core.");
    const got = [];
    const sub = nc.subscribe(subject, { callback: (_, m) => got.push(m.string()) });
    sub.unsubscribe(2);
    ["1", "2", "3"].forEach((word) => nc.publish(subject, word));
    await nc.flush();
    assert.deepEqual(got, ["1", "2"]);
});

test("drain delivers what is under way and closes", async ({ nc, connect }) => {
    const subject = unique("core.");
    const leaving = await connect();
    const sub = leaving.subscribe(subject);
    const got = [];
    const reading = (async () => {
        for await (const m of sub) {
            got.push(m.string());
        }
    })();
    await leaving.flush();
    for (let i = 0; i < 100; i++) {
        nc.publish(subject, String(i));
    }
    await nc.flush();
    await leaving.drain();
    await reading;
    assert.equal(got.length, 100);
    assert.ok(leaving.isClosed());
});

test("a connection without echo does not hear itself", async ({ nc, connect }) => {
    const subject = unique("core.");
    const quiet = await connect({ noEcho: true });
    const got = [];
    quiet.subscribe(subject, { callback: (_, m) => got.push(m.string()) });
    await quiet.flush();
    quiet.publish(subject, "own");
    await quiet.flush();
    nc.publish(subject, "other's");
    await nc.flush();
    await quiet.flush();
    assert.deepEqual(got, ["other's"]);
});

test("a verbose and pedantic connection works", async ({ connect }) => {
    const subject = unique("core.");
    const nc = await connect({ verbose: true, pedantic: true });
    const sub = nc.subscribe(subject, { max: 1 });
    nc.publish(subject, "aloud");
    const [m] = await take(sub, 1);
    assert.equal(m.string(), "aloud");
});

test("a message of the largest payload goes through", async ({ nc }) => {
    const subject = unique("core.");
    const sub = nc.subscribe(subject, { max: 1 });
    const body = new Uint8Array(nc.info.max_payload);
    body.forEach((_, i) => { body[i] = i * 31; });
    nc.publish(subject, body);
    const [m] = await take(sub, 1);
    assert.equal(m.data.length, body.length);
    assert.equal(Buffer.compare(m.data, body), 0);
});

test("flush and round-trip time are answered", async ({ nc }) => {
    await nc.flush();
    assert.ok(await nc.rtt() >= 0);
});

test("a client comes back when the server was killed and started again", async ({ connect }) => {
    const subject = unique("core.");
    const nc = await connect({ reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    const sub = nc.subscribe(subject);
    await nc.flush();
    const seen = [];
    const back = (async () => {
        for await (const status of nc.status()) {
            seen.push(status.type);
            if (status.type === "reconnect") {
                break;
            }
        }
    })();
    await server("kill");
    await server("start");
    await back;
    nc.publish(subject, "still here");
    const [m] = await take(sub, 1);
    assert.equal(m.string(), "still here");
    assert.ok(seen.includes("disconnect"), seen.join());
});

test("what streams acknowledged is there after a kill", async ({ js, jsm, stream, nc, connect }) => {
    const { config } = await stream();
    for (let i = 1; i <= 50; i++) {
        await js.publish(`${config.name}.x`, `report ${i}`, { msgID: `id-${i}` });
    }
    await server("restart");
    await until(async () => await nc.rtt().then(() => true, () => false));
    const info = await jsm.streams.info(config.name);
    assert.equal(info.state.messages, 50);
    const stored = await jsm.streams.getMessage(config.name, { seq: 50 });
    assert.equal(stored.string(), "report 50");
    const again = await js.publish(`${config.name}.x`, "report 50", { msgID: "id-50" });
    assert.equal(again.duplicate, true);
    assert.equal(again.seq, 50);
});

await run();
