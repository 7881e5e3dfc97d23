/* SPDX-License-Identifier: Apache-2.0 */
/* What an output has of a list, and what it cannot have: no format may give more trust than the list. */
#include "extract.h"

#include "sys/sys.h"

#include <stdlib.h>

XR_PRINTF(4, 5)
static struct xr_left_out *leave_out(struct xr_extract *x, const struct xr_root *root, bool plain,
                                     const char *format, ...)
{
    struct xr_left_out *left = XR_PUSH(&x->written->left_out);
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    left->name = xr_root_name(root);
    left->has_sha256 = root->has_sha256;
    memcpy(left->sha256, root->sha256, XR_SHA256_LEN);
    left->why = xr_strdup(text);
    left->plain = plain;
    return left;
}

static bool date_drops(const struct xr_extract *x, const struct xr_format_date *date)
{
    return date->known && (x->rq->distrust_after == XR_DROP ||
                           (x->rq->distrust_after == XR_DROP_PAST && date->at < x->rq->now));
}

/* Purposes that --distrust-after takes from a root. */
static uint32_t dropped(const struct xr_extract *x, const struct xr_root *root)
{
    return (date_drops(x, &root->server_after) ? XR_SERVER : 0u) |
           (date_drops(x, &root->email_after) ? XR_EMAIL : 0u);
}

static bool self_issued(const struct xr_root *root)
{
    return xr_bytes_equal(root->cert->d.slices.subject, root->cert->d.slices.issuer);
}

/* Dates that are about what the output says, and that it cannot say. */
static void tell_lost_dates(struct xr_extract *x, const struct xr_root *root, uint32_t trusted)
{
    static const uint32_t purposes[] = {XR_SERVER, XR_EMAIL};

    for (size_t i = 0; i < 2 && !x->format->tells_dates; i++) {
        const struct xr_format_date *date = i == 0 ? &root->server_after : &root->email_after;
        char day[XR_TIME_TEXT_MAX];

        if (!date->known || (trusted & purposes[i]) == 0)
            continue;
        xr_sys_time_text(day, date->at);
        leave_out(x, root, false,
                  i == 0 ? N_("kept without its date: no trust for server certificates issued "
                              "after %.10s")
                         : N_("kept without its date: no trust for e-mail certificates issued "
                              "after %.10s"),
                  day)
            ->kept = true;
    }
}

static void take(struct xr_extract *x, const struct xr_root *root, uint32_t trusted,
                 uint32_t distrusted)
{
    struct xr_told *told = XR_PUSH(&x->told);
    const char *why = NULL;

    xr_told_init(told, root, trusted, distrusted, x->format->links, &xr_host);
    if (x->format->refuses != NULL)
        why = x->format->refuses(&told->cert);
    if (why == NULL) {
        tell_lost_dates(x, root, trusted);
        return;
    }
    leave_out(x, root, false, "%s", why);
    xr_told_free(told);
    x->told.count--;
}

/* A certificate of a file, of which nobody says what it is for. Where it would become an anchor it is
 * refused as in stores. */
static void refuse(struct xr_extract *x, const struct xr_root *root)
{
    struct xr_pool *pool = &x->engine->report->pool;
    size_t at = xr_pool_find(pool, root->sha256);
    enum xr_kind kind = at != XR_NONE ? xr_pool_kind(pool, at) : XR_KIND_MALFORMED;

    leave_out(x, root, false, "refused: this format would make an anchor of it, and it is %s",
              kind == XR_KIND_CROSS          ? N_("a cross certificate")
              : kind == XR_KIND_INTERMEDIATE ? N_("an intermediate")
                                             : N_("no root"));
    xr_report_raise(x->engine->report, XR_EXIT_PARTIAL);
}

static void take_neutral(struct xr_extract *x, const struct xr_root *root)
{
    enum xr_output_neutral neutral = x->format->neutral;
    bool is_root = self_issued(root);

    if (root->unsaid && !is_root && neutral == XR_NEUTRAL_NONE)
        refuse(x, root);
    else if (x->rq->purposes != 0)
        leave_out(x, root, true, "trusted for nothing");
    else if (neutral == XR_NEUTRAL_ALL || (neutral == XR_NEUTRAL_ROOTS && is_root) ||
             (neutral == XR_NEUTRAL_CAS && !is_root))
        take(x, root, 0, 0);
    else if (neutral == XR_NEUTRAL_ROOTS)
        leave_out(x, root, false, "OpenSSL would refuse every chain through it");
    else
        leave_out(x, root, true, "trusted for nothing");
}

static void leave_out_dated(struct xr_extract *x, const struct xr_root *root, uint32_t lost)
{
    const struct xr_format_date *date =
        (lost & XR_SERVER) != 0 ? &root->server_after : &root->email_after;
    char day[XR_TIME_TEXT_MAX];

    xr_sys_time_text(day, date->at);
    leave_out(x, root, false, "what it issued after %.10s is not trusted", day);
}

/* ---- formats that know keys, not certificates ---- */

struct key_trust {
    uint32_t trusted, distrusted; /* for all, and for any, of the anchors with that key */
};

struct keys {
    struct xr_idmap by_spki;
    struct key_trust *items;
    size_t count, capacity;
};

