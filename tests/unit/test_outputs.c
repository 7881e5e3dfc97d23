/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of `crossroot extract`: whatever a list calls its certificates, each file says what it is to
 * say, and nothing else. Beside the scripts that these formats are compared with: tests/lists. */
#include "certs/x509.h"
#include "formats/outputs.h"
#include "kit/limits.h"
#include "kit/pem.h"
#include "pki.h"
#include "stores/registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW   INT64_C(1800000000)
#define BEGIN "-----BEGIN CERTIFICATE-----"

/* Each is one label; some end a line, a quotation, a tag or a directory in some format. */
#define LABEL(text)            \
    {                          \
        text, sizeof(text) - 1 \
    }
static const struct {
    const char *text;
    size_t len;
} hostile[] = {
    LABEL(BEGIN),
    LABEL("a\n" BEGIN "\nMIIB\n-----END CERTIFICATE-----\n"),
    LABEL("a\r" BEGIN),
    LABEL("-----BEGIN TRUSTED CERTIFICATE-----"),
    LABEL("../../etc/passwd"),
    LABEL("/etc/passwd"),
    LABEL(".."),
    LABEL("."),
    LABEL(""),
    LABEL(".hidden"),
    LABEL("a\0b"),
    LABEL("\0"),
    LABEL("\xff\xfe\x80"),
    LABEL("\xef\xbf\xbe\xef\xbf\xbf\xe2\x80\xa8\xe2\x80\xae"),
    LABEL("</string><key>PayloadType</key><string>x"),
    LABEL("]]>&amp;<!--"),
    LABEL("\"], \"CADistrustedCertificates\": [\""),
    LABEL("C:\\windows:stream"),
    LABEL("\n!mozilla/x.crt\n#"),
    LABEL("- | > & * ! % @ ` { ["),
    LABEL("Same"),
    LABEL("Same"),
    LABEL("Same"),
    LABEL("same"),
    LABEL("Same 2"),
};
enum { HOSTILE = sizeof(hostile) / sizeof(hostile[0]), LONG = 600, COUNT = HOSTILE + 2 };

struct set {
    struct xr_format_cert certs[COUNT], *pointers[COUNT];
    size_t count;
    char longs[2][LONG];
};

static struct pki_key *key_of(void)
{
    static struct pki_key *key;

    if (key == NULL)
        key = pki_key_new(PKI_EC);
    cr_assert(key != NULL);
    return key;
}

static void add(struct set *set, const char *label, size_t len, const struct pki_spec *spec,
                const struct pki_key *signer)
{
    struct xr_format_cert *cert = &set->certs[set->count];
    struct pki_blob blob;

    cr_assert_eq(pki_issue(&blob, key_of(), NULL, signer, spec), 0);
    *cert = (struct xr_format_cert){.label = label, .label_len = len, .trusted = XR_SERVER};
    cr_assert_eq(xr_cert_new(&cert->cert, (struct xr_bytes){blob.data, blob.len}, NULL), XR_OK);
    cert->der = cert->cert->der;
    set->pointers[set->count++] = cert;
    pki_blob_free(&blob);
}

static void add_root(struct set *set, const char *label)
{
    struct pki_spec spec = pki_spec_ca(label, NOW);

    add(set, label, strlen(label), &spec, NULL);
}

static void add_hostile(struct set *set)
{
    struct pki_spec spec = pki_spec_ca("Root", NOW);

    for (size_t i = 0; i < HOSTILE; i++)
        add(set, hostile[i].text, hostile[i].len, &spec, NULL);
    for (size_t k = 0; k < 2; k++) {
        memset(set->longs[k], 'x', LONG);
        for (size_t i = k; k > 0 && i + 1 < LONG; i += 2)
            memcpy(set->longs[k] + i, "\xc3\xa9", 2);
        add(set, set->longs[k], LONG, &spec, NULL);
    }
    cr_assert_eq(set->count, COUNT);
}

static void set_free(struct set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        xr_cert_free(set->certs[i].cert);
        free(set->certs[i].base64);
    }
    *set = (struct set){.count = 0};
}

static struct xr_format_files written(struct set *set, const char *name)
{
    static const struct xr_output_source source = {
        .name = "certdata.txt\n" BEGIN, .sha256 = {0xab}, .modified = 951827696};
    const struct xr_output_options options = {
        .host = &xr_host, .comments = true, .purpose = XR_SERVER, .source = &source};
    const struct xr_output_format *format = xr_output_format(name, strlen(name));
    struct xr_format_files out = {0};
    struct xr_format_cert *held[COUNT];
    size_t count = 0;

