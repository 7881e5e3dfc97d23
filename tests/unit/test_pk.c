/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's sources and extracts without p11-kit: what is read, what is refused, and that hostile
 * bytes stay bytes. tests/cacerts/extract.sh compares with the real tool. */
#include "../../backends/cacerts/pk.h"
#include "pki.h"
#include "registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW    INT64_C(1800000000)
#define HEADER "[p11-kit-object-v1]\n"

#define EKU_SERVER "%30%13%06%03%55%1d%25%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%01"
#define EKU_EMAIL  "%30%13%06%03%55%1d%25%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%04"
#define EKU_PIECES "%30%15%06%03%55%1d%25%24%0e%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%01"
#define BASIC_NOT  "%30%09%06%03%55%1d%13%04%02%30%00"
#define BASIC_CA   "%30%0c%06%03%55%1d%13%04%05%30%03%01%01%ff"

/* ---- fixtures ---- */

static struct pki_key *key_of(size_t number)
{
    static struct pki_key *keys[4];

    if (keys[number] == NULL)
        keys[number] = pki_key_new(PKI_EC);
    cr_assert(keys[number] != NULL);
    return keys[number];
}

static struct pki_blob root(const char *cn, size_t key)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct pki_blob cert;

    cr_assert_eq(pki_issue(&cert, key_of(key), NULL, NULL, &spec), 0);
    return cert;
}

static struct xr_bytes bytes(const struct pki_blob *blob)
{
    return (struct xr_bytes){blob->data, blob->len};
}

static void put_pem(struct xr_buf *out, const char *label, const struct pki_blob *der)
{
    size_t len = 0;
    char *text = xr_host.pem(label, bytes(der), &len);

    xr_buf_add(out, text, len);
    free(text);
}

static void put_key(struct xr_buf *out, size_t key)
{
    struct pki_blob spki;

    cr_assert_eq(pki_key_spki(&spki, key_of(key)), 0);
    put_pem(out, "PUBLIC KEY", &spki);
    pki_blob_free(&spki);
}

static struct pk_store new_store(void)
{
    return (struct pk_store){.host = &xr_host};
}

/* Adds a copy of exactly that size, so that the sanitizer guards its end. */
static enum xr_status add_bytes(struct pk_store *store, size_t token, enum pk_area area,
                                const void *data, size_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    cr_assert(exact != NULL);
    if (len > 0)
        memcpy(exact, data, len);
    status = pk_add(store, token, area, "file", (struct xr_bytes){exact, len}, &err);
    cr_assert(status == XR_OK || (status == XR_INVALID && err.text[0] != '\0'));
    free(exact);
    return status;
}

static enum xr_status add_text(struct pk_store *store, enum pk_area area, const struct xr_buf *text)
{
    return add_bytes(store, 0, area, text->data, text->len);
}

static void add_cert(struct pk_store *store, size_t token, enum pk_area area,
                     const struct pki_blob *der)
{
    cr_assert_eq(add_bytes(store, token, area, der->data, der->len), XR_OK);
}

static void attach(struct pk_store *store, size_t token, size_t key, const char *value)
{
    struct xr_buf text = {0};

    xr_buf_str(&text, HEADER "class: x-certificate-extension\nvalue: \"");
    xr_buf_str(&text, value);
    xr_buf_str(&text, "\"\n");
    put_key(&text, key);
    cr_assert_eq(add_bytes(store, token, PK_BASE, text.data, text.len), XR_OK);
    xr_buf_free(&text);
}

/* How many certificates an output of that filter and purpose has. */
static size_t extracted(struct pk_store *store, enum pk_filter filter, uint32_t purpose)
{
    struct pk_outs outs = {0};
    size_t count = 0;

    pk_extract(&outs, store, &(struct pk_request){PK_EDK2_CACERTS, filter, purpose, false});
    cr_assert_eq(outs.count, 1);
    for (size_t at = 0; at < outs.items[0].content.len; count++) {
        uint32_t size = 0;

        memcpy(&size, outs.items[0].content.data + at + 16, 4);
        at += size;
    }
    pk_outs_free(&outs);
    return count;
}

static size_t anchors(struct pk_store *store)
{
    return extracted(store, PK_CA_ANCHORS, XR_SERVER);
}

/* ---- trust ---- */

