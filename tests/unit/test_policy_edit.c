/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of one list in somebody's policies.json that leave every other byte as it was. */
#include "../../backends/policy/edit.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define A "/etc/x/crossroot/a.pem"
#define B "/etc/x/crossroot/b.pem"
#define C "/etc/x/crossroot/c.pem"

static struct xr_bytes bytes(const char *text)
{
    return (struct xr_bytes){(const unsigned char *)text, strlen(text)};
}

/* Allocated. */
static char *add(const char *text, const char *name)
{
    struct xr_buf out = {0};
    struct xr_error err = {0};

    cr_assert_eq(policy_edit_add(&out, bytes(text), name, &err), XR_OK, "%s: %s", text, err.text);
    return out.data;
}

/* Allocated; "" if the file is to go. */
static char *drop(const char *text, const char *name)
{
    struct xr_buf out = {0};
    struct xr_error err = {0};
    bool gone = false;

    cr_assert_eq(policy_edit_remove(&out, &gone, bytes(text), name, &err), XR_OK, "%s: %s", text,
                 err.text);
    if (!gone)
        return out.data;
    xr_buf_free(&out);
    return xr_strdup("");
}

static const char *const files[] = {
    "",
    "{}",
    "{ }",
    "{\n}\n",
    "{\"policies\":{}}",
    "{\"policies\": {\"Certificates\": {}}}",
    "{\"policies\":{\"Certificates\":{\"Install\":[]}}}",
    "{\"policies\":{\"Certificates\":{\"Install\":[ ]}}}",
    "{\"policies\": {\"Certificates\": {\"Install\": [\n]}}}",
    "{\"policies\":{\"Certificates\":{\"Install\":[\"z.pem\"]}}}",
    "{\"policies\": {\"Certificates\": {\"Install\": [\"a.pem\", \"z.pem\"]}}}",
    "{\n  \"policies\": {\n    \"DisableTelemetry\": true\n  }\n}\n",
    "{\n  \"policies\": {\n    \"Certificates\": {\n      \"ImportEnterpriseRoots\": true\n    }\n  }\n}",
    "{\r\n\t\"other\": 1.50e3,\r\n\t\"policies\": {\r\n\t\t\"B\": [1, 2,\t3]\r\n\t}\r\n}\r\n",
    ("{\n    \"policies\": {\n        \"Certificates\": {\n            \"Install\": [\n"
     "                \"mine.der\"\n            ]\n        },\n        \"Last\": {}\n    }\n}\n"),
    "{\"policies\":{\"Cert\\u0069ficates\":{\"Install\":[\"q\\\"uo\\\\te\"]},\"x\":\"}]\\\\\"}}",
    "  {\"policies\" :\t{\"a\":[[],{}],\"Certificates\" :{ \"Install\" : [ 1 , null ] } } }  ",
    ("{\"Install\": [], \"policies\": {\"Install\": [\"" A "\"]}}"),
    "{\n  \"policies\": {\n  }\n}\n",
};
#define FILES (sizeof(files) / sizeof(files[0]))

Test(policy_edit, what_is_added_and_removed_again_leaves_every_byte)
{
    for (size_t i = 0; i < FILES; i++) {
        char *with = add(files[i], A), *without = drop(with, A);

        cr_assert_str_eq(without, files[i], "file %zu by way of %s", i, with);
        free(with);
        free(without);
    }
}

Test(policy_edit, the_order_of_coming_and_going_leaves_no_trace)
{
    static const char *const orders[][3] = {{A, B, C}, {A, C, B}, {B, A, C},
                                            {B, C, A}, {C, A, B}, {C, B, A}};

    for (size_t i = 0; i < FILES; i++) {
        char *full = NULL;

        for (size_t order = 0; order < 6; order++) {
            char *one = add(files[i], orders[order][0]), *two = add(one, orders[order][1]);
            char *all = add(two, orders[order][2]), *at = xr_strdup(all);

            if (full == NULL)
                full = xr_strdup(all);
            cr_assert_str_eq(all, full, "file %zu, order %zu", i, order);
            for (size_t k = 0; k < 3; k++) {
                char *next = drop(at, orders[(order * 5 + 1) % 6][k]);

                free(at);
                at = next;
            }
            cr_assert_str_eq(at, files[i], "file %zu, order %zu", i, order);
            free(at);
            free(all);
            free(two);
            free(one);
        }
        free(full);
    }
}