static void find_keys(struct keys *keys, struct xr_extract *x)
{
    for (size_t i = 0; i < x->list.roots.count; i++) {
        const struct xr_root *root = &x->list.roots.items[i];
        uint32_t trusted = root->trusted & ~dropped(x, root);
        bool added = false;
        size_t at = 0;

        if (root->cert == NULL || trusted == 0)
            continue;
        at = xr_idmap_put(&keys->by_spki, root->cert->spki_sha256, keys->count, &added);
        if (added)
            *XR_PUSH(keys) = (struct key_trust){trusted, root->distrusted};
        keys->items[at].trusted &= trusted;
        keys->items[at].distrusted |= root->distrusted;
    }
}

/* What the format says of one certificate it says of all with that key. */
static void narrow(struct xr_extract *x, const struct xr_root *root, const struct keys *keys,
                   uint32_t *trusted, uint32_t *distrusted)
{
    size_t at = 0;
    uint32_t before = *trusted;

    if (before == 0 || keys->items == NULL ||
        !xr_idmap_get(&keys->by_spki, root->cert->spki_sha256, &at))
        return;
    *distrusted |= keys->items[at].distrusted;
    *trusted &= keys->items[at].trusted & ~keys->items[at].distrusted;
    if (*trusted != before)
        leave_out(x, root, false,
                  "trusted for less: the format tells of keys, and another "
                  "certificate of this key is not trusted for all of it")
            ->kept = true;
}

/* ---- one certificate ---- */

/* Firefox and others trust for more than the output says. */
static bool grants_too_much(struct xr_extract *x, const struct xr_root *root, uint32_t trusted)
{
    uint32_t grants = x->format->grants, unasked = grants & ~root->trusted;
    char text[64];

    if (trusted == 0 || grants == 0)
        return false;
    if ((root->distrusted & grants) != 0) {
        leave_out(x, root, false, "distrusted for a purpose that its readers would trust it for");
        return true;
    }
    xr_purposes_text(text, sizeof(text), unasked);
    if (unasked != 0 && !root->unsaid)
        leave_out(x, root, false, "its readers trust it for %s too", text)->kept = true;
    return false;
}

static const char *why_gone(const struct xr_extract *x, const struct xr_root *root)
{
    size_t unused = 0;

    if (root->has_sha256 && xr_idmap_get(&x->blocked, root->sha256, &unused))
        return N_("in the blocklist");
    return root->cert != NULL && x->rq->expired == XR_DROP && root->cert->d.not_after < x->rq->now
               ? N_("expired")
               : NULL;
}

static uint32_t asked_of(const struct xr_extract *x)
{
    uint32_t asked = x->rq->purposes != 0        ? x->rq->purposes
                     : x->format->tells_purposes ? XR_ALL_PURPOSES
                                                 : (uint32_t)XR_SERVER;

    return x->format->purposes != 0 ? asked & x->format->purposes : asked;
}

/* What a list says of a certificate that it does not have. */
static void choose_bare(struct xr_extract *x, const struct xr_root *root)
{
    if (root->distrusted == 0 || root->issuer.len == 0)
        leave_out(x, root, false, "no source has the certificate itself");
    else if (x->format->tells_serials)
        take(x, root, 0, root->distrusted);
    else
        leave_out(x, root, false,
                  "distrusted by issuer and serial number alone, which this format "
                  "cannot say");
}

static void choose(struct xr_extract *x, const struct xr_root *root, const struct keys *keys)
{
    const struct xr_output_format *f = x->format;
    uint32_t asked = asked_of(x), lost = dropped(x, root);
    uint32_t trusted = root->trusted & ~lost & asked, distrusted = root->distrusted & asked;
    const char *gone = why_gone(x, root);
    char text[64];

    xr_purposes_text(text, sizeof(text), asked);
    if (root->cert == NULL) {
        choose_bare(x, root);
        return;
    }
    if (gone != NULL) { /* but not what distrusts it */
        trusted = 0;
        if (distrusted == 0 || !f->tells_distrust) {
            leave_out(x, root, true, "%s", gone);
            return;
        }
    }
    if (f->by_key)
        narrow(x, root, keys, &trusted, &distrusted);
    if (trusted != 0 || distrusted != 0) {
        if (trusted == 0 && !f->tells_distrust)
            leave_out(x, root, true, "distrusted");
        else if (trusted != 0 && xr_limits_any(&root->limits) && !f->tells_limits)
            leave_out(x, root, false,
                      "it is limited to names or addresses, which this format cannot say");
        else if (!grants_too_much(x, root, trusted))
            take(x, root, trusted, distrusted);
    } else if ((root->trusted & asked & lost) != 0) {
        leave_out_dated(x, root, lost);
    } else if ((root->trusted | root->distrusted) == 0) {
        take_neutral(x, root);
    } else {
        leave_out(x, root, true, "not trusted for %s", text);
    }
}

void xr_extract_choose(struct xr_extract *x)
{
    struct keys keys = {0};

    if (x->format->by_key)
        find_keys(&keys, x);
    for (size_t i = 0; i < x->list.roots.count; i++)
        choose(x, &x->list.roots.items[i], &keys);
    for (size_t i = 0; i < x->told.count; i++)
        x->written->certs += x->told.items[i].cert.cert != NULL;
    xr_idmap_free(&keys.by_spki);
    free(keys.items);
}