Test(pk, the_directory_overrules_what_an_object_says)
{
    static const struct {
        enum pk_area area;
        const char *says;
        bool trusted, distrusted;
    } cases[] = {
        {PK_BASE, "", false, false},
        {PK_BASE, "trusted: true\n", true, false},
        {PK_BASE, "x-distrusted: true\n", false, true},
        {PK_BASE, "trusted: 1\n", false, false},
        {PK_BASE, "trusted: \"%01\"\n", true, false},
        {PK_ANCHORS, "", true, false},
        {PK_ANCHORS, "trusted: false\n", true, false},
        {PK_ANCHORS, "x-distrusted: true\n", false, true},
        {PK_BLOCKLIST, "", false, true},
        {PK_BLOCKLIST, "trusted: true\n", false, true},
    };
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pk_store store = new_store();
        struct xr_buf text = {0};

        xr_buf_str(&text, HEADER);
        xr_buf_str(&text, cases[i].says);
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, cases[i].area, &text), XR_OK);
        cr_assert_eq(store.certs.count, 1);
        cr_expect_eq(store.certs.items[0].trusted, cases[i].trusted, "%zu", i);
        cr_expect_eq(store.certs.items[0].distrusted, cases[i].distrusted, "%zu", i);
        xr_buf_free(&text);
        pk_free(&store);
    }
    pki_blob_free(&cert);
}

Test(pk, openssl_trust_without_purposes_is_distrust)
{
    static const char *const server[] = {"serverAuth", NULL};
    struct pki_blob cert = root("Root", 0), trusted, rejected;
    struct pk_store store = new_store();
    struct xr_buf text = {0};

    cr_assert_eq(pki_trusted(&trusted, &cert, server, NULL, "Alias"), 0);
    cr_assert_eq(pki_trusted(&rejected, &cert, NULL, server, NULL), 0);
    put_pem(&text, "TRUSTED CERTIFICATE", &trusted);
    put_pem(&text, "TRUSTED CERTIFICATE", &rejected);
    put_pem(&text, "TRUSTED CERTIFICATE", &cert);
    cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK);
    cr_assert_eq(store.certs.count, 3);
    cr_assert_eq(store.extensions.count, 3, "EKU; EKU and reject");
    cr_expect(store.certs.items[0].trusted && !store.certs.items[0].distrusted);
    cr_expect_str_eq(store.certs.items[0].label, "Alias");
    cr_expect(!store.certs.items[1].trusted && store.certs.items[1].distrusted);
    cr_expect_str_eq(store.certs.items[1].label, "Root");
    cr_expect(!store.certs.items[2].trusted && !store.certs.items[2].distrusted);
    xr_buf_free(&text);
    pk_free(&store);
    pki_blob_free(&trusted);
    pki_blob_free(&rejected);
    pki_blob_free(&cert);
}

Test(pk, distrust_reaches_the_key_and_every_token)
{
    struct pki_blob cert = root("Root", 0), twin = root("Twin", 0), other = root("Other", 1);
    struct pk_store store = new_store();

    add_cert(&store, 0, PK_ANCHORS, &cert);
    add_cert(&store, 0, PK_ANCHORS, &other);
    cr_expect_eq(anchors(&store), 2);
    add_cert(&store, 1, PK_BLOCKLIST, &twin);
    cr_expect_eq(anchors(&store), 1);
    pk_settle(&store);
    cr_expect(store.certs.items[0].blocked && !store.certs.items[1].blocked);
    cr_expect_eq(extracted(&store, PK_CERTIFICATES, 0), 3);
    pk_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&twin);
    pki_blob_free(&other);
}

Test(pk, distrust_needs_no_certificate)
{
    struct pki_blob cert = root("Root", 0), other = root("Other", 1);
    struct pk_store store = new_store();
    struct xr_buf text = {0};
    struct xr_slices slices = {.size = sizeof(slices)};

    add_cert(&store, 0, PK_ANCHORS, &cert);
    add_cert(&store, 0, PK_ANCHORS, &other);
    cr_assert_eq(xr_host.slices(&slices, bytes(&cert), NULL), XR_OK);
    xr_buf_str(&text, HEADER "class: certificate\ncertificate-type: x-509\nx-distrusted: true\n");
    xr_buf_str(&text, "issuer: \"");
    for (size_t i = 0; i < slices.issuer.len; i++)
        xr_buf_fmt(&text, "%%%02x", slices.issuer.data[i]);
    xr_buf_str(&text, "\"\nserial-number: \"");
    for (size_t i = 0; i < slices.serial.len; i++)
        xr_buf_fmt(&text, "%%%02X", slices.serial.data[i]);
    xr_buf_str(&text, "\"\n");
    cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK);
    cr_assert_eq(store.certs.count, 3);
    cr_expect_eq(store.certs.items[2].der.len, 0);
    cr_expect_eq(anchors(&store), 1, "by issuer and serial");
    text.len = 0;
    xr_buf_str(&text, HEADER "class: certificate\ncertificate-type: x-509\nx-distrusted: true\n");
    put_key(&text, 1);
    cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK);
    cr_expect_eq(anchors(&store), 0, "by key");
    xr_buf_free(&text);
    pk_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&other);
}