    cr_assert_not_null(format);
    for (size_t i = 0; i < set->count; i++) {
        if (format->refuses == NULL || format->refuses(set->pointers[i]) == NULL)
            held[count++] = set->pointers[i];
    }
    format->write(&out, held, count, &options);
    cr_assert_gt(out.count, 0);
    for (size_t i = 0; i < out.count; i++)
        cr_expect_eq(out.items[i].name != NULL, format->directory, "%s", name);
    return out;
}

static struct xr_bytes content(const struct xr_format_file *file)
{
    return (struct xr_bytes){(const unsigned char *)file->content.data, file->content.len};
}

static size_t occurrences(struct xr_bytes in, const char *what)
{
    size_t count = 0, len = strlen(what);
    const unsigned char *at = in.data, *end = in.data + in.len;

    while ((at = xr_memmem(at, (size_t)(end - at), what, len)) != NULL) {
        count++;
        at += len;
    }
    return count;
}

static bool has(const struct xr_format_files *out, const char *text)
{
    return occurrences(content(&out->items[0]), text) == 1;
}

static const struct xr_format_file *file_of(const struct xr_format_files *out, const char *name)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->items[i].name, name) == 0)
            return &out->items[i];
    }
    return NULL;
}

/* The blocks are those of the certificates, in their order, for readers that want a BEGIN at the start
 * of a line, and for those that take one anywhere. */
static void expect_blocks(const char *name, struct xr_bytes file, const struct set *set,
                          size_t first, size_t count)
{
    struct xr_bytes rest = file;
    struct xr_pem_block block;

    cr_expect_eq(occurrences(file, "-----BEGIN"), count, "%s", name);
    cr_expect_eq(occurrences(file, "-----END"), count, "%s", name);
    for (size_t i = first; i < first + count; i++) {
        struct xr_buf der = {0}, digits = {0};

        cr_assert_eq(xr_pem_next(&block, &rest, file.data, false), XR_PEM_BLOCK, "%s", name);
        for (size_t k = 0; k < block.body.len; k++) {
            if (!xr_pem_space(block.body.data[k]))
                xr_buf_add(&digits, block.body.data + k, 1);
        }
        cr_expect(xr_base64(&der, (const unsigned char *)digits.data, digits.len));
        cr_expect(xr_bytes_equal((struct xr_bytes){(unsigned char *)der.data, der.len},
                                 set->certs[i].der),
                  "%s %zu", name, i);
        xr_buf_free(&der);
        xr_buf_free(&digits);
    }
    cr_expect_eq(xr_pem_next(&block, &rest, file.data, false), XR_PEM_NONE, "%s", name);
}

Test(outputs, no_label_adds_a_certificate_to_a_bundle)
{
    static const char *const formats[] = {"pem", "curl-pem", "certifi"};
    struct set set = {.count = 0};

    add_hostile(&set);
    for (size_t i = 0; i < 3; i++) {
        struct xr_format_files out = written(&set, formats[i]);

        cr_assert_eq(out.count, 1);
        expect_blocks(formats[i], content(&out.items[0]), &set, 0, COUNT);
        xr_format_files_free(&out);
    }
    set_free(&set);
}

static bool plain_name(const char *name)
{
    const char *slash = strchr(name, '/'), *last = slash != NULL ? slash + 1 : name;

    return name[0] != '.' && name[0] != '/' && last[0] != '.' && last[0] != '\0' &&
           strchr(last, '/') == NULL && strlen(last) <= 255 &&
           strpbrk(name, "\\:*?\"<>|\n\r\x7f") == NULL;
}

static bool same_but_for_case(const char *a, const char *b)
{
    while (*a != '\0' &&
           (*a | (*a >= 'A' && *a <= 'Z' ? 32 : 0)) == (*b | (*b >= 'A' && *b <= 'Z' ? 32 : 0))) {
        a++;
        b++;
    }
    return *a == *b;
}

Test(outputs, file_names_stay_in_the_directory_and_are_all_different)
{
    struct set set = {.count = 0};
    struct xr_format_files out = {0};

    add_hostile(&set);
    out = written(&set, "debian");
    cr_assert_eq(out.count, COUNT + 1);
    for (size_t i = 0; i < out.count; i++) {
        cr_expect(plain_name(out.items[i].name), "%s", out.items[i].name);
        for (size_t k = 0; k < i; k++)
            cr_expect_not(same_but_for_case(out.items[i].name, out.items[k].name));
        if (i < COUNT)
            expect_blocks("debian", content(&out.items[i]), &set, i, 1);
    }
    for (const char *at = out.items[COUNT].content.data; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '\n');
        char *line = xr_format("%.*s", (int)(end - at), at);

        cr_expect(line[0] == '#' || file_of(&out, line) != NULL, "%s", line);
        free(line);
        at = end + 1;
    }
    cr_expect_eq(occurrences(content(&out.items[COUNT]), "\nmozilla/"), COUNT);
    xr_format_files_free(&out);
    set_free(&set);
}

