/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the format of a finished English sentence in the catalogue again, and writes the sentence with
 * the format's translation. Arguments are only ever copied, or translated as texts of their own.
 */
#include "said.h"
#include "text.h"

#include <stdlib.h>

#define DEEPEST 4u     /* arguments of arguments */
#define TRIES   20000u /* ways to cut one line, of all its formats */
#define PARTS   60u    /* of one line that may be sentences */
#define LONGEST 8192u  /* bytes of a line; a longer one is nobody's sentence */
/* A part of a sentence is taken for a sentence itself only if its format has that many letters: names
 * have an "of" and a "for", too. */
#define LETTERS 6u

struct work {
    const struct xr_catalogue *catalogue;
    const struct xr_said *said; /* its formats, once they are needed */
    unsigned tries, parts;
};

/* A translation, allocated, and how many bytes of English it is the translation of; text is NULL where
 * there is none. */
struct result {
    char *text;
    size_t known;
};

static struct result translate(struct work *work, struct xr_span text, unsigned depth);

static char *copy(struct xr_span text)
{
    return xr_format("%.*s", (int)text.len, text.at);
}

/* The translation of exactly that text, or NULL. */
static const char *exact(const struct work *work, struct xr_span text)
{
    char *whole = copy(text);
    const struct xr_tr_entry *entry = xr_catalogue_find(work->catalogue, whole);
    const char *form = entry != NULL && !xr_format_converts(entry->one)
                           ? xr_catalogue_form(work->catalogue, entry, 1)
                           : NULL;

    free(whole);
    return form;
}

/* A part of a sentence may be the name of somebody's certificate or file: a single word of the catalogue is
 * translated there only if the program itself puts it into sentences. */
static bool is_put_in(struct xr_span text)
{
    const char *word = NULL;
    unsigned i = 0;

    for (; i < XR_PLACE_COUNT; i++) {
        word = xr_place_name((enum xr_place)i);
        if (strlen(word) == text.len && memcmp(word, text.at, text.len) == 0)
            return true;
    }
    for (i = 0; (word = xr_purpose_name(1u << i)) != NULL; i++) {
        if (strlen(word) == text.len && memcmp(word, text.at, text.len) == 0)
            return true;
    }
    return false;
}

static const char *exact_part(const struct work *work, struct xr_span text)
{
    return memchr(text.at, ' ', text.len) != NULL || is_put_in(text) ? exact(work, text) : NULL;
}

/* What stands between the texts of a list. */
static const char *const between[] = {
    /* TRANSLATORS: between the texts of a list */
    N_(", "), N_(" and ")};

/* The first of these in text; an empty one if there is none. */
static struct xr_span separator(struct xr_span text)
{
    struct xr_span first = {text.at + text.len, 0};

    for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
        size_t len = strlen(between[i]);
        const char *at = xr_memmem(text.at, text.len, between[i], len);

        if (at != NULL && at < first.at)
            first = (struct xr_span){at, len};
    }
    return first;
}

/* A list of texts with ", " or " and " between them, all of which are known. */
static struct result translate_list(const struct work *work, struct xr_span text)
{
    struct xr_buf out = {0};

    for (struct xr_span rest = text;;) {
        const struct xr_span end = separator(rest);
        size_t len = (size_t)(end.at - rest.at);
        const char *form = exact_part(work, (struct xr_span){rest.at, len}),
                   *mark = exact(work, end);

        if (form == NULL) {
            xr_buf_free(&out);
            return (struct result){0};
        }
        xr_buf_str(&out, form);
        if (end.len == 0)
            return (struct result){out.data, text.len};
        xr_buf_fmt(&out, "%.*s", mark != NULL ? (int)strlen(mark) : (int)end.len,
                   mark != NULL ? mark : end.at);
        rest = (struct xr_span){end.at + end.len, rest.len - len - end.len};
    }
}

static void put_padded(struct xr_buf *out, const struct xr_piece *piece, const char *text)
{
    int cells = xr_text_cells(text), blanks = (int)piece->width - cells;

    if (!piece->left && blanks > 0)
        xr_buf_fmt(out, "%*s", blanks, "");
    xr_buf_str(out, text);
    if (piece->left && blanks > 0)
        xr_buf_fmt(out, "%*s", blanks, "");
}

