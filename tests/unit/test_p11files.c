/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's sources without p11-kit: what is read, and what is refused. tests/cacerts/extract.sh
 * compares with the real tool. */
#include "p11files_fixtures.h"

/* ---- trust ---- */

Test(p11, the_directory_overrules_what_an_object_says)
{
    static const struct {
        enum pf_area area;
        const char *says;
        bool trusted, distrusted;
    } cases[] = {
        {PF_BASE, "", false, false},
        {PF_BASE, "trusted: true\n", true, false},
        {PF_BASE, "x-distrusted: true\n", false, true},
        {PF_BASE, "trusted: 1\n", false, false},
        {PF_BASE, "trusted: \"%01\"\n", true, false},
        {PF_ANCHORS, "", true, false},
        {PF_ANCHORS, "trusted: false\n", true, false},
        {PF_ANCHORS, "x-distrusted: true\n", false, true},
        {PF_BLOCKLIST, "", false, true},
        {PF_BLOCKLIST, "trusted: true\n", false, true},
    };
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pf_store store = new_store();
        struct xr_buf text = {0};

        xr_buf_str(&text, HEADER);
        xr_buf_str(&text, cases[i].says);
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, cases[i].area, &text), XR_OK);
        cr_assert_eq(store.certs.count, 1);
        cr_expect_eq(store.certs.items[0].trusted, cases[i].trusted, "%zu", i);
        cr_expect_eq(store.certs.items[0].distrusted, cases[i].distrusted, "%zu", i);
        xr_buf_free(&text);
        pf_free(&store);
    }
    pki_blob_free(&cert);
}

Test(p11, openssl_trust_without_purposes_is_distrust)
{
    static const char *const server[] = {"serverAuth", NULL};
    struct pki_blob cert = root("Root", 0), trusted, rejected;
    struct pf_store store = new_store();
    struct xr_buf text = {0};

    cr_assert_eq(pki_trusted(&trusted, &cert, server, NULL, "Alias"), 0);
    cr_assert_eq(pki_trusted(&rejected, &cert, NULL, server, NULL), 0);
    put_pem(&text, "TRUSTED CERTIFICATE", &trusted);
    put_pem(&text, "TRUSTED CERTIFICATE", &rejected);
    put_pem(&text, "TRUSTED CERTIFICATE", &cert);
    cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK);
    cr_assert_eq(store.certs.count, 3);
    cr_assert_eq(store.extensions.count, 3, "EKU; EKU and reject");
    cr_expect(store.certs.items[0].trusted && !store.certs.items[0].distrusted);
    cr_expect_str_eq(store.certs.items[0].label, "Alias");
    cr_expect(!store.certs.items[1].trusted && store.certs.items[1].distrusted);
    cr_expect_str_eq(store.certs.items[1].label, "Root");
    cr_expect(!store.certs.items[2].trusted && !store.certs.items[2].distrusted);
    xr_buf_free(&text);
    pf_free(&store);
    pki_blob_free(&trusted);
    pki_blob_free(&rejected);
    pki_blob_free(&cert);
}

Test(p11, distrust_reaches_the_key_and_every_token)
{
    struct pki_blob cert = root("Root", 0), twin = root("Twin", 0), other = root("Other", 1);
    struct pf_store store = new_store();

    add_cert(&store, 0, PF_ANCHORS, &cert);
    add_cert(&store, 0, PF_ANCHORS, &other);
    cr_expect_eq(anchors(&store), 2);
    add_cert(&store, 1, PF_BLOCKLIST, &twin);
    cr_expect_eq(anchors(&store), 1);
    pf_combine(&store);
    cr_expect(store.certs.items[0].blocked && !store.certs.items[1].blocked);
    cr_expect_eq(extracted(&store, PF_CERTIFICATES, 0), 3);
    pf_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&twin);
    pki_blob_free(&other);
}

