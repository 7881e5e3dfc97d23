/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies of Chromium's family as a store. Everybody else's files stay as they are: what crossroot
 * adds is in one file of its own. Of two files that set a policy one hides the other, so a policy that
 * somebody else sets is not written.
 */
#include "own.h"
#include "private.h"
#include "session.h"
#include "verdict.h"

#include "kit/der.h"
#include "sys/linux/owner.h"
#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Chromium reads every file in managed/, hidden ones too, and no directory: a new file is made in one. */
#define MAKING   XR_TEMP_PREFIX "policy"
#define VERIFIER N_("Chromium's rules")

static const struct {
    enum policy_key key;
    enum xr_place place;
    bool limited;
} places[] = {{POLICY_ANCHORS, XR_ANCHOR, false},
              {POLICY_LIMITED, XR_ANCHOR, true},
              {POLICY_HINTS, XR_INTERMEDIATE, false},
              {POLICY_DISTRUST, XR_DISTRUST, false}};
#define PLACES (sizeof(places) / sizeof(places[0]))

static char *managed(const struct xr_session *s)
{
    return xr_format("%s/managed", s->path);
}

/* ---- capabilities ---- */

static void say_taken(char out[256], const struct policy_view *view, enum policy_key key)
{
    if (view->taken[key] != NULL)
        (void)snprintf(out, 256,
                       N_("%.110s sets %s, and of two files that set a policy only one counts: add "
                          "the certificate to that one"),
                       view->taken[key], policy_names[key]);
}

static void describe_places(struct xr_caps *caps, const struct policy_view *view)
{
    for (size_t i = 0; i < PLACES; i++) {
        bool taken = view->taken[places[i].key] != NULL;
        enum xr_strength strength = taken ? XR_CANNOT : XR_ENFORCED;

        if (places[i].limited) {
            caps->limited = strength;
            say_taken(caps->why_not_limited, view, places[i].key);
        } else {
            caps->places[places[i].place] = strength;
            say_taken(caps->why_cannot[places[i].place], view, places[i].key);
        }
    }
}

static void describe(struct xr_caps *caps, struct xr_session *s)
{
    struct policy_view view;
    struct policy_own_file own = {0};
    char *dir = managed(s);

    caps->distrust_by_key = true;
    caps->purposes = XR_SERVER;
    caps->atomic = true;
    caps->shares_readers = true;
    (void)snprintf(caps->vendors, sizeof(caps->vendors), N_("in a file of the administrator's"));
    (void)snprintf(caps->verifier, sizeof(caps->verifier), VERIFIER);
    (void)snprintf(caps->why_cannot[XR_PEER], sizeof(caps->why_cannot[0]),
                   N_("policies of this browser are about CA certificates"));
    if (s->product != NULL)
        (void)snprintf(caps->serves, sizeof(caps->serves), "%s", s->product->name);
    policy_dir_writable(caps, s, dir, POLICY_OWN);
    free(dir);
    if (policy_load(&view, s->image, s->path, NULL) != XR_OK)
        return;
    caps->serves_everybody = s->product != NULL && !view.closed;
    describe_places(caps, &view);
    policy_own_read(&own, &s->root, s->host, s->path);
    if (own.strange) {
        caps->writable = false;
        caps->needs_privilege = false;
        caps->refused = true;
        (void)snprintf(
            caps->why_not, sizeof(caps->why_not),
            N_("%.120s/managed/crossroot.json was changed by somebody else: move what is in it to a "
               "file with another name, and remove it"),
            s->path);
    }
    policy_own_free(&own);
    if (view.platform_off)
        (void)snprintf(
            caps->left_out, sizeof(caps->left_out),
            N_("%s: CAPlatformIntegrationEnabled is false, so users' NSS databases count "
               "for nothing"),
            view.platform_file);
    policy_join(caps->left_out, sizeof(caps->left_out), &view.problems);
    policy_view_free(&view);
}