Test(outputs, debian_loses_no_third_certificate_of_a_name)
{
    static const char *const names[] = {"mozilla/A_=B=_C.crt", "mozilla/A_=B=_C_2.crt",
                                        "mozilla/A_=B=_C_3.crt", "mozilla/F\xc5\x91=x=.crt"};
    struct set set = {.count = 0};
    struct xr_format_files out = {0};

    for (size_t i = 0; i < 3; i++)
        add_root(&set, i == 1 ? "A/(B),C" : "A (B) C");
    add_root(&set, "F\xc5\x91(x)");
    out = written(&set, "debian");
    for (size_t i = 0; i < 4; i++)
        cr_expect_str_eq(out.items[i].name, names[i]);
    cr_expect_not_null(strstr(out.items[4].content.data,
                              "#\nmozilla/A_=B=_C.crt\nmozilla/A_=B=_C_2.crt\n"
                              "mozilla/A_=B=_C_3.crt\nmozilla/F\xc5\x91=x=.crt\n"));
    xr_format_files_free(&out);
    set_free(&set);
}

Test(outputs, curl_underlines_characters_and_dates_as_perl_does)
{
    static const struct {
        int64_t at;
        const char *text;
    } times[] = {
        {0, "Thu Jan  1 00:00:00 1970"},          {-1, "Wed Dec 31 23:59:59 1969"},
        {951827696, "Tue Feb 29 12:34:56 2000"},  {1704067200, "Mon Jan  1 00:00:00 2024"},
        {4107542400, "Mon Mar  1 00:00:00 2100"}, {-2203891200, "Thu Mar  1 00:00:00 1900"}};
    const struct xr_output_format *format = xr_output_format("curl-pem", 8);
    struct set set = {.count = 0};

    add_root(&set, "F\xc5\x91tan\xc3\xbas");
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        const struct xr_output_source source = {.name = "certdata.txt", .modified = times[i].at};
        const struct xr_output_options options = {
            .host = &xr_host, .purpose = XR_SERVER, .source = &source};
        struct xr_format_files out = {0};
        char *line = xr_format(" as of: %s GMT\n", times[i].text);

        format->write(&out, set.pointers, set.count, &options);
        cr_expect(has(&out, line), "%s", line);
        cr_expect(has(&out, "\n\nF\xc5\x91tan\xc3\xbas\n=======\n" BEGIN "\n"));
        free(line);
        xr_format_files_free(&out);
    }
    set_free(&set);
}

Test(outputs, certifi_has_the_names_that_its_makers_take)
{
    /* O=A, OU=1, OU=Fő in BMPString, CN=first, CN in T61String, a country */
    static unsigned char name[] = "\x30\x4c\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x13\x01"
                                  "A"
                                  "\x31\x0a\x30\x08\x06\x03\x55\x04\x0b\x0c\x01"
                                  "1"
                                  "\x31\x0d\x30\x0b\x06\x03\x55\x04\x0b\x1e\x04\x00"
                                  "F"
                                  "\x01\x51\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
                                  "x"
                                  "\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x14\x01\xe9\x31\x0b"
                                  "\x30\x09\x06\x03\x55\x04\x06\x13\x02JP";
    struct set set = {.count = 0};
    struct pki_spec spec = pki_spec_ca("unused", NOW);
    struct xr_format_files out = {0};

    spec.subject = (struct pki_blob){name, sizeof(name) - 1};
    spec.serial = "123456789012345678901234567890";
    add(&set, "\"\xf0\x9f\x94\x92\"", 6, &spec, NULL);
    out = written(&set, "certifi");
    cr_expect(has(&out, "\n# Issuer: CN=\\xe9 O=A OU=1/F\\u0151\n"
                        "# Subject: CN=\\xe9 O=A OU=1/F\\u0151\n"
                        "# Label: \"\"\\U0001f512\"\"\n"
                        "# Serial: 123456789012345678901234567890\n# MD5 Fingerprint: "),
              "%s", out.items[0].content.data);
    xr_format_files_free(&out);
    set_free(&set);
}