Test(p11, distrust_needs_no_certificate)
{
    struct pki_blob cert = root("Root", 0), other = root("Other", 1);
    struct pf_store store = new_store();
    struct xr_buf text = {0};
    struct xr_slices slices = {.size = sizeof(slices)};

    add_cert(&store, 0, PF_ANCHORS, &cert);
    add_cert(&store, 0, PF_ANCHORS, &other);
    cr_assert_eq(xr_host.slices(&slices, bytes(&cert), NULL), XR_OK);
    xr_buf_str(&text, HEADER "class: certificate\ncertificate-type: x-509\nx-distrusted: true\n");
    xr_buf_str(&text, "issuer: \"");
    for (size_t i = 0; i < slices.issuer.len; i++)
        xr_buf_fmt(&text, "%%%02x", slices.issuer.data[i]);
    xr_buf_str(&text, "\"\nserial-number: \"");
    for (size_t i = 0; i < slices.serial.len; i++)
        xr_buf_fmt(&text, "%%%02X", slices.serial.data[i]);
    xr_buf_str(&text, "\"\n");
    cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK);
    cr_assert_eq(store.certs.count, 3);
    cr_expect_eq(store.certs.items[2].der.len, 0);
    cr_expect_eq(anchors(&store), 1, "by issuer and serial");
    text.len = 0;
    xr_buf_str(&text, HEADER "class: certificate\ncertificate-type: x-509\nx-distrusted: true\n");
    put_key(&text, 1);
    cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK);
    cr_expect_eq(anchors(&store), 0, "by key");
    xr_buf_free(&text);
    pf_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&other);
}

Test(p11, distrust_is_heard_beside_attributes_of_no_meaning)
{
    static const char *const lines[] = {"wrap-template: 1\n", "1073742355: true\n",
                                        "nss-mozilla-ca-policy: true\n", "modifiable: false\n"};
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct pf_store store = new_store();
        struct xr_buf text = {0};

        add_cert(&store, 0, PF_ANCHORS, &cert);
        xr_buf_fmt(&text, HEADER "class: certificate\nx-distrusted: true\n%s", lines[i]);
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK, "%s", lines[i]);
        cr_expect_eq(anchors(&store), 0, "%s", lines[i]);
        xr_buf_free(&text);
        pf_free(&store);
    }
    pki_blob_free(&cert);
}

Test(p11, attached_extensions_bind_in_their_token_and_the_first_one_counts)
{
    struct pki_blob cert = root("Root", 0);
    struct pf_store store = new_store();

    add_cert(&store, 0, PF_ANCHORS, &cert);
    attach(&store, 1, 0, EKU_EMAIL);
    cr_expect_eq(anchors(&store), 1);
    attach(&store, 0, 0, EKU_SERVER);
    attach(&store, 0, 0, EKU_EMAIL);
    cr_expect_eq(extracted(&store, PF_CA_ANCHORS, XR_SERVER), 1);
    cr_expect_eq(extracted(&store, PF_CA_ANCHORS, XR_EMAIL), 0);
    cr_expect_eq(store.certs.items[0].purposes, XR_SERVER);
    attach(&store, 0, 0, BASIC_NOT);
    cr_expect_eq(anchors(&store), 0);
    cr_expect(!store.certs.items[0].authority);
    attach(&store, 0, 0, BASIC_CA);
    cr_expect_eq(anchors(&store), 0);
    pf_free(&store);
    pki_blob_free(&cert);
}

Test(p11, a_copy_that_fails_its_purpose_hides_the_next)
{
    struct pki_blob cert = root("Root", 0);
    struct pf_store store = new_store();

    add_cert(&store, 0, PF_BASE, &cert);
    add_cert(&store, 1, PF_ANCHORS, &cert);
    attach(&store, 1, 0, EKU_EMAIL);
    add_cert(&store, 2, PF_ANCHORS, &cert);
    cr_expect_eq(anchors(&store), 0, "the trusted copy of token 1 came first");
    cr_expect_eq(extracted(&store, PF_CERTIFICATES, 0), 1);
    pf_free(&store);
    pki_blob_free(&cert);
}

