/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's extracts without p11-kit: names and formats, and that hostile bytes stay bytes. */
#include "p11files_fixtures.h"

/* ---- labels and names ---- */

Test(pf_extract, labels_come_from_the_subject)
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
            struct pf_store store = new_store();
            const char *want = first ? cases[i].first : cases[i].last;

            spec.subject.data = xr_memdup(cases[i].der, cases[i].len);
            spec.subject.len = cases[i].len;
            cr_assert_eq(pki_issue(&cert, key_of(0), NULL, NULL, &spec), 0, "%zu", i);
            store.first_rdn = first;
            add_cert(&store, 0, PF_ANCHORS, &cert);
            if (want == NULL)
                cr_expect_null(store.certs.items[0].label);
            else
                cr_expect_str_eq(store.certs.items[0].label, want);
            pki_blob_free(&cert);
            free(spec.subject.data);
            pf_free(&store);
        }
    }
}

Test(pf_extract, hostile_labels_stay_one_component_of_a_path)
{
    static const char *const labels[] = {"..",     ".",   "/",   "../../etc/passwd", "a%00b", "%0a",
                                         "%ff%fe", "-rf", "%25s"};
    struct pki_blob cert = root("Root", 0);
    struct pf_store store = new_store();
    struct xr_format_files outs = {0};
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
        cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK);
        xr_buf_free(&text);
        pki_blob_free(&other);
    }
    pf_extract(&outs, &store,
               &(struct pf_request){XR_FORMAT_PEM_DIRECTORY, PF_CA_ANCHORS, XR_SERVER, false});
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
    xr_format_files_free(&outs);
    pf_free(&store);
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

Test(pf_extract, a_label_adds_no_certificate_to_a_bundle)
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
    struct pf_store store = new_store();

    add_cert(&store, 0, PF_ANCHORS, &cert);
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
        cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK);
        xr_buf_free(&text);
        pki_blob_free(&cert);
    }
    for (int openssl = 0; openssl < 2; openssl++) {
        struct pf_request request = {openssl ? XR_FORMAT_OPENSSL_BUNDLE : XR_FORMAT_PEM_BUNDLE,
                                     PF_CERTIFICATES, 0, true};
        struct xr_format_files outs = {0};
        const char *text = NULL;
        size_t comments = 0;

        pf_extract(&outs, &store, &request);
        text = outs.items[0].content.data;
        cr_assert_eq(strlen(text), outs.items[0].content.len);
        cr_expect_eq(blocks_in(text, openssl ? "TRUSTED CERTIFICATE" : "CERTIFICATE"), 9);
        for (const char *p = text; *p != '\0'; p++) {
            cr_assert(*p == '\n' || ((unsigned char)*p >= ' ' && *p != 0x7f));
            comments += (p == text || p[-1] == '\n') && *p == '#';
        }
        cr_expect_eq(comments, 9);
        cr_expect_not_null(strstr(text, "x----\n"), "four are no harm");
        xr_format_files_free(&outs);
    }
    pf_free(&store);
}

Test(pf_extract, links_have_openssls_hash)
{
    struct pki_blob cert = root("  Some   CA of T\u00e4st ", 0);
    struct pf_store store = new_store();
    struct xr_format_files outs = {0};
    struct xr_slices slices = {.size = sizeof(slices)};
    uint32_t hash = 0;
    char *name = NULL;

    add_cert(&store, 0, PF_ANCHORS, &cert);
    pf_extract(&outs, &store,
               &(struct pf_request){XR_FORMAT_PEM_DIRECTORY, PF_CA_ANCHORS, XR_SERVER, false});
    cr_assert_eq(outs.count, 3);
    cr_assert_eq(xr_host.slices(&slices, bytes(&cert), NULL), XR_OK);
    cr_assert_eq(xr_host.name_hash(&hash, slices.subject, NULL), XR_OK);
    name = xr_format("%08x.0", (unsigned)hash);
    cr_expect_str_eq(outs.items[1].name, name);
    cr_expect_str_eq(outs.items[1].target, outs.items[0].name);
    cr_expect_str_eq(outs.items[2].target, outs.items[0].name);
    free(name);
    xr_format_files_free(&outs);
    pf_free(&store);
    pki_blob_free(&cert);
}

/* ---- formats ---- */

Test(pf_extract, a_bundle_is_pem_as_everybody_writes_it)
{
    struct pki_blob cert = root("One", 0), other = root("Two", 1);
    struct pf_store store = new_store();
    struct xr_format_files outs = {0};
    struct xr_buf want = {0};

    pf_extract(&outs, &store, &(struct pf_request){XR_FORMAT_PEM_BUNDLE, PF_CA_ANCHORS, 0, true});
    cr_expect(outs.count == 1 && outs.items[0].content.len == 0 && outs.items[0].name == NULL);
    xr_format_files_free(&outs);
    add_cert(&store, 0, PF_ANCHORS, &cert);
    add_cert(&store, 0, PF_ANCHORS, &other);
    add_cert(&store, 0, PF_ANCHORS, &cert);
    pf_extract(&outs, &store, &(struct pf_request){XR_FORMAT_PEM_BUNDLE, PF_CA_ANCHORS, 0, true});
    xr_buf_str(&want, "# One\n");
    put_pem(&want, "CERTIFICATE", &cert);
    xr_buf_str(&want, "\n# Two\n");
    put_pem(&want, "CERTIFICATE", &other);
    cr_expect_str_eq(outs.items[0].content.data, want.data);
    xr_buf_free(&want);
    xr_format_files_free(&outs);
    pf_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&other);
}

