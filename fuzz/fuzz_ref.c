// SPDX-License-Identifier: Apache-2.0
// Refs from outside. What is accepted must print, and the print must mean the same.
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "deliver/name.h"
#include "deliver/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(const struct ref *ref, enum ref_form form)
{
    char text[REF_TEXT_SIZE];
    struct ref back;
    size_t size = ref_format(ref, form, text);
    ASSERT(ref_parse(bytes_of(text, size), &back, NULL) == STATUS_OK);
    ASSERT(ref_same_deliverable(ref, &back));
    if (form == REF_FORM_SUBJECT)
        return;
    ASSERT(back.rev == ref->rev && strcmp(back.section, ref->section) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ref ref;
    struct errinfo err;
    struct bytes text = bytes_of(data, size);
    char feature[LIMIT_FEATURE_BYTES + 1];
    char token[NAME_TOKEN_SIZE];
    errinfo_clear(&err);
    if (ref_parse(text, &ref, &err) == STATUS_OK) {
        check_form(&ref, REF_FORM_TEXT);
        check_form(&ref, REF_FORM_URI);
        if (ref.kind == REF_DELIVERABLE)
            check_form(&ref, REF_FORM_SUBJECT);
    } else {
        ASSERT(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
    }
    if (name_decode(text, feature, &err) == STATUS_OK) {
        size_t again = name_encode(bytes_of_string(feature), token);
        ASSERT(bytes_equal(bytes_of(token, again), text));
    }
    return 0;
}
