/* SPDX-License-Identifier: Apache-2.0 */
#include "sending.h"

#include <stdlib.h>

struct search {
    struct xr_pool *pool;
    int64_t at;
    bool for_servers;
    struct xr_relatives **up; /* by place in the pool: CAs that signed it; NULL: not asked yet */
    size_t way[XR_SENDING_DEPTH]; /* from the leaf on */
    size_t depth;
    unsigned steps;
    bool gave_up;
};

enum fate { DEAD, OPEN /* ends at an issuer that is not in view */, ROOTED };

/* What stands above a certificate. */
struct above {
    enum fate fate;
    size_t roots;
    int64_t until;
    size_t items[XR_SENDING_DEPTH];
    size_t count;
};

static const struct xr_der_cert *der_of(const struct search *s, size_t at)
{
    return &s->pool->items[at].cert->d;
}

static const struct xr_relatives *up_of(struct search *s, size_t at)
{
    struct xr_relatives *up = s->up[at];
    size_t kept = 0;

    if (up != NULL)
        return up;
    up = s->up[at] = xr_new(1, sizeof(*up));
    xr_pool_issued_by(up, s->pool, at);
    for (size_t i = 0; i < up->count; i++) {
        if (xr_cert_is_ca(s->pool->items[up->items[i]].cert))
            up->items[kept++] = up->items[i];
    }
    up->count = kept;
    return up;
}

static bool is_root(struct search *s, size_t at)
{
    return xr_pool_kind(s->pool, at) == XR_KIND_ROOT;
}

static bool in_time(const struct search *s, size_t at)
{
    return s->at >= der_of(s, at)->not_before && s->at <= der_of(s, at)->not_after;
}

static bool on_the_way(const struct search *s, size_t at)
{
    for (size_t i = 0; i < s->depth; i++) {
        if (s->pool->items[s->way[i]].family == s->pool->items[at].family)
            return true;
    }
    return false;
}

/* The root that signed it and is valid longest; XR_NONE without one. One whose key is on the way already ends
 * a ring. */
static size_t own_root(struct search *s, size_t at, bool valid)
{
    const struct xr_relatives *up = up_of(s, at);
    size_t best = XR_NONE;

    for (size_t i = 0; i < up->count; i++) {
        size_t root = up->items[i];

        if (is_root(s, root) && in_time(s, root) == valid && !on_the_way(s, root) &&
            (best == XR_NONE || der_of(s, root)->not_after > der_of(s, best)->not_after))
            best = root;
    }
    return best;
}

/* CAs on the way that a path length counts. */
static int cas_below(const struct search *s)
{
    int count = 0;

    for (size_t i = 0; i < s->depth; i++) {
        const struct xr_pool_item *item = &s->pool->items[s->way[i]];

        count += xr_cert_is_ca(item->cert) && item->subject != item->issuer;
    }
    return count;
}

/* Can it stand next on the way? with_root: the CA's root is in view, so it is not needed. */
static bool can_follow(struct search *s, size_t at, bool with_root, enum xr_unsent *why)
{
    struct xr_cert *cert = s->pool->items[at].cert;
    const struct xr_der_cert *d = &cert->d;

    if (is_root(s, at))
        *why = XR_UNSENT_ROOT;
    else if (s->at > d->not_after)
        *why = XR_UNSENT_EXPIRED;
    else if (s->at < d->not_before)
        *why = XR_UNSENT_EARLY;
    else if (d->malformed || d->unknown_critical || !xr_cert_accepted(cert, NULL))
        *why = XR_UNSENT_BROKEN;
    else if (s->for_servers && d->has_eku && (d->eku & (XR_SERVER | XR_ANY_PURPOSE)) == 0)
        *why = XR_UNSENT_PURPOSE;
    else if (d->pathlen >= 0 && cas_below(s) > d->pathlen)
        *why = XR_UNSENT_PATHLEN;
    else if (with_root &&
             (xr_cert_key_complaint(cert) != NULL || xr_cert_signature_complaint(cert) != NULL))
        *why = XR_UNSENT_WEAK;
    else if (on_the_way(s, at))
        *why = XR_UNSENT_LOOP;
    else
        return true;
    return false;
}

/* Of two certificates of one key: negative if a is the better one. */
static int compare_twins(const struct search *s, size_t a, size_t b)
{
    const struct xr_der_cert *of_a = der_of(s, a), *of_b = der_of(s, b);
    int order = xr_der_cert_order(of_a, of_b);

    if (order != 0)
        return order;
    if (of_a->not_before != of_b->not_before)
        return of_a->not_before > of_b->not_before ? -1 : 1;
    return memcmp(s->pool->items[a].cert->sha256, s->pool->items[b].cert->sha256, XR_SHA256_LEN);
}

static bool are_twins(const struct search *s, size_t a, size_t b)
{
    const struct xr_pool_item *of_a = &s->pool->items[a], *of_b = &s->pool->items[b];

    return of_a->family == of_b->family && of_a->issuer == of_b->issuer &&
           (of_a->cert->d.akid.len == 0 || of_b->cert->d.akid.len == 0 ||
            xr_bytes_equal(of_a->cert->d.akid, of_b->cert->d.akid));
}

