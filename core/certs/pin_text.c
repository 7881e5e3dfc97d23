/* SPDX-License-Identifier: Apache-2.0 */
/* Read in steps: characters to ASCII without what nobody sees; the name of the digest before the value;
 * the value itself. */
#include "pin_text.h"

#include <stdlib.h>

static const struct digest {
    const char *name; /* as written before a value, in lower case and without dashes */
    const char *shown;
    size_t digits;
    bool used; /* of fingerprints that are compared here */
} digests[] = {
    {"sha256", "SHA-256", 64, true},
    {"sha2256", "SHA-256", 64, true},
    {"sha1", "SHA-1", 40, true},
    {"md5", N_("an MD5"), 32, false},
    {"sha224", N_("a SHA-224"), 56, false},
    {"sha384", N_("a SHA-384"), 96, false},
    {"sha2384", N_("a SHA-384"), 96, false},
    {"sha512", N_("a SHA-512"), 128, false},
    {"sha2512", N_("a SHA-512"), 128, false},
};

static const char key_hash[] =
    N_("that is the hash of a key, as curl and HPKP take it; a pin is the "
       "SHA-256 fingerprint of the certificate");

const char *xr_pin_length_of(size_t count)
{
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        if (!digests[i].used && digests[i].digits == count)
            return digests[i].shown;
    }
    return NULL;
}

/* ---- characters ---- */

/* Marks of direction, joiners, a soft hyphen, a byte order mark: Windows' certificate dialog puts one
 * before a thumbprint. */
static bool unseen(uint32_t c)
{
    return c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static bool quote(uint32_t c)
{
    return c == '"' || c == '\'' || c == '`' || (c >= 0x2018 && c <= 0x201f) || c == 0xab ||
           c == 0xbb || (c >= 0x300c && c <= 0x300f);
}

/* As ASCII; 0: to be left out, 1: nothing that belongs to a fingerprint. */
static unsigned char plain(uint32_t c)
{
    if (unseen(c) || quote(c))
        return 0;
    if (c >= 0xff01 && c <= 0xff5e) /* full-width forms of ! to ~ */
        c -= 0xff01 - '!';
    if (c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == '\t' ||
        c == '\n' || c == '\r')
        return ' ';
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
        return '-';
    return c >= ' ' && c <= '~' ? (unsigned char)c : 1;
}

static void to_ascii(struct xr_buf *out, const char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len;) {
        uint32_t c = 0;
        size_t used = xr_utf8_next(&c, (const unsigned char *)text + at, len - at);
        unsigned char one = used > 0 ? plain(c) : 1;

        if (one != 0)
            xr_buf_add(out, &one, 1);
        at += used > 0 ? used : 1;
    }
    xr_buf_add(out, "", 1);
}

/* ---- what stands before the value ---- */

static void skip_blanks(const char **at)
{
    while (**at == ' ')
        (*at)++;
}

static bool take_word(const char **at, const char *word)
{
    size_t len = strlen(word);

    if (strncasecmp(*at, word, len) != 0)
        return false;
    *at += len;
    skip_blanks(at);
    return true;
}

/* "SHA-256" and "sha256" alike. */
static const struct digest *take_digest(const char **at)
{
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        const char *from = *at, *name = digests[i].name;

        while (*name != '\0' && (*from | 0x20) == (*name | 0x20)) {
            from++;
            name++;
            if (*from == '-' && *name >= '0' && *name <= '9')
                from++;
        }
        if (*name != '\0' || (*from >= '0' && *from <= '9'))
            continue;
        *at = from;
        skip_blanks(at);
        return &digests[i];
    }
    return NULL;
}

/* BSD's "SHA256 (FILE) = " and openssl's "SHA2-256(FILE)= ". */
static void take_file(const char **at)
{
    const char *end = **at == '(' ? strchr(*at, ')') : NULL;

    if (end == NULL)
        return;
    *at = end + 1;
    skip_blanks(at);
}

static enum xr_status take_head(size_t *want, const char **at, struct xr_error *err)
{
    const struct digest *digest = NULL;

    skip_blanks(at);
    (void)take_word(at, "x509 ");
    if (!take_word(at, "fingerprint"))
        (void)take_word(at, "thumbprint");
    if (**at == '(')
        (*at)++;
    digest = take_digest(at);
    /* sha256/BASE64=, sha256//BASE64=, pin-sha256="BASE64=" */
    if (take_word(at, "pin-sha256") || (digest != NULL && **at == '/'))
        return xr_fail(err, XR_INVALID, "%s", key_hash);
    if (digest != NULL && !digest->used)
        return xr_fail(err, XR_INVALID,
                       "that is %s fingerprint; a pin is the SHA-256 (or SHA-1) of the certificate",
                       digest->shown);
    *want = digest != NULL ? digest->digits : 0;
    if (**at == ')')
        (*at)++;
    skip_blanks(at);
    if (!take_word(at, "fingerprint"))
        (void)take_word(at, "thumbprint");
    take_file(at);
    if (**at == ':' || **at == '=')
        (*at)++;
    skip_blanks(at);
    if ((*at)[0] == '0' && ((*at)[1] | 0x20) == 'x')
        *at += 2;
    return XR_OK;
}

/* ---- the value ---- */

/* sha256sum's line: the digits in one piece, two blanks or a blank and a star, and a name. */
static bool file_follows(const char *at, size_t count)
{
    return (count == 64 || count == 40) && at[0] == ' ' && (at[1] == ' ' || at[1] == '*') &&
           at[2] != '\0';
}

/* 43 digits of base64 and "=" are a SHA-256, and people have those of keys. */
static bool is_base64(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    return len == 43 && text[43] == '=' && text[44] == '\0';
}

enum xr_status xr_pin_text(struct xr_buf *out, size_t *want, const char *text, struct xr_error *err)
{
    struct xr_buf ascii = {0};
    const char *at = NULL;
    bool one_piece = true;
    enum xr_status status = XR_OK;

    *want = 0;
    to_ascii(&ascii, text);
    at = ascii.data;
    status = take_head(want, &at, err);
    if (status == XR_OK && is_base64(at))
        status = xr_fail(err, XR_INVALID, "%s", key_hash);
    for (; status == XR_OK && *at != '\0'; at++) {
        int digit = xr_hex_digit((unsigned char)*at);

        if (digit >= 0) {
            xr_buf_add(out, &"0123456789abcdef"[digit], 1);
            continue;
        }
        if (one_piece && file_follows(at, out->len))
            break;
        one_piece = false;
        if (strchr(": -\\", *at) == NULL)
            status =
                xr_fail(err, XR_INVALID, "a fingerprint has only hex digits; \"%c\" is not one",
                        *at >= ' ' && *at <= '~' ? *at : '?');
    }
    if (status != XR_OK)
        out->len = 0;
    xr_buf_free(&ascii);
    return status;
}
