/* SPDX-License-Identifier: Apache-2.0 */
/* xr-twins CERT.pem A.pem B.pem: two variants of a certificate, with spoilt signatures, whose
 * SHA-256 begin with the same eight digits. Some 100,000 variants hold such a pair. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIANTS 400000u

struct variant {
    uint32_t prefix, number;
};

static int by_prefix(const void *a, const void *b)
{
    uint32_t x = ((const struct variant *)a)->prefix, y = ((const struct variant *)b)->prefix;

    return x < y ? -1 : x > y;
}

/* The signature ends the certificate: its last bytes carry the number. */
static void number_it(unsigned char *der, int len, uint32_t number)
{
    der[len - 1] = (unsigned char)number;
    der[len - 2] = (unsigned char)(number >> 8);
    der[len - 3] = (unsigned char)(number >> 16);
}

static int save(const char *path, const unsigned char *der, int len)
{
    const unsigned char *at = der;
    X509 *x = d2i_X509(NULL, &at, len);
    FILE *out = fopen(path, "w");
    int ok = x != NULL && out != NULL && PEM_write_X509(out, x) == 1;

    if (out != NULL && fclose(out) != 0)
        ok = 0;
    X509_free(x);
    return ok;
}

int main(int argc, char **argv)
{
    static struct variant variants[VARIANTS];
    FILE *in = argc == 4 ? fopen(argv[1], "r") : NULL;
    X509 *x = in != NULL ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int len = x != NULL ? i2d_X509(x, &der) : -1;
    int ok = 0;

    if (in != NULL)
        (void)fclose(in);
    for (uint32_t i = 0; len > 0 && i < VARIANTS; i++) {
        unsigned char sum[EVP_MAX_MD_SIZE];

        number_it(der, len, i);
        if (EVP_Digest(der, (size_t)len, sum, NULL, EVP_sha256(), NULL) != 1)
            abort();
        variants[i].number = i;
        variants[i].prefix =
            (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
    }
    qsort(variants, VARIANTS, sizeof(variants[0]), by_prefix);
    for (uint32_t i = 1; len > 0 && !ok && i < VARIANTS; i++) {
        if (variants[i].prefix != variants[i - 1].prefix)
            continue;
        number_it(der, len, variants[i].number);
        ok = save(argv[2], der, len);
        number_it(der, len, variants[i - 1].number);
        ok = ok && save(argv[3], der, len);
    }
    OPENSSL_free(der);
    X509_free(x);
    return ok ? 0 : 1;
}