/* ---- what there is ---- */

struct loaded {
    struct policy_view view;
    struct policy_own_file own;
};

static enum xr_status load(struct loaded *out, struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = policy_load(&out->view, s->image, s->path, err);

    out->own = (struct policy_own_file){0};
    if (status == XR_OK)
        policy_own_read(&out->own, &s->root, s->host, s->path);
    return status;
}

static void loaded_free(struct loaded *loaded)
{
    policy_view_free(&loaded->view);
    policy_own_free(&loaded->own);
}

/* ---- list ---- */

struct listing {
    struct xr_session *s;
    xr_entry_fn emit;
    void *ctx;
};

static void limits_of(struct xr_limits *out, bool *whole, const struct xr_browser_cert *cert)
{
    for (size_t i = 0; i < cert->permitted_dns_count; i++)
        *whole = xr_limits_add_dns(out, cert->permitted_dns[i]) && *whole;
    for (size_t i = 0; i < cert->permitted_cidrs_count; i++)
        *whole = xr_limits_add_cidr(out, cert->permitted_cidrs[i]) && *whole;
}

/* An anchor that counts for nothing is one for no purpose. */
static enum xr_status emit_one(const struct listing *l, enum xr_place place, uint32_t flags,
                               uint32_t purposes, struct xr_bytes der,
                               const struct xr_limits *limits, const char *label,
                               const char *remark)
{
    struct xr_attached attached;
    struct xr_buf memory = {0};
    bool limited = limits != NULL && xr_limits_any(limits);
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CERT},
                             .place = place,
                             .purposes = place == XR_ANCHOR ? purposes : 0,
                             .flags = flags,
                             .label = label,
                             .der = der,
                             .remark = remark};
    enum xr_status status = XR_OK;

    if (limited) {
        xr_limits_attach(&attached, &memory, limits);
        entry.attached = &attached;
        entry.attached_count = 1;
    }
    l->s->host->sha256(entry.subject.id, der);
    status = l->emit(l->ctx, &entry);
    xr_buf_free(&memory);
    return status;
}

#define EVERYWHERE N_("limited also where another store trusts it without limits")

static char *joined(const char *const *names, size_t count)
{
    struct xr_buf out = {0};

    xr_buf_str(&out, "");
    for (size_t i = 0; i < count; i++)
        xr_buf_fmt(&out, "%s%s", i > 0 ? ", " : "",
                   names[i][0] != '\0' ? names[i] : N_("any name"));
    return out.data;
}

/* Names that are written in an unusual way are not among the limits of the entry. */
static char *unusual(const struct xr_browser_cert *cert)
{
    char *names = joined(cert->permitted_dns, cert->permitted_dns_count);
    char *ranges = joined(cert->permitted_cidrs, cert->permitted_cidrs_count), *text = NULL;

    if (names[0] != '\0' && ranges[0] != '\0')
        text = xr_format(N_("limited also where another store trusts it without limits, to names "
                            "below %s and addresses in %s"),
                         names, ranges);
    else
        text = xr_format(names[0] != '\0' ? N_("limited also where another store trusts it without "
                                               "limits, to names below %s")
                                          : N_("limited also where another store trusts it without "
                                               "limits, to addresses in %s"),
                         names[0] != '\0' ? names : ranges);
    free(names);
    free(ranges);
    return text;
}

static enum xr_status list_other(const struct listing *l, const struct xr_browser_cert *cert,
                                 bool behind)
{
    static const enum xr_place by_trust[] = {[XR_BROWSER_ANCHOR] = XR_ANCHOR,
                                             [XR_BROWSER_HINT] = XR_INTERMEDIATE,
                                             [XR_BROWSER_DISTRUST_KEY] = XR_DISTRUST};
    struct xr_limits limits = {0};
    bool whole = true;
    char *remark = NULL;
    enum xr_status status = XR_OK;

    limits_of(&limits, &whole, cert);
    if (behind)
        remark = xr_strdup(N_("counts for nothing as long as crossroot.json has it too"));
    else if (!whole)
        remark = unusual(cert);
    else if (xr_limits_any(&limits))
        remark = xr_strdup(EVERYWHERE);
    status = emit_one(l, by_trust[cert->trust], XR_ENTRY_VENDOR, behind ? 0 : XR_SERVER, cert->der,
                      whole ? &limits : NULL, cert->source, remark);
    free(remark);
    xr_limits_free(&limits);
    return status;
}

