// SPDX-License-Identifier: Apache-2.0
// What compare_tokens.mjs and compare_pieces.mjs share: seeded ugly texts, and a run of token-ids.
import { spawnSync } from 'node:child_process';

// mulberry32: small, seeded, and good enough to pick characters.
export function randomFrom(state) {
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

// A line of numbers for each text.
export function runOurs(program, mode, batch) {
    const input = Buffer.concat(batch.flatMap((text) => {
        const bytes = Buffer.from(text);
        const size = Buffer.alloc(4);
        size.writeUInt32LE(bytes.length);
        return [size, bytes];
    }));
    const run = spawnSync(program, mode, { input, maxBuffer: 1 << 30 });
    if (run.status !== 0)
        throw new Error(`${program}: ${run.stderr}`);
    return run.stdout.toString().split('\n').slice(0, -1);
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

export function* randomTexts(count, random, ranges = RANGES) {
    const below = (n) => Math.floor(random() * n);
    const pick = (list) => list[below(list.length)];
    const letter = () => {
        const [from, to] = pick(ranges);
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