Test(outputs, chromium_gets_each_certificate_in_the_list_that_says_what_it_is)
{
    struct set set = {.count = 0};
    struct xr_limits limits = {.dns = {.count = 0}};
    struct xr_format_files out = {0};
    const char *text = NULL, *at = NULL;

    static const char *const heads[] = {"{\n  \"CACertificates\": [\n    \"MII",
                                        "\"\n  ],\n  \"CACertificatesWithConstraints\": [\n    {\n"
                                        "      \"certificate\": \"MII",
                                        "\",\n      \"constraints\": {\n"
                                        "        \"permitted_dns_names\": [\n"
                                        "          \"example.com\"\n        ],\n"
                                        "        \"permitted_cidrs\": [\n"
                                        "          \"192.0.2.0/24\"\n        ]\n      }\n    }\n"
                                        "  ],\n  \"CAHintCertificates\": [\n    \"MII",
                                        "\",\n    \"MII",
                                        "\"\n  ],\n  \"CADistrustedCertificates\": [\n    \"MII",
                                        "\"\n  ]\n}\n"};

    for (size_t i = 0; i < 5; i++)
        add_root(&set, hostile[16].text);
    cr_assert(xr_limits_add_dns(&limits, "example.com"));
    cr_assert(xr_limits_add_cidr(&limits, "192.0.2.0/24"));
    set.certs[0].trusted = 0;
    set.certs[0].distrusted = XR_SERVER;
    set.certs[1].trusted = 0;
    set.certs[2].limits = &limits;
    set.certs[4].trusted = XR_EMAIL;
    out = written(&set, "chromium-policy");
    text = out.items[0].content.data;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        at = strstr(text, heads[i]);
        cr_assert_not_null(at, "%s", heads[i]);
        cr_assert(i > 0 || at == text);
        text = at + strlen(heads[i]);
    }
    cr_expect_str_eq(text, "");
    xr_format_files_free(&out);
    set_free(&set);
    out = written(&set, "chromium-policy");
    cr_expect_str_eq(out.items[0].content.data, "{}\n");
    xr_format_files_free(&out);
    xr_limits_free(&limits);
}

