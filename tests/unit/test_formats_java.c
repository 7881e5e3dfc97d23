/* SPDX-License-Identifier: Apache-2.0 */
/* Java's keystores, written and updated, without Java. */
#include "formats/outputs.h"
#include "kit/der.h"
#include "stores/registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char *const kinds[] = {"java", "java-p12"};
#define KINDS 2

/* No certificates: nobody here looks inside. */
static struct xr_format_cert first = {.label = "Kin Root", .label_len = 8};
static struct xr_format_cert second = {.label = "Second Root", .label_len = 11};
static struct xr_format_cert *const both[] = {&first, &second};

static struct xr_bytes text(const char *what)
{
    return (struct xr_bytes){(const unsigned char *)what, strlen(what)};
}

static struct xr_bytes bytes(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

static const struct xr_output_format *kind(size_t n)
{
    first.der = text("\x30\x03\x02\x01\x01");
    second.der = text("\x30\x03\x02\x01\x02");
    return xr_output_format(kinds[n], strlen(kinds[n]));
}

static struct xr_output_options with(const char *password)
{
    struct xr_output_options options = {.host = &xr_host};

    if (password != NULL)
        options.password = text(password);
    return options;
}

static struct xr_buf written(size_t n, size_t count, const char *password)
{
    const struct xr_output_options options = with(password);
    const struct xr_output_format *format = kind(n);
    struct xr_format_files files = {0};
    struct xr_buf out = {0};

    format->write(&files, both, count, &options);
    cr_assert_eq(files.count, 1);
    cr_assert_null(files.items[0].name);
    out = files.items[0].content;
    files.items[0].content = (struct xr_buf){0};
    xr_format_files_free(&files);
    return out;
}

/* Frees old. */
static struct xr_buf updated(size_t n, struct xr_buf old, size_t count, const char *password)
{
    const struct xr_output_options options = with(password);
    struct xr_error err = {.size = sizeof(err)};
    const struct xr_output_format *format = kind(n);
    struct xr_buf out = {0};

    cr_assert_eq(format->update(&out, bytes(&old), both, count, &options, &err), XR_OK, "%s",
                 err.text);
    xr_buf_free(&old);
    return out;
}

static void refused(size_t n, struct xr_bytes old, const char *password, const char *why)
{
    const struct xr_output_options options = with(password);
    struct xr_error err = {.size = sizeof(err)};
    /* A copy of exactly that size, so that the sanitizer guards its end. */
    unsigned char *copy = malloc(old.len + (old.len == 0));
    const struct xr_output_format *format = kind(n);
    struct xr_buf out = {0};
    enum xr_status status = XR_OK;

    cr_assert_not_null(copy);
    memcpy(copy, old.data, old.len);
    status = format->update(&out, (struct xr_bytes){copy, old.len}, both, 1, &options, &err);
    cr_expect(status != XR_OK && out.len == 0, "%s: %zu bytes", kinds[n], old.len);
    if (why != NULL)
        cr_expect_not_null(strstr(err.text, why), "%s", err.text);
    free(copy);
    xr_buf_free(&out);
}

static bool has(const struct xr_buf *buf, const char *what, size_t len)
{
    return xr_memmem(buf->data, buf->len, what, len) != NULL;
}

/* An alias as it stands in the file. */
static bool has_alias(size_t n, const struct xr_buf *buf, const char *alias)
{
    struct xr_buf wide = {0};
    size_t len = strlen(alias);
    bool found = false;

    if (n == 0) {
        const char head[] = {(char)(len >> 8), (char)len};

        xr_buf_add(&wide, head, 2);
        xr_buf_add(&wide, alias, len);
    } else {
        const char head[] = {0x1e, (char)(2 * len)};

        xr_buf_add(&wide, head, 2);
        for (size_t i = 0; i < len; i++) {
            xr_buf_add(&wide, "", 1);
            xr_buf_add(&wide, alias + i, 1);
        }
    }
    found = has(buf, wide.data, wide.len);
    xr_buf_free(&wide);
    return found;
}

/* ---- writing ---- */

Test(formats_java, the_same_certificates_give_the_same_bytes)
{
    static const char *const passwords[] = {NULL, "geheim"};

    for (size_t n = 0; n < KINDS; n++) {
        for (size_t p = 0; p < 2; p++) {
            struct xr_buf a = written(n, 2, passwords[p]), b = written(n, 2, passwords[p]);

            cr_expect(xr_bytes_equal(bytes(&a), bytes(&b)));
            cr_expect(has_alias(n, &a, "kinroot") && has_alias(n, &a, "secondroot"));
            xr_buf_free(&a);
            xr_buf_free(&b);
        }
    }
}

Test(formats_java, pkcs12_without_a_password_has_no_mac)
{
    struct xr_buf none = written(1, 2, NULL), sealed = written(1, 2, "geheim");
    struct xr_bytes at = bytes(&none);
    struct xr_der_item pfx = {0}, item = {0};

    cr_assert(xr_der_expect(&pfx, &at, XR_DER_SEQUENCE) && at.len == 0);
    cr_assert(xr_der_expect(&item, &pfx.content, XR_DER_INTEGER));
    cr_assert(xr_der_expect(&item, &pfx.content, XR_DER_SEQUENCE));
    cr_expect_eq(pfx.content.len, 0);
    at = bytes(&sealed);
    cr_assert(xr_der_expect(&pfx, &at, XR_DER_SEQUENCE) && at.len == 0);
    cr_assert(xr_der_expect(&item, &pfx.content, XR_DER_INTEGER));
    cr_assert(xr_der_expect(&item, &pfx.content, XR_DER_SEQUENCE));
    cr_expect(xr_der_expect(&item, &pfx.content, XR_DER_SEQUENCE) && pfx.content.len == 0);
    xr_buf_free(&none);
    xr_buf_free(&sealed);
}

Test(formats_java, no_certificates_are_a_keystore_too)
{
    for (size_t n = 0; n < KINDS; n++) {
        struct xr_buf none = written(n, 0, "geheim");

        none = updated(n, none, 2, "geheim");
        cr_expect(has_alias(n, &none, "crossroot:secondroot"));
        none = updated(n, none, 0, "geheim");
        cr_expect_not(has(&none, "rossroot", 8));
        xr_buf_free(&none);
    }
}

/* ---- updates ---- */

Test(formats_java, an_update_takes_back_what_an_earlier_one_put_in)
{
    static const char *const passwords[] = {NULL, "geheim"};

    for (size_t n = 0; n < KINDS; n++) {
        for (size_t p = 0; p < 2; p++) {
            struct xr_buf store = updated(n, written(n, 2, passwords[p]), 2, passwords[p]);
            struct xr_buf again = {0};

            cr_expect(has_alias(n, &store, "kinroot") && has_alias(n, &store, "secondroot"));
            cr_expect(has_alias(n, &store, "crossroot:kinroot") &&
                      has_alias(n, &store, "crossroot:secondroot"));
            xr_buf_add(&again, store.data, store.len);
            again = updated(n, again, 2, passwords[p]);
            cr_expect(xr_bytes_equal(bytes(&store), bytes(&again)), "%s", kinds[n]);
            store = updated(n, store, 1, passwords[p]);
            cr_expect(has_alias(n, &store, "kinroot") && has_alias(n, &store, "secondroot"));
            cr_expect(has_alias(n, &store, "crossroot:kinroot"));
            cr_expect_not(has_alias(n, &store, "crossroot:secondroot"));
            xr_buf_free(&store);
            xr_buf_free(&again);
        }
    }
}

Test(formats_java, where_there_is_none_an_update_makes_one)
{
    for (size_t n = 0; n < KINDS; n++) {
        struct xr_buf store = updated(n, (struct xr_buf){0}, 2, "geheim");

        cr_expect(has_alias(n, &store, "crossroot:secondroot"));
        refused(n, bytes(&store), "falsch", "the password is wrong");
        refused(n, bytes(&store), NULL, "the password is wrong");
        store = updated(n, store, 0, "geheim");
        cr_expect_not(has_alias(n, &store, "crossroot:kinroot"));
        xr_buf_free(&store);
    }
}

#define PRIVATE                                        \
    "\0\0\0\1\0\x11"                                   \
    "crossroot:kinroot"                                \
    "\0\0\1\2\3\4\5\6\0\0\0\7anykey!\0\0\0\1\0\5X.509" \
    "\0\0\0\3\x30\1\0"

Test(formats_java, a_private_key_of_jks_stays_as_it_is_and_keeps_its_alias)
{
    const struct xr_output_options options = with(NULL);
    struct xr_buf store = {0};
    unsigned char digest[20];
    struct xr_buf sealed = {0};
    char *why = NULL;

    xr_buf_add(&store, "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1" PRIVATE, 12 + sizeof(PRIVATE) - 1);
    xr_buf_add(&sealed, "\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite", 32);
    xr_buf_add(&sealed, store.data, store.len);
    xr_host.sha1(digest, bytes(&sealed));
    xr_buf_add(&store, digest, sizeof(digest));
    why = kind(0)->keeps(bytes(&store), &options);
    cr_assert_not_null(why);
    cr_expect_not_null(strstr(why, "1 private key"), "%s", why);
    store = updated(0, store, 2, NULL);
    cr_expect(has(&store, PRIVATE, sizeof(PRIVATE) - 1));
    cr_expect(has_alias(0, &store, "crossroot:kinroot-1"));
    store = updated(0, store, 0, NULL);
    cr_expect(has(&store, PRIVATE, sizeof(PRIVATE) - 1));
    cr_expect_not(has(&store, "root-1", 6));
    free(why);
    xr_buf_free(&store);
    xr_buf_free(&sealed);
}

#define PKCS "\x2a\x86\x48\x86\xf7\x0d\x01"

/* A safe with one bag of another kind, in whose name that letter is. */
static struct xr_buf store_of_others(const char letter[2], char type)
{
    struct xr_buf inner = {0}, bag = {0}, outer = {0};

    for (const char *at = "CrossRoot:_inroot"; *at != '\0'; at++) {
        if (*at == '_') {
            xr_buf_add(&bag, letter, 2);
        } else {
            xr_buf_add(&bag, "", 1);
            xr_buf_add(&bag, at, 1);
        }
    }
#define WRAP(tag)                                                                        \
    (xr_der_put(&outer, tag, inner.data, inner.len), xr_buf_free(&inner), inner = outer, \
     outer = (struct xr_buf){0})
    inner = bag;
    WRAP(0x1e);
    WRAP(XR_DER_SET);
    bag = inner;
    inner = (struct xr_buf){0};
    xr_buf_add(&inner, "\x06\x09" PKCS "\x09\x14", 11);
    xr_buf_add(&inner, bag.data, bag.len);
    WRAP(XR_DER_SEQUENCE);
    WRAP(XR_DER_SET);
    xr_buf_free(&bag);
    bag = inner;
    inner = (struct xr_buf){0};
    xr_buf_add(&inner, "\x06\x0b" PKCS "\x0c\x0a\x01", 12);
    xr_buf_add(&inner, &type, 1);
    xr_buf_add(&inner, "\xa0\x02\x30\x00", 4);
    xr_buf_add(&inner, bag.data, bag.len);
    WRAP(XR_DER_SEQUENCE); /* a bag */
    WRAP(XR_DER_SEQUENCE);
    for (int level = 0; level < 2; level++) {
        WRAP(XR_DER_OCTET_STRING);
        WRAP(0xa0);
        xr_buf_add(&outer, "\x06\x09" PKCS "\x07\x01", 11);
        xr_buf_add(&outer, inner.data, inner.len);
        xr_buf_free(&inner);
        inner = outer;
        outer = (struct xr_buf){0};
        WRAP(XR_DER_SEQUENCE);
        if (level == 0)
            WRAP(XR_DER_SEQUENCE); /* one of one */
    }
    xr_buf_add(&outer, "\x02\x01\x03", 3);
    xr_buf_add(&outer, inner.data, inner.len);
    xr_buf_free(&inner);
    inner = outer;
    outer = (struct xr_buf){0};
    WRAP(XR_DER_SEQUENCE);
    xr_buf_free(&bag);
    return inner;
}

Test(formats_java, a_bag_of_another_kind_is_none_of_ours_whatever_its_name)
{
    static const struct {
        const char *letter;
        char type;
        const char *what;
    } cases[] = {
        {"\0k", 1, "1 private key"}, {"\0K", 2, "1 private key"},
        {"\0k", 3, "1 other entry"}, {"\x21\x2a", 5, "1 secret key"}, /* the sign of kelvin */
        {"\0K", 4, "1 other entry"}, {"\0k", 99, "1 other entry"},
    };
    const struct xr_output_options options = with(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xr_buf store = store_of_others(cases[i].letter, cases[i].type);
        struct xr_buf before = store_of_others(cases[i].letter, cases[i].type);
        char *why = kind(1)->keeps(bytes(&store), &options);

        cr_assert_not_null(why);
        cr_expect_not_null(strstr(why, cases[i].what), "%s", why);
        store = updated(1, store, 2, NULL);
        /* Java tells names apart without regard to case. */
        cr_expect(has_alias(1, &store, "crossroot:kinroot-1"), "%zu", i);
        cr_expect(has_alias(1, &store, "crossroot:secondroot"));
        store = updated(1, store, 0, NULL);
        cr_expect(xr_bytes_equal(bytes(&store), bytes(&before)), "%zu", i);
        free(why);
        xr_buf_free(&store);
        xr_buf_free(&before);
    }
}

Test(formats_java, a_store_with_trusted_certificates_alone_may_be_replaced)
{
    const struct xr_output_options options = with("geheim");

    for (size_t n = 0; n < KINDS; n++) {
        struct xr_buf store = written(n, 2, "geheim");

        cr_expect_null(kind(n)->keeps(bytes(&store), &options));
        cr_expect_null(kind(n)->keeps((struct xr_bytes){0}, &options));
        xr_buf_free(&store);
    }
}

/* ---- refusals ---- */

Test(formats_java, a_store_that_is_cut_anywhere_is_refused)
{
    static const char *const passwords[] = {NULL, "geheim"};

    for (size_t n = 0; n < KINDS; n++) {
        for (size_t p = 0; p < 2; p++) {
            struct xr_buf store = updated(n, written(n, 2, passwords[p]), 2, passwords[p]);

            for (size_t len = 0; len < store.len; len++)
                refused(n, (struct xr_bytes){(unsigned char *)store.data, len}, passwords[p], NULL);
            xr_buf_add(&store, "\0", 1);
            refused(n, bytes(&store), passwords[p], NULL);
            xr_buf_free(&store);
        }
    }
}

static char *sha256_in(struct xr_buf *store)
{
    static const char oid[] = "\x60\x86\x48\x01\x65\x03\x04\x02\x01";
    const void *at = xr_memmem(store->data, store->len, oid, sizeof(oid) - 1);

    cr_assert_not_null(at);
    return store->data + ((const char *)at - store->data);
}

Test(formats_java, a_sealed_store_with_any_byte_changed_is_refused)
{
    for (size_t n = 0; n < KINDS; n++) {
        struct xr_buf store = written(n, 1, "geheim");
        /* The NULL after the OID of SHA-256, which says nothing. */
        size_t idle = n == 0 ? store.len : (size_t)(sha256_in(&store) - store.data) + 9;

        for (size_t i = 0; i < store.len; i++) {
            if (i == idle)
                continue;
            store.data[i] = (char)(store.data[i] ^ 1);
            refused(n, bytes(&store), "geheim", NULL);
            store.data[i] = (char)(store.data[i] ^ 1);
        }
        xr_buf_free(&store);
    }
}

Test(formats_java, a_mac_that_is_unknown_here_is_refused_by_name)
{
    struct xr_buf store = written(1, 1, "geheim");

    memcpy(sha256_in(&store), PKCS "\x05\x0e", 9);
    refused(1, bytes(&store), "geheim", "PBMAC1");
    xr_buf_free(&store);
}

Test(formats_java, what_is_no_keystore_is_said)
{
    static const struct {
        size_t kind;
        const char *file;
        const char *why;
    } cases[] = {
        {0, "\xce\xce\xce\xce", "JCEKS"},
        {0, "some text", "it is no JKS keystore"},
        {1, "some text", "it is no PKCS#12 keystore"},
        {1, "\xfe\xed\xfe\xed", "--to java=PATH"},
    };
    const struct xr_output_options options = with(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *why = kind(cases[i].kind)->keeps(text(cases[i].file), &options);

        cr_assert_not_null(why);
        cr_expect_not_null(strstr(why, cases[i].why), "%zu: %s", i, why);
        refused(cases[i].kind, text(cases[i].file), NULL, cases[i].why);
        free(why);
    }
    for (size_t n = 0; n < KINDS; n++) {
        struct xr_buf store = written(1 - n, 1, NULL);

        refused(n, bytes(&store), NULL, n == 0 ? "--to java-p12=PATH" : "--to java=PATH");
        xr_buf_free(&store);
    }
}
