/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Java's keystores of others (formats/outputs.h): is an update of an update the same, and does taking all
 * of ours out and putting it in again change nothing, whatever else is in the file. An input is one byte,
 * odd for JKS, and the file; JKS without its digest, which is made here, for no mutation would find it.
 */
#include "formats/outputs.h"
#include "fuzz.h"
#include "stores/registry.h"

#include <stdlib.h>

#define DIGEST 20

static struct xr_format_cert certs[] = {{.label = "Root", .label_len = 4},
                                        {.label = "Root", .label_len = 4}};
static struct xr_format_cert *const both[] = {&certs[0], &certs[1]};

static struct xr_output_options options_of(bool jks)
{
    struct xr_output_options options = {.host = &xr_host};
    const struct fuzz_fixtures *f = fuzz_fixtures();

    certs[0].der = fuzz_bytes(&f->certs[FUZZ_ROOT]);
    certs[1].der = fuzz_bytes(&f->certs[FUZZ_ROOT2]);
    if (!jks)
        options.password =
            (struct xr_bytes){(const unsigned char *)FUZZ_PASSWORD, sizeof(FUZZ_PASSWORD) - 1};
    return options;
}

static const struct xr_output_format *format_of(bool jks)
{
    return jks ? xr_output_format("java", 4) : xr_output_format("java-p12", 8);
}

static bool update(struct xr_buf *out, struct xr_bytes old, size_t count, bool jks)
{
    const struct xr_output_options options = options_of(jks);
    struct xr_error err = {.size = sizeof(err)};
    enum xr_status status = format_of(jks)->update(out, old, both, count, &options, &err);

    CHECK_TEXT(err.text);
    CHECK(status == XR_OK || (out->len == 0 && err.text[0] != '\0'));
    return status == XR_OK;
}

static void check(struct xr_bytes old, bool jks)
{
    const struct xr_output_options options = options_of(jks);
    struct xr_buf with = {0}, again = {0}, without = {0};
    char *why = format_of(jks)->keeps(old, &options), *then = NULL;

    if (update(&with, old, 2, jks)) {
        CHECK(update(&again, fuzz_buf_bytes(&with), 2, jks));
        CHECK(xr_bytes_equal(fuzz_buf_bytes(&with), fuzz_buf_bytes(&again)));
        again.len = 0;
        CHECK(update(&without, fuzz_buf_bytes(&with), 0, jks));
        CHECK(update(&again, fuzz_buf_bytes(&without), 2, jks));
        CHECK(xr_bytes_equal(fuzz_buf_bytes(&with), fuzz_buf_bytes(&again)));
        then = format_of(jks)->keeps(fuzz_buf_bytes(&with), &options);
        CHECK((why == NULL) == (then == NULL));
        CHECK(why == NULL || strcmp(why, then) == 0);
    } else if (old.len > 0) {
        CHECK(why != NULL || jks); /* to replace JKS its password is not asked */
    }
    free(why);
    free(then);
    xr_buf_free(&with);
    xr_buf_free(&again);
    xr_buf_free(&without);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_buf file = {0}, sealed = {0};
    unsigned char digest[DIGEST];
    bool jks = false;

    if (size < 2)
        return 0;
    jks = (data[0] & 1) != 0;
    xr_buf_add(&file, data + 1, size - 1);
    if (jks) {
        xr_buf_add(&sealed, "\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite", 32);
        xr_buf_add(&sealed, file.data, file.len);
        xr_host.sha1(digest, fuzz_buf_bytes(&sealed));
        xr_buf_add(&file, digest, sizeof(digest));
    }
    check(fuzz_buf_bytes(&file), jks);
    xr_buf_free(&file);
    xr_buf_free(&sealed);
    return 0;
}

static void seed(struct fuzz_corpus *corpus, bool jks, struct xr_bytes file)
{
    struct xr_buf out = {0};

    xr_buf_add(&out, jks ? "\1" : "\0", 1);
    xr_buf_add(&out, file.data, file.len);
    fuzz_seed_buf(corpus, &out);
}

#define PRIVATE                                      \
    "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1\0\x0e" \
    "crossroot:root\0\0\1\2\3\4\5\6\0\0\0\7anykey!\0\0\0\1\0\5X.509\0\0\0\3\x30\1\0"

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const struct xr_bytes private_key = {(const unsigned char *)PRIVATE,
                                                sizeof(PRIVATE) - 1};
    const struct fuzz_fixtures *f = fuzz_fixtures();

    seed(corpus, false, fuzz_bytes(&f->p12));
    seed(corpus, true, private_key);
    for (int i = 0; i < 8; i++) {
        bool jks = (i & 1) != 0;
        struct xr_output_options options = options_of(jks);
        struct xr_format_files files = {0};
        struct xr_buf file = {0};

        if ((i & 2) != 0)
            options.password = (struct xr_bytes){0}; /* PKCS#12 without a MAC */
        if ((i & 4) != 0) {
            CHECK(format_of(jks)->update(&file, (struct xr_bytes){0}, both, 2, &options, NULL) ==
                  XR_OK);
        } else {
            format_of(jks)->write(&files, both, 2, &options);
            xr_buf_add(&file, files.items[0].content.data, files.items[0].content.len);
        }
        file.len -= jks ? DIGEST : 0;
        seed(corpus, jks, fuzz_buf_bytes(&file));
        xr_buf_free(&file);
        xr_format_files_free(&files);
    }
}
