/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "kit/pem.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void fuzz_fail(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

void fuzz_seed(struct fuzz_corpus *corpus, const void *data, size_t len)
{
    struct xr_buf *seed = XR_PUSH(corpus);

    xr_buf_add(seed, data, len);
}

void fuzz_seed_buf(struct fuzz_corpus *corpus, struct xr_buf *buf)
{
    fuzz_seed(corpus, buf->data, buf->len);
    xr_buf_free(buf);
}

bool fuzz_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

struct xr_bytes fuzz_bytes(const struct pki_blob *blob)
{
    return (struct xr_bytes){blob->data, blob->len};
}

struct xr_bytes fuzz_buf_bytes(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

void fuzz_put_pem(struct xr_buf *out, const char *label, const struct pki_blob *blob)
{
    size_t len = 0;
    char *pem = xr_pem(label, fuzz_bytes(blob), &len);

    xr_buf_add(out, pem, len);
    free(pem);
}

bool fuzz_part(struct xr_bytes *out, struct xr_bytes *rest)
{
    size_t len = 0;

    if (rest->len < 2)
        return false;
    len = (size_t)rest->data[0] | (size_t)rest->data[1] << 8;
    rest->data += 2;
    rest->len -= 2;
    len = len < rest->len ? len : rest->len;
    *out = (struct xr_bytes){rest->data, len};
    rest->data += len;
    rest->len -= len;
    return true;
}

void fuzz_put_part(struct xr_buf *out, const void *data, size_t len)
{
    unsigned char head[2] = {(unsigned char)len, (unsigned char)(len >> 8)};

    CHECK(len < 1u << 16);
    xr_buf_add(out, head, sizeof(head));
    xr_buf_add(out, data, len);
}

/* ---- certificates ---- */

static struct fuzz_fixtures made;

static void make_certs(struct pki_key *const keys[3])
{
    struct pki_spec root = pki_spec_ca("Root \xe2\x82\xac", FUZZ_NOW);
    struct pki_spec root2 = pki_spec_ca("Root 2", FUZZ_NOW);
    struct pki_spec sub = pki_spec_ca("Sub", FUZZ_NOW);
    struct pki_spec leaf = pki_spec_leaf("localhost", FUZZ_NOW);
    struct pki_spec limited = pki_spec_ca("Limited", FUZZ_NOW);
    struct pki_spec inside = pki_spec_leaf("Inside", FUZZ_NOW);
    struct pki_spec outside = pki_spec_leaf("Outside", FUZZ_NOW);
    struct pki_spec odd = pki_spec_ca("Odd", FUZZ_NOW);
    struct pki_spec v1 = pki_spec_ca("Version 1", FUZZ_NOW);
    struct pki_spec ed = pki_spec_ca("Edwards", FUZZ_NOW);
    struct pki_key *edwards = pki_key_new(PKI_ED25519);
    const struct pki_blob *certs = made.certs;

    sub.pathlen = 0;
    leaf.san = "DNS:localhost,DNS:*.example.org,IP:127.0.0.1";
    limited.name_constraints = "critical,permitted;DNS:example.org,permitted;DNS:localhost,"
                               "permitted;IP:127.0.0.0/255.0.0.0,"
                               "permitted;IP:2001:db8::/ffff:ffff::,permitted;email:example.org,"
                               "excluded;IP:10.0.0.0/255.0.0.0,excluded;DNS:bad.example.org";
    inside.san = "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:2001:db8::1,email:a@example.org,"
                 "URI:https://example.org/";
    outside.san = "DNS:localhost,DNS:bad.example.org,IP:10.0.0.1,IP:::1,email:a@example.com";
    limited.eku = "serverAuth,emailProtection";
    odd.name_type = PKI_T61;
    odd.serial = "-12";
    odd.unknown_critical = true;
    v1.version = 1;
    CHECK(edwards != NULL && pki_issue(&made.certs[FUZZ_ROOT], keys[0], NULL, NULL, &root) == 0 &&
          pki_issue(&made.certs[FUZZ_ROOT2], keys[1], NULL, NULL, &root2) == 0 &&
          pki_issue(&made.certs[FUZZ_CROSS], keys[0], &certs[FUZZ_ROOT2], keys[1], &root) == 0 &&
          pki_issue(&made.certs[FUZZ_SUB], keys[2], &certs[FUZZ_ROOT], keys[0], &sub) == 0 &&
          pki_issue(&made.certs[FUZZ_LEAF], keys[1], &certs[FUZZ_SUB], keys[2], &leaf) == 0 &&
          pki_issue(&made.certs[FUZZ_CONSTRAINED], keys[2], NULL, NULL, &limited) == 0 &&
          pki_issue(&made.certs[FUZZ_CONSTRAINED_LEAF], keys[1], &certs[FUZZ_CONSTRAINED], keys[2],
                    &inside) == 0 &&
          pki_issue(&made.certs[FUZZ_CONSTRAINED_OUT], keys[1], &certs[FUZZ_CONSTRAINED], keys[2],
                    &outside) == 0 &&
          pki_issue(&made.certs[FUZZ_ODD], keys[2], NULL, NULL, &odd) == 0 &&
          pki_issue(&made.certs[FUZZ_V1], keys[2], NULL, NULL, &v1) == 0 &&
          pki_issue(&made.certs[FUZZ_ED25519], edwards, NULL, NULL, &ed) == 0);
    pki_key_free(edwards);
}

static void make_p12(const struct pki_key *key)
{
    struct pki_blob der = {0};
    const unsigned char *at = made.certs[FUZZ_ROOT].data, *key_at = NULL;
    X509 *cert = d2i_X509(NULL, &at, (long)made.certs[FUZZ_ROOT].len), *other = NULL;
    STACK_OF(X509) *others = sk_X509_new_null();
    EVP_PKEY *pkey = NULL;
    PKCS12 *p12 = NULL;
    int len = 0;

    CHECK(pki_key_der(&der, key) == 0);
    key_at = der.data;
    pkey = d2i_AutoPrivateKey(NULL, &key_at, (long)der.len);
    at = made.certs[FUZZ_CROSS].data;
    other = d2i_X509(NULL, &at, (long)made.certs[FUZZ_CROSS].len);
    CHECK(cert != NULL && pkey != NULL && other != NULL && sk_X509_push(others, other) == 1);
    p12 = PKCS12_create(FUZZ_PASSWORD, "name", pkey, cert, others, 0, 0, 1, 1, 0);
    CHECK(p12 != NULL);
    len = i2d_PKCS12(p12, NULL);
    CHECK(len > 0);
    made.p12.data = malloc((size_t)len);
    CHECK(made.p12.data != NULL);
    at = NULL;
    {
        unsigned char *to = made.p12.data;

        made.p12.len = (size_t)i2d_PKCS12(p12, &to);
    }
    PKCS12_free(p12);
    sk_X509_free(others);
    X509_free(other);
    X509_free(cert);
    EVP_PKEY_free(pkey);
    pki_blob_free(&der);
}

static void put_element(struct xr_buf *out, uint32_t id, const void *data, size_t len)
{
    xr_buf_put32(out, id);
    xr_buf_put32(out, 1);
    xr_buf_put32(out, (uint32_t)len);
    xr_buf_add(out, data, len);
}

static void make_sst(void)
{
    static const unsigned char usage[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                          0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    struct xr_buf out = {0};

    xr_buf_put32(&out, 0);
    xr_buf_str(&out, "CERT");
    put_element(&out, 9, usage, sizeof(usage));
    put_element(&out, 32, made.certs[FUZZ_ROOT].data, made.certs[FUZZ_ROOT].len);
    put_element(&out, 32, made.certs[FUZZ_CROSS].data, made.certs[FUZZ_CROSS].len);
    put_element(&out, 33, made.crl.data, made.crl.len);
    put_element(&out, 0, NULL, 0);
    made.sst = (struct pki_blob){(unsigned char *)out.data, out.len};
}

const struct fuzz_fixtures *fuzz_fixtures(void)
{
    static const char *const trust[] = {"serverAuth", NULL}, *const reject[] = {"codeSigning",
                                                                                NULL};
    static const char *const revoked[] = {"12", "-3", NULL};
    static const struct pki_crl_spec crl = {.revoked = revoked,
                                            .this_update = FUZZ_NOW - PKI_DAY,
                                            .next_update = FUZZ_NOW + PKI_YEAR,
                                            .number = "7"};
    struct pki_key *keys[3];

    if (made.sst.data != NULL)
        return &made;
    for (size_t i = 0; i < 3; i++) {
        keys[i] = pki_key_new(PKI_EC);
        CHECK(keys[i] != NULL);
    }
    make_certs(keys);
    CHECK(pki_trusted(&made.trusted, &made.certs[FUZZ_ROOT], trust, reject, "alias") == 0);
    CHECK(pki_crl(&made.crl, &made.certs[FUZZ_ROOT], keys[0], &crl) == 0);
    CHECK(pki_pkcs7(&made.pkcs7, made.certs, 3, &made.crl, 1) == 0);
    make_p12(keys[0]);
    make_sst();
    for (size_t i = 0; i < 3; i++)
        pki_key_free(keys[i]);
    return &made;
}

/* ---- files ---- */

static char top[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_all(void)
{
    (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_directory(void)
{
    if (top[0] != '\0')
        return top;
    (void)snprintf(top, sizeof(top), "/dev/shm/xr-fuzz-XXXXXX");
    if (mkdtemp(top) == NULL) {
        (void)snprintf(top, sizeof(top), "/tmp/xr-fuzz-XXXXXX");
        CHECK(mkdtemp(top) != NULL);
    }
    (void)atexit(remove_all);
    return top;
}

void fuzz_write(const char *path, struct xr_bytes data)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    for (size_t at = 0; at < data.len;) {
        ssize_t put = write(fd, data.data + at, data.len - at);

        CHECK(put > 0);
        at += (size_t)put;
    }
    (void)close(fd);
}
