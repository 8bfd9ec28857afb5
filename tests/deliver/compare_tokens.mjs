// SPDX-License-Identifier: Apache-2.0
// Compares token ids with the reference implementation (npm package tiktoken, which is OpenAI's
// Rust code as WebAssembly) on the reports of the corpus, on code points in several surroundings,
// and on seeded random text made to hit the corners of the pattern.
//
//     node compare_tokens.mjs <token-ids program> [corpus directory] [seed] [texts] [stride]
//
// Of the planes above the first two, which are nearly uniform, one code point in `stride` (default
// 61) is compared; 1 compares all of Unicode in half a minute.
// Exits with 77, which the build takes for "skipped", when the package is not installed.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { randomFrom, randomTexts, runOurs } from './ugly_texts.mjs';

const packages = process.env.AGOG_TEST_NPM ?? 'build/npm';
const require = createRequire(resolve(packages, 'package.json'));
const [program, corpus = '', seed = '20250101', texts = '4000', stride = '61'] = process.argv.slice(2);
const BATCH_BYTES = 4 << 20;

function reference() {
    try {
        return require('tiktoken').get_encoding('o200k_base');
    } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND')
            throw error;
        console.log(`skipped: npm package tiktoken is not in ${packages}; tools/install-npm installs it`);
        process.exit(77);
    }
}

function* corpusTexts() {
    if (!existsSync(join(corpus, 'manifest.jsonl'))) {
        console.log(`# no corpus at "${corpus}": only generated texts are compared`);
        return;
    }
    for (const line of readFileSync(join(corpus, 'manifest.jsonl'), 'utf8').trim().split('\n'))
        yield readFileSync(join(corpus, JSON.parse(line).file), 'utf8');
}

// Each class of the pattern has a neighbour here that would swallow, or be swallowed by, the code
// point in the middle.
function* codePoints() {
    for (let code = 0; code < 0x110000; code += code < 0x20000 ? 1 : Number(stride)) {
        if (code >= 0xd800 && code < 0xe000)
            continue;
        const c = String.fromCodePoint(code);
        yield `a${c}b A${c}B ${c}${c}1${c}2\n${c} \n!${c}/\n ${c}!  ${c}a'${c} ${c}A${c}a`;
    }
}

const encoding = reference();
const totals = { texts: 0, tokens: 0, different: 0 };

function compare(name, batch) {
    runOurs(program, [], batch).forEach((ours, i) => {
        const theirs = encoding.encode_ordinary(batch[i]);
        totals.texts++;
        totals.tokens += theirs.length;
        if (ours === theirs.join(' '))
            return;
        totals.different++;
        if (totals.different <= 5)
            console.log(`${name}: ${JSON.stringify(batch[i])}\n  ours   ${ours}\n  theirs ${theirs.join(' ')}`);
    });
}

function compareAll(name, source) {
    let batch = [];
    let size = 0;
    for (const text of source) {
        batch.push(text);
        size += text.length;
        if (size > BATCH_BYTES) {
            compare(name, batch);
            [batch, size] = [[], 0];
        }
    }
    compare(name, batch);
    console.log(`# ${name}: ${totals.texts} texts so far, ${totals.tokens} tokens`);
}

compareAll('corpus', corpusTexts());
compareAll('code points', codePoints());
compareAll(`random, seed ${seed}`, randomTexts(Number(texts), randomFrom(Number(seed))));
console.log(`${totals.texts} texts, ${totals.tokens} tokens, ${totals.different} texts differ`);
process.exit(totals.different === 0 ? 0 : 1);
