/* SPDX-License-Identifier: Apache-2.0 */
#include "pins.h"

#include "page_text.h"
#include "pin_text.h"

#include <stdlib.h>

#define SIDE (XR_PIN_DIGITS_MAX + 1)

/* A page with more values than this is not about certificates. */
#define PINS_MAX 20000u

static void add(struct xr_pins *pins, const char *digits, bool typed)
{
    struct xr_pin *pin = NULL;
    unsigned char id[XR_SHA256_LEN];
    bool added = false;

    if (pins->count >= PINS_MAX)
        return;
    xr_x509_sha256(id, (struct xr_bytes){(const unsigned char *)digits, strlen(digits)});
    id[0] ^= typed;
    (void)xr_idmap_put(&pins->seen, id, pins->count, &added);
    if (!added)
        return;
    pin = XR_PUSH(pins);
    (void)snprintf(pin->digits, sizeof(pin->digits), "%s", digits);
    pin->typed = typed;
}

static enum xr_status not_as_many(struct xr_error *err, size_t digits, size_t want)
{
    const char *other = want == 0 ? xr_pin_length_of(digits) : NULL;
    const char *wanted = want == 64   ? N_("a SHA-256 fingerprint has 64")
                         : want == 40 ? N_("a SHA-1 fingerprint has 40")
                                      : N_("a SHA-256 fingerprint has 64, a SHA-1 fingerprint 40");

    if (other != NULL)
        return xr_fail(err, XR_INVALID, "%zu hex digits, as many as %s; %s", digits, other, wanted);
    return xr_fail(err, XR_INVALID, "%zu hex digits; %s", digits, wanted);
}

enum xr_status xr_pins_typed(struct xr_pins *pins, const char *text, struct xr_error *err)
{
    struct xr_buf digits = {0};
    size_t want = 0;
    enum xr_status status = xr_pin_text(&digits, &want, text, err);

    if (status != XR_OK)
        goto out;
    if (digits.len >= XR_PIN_DIGITS_MIN && digits.len <= XR_PIN_DIGITS_MAX)
        add(pins, digits.data, true);
    if (want == 0 && (digits.len == 40 || digits.len == 64))
        want = digits.len;
    if (digits.len == 0 || digits.len != want)
        status = not_as_many(err, digits.len, want);
out:
    xr_buf_free(&digits);
    return status;
}

/* ---- a page ---- */

/* A character of a page, as it counts in a fingerprint. */
enum glyph { GLYPH_OTHER, GLYPH_DIGIT, GLYPH_COLON, GLYPH_SPACE };

static enum glyph glyph(struct xr_bytes text, size_t at, size_t *used, int *digit)
{
    uint32_t c = 0;

    *used = xr_utf8_next(&c, text.data + at, text.len - at);
    if (*used == 0) {
        *used = 1;
        return GLYPH_OTHER;
    }
    if (c >= 0xff01 && c <= 0xff5e) /* full-width forms of ! to ~ */
        c -= 0xff01 - '!';
    if (c < 0x80 && (*digit = xr_hex_digit((unsigned char)c)) >= 0)
        return GLYPH_DIGIT;
    if (c == ':' || c == '-')
        return GLYPH_COLON;
    if (c == ' ' || c == 0xa0 || c == 0x3000 || c == '\t')
        return GLYPH_SPACE;
    /* A letter or sign beside a run makes it part of a word: an address, an identifier. */
    return GLYPH_OTHER;
}