/* The twin that makes it superfluous, or XR_NONE. */
static size_t better_twin(struct search *s, const struct xr_relatives *up, size_t at,
                          bool with_root)
{
    for (size_t i = 0; i < up->count; i++) {
        enum xr_unsent why = XR_UNSENT_ROOT;
        size_t twin = up->items[i];

        if (twin != at && are_twins(s, twin, at) && compare_twins(s, twin, at) < 0 &&
            can_follow(s, twin, with_root, &why))
            return twin;
    }
    return XR_NONE;
}

static bool is_strong(struct search *s, size_t at)
{
    return xr_cert_key_complaint(s->pool->items[at].cert) == NULL &&
           xr_cert_signature_complaint(s->pool->items[at].cert) == NULL;
}

/* Negative: a is to be chosen before b. */
static int compare_ways(struct search *s, const struct above *a, const struct above *b,
                        bool with_root)
{
    bool strong = is_strong(s, a->items[0]);

    if (a->fate != b->fate)
        return a->fate > b->fate ? -1 : 1;
    if (strong != is_strong(s, b->items[0]))
        return strong ? -1 : 1;
    if (!with_root && a->roots != b->roots)
        return a->roots > b->roots ? -1 : 1;
    if (a->until != b->until)
        return a->until > b->until ? -1 : 1;
    if (a->roots != b->roots)
        return a->roots > b->roots ? -1 : 1;
    return compare_twins(s, a->items[0], b->items[0]);
}

static bool may_step(struct search *s)
{
    if (s->depth < XR_SENDING_DEPTH && s->steps < XR_SENDING_STEPS) {
        s->steps++;
        return true;
    }
    s->gave_up = true;
    return false;
}

static void look_up(struct above *out, struct search *s, size_t at); /* NOLINT(misc-no-recursion) */

/* One way up: by way of next. NOLINTNEXTLINE(misc-no-recursion): to XR_SENDING_DEPTH */
static void look_by(struct above *out, struct search *s, size_t next)
{
    struct above beyond;

    look_up(&beyond, s, next);
    *out = beyond;
    out->items[0] = next;
    for (out->count = 1; out->count <= beyond.count && out->count < XR_SENDING_DEPTH; out->count++)
        out->items[out->count] = beyond.items[out->count - 1];
    if (out->until > der_of(s, next)->not_after)
        out->until = der_of(s, next)->not_after;
}

/* NOLINTNEXTLINE(misc-no-recursion): to XR_SENDING_DEPTH */
static void look_up(struct above *out, struct search *s, size_t at)
{
    const struct xr_relatives *up = up_of(s, at);
    size_t root = own_root(s, at, true);
    struct above best = {.fate = DEAD};
    enum xr_unsent why = XR_UNSENT_ROOT;

    *out = (struct above){.fate = up->count == 0 ? OPEN : DEAD};
    if (up->count == 0)
        out->until = INT64_MAX;
    if (!may_step(s))
        return;
    s->way[s->depth++] = at;
    for (size_t i = 0; i < up->count; i++) {
        struct above found;

        if (!can_follow(s, up->items[i], root != XR_NONE, &why) ||
            better_twin(s, up, up->items[i], root != XR_NONE) != XR_NONE)
            continue;
        look_by(&found, s, up->items[i]);
        if (best.count == 0 || compare_ways(s, &found, &best, root != XR_NONE) < 0)
            best = found;
    }
    s->depth--;
    if (best.count > 0 && (root == XR_NONE || best.fate != DEAD))
        *out = best;
    if (root == XR_NONE)
        return;
    out->roots = (out->fate == ROOTED ? out->roots : 0) + 1;
    if (out->fate != ROOTED || out->until < der_of(s, root)->not_after)
        out->until = der_of(s, root)->not_after;
    out->fate = ROOTED;
}

/* Marks what stands on any way from there to a root. NOLINTNEXTLINE(misc-no-recursion): likewise */
static bool mark_ways(struct search *s, size_t at, bool *marked)
{
    const struct xr_relatives *up = up_of(s, at);
    size_t root = own_root(s, at, true);
    bool rooted = root != XR_NONE;
    enum xr_unsent why = XR_UNSENT_ROOT;

    if (!may_step(s))
        return false;
    s->way[s->depth++] = at;
    for (size_t i = 0; i < up->count; i++) {
        size_t next = up->items[i];

        if (can_follow(s, next, root != XR_NONE, &why) &&
            better_twin(s, up, next, root != XR_NONE) == XR_NONE && mark_ways(s, next, marked))
            rooted = marked[next] = true;
    }
    s->depth--;
    return rooted;
}

/* ---- the result ---- */

static void send(struct xr_sending *out, size_t at, bool *sent)
{
    *XR_PUSH(&out->sent) = (struct xr_sending_item){.at = at, .until = INT64_MIN};
    sent[at] = true;
}