Test(pf_extract, aliases_of_java_differ_even_where_they_are_cut)
{
    struct pki_blob cert;
    struct pf_store store = new_store();
    struct xr_format_files outs = {0};
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
        cr_assert_eq(add_text(&store, PF_BASE, &text), XR_OK);
        xr_buf_free(&text);
        pki_blob_free(&cert);
    }
    pf_extract(&outs, &store, &(struct pf_request){XR_FORMAT_JAVA, PF_CERTIFICATES, 0, false});
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
    xr_format_files_free(&outs);
    pf_free(&store);
}

Test(pf_extract, keystores_compare_without_their_times)
{
    struct pki_blob cert = root("One", 0), other = root("Two", 1);
    struct pf_store store = new_store();
    struct xr_format_files a = {0}, b = {0};
    struct pf_request request = {XR_FORMAT_JAVA, PF_CA_ANCHORS, XR_SERVER, false};
    struct xr_bytes left, right;
    struct xr_buf salted = {0};
    size_t body = 0, time_at = 12 + 4 + 2 + 3;

    add_cert(&store, 0, PF_ANCHORS, &cert);
    add_cert(&store, 0, PF_ANCHORS, &other);
    pf_extract(&a, &store, &request);
    pf_extract(&b, &store, &request);
    left =
        (struct xr_bytes){(const unsigned char *)a.items[0].content.data, a.items[0].content.len};
    right =
        (struct xr_bytes){(const unsigned char *)b.items[0].content.data, b.items[0].content.len};
    body = right.len - 20;
    cr_expect(xr_format_same_jks(left, right, &xr_host));
    for (size_t i = 0; i < right.len; i++) {
        b.items[0].content.data[i] ^= 1;
        cr_assert(!xr_format_same_jks(left, right, &xr_host), "its digest is wrong at %zu", i);
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
            cr_expect_eq(xr_format_same_jks(left, right, &xr_host), time, "%zu", at);
        else
            (void)xr_format_same_jks(left, right, &xr_host);
        b.items[0].content.data[at] ^= 1;
    }
    for (size_t len = 0; len < left.len; len++)
        cr_assert(!xr_format_same_jks((struct xr_bytes){left.data, len},
                                      (struct xr_bytes){left.data, len}, &xr_host));
    xr_buf_free(&salted);
    xr_format_files_free(&a);
    xr_format_files_free(&b);
    pf_free(&store);
    pki_blob_free(&cert);
    pki_blob_free(&other);
}

/* ---- hostile bytes ---- */

static void expect_sane(const struct xr_format_file *out, enum xr_format format)
{
    bool openssl = format == XR_FORMAT_OPENSSL_BUNDLE || format == XR_FORMAT_OPENSSL_DIRECTORY;

    if (out->name != NULL)
        cr_assert(out->name[0] != '\0' && strlen(out->name) <= 255 && out->name[0] != '/' &&
                  strchr(out->name, '/') == NULL && strcmp(out->name, ".") != 0 &&
                  strcmp(out->name, "..") != 0);
    if (out->target != NULL || format == XR_FORMAT_JAVA || format == XR_FORMAT_EDK2 ||
        out->content.len == 0)
        return;
    cr_assert_eq(strlen(out->content.data), out->content.len);
    (void)blocks_in(out->content.data, openssl ? "TRUSTED CERTIFICATE" : "CERTIFICATE");
}

static void extract_all(struct pf_store *store)
{
    for (int format = XR_FORMAT_PEM_BUNDLE; format <= XR_FORMAT_OPENSSL_DIRECTORY; format++) {
        struct xr_format_files outs = {0};

        pf_extract(&outs, store,
                   &(struct pf_request){(enum xr_format)format, PF_CERTIFICATES, 0, true});
        for (size_t i = 0; i < outs.count; i++)
            expect_sane(&outs.items[i], (enum xr_format)format);
        xr_format_files_free(&outs);
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

Test(pf_extract, cut_files_are_read_to_their_end_and_no_further)
{
    struct xr_buf texts[SOURCES] = {0};

    sources(texts);
    for (size_t i = 0; i < SOURCES; i++) {
        for (size_t len = 0; len <= texts[i].len; len++) {
            struct pf_store store = new_store();

            (void)add_bytes(&store, 0, PF_ANCHORS, texts[i].data, len);
            extract_all(&store);
            pf_free(&store);
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

Test(pf_extract, changed_files_do_no_harm)
{
    const char *asked = getenv("XR_P11FILES_ROUNDS");
    size_t rounds = asked != NULL ? strtoul(asked, NULL, 10) : 10000;
    struct xr_buf texts[SOURCES] = {0};
    uint32_t state = 20261123;

    sources(texts);
    for (size_t round = 0; round < rounds; round++) {
        size_t which = round % SOURCES;
        struct xr_buf text = {0};
        struct pf_store store = new_store();

        change(&text, &texts[which], &state);
        if (which >= SOURCE_FILES) {
            struct pki_blob der = {(unsigned char *)text.data, text.len};
            struct xr_buf pem = {0};

            put_pem(&pem, which == SOURCE_CERT ? "CERTIFICATE" : "TRUSTED CERTIFICATE", &der);
            xr_buf_free(&text);
            text = pem;
        }
        (void)add_text(&store, PF_ANCHORS, &text);
        (void)add_text(&store, PF_BASE, &texts[SOURCE_OWN]);
        extract_all(&store);
        pf_free(&store);
        xr_buf_free(&text);
    }
    for (size_t i = 0; i < SOURCES; i++)
        xr_buf_free(&texts[i]);
}