Test(pk, distrust_is_heard_beside_attributes_of_no_meaning)
{
    static const char *const lines[] = {"wrap-template: 1\n", "1073742355: true\n",
                                        "nss-mozilla-ca-policy: true\n", "modifiable: false\n"};
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct pk_store store = new_store();
        struct xr_buf text = {0};

        add_cert(&store, 0, PK_ANCHORS, &cert);
        xr_buf_fmt(&text, HEADER "class: certificate\nx-distrusted: true\n%s", lines[i]);
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK, "%s", lines[i]);
        cr_expect_eq(anchors(&store), 0, "%s", lines[i]);
        xr_buf_free(&text);
        pk_free(&store);
    }
    pki_blob_free(&cert);
}

Test(pk, attached_extensions_bind_in_their_token_and_the_first_one_counts)
{
    struct pki_blob cert = root("Root", 0);
    struct pk_store store = new_store();

    add_cert(&store, 0, PK_ANCHORS, &cert);
    attach(&store, 1, 0, EKU_EMAIL);
    cr_expect_eq(anchors(&store), 1);
    attach(&store, 0, 0, EKU_SERVER);
    attach(&store, 0, 0, EKU_EMAIL);
    cr_expect_eq(extracted(&store, PK_CA_ANCHORS, XR_SERVER), 1);
    cr_expect_eq(extracted(&store, PK_CA_ANCHORS, XR_EMAIL), 0);
    cr_expect_eq(store.certs.items[0].purposes, XR_SERVER);
    attach(&store, 0, 0, BASIC_NOT);
    cr_expect_eq(anchors(&store), 0);
    cr_expect(!store.certs.items[0].authority);
    attach(&store, 0, 0, BASIC_CA);
    cr_expect_eq(anchors(&store), 0);
    pk_free(&store);
    pki_blob_free(&cert);
}

Test(pk, a_copy_that_fails_its_purpose_hides_the_next)
{
    struct pki_blob cert = root("Root", 0);
    struct pk_store store = new_store();

    add_cert(&store, 0, PK_BASE, &cert);
    add_cert(&store, 1, PK_ANCHORS, &cert);
    attach(&store, 1, 0, EKU_EMAIL);
    add_cert(&store, 2, PK_ANCHORS, &cert);
    cr_expect_eq(anchors(&store), 0, "the trusted copy of token 1 came first");
    cr_expect_eq(extracted(&store, PK_CERTIFICATES, 0), 1);
    pk_free(&store);
    pki_blob_free(&cert);
}

Test(pk, broken_attachments_keep_a_certificate_out)
{
    static const char *const broken[] = {"",
                                         "%30",
                                         "%30%05%06%03%55%1d%25",
                                         "%30%0a%06%03%55%1d%25%04%03%30%01%05",
                                         "%30%05%06%01%55%04%00",
                                         EKU_PIECES};
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct pk_store store = new_store();

        add_cert(&store, 0, PK_ANCHORS, &cert);
        attach(&store, 0, 0, broken[i]);
        cr_expect_eq(extracted(&store, PK_CERTIFICATES, 0), 0, "%zu", i);
        pk_free(&store);
    }
    pki_blob_free(&cert);
}

/* ---- files ---- */

Test(pk, a_broken_file_of_p11_kits_own_still_counts_as_pem)
{
    static const char *const heads[] = {
        HEADER "unknown: 1\n",     HEADER "trusted: \"yes\n",    HEADER "trusted\n",
        HEADER "label: \"%zz\"\n", "[other]\nno colon\n" HEADER, "trusted: true\n" HEADER,
    };
    struct pki_blob cert = root("Root", 0);

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct pk_store store = new_store();
        struct xr_buf text = {0};

        xr_buf_str(&text, heads[i]);
        xr_buf_str(&text, "trusted: true\n");
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK);
        cr_assert_eq(store.certs.count, 1);
        cr_expect(!store.certs.items[0].trusted, "%zu", i);
        xr_buf_free(&text);
        pk_free(&store);
    }
    pki_blob_free(&cert);
}

Test(pk, an_object_that_is_refused_ends_its_file)
{
    struct pki_blob cert = root("Root", 0);
    struct pk_store store = new_store();
    struct xr_buf text = {0};

    for (size_t i = 0; i < 3; i++) {
        xr_buf_str(&text, HEADER);
        xr_buf_str(&text, i == 1 ? "key-type: rsa\n" : "trusted: true\n");
        put_pem(&text, "CERTIFICATE", &cert);
    }
    cr_assert_eq(add_text(&store, PK_BASE, &text), XR_INVALID);
    cr_expect_eq(store.certs.count, 1);
    xr_buf_free(&text);
    pk_free(&store);
    pki_blob_free(&cert);
}

