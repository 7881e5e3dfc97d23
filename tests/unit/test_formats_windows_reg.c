/* SPDX-License-Identifier: Apache-2.0 */
/* .reg files for Windows: where each certificate goes, what it is for, and that labels stay text. */
#include "certs/x509.h"
#include "formats/outputs.h"
#include "formats/windows_blob.h"
#include "pki.h"
#include "stores/registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW INT64_C(1700000000)

static struct xr_cert *issue(const char *cn)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_blob blob;
    struct xr_cert *cert = NULL;

    cr_assert_eq(pki_issue(&blob, key, NULL, NULL, &spec), 0);
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){blob.data, blob.len}, NULL), XR_OK);
    pki_blob_free(&blob);
    pki_key_free(key);
    return cert;
}

/* The file's text as UTF-8. Every line but the last ends with CR LF, and none is too long for regedit. */
static char *write_text(struct xr_cert *cert, const char *label, size_t label_len, uint32_t trusted,
                        uint32_t distrusted, bool comments)
{
    const struct xr_output_options options = {.host = &xr_host, .comments = comments};
    struct xr_format_cert one = {.der = cert->der,
                                 .cert = cert,
                                 .label = label,
                                 .label_len = label_len,
                                 .trusted = trusted,
                                 .distrusted = distrusted},
                          *list[] = {&one};
    struct xr_format_files files = {0};
    const struct xr_buf *content = NULL;
    char *text = NULL;

    xr_output_format("windows-reg", 11)->write(&files, list, 1, &options);
    cr_assert(files.count == 1 && files.items[0].name == NULL);
    content = &files.items[0].content;
    cr_assert(content->len % 2 == 0 && memcmp(content->data, "\xff\xfe", 2) == 0);
    text =
        xr_win_name_text((struct xr_bytes){(unsigned char *)content->data + 2, content->len - 2});
    cr_assert(strncmp(text, "Windows Registry Editor Version 5.00\r\n\r\n", 40) == 0);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        cr_assert_eq(at[-1], '\r');
    xr_format_files_free(&files);
    return text;
}

/* The store of the one key, and its blob. */
static void read_text(char store[32], struct xr_buf *blob, const char *text)
{
    static const char path[] = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates\\";
    const char *at = strchr(text, '[');

    cr_assert_not_null(at);
    cr_assert_null(strchr(at + 1, '['), "one key");
    cr_assert_eq(strncmp(at + 1, path, sizeof(path) - 1), 0);
    at += sizeof(path);
    (void)snprintf(store, 32, "%.*s", (int)strcspn(at, "\\"), at);
    at = strstr(at, "\"Blob\"=hex:");
    cr_assert_not_null(at);
    for (at += 11; *at != '\0' && strncmp(at, "\r\n\r\n", 4) != 0;) {
        unsigned char octet = 0;
        char two[3] = {at[0], at[1], '\0'};

        cr_assert(xr_unhex(&octet, 1, two), "%.20s", at);
        xr_buf_add(blob, &octet, 1);
        at += 2;
        if (*at == ',')
            at++;
        if (strncmp(at, "\\\r\n  ", 5) == 0)
            at += 5;
    }
    cr_assert_str_eq(at, "\r\n\r\n");
}

