/* SPDX-License-Identifier: Apache-2.0 */
/* CCADB's report of Mozilla's roots: what is read of it, and what is an error instead of a shorter list. */
#include "kit/pem.h"
#include "lists/lists.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW      INT64_C(1700000000)
#define DAY_ENDS INT64_C(1733011199) /* 2024-11-30 23:59:59 */

/* The names of the report, in another order. */
static const char *const header = "\"Owner\",\"Common Name or Certificate Name\",\"Trust Bits\","
                                  "\"SHA-256 Fingerprint\",\"Distrust for S/MIME After Date\","
                                  "\"Mozilla Applied Constraints\",\"Distrust for TLS After Date\","
                                  "\"EV Policy OID(s)\",\"PEM Info\"";

static struct xr_cert *root, *other;

static struct xr_cert *make(const char *cn)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_blob der = {0};
    struct xr_cert *cert = NULL;
    struct xr_error err = {0};

    cr_assert_eq(pki_issue(&der, key, NULL, NULL, &spec), 0);
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){der.data, der.len}, &err), XR_OK);
    pki_blob_free(&der);
    pki_key_free(key);
    return cert;
}

static void setup(void)
{
    root = make("Root");
    other = make("Other");
}

static void teardown(void)
{
    xr_cert_free(root);
    xr_cert_free(other);
}

TestSuite(lists_ccadb, .init = setup, .fini = teardown);

struct row {
    const char *name, *trust, *server, *email, *constraints;
    const struct xr_cert *cert;
};

static void put_row(struct xr_buf *out, const struct row *row, const char *line_end)
{
    char hex[2 * XR_SHA256_LEN + 1];
    size_t len = 0;
    char *pem = xr_pem("CERTIFICATE", row->cert->der, &len);

    xr_hex(hex, row->cert->sha256, XR_SHA256_LEN);
    for (char *at = hex; *at != '\0'; at++)
        *at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
    xr_buf_fmt(out,
               "\"Owner, \"\"Ltd\"\"\nof two lines\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",",
               row->name, row->trust, hex, row->email ? row->email : "",
               row->constraints ? row->constraints : "", row->server ? row->server : "");
    xr_buf_fmt(out, "\"Not EV\",\"'%.*s'\"%s", (int)len - 1, pem, line_end);
    free(pem);
}

static void put_file(struct xr_buf *out, const struct row *rows, size_t count, const char *line_end)
{
    xr_buf_fmt(out, "%s%s", header, line_end);
    for (size_t i = 0; i < count; i++)
        put_row(out, &rows[i], line_end);
}

static enum xr_status read_bytes(struct xr_list *out, const void *data, size_t len,
                                 struct xr_error *err)
{
    /* An exact copy, so that a sanitizer sees a step too far. */
    unsigned char *copy = malloc(len > 0 ? len : 1);
    enum xr_status status = XR_OK;

    *out = (struct xr_list){0};
    memcpy(copy, data, len);
    status = xr_list_ccadb(out, (struct xr_bytes){copy, len}, err);
    free(copy);
    return status;
}

/* The reason, or NULL where it is read; valid until the next call. */
static const char *reason(const void *data, size_t len)
{
    static struct xr_error err;
    struct xr_list list;
    enum xr_status status = XR_OK;

    err = (struct xr_error){0};
    status = read_bytes(&list, data, len, &err);
    cr_assert(status == XR_OK || (status == XR_INVALID && err.text[0] != '\0'));
    xr_list_free(&list);
    return status == XR_OK ? NULL : err.text;
}

static const char *reason_of_row(const struct row *row)
{
    struct xr_buf file = {0};
    const char *why = NULL;

    put_file(&file, row, 1, "\n");
    why = reason(file.data, file.len);
    xr_buf_free(&file);
    return why;
}

static void expect_reason(const char *why, const char *part)
{
    cr_assert(why != NULL, "no error, not: %s", part);
    cr_assert(strstr(why, part) != NULL, "%s", why);
}