/* What printf wrote for %s, without the blanks that fill it up to its width. */
static struct xr_span unpadded(const struct xr_piece *piece, struct xr_span text)
{
    while (piece->width > 0 && text.len > 0 && piece->left && text.at[text.len - 1] == ' ')
        text.len--;
    while (piece->width > 0 && text.len > 0 && !piece->left && text.at[0] == ' ')
        text = (struct xr_span){text.at + 1, text.len - 1};
    return text;
}

/* quoted: it is a name, whatever it says. */
static size_t put_argument(struct work *work, struct xr_buf *out, const struct xr_piece *piece,
                           struct xr_span argument, bool quoted, unsigned depth)
{
    struct result inner = {0};
    char *text = NULL;

    if (piece->kind == XR_ANY_TEXT && !quoted && depth < DEEPEST) {
        argument = unpadded(piece, argument);
        inner = translate(work, argument, depth + 1);
    }
    text = inner.text != NULL ? inner.text : copy(argument);
    put_padded(out, piece, text);
    free(text);
    return inner.known;
}

/* The first number of the sentence: how many things it is about. */
static unsigned long number_in(const struct work *work, const struct xr_said_format *format,
                               const struct xr_cut *cut)
{
    size_t argument = 0;

    for (size_t i = 0; i < format->count; i++) {
        const struct xr_piece *piece = &work->said->pieces.items[format->first + i];
        char text[24];

        if (piece->kind == XR_NUMBER) {
            (void)snprintf(text, sizeof(text), "%.*s", (int)cut->arguments[argument].len,
                           cut->arguments[argument].at);
            return strtoul(text, NULL, 10);
        }
        argument += piece->kind != XR_LITERAL;
    }
    return 2;
}

static bool is_quoted(const struct work *work, const struct xr_said_format *format, size_t argument)
{
    const struct xr_piece *pieces = &work->said->pieces.items[format->first];

    for (size_t i = 0; i < format->count; i++) {
        if (pieces[i].kind != XR_LITERAL && argument-- == 0)
            return i > 0 && pieces[i - 1].kind == XR_LITERAL &&
                   pieces[i - 1].at[pieces[i - 1].len - 1] == '"';
    }
    return false;
}

static struct result render(struct work *work, const struct xr_said_format *format,
                            const struct xr_cut *cut, unsigned depth)
{
    const char *at = xr_catalogue_form(work->catalogue, format->entry,
                                       format->many ? number_in(work, format, cut) : 1);
    struct xr_buf out = {0};
    struct result result = {.known = format->literal};
    struct xr_piece piece;
    size_t argument = 0;

    if (at == NULL)
        return (struct result){0};
    while (xr_piece_next(&piece, &at)) {
        if (piece.kind == XR_LITERAL)
            xr_buf_add(&out, piece.at, piece.len);
        else if (argument < cut->count) {
            bool quoted = is_quoted(work, format, argument);

            result.known +=
                put_argument(work, &out, &piece, cut->arguments[argument++], quoted, depth);
        }
    }
    result.text = out.data != NULL ? out.data : xr_strdup("");
    return result;
}

/* Formats of words, or those that have none, such as "%s (%s)". */
enum rank { WORDS, NO_WORDS };

struct best {
    struct result result;
    size_t literal;
    const char *last; /* where its last argument begins */
    bool tie;         /* several formats fit as well, and do not say the same */
};

static bool may_be(const struct xr_said_format *format, enum rank rank, bool lines, unsigned depth)
{
    return format->lines == lines && (rank == WORDS) == (format->letters > 0) &&
           (depth == 0 || rank == NO_WORDS || format->letters >= LETTERS);
}

static void try_format(struct work *work, struct best *best, const struct xr_said_format *format,
                       struct xr_span text, unsigned depth)
{
    struct xr_cut cut;
    struct result result = {0};

