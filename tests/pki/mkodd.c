/* xr-mkodd DIR: writes certificates that are no ordinary roots, intermediates or leaves into DIR,
 * with a pins.txt as xr-mkpki writes it. */
#include "pki.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { SHA1_DIGITS = 40, SHA256_DIGITS = 64 };

/* Each is self-issued; len bytes of it become others after it was signed. */
struct recipe {
    const char *file, *cn, *serial;
    bool rsa, leaf, bare, silent;
    const char *utc_time, *san;
    const char *is, *becomes;
    size_t len;
};
#define PATCH(from, to) .is = (from), .becomes = (to), .len = sizeof(from) - 1

static const struct recipe recipes[] = {
    {.file = "self-signed.pem", .cn = "Odd Self-signed", .bare = true},
    {.file = "self-signed-server.pem", .cn = "odd.example", .leaf = true, .silent = true},
    {.file = "malformed.pem", .cn = "Odd Malformed", PATCH(PKI_CA_VALUE, PKI_BROKEN_VALUE)},
    {.file = "malformed-names.pem",
     .cn = "odd.example",
     .leaf = true,
     .san = "DNS:abc.def",
     PATCH("\x55\x1d\x11\x04\x0b\x30\x09\x82\x07", "\x55\x1d\x11\x04\x0b\x30\x0a\x82\x07")},
    {.file = "md2.pem", .cn = "Odd MD2", .rsa = true, PATCH(PKI_SHA256_RSA, PKI_MD2_RSA)},
    {.file = "unknown-key.pem", .cn = "Odd Key", PATCH(PKI_EC_KEY, PKI_NO_KEY)},
    {.file = "padded-serial.pem",
     .cn = "Odd Serial",
     .serial = "0x0100",
     PATCH("\x02\x02\x01\x00", "\x02\x02\x00\x01")},
    {.file = "no-seconds.pem", .cn = "Odd Date", .utc_time = "2501010000Z"},
    {.file = "undecodable-name.pem", .cn = "Odd N\u00e0me", PATCH("\xc3\xa0", "\xff\xff")},
};

static int pin(FILE *pins, const char *file, const struct pki_blob *cert)
{
    char sha256[SHA256_DIGITS + 1], sha1[SHA1_DIGITS + 1];
    if (pki_fingerprint(sha256, sizeof sha256, "SHA256", cert) != 0 ||
        pki_fingerprint(sha1, sizeof sha1, "SHA1", cert) != 0)
        return -1;
    return fprintf(pins, "%s %s %s\n", file, sha256, sha1) > 0 ? 0 : -1;
}

static int make(const char *dir, FILE *pins, const struct recipe *r, int64_t now)
{
    char path[512];
    struct pki_blob cert = {0};
    struct pki_spec spec = r->leaf ? pki_spec_leaf(r->cn, now) : pki_spec_ca(r->cn, now);
    struct pki_key *key = pki_key_new(r->rsa ? PKI_RSA : PKI_EC);
    int ret = -1;
    spec.serial = r->serial != NULL ? r->serial : "7";
    spec.bare = r->bare;
    spec.silent = r->silent;
    spec.san = r->san;
    spec.utc_time = r->utc_time;
    snprintf(path, sizeof path, "%s/%s", dir, r->file);
    if (key == NULL || pki_issue(&cert, key, NULL, NULL, &spec) != 0 ||
        (r->len > 0 && pki_patch(&cert, r->is, r->becomes, r->len) == 0) ||
        pki_write_pem(path, PKI_LABEL_CERT, &cert) != 0 || pin(pins, r->file, &cert) != 0)
        goto out;
    ret = 0;
out:
    if (ret != 0)
        pki_fail(r->file);
    pki_blob_free(&cert);
    pki_key_free(key);
    return ret;
}

/* A root with trust settings of every sort. */
static int make_trusted(const char *dir, FILE *pins, int64_t now)
{
    static const char *const trust[] = {"serverAuth", "emailProtection", "1.3.6.1.4.1.311.10.3.4",
                                        NULL};
    static const char *const reject[] = {"clientAuth", NULL};
    char path[512];
    struct pki_blob cert = {0}, trusted = {0};
    struct pki_spec spec = pki_spec_ca("Odd Trusted", now);
    struct pki_key *key = pki_key_new(PKI_EC);
    int ret = -1;
    spec.serial = "7";
    snprintf(path, sizeof path, "%s/trusted.pem", dir);
    if (key == NULL || pki_issue(&cert, key, NULL, NULL, &spec) != 0 ||
        pki_trusted(&trusted, &cert, trust, reject, "An \x1b[31malias") != 0 ||
        pki_write_pem(path, PKI_LABEL_TRUSTED, &trusted) != 0 ||
        pin(pins, "trusted.pem", &cert) != 0)
        goto out;
    ret = 0;
out:
    pki_blob_free(&cert);
    pki_blob_free(&trusted);
    pki_key_free(key);
    return ret;
}

int main(int argc, char **argv)
{
    char path[512];
    int64_t now = (int64_t)time(NULL);
    if (argc != 2) {
        fputs("usage: xr-mkodd DIR\n", stderr);
        return 2;
    }
    if (mkdir(argv[1], 0755) != 0 && errno != EEXIST)
        return pki_fail(argv[1]) == 0 ? 0 : 1;
    snprintf(path, sizeof path, "%s/pins.txt", argv[1]);
    FILE *pins = fopen(path, "w");
    if (pins == NULL)
        return pki_fail(path) == 0 ? 0 : 1;
    int ret = make_trusted(argv[1], pins, now);
    for (size_t i = 0; ret == 0 && i < COUNT(recipes); i++)
        ret = make(argv[1], pins, &recipes[i], now);
    if (fclose(pins) != 0)
        ret = -1;
    return ret == 0 ? 0 : 1;
}
