// SPDX-License-Identifier: Apache-2.0
// The current JavaScript client (@nats-io/*) for the cases: a connection of its own for each, and
// streams that are gone after it.
import { load, main, unique, url } from "./interop.mjs";

export const core = load("@nats-io/transport-node");
export const jetstream = load("@nats-io/jetstream");

/** Gives each case a connection, JetStream, its manager, and what makes a stream for it. */
async function context(t) {
    t.connect = async (options = {}) => {
        const made = await core.connect({ servers: url, ...options });
        t.after(() => made.close());
        return made;
    };
    t.nc = await t.connect();
    t.js = jetstream.jetstream(t.nc);
    t.jsm = await jetstream.jetstreamManager(t.nc, { checkAPI: false });
    t.stream = async (options = {}) => {
        const name = options.name ?? unique("S");
        t.after(() => t.jsm.streams.delete(name));
        const subjects = options.mirror || options.sources ? {} : { subjects: [`${name}.>`] };
        return await t.jsm.streams.add({ name, ...subjects, ...options });
    };
    // A stream whose messages are on the subjects given, "<name>.<subject>", with bodies m1, m2, …
    t.filled = async (subjects, options = {}) => {
        const { config } = await t.stream(options);
        for (const [index, subject] of subjects.entries()) {
            await t.js.publish(`${config.name}.${subject}`, `m${index + 1}`);
        }
        return config.name;
    };
}

export async function run() {
    const nc = await core.connect({ servers: url });
    const { version } = nc.info;
    await nc.close();
    await main(version, context);
}