Test(pk, pem_is_read_with_p11_kits_manners)
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
        struct pk_store store = new_store();
        struct xr_buf text = {0};

        xr_buf_str(&text, cases[i].before);
        xr_buf_str(&text, body);
        xr_buf_str(&text, cases[i].after);
        (void)add_text(&store, PK_BASE, &text);
        cr_expect_eq(store.certs.count, cases[i].read, "%zu", i);
        xr_buf_free(&text);
        pk_free(&store);
    }
    free(pem);
    pki_blob_free(&cert);
}

Test(pk, der_is_one_certificate_and_nothing_else)
{
    struct pki_blob cert = root("Root", 0);
    struct pk_store store = new_store();
    unsigned char *longer = xr_memdup(cert.data, cert.len);

    cr_expect_eq(add_bytes(&store, 0, PK_BASE, longer, cert.len), XR_OK);
    cr_expect_eq(add_bytes(&store, 0, PK_BASE, longer, cert.len + 1), XR_INVALID);
    cr_expect_eq(add_bytes(&store, 0, PK_BASE, longer, 0), XR_INVALID);
    cr_expect_eq(store.certs.count, 1);
    cr_expect_eq(store.files, 3);
    free(longer);
    pk_free(&store);
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

Test(pk, lengths_that_are_not_said_block_and_publish_as_with_p11_kit)
{
    struct pki_blob cert = root("Root", 0);
    struct xr_buf open = {0};
    struct pk_store store = new_store();

    put_open(&open, bytes(&cert));
    cr_assert_eq(add_bytes(&store, 0, PK_ANCHORS, open.data, open.len), XR_OK);
    cr_expect_eq(anchors(&store), 1);
    cr_expect_str_eq(store.certs.items[0].label, "Root");
    pk_free(&store);
    add_cert(&store, 0, PK_ANCHORS, &cert);
    cr_assert_eq(add_bytes(&store, 0, PK_BLOCKLIST, open.data, open.len), XR_OK);
    cr_expect_eq(anchors(&store), 0, "blocked by its key");
    pk_free(&store);
    cr_expect_eq(add_bytes(&store, 0, PK_ANCHORS, open.data, open.len - 1), XR_INVALID);
    open.data[open.len - 1] = 1;
    cr_expect_eq(add_bytes(&store, 0, PK_ANCHORS, open.data, open.len), XR_INVALID);
    for (size_t i = 0; i < open.len; i++)
        open.data[i] = (char)(i % 2 ? 0x80 : 0x30);
    cr_expect_eq(add_bytes(&store, 0, PK_ANCHORS, open.data, open.len), XR_INVALID);
    pk_free(&store);
    xr_buf_free(&open);
    pki_blob_free(&cert);
}

Test(pk, octet_strings_in_pieces_block_and_say_nothing)
{
    static const char *const oids[] = {"\x06\x03\x55\x1d\x0e", "\x06\x03\x55\x1d\x13"};
    struct pki_blob plain = root("Root", 0);

    for (size_t i = 0; i < 2; i++) {
        struct pki_blob cert = {xr_memdup(plain.data, plain.len), plain.len};
        unsigned char *oid = memmem(cert.data, cert.len, oids[i], 5);
        unsigned char *tag = NULL;
        struct pk_store store = new_store();

        cr_assert_not_null(oid);
        tag = oid + 5 + (oid[5] == 1 ? 3 : 0);
        cr_assert_eq(*tag, 4);
        *tag = 0x24;
        if (i == 1) /* what is inside must be octet strings */
            tag[2] = 4;
        cr_assert_eq(add_bytes(&store, 0, PK_ANCHORS, cert.data, cert.len), XR_OK);
        cr_expect_eq(anchors(&store), 1 - i, "a key identifier matters to nobody");
        add_cert(&store, 0, PK_ANCHORS, &plain);
        cr_expect_eq(anchors(&store), 2 - i);
        cr_assert_eq(add_bytes(&store, 0, PK_BLOCKLIST, cert.data, cert.len), XR_OK);
        cr_expect_eq(anchors(&store), 0);
        pk_free(&store);
        *tag = 0x24;
        tag[2] = 5;
        cr_expect_eq(add_bytes(&store, 0, PK_ANCHORS, cert.data, cert.len), XR_INVALID);
        pk_free(&store);
        free(cert.data);
    }
    pki_blob_free(&plain);
}

/* ---- labels and names ---- */

Test(pk, labels_come_from_the_subject)
{
    static const struct {
        const char *der;
        size_t len;
        const char *last, *first;
    } cases[] = {
        {"\x30\x00", 2, NULL, NULL},
        {"\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x0a\x13\x03Org", 16, "Org", "Org"},
        {"\x30\x1a\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02"
         "CN\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02"
         "cn",
         28, "cn", "CN"},
        {"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x1e\x02\x00\xe4", 15, "\u00e4", "\u00e4"},
        {"\x30\x1a\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x14\x02\xff\xfe"
         "\x31\x0b\x30\x09\x06\x03\x55\x04\x0b\x13\x02OU",
         28, "OU", "OU"},
        {"\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03"
         "a\0b",
         16, "a", "a"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int first = 0; first < 2; first++) {
            struct pki_spec spec = pki_spec_ca("unused", NOW);
            struct pki_blob cert;
            struct pk_store store = new_store();
            const char *want = first ? cases[i].first : cases[i].last;

            spec.subject.data = xr_memdup(cases[i].der, cases[i].len);
            spec.subject.len = cases[i].len;
            cr_assert_eq(pki_issue(&cert, key_of(0), NULL, NULL, &spec), 0, "%zu", i);
            store.first_rdn = first;
            add_cert(&store, 0, PK_ANCHORS, &cert);
            if (want == NULL)
                cr_expect_null(store.certs.items[0].label);
            else
                cr_expect_str_eq(store.certs.items[0].label, want);
            pki_blob_free(&cert);
            free(spec.subject.data);
            pk_free(&store);
        }
    }
}

Test(pk, hostile_labels_stay_one_component_of_a_path)
{
    static const char *const labels[] = {"..",     ".",   "/",   "../../etc/passwd", "a%00b", "%0a",
                                         "%ff%fe", "-rf", "%25s"};
    struct pki_blob cert = root("Root", 0);
    struct pk_store store = new_store();
    struct pk_outs outs = {0};
    struct xr_idmap seen = {0};
    size_t count = sizeof(labels) / sizeof(labels[0]);

    for (size_t i = 0; i < count + 300; i++) {
        struct pki_blob other = root(i % 2 ? "Same" : "same", 1);
        struct xr_buf text = {0};

        xr_buf_fmt(&text, HEADER "trusted: true\n");
        if (i < count) {
            xr_buf_str(&text, "label: \"");
            xr_buf_str(&text, labels[i]);
            xr_buf_str(&text, "\"\n");
        } else if (i == count) {
            xr_buf_str(&text, "label: \"");
            for (size_t n = 0; n < 400; n++)
                xr_buf_str(&text, "x");
            xr_buf_str(&text, "\"\n");
        }
        put_pem(&text, "CERTIFICATE", &other);
        cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK);
        xr_buf_free(&text);
        pki_blob_free(&other);
    }
    pk_extract(&outs, &store,
               &(struct pk_request){PK_PEM_DIRECTORY_HASH, PK_CA_ANCHORS, XR_SERVER, false});
    cr_assert_eq(outs.count, 3 * (count + 300));
    for (size_t i = 0; i < outs.count; i++) {
        const char *name = outs.items[i].name;
        unsigned char id[XR_SHA256_LEN];
        bool added = false;

        cr_expect(strlen(name) <= 255 && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
                      strcmp(name, "..") != 0,
                  "%s", name);
        xr_host.sha256(id, (struct xr_bytes){(const unsigned char *)name, strlen(name)});
        (void)xr_idmap_put(&seen, id, i, &added);
        cr_expect(added, "%s twice", name);
    }
    xr_idmap_free(&seen);
    pk_outs_free(&outs);
    pk_free(&store);
    pki_blob_free(&cert);
}

