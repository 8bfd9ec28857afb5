// SPDX-License-Identifier: Apache-2.0
// The first system, anew: what its own test did, and what went wrong with it where a server has a
// part in it.
import { all, assert, server, take, test, unique, until, url, main } from "./interop.mjs";
import { channel, FirstClient, nats, streamOf } from "./first_client.mjs";

const RESEARCH = "# Customer search\n\n## Summary\n\nTrigram indexes fit.\n\n" +
    "| column | \"type\" |\n|---|---|\n| name | text |\n".repeat(40);
const report = (agent, taskType, featureName, reportContent) =>
    ({ agent, taskType, featureName, reportContent });

async function context(t) {
    t.client = await FirstClient.connect(url);
    t.after(() => t.client.nc.close());
    await t.client.initialize();
    t.feature = unique("REQ-STRATEGIC-AUTO-");
}

test("six streams have the limits that were promised", async ({ client }) => {
    for (const agent of ["cynthia", "sylvia", "roy", "jen", "billy", "priya"]) {
        const { config } = await client.jsm.streams.info(streamOf(agent));
        assert.deepEqual(config.subjects, [`agog.deliverables.${agent}.>`]);
        assert.deepEqual([config.storage, config.retention, config.discard], ["file", "limits", "old"]);
        assert.deepEqual([config.max_msgs, config.max_bytes, config.max_msg_size], [10000, 1024 ** 3, 10485760]);
        assert.deepEqual([config.max_age, config.duplicate_window], [7 * 24 * 3600 * 1e9, 120 * 1e9]);
    }
});

test("initializing again changes nothing", async ({ client }) => {
    const before = await client.jsm.streams.info("agog_features_research");
    await client.initialize();
    const after = await client.jsm.streams.info("agog_features_research");
    assert.deepEqual(after.config, before.config);
    assert.equal(after.created, before.created);
});

test("a report's id is its stream and sequence, and it comes back", async ({ client, feature }) => {
    const id = await client.publishReport(report("cynthia", "research", feature, RESEARCH));
    assert.match(id, /^agog_features_research\.\d+$/);
    const found = await client.fetchReport({ agent: "cynthia", taskType: "research", featureName: feature });
    assert.equal(found.content, RESEARCH);
    assert.equal(found.metadata.feature, feature);
    assert.equal(`agog_features_research.${found.sequence}`, id);
});

test("the newest of several reports is fetched", async ({ client, feature }) => {
    for (const text of ["first", "second", "third"]) {
        await client.publishReport(report("roy", "backend", feature, text));
    }
    const found = await client.fetchReport({ agent: "roy", taskType: "backend", featureName: feature });
    assert.equal(found.content, "third");
});

test("a report that is missing is null, and an agent that is unknown an error", async ({ client, feature }) => {
    assert.equal(await client.fetchReport({ agent: "jen", taskType: "frontend", featureName: feature }), null);
    await assert.rejects(client.fetchReport({ agent: "nobody", taskType: "x", featureName: feature }),
        /Unknown agent/);
});

test("statuses count what is stored", async ({ client, feature }) => {
    const pick = async () => (await client.statuses()).find((one) => one.name === "agog_features_qa");
    const before = await pick();
    await client.publishReport(report("billy", "qa", feature, "passed"));
    const after = await pick();
    assert.equal(after.messages, before.messages + 1);
    assert.equal(after.last_seq, before.last_seq + 1);
    assert.ok(after.bytes > before.bytes);
    assert.equal(after.consumer_count, 0);
    assert.ok((await client.statuses()).length >= 6);
});

test("three agents hand a feature on by notices", async ({ client, feature }) => {
    const said = [];
    const hand = async (agent, taskType, text) => {
        await client.publishReport(report(agent, taskType, feature, text));
        said.push(client.notice(agent, feature, channel(agent, taskType, feature), `${taskType} is done`));
    };
    const fetch = async (notice) => {
        const [, , agent, taskType, featureName] = notice.nats_channel.split(".");
        return (await client.fetchReport({ agent, taskType, featureName })).content;
    };
    await hand("cynthia", "research", RESEARCH);
    await hand("sylvia", "critique", `On: ${(await fetch(said[0])).length} characters. Approved.`);
    const [research, critique] = [await fetch(said[0]), await fetch(said[1])];
    assert.equal(research, RESEARCH);
    assert.match(critique, /^On: \d+ characters/);
    await hand("roy", "backend", `Built on ${research.length + critique.length} characters.`);
    assert.match(await fetch(said[2]), /^Built on/);
    assert.ok(JSON.stringify(said[0]).length < research.length / 4);
});

test("its reports are there after a kill, and its client comes back", { only: "agog" }, async ({ client, feature }) => {
    await client.publishReport(report("priya", "statistics", feature, RESEARCH));
    await server("restart");
    await until(() => client.nc.rtt().then(() => true, () => false));
    const found = await client.fetchReport({ agent: "priya", taskType: "statistics", featureName: feature });
    assert.equal(found.content, RESEARCH);
    assert.match(await client.publishReport(report("priya", "statistics", feature, "more")), /statistics\.\d+$/);
});

