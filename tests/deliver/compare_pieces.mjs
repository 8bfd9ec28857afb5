// SPDX-License-Identifier: Apache-2.0
// Compares the scanner of src/deliver/pretoken.c with o200k_base's regular expression itself, run by
// node's engine. Two things are spelt out because JavaScript means something else by them: \s is
// White_Space, and case folds as Unicode says. Random letters come from blocks that no recent
// Unicode version has changed, because node's version need not be ours.
//
//     node compare_pieces.mjs <token-ids program> [seed] [texts]
import { randomFrom, randomTexts, runOurs } from './ugly_texts.mjs';

const [program, seed = '1', texts = '20000'] = process.argv.slice(2);

const HEAD = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const TAIL = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const PREFIX = String.raw`[^\r\n\p{L}\p{N}]?`;
const CONTRACTION = "(?:'(?:[sS\u017ftTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))?";
const SPACE = String.raw`\p{White_Space}`;
const PATTERN = new RegExp([
    `${PREFIX}${HEAD}*${TAIL}+${CONTRACTION}`,
    `${PREFIX}${HEAD}+${TAIL}*${CONTRACTION}`,
    String.raw`\p{N}{1,3}`,
    String.raw` ?[^${SPACE}\p{L}\p{N}]+[\r\n/]*`,
    String.raw`${SPACE}*[\r\n]+`,
    String.raw`${SPACE}+(?!\P{White_Space})`,
    `${SPACE}+`,
].join('|'), 'gu');

// One or two characters of each class, so that short random texts reach every way through.
const ALPHABET = [...'aſZΣʰあ漢\u0301\u093e1٣ \t\u00a0\u3000\u0085\n\r/!\'sSlLrReEtTvVmMdD🎉\ufeff\0'];
const STABLE = [
    [0x20, 0x7e], [0, 0x24f], [0x300, 0x36f], [0x391, 0x3c9], [0x410, 0x44f], [0x5d0, 0x5ea],
    [0x621, 0x64a], [0x904, 0x939], [0x2000, 0x206f], [0x2160, 0x2188], [0x3000, 0x30ff],
    [0x4e00, 0x9fa5], [0xac00, 0xd7a3], [0x1d400, 0x1d454], [0x1f300, 0x1f5ff],
];

function* shortTexts(count, random) {
    for (let i = 0; i < count; i++) {
        let text = '';
        for (let n = Math.floor(random() * 12); n >= 0; n--)
            text += ALPHABET[Math.floor(random() * ALPHABET.length)];
        yield text;
    }
}

const random = randomFrom(Number(seed));
const batch = [...shortTexts(Number(texts) * 20, random), ...randomTexts(Number(texts), random, STABLE)];
let different = 0;
let pieces = 0;
runOurs(program, ['pieces'], batch).forEach((ours, i) => {
    const theirs = [...batch[i].matchAll(PATTERN)].map(([piece]) => Buffer.byteLength(piece));
    pieces += theirs.length;
    if (ours === theirs.join(' ') || ++different > 5)
        return;
    console.log(`${JSON.stringify(batch[i])}\n  ours   ${ours}\n  theirs ${theirs.join(' ')}`);
});
console.log(`seed ${seed}: ${batch.length} texts, ${pieces} pieces, ${different} texts differ`);
process.exit(different === 0 ? 0 : 1);