static bool is_word(struct xr_bytes text, size_t at)
{
    unsigned char c = text.data[at];

    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A piece: a run of hex digits that is not part of a word. Returns its length in digits, 0 if there
 * is none; *end is behind it. */
static size_t piece(struct xr_bytes text, size_t at, size_t *end)
{
    size_t count = 0, used = 0;
    int digit = 0;

    for (; at < text.len && glyph(text, at, &used, &digit) == GLYPH_DIGIT; at += used)
        count++;
    *end = at;
    return at < text.len && is_word(text, at) ? 0 : count;
}

/* A value from at: one piece, or groups of two to eight digits with the same separator between, all
 * of one length but the last. So neither a sentence with "be a dad" nor the 256 of "SHA-256 …" is
 * joined with what follows. Returns the end of the value; at itself if there is none. */
static size_t value_end(struct xr_bytes text, size_t at)
{
    size_t end = at, next = 0, used = 0;
    size_t group = piece(text, at, &end), total = group;
    enum glyph separator = GLYPH_OTHER;
    int digit = 0;

    if (group == 0)
        return at;
    while (group >= 2 && group <= 8 && total <= XR_PIN_DIGITS_MAX && end < text.len) {
        enum glyph between = glyph(text, end, &used, &digit);
        size_t len = 0;

        if ((between != GLYPH_COLON && between != GLYPH_SPACE) ||
            (separator != GLYPH_OTHER && between != separator))
            break;
        len = piece(text, end + used, &next);
        if (len == 0 || len > group)
            break;
        separator = between;
        total += len;
        end = next;
        if (len < group)
            break;
    }
    return end;
}

static size_t digits_of(char digits[SIDE], struct xr_bytes text, size_t at, size_t end)
{
    size_t count = 0, used = 0;

    for (; at < end; at += used) {
        int digit = 0;

        if (glyph(text, at, &used, &digit) != GLYPH_DIGIT)
            continue;
        if (count < XR_PIN_DIGITS_MAX)
            digits[count] = "0123456789abcdef"[digit];
        count++;
    }
    digits[count < XR_PIN_DIGITS_MAX ? count : XR_PIN_DIGITS_MAX] = '\0';
    return count;
}

#define EDGE_GROUPS 3u

/* Numbers of a group's width beside a value ("RSA 2048 9F86 D081 … 2031") become part of it.
 * Then the value without its first or last groups is used, if that has exactly a fingerprint's
 * length. */
static bool add_window(struct xr_pins *pins, struct xr_bytes text, size_t at, size_t end)
{
    size_t starts[XR_PIN_DIGITS_MAX], ends[XR_PIN_DIGITS_MAX];
    size_t groups = 0, used = 0;
    bool found = false;
    int digit = 0;

    while (at < end && groups < XR_PIN_DIGITS_MAX) {
        starts[groups] = at;
        (void)piece(text, at, &at);
        ends[groups++] = at;
        if (at < end)
            (void)glyph(text, at, &used, &digit);
        at += used;
    }
    /* A last group that is shorter is a digit too many, not a number beside the value. */
    if (groups < 2 || ends[groups - 1] - starts[groups - 1] != ends[0] - starts[0])
        return false;
    for (size_t cut = 1; cut <= EDGE_GROUPS && cut < groups; cut++) {
        for (size_t first = 0; first <= cut; first++) {
            char digits[SIDE];
            size_t count = digits_of(digits, text, starts[first], ends[groups - 1 - (cut - first)]);

            if (count == 40 || count == 64) {
                add(pins, digits, false);
                found = true; /* the same length may remain at either end: both count */
            }
        }
    }
    return found;
}

static void scan_page(struct xr_pins *pins, struct xr_bytes text)
{
    for (size_t at = 0; at < text.len;) {
        char digits[SIDE];
        size_t used = 0, end = 0, count = 0;
        int digit = 0;

        if (glyph(text, at, &used, &digit) != GLYPH_DIGIT) {
            bool word = is_word(text, at);

            at += used;
            while (word && at < text.len && is_word(text, at))
                at++; /* a value cannot begin inside a word */
            continue;
        }
        end = value_end(text, at);
        count = digits_of(digits, text, at, end);
        if (count >= XR_PIN_DIGITS_MIN && count <= XR_PIN_DIGITS_MAX) {
            if (count == 40 || count == 64 || !add_window(pins, text, at, end))
                add(pins, digits, false);
            at = end;
            continue;
        }
        if (count > XR_PIN_DIGITS_MAX) {
            at = end; /* a dump of bytes: a fingerprint cannot begin inside it */
            continue;
        }
        (void)piece(text, at, &at); /* the next piece may begin one */
        while (at < text.len && is_word(text, at))
            at++;
    }
}

/* As it is, and as people see it: a narrow cell breaks a value by a tag or a line end. More values than
 * are printed do no harm, because only an exact one counts. */
void xr_pins_page(struct xr_pins *pins, struct xr_bytes text)
{
    struct xr_buf decoded = {0};

    if (xr_page_utf8(&decoded, text) || xr_page_japanese(&decoded, text))
        text = (struct xr_bytes){(const unsigned char *)decoded.data, decoded.len};
    scan_page(pins, text);
    for (int joined = 1; joined >= 0; joined--) {
        struct xr_buf plain = {0};

        xr_page_plain(&plain, text, joined == 1);
        scan_page(pins, (struct xr_bytes){(const unsigned char *)plain.data, plain.len});
        xr_buf_free(&plain);
    }
    xr_buf_free(&decoded);
}

void xr_pins_free(struct xr_pins *pins)
{
    free(pins->items);
    xr_idmap_free(&pins->seen);
    *pins = (struct xr_pins){0};
}

/* ---- distance ---- */

typedef unsigned char table[SIDE][SIDE];

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

static void fill(table cost, const char *a, size_t la, const char *b, size_t lb)
{
    for (size_t i = 0; i <= la; i++) {
        for (size_t j = 0; j <= lb; j++) {
            if (i == 0 || j == 0)
                cost[i][j] = (unsigned char)(i + j);
            else
                cost[i][j] =
                    (unsigned char)least(cost[i - 1][j] + 1u, cost[i][j - 1] + 1u,
                                         cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u));
        }
    }
}

