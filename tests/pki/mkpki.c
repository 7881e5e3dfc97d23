/* xr-mkpki [--at EPOCH] DIR: writes a cross-signing PKI, its CRLs, its oddities and the pages that
 * publish its fingerprints into DIR. */
#include "pki.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define OLD_ROOT_CN  "Crossroot Test Old Root"
#define NEW_ROOT_CN  "Crossroot Test New Root"
#define LOOP_B_CN    "Crossroot Test Loop B"
#define CROSS_SERIAL "0x1001"

#define YEAR_1950  INT64_C(-631152000)
#define YEAR_2050  INT64_C(2524608000)
#define YEAR_2051  INT64_C(2556144000)
#define YEAR_10000 INT64_C(253402300800)

enum { SHA1_DIGITS = 40, SHA256_DIGITS = 64, MISPRINTS = 8 };

/* NONE is also "itself": its own issuer, its own key. */
enum who {
    NONE,
    OLD_ROOT,
    NEW_ROOT,
    CROSS,
    EXPIRED_CROSS,
    SIBLING_ROOT,
    SUB,
    LEAF,
    LOOP_SEED,
    LOOP_A,
    LOOP_B,
    LOOP_LEAFCA,
    V1_ROOT,
    SERIAL_ZERO,
    SERIAL_NEGATIVE,
    T61,
    BMP,
    UTF8,
    FAR_FUTURE,
    PRE_1950,
    PRE_1970,
    LAST_OF_2049,
    FIRST_OF_2050,
    IN_2051,
    WITHKEY,
    CONSTRAINED_ROOT,
    EMAIL_ROOT,
    RSA_ROOT,
    ED25519_ROOT,
    RSAPSS_ROOT,
    HOSTILE_NAME,
    WHO_COUNT
};

/* Fields left zero take what pki_spec_ca() says. Issuers and key owners stand above. */
struct recipe {
    const char *file; /* NULL: needed only to issue others */
    const char *cn;
    enum who issuer;
    enum who key_of;
    enum pki_key_type key_type;
    enum pki_name_type name_type;
    int64_t starts; /* instants; see also starts_in */
    int64_t ends;
    int64_t starts_in; /* seconds from now */
    int64_t ends_in;
    const char *serial;
    int version;
    bool leaf;
    bool pathlen_zero;
    bool pss;
    const char *eku;
    const char *name_constraints;
    const char *san;
};