test("without a server connecting is refused at once", async () => {
    await server("kill");
    await assert.rejects(nats.connect({ servers: url, reconnect: false }),
        (error) => error.code === "CONNECTION_REFUSED");
    await server("start");
});

test("a subject that no stream has is told as no responders", async ({ client }) => {
    await assert.rejects(client.js.publish("agog.deliverables.liz.qa-frontend.x", "", { timeout: 20000 }),
        (error) => error.code === "503");
});

test("the same report three times is three messages, with an id it is one", async ({ client, feature }) => {
    const one = report("sylvia", "critique", feature, "again and again");
    const ids = [];
    for (let i = 0; i < 3; i++) {
        ids.push(await client.publishReport(one));
    }
    assert.equal(new Set(ids).size, 3);
    const keyed = [];
    for (let i = 0; i < 3; i++) {
        keyed.push(await client.publishReport(one, { msgID: feature }));
    }
    assert.equal(new Set(keyed).size, 1);
});

test("a report of nine megabytes is stored and fetched", async ({ client, feature }) => {
    const text = "0123456789abcde\n".repeat(9 * 1024 * 1024 / 16 - 4096);
    await client.publishReport(report("cynthia", "research", feature, text), { timeout: 20000 });
    const found = await client.fetchReport({ agent: "cynthia", taskType: "research", featureName: feature });
    assert.equal(found.content, text);
});

test("a report above the stream's ten megabytes is refused by name", async ({ client, feature }) => {
    const text = "x".repeat(10485760);
    await assert.rejects(client.publishReport(report("cynthia", "research", feature, text), { timeout: 20000 }),
        (error) => error.api_error?.err_code === 10054);
    assert.equal(client.nc.isClosed(), false);
});

test("names with slashes, capitals, other scripts and hundreds of letters are stored", async ({ client }) => {
    for (const name of ["a/b", "REQ-ITEM-5ue3z", "Größe-✓", "x".repeat(900), "dotted.name"]) {
        const featureName = `${unique("n")}${name}`;
        await client.publishReport(report("jen", "frontend", featureName, name));
        const found = await client.fetchReport({ agent: "jen", taskType: "frontend", featureName });
        assert.equal(found.content, name);
    }
});

test("a name with a space is no subject, and stores nothing", async ({ client, feature }) => {
    const before = (await client.jsm.streams.info("agog_features_frontend")).state.messages;
    await assert.rejects(client.publishReport(report("jen", "frontend", `two words ${feature}`, "x"),
        { timeout: 2000 }));
    await until(() => client.nc.rtt().then(() => true, () => false));
    assert.equal((await client.jsm.streams.info("agog_features_frontend")).state.messages, before);
});

test("an empty token is no subject of a stream", async ({ client }) => {
    for (const name of ["", ".leading", "trailing.", "double..dot"]) {
        await assert.rejects(client.publishReport(report("jen", "frontend", name, "x"), { timeout: 2000 }),
            name);
    }
});

test("the last of a pattern is another feature's report", async ({ client, feature }) => {
    await client.publishReport(report("roy", "backend", feature, "of one feature"));
    const found = await client.fetchReport({ agent: "roy", taskType: "backend", featureName: "*" });
    assert.equal(found.metadata.feature, feature);
});

test("who subscribes after a report was published hears nothing; who looks first has it", async (t) => {
    const { client, feature } = t;
    const subject = channel("billy", "qa", feature);
    const id = await client.publishReport(report("billy", "qa", feature, "early"));
    const late = client.nc.subscribe(subject);
    await client.nc.flush();
    assert.equal(late.getReceived(), 0);
    const consumer = await client.js.consumers.get("agog_features_qa",
        { filterSubjects: subject, opt_start_seq: Number(id.split(".")[1]), deliver_policy: "by_start_sequence" });
    const messages = await consumer.consume();
    const reading = take(messages, 2, (m) => m.json().content);
    await client.publishReport(report("billy", "qa", feature, "later"));
    assert.deepEqual(await reading, ["early", "later"]);
});

test("a subscription to an agent's stream replays it and follows, by type too", async ({ client, feature }) => {
    const texts = ["one", "two"];
    for (const text of texts) {
        await client.publishReport(report("sylvia", "critique", feature, text));
        await client.publishReport(report("sylvia", "other", feature, `not ${text}`));
    }
    const consumer = await client.js.consumers.get("agog_features_critique",
        { filterSubjects: channel("sylvia", "critique", feature) });
    const got = take(await consumer.consume(), 3, (m) => m.json().content);
    await client.publishReport(report("sylvia", "critique", feature, "three"));
    assert.deepEqual(await got, ["one", "two", "three"]);
});