Test(windows_reg, each_goes_where_it_has_no_more_trust_than_it_should)
{
    enum { KNOWN = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME };
    static const struct {
        uint32_t trusted, distrusted;
        const char *store;
        bool limited;
        uint32_t purposes;
    } cases[] = {
        {0, 0, "CA", false, 0},
        {XR_ANY_PURPOSE, 0, "ROOT", false, 0},
        {XR_SERVER, 0, "ROOT", true, XR_SERVER},
        {XR_SERVER | XR_EMAIL | XR_TIME, 0, "ROOT", true, XR_SERVER | XR_EMAIL | XR_TIME},
        {KNOWN, 0, "ROOT", true, KNOWN},
        {XR_ANY_PURPOSE, XR_EMAIL, "ROOT", true, KNOWN & ~XR_EMAIL},
        {XR_SERVER, XR_EMAIL, "ROOT", true, XR_SERVER},
        {XR_SERVER, XR_SERVER, "Disallowed", false, 0},
        {XR_ANY_PURPOSE, XR_ANY_PURPOSE, "Disallowed", false, 0},
        {0, XR_EMAIL, "Disallowed", false, 0},
        {0, XR_ANY_PURPOSE, "Disallowed", false, 0},
    };
    struct xr_cert *cert = issue("Root");
    unsigned char sha1[20];

    xr_cert_sha1(sha1, cert);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = write_text(cert, "Root", 4, cases[i].trusted, cases[i].distrusted, false);
        char store[32];
        struct xr_buf blob = {0};
        struct xr_bytes read, eku;

        read_text(store, &blob, text);
        read = (struct xr_bytes){(unsigned char *)blob.data, blob.len};
        cr_assert_str_eq(store, cases[i].store, "%zu", i);
        cr_assert(xr_win_blob_good(read));
        cr_assert(xr_bytes_equal(xr_win_blob_get(read, XR_WIN_CERT), cert->der));
        cr_assert(xr_bytes_equal(xr_win_blob_get(read, XR_WIN_SHA1), (struct xr_bytes){sha1, 20}));
        eku = xr_win_blob_get(read, XR_WIN_EKU);
        cr_assert_eq(eku.data != NULL, cases[i].limited, "%zu", i);
        if (eku.data != NULL)
            cr_assert_eq(xr_win_eku_purposes(eku), cases[i].purposes, "%zu", i);
        xr_buf_free(&blob);
        free(text);
    }
    xr_cert_free(cert);
}

Test(windows_reg, a_hostile_label_is_a_name_and_one_comment)
{
    static const char label[] =
        "a\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\x]\r\n\"y\"=\"z\"\0\xff\xe2\x80\xae\\";
    struct xr_cert *cert = issue("Root");
    char *text = write_text(cert, label, sizeof(label) - 1, XR_SERVER, 0, true), *name = NULL;
    const char *comment = strstr(text, "\r\n; ");
    struct xr_buf blob = {0};
    char store[32];

    cr_assert_not_null(comment);
    comment += 4;
    cr_assert_eq(strncmp(comment, "a\\u{000D}\\u{000A}[HKEY", 22), 0, "%.80s", comment);
    comment = strstr(comment, "\r\n[");
    cr_assert_not_null(comment);
    read_text(store, &blob, comment + 2);
    name = xr_win_name_text(
        xr_win_blob_get((struct xr_bytes){(unsigned char *)blob.data, blob.len}, XR_WIN_NAME));
    for (const char *at = name; *at != '\0'; at++)
        cr_assert((unsigned char)*at >= ' ');
    cr_assert_null(strstr(name, "\xe2\x80\xae"));
    xr_buf_free(&blob);
    free(name);
    free(text);
    text = write_text(cert, label, sizeof(label) - 1, XR_SERVER, 0, false);
    cr_assert_null(strchr(text, ';'), "no comment unless it was asked for");
    free(text);
    xr_cert_free(cert);
}

Test(windows_reg, without_a_label_it_has_the_name_of_its_subject)
{
    struct xr_cert *cert = issue("日本 Root 😀");
    char *text = write_text(cert, NULL, 0, XR_SERVER, 0, true), *name = NULL, store[32];
    struct xr_buf blob = {0};

    read_text(store, &blob, text);
    name = xr_win_name_text(
        xr_win_blob_get((struct xr_bytes){(unsigned char *)blob.data, blob.len}, XR_WIN_NAME));
    cr_assert_str_eq(name, "日本 Root 😀");
    xr_buf_free(&blob);
    free(name);
    free(text);
    xr_cert_free(cert);
}

Test(windows_reg, lines_are_as_long_as_those_of_regedit)
{
    struct xr_cert *cert = issue("Root");
    char *text = write_text(cert, "Root", 4, XR_SERVER, 0, false);
    const char *at = strstr(text, "\"Blob\""), *end = NULL;

    for (; (end = strstr(at, "\\\r\n")) != NULL; at = end + 3)
        cr_assert_eq(end - at, 77, "%.*s", (int)(end - at), at);
    cr_assert_leq(strcspn(at, "\r"), 77u);
    free(text);
    xr_cert_free(cert);
}
