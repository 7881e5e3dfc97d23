/* SPDX-License-Identifier: Apache-2.0 */
/* profiles.ini (ini.h): do slices lie in the text, in order, and hold what they may; and does the reading
 * of what was read, written as Mozilla writes it, give the same again. */
#include "../../backends/nss/ini.h"

#include "fuzz.h"

static void check_slice(struct xr_bytes in, struct xr_bytes text, const char *without)
{
    CHECK(in.data >= text.data && in.len <= text.len &&
          (size_t)(in.data - text.data) <= text.len - in.len);
    for (size_t i = 0; i < in.len; i++)
        CHECK(in.data[i] != '\0' && strchr(without, in.data[i]) == NULL);
}

static void write_line(struct xr_buf *out, const struct nss_ini *ini)
{
    xr_buf_str(out, "[");
    xr_buf_add(out, ini->section.data, ini->section.len);
    xr_buf_str(out, "]\n\t"); /* the blank: a key may begin like a comment */
    xr_buf_add(out, ini->key.data, ini->key.len);
    xr_buf_str(out, "=");
    xr_buf_add(out, ini->value.data, ini->value.len);
    xr_buf_str(out, "\n");
}

static struct xr_buf read_and_write(struct xr_bytes text)
{
    struct xr_buf out = {0};
    struct nss_ini ini;
    const unsigned char *before = text.data;

    xr_buf_str(&out, "");
    nss_ini_open(&ini, text);
    while (nss_ini_next(&ini)) {
        check_slice(ini.section, text, "\r\n[]");
        check_slice(ini.key, text, "\r\n=");
        check_slice(ini.value, text, "\r\n");
        CHECK(ini.section.len > 0 && ini.key.len > 0 && ini.key.data >= before &&
              ini.section.data < ini.key.data && ini.key.data < ini.value.data);
        before = ini.value.data;
        write_line(&out, &ini);
    }
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_buf once = read_and_write((struct xr_bytes){data, size});
    struct xr_buf twice =
        read_and_write((struct xr_bytes){(const unsigned char *)once.data, once.len});

    CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    xr_buf_free(&once);
    xr_buf_free(&twice);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char *const texts[] = {
        ("[Profile0]\nName=default\nIsRelative=1\nPath=x.default\nDefault=1\n\n[General]\n"
         "StartWithLastProfile=1\nVersion=2\n"),
        "\xef\xbb\xbf[Install4F96D1932A9F858E]\r\nDefault=y.default-release\r\nLocked=1\r\n",
        "; a comment\n#another\n[A]\n key = value = more \n[B\nno key\n=none\n[]\nx=1\n",
        "[Profile1]\nPath=/absolute/path\nIsRelative=0\n[Profile1]\nPath=second",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fuzz_seed(corpus, texts[i], strlen(texts[i]));
}