unsigned xr_pins_distance(const char *a, const char *b, unsigned limit)
{
    unsigned rows[2][SIDE];
    size_t la = strlen(a), lb = strlen(b);

    if (la >= SIDE || lb >= SIDE || (la > lb ? la - lb : lb - la) > limit)
        return limit + 1;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        const unsigned *above = rows[(i - 1) & 1];
        unsigned *row = rows[i & 1];
        /* Cells further from the diagonal than the limit do not matter. */
        size_t from = i > limit ? i - limit : 1, to = i + limit < lb ? i + limit : lb;
        unsigned smallest = from == 1 ? (unsigned)i : limit + 1;

        row[from - 1] = smallest;
        for (size_t j = from; j <= to; j++) {
            unsigned up = i + 1 > j + limit + 1 || j > i - 1 + limit ? limit + 1 : above[j] + 1;

            row[j] = least(up, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u));
            smallest = row[j] < smallest ? row[j] : smallest;
        }
        if (smallest > limit)
            return limit + 1;
    }
    return rows[la & 1][lb] <= limit ? rows[la & 1][lb] : limit + 1;
}

/* ---- matching ---- */

static void fingerprints(char sha256[65], char sha1[41], const struct xr_cert *cert)
{
    unsigned char sum[20];

    xr_cert_sha1(sum, cert);
    xr_hex(sha256, cert->sha256, sizeof(cert->sha256));
    xr_hex(sha1, sum, sizeof(sum));
}

enum xr_pin_match xr_pins_match(struct xr_pin_near *near, struct xr_pins *pins, bool typed,
                                const struct xr_cert *cert)
{
    bool has256 = false, has1 = false;
    unsigned best256 = XR_PIN_NEAR + 1, best1 = XR_PIN_NEAR + 1;
    char sha256[65], sha1[41];

    *near = (struct xr_pin_near){0};
    fingerprints(sha256, sha1, cert);
    for (size_t i = 0; i < pins->count; i++) {
        struct xr_pin *pin = &pins->items[i];
        unsigned d256 = 0, d1 = 0;

        if (pin->typed != typed)
            continue;
        d256 = xr_pins_distance(pin->digits, sha256, XR_PIN_NEAR);
        d1 = xr_pins_distance(pin->digits, sha1, XR_PIN_NEAR);
        if (d256 == 0 || d1 == 0) {
            pin->used = true;
            has256 = has256 || d256 == 0;
            has1 = has1 || d1 == 0;
        } else if (d256 < best256) {
            best256 = d256;
            near->sha256 = pin;
        } else if (d1 < best1) {
            best1 = d1;
            near->sha1 = pin;
        }
    }
    if (has1)
        near->sha1 = NULL;
    if (has256) {
        near->sha256 = NULL;
        return XR_PIN_SHA256;
    }
    if (near->sha256 != NULL)
        return XR_PIN_NEAR_MISS;
    if (has1)
        return XR_PIN_SHA1;
    return near->sha1 != NULL ? XR_PIN_NEAR_MISS : XR_PIN_NONE;
}

enum xr_pin_mistake xr_pins_mistake(const struct xr_pins *pins, const struct xr_cert *cert)
{
    char sha256[65], sha1[41], key[65];

    fingerprints(sha256, sha1, cert);
    xr_hex(key, cert->spki_sha256, sizeof(cert->spki_sha256));
    for (size_t i = 0; i < pins->count; i++) {
        const char *digits = pins->items[i].digits;

        if (!pins->items[i].typed)
            continue;
        if (strcmp(digits, key) == 0)
            return XR_MISTAKE_KEY;
        if (strncmp(digits, sha256, strlen(digits)) == 0 && digits[0] != '\0')
            return XR_MISTAKE_PART;
    }
    return XR_MISTAKE_NONE;
}

/* ---- explanation ---- */

static bool look_alike(char a, char b)
{
    static const char *const pairs[] = {"8b", "0d", "68", "38", "59", "56", "35", "17",
                                        "06", "08", "09", "4a", "2z", "6b", "ce", "ef",
                                        "0c", "89", "0e", "3b", "5b", "49", "39"};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if ((pairs[i][0] == a && pairs[i][1] == b) || (pairs[i][0] == b && pairs[i][1] == a))
            return true;
    }
    return false;
}

/* Both values with a column for every digit; '-' where one has none. */
struct alignment {
    char given[2 * SIDE], actual[2 * SIDE];
    size_t len, differing, alike;
};