Test(outputs, firefox_gets_a_file_for_each_name_that_it_is_told)
{
    struct set set = {.count = 0};
    struct xr_format_files out = {0};
    const struct xr_format_file *policy = NULL;

    add_hostile(&set);
    out = written(&set, "firefox-policy");
    cr_assert_eq(out.count, COUNT + 1);
    policy = file_of(&out, "policies.json");
    cr_assert_not_null(policy);
    cr_expect_eq(occurrences(content(policy), "\""), (size_t)(6 + 2 * COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        const char *name = out.items[i].name, dir[] = "certificates/";
        char *quoted = NULL;

        cr_assert_eq(strncmp(name, dir, sizeof(dir) - 1), 0);
        cr_expect(strchr(name + sizeof(dir) - 1, '/') == NULL && name[sizeof(dir) - 1] != '~');
        quoted = xr_format("\"%s\"", name + sizeof(dir) - 1);
        cr_expect_eq(occurrences(content(policy), quoted), 1, "%s", quoted);
        free(quoted);
        expect_blocks("firefox-policy", content(&out.items[i]), &set, i, 1);
        cr_expect_eq(strncmp(out.items[i].content.data, BEGIN "\n", sizeof(BEGIN)), 0);
    }
    xr_format_files_free(&out);
    set_free(&set);
}

Test(outputs, a_profile_is_xml_whatever_a_label_says)
{
    struct set set = {.count = 0};
    struct xr_format_files out = {0};
    struct xr_bytes file;

    add_hostile(&set);
    out = written(&set, "mobileconfig");
    file = content(&out.items[0]);
    cr_expect_eq(occurrences(file, "<string>"), (size_t)(5 * COUNT + 5));
    cr_expect_eq(occurrences(file, "</string>"), (size_t)(5 * COUNT + 5));
    cr_expect_eq(occurrences(file, "<key>PayloadType</key>"), (size_t)(COUNT + 1));
    cr_expect_eq(occurrences(file, "<data>"), (size_t)COUNT);
    cr_expect_eq(occurrences(file, "<!"), 1);
    cr_expect_eq(occurrences(file, "<string>]]&gt;&amp;amp;&lt;!--</string>"), 1);
    cr_expect_eq(occurrences(file, "\xef\xbf\xbe"), 0);
    cr_expect_eq(occurrences(file, "\xef\xbf\xbd\xef\xbf\xbd"), 1);
    for (size_t i = 0; i < file.len;) {
        uint32_t c = 0;
        size_t len = xr_utf8_next(&c, file.data + i, file.len - i);

        cr_assert(len > 0 && (c >= ' ' || c == '\n' || c == '\t'), "at %zu", i);
        i += len;
    }
    xr_format_files_free(&out);
    set_free(&set);
}

Test(outputs, a_profile_makes_roots_only_of_anchors_that_signed_themselves)
{
    struct pki_spec spec = pki_spec_ca("Cross", NOW);
    struct pki_key *other = pki_key_new(PKI_EC);
    struct set set = {.count = 0};
    struct xr_format_files out = {0};

    add_root(&set, "Root");
    add(&set, "Not signed by itself", 20, &spec, other);
    add(&set, "Builds paths", 12, &spec, other);
    set.certs[2].trusted = 0;
    out = written(&set, "mobileconfig");
    cr_expect(has(&out, "<string>com.apple.security.root</string>"));
    cr_expect_eq(occurrences(content(&out.items[0]), "<string>com.apple.security.pkcs1</string>"),
                 2);
    xr_format_files_free(&out);
    set_free(&set);
    pki_key_free(other);
}

Test(outputs, kubernetes_gets_only_what_its_server_takes)
{
    struct pki_spec old = pki_spec_ca("Version 1", NOW), leaf = pki_spec_leaf("Leaf", NOW),
                    negative = pki_spec_ca("Negative", NOW);
    struct set set = {.count = 0};
    struct xr_format_files out = {0};

    add_root(&set, "Root");
    old.version = 1;
    add(&set, "old", 3, &old, NULL);
    add(&set, "leaf", 4, &leaf, NULL);
    negative.serial = "-12";
    add(&set, "negative", 8, &negative, NULL);
    set.pointers[set.count++] = &set.certs[0];
    out = written(&set, "cluster-trust-bundle");
    set.count--;
    cr_expect_eq(occurrences(content(&out.items[0]), BEGIN), 1);
    cr_expect(has(&out, "apiVersion: certificates.k8s.io/v1beta1\nkind: ClusterTrustBundle\n"
                        "metadata:\n  name: crossroot-server\nspec:\n  trustBundle: |\n"
                        "    " BEGIN "\n    MII"));
    xr_format_files_free(&out);
    set_free(&set);
}

Test(outputs, a_bundle_of_more_than_a_mebibyte_is_several)
{
    static const char cn[] = "0123456789012345678901234567890123456789012345678901234567890";
    enum { MANY = 4000 };
    struct xr_format_cert **pointers = xr_new(MANY, sizeof(*pointers));
    const struct xr_output_options options = {.host = &xr_host, .purpose = XR_EMAIL};
    struct set set = {.count = 0};
    struct xr_format_files out = {0};
    struct xr_bytes file;
    unsigned char *ders = NULL;
    size_t size = 0;

    add_root(&set, cn);
    /* Different bytes, the same certificate but for its signature, which nobody checks. */
    size = set.certs[0].der.len;
    ders = xr_new(MANY, size);
    for (size_t i = 0; i < MANY; i++) {
        unsigned char *der = ders + i * size;

        memcpy(der, set.certs[0].der.data, size);
        der[size - 1] = (unsigned char)i;
        der[size - 2] = (unsigned char)(i >> 8);
        pointers[i] = xr_new(1, sizeof(**pointers));
        *pointers[i] = (struct xr_format_cert){.der = {der, size}, .cert = set.certs[0].cert};
    }
    xr_output_format("cluster-trust-bundle", 20)->write(&out, pointers, MANY, &options);
    file = content(&out.items[0]);
    cr_expect_gt(occurrences(file, "kind:"), 2);
    cr_expect_eq(occurrences(file, "---\napiVersion"), occurrences(file, "kind:") - 1);
    cr_expect_eq(occurrences(file, "name: crossroot-email-2\n"), 1);
    cr_expect_eq(occurrences(file, BEGIN), MANY);
    for (size_t at = 0, used = 0, line = 0; at < file.len; at++) {
        line++;
        if (file.data[at] != '\n')
            continue;
        used = file.data[at + 1 - line] == ' ' && file.data[at + 3 - line] == ' ' ? used + line - 4
                                                                                  : 0;
        cr_assert_leq(used, 1024u * 1024u);
        line = 0;
    }
    xr_format_files_free(&out);
    for (size_t i = 0; i < MANY; i++) {
        free(pointers[i]->base64);
        free(pointers[i]);
    }
    free(pointers);
    free(ders);
    set_free(&set);
}
