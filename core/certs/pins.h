/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fingerprints that people were given: typed as --pin, or published on a page.
 *
 * Only an exact match counts. A value that is only near (edit distance up to XR_PIN_NEAR, or a
 * digit too many or too few) is a reason to refuse and to explain, never to accept.
 */
#ifndef XR_PINS_H
#define XR_PINS_H

#include "x509.h"

#define XR_PIN_NEAR 8u
/* How many digits a misprinted SHA-1 or SHA-256 may have. */
#define XR_PIN_DIGITS_MIN (40u - XR_PIN_NEAR)
#define XR_PIN_DIGITS_MAX (64u + XR_PIN_NEAR)

struct xr_pin {
    char digits[XR_PIN_DIGITS_MAX + 1]; /* lower case; 40 or 64 of them unless malformed */
    bool typed;                         /* from --pin */
    bool used;                          /* matched a certificate */
};

struct xr_pins {
    struct xr_pin *items;
    size_t count, capacity;
    struct xr_idmap seen;
};

/* A fingerprint in any form that people paste (pin_text.h). XR_INVALID with a reason for a malformed one
 * (wrong length, other characters, another digest); if possible it is kept for the explanation. */
enum xr_status xr_pins_typed(struct xr_pins *pins, const char *text, struct xr_error *err);
/* Adds every fingerprint of a text or HTML page in UTF-8, UTF-16, Shift_JIS or EUC-JP: runs of hex digits, half or full width, upper or
 * lower case, in groups or not. Runs whose length is only near a fingerprint's are kept too. */
void xr_pins_page(struct xr_pins *pins, struct xr_bytes text);
void xr_pins_free(struct xr_pins *pins);

enum xr_pin_match {
    XR_PIN_NONE = 0,
    XR_PIN_NEAR_MISS, /* some value is close to this certificate's */
    XR_PIN_SHA1,      /* exact, but SHA-1 proves less than is asked for */
    XR_PIN_SHA256
};

/* The values that are closest without being equal; NULL if none is near. */
struct xr_pin_near {
    const struct xr_pin *sha256, *sha1;
};

/* Best match of one certificate among the typed pins, or among the published ones. A near miss of
 * the SHA-256 wins over an exact SHA-1. If a SHA-256 matches, only a misprinted SHA-1 is reported
 * as near. */
enum xr_pin_match xr_pins_match(struct xr_pin_near *near, struct xr_pins *pins, bool typed,
                                const struct xr_cert *cert);

/* For typed pins that match nothing: what one of them is. */
enum xr_pin_mistake {
    XR_MISTAKE_NONE, /* not known */
    XR_MISTAKE_KEY,  /* the SHA-256 of the certificate's key */
    XR_MISTAKE_PART  /* the beginning of the certificate's SHA-256 */
};
enum xr_pin_mistake xr_pins_mistake(const struct xr_pins *pins, const struct xr_cert *cert);

/* The differences, position by position: five lines, without the last line end, allocated. A '-' stands
 * for a digit that one of the two does not have. */
char *xr_pins_explain(const struct xr_pin *pin, const struct xr_cert *cert);

/* Levenshtein distance of two digit strings, or limit + 1 if it is more than limit. */
unsigned xr_pins_distance(const char *a, const char *b, unsigned limit);

#endif