static void align(struct alignment *out, const char *given, const char *actual)
{
    table cost;
    size_t i = strlen(given), j = strlen(actual), len = 0;

    *out = (struct alignment){0};
    fill(cost, given, i, actual, j);
    while (i > 0 || j > 0) {
        if (i > 0 && j > 0 && cost[i][j] == cost[i - 1][j - 1] + (given[i - 1] != actual[j - 1])) {
            out->given[len] = given[--i];
            out->actual[len] = actual[--j];
        } else if (i > 0 && cost[i][j] == cost[i - 1][j] + 1) {
            out->given[len] = given[--i];
            out->actual[len] = '-';
        } else {
            out->given[len] = '-';
            out->actual[len] = actual[--j];
        }
        out->differing += out->given[len] != out->actual[len];
        out->alike +=
            out->given[len] != out->actual[len] && look_alike(out->given[len], out->actual[len]);
        len++;
    }
    out->len = len;
    for (size_t k = 0; k < len / 2; k++) {
        char c = out->given[k];

        out->given[k] = out->given[len - 1 - k];
        out->given[len - 1 - k] = c;
        c = out->actual[k];
        out->actual[k] = out->actual[len - 1 - k];
        out->actual[len - 1 - k] = c;
    }
}

static char upper(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    int value = xr_hex_digit((unsigned char)c);

    if (value < 0)
        return c;
    return digits[value];
}

static struct xr_buf row_text(const char *text, size_t len)
{
    struct xr_buf out = {0};

    for (size_t k = 0; k < len; k++) {
        char c = upper(text[k]);

        xr_buf_add(&out, &c, 1);
    }
    xr_buf_add(&out, "", 0);
    while (out.len > 0 && out.data[out.len - 1] == ' ')
        out.data[--out.len] = '\0';
    return out;
}

static void add_positions(struct xr_buf *out, const struct alignment *a)
{
    struct xr_buf list = {0};
    size_t position = 0;

    for (size_t k = 0; k < a->len; k++) {
        position += a->given[k] != '-';
        if (a->given[k] == a->actual[k])
            continue;
        if (list.len > 0)
            xr_buf_str(&list, "  ");
        if (a->given[k] == '-')
            xr_buf_str(&list, "after ");
        xr_buf_fmt(&list, "%zu: %c\xe2\x86\x92%c", position, upper(a->given[k]),
                   upper(a->actual[k]));
    }
    if (list.len > 0) {
        xr_buf_str(out, "  ");
        xr_buf_fmt(out, N_("digit %s"), list.data);
    }
    xr_buf_free(&list);
}

/* How many digits, and how many of them are wrong. */
static void add_count(struct xr_buf *out, const struct alignment *a, size_t digits, bool is256)
{
    const char *kind = is256 ? "SHA-256" : "SHA-1";
    size_t full = is256 ? 64 : 40;
    char *has = digits == full ? xr_format(N_("%zu digits"), digits)
                               : xr_format(N_("%zu digits instead of %zu"), digits, full);
    char *apart = a->differing == 1 ? xr_format(N_("%zu position"), a->differing)
                                    : xr_format(N_("%zu positions"), a->differing);
    char *alike = a->alike == 1 ? xr_format(N_("%zu looks alike"), a->alike)
                                : xr_format(N_("%zu look alike"), a->alike);

    if (a->alike > 0)
        xr_buf_fmt(out, N_("the %s given has %s and differs in %s, of which %s: a misprint?"), kind,
                   has, apart, alike);
    else
        xr_buf_fmt(out, N_("the %s given has %s and differs in %s"), kind, has, apart);
    free(has);
    free(apart);
    free(alike);
}

char *xr_pins_explain(const struct xr_pin *pin, const struct xr_cert *cert)
{
    struct alignment a;
    struct xr_buf out = {0};
    char sha256[65], sha1[41];
    char marks[2 * SIDE];
    size_t digits = strlen(pin->digits);
    bool is256 = digits > 52;
    struct xr_buf row = {0};

    fingerprints(sha256, sha1, cert);
    align(&a, pin->digits, is256 ? sha256 : sha1);
    for (size_t k = 0; k < a.len; k++)
        marks[k] = a.given[k] == a.actual[k] ? ' ' : '^';

    add_count(&out, &a, digits, is256);
    xr_buf_str(&out, "\n  ");
    row = row_text(a.given, a.len);
    xr_buf_fmt(&out, N_("given        %s"), row.data);
    xr_buf_free(&row);
    xr_buf_str(&out, "\n  ");
    row = row_text(a.actual, a.len);
    xr_buf_fmt(&out, N_("certificate  %s"), row.data);
    xr_buf_free(&row);
    row = row_text(marks, a.len);
    xr_buf_fmt(&out, "\n               %s\n", row.data);
    xr_buf_free(&row);
    add_positions(&out, &a);
    return out.data;
}