static const struct recipe recipes[WHO_COUNT] = {
    [OLD_ROOT] = {.file = "old-root.pem", .cn = OLD_ROOT_CN},
    [NEW_ROOT] = {.file = "new-root.pem", .cn = NEW_ROOT_CN},
    [CROSS] = {.file = "cross.pem",
               .cn = NEW_ROOT_CN,
               .issuer = OLD_ROOT,
               .key_of = NEW_ROOT,
               .serial = CROSS_SERIAL},
    [EXPIRED_CROSS] = {.file = "expired-cross.pem",
                       .cn = NEW_ROOT_CN,
                       .issuer = OLD_ROOT,
                       .key_of = NEW_ROOT,
                       .starts_in = -2 * PKI_YEAR,
                       .ends_in = -PKI_DAY},
    [SIBLING_ROOT] = {.file = "sibling-root.pem", .cn = NEW_ROOT_CN, .key_of = NEW_ROOT},
    [SUB] = {.file = "sub.pem", .cn = "Crossroot Test Sub CA", .issuer = NEW_ROOT},
    [LEAF] = {.file = "leaf.pem",
              .cn = "localhost",
              .issuer = SUB,
              .leaf = true,
              .eku = "serverAuth",
              .san = "DNS:localhost,IP:127.0.0.1"},
    [LOOP_SEED] = {.cn = LOOP_B_CN},
    [LOOP_A] = {.file = "loop-a.pem", .cn = "Crossroot Test Loop A", .issuer = LOOP_SEED},
    [LOOP_B] = {.file = "loop-b.pem", .cn = LOOP_B_CN, .issuer = LOOP_A, .key_of = LOOP_SEED},
    [LOOP_LEAFCA] = {.file = "loop-leafca.pem",
                     .cn = "Crossroot Test Loop Leaf CA",
                     .issuer = LOOP_A},
    [V1_ROOT] = {.file = "v1-root.pem", .cn = "Crossroot Test Version 1 Root", .version = 1},
    [SERIAL_ZERO] = {.file = "serial-zero.pem", .cn = "Crossroot Test Serial Zero", .serial = "0"},
    [SERIAL_NEGATIVE] = {.file = "serial-negative.pem",
                         .cn = "Crossroot Test Serial Negative",
                         .serial = "-4660"},
    [T61] = {.file = "t61.pem",
             .cn = "Crossroot Test T61 \u00c5\u00f1\u00fc",
             .name_type = PKI_T61},
    [BMP] = {.file = "bmp.pem", .cn = "Crossroot 認証局 BMP", .name_type = PKI_BMP},
    [UTF8] = {.file = "utf8.pem", .cn = "クロスルート試験認証局"},
    [FAR_FUTURE] = {.file = "far-future.pem",
                    .cn = "Crossroot Test Far Future",
                    .ends = YEAR_10000 - 1},
    [PRE_1950] = {.file = "pre-1950.pem",
                  .cn = "Crossroot Test Before 1950",
                  .starts = YEAR_1950 - 1},
    [PRE_1970] = {.file = "pre-1970.pem", .cn = "Crossroot Test Before 1970", .starts = -1},
    [LAST_OF_2049] = {.file = "last-of-2049.pem",
                      .cn = "Crossroot Test Last Of 2049",
                      .ends = YEAR_2050 - 1},
    [FIRST_OF_2050] = {.file = "first-of-2050.pem",
                       .cn = "Crossroot Test First Of 2050",
                       .ends = YEAR_2050},
    [IN_2051] = {.file = "in-2051.pem", .cn = "Crossroot Test In 2051", .ends = YEAR_2051},
    [WITHKEY] = {.file = "withkey.pem", .cn = "Crossroot Test With Key"},
    [CONSTRAINED_ROOT] = {.file = "constrained-root.pem",
                          .cn = "Crossroot Test Constrained Root",
                          .pathlen_zero = true,
                          .name_constraints = "critical,permitted;DNS:example.org"},
    [EMAIL_ROOT] = {.file = "email-root.pem",
                    .cn = "Crossroot Test Email Root",
                    .eku = "emailProtection"},
    [RSA_ROOT] = {.file = "rsa-root.pem", .cn = "Crossroot Test RSA Root", .key_type = PKI_RSA},
    [ED25519_ROOT] = {.file = "ed25519-root.pem",
                      .cn = "Crossroot Test Ed25519 Root",
                      .key_type = PKI_ED25519},
    [RSAPSS_ROOT] = {.file = "rsapss-root.pem",
                     .cn = "Crossroot Test RSA-PSS Root",
                     .key_type = PKI_RSA,
                     .pss = true},
    [HOSTILE_NAME] = {.file = "hostile-name.pem",
                      .cn = "Evil\x1b[31mRed\nLine \u202etxt.exe\u200b CA"},
};

struct crl_recipe {
    const char *file;
    enum who issuer;
    const char *revoked;
    const char *number;
    const char *base;
    int64_t starts_in;
    int64_t ends_in;
    bool unknown_critical;
};

enum { EMPTY_CRL };

static const struct crl_recipe crl_recipes[] = {
    [EMPTY_CRL] = {"old-root.crl.pem", OLD_ROOT, NULL, "1", NULL, -PKI_DAY, 30 * PKI_DAY, false},
    {"old-root-revokes-cross.crl.pem", OLD_ROOT, CROSS_SERIAL, "2", NULL, -PKI_DAY / 2,
     30 * PKI_DAY, false},
    {"sub.crl.pem", SUB, NULL, "1", NULL, -PKI_DAY, 30 * PKI_DAY, false},
    {"old-root.delta.crl.pem", OLD_ROOT, CROSS_SERIAL, "3", "1", -PKI_DAY / 2, 30 * PKI_DAY, false},
    {"old-root-stale.crl.pem", OLD_ROOT, NULL, "1", NULL, -60 * PKI_DAY, -30 * PKI_DAY, false},
    {"old-root-critical.crl.pem", OLD_ROOT, NULL, "4", NULL, -PKI_DAY, 30 * PKI_DAY, true},
};

/* Several certificates in one file, in this order; NONE closes. */
static const struct {
    const char *file;
    enum who members[6];
} bundles[] = {
    {"leaf-chain.pem", {LEAF, SUB}},
    {"all.pem", {OLD_ROOT, NEW_ROOT, CROSS, SUB, LEAF}},
};

static const enum who bag_members[] = {OLD_ROOT, CROSS, SUB};

