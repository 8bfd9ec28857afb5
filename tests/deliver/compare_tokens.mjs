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
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

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

// mulberry32: small, seeded, and good enough to pick characters.
function randomFrom(state) {
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

function encodeOurs(batch) {
    const input = Buffer.concat(batch.flatMap((text) => {
        const bytes = Buffer.from(text);
        const size = Buffer.alloc(4);
        size.writeUInt32LE(bytes.length);
        return [size, bytes];
    }));
    const run = spawnSync(program, { input, maxBuffer: 1 << 30 });
    if (run.status !== 0)
        throw new Error(`${program}: ${run.stderr}`);
    return run.stdout.toString().split('\n').slice(0, -1);
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

const WORDS = [
    "don't", "I'LL", "we'VE", "it's", "it'S", "it'\u017f", "'\u017f", "x'Re", "'d'D", "y'l", "z'v",
    'HTMLParser', 'camelCase', 'ΑΒΓαβγ', 'ǅungla', 'ʰʲ', 'ªº', 'あいう', '漢字仮名', '한국어', 'नमस्ते',
    'e\u0301', '\u0301', '\u0301AB', ' \u0301AB', '\u20dd', '👩‍👩‍👧‍👦', '🇩🇪', '☺️', '123456', '٣٤٥٦', 'Ⅻ', '²³', '𝟘𝟙',
    '...', '//', '/\n/', '!?\r\n', '<|endoftext|>', '<|endofprompt|>', '```', '----', '====', '||', '\u0000',
    ' ', '  ', '    ', '\t', '\n', '\r\n', '\r', '\u000b', '\u000c', '\u0085', '\u00a0', '\u1680',
    '\u2028', '\u2029', '\u202f', '\u3000', '\ufeff', '\u200b', '\u180e', '\u2003', '\u{1d7ff}',
    '\u0378', '\u{e0001}', '\u{10ffff}', '\ufffd', '\ue000', '\ufdd0', '\u{1e900}', '\u{10d4a}', 'a', 'A', 'あ',
];
// Blocks with dense and mixed classes, and the whole of Unicode.
const RANGES = [
    [0x20, 0x7e], [0, 0x2ff], [0x300, 0x5ff], [0x900, 0xdff], [0x1c80, 0x1fff], [0x2000, 0x2bff],
    [0x3000, 0x33ff], [0x4e00, 0x9fff], [0xa640, 0xabff], [0xac00, 0xd7a3], [0xf900, 0xffff],
    [0x10000, 0x11fff], [0x16a00, 0x1efff], [0x1f000, 0x1faff], [0x20000, 0x3ffff], [0, 0x10ffff],
];

function* randomTexts(count, random) {
    const below = (n) => Math.floor(random() * n);
    const pick = (list) => list[below(list.length)];
    const letter = () => {
        const [from, to] = pick(RANGES);
        const code = from + below(to - from + 1);
        return code >= 0xd800 && code < 0xe000 ? 'x' : String.fromCodePoint(code);
    };
    const makers = [
        () => pick(WORDS),
        letter,
        () => letter().repeat(1 + below(random() < 0.1 ? 400 : 8)),
        () => pick(WORDS).repeat(1 + below(random() < 0.1 ? 200 : 4)),
        () => String.fromCharCode(97 + below(26)),
        () => String.fromCharCode(65 + below(26)),
    ];
    for (let i = 0; i < count; i++) {
        const parts = [];
        const own = random() < 0.5 ? [pick(makers), pick(makers)] : makers;
        for (let n = below(random() < 0.05 ? 1500 : 60); n >= 0; n--)
            parts.push(pick(own)());
        yield parts.join('');
    }
}

const encoding = reference();
const totals = { texts: 0, tokens: 0, different: 0 };

function compare(name, batch) {
    encodeOurs(batch).forEach((ours, i) => {
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
