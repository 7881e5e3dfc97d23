/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target takes any bytes and asks of one reader, beyond what sanitizers see, what must hold of its
 * answers. Each file fuzz_NAME.c is one and is built twice: as replay-NAME, with replay.c, which every
 * test run has; and, with -DXR_FUZZ=ON, as fuzz-NAME, with libFuzzer.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "kit/base.h"
#include "pki.h"

/* The target. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target's seeds: a call of fuzz_seed for each. */
struct fuzz_corpus {
    struct xr_buf *items;
    size_t count, capacity;
};
void fuzz_seeds(struct fuzz_corpus *corpus);
void fuzz_seed(struct fuzz_corpus *corpus, const void *data, size_t len);
/* Wipes and frees buf after it. */
void fuzz_seed_buf(struct fuzz_corpus *corpus, struct xr_buf *buf);

/* ---- fixtures.c ---- */

/* Ends the process: the input breaks a promise. */
#define CHECK(ok) ((ok) ? (void)0 : fuzz_fail(#ok, __FILE__, __LINE__))
void fuzz_fail(const char *what, const char *file, int line) __attribute__((noreturn));
/* Does a fixed field hold a text that ends? */
#define CHECK_TEXT(field) CHECK(memchr((field), '\0', sizeof(field)) != NULL)
/* Text that harms no terminal. */
bool fuzz_printable(const char *text);

/* Certificates and what holds them, made once. */
enum fuzz_cert {
    FUZZ_ROOT,
    FUZZ_ROOT2,
    FUZZ_CROSS, /* the name and key of FUZZ_ROOT, signed by FUZZ_ROOT2 */
    FUZZ_SUB,
    FUZZ_LEAF,
    FUZZ_CONSTRAINED,
    FUZZ_CONSTRAINED_LEAF,
    FUZZ_CONSTRAINED_OUT, /* with names that its issuer may not give */
    FUZZ_ODD,             /* T61 names, an unknown critical extension, a negative serial */
    FUZZ_V1,
    FUZZ_ED25519,
    FUZZ_CERTS
};
struct fuzz_fixtures {
    struct pki_blob certs[FUZZ_CERTS];
    struct pki_blob trusted, crl, pkcs7, p12, sst;
};
#define FUZZ_NOW      INT64_C(1800000000)
#define FUZZ_PASSWORD "secret"
const struct fuzz_fixtures *fuzz_fixtures(void);
struct xr_bytes fuzz_bytes(const struct pki_blob *blob);
struct xr_bytes fuzz_buf_bytes(const struct xr_buf *buf);
void fuzz_put_pem(struct xr_buf *out, const char *label, const struct pki_blob *blob);

/* Takes a part of the input: two bytes with its length, little-endian, then it; what is left, if that is
 * less. False at the end. */
bool fuzz_part(struct xr_bytes *out, struct xr_bytes *rest);
void fuzz_put_part(struct xr_buf *out, const void *data, size_t len);

/* A private directory in memory, if there is one; removed at the end. Borrowed. */
const char *fuzz_directory(void);
/* Makes or replaces that file. */
void fuzz_write(const char *path, struct xr_bytes data);

#endif