struct pki {
    const char *dir;
    int64_t now;
    struct pki_key *own_keys[WHO_COUNT];
    struct pki_blob certs[WHO_COUNT];
    struct pki_blob crls[COUNT(crl_recipes)];
    FILE *pins;
    char path[PATH_MAX];
};

/* Lent until the next call. */
static const char *path_of(struct pki *pki, const char *name)
{
    snprintf(pki->path, sizeof pki->path, "%s/%s", pki->dir, name);
    return pki->path;
}

static const struct pki_key *key_of(const struct pki *pki, enum who who)
{
    enum who owner = recipes[who].key_of;
    return pki->own_keys[owner != NONE ? owner : who];
}

/* --- certificates --- */

static struct pki_spec spec_of(const struct recipe *r, int64_t now)
{
    struct pki_spec spec = r->leaf ? pki_spec_leaf(r->cn, now) : pki_spec_ca(r->cn, now);
    spec.o = "Crossroot";
    spec.name_type = r->name_type;
    spec.serial = r->serial;
    spec.pss = r->pss;
    spec.eku = r->eku;
    spec.name_constraints = r->name_constraints;
    spec.san = r->san;
    if (r->version != 0)
        spec.version = r->version;
    if (r->pathlen_zero)
        spec.pathlen = 0;
    if (r->starts != 0)
        spec.not_before = r->starts;
    if (r->starts_in != 0)
        spec.not_before = now + r->starts_in;
    if (r->ends != 0)
        spec.not_after = r->ends;
    if (r->ends_in != 0)
        spec.not_after = now + r->ends_in;
    return spec;
}

static int pin(struct pki *pki, const char *file, const struct pki_blob *cert)
{
    char sha256[SHA256_DIGITS + 1];
    char sha1[SHA1_DIGITS + 1];
    if (pki_fingerprint(sha256, sizeof sha256, "SHA256", cert) != 0 ||
        pki_fingerprint(sha1, sizeof sha1, "SHA1", cert) != 0)
        return -1;
    return fprintf(pki->pins, "%s %s %s\n", file, sha256, sha1) > 0 ? 0 : -1;
}

static int issue(struct pki *pki, enum who who)
{
    const struct recipe *r = &recipes[who];
    if (r->key_of == NONE) {
        pki->own_keys[who] = pki_key_new(r->key_type);
        if (pki->own_keys[who] == NULL)
            return -1;
    }
    const struct pki_blob *issuer = r->issuer != NONE ? &pki->certs[r->issuer] : NULL;
    const struct pki_key *issuer_key = r->issuer != NONE ? key_of(pki, r->issuer) : NULL;
    struct pki_spec spec = spec_of(r, pki->now);
    if (pki_issue(&pki->certs[who], key_of(pki, who), issuer, issuer_key, &spec) != 0)
        return -1;
    if (r->file == NULL)
        return 0;
    if (pki_write_pem(path_of(pki, r->file), PKI_LABEL_CERT, &pki->certs[who]) != 0)
        return -1;
    return pin(pki, r->file, &pki->certs[who]);
}

static int issue_all(struct pki *pki)
{
    for (enum who who = NONE + 1; who < WHO_COUNT; who++)
        if (issue(pki, who) != 0)
            return pki_fail(recipes[who].file != NULL ? recipes[who].file : recipes[who].cn);
    return 0;
}

static int issue_crls(struct pki *pki)
{
    for (size_t i = 0; i < COUNT(crl_recipes); i++) {
        const struct crl_recipe *r = &crl_recipes[i];
        const char *revoked[] = {r->revoked, NULL};
        struct pki_crl_spec spec = {
            .revoked = revoked,
            .this_update = pki->now + r->starts_in,
            .next_update = pki->now + r->ends_in,
            .number = r->number,
            .base = r->base,
            .unknown_critical = r->unknown_critical,
        };
        if (pki_crl(&pki->crls[i], &pki->certs[r->issuer], key_of(pki, r->issuer), &spec) != 0 ||
            pki_write_pem(path_of(pki, r->file), PKI_LABEL_CRL, &pki->crls[i]) != 0)
            return pki_fail(r->file);
    }
    return 0;
}

/* --- other shapes of the same --- */

static int append_key(struct pki *pki, const char *file, enum who who)
{
    struct pki_blob der = {0};
    if (pki_key_der(&der, key_of(pki, who)) != 0)
        return -1;
    int ret = pki_append_pem(path_of(pki, file), PKI_LABEL_KEY, &der);
    pki_blob_free(&der);
    return ret;
}