/* Each one comes after one that it certifies. */
static void send_other_ways(struct xr_sending *out, struct search *s, size_t leaf, bool *sent)
{
    bool *marked = xr_new(s->pool->count, sizeof(*marked));

    s->steps = 0;
    (void)mark_ways(s, leaf, marked);
    for (size_t i = 0; i < out->sent.count; i++) {
        const struct xr_relatives *up = up_of(s, out->sent.items[i].at);

        for (size_t k = 0; k < up->count; k++) {
            if (marked[up->items[k]] && !sent[up->items[k]])
                send(out, up->items[k], sent);
        }
    }
    free(marked);
}

/* Grows from nothing, so that certificates of a ring do not lend each other time. */
static void date(struct xr_sending *out, struct search *s)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (size_t i = 0; i < out->sent.count; i++) {
            struct xr_sending_item *item = &out->sent.items[i];
            const struct xr_relatives *up = up_of(s, item->at);
            size_t root = own_root(s, item->at, true);
            int64_t until = up->count == 0    ? INT64_MAX
                            : root != XR_NONE ? der_of(s, root)->not_after
                                              : INT64_MIN;

            for (size_t k = 0; k < out->sent.count; k++) {
                for (size_t j = 0; j < up->count; j++) {
                    if (up->items[j] == out->sent.items[k].at && out->sent.items[k].until > until)
                        until = out->sent.items[k].until;
                }
            }
            if (until > der_of(s, item->at)->not_after)
                until = der_of(s, item->at)->not_after;
            changed = changed || until > item->until;
            item->until = until > item->until ? until : item->until;
        }
    }
}

/* Why x, which signed what stands last on the way, is not sent. */
static void leave_out(struct xr_sending *out, struct search *s, const struct xr_relatives *up,
                      size_t x, bool with_root)
{
    struct xr_sending_left left = {.at = x, .other = XR_NONE};
    struct above above;

    for (size_t i = 0; i < out->left_out.count; i++) {
        if (out->left_out.items[i].at == x)
            return;
    }
    if (can_follow(s, x, with_root, &left.why)) {
        const struct xr_relatives *beyond = up_of(s, x);

        left.other = better_twin(s, up, x, with_root);
        if (left.other != XR_NONE) {
            left.why = XR_UNSENT_TWIN;
        } else {
            look_up(&above, s, x);
            left.why = above.fate != DEAD ? XR_UNSENT_OTHER_WAY : XR_UNSENT_DEAD;
            if (left.why == XR_UNSENT_DEAD && beyond->count > 0 && on_the_way(s, beyond->items[0]))
                left.why = XR_UNSENT_LOOP;
            if (left.why == XR_UNSENT_DEAD)
                left.other = own_root(s, x, false);
        }
    }
    *XR_PUSH(&out->left_out) = left;
}

static void leave_out_rest(struct xr_sending *out, struct search *s, const bool *sent)
{
    s->steps = 0;
    for (size_t i = 0; i < out->sent.count; i++) {
        const struct xr_relatives *up = up_of(s, out->sent.items[i].at);
        bool with_root = own_root(s, out->sent.items[i].at, true) != XR_NONE;

        if (i < out->way_len && s->depth < XR_SENDING_DEPTH)
            s->way[s->depth++] = out->sent.items[i].at;
        for (size_t k = 0; k < up->count; k++) {
            if (!sent[up->items[k]])
                leave_out(out, s, up, up->items[k], with_root);
        }
    }
    s->depth = 0;
}

void xr_sending_find(struct xr_sending *out, struct xr_pool *pool, size_t leaf, int64_t at,
                     bool all)
{
    const struct xr_der_cert *d = &pool->items[leaf].cert->d;
    struct search s = {.pool = pool,
                       .at = at,
                       .for_servers = !d->has_eku || (d->eku & (XR_SERVER | XR_ANY_PURPOSE)) != 0,
                       .up = xr_new(pool->count, sizeof(*s.up))};
    bool *sent = xr_new(pool->count, sizeof(*sent));
    bool alone = xr_pool_self_signed(pool, leaf) || xr_pool_self_unchecked(pool, leaf) != NULL;
    struct above above = {.fate = ROOTED};

    *out = (struct xr_sending){.open = XR_NONE};
    send(out, leaf, sent);
    if (!alone)
        look_up(&above, &s, leaf);
    for (size_t i = 0; i < above.count; i++)
        send(out, above.items[i], sent);
    out->rooted = above.fate == ROOTED;
    out->way_len = out->sent.count;
    if (!alone && up_of(&s, out->sent.items[out->way_len - 1].at)->count == 0)
        out->open = out->sent.items[out->way_len - 1].at;
    if (all && !alone)
        send_other_ways(out, &s, leaf, sent);
    out->gave_up = s.gave_up;
    if (!alone) {
        date(out, &s);
        leave_out_rest(out, &s, sent);
    } else {
        out->sent.items[0].until = d->not_after;
    }
    for (size_t i = 0; i < pool->count; i++)
        free(s.up[i]);
    free(s.up);
    free(sent);
}

void xr_sending_free(struct xr_sending *sending)
{
    free(sending->sent.items);
    free(sending->left_out.items);
    *sending = (struct xr_sending){.open = XR_NONE};
}