Test(lists_ccadb, a_row_is_a_root_with_its_trust_dates_and_limits)
{
    const struct row rows[] = {
        {"Root \"\"One\"\"", "Websites;Email", "2024.11.30", "2024-12-01", NULL, root},
        {"Other", "Email", NULL, NULL, "*.tr, .Example.COM;sub.example.org", other}};
    struct xr_buf file = {0};
    struct xr_list list;
    struct xr_error err = {0};
    const struct xr_root *one = NULL, *two = NULL;

    put_file(&file, rows, 2, "\n");
    cr_assert_eq(read_bytes(&list, file.data, file.len, &err), XR_OK, "%s", err.text);
    cr_assert_eq(list.roots.count, 2);
    one = xr_list_find(&list, root->sha256);
    two = xr_list_find(&list, other->sha256);
    cr_assert(one != NULL && two != NULL);
    cr_assert_str_eq(one->label, "Root \"One\"");
    cr_assert_eq(one->trusted, XR_SERVER | XR_EMAIL);
    cr_assert_eq(one->distrusted, 0);
    cr_assert(one->mozilla_policy);
    cr_assert(one->server_after.known && one->server_after.at == DAY_ENDS);
    cr_assert(one->email_after.known && one->email_after.at == DAY_ENDS + 86400);
    cr_assert(!xr_limits_any(&one->limits));
    cr_assert_eq(two->trusted, XR_EMAIL);
    cr_assert(!two->server_after.known && !two->email_after.known);
    cr_assert_eq(two->limits.dns.count, 3);
    cr_assert_str_eq(two->limits.dns.items[0], "tr");
    cr_assert_str_eq(two->limits.dns.items[1], "example.com");
    cr_assert_str_eq(two->limits.dns.items[2], "sub.example.org");
    xr_list_free(&list);
    xr_buf_free(&file);
}

Test(lists_ccadb, a_byte_order_mark_windows_line_ends_and_blank_lines_change_nothing)
{
    const struct row rows[] = {{"Root", "Websites", NULL, NULL, NULL, root},
                               {"Other", "", NULL, NULL, NULL, other}};
    struct xr_buf file = {0};
    struct xr_list list;
    struct xr_error err = {0};

    xr_buf_str(&file, "\xef\xbb\xbf");
    put_file(&file, rows, 2, "\r\n");
    xr_buf_str(&file, "\r\n\n");
    cr_assert_eq(read_bytes(&list, file.data, file.len, &err), XR_OK, "%s", err.text);
    cr_assert_eq(list.roots.count, 2);
    cr_assert_eq(xr_list_find(&list, other->sha256)->trusted, 0);
    xr_list_free(&list);
    xr_buf_free(&file);
}

Test(lists_ccadb, a_file_cut_anywhere_but_between_two_rows_is_an_error)
{
    const struct row rows[] = {{"Root", "Websites", "2024.11.30", NULL, "*.tr", root},
                               {"Other", "Email", NULL, NULL, NULL, other}};
    struct xr_buf file = {0};
    size_t first = 0;

    put_file(&file, rows, 1, "\n");
    first = file.len;
    put_row(&file, &rows[1], "\n");
    for (size_t len = 0; len < file.len; len++) {
        const char *why = reason(file.data, len);
        /* The certificate is whole and its hash agrees: nothing but the line end is missing. */
        bool whole = len == first || len == first - 1 || len == file.len - 1;

        cr_assert_eq(why == NULL, whole, "cut at %zu of %zu: %s", len, file.len,
                     why != NULL ? why : "read");
    }
    cr_assert_null(reason(file.data, file.len));
    xr_buf_free(&file);
}

Test(lists_ccadb, without_a_final_line_end_another_last_column_is_an_error)
{
    struct xr_buf file = {0}, moved = {0};
    const struct row row = {"Root", "Websites", NULL, NULL, NULL, root};

    put_file(&file, &row, 1, "\n");
    xr_buf_fmt(&moved, "%s,More\n%.*s,2024.11", header, (int)(file.len - strlen(header) - 2),
               file.data + strlen(header) + 1);
    expect_reason(reason(moved.data, moved.len), "the file was cut");
    xr_buf_str(&moved, "\n");
    cr_assert_null(reason(moved.data, moved.len));
    xr_buf_free(&file);
    xr_buf_free(&moved);
}

