/* SPDX-License-Identifier: Apache-2.0 */
#include "said.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ---- formats ---- */

static size_t letters(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += (unsigned char)((text[i] | 0x20) - 'a') < 26;
    return count;
}

static void add(struct xr_said *said, const struct xr_tr_entry *entry, bool many)
{
    struct xr_said_format format = {.entry = entry, .many = many, .first = said->pieces.count};
    const char *at = many ? entry->many : entry->one;
    struct xr_piece piece;

    while (format.count < XR_SAID_PIECES && xr_piece_next(&piece, &at)) {
        *XR_PUSH(&said->pieces) = piece;
        format.count++;
        if (piece.kind != XR_LITERAL)
            continue;
        format.literal += piece.len;
        format.letters += letters(piece.at, piece.len);
        format.lines = format.lines || memchr(piece.at, '\n', piece.len) != NULL;
    }
    /* A text without conversions is looked up. */
    if (*at == '\0' && xr_format_converts(entry->one))
        *XR_PUSH(said) = format;
    else
        said->pieces.count = format.first;
}

static size_t bucket(const struct xr_said *said, const struct xr_said_format *format)
{
    const struct xr_piece *piece = &said->pieces.items[format->first];

    return piece->kind == XR_LITERAL ? (unsigned char)piece->at[0] : 256;
}

static struct xr_said *compile(const struct xr_catalogue *catalogue)
{
    struct xr_said all = {0}, *said = xr_new(1, sizeof(*said));

    for (size_t i = 0; i < catalogue->count; i++) {
        const struct xr_tr_entry *entry = &catalogue->items[i];

        add(&all, entry, false);
        if (entry->many != NULL && strcmp(entry->one, entry->many) != 0)
            add(&all, entry, true);
    }
    said->pieces.items = all.pieces.items;
    said->pieces.count = all.pieces.count;
    said->count = said->capacity = all.count;
    said->items = xr_new(all.count + 1, sizeof(*said->items));
    for (size_t i = 0; i < all.count; i++)
        said->begin[bucket(&all, &all.items[i]) + 1]++;
    for (size_t i = 1; i < 258; i++)
        said->begin[i] += said->begin[i - 1];
    for (size_t i = all.count; i > 0; i--) { /* begin[b + 1] moves down from the end of b */
        size_t *place = &said->begin[bucket(&all, &all.items[i - 1]) + 1];

        said->items[--*place] = all.items[i - 1];
    }
    /* Now begin[b + 1] is where b begins. */
    memmove(said->begin, said->begin + 1, 257 * sizeof(said->begin[0]));
    said->begin[257] = all.count;
    free(all.items);
    return said;
}

/* Two threads may make them at once; both use those of the first. */
const struct xr_said *xr_said_of(const struct xr_catalogue *catalogue)
{
    struct xr_said *said = atomic_load(catalogue->said), *made = NULL;

    if (said != NULL)
        return said;
    made = compile(catalogue);
    if (atomic_compare_exchange_strong(catalogue->said, &said, made))
        return made;
    xr_said_free(made);
    return said;
}

void xr_said_free(struct xr_said *said)
{
    if (said == NULL)
        return;
    free(said->items);
    free(said->pieces.items);
    free(said);
}

/* ---- does it fit? ---- */

static bool match(unsigned *tries, const struct xr_piece *pieces, size_t count, struct xr_span text,
                  struct xr_cut *cut)
{
    size_t len = 0, argument = cut->count;

    if (count == 0)
        return text.len == 0;
    if (pieces->kind == XR_LITERAL)
        return text.len >= pieces->len && memcmp(text.at, pieces->at, pieces->len) == 0 &&
               match(tries, pieces + 1, count - 1,
                     (struct xr_span){text.at + pieces->len, text.len - pieces->len}, cut);
    cut->count++;
    if (pieces->kind != XR_ANY_TEXT) {
        len = xr_piece_written(pieces, text.at, text.len);
        cut->arguments[argument] = (struct xr_span){text.at, len};
        return len > 0 && match(tries, pieces + 1, count - 1,
                                (struct xr_span){text.at + len, text.len - len}, cut);
    }
    for (len = count == 1 ? text.len : 0; len <= text.len && *tries > 0; len++) {
        --*tries;
        if (count > 1 && pieces[1].kind == XR_LITERAL) { /* only where that stands */
            const char *next =
                xr_memmem(text.at + len, text.len - len, pieces[1].at, pieces[1].len);

            if (next == NULL)
                return false;
            len = (size_t)(next - text.at);
        }
        cut->arguments[argument] = (struct xr_span){text.at, len};
        cut->count = argument + 1;
        if (match(tries, pieces + 1, count - 1, (struct xr_span){text.at + len, text.len - len},
                  cut))
            return true;
    }
    return false;
}

bool xr_said_fits(const struct xr_said *said, const struct xr_said_format *format,
                  struct xr_span text, struct xr_cut *cut, unsigned *tries)
{
    const struct xr_piece *pieces = &said->pieces.items[format->first];
    const struct xr_piece *last = &pieces[format->count - 1];

    cut->count = 0;
    return text.len >= format->literal &&
           (last->kind != XR_LITERAL ||
            memcmp(text.at + text.len - last->len, last->at, last->len) == 0) &&
           match(tries, pieces, format->count, text, cut);
}
