// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crc32c.h"

#include <string.h>

static void the_vectors_of_rfc_3720_come_out(void **state)
{
    (void)state;
    unsigned char data[32];
    memset(data, 0, sizeof data);
    assert_int_equal(crc32c(0, data, sizeof data), 0x8a9136aaU);
    memset(data, 0xff, sizeof data);
    assert_int_equal(crc32c(0, data, sizeof data), 0x62a8ab43U);
    for (unsigned char i = 0; i < 32; i++)
        data[i] = i;
    assert_int_equal(crc32c(0, data, sizeof data), 0x46dd794eU);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283U);
}

static void the_instruction_and_the_table_agree_at_every_length(void **state)
{
    (void)state;
    static unsigned char data[8192];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 2654435761U >> 13);
    for (size_t size = 0; size < sizeof data - 8; size += 1 + size / 97) {
        const unsigned char *from = data + size % 8;
        uint32_t expected = ~crc32c_portable(~0U, from, size);
        assert_int_equal(crc32c(0, from, size), expected);
    }
}

static void a_checksum_can_be_continued(void **state)
{
    (void)state;
    static unsigned char data[7000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 31);
    uint32_t whole = crc32c(0, data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut += 613)
        assert_int_equal(crc32c(crc32c(0, data, cut), data + cut, sizeof data - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_3720_come_out),
        cmocka_unit_test(the_instruction_and_the_table_agree_at_every_length),
        cmocka_unit_test(a_checksum_can_be_continued),
    };
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