/* Each "-----BEGIN" and "-----END" is that of a certificate of ours, at the start of its line. */
static size_t blocks_in(const char *text, const char *type)
{
    static const char dashes[] = "-----";
    size_t blocks = 0;

    for (const char *at = text; (at = strstr(at, dashes)) != NULL; blocks++) {
        char *line = xr_format("%s %s-----\n", blocks % 2 ? "-----END" : "-----BEGIN", type);

        cr_assert(at == text || at[-1] == '\n');
        cr_assert_eq(strncmp(at, line, strlen(line)), 0, "%.80s", at);
        at += strlen(line);
        free(line);
    }
    return blocks / 2;
}

Test(pk, a_label_adds_no_certificate_to_a_bundle)
{
    static const char *const labels[] = {
        "x%0a-----BEGIN CERTIFICATE-----%0aMIIB%0a-----END CERTIFICATE-----",
        "x%0d-----BEGIN CERTIFICATE-----%0dMIIB%0d-----END CERTIFICATE-----%0d",
        "-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----",
        "------------------BEGIN CERTIFICATE-----",
        "-%01----%02-----%0b%0c%1b%7f",
        "%0a%0a%0a-----",
        "%2d%2d%2d%2d%2dBEGIN%20X509%20CRL%2d%2d%2d%2d%2d",
        "----",
    };
    struct pki_blob cert = root("-----BEGIN CERTIFICATE-----\n-----", 0);
    struct pk_store store = new_store();

    add_cert(&store, 0, PK_ANCHORS, &cert);
    pki_blob_free(&cert);
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        struct xr_buf text = {0};

        cert = root("Root", i % 4);
        xr_buf_str(&text, HEADER "trusted: true\nlabel: \"");
        /* behind so much, OpenSSL takes the rest for a line */
        for (size_t n = 0; i % 2 != 0 && n < 252; n++)
            xr_buf_str(&text, "x");
        xr_buf_str(&text, labels[i]);
        xr_buf_str(&text, "\"\n");
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK);
        xr_buf_free(&text);
        pki_blob_free(&cert);
    }
    for (int openssl = 0; openssl < 2; openssl++) {
        struct pk_request request = {openssl ? PK_OPENSSL_BUNDLE : PK_PEM_BUNDLE, PK_CERTIFICATES,
                                     0, true};
        struct pk_outs outs = {0};
        const char *text = NULL;
        size_t comments = 0;

        pk_extract(&outs, &store, &request);
        text = outs.items[0].content.data;
        cr_assert_eq(strlen(text), outs.items[0].content.len);
        cr_expect_eq(blocks_in(text, openssl ? "TRUSTED CERTIFICATE" : "CERTIFICATE"), 9);
        for (const char *p = text; *p != '\0'; p++) {
            cr_assert(*p == '\n' || ((unsigned char)*p >= ' ' && *p != 0x7f));
            comments += (p == text || p[-1] == '\n') && *p == '#';
        }
        cr_expect_eq(comments, 9);
        cr_expect_not_null(strstr(text, "x----\n"), "four are no harm");
        pk_outs_free(&outs);
    }
    pk_free(&store);
}