static enum xr_status list_others(const struct listing *l, const struct policy_view *view,
                                  const char *own)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < view->count; i++) {
        if (own == NULL || strcmp(view->items[i].source, own) != 0)
            status = list_other(l, &view->items[i], false);
    }
    for (size_t i = 0; status == XR_OK && i < view->behind_count; i++)
        status = list_other(l, &view->behind[i], own != NULL);
    return status;
}

static enum xr_status list_own(const struct listing *l, const struct policy_view *view,
                               const struct policy_own_file *own, const char *label)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < own->count; i++) {
        const struct policy_own_entry *entry = &own->items[i];
        const char *winner = view->decides[entry->key];
        bool hidden =
            winner != NULL && strcmp(winner, label) != 0 && view->taken[entry->key] != NULL;
        char *remark = hidden ? xr_format(N_("the browser ignores it: %s sets the same policy, and "
                                             "counts first"),
                                          winner)
                       : xr_limits_any(&entry->limits) ? xr_strdup(EVERYWHERE)
                                                       : NULL;
        size_t at = 0;

        while (places[at].key != entry->key)
            at++;
        status = emit_one(l, places[at].place, XR_ENTRY_OURS, hidden ? 0 : XR_SERVER,
                          (struct xr_bytes){(const unsigned char *)entry->der.data, entry->der.len},
                          &entry->limits, label, remark);
        free(remark);
    }
    return status;
}

static enum xr_status list_loaded(struct xr_session *s, const struct loaded *loaded,
                                  xr_entry_fn emit, void *ctx)
{
    const struct listing l = {s, emit, ctx};
    char *label = xr_format("%s/managed/" POLICY_OWN, s->path);
    enum xr_status status = list_others(&l, &loaded->view, loaded->own.strange ? NULL : label);

    if (status == XR_OK)
        status = list_own(&l, &loaded->view, &loaded->own, label);
    free(label);
    return status;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    struct loaded loaded;
    enum xr_status status = load(&loaded, s, err);

    if (status == XR_OK)
        status = list_loaded(s, &loaded, emit, ctx);
    loaded_free(&loaded);
    return status;
}

/* ---- swap ---- */

/* Which policy an entry is to be in, and with which limits. */
static enum xr_status key_for(enum policy_key *out, struct xr_limits *limits,
                              const struct xr_entry *entry, const struct policy_view *view,
                              struct xr_error *err)
{
    struct xr_der_cert cert;
    size_t at = 0;

    if (entry->subject.type != XR_SUBJECT_CERT)
        return xr_fail(err, XR_REFUSED, "policies are about certificates");
    if (!xr_limits_of(limits, entry) || (xr_limits_any(limits) && entry->place != XR_ANCHOR))
        return xr_fail(err, XR_REFUSED, "policies cannot hold what is attached to it");
    if (entry->place == XR_ANCHOR && entry->purposes != XR_SERVER)
        return xr_fail(err, XR_REFUSED, "an anchor in policies is for servers alone");
    if (xr_der_cert(&cert, entry->der, NULL) != XR_OK)
        return xr_fail(err, XR_REFUSED, "it cannot be parsed as a certificate");
    while (at < PLACES &&
           (places[at].place != entry->place || places[at].limited != xr_limits_any(limits)))
        at++;
    if (at == PLACES)
        return xr_fail(err, XR_REFUSED, "policies have no place for it");
    *out = places[at].key;
    if (view->taken[*out] != NULL)
        return xr_fail(err, XR_REFUSED, "%s sets %s already", view->taken[*out],
                       policy_names[*out]);
    return XR_OK;
}

