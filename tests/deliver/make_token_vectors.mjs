// SPDX-License-Identifier: Apache-2.0
// Makes tests/deliver/token_vectors.h: ids of ugly strings by the reference implementation (npm
// package tiktoken), for the machines that have no npm.
//
//     tools/install-npm build
//     node tests/deliver/make_token_vectors.mjs build/npm tests/deliver/token_vectors.h
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [packages, output] = process.argv.slice(2);
const encoding = createRequire(resolve(packages, 'package.json'))('tiktoken').get_encoding('o200k_base');

const TEXTS = [
    'hello world',
    'The quick brown fox\njumps over\r\nthe lazy dog.',
    "don't I'LL we'VE it'S y'l 'tis o'clock",
    "it'\u017f 'd'D",
    '<|endoftext|><|endofprompt|>',
    'HTMLParser camelCase SHOUTING iPhone',
    '  two  three   four    ',
    ' \t\n \r\n\n  x',
    '\n\n\n\n   ',
    '\u0085\u00a0\u2028\u3000x\u2003\u2003y\ufeff',
    '\u0000\u0001\u0000',
    '1234567 3.14159 1,000,000',
    '\u0663\u0664\u0665\u0666 Ⅻ ½²³ 𝟘𝟙𝟚𝟛',
    '漢字かな交じり文、テスト。',
    '한국어 텍스트 नमस्ते สวัสดี',
    'あいABC あいABc',
    'e\u0301 \u0301AB \u0301ab !\u20dd',
    '👩‍👩‍👧‍👦 🇩🇪🇫🇷 ☺️ 🎯',
    'ǅungla ʰʲ ªº Straße ΑΒΓαβγ',
    '| a | b |\n|---|:-:|\n| `x` | **y** |\n',
    '```c\n#include <stdio.h>\nint main(void) { return 0; }\n```\n',
    '//\n/!/\n\r/ ----------------------------------------x',
    'https://example.com/a?b=c&d=%20#frag',
    'REQ-STRATEGIC-AUTO-1766527796497-SUB2-1735377300000',
    '\u0378\u{e0001}\u{10ffff}\u{1e900}\u{10d4a}\ue000',
    'a'.repeat(200),
    ' '.repeat(300) + 'x',
    '='.repeat(150) + '!',
    'zxqjv'.repeat(50),
    '-'.repeat(260) + '='.repeat(100) + '-'.repeat(90),
    '#'.repeat(100) + '*'.repeat(77) + '\n'.repeat(9),
];

function literal(text) {
    let out = '';
    for (const byte of Buffer.from(text)) {
        const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
        out += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
    }
    return out.match(/(?:\\[0-7]{3}|[^\\]){1,20}/g).map((line) => `"${line}"`).join(' ');
}

const rows = TEXTS.map((text) => {
    const ids = encoding.encode_ordinary(text);
    return `    {{${literal(text)}, ${Buffer.byteLength(text)}}, ${ids.length}, (const uint32_t[]){${[...ids].join(', ')}}},`;
});
writeFileSync(output, `// SPDX-License-Identifier: Apache-2.0
// Made by make_token_vectors.mjs from the reference implementation: do not edit.
#pragma once

#include "base/bytes.h"

struct token_vector {
    struct bytes text;
    size_t count;
    const uint32_t *ids;
};

static const struct token_vector token_vectors[] = {
${rows.join('\n')}
};
`);
