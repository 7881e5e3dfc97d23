/* SPDX-License-Identifier: Apache-2.0 */
/* A catalogue of another language (report/catalogue.h) and a sentence that it is asked for: a part of the
 * input each. */
#include "report/catalogue.h"

#include "fuzz.h"

#include <stdlib.h>

static bool is_utf8(const char *text)
{
    uint32_t code = 0;
    size_t len = 1;

    for (size_t at = 0; len > 0 && text[at] != '\0'; at += len)
        len = xr_utf8_next(&code, (const unsigned char *)text + at, strlen(text + at));
    return len > 0;
}

static void check(const struct xr_catalogue *catalogue, const char *english)
{
    char *said = xr_tr_said(catalogue, english);
    const char *translated = xr_tr(catalogue, english);

    CHECK(is_utf8(said) || !is_utf8(english));
    /* What printf is given takes the arguments of the text. */
    CHECK(xr_format_alike(english, translated));
    for (size_t n = 0; n < 200; n += 1 + n / 3)
        CHECK(xr_format_alike("%zu files", xr_tr_n(catalogue, "%zu file", "%zu files", n)));
    free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_bytes rest = {data, size}, mo = {0}, said = {0};
    struct xr_catalogue *catalogue = NULL;
    unsigned char *copy = NULL;
    char *english = NULL;

    if (!fuzz_part(&mo, &rest))
        return 0;
    (void)fuzz_part(&said, &rest);
    copy = xr_memdup(mo.data, mo.len); /* so that a byte too many is noticed */
    catalogue = xr_catalogue_new((struct xr_bytes){copy, mo.len});
    english = xr_format("%.*s", (int)said.len, (const char *)said.data);
    check(catalogue, english);
    for (size_t i = 0; catalogue != NULL && i < catalogue->count && i < 64; i++)
        check(catalogue, catalogue->items[i].one);
    free(english);
    xr_catalogue_free(catalogue);
    free(copy);
    return 0;
}

struct text {
    const char *text, *translation;
    size_t text_len, translation_len;
};
#define TEXT(text, translation)                                      \
    {                                                                \
        text, translation, sizeof(text) - 1, sizeof(translation) - 1 \
    }

static void put32(struct xr_buf *out, size_t value)
{
    xr_buf_put32(out, (uint32_t)value);
}

/* The texts in the order of strcmp. */
static void seed(struct fuzz_corpus *corpus, const struct text *texts, size_t count,
                 const char *said)
{
    struct xr_buf mo = {0}, out = {0};
    size_t at = 28 + 16 * count;

    put32(&mo, 0x950412de);
    put32(&mo, 0);
    put32(&mo, count);
    put32(&mo, 28);
    put32(&mo, 28 + 8 * count);
    put32(&mo, 0);
    put32(&mo, 0);
    for (size_t i = 0; i < 2 * count; i++) {
        size_t len = i < count ? texts[i].text_len : texts[i - count].translation_len;

        put32(&mo, len);
        put32(&mo, at);
        at += len + 1;
    }
    for (size_t i = 0; i < 2 * count; i++) {
        if (i < count)
            xr_buf_add(&mo, texts[i].text, texts[i].text_len + 1);
        else
            xr_buf_add(&mo, texts[i - count].translation, texts[i - count].translation_len + 1);
    }
    fuzz_put_part(&out, mo.data, mo.len);
    fuzz_put_part(&out, said, strlen(said));
    xr_buf_free(&mo);
    fuzz_seed_buf(corpus, &out);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const struct text texts[] = {
        TEXT("", "Content-Type: text/plain; charset=UTF-8\n"
                 "Plural-Forms: nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n!=0 ? 1 : 2;\n"),
        TEXT("%s (%s)", "%s [%s]"),
        TEXT("%s: cannot open %s", "%s: %s!"),
        TEXT("%zu file\0%zu files", "%zu a\0%zu b\0%zu c"),
        TEXT("No such file", "なし"),
        TEXT("anchor", "アンカー"),
        TEXT("cannot open %s", "%sを開けません"),
        TEXT("state %-8s, %5d, 0x%08x, '%c', %.*s, %%", "状態%-8s、%5d、0x%08x、'%c'、%.*s、%%"),
    };
    static const char *const said[] = {
        "a: cannot open b: No such file",
        "x (cannot open anchor)\n  3 files",
        "state anchor  ,    -7, 0x00ff, 'z', cannot open cannot open x, %",
    };

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        seed(corpus, texts, sizeof(texts) / sizeof(texts[0]), said[i]);
    seed(corpus, texts, 1, "");
}