    if (format->literal < best->literal ||
        !xr_said_fits(work->said, format, text, &cut, &work->tries))
        return;
    result = render(work, format, &cut, depth);
    if (result.text == NULL)
        return;
    /* Without words it translates nothing itself. */
    if (format->letters == 0 && result.known == format->literal) {
        free(result.text);
        return;
    }
    /* Nor does it know any of them. */
    result.known -= format->letters == 0 ? format->literal : 0;
    if (best->result.text != NULL && format->literal == best->literal) {
        best->tie = best->tie || strcmp(best->result.text, result.text) != 0;
        free(result.text);
        return;
    }
    free(best->result.text);
    *best = (struct best){.result = result,
                          .literal = format->literal,
                          .last = cut.count > 0 ? cut.arguments[cut.count - 1].at : NULL};
}

/* The best of the formats from begin up to end. */
static struct best best_of(struct work *work, struct xr_span text, size_t begin, size_t end,
                           enum rank rank, bool lines, unsigned depth)
{
    struct best best = {0};

    for (size_t i = begin; i < end; i++) {
        if (may_be(&work->said->items[i], rank, lines, depth))
            try_format(work, &best, &work->said->items[i], text, depth);
    }
    return best;
}

static struct best best_format(struct work *work, struct xr_span text, enum rank rank, bool lines,
                               unsigned depth)
{
    const size_t *begin = NULL;
    struct best best = {0}, open;

    if (work->said == NULL)
        work->said = xr_said_of(work->catalogue);
    begin = work->said->begin;
    if (text.len > 0)
        best = best_of(work, text, begin[(unsigned char)text.at[0]],
                       begin[(unsigned char)text.at[0] + 1], rank, lines, depth);
    open = best_of(work, text, begin[256], begin[257], rank, lines, depth);
    /* One that begins with an argument fits what is only the end of another: there the other, with that
     * end as an argument, knows more. */
    if (best.result.text == NULL ||
        (open.literal > best.literal && (best.tie || open.result.known >= best.result.known))) {
        free(best.result.text);
        best = open;
    } else if (open.result.text != NULL) {
        best.tie = best.tie || (open.literal == best.literal &&
                                (open.tie || strcmp(best.result.text, open.result.text) != 0));
        free(open.result.text);
    }
    if (best.tie) {
        free(best.result.text);
        best.result = (struct result){0};
    }
    return best;
}

static struct result joined(struct work *work, struct xr_span head, const char *mark,
                            struct result tail, unsigned depth)
{
    struct result before = depth < DEEPEST ? translate(work, head, depth + 1) : (struct result){0};
    const char *form = exact(work, (struct xr_span){mark, strlen(mark)});
    char *first = before.text != NULL ? before.text : copy(head);
    struct result result = {xr_format("%s%s%s", first, form != NULL ? form : mark, tail.text),
                            before.known + strlen(mark) + tail.known};

    free(first);
    free(tail.text);
    return result;
}

/* What stands after the last ": "; empty if there is none. */
static struct xr_span after_colon(struct xr_span text)
{
    size_t at = text.len;

    while (at > 2 && !(text.at[at - 2] == ':' && text.at[at - 1] == ' '))
        at--;
    return at > 2 ? (struct xr_span){text.at + at, text.len - at} : (struct xr_span){text.at, 0};
}

/* "what: No such file or directory": a known text after the last ": ". */
static struct result split_last(struct work *work, struct xr_span text, struct xr_span tail,
                                unsigned depth)
{
    const char *form = tail.len > 0 ? exact_part(work, tail) : NULL;

    if (form == NULL)
        return (struct result){0};
    return joined(work, (struct xr_span){text.at, text.len - tail.len - 2}, ": ",
                  (struct result){xr_strdup(form), tail.len}, depth);
}

/* "name: sentence": the longest end that is one. */
static struct result split_first(struct work *work, struct xr_span text, unsigned depth)
{
    for (size_t at = 0; depth < DEEPEST && at + 2 < text.len; at++) {
        struct result tail = {0};

        if (text.at[at] != ':' || text.at[at + 1] != ' ')
            continue;
        tail = translate(work, (struct xr_span){text.at + at + 2, text.len - at - 2}, depth + 1);
        if (tail.text != NULL)
            return joined(work, (struct xr_span){text.at, at}, ": ", tail, depth);
    }
    return (struct result){0};
}