static void clear_making(int dir)
{
    int fd = openat(dir, MAKING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct xr_strings names = {0};

    if (fd < 0)
        return;
    (void)xr_dir_names(&names, fd, SIZE_MAX);
    for (size_t i = 0; i < names.count; i++)
        (void)unlinkat(fd, names.items[i], 0);
    xr_strings_free(&names);
    (void)close(fd);
    (void)unlinkat(dir, MAKING, AT_REMOVEDIR);
}

static enum xr_status replace(struct xr_session *s, const struct xr_buf *text, struct xr_error *err)
{
    struct xr_bytes bytes = {(const unsigned char *)text->data, text->len};
    enum xr_status status = XR_OK;
    int making = -1;

    clear_making(s->dir);
    if (!xr_owner_mkdir(s->dir, MAKING, 0755))
        return xr_fail_errno(err, "cannot write %s/managed", s->path);
    making = openat(s->dir, MAKING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (making < 0)
        status = xr_fail_errno(err, "cannot write %s/managed", s->path);
    if (status == XR_OK)
        status = s->host->write_atomic(making, POLICY_OWN, bytes, 0644, err);
    if (status == XR_OK && renameat(making, POLICY_OWN, s->dir, POLICY_OWN) != 0)
        status = xr_fail_errno(err, "cannot replace %s/managed/crossroot.json", s->path);
    if (making >= 0)
        (void)close(making);
    clear_making(s->dir);
    return status;
}

static enum xr_status write_own(struct xr_session *s, struct policy_own_file *own,
                                struct xr_error *err)
{
    struct xr_buf text = {0};
    enum xr_status status = XR_OK;

    if (own->count == 0) {
        if (unlinkat(s->dir, POLICY_OWN, 0) != 0 && errno != ENOENT)
            status = xr_fail_errno(err, "cannot remove %s/managed/crossroot.json", s->path);
        return status;
    }
    policy_own_text(&text, own);
    status = text.len <= POLICY_FILE_MAX
                 ? replace(s, &text, err)
                 : xr_fail(err, XR_REFUSED, "the file would be larger than 16 MiB");
    xr_buf_free(&text);
    return status;
}

/* Does the entry of our file have a counterpart among those that stay? */
static bool stays(const struct policy_own_entry *own, const struct policy_now *now)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct policy_entry *kept = &now->items[i];
        struct xr_limits limits = {0};
        bool same = false;
        size_t at = 0;

        while (places[at].key != own->key)
            at++;
        same = kept->claimed && (kept->entry.flags & XR_ENTRY_OURS) != 0 &&
               kept->entry.place == places[at].place && xr_limits_of(&limits, &kept->entry) &&
               xr_limits_equal(&limits, &own->limits);
        xr_limits_free(&limits);
        if (same)
            return true;
    }
    return false;
}

/* Limits are not taken away while a file of somebody else's trusts the same certificate: it would be
 * trusted for every name then, or for others. */
static enum xr_status may_go(const struct policy_own_entry *own, const struct policy_now *now,
                             struct xr_error *err)
{
    for (size_t i = 0; own->key == POLICY_LIMITED && i < now->count; i++) {
        const struct xr_entry *entry = &now->items[i].entry;

        if (entry->place == XR_ANCHOR && (entry->flags & XR_ENTRY_VENDOR) != 0)
            return xr_fail(
                err, XR_REFUSED,
                "%s trusts it too, and only the limits in crossroot.json keep that within bounds: remove it there first",
                now->items[i].label.data);
    }
    return XR_OK;
}