Test(pk, links_have_openssls_hash)
{
    struct pki_blob cert = root("  Some   CA of T\u00e4st ", 0);
    struct pk_store store = new_store();
    struct pk_outs outs = {0};
    struct xr_slices slices = {.size = sizeof(slices)};
    uint32_t hash = 0;
    char *name = NULL;

    add_cert(&store, 0, PK_ANCHORS, &cert);
    pk_extract(&outs, &store,
               &(struct pk_request){PK_PEM_DIRECTORY_HASH, PK_CA_ANCHORS, XR_SERVER, false});
    cr_assert_eq(outs.count, 3);
    cr_assert_eq(xr_host.slices(&slices, bytes(&cert), NULL), XR_OK);
    cr_assert_eq(xr_host.name_hash(&hash, slices.subject, NULL), XR_OK);
    name = xr_format("%08x.0", (unsigned)hash);
    cr_expect_str_eq(outs.items[1].name, name);
    cr_expect_str_eq(outs.items[1].target, outs.items[0].name);
    cr_expect_str_eq(outs.items[2].target, outs.items[0].name);
    free(name);
    pk_outs_free(&outs);
    pk_free(&store);
    pki_blob_free(&cert);
}

/* ---- formats ---- */

Test(pk, a_bundle_is_pem_as_everybody_writes_it)
{
    struct pki_blob cert = root("One", 0), other = root("Two", 1);
    struct pk_store store = new_store();
    struct pk_outs outs = {0};
    struct xr_buf want = {0};

    pk_extract(&outs, &store, &(struct pk_request){PK_PEM_BUNDLE, PK_CA_ANCHORS, 0, true});
    cr_expect(outs.count == 1 && outs.items[0].content.len == 0 && outs.items[0].name == NULL);
    pk_outs_free(&outs);
    add_cert(&store, 0, PK_ANCHORS, &cert);
    add_cert(&store, 0, PK_ANCHORS, &other);
    add_cert(&store, 0, PK_ANCHORS, &cert);
    pk_extract(&outs, &store, &(struct pk_request){PK_PEM_BUNDLE, PK_CA_ANCHORS, 0, true});
    xr_buf_str(&want, "# One\n");
    put_pem(&want, "CERTIFICATE", &cert);
    xr_buf_str(&want, "\n# Two\n");
    put_pem(&want, "CERTIFICATE", &other);
    cr_expect_str_eq(outs.items[0].content.data, want.data);
    xr_buf_free(&want);
    pk_outs_free(&outs);
    pk_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&other);
}

