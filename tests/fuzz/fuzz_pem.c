/* SPDX-License-Identifier: Apache-2.0 */
/* PEM and base64 (pem.h): do blocks lie in the text, in order; and is what was written read as that. */
#include "kit/pem.h"

#include "certs/guess.h"
#include "fuzz.h"

#include <stdlib.h>

static void check_inside(struct xr_bytes in, struct xr_bytes text)
{
    CHECK(in.data >= text.data && in.len <= text.len &&
          (size_t)(in.data - text.data) <= text.len - in.len);
}

static void check_base64(struct xr_bytes text)
{
    struct xr_buf once = {0}, twice = {0};
    char *lines = NULL;
    size_t len = 0;

    if (xr_base64(&once, text.data, text.len)) {
        lines = malloc(xr_base64_size(once.len) + 1);
        len = xr_base64_lines(lines, fuzz_buf_bytes(&once));
        CHECK(len <= xr_base64_size(once.len));
        CHECK(xr_base64(&twice, (const unsigned char *)lines, len));
        CHECK(xr_bytes_equal(fuzz_buf_bytes(&once), fuzz_buf_bytes(&twice)));
        CHECK(xr_base64(&twice, (const unsigned char *)lines, len) && twice.len == 2 * once.len);
        CHECK(memcmp(once.data, twice.data, once.len) == 0 &&
              memcmp(once.data, twice.data + once.len, once.len) == 0);
        free(lines);
    }
    xr_buf_free(&once);
    xr_buf_free(&twice);
}

static size_t read_blocks(struct xr_bytes text, bool glued)
{
    struct xr_bytes rest = text;
    struct xr_pem_block block;
    enum xr_pem_found found = XR_PEM_NONE;
    size_t count = 0;

    while ((found = xr_pem_next(&block, &rest, text.data, glued)) != XR_PEM_NONE) {
        check_inside(block.label, text);
        CHECK(++count <= text.len);
        if (found == XR_PEM_OPEN)
            break;
        check_inside(block.body, text);
        check_inside(rest, text);
        CHECK(block.label.data + block.label.len <= block.body.data &&
              block.body.data + block.body.len <= rest.data);
        CHECK(memchr(block.label.data, '\n', block.label.len) == NULL);
        (void)xr_guess_body(block.body);
        check_base64(block.body);
    }
    return count;
}

/* Any bytes as a block, and as such read again. */
static void check_written(struct xr_bytes bytes)
{
    struct xr_bytes rest = {0}, text = {0};
    struct xr_buf again = {0};
    struct xr_pem_block block;
    char *pem = xr_pem("CERTIFICATE", bytes, &text.len);

    text.data = (const unsigned char *)pem;
    rest = text;
    if (bytes.len == 0) /* nothing is no base64 */
        goto out;
    CHECK(xr_pem_next(&block, &rest, text.data, false) == XR_PEM_BLOCK);
    CHECK(block.label.len == 11 && memcmp(block.label.data, "CERTIFICATE", 11) == 0);
    CHECK(xr_base64(&again, block.body.data, block.body.len));
    CHECK(xr_bytes_equal(fuzz_buf_bytes(&again), bytes));
    CHECK(xr_pem_next(&block, &rest, text.data, false) == XR_PEM_NONE);
out:
    xr_buf_free(&again);
    free(pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_bytes text = {data, size};
    bool key = false;

    (void)read_blocks(text, false);
    (void)read_blocks(text, true);
    check_base64(text);
    check_written(text);
    (void)xr_guess_file(text);
    (void)xr_guess_der(text);
    (void)xr_guess_lost(data, text);
    (void)xr_der_guess(text, &key);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char *const texts[] = {
        "-----BEGIN A-----\nQUJD\n-----END A----------BEGIN B-----\nQUI=\n-----END B-----\n",
        "-----BEGIN A-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\nQQ==\r\n-----END A-----\r\n",
        "-----BEGIN A-----\nQUJD",
        " -----BEGIN A-----\nQUJD\n-----END B-----\n-----END A-----",
        "QUJDREVG\nQUJD",
        "----BEGIN CERTIFICATE----\nQUJD\n----END CERTIFICATE----\n",
    };
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_buf all = {0};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fuzz_seed(corpus, texts[i], strlen(texts[i]));
    fuzz_put_pem(&all, PKI_LABEL_CERT, &f->certs[FUZZ_ROOT]);
    fuzz_put_pem(&all, PKI_LABEL_TRUSTED, &f->trusted);
    fuzz_seed_buf(corpus, &all);
}