static int write_keys(struct pki *pki)
{
    static const char *const pure[] = {"leaf.key", "only-key.pem"};
    for (size_t i = 0; i < COUNT(pure); i++) {
        remove(path_of(pki, pure[i]));
        if (append_key(pki, pure[i], LEAF) != 0)
            return pki_fail(pure[i]);
    }
    const char *mixed = recipes[WITHKEY].file;
    return append_key(pki, mixed, WITHKEY) == 0 ? 0 : pki_fail(mixed);
}

static int write_bundles(struct pki *pki)
{
    for (size_t i = 0; i < COUNT(bundles); i++) {
        remove(path_of(pki, bundles[i].file));
        for (const enum who *who = bundles[i].members; *who != NONE; who++)
            if (pki_append_pem(pki->path, PKI_LABEL_CERT, &pki->certs[*who]) != 0)
                return pki_fail(bundles[i].file);
    }
    return 0;
}

static int write_bags(struct pki *pki)
{
    struct pki_blob certs[COUNT(bag_members)];
    for (size_t i = 0; i < COUNT(bag_members); i++)
        certs[i] = pki->certs[bag_members[i]];
    struct pki_blob bag = {0};
    int ret = -1;
    if (pki_pkcs7(&bag, certs, COUNT(certs), NULL, 0) != 0 ||
        pki_write_der(path_of(pki, "chain.p7b"), &bag) != 0 ||
        pki_write_pem(path_of(pki, "chain-pem.p7b"), PKI_LABEL_PKCS7, &bag) != 0)
        goto out;
    pki_blob_free(&bag);
    if (pki_pkcs7(&bag, certs, COUNT(certs), &pki->crls[EMPTY_CRL], 1) != 0 ||
        pki_write_der(path_of(pki, "chain-crl.p7b"), &bag) != 0)
        goto out;
    ret = 0;
out:
    pki_blob_free(&bag);
    return ret == 0 ? 0 : pki_fail("PKCS#7");
}

static int write_old_root_forms(struct pki *pki)
{
    static const char *const trust[] = {"serverAuth", NULL};
    const struct pki_blob *cert = &pki->certs[OLD_ROOT];
    struct pki_blob trusted = {0};
    int ret = -1;
    if (pki_write_der(path_of(pki, "old-root.der"), cert) != 0 ||
        pin(pki, "old-root.der", cert) != 0 ||
        pki_trusted(&trusted, cert, trust, NULL, OLD_ROOT_CN) != 0 ||
        pki_write_pem(path_of(pki, "old-root-trusted.pem"), PKI_LABEL_TRUSTED, &trusted) != 0 ||
        pin(pki, "old-root-trusted.pem", cert) != 0)
        goto out;
    ret = 0;
out:
    pki_blob_free(&trusted);
    return ret == 0 ? 0 : pki_fail("old root in other forms");
}

/* --- published fingerprints --- */

enum { PRINTED_SIZE = SHA256_DIGITS * 3 / 2 + 2 };

static void print_pairs(char out[PRINTED_SIZE], const char *hex)
{
    size_t at = 0;
    for (size_t i = 0; hex[i] != '\0'; i++) {
        if (i > 0 && i % 2 == 0)
            out[at++] = ':';
        out[at++] = (char)toupper((unsigned char)hex[i]);
    }
    out[at] = '\0';
}

static int write_page(struct pki *pki, const char *file, const char *sha1, const char *sha256)
{
    char sha1_pairs[PRINTED_SIZE];
    char sha256_pairs[PRINTED_SIZE];
    print_pairs(sha1_pairs, sha1);
    print_pairs(sha256_pairs, sha256);
    FILE *f = fopen(path_of(pki, file), "w");
    if (f == NULL)
        return -1;
    fprintf(f,
            "<!DOCTYPE html>\n"
            "<html lang=\"ja\">\n"
            "<head><meta charset=\"utf-8\"><title>クロスルート証明書の公開</title></head>\n"
            "<body>\n"
            "<h1>クロスルート証明書</h1>\n"
            "<p>ダウンロードした証明書のフィンガープリントが、"
            "下の表の値と一致することを確認してください。</p>\n"
            "<table>\n"
            "<tr><th>証明書</th><td>%s(旧ルートが発行したクロス証明書、"
            "2025年04月09日公開)</td></tr>\n"
            "<tr><th>ファイル名</th><td>%s</td></tr>\n"
            "<tr><th>フィンガープリント(SHA-1)</th><td><code>%s</code></td></tr>\n"
            "<tr><th>フィンガープリント(SHA-256)</th><td><code>%s</code></td></tr>\n"
            "</table>\n"
            "</body>\n"
            "</html>\n",
            NEW_ROOT_CN, recipes[CROSS].file, sha1_pairs, sha256_pairs);
    return fclose(f);
}

