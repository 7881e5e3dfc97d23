/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints typed and on pages (pins.h): is what was found one, and does only an exact value match. */
#include "certs/pins.h"

#include "certs/page_text.h"
#include "certs/pin_text.h"
#include "fuzz.h"

#include <stdlib.h>

static void check_digits(const char *digits)
{
    CHECK(digits[strspn(digits, "0123456789abcdef")] == '\0');
}

/* Is one of them this certificate's? */
static bool has(const struct xr_pins *pins, const unsigned char *sum, size_t len)
{
    char digits[2 * XR_SHA256_LEN + 1];

    xr_hex(digits, sum, len);
    for (size_t i = 0; i < pins->count; i++) {
        if (strcmp(pins->items[i].digits, digits) == 0)
            return true;
    }
    return false;
}

static void check_match(struct xr_pins *pins, const struct xr_cert *cert)
{
    unsigned char sha1[20];
    struct xr_pin_near near = {0};
    bool exact = has(pins, cert->sha256, XR_SHA256_LEN);

    xr_cert_sha1(sha1, cert);
    for (int typed = 0; typed < 2; typed++) {
        enum xr_pin_match match = xr_pins_match(&near, pins, typed == 1, cert);

        CHECK(match != XR_PIN_SHA256 || exact);
        CHECK(match != XR_PIN_SHA1 || has(pins, sha1, sizeof(sha1)));
        for (int i = 0; i < 2; i++) {
            const struct xr_pin *pin = i == 0 ? near.sha256 : near.sha1;
            char *text = pin != NULL ? xr_pins_explain(pin, cert) : NULL;

            free(text);
        }
    }
    (void)xr_pins_mistake(pins, cert);
}

static void check_typed(struct xr_bytes text, const struct xr_cert *cert)
{
    char *typed = xr_memdup(text.data, text.len);
    struct xr_pins pins = {0};
    struct xr_buf digits = {0};
    struct xr_error err = {0};
    size_t want = 0;

    if (xr_pins_typed(&pins, typed, &err) == XR_OK)
        CHECK(pins.count == 1 && pins.items[0].typed &&
              (strlen(pins.items[0].digits) == 64 || strlen(pins.items[0].digits) == 40));
    else
        CHECK(fuzz_printable(err.text) && err.text[0] != '\0');
    for (size_t i = 0; i < pins.count; i++)
        check_digits(pins.items[i].digits);
    check_match(&pins, cert);
    if (xr_pin_text(&digits, &want, typed, &err) == XR_OK && digits.len > 0)
        check_digits(digits.data);
    xr_buf_free(&digits);
    xr_pins_free(&pins);
    free(typed);
}

static void check_page(struct xr_bytes text, const struct xr_cert *cert)
{
    struct xr_pins pins = {0};
    struct xr_buf out = {0};

    xr_pins_page(&pins, text);
    for (size_t i = 0; i < pins.count; i++) {
        size_t len = strlen(pins.items[i].digits);

        check_digits(pins.items[i].digits);
        CHECK(len >= XR_PIN_DIGITS_MIN && len <= XR_PIN_DIGITS_MAX && !pins.items[i].typed);
        for (size_t k = 0; i < 8 && k < i; k++)
            CHECK(xr_pins_distance(pins.items[i].digits, pins.items[k].digits, XR_PIN_NEAR) ==
                  xr_pins_distance(pins.items[k].digits, pins.items[i].digits, XR_PIN_NEAR));
    }
    check_match(&pins, cert);
    xr_pins_free(&pins);
    if (!xr_page_utf8(&out, text))
        CHECK(out.len == 0);
    xr_buf_free(&out);
    (void)xr_page_japanese(&out, text);
    xr_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct xr_cert *cert;

    if (cert == NULL)
        CHECK(xr_cert_new(&cert, fuzz_bytes(&fuzz_fixtures()->certs[FUZZ_ROOT]), NULL) == XR_OK);
    check_typed((struct xr_bytes){data, size < 4096 ? size : 4096}, cert);
    check_page((struct xr_bytes){data, size}, cert);
    return 0;
}

static void seed_page(struct fuzz_corpus *corpus, const char *digits)
{
    struct xr_buf out = {0};

    xr_buf_fmt(&out,
               "<html><meta charset=\"Shift_JIS\"><body><td>SHA-256</td><td>%.20s<br>\n%s</td>",
               digits, digits + 20);
    fuzz_seed_buf(corpus, &out);
    xr_buf_str(&out, "\xff\xfe");
    for (size_t i = 0; digits[i] != '\0'; i++) {
        xr_buf_add(&out, &digits[i], 1);
        xr_buf_add(&out, "", 1);
    }
    fuzz_seed_buf(corpus, &out);
    for (size_t i = 0; digits[i] != '\0'; i++) { /* full width, and a misprint */
        unsigned char wide[3] = {0xef, 0xbc, 0x90};

        wide[2] = (unsigned char)(wide[2] + (digits[i] - '0'));
        if (digits[i] >= '0' && digits[i] <= '9')
            xr_buf_add(&out, wide, 3);
        else
            xr_buf_fmt(&out, "%c%s", i == 30 ? 'l' : digits[i], i % 2 ? ":" : "\xc2\xad");
    }
    fuzz_seed_buf(corpus, &out);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();
    char sha256[65], sha1[41];
    struct xr_buf out = {0};

    CHECK(pki_fingerprint(sha256, sizeof(sha256), "SHA256", &f->certs[FUZZ_ROOT]) == 0);
    CHECK(pki_fingerprint(sha1, sizeof(sha1), "SHA1", &f->certs[FUZZ_ROOT]) == 0);
    fuzz_seed(corpus, sha256, 64);
    fuzz_seed(corpus, sha1, 40);
    xr_buf_fmt(&out, "sha256 Fingerprint=%.2s:%.2s:%s", sha256, sha256 + 2, sha256 + 4);
    fuzz_seed_buf(corpus, &out);
    xr_buf_fmt(&out, "%s  root.pem\n", sha256);
    fuzz_seed_buf(corpus, &out);
    xr_buf_str(&out, "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    fuzz_seed_buf(corpus, &out);
    seed_page(corpus, sha256);
    seed_page(corpus, sha1);
}
