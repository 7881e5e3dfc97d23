/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nss-sized DIR SIZE...: root-SIZE.der, a root of exactly that many bytes, for each. Beside them
 * crlroot.der, crlleaf.der, which it issued, and crl-COUNT.der for a few COUNTs: CRLs of that many
 * entries, one of them crlleaf.
 */
#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char path[4096];

static const char *in(const char *dir, const char *name, const char *number)
{
    (void)snprintf(path, sizeof path, "%s/%s%s.der", dir, name, number);
    return path;
}

/* One DNS name makes it as long as it has to be; RSA signatures are all of one length. */
static int sized(const char *dir, const char *size, const struct pki_key *key)
{
    size_t want = strtoul(size, NULL, 10), pad = want > 1200 ? want - 1200 : 1;
    char cn[64];

    (void)snprintf(cn, sizeof cn, "Sized %s", size);
    for (int i = 0; i < 8; i++) {
        struct pki_spec spec = pki_spec_ca(cn, (int64_t)time(NULL));
        struct pki_blob der = {0};
        char *san = malloc(pad + 5);
        size_t len = 0;

        if (san == NULL)
            abort();
        memcpy(san, "DNS:", 4);
        memset(san + 4, 'a', pad);
        san[pad + 4] = '\0';
        spec.san = san;
        spec.serial = "0x5152535455565758";
        if (pki_issue(&der, key, NULL, NULL, &spec) != 0)
            return -1;
        free(san);
        len = der.len;
        if (len == want) {
            int result = pki_write_der(in(dir, "root-", size), &der);

            pki_blob_free(&der);
            return result;
        }
        pki_blob_free(&der);
        pad += want - len; /* modulo 2^N: may shrink */
    }
    (void)fprintf(stderr, "nss-sized: no certificate of %s bytes\n", size);
    return -1;
}

static int crl(const char *dir, unsigned count, const struct pki_blob *root,
               const struct pki_key *key)
{
    const char **revoked = calloc(count + 1, sizeof *revoked);
    char(*serials)[24] = calloc(count, sizeof *serials);
    char number[16];
    struct pki_crl_spec spec = {.revoked = revoked, .number = "1"};
    struct pki_blob der = {0};
    int64_t now = (int64_t)time(NULL);
    int result = -1;

    if (revoked == NULL || serials == NULL)
        abort();
    for (unsigned i = 0; i < count; i++) { /* the last one is the leaf's */
        (void)snprintf(serials[i], sizeof serials[i], "0x%x", 0x7000000 - (count - 1 - i));
        revoked[i] = serials[i];
    }
    spec.this_update = now - PKI_DAY;
    spec.next_update = now + 30 * PKI_DAY;
    (void)snprintf(number, sizeof number, "%u", count);
    if (pki_crl(&der, root, key, &spec) == 0)
        result = pki_write_der(in(dir, "crl-", number), &der);
    pki_blob_free(&der);
    free(revoked);
    free(serials);
    return result;
}

static int crls(const char *dir, const struct pki_key *key)
{
    static const unsigned counts[] = {5, 60, 200, 2000, 30000};
    int64_t now = (int64_t)time(NULL);
    struct pki_spec ca = pki_spec_ca("Sized CRL Root", now), leaf = pki_spec_leaf("crl.test", now);
    struct pki_key *own = pki_key_new(PKI_EC);
    struct pki_blob root = {0}, issued = {0};
    int result = -1;

    leaf.serial = "0x7000000";
    leaf.san = "DNS:crl.test";
    if (own != NULL && pki_issue(&root, key, NULL, NULL, &ca) == 0 &&
        pki_issue(&issued, own, &root, key, &leaf) == 0 &&
        pki_write_der(in(dir, "crlroot", ""), &root) == 0)
        result = pki_write_der(in(dir, "crlleaf", ""), &issued);
    for (size_t i = 0; result == 0 && i < sizeof counts / sizeof counts[0]; i++)
        result = crl(dir, counts[i], &root, key);
    pki_blob_free(&root);
    pki_blob_free(&issued);
    pki_key_free(own);
    return result;
}

int main(int argc, char **argv)
{
    struct pki_key *key = pki_key_new(PKI_RSA);
    int result = argc < 2 || key == NULL ? -1 : crls(argv[1], key);

    for (int i = 2; result == 0 && i < argc; i++)
        result = sized(argv[1], argv[i], key);
    pki_key_free(key);
    return result == 0 ? 0 : 1;
}