Test(p11, broken_attachments_keep_a_certificate_out)
{
    static const char *const broken[] = {"",
                                         "%30",
                                         "%30%05%06%03%55%1d%25",
                                         "%30%0a%06%03%55%1d%25%04%03%30%01%05",
                                         "%30%05%06%01%55%04%00",
                                         EKU_PIECES};
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct pf_store store = new_store();

        add_cert(&store, 0, PF_ANCHORS, &cert);
        attach(&store, 0, 0, broken[i]);
        cr_expect_eq(extracted(&store, PF_CERTIFICATES, 0), 0, "%zu", i);
        pf_free(&store);
    }
    pki_blob_free(&cert);
}

/* ---- files ---- */

Test(p11, a_broken_file_of_p11_kits_own_still_counts_as_pem)
{
    static const char *const heads[] = {
        HEADER "unknown: 1\n",     HEADER "trusted: \"yes\n",    HEADER "trusted\n",
        HEADER "label: \"%zz\"\n", "[other]\nno colon\n" HEADER, "trusted: true\n" HEADER,
    };
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct pf_store store = new_store();
        struct xr_buf text = {0};

        xr_buf_str(&text, heads[i]);
        xr_buf_str(&text, "trusted: true\n");
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK);
        cr_assert_eq(store.certs.count, 1);
        cr_expect(!store.certs.items[0].trusted, "%zu", i);
        xr_buf_free(&text);
        pf_free(&store);
    }
    pki_blob_free(&cert);
}

Test(p11, an_object_that_is_refused_ends_its_file)
{
    struct pki_blob cert = root("Root", 0);
    struct pf_store store = new_store();
    struct xr_buf text = {0};

    for (size_t i = 0; i < 3; i++) {
        xr_buf_str(&text, HEADER);
        xr_buf_str(&text, i == 1 ? "key-type: rsa\n" : "trusted: true\n");
        put_pem(&text, "CERTIFICATE", &cert);
    }
    cr_assert_eq(add_text(&store, PF_BASE, &text), XR_INVALID);
    cr_expect_eq(store.certs.count, 1);
    xr_buf_free(&text);
    pf_free(&store);
    pki_blob_free(&cert);
}

Test(p11, pem_is_read_with_p11_kits_manners)
{
    static const struct {
        const char *before, *after;
        bool read;
    } cases[] = {
        {"-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----", true},
        {"text\n-----BEGIN CERTIFICATE-----\r\n", "-----END CERTIFICATE-----\r\n", true},
        {"-----BEGIN CERTIFICATE-----\nA: b\n\n", "-----END CERTIFICATE-----\n", true},
        {"-----BEGIN CERTIFICATE-----\nA: b\n", "-----END CERTIFICATE-----\n", false},
        {"-----BEGIN CERTIFICATE-----\n", "\n\n-----END CERTIFICATE-----\n", false},
        {"-----BEGIN X509 CERTIFICATE-----\n", "-----END X509 CERTIFICATE-----\n", false},
        {"-----BEGIN CERTIFICATE-----\n", "-----END CRL-----\n", false},
        {"-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE----", false},
        {"-----BEGIN CERTIFICATE\n-----\n", "-----END CERTIFICATE-----\n", false},
        {"-----BEGIN CERTIFICATE-----\n", "AA=A-----END CERTIFICATE-----\n", false},
        {"-----BEGIN CERTIFICATE-----\n", "**-----END CERTIFICATE-----\n", false},
    };
    struct pki_blob cert = root("Root", 0);
    size_t len = 0;
    char *pem = xr_host.pem("CERTIFICATE", bytes(&cert), &len);
    char *body = strchr(pem, '\n') + 1;

    *strstr(body, "-----END") = '\0';
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pf_store store = new_store();
        struct xr_buf text = {0};

        xr_buf_str(&text, cases[i].before);
        xr_buf_str(&text, body);
        xr_buf_str(&text, cases[i].after);
        (void)add_text(&store, PF_BASE, &text);
        cr_expect_eq(store.certs.count, cases[i].read, "%zu", i);
        xr_buf_free(&text);
        pf_free(&store);
    }
    free(pem);
    pki_blob_free(&cert);
}