Test(lists_ccadb, what_cannot_be_understood_is_an_error_and_never_left_out)
{
    static const struct {
        struct row row;
        const char *reason;
    } cases[] = {
        {{"R", "Websites;Moon", NULL, NULL, NULL, NULL}, "unknown trust bit \"Moon\""},
        {{"R", "Websites", "2024.11.31", NULL, NULL, NULL}, "is not a date"},
        {{"R", "Websites", "2023.02.29", NULL, NULL, NULL}, "is not a date"},
        {{"R", "Websites", "2024.13.01", NULL, NULL, NULL}, "is not a date"},
        {{"R", "Websites", "2024.11-30", NULL, NULL, NULL}, "is not a date"},
        {{"R", "Websites", "30 Nov 2024", NULL, NULL, NULL}, "is not a date"},
        {{"R", "Email", NULL, "soon", NULL, NULL}, "is not a date"},
        {{"R", "Websites", NULL, NULL, "None", NULL}, "cannot read the constraint \"None\""},
        {{"R", "Websites", NULL, NULL, "*", NULL}, "cannot read the constraint"},
        {{"R", "Websites", NULL, NULL, "*.", NULL}, "cannot read the constraint"},
        {{"R", "Websites", NULL, NULL, "*.*.tr", NULL}, "cannot read the constraint"},
        {{"R", "Websites", NULL, NULL, "*.tr, C=TR", NULL}, "cannot read the constraint \"C=TR\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct row row = cases[i].row;

        row.cert = root;
        expect_reason(reason_of_row(&row), cases[i].reason);
        expect_reason(reason_of_row(&row), "line 2: ");
    }
}

/* The file of one row with a part of it replaced. */
static const char *reason_with(const char *from, const char *to)
{
    const struct row row = {"Root", "Websites", NULL, NULL, NULL, root};
    struct xr_buf file = {0}, changed = {0};
    const char *at = NULL, *why = NULL;

    put_file(&file, &row, 1, "\n");
    at = strstr(file.data, from);
    cr_assert(at != NULL, "%s", from);
    xr_buf_add(&changed, file.data, (size_t)(at - file.data));
    xr_buf_str(&changed, to);
    xr_buf_str(&changed, at + strlen(from));
    why = reason(changed.data, changed.len);
    xr_buf_free(&file);
    xr_buf_free(&changed);
    return why;
}

Test(lists_ccadb, a_report_without_a_column_that_limits_trust_is_not_read)
{
    static const char *const needed[] = {"Common Name or Certificate Name",
                                         "Trust Bits",
                                         "SHA-256 Fingerprint",
                                         "Distrust for S/MIME After Date",
                                         "Mozilla Applied Constraints",
                                         "Distrust for TLS After Date",
                                         "PEM Info"};

    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        expect_reason(reason_with(needed[i], "Something"), needed[i]);
    expect_reason(reason_with("\"Owner\"", "\"PEM Info\""), "two columns");
    cr_assert_null(reason_with("\"Owner\"", "Owner"));
}

Test(lists_ccadb, the_certificate_must_be_the_one_that_the_row_names)
{
    const struct row twice[] = {{"Root", "Websites", NULL, NULL, NULL, root},
                                {"Root", "Email", NULL, NULL, NULL, root}};
    struct xr_buf file = {0};
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, other->sha256, XR_SHA256_LEN);
    expect_reason(reason_with("\"Websites\",\"", "\"Websites\",\"0"), "SHA-256");
    expect_reason(reason_with("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----A"),
                  "line 2");
    expect_reason(reason_with("'-----BEGIN", "' text\n-----BEGIN"), "not one certificate");
    expect_reason(reason_with("-----END CERTIFICATE-----", "-----END CERTIFICATE-----\ntext"),
                  "not one certificate");
    put_file(&file, twice, 2, "\n");
    expect_reason(reason(file.data, file.len), "twice");
    xr_buf_free(&file);
}

Test(lists_ccadb, what_is_no_csv_is_an_error)
{
    struct xr_buf wide = {0};

    expect_reason(reason("", 0), "empty");
    expect_reason(reason("\xef\xbb\xbf", 3), "empty");
    expect_reason(reason("a\0b", 3), "zero byte");
    expect_reason(reason(header, strlen(header)), "no certificate after the header");
    expect_reason(reason("\"a\"b,c\n", 7), "text after a closing quote");
    expect_reason(reason("a\"b\n", 4), "a quote inside of a field");
    expect_reason(reason("a\rb\n", 4), "a carriage return inside of a field");
    expect_reason(reason_with("\"Not EV\",", ""), "8 fields where the header has 9");
    for (size_t i = 0; i < 300; i++)
        xr_buf_str(&wide, ",");
    expect_reason(reason(wide.data, wide.len), "more than 256 columns");
    xr_buf_free(&wide);
}

Test(lists_ccadb, a_fingerprint_may_have_colons)
{
    char hex[2 * XR_SHA256_LEN + 1], with[3 * XR_SHA256_LEN + 1], *at = with;

    xr_hex(hex, root->sha256, XR_SHA256_LEN);
    for (size_t i = 0; i < 2 * XR_SHA256_LEN; i++)
        hex[i] = (char)(hex[i] >= 'a' ? hex[i] - 'a' + 'A' : hex[i]);
    for (size_t i = 0; i < XR_SHA256_LEN; i++)
        at += snprintf(at, 4, "%s%.2s", i > 0 ? ":" : "", hex + 2 * i);
    cr_assert_null(reason_with(hex, with));
}