/* "a sentence; another", both known: a name may hold a "; " */
static struct result split_sentences(struct work *work, struct xr_span text, unsigned depth)
{
    /* TRANSLATORS: between two sentences */
    static const char mark[] = N_("; ");
    const char *at = xr_memmem(text.at, text.len, mark, sizeof(mark) - 1);
    size_t head = at != NULL ? (size_t)(at - text.at) : 0, next = head + sizeof(mark) - 1,
           known = 0;
    struct result both;

    if (at == NULL || depth == DEEPEST)
        return (struct result){0};
    both = translate(work, (struct xr_span){text.at + next, text.len - next}, depth + 1);
    if (both.text == NULL)
        return both;
    known = both.known + sizeof(mark) - 1;
    both = joined(work, (struct xr_span){text.at, head}, mark, both, depth);
    if (both.known > known)
        return both;
    free(both.text);
    return (struct result){0};
}

/* The one that knows more of the text. */
static struct result better(struct result a, struct result b)
{
    bool second = b.text != NULL && (a.text == NULL || b.known > a.known);

    free(second ? a.text : b.text);
    return second ? b : a;
}

static struct result translate(struct work *work, struct xr_span text, unsigned depth)
{
    const char *form = text.len == 0 ? NULL
                       : depth == 0  ? exact(work, text)
                                     : exact_part(work, text);
    struct xr_span tail = after_colon(text);
    struct result split = {0}, result;
    struct best best;

    if (form != NULL)
        return (struct result){xr_strdup(form), text.len};
    if (work->parts == 0 || text.len == 0)
        return (struct result){0};
    work->parts--;
    split = translate_list(work, text);
    if (split.text != NULL)
        return split;
    best = best_format(work, text, WORDS, false, depth);
    result = best.result;
    /* A format that knows such an end as one of its arguments says more than the two parts. */
    split = split_last(work, text, tail, depth);
    if (split.text != NULL && (result.text == NULL || split.known > result.known ||
                               (split.known == result.known && best.last != tail.at))) {
        free(result.text);
        result = split;
    } else {
        free(split.text);
    }
    if (result.text == NULL && best.tie)
        return result;
    /* "name: what: why" may fit a format of what ends so, and know less than the sentence after name. */
    result = better(result, split_first(work, text, depth));
    /* The first one's last argument could take the second. */
    split = split_sentences(work, text, depth);
    if (split.text != NULL && split.known >= result.known) {
        free(result.text);
        result = split;
    } else {
        free(split.text);
    }
    return better(result, best_format(work, text, NO_WORDS, false, depth).result);
}

static struct work begin(const struct xr_catalogue *catalogue)
{
    return (struct work){.catalogue = catalogue, .tries = TRIES, .parts = PARTS};
}

/* Several lines that are one format. */
static char *all_lines(const struct xr_catalogue *catalogue, const char *said)
{
    struct work work = begin(catalogue);
    struct xr_span text = {said, strlen(said)};
    const char *form = exact(&work, text);

    return form != NULL ? xr_strdup(form) : best_format(&work, text, WORDS, true, 0).result.text;
}

char *xr_tr_said(const struct xr_catalogue *catalogue, const char *said)
{
    struct xr_buf out = {0};

    if (catalogue == NULL || said[0] == '\0')
        return xr_strdup(said);
    if (strchr(said, '\n') != NULL && strlen(said) <= LONGEST) {
        char *all = all_lines(catalogue, said);

        if (all != NULL)
            return all;
    }
    for (const char *at = said;;) {
        size_t blanks = strspn(at, " "), len = strcspn(at, "\n");
        struct xr_span line = {at + blanks, len > blanks ? len - blanks : 0};
        struct work work = begin(catalogue);
        struct result result = line.len <= LONGEST ? translate(&work, line, 0) : (struct result){0};

        xr_buf_add(&out, at, len > blanks ? blanks : len);
        if (result.text != NULL)
            xr_buf_str(&out, result.text);
        else
            xr_buf_add(&out, line.at, line.len);
        free(result.text);
        if (at[len] == '\0')
            break;
        xr_buf_add(&out, "\n", 1);
        at += len + 1;
    }
    return out.data != NULL ? out.data : xr_strdup("");
}
