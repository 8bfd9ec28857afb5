// SPDX-License-Identifier: Apache-2.0
// The public header on a NATS server.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../bus/nats_fixture.h"
#include "agog.h"

static void a_report_is_published_and_fetched_on_a_server_that_wants_a_password(void **state)
{
    (void)state;
    struct nats_place *place = nats_make_with("authorization { user: ann, password: secret }");
    struct agog_open_options options = AGOG_INIT(options);
    struct agog_publication what = AGOG_INIT(what);
    struct agog *agog = NULL;
    struct agog_report *report = NULL;
    struct agog_error error;
    char *notice = NULL;
    size_t size;
    options.url = place->url;
    options.user = "ann";
    options.password = "secret";
    what.agent = "cynthia";
    what.type = "research";
    what.feature = "f";
    what.report = "hello";
    what.report_size = 5;
    assert_int_equal(agog_open(&options, &agog, &error), AGOG_OK);
    assert_int_equal(agog_publish(agog, &what, &notice, &error), AGOG_OK);
    assert_non_null(strstr(notice, "cynthia/research/f@1"));
    assert_int_equal(agog_fetch(agog, "cynthia/research/f", &report, &error), AGOG_OK);
    assert_memory_equal(agog_report_content(report, &size), "hello", 5);
    agog_report_free(report);
    agog_free(notice);
    agog_close(agog);
    options.password = "wrong";
    assert_int_equal(agog_open(&options, &agog, &error), AGOG_OK);
    assert_int_equal(agog_init(agog, &error), AGOG_DENIED);
    assert_null(strstr(error.text, "wrong"));
    agog_close(agog);
    nats_remove_place(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_published_and_fetched_on_a_server_that_wants_a_password),
    };
    return nats_is_missing() ? NATS_SKIPPED
                             : cmocka_run_group_tests_name("agog on NATS", tests, NULL, NULL);
}