Test(policy_edit, a_new_file_and_a_new_list_are_written_as_people_do)
{
    char *text = add("", A);

    cr_assert_str_eq(text, "{\n  \"policies\": {\n    \"Certificates\": {\n      \"Install\": [\n"
                           "        \"" A "\"\n      ]\n    }\n  }\n}\n");
    free(text);
    text = add("{\n\t\"policies\": {\n\t\t\"X\": 1\n\t}\n}\n", A);
    cr_assert_str_eq(
        text, "{\n\t\"policies\": {\n\t\t\"X\": 1,\n\t\t\"Certificates\": {\n\t\t\t\"Install\": [\n"
              "\t\t\t\t\"" A "\"\n\t\t\t]\n\t\t}\n\t}\n}\n");
    free(text);
    text = add("{\"policies\":{\"Certificates\":{\"Install\":[\"z\"]}}}", A);
    cr_assert_str_eq(text, "{\"policies\":{\"Certificates\":{\"Install\":[\"z\",\"" A "\"]}}}");
    free(text);
}

Test(policy_edit, what_is_in_the_way_is_refused_with_its_reason)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"{", "cannot be parsed as JSON (line 1)"},
        {"{\"policies\": {},}", "cannot be parsed as JSON"},
        {"\xef\xbb\xbf{}", "cannot be parsed as JSON"},
        {"[]", "the value in it is not an object"},
        {"{\"policies\": []}", "policies in it is not an object"},
        {"{\"policies\": {\"Certificates\": null}}", "Certificates in it is not an object"},
        {"{\"policies\": {\"Certificates\": {\"Install\": \"x\"}}}", "Install in it is not a list"},
        {"{\"policies\": {}, \"policies\": {}}", "it has \"policies\" twice"},
        {"{\"policies\": {\"Certificates\": {\"Install\": [], \"Inst\\u0061ll\": []}}}",
         "it has \"Install\" twice"},
        {"{} {}", "cannot be parsed as JSON"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xr_buf out = {0};
        struct xr_error err = {0}, check = {0};

        cr_assert_eq(policy_edit_add(&out, bytes(rows[i].text), A, &err), XR_REFUSED, "row %zu", i);
        cr_assert(strstr(err.text, rows[i].why) != NULL, "row %zu: %s", i, err.text);
        cr_assert_eq(policy_edit_check(bytes(rows[i].text), &check), XR_REFUSED, "row %zu", i);
        xr_buf_free(&out);
    }
}

Test(policy_edit, an_element_that_is_not_there_cannot_be_removed)
{
    static const char *const texts[] = {"{}",
                                        "{\"policies\":{\"Certificates\":{\"Install\":[\"z\"]}}}"};

    for (size_t i = 0; i < 2; i++) {
        struct xr_buf out = {0};
        bool gone = false;

        cr_assert_eq(policy_edit_remove(&out, &gone, bytes(texts[i]), A, NULL), XR_ABSENT);
        xr_buf_free(&out);
    }
}

/* Damage of every byte either is refused, or keeps the meaning of what is not ours. */
Test(policy_edit, damaged_text_is_refused_or_comes_back_as_it_was)
{
    for (size_t i = 0; i < FILES; i++) {
        for (size_t at = 0; at < strlen(files[i]); at++) {
            static const char bad[] = "\"{}[],:\\ x\n";

            for (size_t k = 0; k + 1 < sizeof(bad); k++) {
                char *text = xr_strdup(files[i]), *back = NULL;
                struct xr_buf out = {0};

                text[at] = bad[k];
                if (policy_edit_add(&out, bytes(text), A, NULL) == XR_OK) {
                    back = drop(out.data, A);
                    cr_assert_str_eq(back, text);
                }
                free(back);
                free(text);
                xr_buf_free(&out);
            }
        }
    }
}
