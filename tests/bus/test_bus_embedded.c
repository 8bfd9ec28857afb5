// SPDX-License-Identifier: Apache-2.0
// What is the embedded bus's own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/bus_embedded.h"
#include "bus_fixture.h"

static void a_store_that_is_not_there_is_told_at_once(void **state)
{
    (void)state;
    char home[TEMPDIR_SIZE];
    struct errinfo err = {.text = ""};
    struct bus *bus = NULL;
    tempdir_make(home);
    struct bus_embedded_options options = {.home = home, .holder = "test"};
    assert_int_equal(bus_embedded_open(&options, &bus, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, home));
    assert_null(bus);
    tempdir_remove(home);
}

static void a_store_that_another_holds_is_busy_and_names_him(void **state)
{
    (void)state;
    char *home = fixture_make_place();
    struct bus *first = fixture_open_place(home);
    struct bus *second = NULL;
    struct errinfo err = {.text = ""};
    struct bus_embedded_options options = {.home = home, .holder = "second", .lock_wait_ms = 1};
    assert_int_equal(bus_embedded_open(&options, &second, &err), STATUS_BUSY);
    assert_non_null(strstr(err.text, "agog test, process"));
    bus_close(first);
    assert_int_equal(bus_embedded_open(&options, &second, &err), STATUS_OK);
    bus_close(second);
    fixture_remove_place(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_is_not_there_is_told_at_once),
        cmocka_unit_test(a_store_that_another_holds_is_busy_and_names_him),
    };
    return cmocka_run_group_tests_name("embedded bus", tests, NULL, NULL);
}
