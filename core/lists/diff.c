/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two lists: by certificate, or by issuer and serial number where a list knows no
 * more. */
#include "diff.h"

#include <stdlib.h>

struct comparing {
    struct xr_diff *out;
    const struct xr_diff_options *options;
    bool no_purposes; /* but whether there are any */
};

static uint32_t every(void)
{
    uint32_t all = 0;

    for (uint32_t bit = 1; xr_purpose_name(bit) != NULL; bit <<= 1)
        all |= bit;
    return all;
}

/* Of all that a list says, what is asked for. */
static uint32_t asked(const struct comparing *c, uint32_t purposes)
{
    uint32_t those = c->options->purposes;

    if (purposes & XR_ANY_PURPOSE)
        purposes = every();
    if (those != 0)
        return purposes & those;
    return purposes == every() ? XR_ANY_PURPOSE : purposes;
}

static bool counts(const struct comparing *c, const struct xr_root *root)
{
    bool all = c->options->purposes == 0 && !c->no_purposes;

    return root != NULL && (all || asked(c, root->trusted | root->distrusted) != 0);
}

static bool differ(const struct comparing *c, const uint32_t sides[2])
{
    return c->no_purposes ? (sides[0] != 0) != (sides[1] != 0) : sides[0] != sides[1];
}

/* ---- which is which ---- */

static const struct xr_root *at(const struct xr_list *list, const struct xr_idmap *map,
                                const unsigned char id[XR_SHA256_LEN])
{
    size_t found = 0;

    return xr_idmap_get(map, id, &found) ? &list->roots.items[found] : NULL;
}

/* The same certificate in the other list. By issuer and serial number only where one of the two has no
 * hash: certificates with equal ones may be twins. */
static const struct xr_root *counterpart(const struct xr_list *list, const struct xr_root *root)
{
    const struct xr_root *found =
        root->has_sha256 ? at(list, &list->by_sha256, root->sha256) : NULL;

    if (found == NULL && root->has_id)
        found = at(list, &list->by_serial, root->id);
    return found != NULL && found->has_sha256 && root->has_sha256 &&
                   memcmp(found->sha256, root->sha256, XR_SHA256_LEN) != 0
               ? NULL
               : found;
}

/* ---- rows ---- */

static bool same_date(const struct xr_format_date *a, const struct xr_format_date *b)
{
    return a->known == b->known && (!a->known || a->at == b->at);
}

static unsigned changes(const struct comparing *c, const struct xr_diff_row *row)
{
    const struct xr_root *a = row->before, *b = row->after;
    uint32_t those = c->options->purposes;
    bool server = those == 0 || (those & XR_SERVER) != 0;
    bool email = those == 0 || (those & XR_EMAIL) != 0;
    unsigned what = 0;

    if (differ(c, row->trusted) || differ(c, row->distrusted))
        what |= XR_DIFF_TRUST;
    if (!c->options->no_dates && server && !same_date(&a->server_after, &b->server_after))
        what |= XR_DIFF_SERVER_AFTER;
    if (!c->options->no_dates && email && !same_date(&a->email_after, &b->email_after))
        what |= XR_DIFF_EMAIL_AFTER;
    if (!xr_limits_equal(&a->limits, &b->limits))
        what |= XR_DIFF_LIMITS;
    if (!c->options->no_labels && a->label != NULL && b->label != NULL &&
        strcmp(a->label, b->label) != 0)
        what |= XR_DIFF_LABEL;
    return what;
}

static int knows(const struct xr_root *root)
{
    return root->cert != NULL ? 3 : root->has_sha256 ? 2 : root->issuer.len > 0;
}

static void compare(struct comparing *c, const struct xr_root *before, const struct xr_root *after)
{
    struct xr_diff_row row = {.kind = XR_DIFF_CHANGED,
                              .before = counts(c, before) ? before : NULL,
                              .after = counts(c, after) ? after : NULL};
    const struct xr_root *const sides[] = {row.before, row.after};

    if (row.before == NULL && row.after == NULL)
        return;
    for (size_t i = 0; i < 2; i++) {
        row.trusted[i] = sides[i] != NULL ? asked(c, sides[i]->trusted) : 0;
        row.distrusted[i] = sides[i] != NULL ? asked(c, sides[i]->distrusted) : 0;
    }
    if (row.before == NULL)
        row.kind = XR_DIFF_ADDED;
    else if (row.after == NULL)
        row.kind = XR_DIFF_REMOVED;
    else
        row.what = changes(c, &row);
    if (row.kind == XR_DIFF_CHANGED && row.what == 0) {
        c->out->same++;
        return;
    }
    row.known = row.before == NULL || (row.after != NULL && knows(row.after) >= knows(row.before))
                    ? row.after
                    : row.before;
    row.name = xr_root_name(row.after != NULL ? row.after : row.before);
    c->out->of_kind[row.kind]++;
    *XR_PUSH(c->out) = row;
}

static const unsigned char *hash(const struct xr_root *root)
{
    return root->has_sha256 ? root->sha256 : root->id;
}

static int order(const void *left, const void *right)
{
    const struct xr_diff_row *a = left, *b = right;
    int names = a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->name, b->name);

    if (names != 0)
        return names;
    if (a->known->has_sha256 != b->known->has_sha256)
        return a->known->has_sha256 ? -1 : 1;
    return memcmp(hash(a->known), hash(b->known), XR_SHA256_LEN);
}

void xr_diff_lists(struct xr_diff *out, const struct xr_list *before, const struct xr_list *after,
                   const struct xr_diff_options *options)
{
    struct comparing c = {out, options,
                          options->purposes == 0 && (options->silent[0] || options->silent[1])};
    bool *met = xr_new(after->roots.count + 1, sizeof(*met));

    for (size_t i = 0; i < before->roots.count; i++) {
        const struct xr_root *root = &before->roots.items[i], *other = counterpart(after, root);

        if (other != NULL && met[other - after->roots.items])
            other = NULL;
        if (other != NULL)
            met[other - after->roots.items] = true;
        compare(&c, root, other);
    }
    for (size_t i = 0; i < after->roots.count; i++) {
        if (!met[i])
            compare(&c, NULL, &after->roots.items[i]);
    }
    free(met);
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), order);
}

void xr_diff_free(struct xr_diff *diff)
{
    for (size_t i = 0; i < diff->count; i++)
        free(diff->items[i].name);
    free(diff->items);
    *diff = (struct xr_diff){0};
}
