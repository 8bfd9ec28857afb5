// SPDX-License-Identifier: Apache-2.0
// What the test programs of clients share: cases reported as TAP, packages from the pinned list,
// and a word to the driver that owns the server.
//
// A program is given the server's URL. A case belongs to the server releases that have its feature:
// on an older one it skips itself, so that the same program runs against agog and against whatever
// nats-server the machine has.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The client asks for it by its global name, which Debian 12's Node 18 does not have.
globalThis.crypto ??= webcrypto;

export const url = process.argv[2];
const require = createRequire(`${process.env.AGOG_TEST_NPM}/`);
const cases = [];
const CASE_MS = 30000;
let made = 0;
let answers = null;

export { assert };

/** A package of the pinned list. */
export const load = (name) => require(name);

/**
 * A case; `since` is the first release of nats-server that can do it, `only` the one server that
 * promises it.
 */
export function test(name, ...rest) {
    const options = rest.length > 1 ? rest[0] : {};
    cases.push({ name, since: options.since ?? "2.9.0", only: options.only, run: rest.at(-1) });
}

/** A name that no other case uses. */
export const unique = (prefix) => `${prefix}${process.pid}x${++made}`;

export const text = (data) => new TextDecoder().decode(data);
export const millis = (n) => n * 1000000;

/** Everything that an iterator gives; its end must come. */
export async function all(iterator, pick = (item) => item) {
    const items = [];
    for await (const item of iterator) {
        items.push(pick(item));
    }
    return items;
}

/** The first `count` that an iterator gives. */
export async function take(iterator, count, pick = (item) => item) {
    const items = [];
    for await (const item of iterator) {
        items.push(pick(item));
        if (items.length === count) {
            break;
        }
    }
    return items;
}

/** Looks again until it holds, or the case's time is over. */
export async function until(look) {
    for (;;) {
        const found = await look();
        if (found) {
            return found;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

/** Has the driver do something with the server: "kill" and "start" (same port), or "restart". */
export async function server(word) {
    answers ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    process.stdout.write(`!server ${word}\n`);
    const { value } = await answers.next();
    assert.equal(value, "done");
}

/** Whether release `have` has what came with `since`. */
function reaches(have, since) {
    const parts = (version) => version.split(/[.-]/).slice(0, 3).map(Number);
    const [left, right] = [parts(have), parts(since)];
    for (let i = 0; i < 3; i++) {
        if ((left[i] ?? 0) !== (right[i] ?? 0)) {
            return (left[i] ?? 0) > (right[i] ?? 0);
        }
    }
    return true;
}

async function within(promise) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error("the case did not end in its time")), CASE_MS);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

function explain(error) {
    const said = error?.stack ?? String(error);
    for (const line of said.split("\n")) {
        process.stdout.write(`# ${line}\n`);
    }
}

/** Runs the cases in order. `context(t)` fills what each of them is given; `t.after` cleans up. */
export async function main(version, context) {
    const chosen = process.env.AGOG_TEST_CASE;
    const here = process.env.AGOG_TEST_SERVER_NAME;
    process.stdout.write(`1..${cases.length}\n`);
    let failed = 0;
    for (const [index, { name, since, only, run }] of cases.entries()) {
        const number = index + 1;
        if (!reaches(version, since) || (only && only !== here)) {
            process.stdout.write(`ok ${number} - ${name} # SKIP the server is ${here} ${version}\n`);
            continue;
        }
        if (chosen && !name.includes(chosen)) {
            process.stdout.write(`ok ${number} - ${name} # SKIP not chosen\n`);
            continue;
        }
        const cleaners = [];
        const t = { after: (clean) => cleaners.unshift(clean) };
        let problem = null;
        try {
            await within((async () => {
                await context(t);
                await run(t);
            })());
        } catch (error) {
            problem = error;
        }
        for (const clean of cleaners) {
            await within(clean()).catch(() => {});
        }
        process.stdout.write(`${problem ? "not ok" : "ok"} ${number} - ${name}\n`);
        if (problem) {
            failed++;
            explain(problem);
        }
    }
    process.exit(failed ? 1 : 0);
}
