/* SPDX-License-Identifier: Apache-2.0 */
/* What an output has of a list, and what it cannot have: no format may give more trust than the list. */
#include "extract.h"

#include "sys/sys.h"

#include <stdlib.h>

#define ALL_PURPOSES (XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME)

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
    static const struct {
        uint32_t purpose;
        const char *who;
    } kinds[] = {{XR_SERVER, "server"}, {XR_EMAIL, "e-mail"}};

    for (size_t i = 0; i < 2 && !x->format->tells_dates; i++) {
        const struct xr_format_date *date = i == 0 ? &root->server_after : &root->email_after;
        char day[XR_TIME_TEXT_MAX];

        if (!date->known || (trusted & kinds[i].purpose) == 0)
            continue;
        xr_sys_time_text(day, date->at);
        leave_out(x, root, false,
                  "kept without its date: no trust for %s certificates issued after %.10s",
                  kinds[i].who, day)
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
    const char *kind = at != XR_NONE ? xr_kind_name(xr_pool_kind(pool, at)) : "certificate";

    leave_out(x, root, false, "refused: this format would make an anchor of it, and it is %s",
              strcmp(kind, "cross") == 0          ? "a cross certificate"
              : strcmp(kind, "intermediate") == 0 ? "an intermediate"
                                                  : "no root");
    xr_report_raise(x->engine->report, XR_EXIT_PARTIAL);
}

static void take_neutral(struct xr_extract *x, const struct xr_root *root)
{
    enum xr_output_neutral neutral = x->format->neutral;
    bool is_root = self_issued(root);

    if (x->rq->purposes != 0)
        leave_out(x, root, true, "trusted for nothing");
    else if (neutral == XR_NEUTRAL_ALL || (neutral == XR_NEUTRAL_ROOTS && is_root) ||
             (neutral == XR_NEUTRAL_CAS && !is_root))
        take(x, root, 0, 0);
    else if (neutral == XR_NEUTRAL_ROOTS)
        leave_out(x, root, false, "OpenSSL would refuse every chain through it");
    else if (root->unsaid && !is_root)
        refuse(x, root);
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

static void choose(struct xr_extract *x, const struct xr_root *root)
{
    const struct xr_output_format *f = x->format;
    uint32_t asked = x->rq->purposes != 0 ? x->rq->purposes
                     : f->tells_purposes  ? (uint32_t)ALL_PURPOSES
                                          : (uint32_t)XR_SERVER;
    uint32_t lost = dropped(x, root);
    uint32_t trusted = root->trusted & ~lost & asked, distrusted = root->distrusted & asked;
    char text[64];
    size_t unused = 0;

    if (f->purposes != 0)
        asked &= f->purposes;
    trusted &= asked;
    distrusted &= asked;
    xr_purposes_text(text, sizeof(text), asked);
    if (root->has_sha256 && xr_idmap_get(&x->blocked, root->sha256, &unused))
        leave_out(x, root, true, "in the blocklist");
    else if (root->cert == NULL && !f->tells_serials)
        leave_out(x, root, false,
                  "distrusted by issuer and serial number alone, which this format "
                  "cannot say");
    else if (root->cert == NULL)
        take(x, root, 0, root->distrusted);
    else if (x->rq->expired == XR_DROP && root->cert->d.not_after < x->rq->now)
        leave_out(x, root, true, "expired");
    else if (trusted == 0 && distrusted == 0 && (root->trusted & asked & lost) != 0)
        leave_out_dated(x, root, lost);
    else if (trusted == 0 && distrusted == 0 && (root->trusted | root->distrusted) == 0)
        take_neutral(x, root);
    else if (trusted == 0 && distrusted == 0)
        leave_out(x, root, true, "not trusted for %s", text);
    else if (trusted == 0 && !f->tells_distrust)
        leave_out(x, root, true, "distrusted");
    else if (trusted != 0 && xr_limits_any(&root->limits) && !f->tells_limits)
        leave_out(x, root, false,
                  "it is limited to names or addresses, which this format cannot say");
    else
        take(x, root, trusted, distrusted);
}

void xr_extract_choose(struct xr_extract *x)
{
    for (size_t i = 0; i < x->list.roots.count; i++)
        choose(x, &x->list.roots.items[i]);
    for (size_t i = 0; i < x->told.count; i++)
        x->written->certs += x->told.items[i].cert.cert != NULL;
}