Test(pk, aliases_of_java_differ_even_where_they_are_cut)
{
    struct pki_blob cert;
    struct pk_store store = new_store();
    struct pk_outs outs = {0};
    struct xr_buf label = {0};
    char *longest = NULL, *second = NULL;

    while (label.len < 60000)
        xr_buf_str(&label, "X y");
    longest = xr_format("%32700s", "");
    for (size_t i = 0; i < 32700; i++)
        longest[i] = i % 2 ? 'y' : 'x';
    second = xr_format("%s-1", longest);
    for (size_t i = 0; i < 2; i++) {
        struct xr_buf text = {0};

        cert = root("Root", i);
        xr_buf_str(&text, HEADER "label: \"");
        xr_buf_str(&text, label.data);
        xr_buf_str(&text, i == 0 ? "\"\n" : "z\"\n");
        put_pem(&text, "CERTIFICATE", &cert);
        cr_assert_eq(add_text(&store, PK_BASE, &text), XR_OK);
        xr_buf_free(&text);
        pki_blob_free(&cert);
    }
    pk_extract(&outs, &store, &(struct pk_request){PK_JAVA_CACERTS, PK_CERTIFICATES, 0, false});
    for (size_t i = 0, at = 12; i < 2; i++) {
        const unsigned char *p = (const unsigned char *)outs.items[0].content.data + at;
        const char *want = i == 0 ? longest : second;

        cr_assert_eq((size_t)p[4] << 8 | p[5], strlen(want));
        cr_expect_eq(memcmp(p + 6, want, strlen(want)), 0);
        at += 6 + strlen(want) + 8 + 2 + 5 + 4 + store.certs.items[i].der.len;
    }
    free(longest);
    free(second);
    xr_buf_free(&label);
    pk_outs_free(&outs);
    pk_free(&store);
}

Test(pk, keystores_compare_without_their_times)
{
    struct pki_blob cert = root("One", 0), other = root("Two", 1);
    struct pk_store store = new_store();
    struct pk_outs a = {0}, b = {0};
    struct pk_request request = {PK_JAVA_CACERTS, PK_CA_ANCHORS, XR_SERVER, false};
    struct xr_bytes left, right;
    struct xr_buf salted = {0};
    size_t body = 0, time_at = 12 + 4 + 2 + 3;

    add_cert(&store, 0, PK_ANCHORS, &cert);
    add_cert(&store, 0, PK_ANCHORS, &other);
    pk_extract(&a, &store, &request);
    pk_extract(&b, &store, &request);
    left =
        (struct xr_bytes){(const unsigned char *)a.items[0].content.data, a.items[0].content.len};
    right =
        (struct xr_bytes){(const unsigned char *)b.items[0].content.data, b.items[0].content.len};
    body = right.len - 20;
    cr_expect(pk_same_keystore(left, right, &xr_host));
    for (size_t i = 0; i < right.len; i++) {
        b.items[0].content.data[i] ^= 1;
        cr_assert(!pk_same_keystore(left, right, &xr_host), "its digest is wrong at %zu", i);
        b.items[0].content.data[i] ^= 1;
    }
    for (size_t at = 0; at < body; at++) {
        bool time = at >= time_at && at < time_at + 8;

        if (at > 60 && at % 7 != 0)
            continue;
        b.items[0].content.data[at] ^= 1;
        salted.len = 0;
        xr_buf_add(&salted, "\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite", 32);
        xr_buf_add(&salted, b.items[0].content.data, body);
        xr_host.sha1((unsigned char *)b.items[0].content.data + body,
                     (struct xr_bytes){(const unsigned char *)salted.data, salted.len});
        if (at < time_at + 8)
            cr_expect_eq(pk_same_keystore(left, right, &xr_host), time, "%zu", at);
        else
            (void)pk_same_keystore(left, right, &xr_host);
        b.items[0].content.data[at] ^= 1;
    }
    for (size_t len = 0; len < left.len; len++)
        cr_assert(!pk_same_keystore((struct xr_bytes){left.data, len},
                                    (struct xr_bytes){left.data, len}, &xr_host));
    xr_buf_free(&salted);
    pk_outs_free(&a);
    pk_outs_free(&b);
    pk_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&other);
}

/* ---- hostile bytes ---- */

static void expect_sane(const struct pk_out *out, enum pk_format format)
{
    bool openssl = format == PK_OPENSSL_BUNDLE || format == PK_OPENSSL_DIRECTORY;

    if (out->name != NULL)
        cr_assert(out->name[0] != '\0' && strlen(out->name) <= 255 && out->name[0] != '/' &&
                  strchr(out->name, '/') == NULL && strcmp(out->name, ".") != 0 &&
                  strcmp(out->name, "..") != 0);
    if (out->target != NULL || format == PK_JAVA_CACERTS || format == PK_EDK2_CACERTS ||
        out->content.len == 0)
        return;
    cr_assert_eq(strlen(out->content.data), out->content.len);
    (void)blocks_in(out->content.data, openssl ? "TRUSTED CERTIFICATE" : "CERTIFICATE");
}

static void extract_all(struct pk_store *store)
{
    for (int format = PK_PEM_BUNDLE; format <= PK_OPENSSL_DIRECTORY; format++) {
        struct pk_outs outs = {0};

        pk_extract(&outs, store,
                   &(struct pk_request){(enum pk_format)format, PK_CERTIFICATES, 0, true});
        for (size_t i = 0; i < outs.count; i++)
            expect_sane(&outs.items[i], (enum pk_format)format);
        pk_outs_free(&outs);
    }
}

