// SPDX-License-Identifier: Apache-2.0
// Publishes a report and fetches it back by its ref, as two agents would in two programs.
//
//     cc -o publish_and_fetch publish_and_fetch.c $(pkg-config --cflags --libs agog)
//
// Output:
//   {..."status"...}
//   cynthia/research/customer-search@1, ... tokens
//   # Customer search
//
//   Three queries answer nine of ten questions.
#include <agog.h>
#include <stdio.h>
#include <string.h>

static const char report_text[] = "# Customer search\n\n"
                                  "Three queries answer nine of ten questions.\n";

// The researcher: what comes back is the notice, which is all that the next agent is given.
static int publish(struct agog *agog)
{
    struct agog_error error;
    char *notice;
    struct agog_publication publication = AGOG_INIT(publication);
    publication.agent = "cynthia";
    publication.type = "research";
    publication.feature = "customer-search";
    publication.report = report_text;
    publication.report_size = strlen(report_text);
    publication.summary = "Three queries answer nine of ten questions.";
    if (agog_publish(agog, &publication, &notice, &error) != AGOG_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("%s\n", notice);
    agog_free(notice);
    return 0;
}

// The reader: knows the ref from the notice, and takes the report when it needs it.
static int fetch(struct agog *agog)
{
    struct agog_error error;
    struct agog_report *report;
    if (agog_fetch(agog, "cynthia/research/customer-search", &report, &error) != AGOG_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    size_t size;
    const char *content = agog_report_content(report, &size);
    printf("%s, %llu tokens\n", agog_report_ref(report),
           (unsigned long long)agog_report_tokens(report));
    fwrite(content, 1, size, stdout);
    agog_report_free(report);
    return 0;
}

int main(void)
{
    struct agog *agog;
    struct agog_error error;
    // The home is AGOG_HOME, or the nearest .agog above, or ~/.agog.
    if (agog_open(NULL, &agog, &error) != AGOG_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    int failed = publish(agog) || fetch(agog);
    agog_close(agog);
    return failed;
}
