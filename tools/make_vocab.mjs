// SPDX-License-Identifier: Apache-2.0
// Makes data/o200k_base.vocab from the ranks in the npm package tiktoken. The format is described
// in data/README.md and read by src/deliver/vocab.c.
//
//     tools/install-npm build && node tools/make_vocab.mjs build/npm data/o200k_base.vocab
//
// The result depends on nothing but the ranks: two runs give the same bytes.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [packages, output] = process.argv.slice(2);
const require = createRequire(resolve(packages, 'package.json'));

// The digest of the vocabulary in its published form: a line "<base64> <rank>" a token.
const PUBLISHED_SHA256 = '446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d';

const BUCKETS = 32768;
const SLOTS = 212000;
const REACH = 32768;
const BLOCK = 16; // tokens that share one base offset
const REACH_LEVELS = [3, 16, 32, 64, 129]; // the last is one more than the longest token
const HEADER_SIZE = 64;

function readTokens() {
    const packed = require('tiktoken/encoders/o200k_base.json').bpe_ranks;
    const tokens = [];
    for (const line of packed.split('\n')) {
        const [, first, ...words] = line.split(' ');
        words.forEach((word, i) => {
            tokens[Number(first) + i] = Buffer.from(word, 'base64');
        });
    }
    const published = createHash('sha256');
    tokens.forEach((token, rank) => published.update(`${token.toString('base64')} ${rank}\n`));
    if (published.digest('hex') !== PUBLISHED_SHA256)
        throw new Error('these are not the published o200k_base ranks');
    return tokens;
}

// Must be the function of the same name in src/deliver/vocab.c.
const MASK = (1n << 64n) - 1n;
function vocabHash(bytes, size = bytes.length) {
    let hash = (BigInt(size) * 0x9e3779b97f4a7c15n) & MASK;
    for (let at = 0; at < size; at += 8) {
        let word = 0n;
        for (let i = Math.min(size, at + 8) - 1; i >= at; i--)
            word = (word << 8n) | BigInt(bytes[i]);
        hash = ((hash ^ word) * 0xd6e8feb86659fd93n) & MASK;
        hash ^= hash >> 32n;
    }
    hash = (hash * 0xff51afd7ed558ccdn) & MASK;
    return hash ^ (hash >> 29n);
}

function slotOf(high, pilot) {
    const mixed = Math.imul(high ^ Math.imul(pilot, 0x9e3779b1), 0x85ebca6b) >>> 0;
    return Math.floor((mixed * SLOTS) / 0x100000000);
}

// Finds for each bucket a pilot which sends all its tokens to free slots, fullest buckets first.
function placeTokens(tokens) {
    const buckets = Array.from({ length: BUCKETS }, () => []);
    tokens.forEach((token, rank) => {
        const hash = vocabHash(token);
        buckets[Number(hash & BigInt(BUCKETS - 1))].push({
            rank,
            high: Number(hash >> 32n),
            mark: Number((hash >> 16n) & 63n),
        });
    });
    const pilots = new Uint16Array(BUCKETS);
    const slots = new Array(SLOTS);
    const order = buckets.map((_, i) => i).sort((a, b) => buckets[b].length - buckets[a].length);
    for (const bucket of order) {
        const keys = buckets[bucket];
        let pilot = 0;
        for (;; pilot++) {
            if (pilot > 0xffff)
                throw new Error(`no pilot for bucket ${bucket}`);
            const places = keys.map((key) => slotOf(key.high, pilot));
            if (places.every((p) => slots[p] === undefined) && new Set(places).size === keys.length) {
                places.forEach((p, i) => { slots[p] = keys[i]; });
                break;
            }
        }
        pilots[bucket] = pilot;
    }
    return { pilots, slots };
}

// How merging builds each token from its own bytes: the size of the left one of the last two
// parts, 0 for a single byte. Merging must end in the token itself, which the encoder relies on.
function splitTokens(tokens) {
    const ranks = new Map(tokens.map((token, rank) => [token.toString('latin1'), rank]));
    return tokens.map((token) => {
        const text = token.toString('latin1');
        let parts = [...text];
        let left = 0;
        while (parts.length > 1) {
            let best = -1;
            let bestRank = Infinity;
            for (let i = 0; i + 1 < parts.length; i++) {
                const rank = ranks.get(parts[i] + parts[i + 1]);
                if (rank !== undefined && rank < bestRank)
                    [best, bestRank] = [i, rank];
            }
            if (best < 0)
                throw new Error(`merging never builds ${JSON.stringify(text)}`);
            left = parts[0].length;
            parts.splice(best, 2, parts[best] + parts[best + 1]);
        }
        return left;
    });
}

// Bounds the search for the longest token at a place: see data/README.md.
function reachTable(tokens) {
    const reach = new Uint8Array(REACH);
    for (const token of tokens) {
        for (let i = 0; i + 1 < REACH_LEVELS.length; i++) {
            const [level, next] = [REACH_LEVELS[i], REACH_LEVELS[i + 1]];
            if (token.length < level)
                break;
            const at = Number((vocabHash(token, level) >> 17n) & BigInt(REACH - 1));
            reach[at] = Math.max(reach[at], Math.min(token.length, next));
        }
    }
    return reach;
}

function build(tokens) {
    const { pilots, slots } = placeTokens(tokens);
    const blocks = Math.ceil(tokens.length / BLOCK);
    const bytes = Buffer.concat(tokens);
    const sections = [
        BUCKETS * 2, SLOTS * 3 + 1, blocks * 4, blocks * BLOCK, tokens.length, REACH, bytes.length,
    ];
    const offsets = [];
    let size = HEADER_SIZE;
    for (const section of sections) {
        size = Math.ceil(size / 8) * 8;
        offsets.push(size);
        size += section;
    }
    const out = Buffer.alloc(size);
    out.write('agogvoc1', 0, 'latin1');
    [tokens.length, BUCKETS, SLOTS, REACH, size, ...offsets].forEach((value, i) => {
        out.writeUInt32LE(value, 8 + i * 4);
    });
    const [pilotsAt, slotsAt, basesAt, lengthsAt, splitsAt, reachAt, bytesAt] = offsets;
    pilots.forEach((pilot, i) => out.writeUInt16LE(pilot, pilotsAt + i * 2));
    for (let i = 0; i < SLOTS; i++) {
        // An empty slot names rank 0 under a mark of its own kind: the bytes then never agree.
        const slot = slots[i] ?? { rank: 0, mark: 0 };
        out.writeUIntLE(slot.rank * 64 + slot.mark, slotsAt + i * 3, 3);
    }
    let at = 0;
    tokens.forEach((token, rank) => {
        if (rank % BLOCK === 0)
            out.writeUInt32LE(at, basesAt + (rank / BLOCK) * 4);
        out[lengthsAt + rank] = token.length;
        at += token.length;
    });
    splitTokens(tokens).forEach((left, rank) => { out[splitsAt + rank] = left; });
    Buffer.from(reachTable(tokens)).copy(out, reachAt);
    bytes.copy(out, bytesAt);
    return out;
}

const out = build(readTokens());
writeFileSync(output, out);
console.log(`${out.length} bytes, sha256 ${createHash('sha256').update(out).digest('hex')}`);
const names = ['PILOTS', 'SLOTS', 'BASES', 'LENGTHS', 'SPLITS', 'REACH', 'BYTES'];
names.forEach((name, i) => console.log(`VOCAB_${name}_AT = ${out.readUInt32LE(28 + i * 4)}`));