static enum xr_status change(struct xr_session *s, struct policy_now *now,
                             const struct xr_state *want, struct loaded *loaded,
                             struct xr_error *err)
{
    const struct xr_entry *fresh[PLACES];
    struct policy_own_file *own = &loaded->own;
    size_t count = 0;
    unsigned seen = 0;
    bool changes = false;
    enum xr_status status = policy_now_fresh(fresh, &count, PLACES, now, want, err);

    if (status == XR_OK && own->strange)
        status = xr_fail(err, XR_CONFLICT, "crossroot.json was changed by somebody else");
    for (size_t i = own->count; status == XR_OK && i-- > 0;) {
        if (memcmp(own->items[i].sha256, now->subject.id, XR_SHA256_LEN) == 0 &&
            !stays(&own->items[i], now)) {
            status = may_go(&own->items[i], now, err);
            if (status == XR_OK)
                policy_own_drop(own, i);
            changes = true;
        }
    }
    for (size_t i = 0; status == XR_OK && i < count; i++) {
        enum policy_key key = POLICY_ANCHORS;
        struct xr_limits limits = {0};

        status = key_for(&key, &limits, fresh[i], &loaded->view, err);
        if (status == XR_OK && (seen & XR_PLACE_BIT(fresh[i]->place)) != 0)
            status = xr_fail(err, XR_REFUSED, "it would be twice in one place");
        seen |= XR_PLACE_BIT(fresh[i]->place);
        if (status == XR_OK)
            policy_own_add(own, s->host, key, fresh[i]->der, &limits);
        xr_limits_free(&limits);
    }
    if (status == XR_OK && (changes || count > 0))
        status = write_own(s, own, err);
    return status;
}

struct reading {
    struct xr_session *s;
    const struct loaded *loaded;
};

static enum xr_status list_reading(void *ctx, xr_entry_fn emit, void *emit_ctx,
                                   struct xr_error *err)
{
    const struct reading *r = ctx;

    (void)err;
    return list_loaded(r->s, r->loaded, emit, emit_ctx);
}

/* One reading of the files serves the comparison and the change. */
static enum xr_status compare(struct policy_now *now, struct loaded *loaded, struct xr_session *s,
                              const struct xr_state *expect, const struct xr_state *want,
                              struct xr_error *err)
{
    struct reading r = {s, loaded};
    enum xr_status status = load(loaded, s, err);

    *now = (struct policy_now){0};
    return status == XR_OK ? policy_now_read(now, s->host, list_reading, &r, expect, want, err)
                           : status;
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    char *dir = managed(s);
    struct policy_now now;
    struct loaded loaded;
    enum xr_status status = compare(&now, &loaded, s, expect, want, err);

    if (status == XR_OK && s->dir < 0) {
        /* Whoever made the directory first may have written into it. */
        policy_now_free(&now);
        loaded_free(&loaded);
        status = policy_dir_open(s, dir, true, err);
        now = (struct policy_now){0};
        loaded = (struct loaded){.own = {0}};
        if (status == XR_OK)
            status = compare(&now, &loaded, s, expect, want, err);
    }
    if (status == XR_OK)
        status = change(s, &now, want, &loaded, err);
    policy_now_free(&now);
    loaded_free(&loaded);
    free(dir);
    return status;
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    if (s->dir < 0)
        return XR_OK;
    clear_making(s->dir);
    return fsync(s->dir) == 0 ? XR_OK
                              : xr_fail_errno(err, "cannot make %s/managed durable", s->path);
}

/* ---- probe ---- */

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    struct policy_view view;
    enum xr_status status = policy_load(&view, s->image, s->path, err);
    const struct policy_asked asked = {.certs = view.items,
                                       .count = view.count,
                                       .by = VERIFIER,
                                       .others = N_("each user's databases")};

    if (status == XR_OK)
        status = policy_verdict(out, &asked, s->host, question, err);
    policy_view_free(&view);
    return status;
}

const struct policy_form policy_chromium_form = {describe, list, swap, flush, probe};