/* What a file may be; the last two are DER that a PEM block is to hold. */
enum { SOURCE_OWN = 3, SOURCE_FILES, SOURCE_CERT = SOURCE_FILES, SOURCE_TRUSTED, SOURCES };

static void sources(struct xr_buf out[SOURCES])
{
    static const char *const trust[] = {"serverAuth", "emailProtection", "1.2.3.4.5", NULL};
    static const char *const reject[] = {"codeSigning", NULL};
    struct pki_spec spec = pki_spec_leaf("Leaf of T\u00e4st", NOW);
    struct pki_blob cert, trusted;

    cr_assert_eq(pki_issue(&cert, key_of(0), NULL, NULL, &spec), 0);
    cr_assert_eq(pki_trusted(&trusted, &cert, trust, reject, "Alias"), 0);
    xr_buf_add(&out[0], cert.data, cert.len);
    put_pem(&out[1], "CERTIFICATE", &cert);
    put_pem(&out[2], "TRUSTED CERTIFICATE", &trusted);
    xr_buf_str(&out[3], HEADER "class: x-certificate-extension\nvalue: \"" EKU_SERVER "\"\n");
    put_key(&out[3], 0);
    xr_buf_str(&out[3], HEADER "class: x-certificate-extension\nobject-id: 2.5.29.19\n"
                               "value: \"" BASIC_CA "\"\n");
    put_key(&out[3], 0);
    xr_buf_str(&out[3], HEADER "trusted: true\nlabel: \"a%20b\"\n");
    put_pem(&out[3], "CERTIFICATE", &cert);
    xr_buf_add(&out[SOURCE_CERT], cert.data, cert.len);
    xr_buf_add(&out[SOURCE_TRUSTED], trusted.data, trusted.len);
    pki_blob_free(&trusted);
    pki_blob_free(&cert);
}

Test(pk, cut_files_are_read_to_their_end_and_no_further)
{
    struct xr_buf texts[SOURCES] = {0};

    sources(texts);
    for (size_t i = 0; i < SOURCES; i++) {
        for (size_t len = 0; len <= texts[i].len; len++) {
            struct pk_store store = new_store();

            (void)add_bytes(&store, 0, PK_ANCHORS, texts[i].data, len);
            extract_all(&store);
            pk_free(&store);
        }
        xr_buf_free(&texts[i]);
    }
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* One to four changes: a bit, a byte that means something, a run gone, a run twice. */
static void change(struct xr_buf *out, const struct xr_buf *from, uint32_t *state)
{
    static const unsigned char likely[] = {0,    1,    2,    4,    6,    0x0c, 0x13,
                                           0x1e, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x84,
                                           0xa0, 0xa3, 0xff, '\n', '"',  '%',  '-'};
    size_t changes = 1 + next_random(state) % 4;

    xr_buf_add(out, from->data, from->len);
    for (size_t i = 0; i < changes && out->len > 0; i++) {
        size_t at = next_random(state) % out->len;
        size_t run = 1 + next_random(state) % 16;

        run = run < out->len - at ? run : out->len - at;
        switch (next_random(state) % 6) {
        case 0:
            memmove(out->data + at, out->data + at + run, out->len - at - run);
            out->len -= run;
            break;
        case 1:
            for (size_t k = 0; k < run; k++)
                xr_buf_add(out, "", 1);
            memmove(out->data + at + run, out->data + at, out->len - run - at);
            break;
        case 2:
            out->data[at] = (char)(out->data[at] ^ 1 << next_random(state) % 8);
            break;
        default:
            out->data[at] = (char)likely[next_random(state) % sizeof(likely)];
        }
    }
}

Test(pk, changed_files_do_no_harm)
{
    const char *asked = getenv("XR_PK_ROUNDS");
    size_t rounds = asked != NULL ? strtoul(asked, NULL, 10) : 10000;
    struct xr_buf texts[SOURCES] = {0};
    uint32_t state = 20261123;

    sources(texts);
    for (size_t round = 0; round < rounds; round++) {
        size_t which = round % SOURCES;
        struct xr_buf text = {0};
        struct pk_store store = new_store();

        change(&text, &texts[which], &state);
        if (which >= SOURCE_FILES) {
            struct pki_blob der = {(unsigned char *)text.data, text.len};
            struct xr_buf pem = {0};

            put_pem(&pem, which == SOURCE_CERT ? "CERTIFICATE" : "TRUSTED CERTIFICATE", &der);
            xr_buf_free(&text);
            text = pem;
        }
        (void)add_text(&store, PK_ANCHORS, &text);
        (void)add_text(&store, PK_BASE, &texts[SOURCE_OWN]);
        extract_all(&store);
        pk_free(&store);
        xr_buf_free(&text);
    }
    for (size_t i = 0; i < SOURCES; i++)
        xr_buf_free(&texts[i]);
}
