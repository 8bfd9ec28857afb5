// SPDX-License-Identifier: Apache-2.0
// A user's NKey. A seed is base32 (RFC 4648, without padding) of two bytes that say what it is for,
// 32 bytes of Ed25519 seed and a CRC-16 (XMODEM, little endian) over both; a public key is base32
// of one byte, 32 bytes of key and the same CRC. The library signs with the seed, but wants to be
// told the public key.
#include "bus/bus_nats_private.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_BYTES = 32,
    SEED_BYTES = 2 + KEY_BYTES + 2,
    PUBLIC_BYTES = 1 + KEY_BYTES + 2,
    SEED_LETTERS = 58,
    PUBLIC_LETTERS = 56,
    PREFIX_SEED = 18 << 3, // "S"
    PREFIX_USER = 20 << 3, // "U"
    FILE_BYTES_MAX = 4096,
};

struct nats_nkey {
    char seed[SEED_LETTERS + 1];
    char public[PUBLIC_LETTERS + 1];
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static uint16_t crc16(const unsigned char *data, size_t size)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc = (uint16_t)(crc ^ (data[i] << 8));
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static bool base32_decode(struct bytes text, unsigned char out[SEED_BYTES])
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t used = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *letter = text.data[i] == '\0' ? NULL : strchr(alphabet, text.data[i]);
        if (letter == NULL)
            return false;
        bits = bits << 5 | (uint32_t)(letter - alphabet);
        held += 5;
        if (held >= 8 && used < SEED_BYTES) {
            held -= 8;
            out[used++] = (unsigned char)(bits >> held & 0xff);
        }
    }
    return used == SEED_BYTES;
}

static void base32_encode(const unsigned char data[PUBLIC_BYTES], char out[PUBLIC_LETTERS + 1])
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t used = 0;
    for (size_t i = 0; i < PUBLIC_BYTES; i++) {
        bits = bits << 8 | data[i];
        held += 8;
        while (held >= 5 && used < PUBLIC_LETTERS) {
            held -= 5;
            out[used++] = alphabet[bits >> held & 31];
        }
    }
    out[used] = '\0';
}

static bool make_public(const unsigned char seed[SEED_BYTES], char out[PUBLIC_LETTERS + 1])
{
    unsigned char raw[PUBLIC_BYTES] = {PREFIX_USER};
    size_t size = KEY_BYTES;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed + 2, KEY_BYTES);
    bool made = key != NULL && EVP_PKEY_get_raw_public_key(key, raw + 1, &size) == 1;
    EVP_PKEY_free(key);
    uint16_t crc = crc16(raw, 1 + KEY_BYTES);
    raw[1 + KEY_BYTES] = (unsigned char)(crc & 0xff);
    raw[2 + KEY_BYTES] = (unsigned char)(crc >> 8);
    if (made)
        base32_encode(raw, out);
    return made;
}

// Takes a text that is a seed.
static bool take_seed(struct bytes text, struct nats_nkey *nkey)
{
    unsigned char raw[SEED_BYTES];
    if (text.size != SEED_LETTERS || !base32_decode(text, raw))
        return false;
    uint16_t crc = crc16(raw, SEED_BYTES - 2);
    bool good = (raw[0] & 0xf8) == PREFIX_SEED &&
                ((raw[0] & 7) << 5 | raw[1] >> 3) == PREFIX_USER &&
                raw[SEED_BYTES - 2] == (crc & 0xff) && raw[SEED_BYTES - 1] == crc >> 8;
    if (good)
        good = make_public(raw, nkey->public);
    if (good)
        snprintf(nkey->seed, sizeof nkey->seed, "%.*s", BYTES_ARG(text));
    OPENSSL_cleanse(raw, sizeof raw);
    return good;
}

// The first line of a file that is a seed; others may be comments or "-----BEGIN ..." marks.
static enum status read_seed(const char *path, struct nats_nkey *nkey, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    char text[FILE_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errinfo_set_errno(err, errno, "cannot read the NKey file %s",
                                 errinfo_quote(bytes_of_string(path), quoted));
    struct bytes rest = {text, fread(text, 1, sizeof text, file)};
    fclose(file);
    bool found = false;
    while (!found && rest.size > 0)
        found = take_seed(bytes_trim(bytes_cut(rest, '\n', &rest)), nkey);
    OPENSSL_cleanse(text, sizeof text);
    return found ? STATUS_OK
                 : errinfo_set(err, STATUS_INVALID, "%s has no seed of a user's NKey (SU...)",
                               errinfo_quote(bytes_of_string(path), quoted));
}

enum status bus_nats_nkey_open(const char *seed_or_path, struct nats_nkey **out,
                               struct errinfo *err)
{
    struct bytes given = bytes_of_string(seed_or_path);
    struct nats_nkey *nkey = calloc(1, sizeof *nkey);
    if (nkey == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the NKey");
    enum status status = STATUS_OK;
    if (!take_seed(given, nkey)) {
        // A mistyped seed must not show up as the name of a file that is not there.
        bool like_seed = bytes_start_with(given, BYTES("SU")) && given.size >= SEED_LETTERS - 2 &&
                         bytes_find_byte(given, '/') == SIZE_MAX;
        status = like_seed ? errinfo_set(err, STATUS_INVALID,
                                         "the NKey is no seed of a user: its "
                                         "checksum is wrong")
                           : read_seed(seed_or_path, nkey, err);
    }
    if (status == STATUS_OK)
        *out = nkey;
    else
        bus_nats_nkey_close(nkey);
    return status;
}

const char *bus_nats_nkey_public(const struct nats_nkey *nkey)
{
    return nkey->public;
}

const char *bus_nats_nkey_seed(const struct nats_nkey *nkey)
{
    return nkey->seed;
}

void bus_nats_nkey_close(struct nats_nkey *nkey)
{
    if (nkey == NULL)
        return;
    OPENSSL_cleanse(nkey, sizeof *nkey);
    free(nkey);
}
