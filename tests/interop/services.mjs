// SPDX-License-Identifier: Apache-2.0
// Services (micro) of the current JavaScript client.
import { all, assert, load, test, unique } from "./interop.mjs";
import { core, run } from "./modern.mjs";

const { Svcm, ServiceError } = load("@nats-io/services");

async function service(t, options = {}) {
    const made = await new Svcm(t.nc).add({ name: unique("svc"), version: "1.2.3",
        description: "counts", ...options });
    t.after(() => made.stop());
    return made;
}

test("an endpoint answers", async (t) => {
    const made = await service(t);
    const { name } = made.info();
    made.addEndpoint("double", { subject: `${name}.double`,
        handler: (error, m) => m.respond(String(Number(m.string()) * 2)) });
    const answer = await (await t.connect()).request(`${name}.double`, "21");
    assert.equal(answer.string(), "42");
});

test("an endpoint's error has a code and a text", async (t) => {
    const made = await service(t);
    const { name } = made.info();
    made.addEndpoint("fail", { subject: `${name}.fail`,
        handler: (error, m) => m.respondError(422, "cannot count that") });
    const answer = await t.nc.request(`${name}.fail`, "x");
    assert.equal(ServiceError.isServiceError(answer), true);
    const told = ServiceError.toServiceError(answer);
    assert.deepEqual([told.code, told.message], [422, "cannot count that"]);
});

test("groups put their name before the subjects", async (t) => {
    const made = await service(t);
    const group = made.addGroup(unique("group")).addGroup("inner");
    group.addEndpoint("echo", (error, m) => m.respond(m.data));
    const { endpoints } = made.info();
    assert.match(endpoints[0].subject, /^group.*\.inner\.echo$/);
    assert.equal((await t.nc.request(endpoints[0].subject, "hi")).string(), "hi");
});

test("ping, info and stats find all instances", async (t) => {
    const name = unique("svc");
    const made = [await service(t, { name }), await service(t, { name, metadata: { room: "two" } })];
    made.forEach((one) => one.addEndpoint("echo", { subject: `${name}.echo`,
        handler: (error, m) => m.respond(m.data) }));
    const client = new Svcm(await t.connect()).client({ strategy: "count", maxMessages: 2, maxWait: 20000 });
    const ids = made.map((one) => one.info().id).sort();
    const pings = await all(await client.ping(name));
    assert.deepEqual(pings.map((one) => one.id).sort(), ids);
    assert.ok(pings.every((one) => one.version === "1.2.3"));
    const infos = await all(await client.info(name));
    assert.deepEqual(infos.map((one) => one.endpoints[0].subject), [`${name}.echo`, `${name}.echo`]);
    for (let i = 0; i < 50; i++) {
        await t.nc.request(`${name}.echo`, "x");
    }
    const stats = await all(await client.stats(name));
    const counts = stats.map((one) => one.endpoints[0].num_requests);
    assert.equal(counts[0] + counts[1], 50);
});

test("one instance is found by its id", async (t) => {
    const made = await service(t);
    const { name, id } = made.info();
    const client = new Svcm(t.nc).client({ strategy: "count", maxMessages: 1, maxWait: 20000 });
    assert.deepEqual((await all(await client.ping(name, id))).map((one) => one.id), [id]);
});

test("every member of different queues gets a request", async (t) => {
    const name = unique("svc");
    for (const queue of ["q1", "q2"]) {
        const made = await service(t, { name, queue });
        made.addEndpoint("echo", { subject: `${name}.echo`, handler: (error, m) => m.respond(queue) });
    }
    const answers = [];
    for await (const m of await t.nc.requestMany(`${name}.echo`, "", { strategy: "count", maxMessages: 2,
        maxWait: 20000 })) {
        answers.push(m.string());
    }
    assert.deepEqual(answers.sort(), ["q1", "q2"]);
});

test("a stopped service answers no more", async (t) => {
    const made = await service(t);
    const { name } = made.info();
    made.addEndpoint("echo", { subject: `${name}.echo`, handler: (error, m) => m.respond(m.data) });
    assert.equal((await t.nc.request(`${name}.echo`, "hi")).string(), "hi");
    await made.stop();
    await t.nc.flush();
    await assert.rejects(t.nc.request(`${name}.echo`, "hi", { timeout: 20000 }),
        (error) => error instanceof core.errors.RequestError && error.isNoResponders());
});

await run();