test("statuses count consumers", async ({ client }) => {
    const name = unique("c");
    await client.jsm.consumers.add("agog_features_backend", { durable_name: name, ack_policy: "explicit" });
    const status = (await client.statuses()).find((one) => one.name === "agog_features_backend");
    assert.equal(status.consumer_count, 1);
    await client.jsm.consumers.delete("agog_features_backend", name);
});

test("a stream of the same name with other subjects is refused, and can be repaired", async (t) => {
    const { client } = t;
    const name = unique("agog_features_");
    t.after(() => client.jsm.streams.delete(name));
    await client.jsm.streams.add({ name, subjects: [`${name}.features.*`] });
    const wanted = { name, subjects: [`${name}.deliverables.>`] };
    await assert.rejects(client.jsm.streams.add(wanted), (error) => error.api_error.err_code === 10058);
    const { config } = await client.jsm.streams.update(name, wanted);
    assert.deepEqual(config.subjects, wanted.subjects);
});

test("work that is pulled one at a time and kept alive is done once", async (t) => {
    const { client } = t;
    const name = unique("agog_events_");
    t.after(() => client.jsm.streams.delete(name));
    await client.jsm.streams.add({ name, subjects: [`${name}.>`] });
    await client.jsm.consumers.add(name, { durable_name: "spawner", ack_policy: "explicit",
        ack_wait: nats.nanos(400), max_ack_pending: 1 });
    for (const feature of ["REQ-1", "REQ-2", "REQ-3"]) {
        await client.js.publish(`${name}.stage.started`, feature);
    }
    const consumer = await client.js.consumers.get(name, "spawner");
    const spawned = [];
    while (spawned.length < 3) {
        const m = await consumer.next({ expires: 5000 });
        spawned.push([m.string(), m.info.redeliveryCount]);
        const end = Date.now() + 900;
        while (Date.now() < end) {
            m.working();
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.equal(await m.ackAck(), true);
    }
    assert.deepEqual(spawned.map(([feature]) => feature), ["REQ-1", "REQ-2", "REQ-3"]);
    assert.equal((await client.jsm.consumers.info(name, "spawner")).num_pending, 0);
});

test("work whose agent died comes back to the next", async (t) => {
    const { client } = t;
    const name = unique("agog_events_");
    t.after(() => client.jsm.streams.delete(name));
    await client.jsm.streams.add({ name, subjects: [`${name}.>`] });
    await client.jsm.consumers.add(name, { durable_name: "spawner", ack_policy: "explicit",
        ack_wait: nats.nanos(300) });
    await client.js.publish(`${name}.stage.started`, "REQ-1");
    const first = await FirstClient.connect(url);
    const taken = await (await first.js.consumers.get(name, "spawner")).next();
    assert.equal(taken.string(), "REQ-1");
    await first.nc.close();
    const again = await (await client.js.consumers.get(name, "spawner")).next({ expires: 10000 });
    assert.deepEqual([again.string(), again.redelivered], ["REQ-1", true]);
});

test("of two instances that claim a task one has it", async (t) => {
    const { client } = t;
    const name = unique("agog_claims_");
    t.after(() => client.jsm.streams.delete(name));
    await client.jsm.streams.add({ name, subjects: [`${name}.>`] });
    const second = await FirstClient.connect(url);
    t.after(() => second.nc.close());
    const claim = (one, who) => one.js.publish(`${name}.REQ-1`, who, { expect: { lastSubjectSequence: 0 } });
    const results = await Promise.allSettled([claim(client, "one"), claim(second, "two")]);
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
    const lost = results.find((result) => result.status === "rejected");
    assert.equal(lost.reason.api_error.err_code, 10071);
});

test("state is asked by request and reply", async ({ client, feature }) => {
    const codec = nats.JSONCodec();
    const subject = `agog.workflows.state.${feature}`;
    await assert.rejects(client.nc.request(subject, "", { timeout: 20000 }), (error) => error.code === "503");
    const sub = client.nc.subscribe(subject, { max: 1 });
    (async () => {
        for await (const m of sub) {
            m.respond(codec.encode({ req: feature, status: "running" }));
        }
    })();
    const answer = await client.nc.request(subject, "", { timeout: 5000 });
    assert.deepEqual(codec.decode(answer.data), { req: feature, status: "running" });
});

test("its key-value buckets and list of streams work", async (t) => {
    const bucket = unique("kv");
    const kv = await t.client.js.views.kv(bucket);
    t.after(() => kv.destroy());
    await kv.put("agent.roy", "busy");
    assert.equal((await kv.get("agent.roy")).string(), "busy");
    assert.deepEqual(await all(await kv.keys()), ["agent.roy"]);
    const names = await all(t.client.jsm.streams.names());
    assert.ok(names.includes(`KV_${bucket}`) && names.includes("agog_features_research"));
});

const probe = await nats.connect({ servers: url });
const { version } = probe.info;
await probe.close();
await main(version, context);