Test(p11, der_is_one_certificate_and_nothing_else)
{
    struct pki_blob cert = root("Root", 0);
    struct pf_store store = new_store();
    unsigned char *longer = xr_memdup(cert.data, cert.len);

    cr_expect_eq(add_bytes(&store, 0, PF_BASE, longer, cert.len), XR_OK);
    cr_expect_eq(add_bytes(&store, 0, PF_BASE, longer, cert.len + 1), XR_INVALID);
    cr_expect_eq(add_bytes(&store, 0, PF_BASE, longer, 0), XR_INVALID);
    cr_expect_eq(store.certs.count, 1);
    cr_expect_eq(store.files, 3);
    free(longer);
    pf_free(&store);
    pki_blob_free(&cert);
}

/* The same with a length that only two zeros at the end tell. */
static void put_open(struct xr_buf *out, struct xr_bytes element)
{
    size_t head = element.data[1] < 0x80 ? 2 : 2 + (element.data[1] & 0x7fu);

    xr_buf_add(out, element.data, 1);
    xr_buf_add(out, "\x80", 1);
    xr_buf_add(out, element.data + head, element.len - head);
    xr_buf_add(out, "\0", 2);
}

Test(p11, lengths_that_are_not_said_block_and_publish_as_with_p11_kit)
{
    struct pki_blob cert = root("Root", 0);
    struct xr_buf open = {0};
    struct pf_store store = new_store();

    put_open(&open, bytes(&cert));
    cr_assert_eq(add_bytes(&store, 0, PF_ANCHORS, open.data, open.len), XR_OK);
    cr_expect_eq(anchors(&store), 1);
    cr_expect_str_eq(store.certs.items[0].label, "Root");
    pf_free(&store);
    add_cert(&store, 0, PF_ANCHORS, &cert);
    cr_assert_eq(add_bytes(&store, 0, PF_BLOCKLIST, open.data, open.len), XR_OK);
    cr_expect_eq(anchors(&store), 0, "blocked by its key");
    pf_free(&store);
    cr_expect_eq(add_bytes(&store, 0, PF_ANCHORS, open.data, open.len - 1), XR_INVALID);
    open.data[open.len - 1] = 1;
    cr_expect_eq(add_bytes(&store, 0, PF_ANCHORS, open.data, open.len), XR_INVALID);
    for (size_t i = 0; i < open.len; i++)
        open.data[i] = (char)(i % 2 ? 0x80 : 0x30);
    cr_expect_eq(add_bytes(&store, 0, PF_ANCHORS, open.data, open.len), XR_INVALID);
    pf_free(&store);
    xr_buf_free(&open);
    pki_blob_free(&cert);
}

Test(p11, octet_strings_in_pieces_block_and_say_nothing)
{
    static const char *const oids[] = {"\x06\x03\x55\x1d\x0e", "\x06\x03\x55\x1d\x13"};
    struct pki_blob plain = root("Root", 0);

    for (size_t i = 0; i < 2; i++) {
        struct pki_blob cert = {xr_memdup(plain.data, plain.len), plain.len};
        unsigned char *oid = memmem(cert.data, cert.len, oids[i], 5);
        unsigned char *tag = NULL;
        struct pf_store store = new_store();

        cr_assert_not_null(oid);
        tag = oid + 5 + (oid[5] == 1 ? 3 : 0);
        cr_assert_eq(*tag, 4);
        *tag = 0x24;
        if (i == 1) /* what is inside must be octet strings */
            tag[2] = 4;
        cr_assert_eq(add_bytes(&store, 0, PF_ANCHORS, cert.data, cert.len), XR_OK);
        cr_expect_eq(anchors(&store), 1 - i, "a key identifier matters to nobody");
        add_cert(&store, 0, PF_ANCHORS, &plain);
        cr_expect_eq(anchors(&store), 2 - i);
        cr_assert_eq(add_bytes(&store, 0, PF_BLOCKLIST, cert.data, cert.len), XR_OK);
        cr_expect_eq(anchors(&store), 0);
        pf_free(&store);
        *tag = 0x24;
        tag[2] = 5;
        cr_expect_eq(add_bytes(&store, 0, PF_ANCHORS, cert.data, cert.len), XR_INVALID);
        pf_free(&store);
        free(cert.data);
    }
    pki_blob_free(&plain);
}