static int write_fullwidth(struct pki *pki, const char *file, const char *sha256)
{
    FILE *f = fopen(path_of(pki, file), "w");
    if (f == NULL)
        return -1;
    fputs("フィンガープリント(SHA-256): ", f);
    for (const char *digit = sha256; *digit != '\0'; digit++) {
        /* U+FF01 to U+FF5E follow ASCII; the ones used here all start with EF BC. */
        int offset = toupper((unsigned char)*digit) - '!';
        fprintf(f, "\xef\xbc%c", 0x81 + offset);
    }
    fputc('\n', f);
    return fclose(f);
}

static char look_alike(char digit)
{
    static const char read_as[][2] = {
        {'8', 'b'}, {'0', 'd'}, {'3', '8'}, {'6', '8'}, {'5', '9'},
        {'b', '8'}, {'d', '0'}, {'1', '7'}, {'9', '8'}, {'e', 'f'},
    };
    for (size_t i = 0; i < COUNT(read_as); i++)
        if (read_as[i][0] == digit)
            return read_as[i][1];
    return '\0';
}

/* Spreads the replacements over all places that have a look-alike. */
static int misprint(char *hex)
{
    size_t places[SHA256_DIGITS];
    size_t n = 0;
    for (size_t i = 0; hex[i] != '\0'; i++)
        if (look_alike(hex[i]) != '\0')
            places[n++] = i;
    if (n < MISPRINTS)
        return -1;
    for (size_t i = 0; i < MISPRINTS; i++) {
        char *digit = &hex[places[i * n / MISPRINTS]];
        *digit = look_alike(*digit);
    }
    return 0;
}

static int publish(struct pki *pki)
{
    char sha1[SHA1_DIGITS + 1];
    char sha256[SHA256_DIGITS + 1];
    if (pki_fingerprint(sha1, sizeof sha1, "SHA1", &pki->certs[CROSS]) != 0 ||
        pki_fingerprint(sha256, sizeof sha256, "SHA256", &pki->certs[CROSS]) != 0 ||
        write_page(pki, "published.html", sha1, sha256) != 0 ||
        write_fullwidth(pki, "published-fullwidth.txt", sha256) != 0)
        return pki_fail("published.html");

    char longer[SHA1_DIGITS + 2];
    snprintf(longer, sizeof longer, "%.*s8%s", SHA1_DIGITS / 2, sha1, sha1 + SHA1_DIGITS / 2);
    if (misprint(sha256) != 0 || write_page(pki, "published-misprint.html", longer, sha256) != 0)
        return pki_fail("published-misprint.html");
    return 0;
}

/* --- */

static int make(struct pki *pki)
{
    if (mkdir(pki->dir, 0755) != 0 && errno != EEXIST)
        return pki_fail(pki->dir);
    pki->pins = fopen(path_of(pki, "pins.txt"), "w");
    if (pki->pins == NULL)
        return pki_fail(pki->path);
    int ret = -1;
    if (issue_all(pki) != 0 || issue_crls(pki) != 0 || write_keys(pki) != 0 ||
        write_bundles(pki) != 0 || write_bags(pki) != 0 || write_old_root_forms(pki) != 0 ||
        publish(pki) != 0)
        goto out;
    ret = 0;
out:
    if (fclose(pki->pins) != 0 && ret == 0)
        ret = pki_fail("pins.txt");
    for (size_t i = 0; i < WHO_COUNT; i++) {
        pki_key_free(pki->own_keys[i]);
        pki_blob_free(&pki->certs[i]);
    }
    for (size_t i = 0; i < COUNT(pki->crls); i++)
        pki_blob_free(&pki->crls[i]);
    return ret;
}

static int usage(void)
{
    fputs("usage: xr-mkpki [--at EPOCH] DIR\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static struct pki pki;
    pki.now = (int64_t)time(NULL);
    int arg = 1;
    if (argc > 2 && strcmp(argv[1], "--at") == 0) {
        char *end = NULL;
        errno = 0;
        pki.now = strtoll(argv[2], &end, 10);
        if (errno != 0 || end == argv[2] || *end != '\0')
            return usage();
        arg = 3;
    }
    if (argc != arg + 1)
        return usage();
    pki.dir = argv[arg];
    return make(&pki) == 0 ? 0 : 1;
}
