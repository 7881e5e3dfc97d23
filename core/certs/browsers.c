/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both browsers try every path, so this search does too: from the server's certificate by issuer name
 * and signature to whatever a source calls an anchor. A path counts if nothing on it is bad; one
 * that has something doubtful and nothing bad makes "cannot tell" of a no.
 */
#include "browsers.h"

#include "browser_rules.h"

#include <assert.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* As in mozilla::pkix and Chromium, a limit on hostile sets of certificates. */
enum { STEPS_MAX = 5000, PATH_LEN_MAX = 32 }; /* more than most_issuers of both, and two */

/* One certificate with what all sources say of it. */
struct node {
    struct xr_browser_item item; /* without a certificate if der is none for us */
    struct xr_bytes der;
    bool looked_at;          /* item.x was tried, and found is filled */
    struct xr_finding found; /* what does not depend on the rest of the path */
    bool anchor, public_root, unclear, peer, distrust;
    bool by_equal_name; /* a source finds it by an equal name, not only by its bytes */
    const struct xr_browser_cert *limits; /* of an anchor that a source limits */
    const char *distrusts;                /* source */
};

/* Reasons of a no: that of a path that went further counts. */
enum rank { RANK_NOTHING = 0, RANK_NO_ISSUER, RANK_CERTIFICATE, RANK_PATH };

struct search {
    const struct xr_browser_check *check;
    const struct xr_browser_rules *rules;
    struct nodes {
        struct node *items;
        size_t count, capacity;
    } nodes; /* the target is the first */
    struct xr_idmap by_id;
    bool as_ca;
    size_t path[PATH_LEN_MAX], len;
    unsigned steps;
    bool yes;
    char doubt[256]; /* of the first path that would be a yes without it */
    char no[256];
    enum rank rank;
};

/* ---- certificates ---- */

static struct node *add(struct search *s, struct xr_bytes der)
{
    unsigned char id[XR_SHA256_LEN];
    struct node *node = NULL;
    struct xr_cert *cert = NULL;
    size_t at = 0;
    bool added = false;

    xr_x509_sha256(id, der);
    at = xr_idmap_put(&s->by_id, id, s->nodes.count, &added);
    if (!added)
        return &s->nodes.items[at];
    if (xr_cert_new_known(&cert, der, id, NULL) != XR_OK)
        cert = NULL; /* keeps its place; it is no part of any path */
    node = XR_PUSH(&s->nodes);
    node->item.cert = cert;
    node->der = der;
    return node;
}

static bool limited(const struct xr_browser_cert *known)
{
    return known->permitted_dns_count + known->permitted_cidrs_count > 0;
}

static void take(struct search *s, const struct xr_browser_cert *known)
{
    struct node *node = add(s, known->der);

    if (!known->by_name_bytes)
        node->by_equal_name = true;

    switch (known->trust) {
    case XR_BROWSER_ANCHOR:
        node->anchor = true;
        if (limited(known)) /* wins over trust without limits from another source: measured */
            node->limits = known;
        break;
    case XR_BROWSER_PUBLIC:
        node->public_root = true;
        break;
    case XR_BROWSER_UNCLEAR:
        node->unclear = true;
        break;
    case XR_BROWSER_PEER:
        node->peer = true;
        break;
    case XR_BROWSER_DISTRUST:
        node->distrust = true;
        node->distrusts = known->source;
        break;
    case XR_BROWSER_DISTRUST_KEY: /* after all are here */
    case XR_BROWSER_HINT:
        break;
    }
}

static void distrust_key(struct search *s, const struct xr_browser_cert *known)
{
    size_t at = 0;
    unsigned char id[XR_SHA256_LEN];
    const struct xr_cert *of = NULL;

    xr_x509_sha256(id, known->der);
    of = xr_idmap_get(&s->by_id, id, &at) ? s->nodes.items[at].item.cert : NULL;
    for (size_t i = 0; of != NULL && i < s->nodes.count; i++) {
        struct node *node = &s->nodes.items[i];

        if (node->item.cert == NULL ||
            memcmp(node->item.cert->spki_sha256, of->spki_sha256, XR_SHA256_LEN) != 0)
            continue;
        node->distrust = true;
        node->distrusts = known->source;
    }
}

/* ---- paths ---- */

static void say_no(struct search *s, enum rank rank, const char *why)
{
    if (rank <= s->rank)
        return;
    s->rank = rank;
    (void)snprintf(s->no, sizeof(s->no), "%s", why);
}

static void say_doubt(struct search *s, const char *why)
{
    if (s->doubt[0] == '\0')
        (void)snprintf(s->doubt, sizeof(s->doubt), "%s", why);
}

static void judge(struct search *s, struct xr_finding *f, enum rank rank)
{
    if (f->level == XR_FINE)
        s->yes = true;
    else if (f->level == XR_DOUBT)
        say_doubt(s, f->why);
    else
        say_no(s, rank, f->why);
}

/* Everything about a certificate that does not depend on the rest of the path, once: in all paths of a
 * question it has the same role. */
static struct xr_finding look_at(struct search *s, size_t at, enum xr_browser_role role)
{
    struct node *node = &s->nodes.items[at];
    struct xr_finding *f = &node->found;
    char *name = NULL;

    if (node->looked_at)
        return *f;
    node->looked_at = true;
    node->item.x = xr_crypto_cert(node->item.cert->der);
    ERR_clear_error();
    /* Fills what the getters of extensions read; what does not parse stays doubtful. */
    if (node->item.x != NULL)
        (void)X509_check_purpose(node->item.x, -1, 0);
    if (node->distrust) {
        name = xr_x509_name_short(node->item.cert->d.slices.subject);
        if (node->distrusts != NULL)
            xr_find(f, XR_BAD, "\"%.80s\" is distrusted by %.120s", name, node->distrusts);
        else
            xr_find(f, XR_BAD, "\"%.80s\" is distrusted", name);
        free(name);
    }
    if (node->peer && (role == XR_ROLE_ISSUER || role == XR_ROLE_ANCHOR) && !s->rules->peer_issues)
        xr_find(f, XR_BAD, "a CA of the path has the trust of a server's certificate");
    if (node->unclear)
        xr_find(f, XR_DOUBT, "versions of NSS read different trust of a certificate of the path");
    xr_browser_item_check(f, s->rules, &node->item, role, s->check->probe->at);
    return *f;
}

static void end_path(struct search *s, struct xr_finding f)
{
    const struct xr_browser_item *items[PATH_LEN_MAX];
    const struct node *anchor = &s->nodes.items[s->path[s->len - 1]];
    const struct node *target = &s->nodes.items[0];
    char *name = NULL;

    for (size_t i = 0; i < s->len; i++)
        items[i] = &s->nodes.items[s->path[i]].item;
    xr_browser_path_check(&f, s->rules, items, s->len, s->as_ca);
    if (anchor->anchor && anchor->limits != NULL && !s->as_ca)
        xr_browser_limits_check(&f, anchor->limits, &target->item);
    else if (anchor->anchor && anchor->limits != NULL)
        xr_find(&f, XR_DOUBT, "%.120s limits the anchor to some names",
                anchor->limits->source != NULL ? anchor->limits->source : N_("a source"));
    if (!anchor->anchor) {
        name = xr_x509_name_short(anchor->item.cert->d.slices.subject);
        xr_find(&f, XR_DOUBT, "it depends on %s's own list of public roots, with \"%.80s\"",
                s->rules->name, name);
        free(name);
    }
    judge(s, &f, RANK_PATH);
}

enum match { APART, EQUAL, ALIKE };

/* ALIKE: equal as RFC 5280 compares names, of which each browser knows a part. */
static enum match name_match(const struct search *s, const struct node *node, struct xr_bytes name)
{
    struct xr_bytes subject = node->item.cert->d.slices.subject;

    if (xr_bytes_equal(subject, name))
        return EQUAL;
    return !s->rules->exact_names && node->by_equal_name && xr_x509_name_equal(subject, name)
               ? ALIKE
               : APART;
}

/* A path has no certificate twice, and no name with the same key. */
static bool in_path(const struct search *s, size_t at)
{
    const struct xr_cert *b = s->nodes.items[at].item.cert;

    for (size_t i = 0; i < s->len; i++) {
        const struct xr_cert *a = s->nodes.items[s->path[i]].item.cert;

        if (s->path[i] == at ||
            (i > 0 && memcmp(a->spki_sha256, b->spki_sha256, XR_SHA256_LEN) == 0 &&
             xr_bytes_equal(a->d.slices.subject, b->d.slices.subject)))
            return true;
    }
    return false;
}

/* The first address of an issuer (authorityInfoAccess, RFC 5280, 4.2.2.1), allocated, or NULL. */
static char *issuer_address(const struct node *node)
{
    AUTHORITY_INFO_ACCESS *info =
        node->item.x == NULL ? NULL : X509_get_ext_d2i(node->item.x, NID_info_access, NULL, NULL);
    char *found = NULL;

    for (int i = 0; found == NULL && i < sk_ACCESS_DESCRIPTION_num(info); i++) {
        const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(info, i);

        if (OBJ_obj2nid(access->method) == NID_ad_ca_issuers && access->location->type == GEN_URI)
            found = xr_memdup(access->location->d.uniformResourceIdentifier->data,
                              (size_t)access->location->d.uniformResourceIdentifier->length);
    }
    AUTHORITY_INFO_ACCESS_free(info);
    ERR_clear_error();
    return found;
}

/* Public CAs put certificatePolicies into everything that they issue (CA/Browser Forum's Baseline
 * Requirements, 7.1.2), so the issuer of a certificate without them is none. */
static bool may_be_public(const struct search *s)
{
    for (size_t i = s->len; i-- > 0;) {
        const struct xr_browser_item *item = &s->nodes.items[s->path[i]].item;

        if (!xr_browser_self_issued(item))
            return item->x != NULL && xr_browser_has(item, NID_certificate_policies);
    }
    return false;
}

/* Does a certificate that cannot be parsed here hold that name? Browsers may read it. */
static bool unread_holds(const struct search *s, struct xr_bytes name)
{
    for (size_t i = 0; i < s->nodes.count; i++) {
        struct xr_bytes rest = s->nodes.items[i].der;

        for (; s->nodes.items[i].item.cert == NULL && name.len > 0 && rest.len >= name.len;
             rest.data++, rest.len--) {
            if (memcmp(rest.data, name.data, name.len) == 0)
                return true;
        }
    }
    return false;
}

/* Nothing goes on from the last certificate of the path. */
static void dead_end(struct search *s, bool bad_signature)
{
    const struct node *last = &s->nodes.items[s->path[s->len - 1]];
    struct xr_bytes issuer = last->item.cert->d.slices.issuer;
    bool self = xr_browser_self_issued(&last->item);
    char *name = xr_x509_name_short(issuer);
    char *address = s->check->fetches && !self ? issuer_address(last) : NULL;
    char why[256];

    if (address != NULL) {
        struct xr_buf shown = {0};

        xr_buf_visible(&shown, address, strlen(address));
        (void)snprintf(why, sizeof(why), N_("it would fetch \"%.80s\" from %.120s"), name,
                       shown.data);
        xr_buf_free(&shown);
        say_doubt(s, why);
    } else if (unread_holds(s, issuer)) {
        (void)snprintf(why, sizeof(why), N_("a certificate of \"%.80s\" cannot be read"), name);
        say_doubt(s, why);
    } else if (may_be_public(s)) {
        (void)snprintf(why, sizeof(why), N_("\"%.80s\" may be a public CA that %s knows"), name,
                       s->rules->name);
        say_doubt(s, why);
    } else {
        (void)snprintf(why, sizeof(why),
                       self            ? N_("\"%.80s\" is not trusted")
                       : bad_signature ? N_("no certificate of \"%.80s\" has the key that signed")
                                       : N_("no certificate of \"%.80s\" was found"),
                       name);
        say_no(s, RANK_NO_ISSUER, why);
    }
    free(address);
    free(name);
}

/* Goes on from the last certificate of the path. f: what was found on the path so far. */
static void extend(struct search *s, struct xr_finding f) /* NOLINT(misc-no-recursion) */
{
    const struct xr_cert *last = s->nodes.items[s->path[s->len - 1]].item.cert;
    bool went_on = false, bad_signature = false;

    assert(last != NULL); /* only certificates get into a path */
    for (size_t i = 0; i < s->nodes.count && !s->yes; i++) {
        struct node *node = &s->nodes.items[i];
        struct xr_finding here = f, found;
        enum xr_browser_role role = XR_ROLE_ISSUER;
        enum match match = APART;

        if (node->item.cert == NULL)
            continue;
        match = name_match(s, node, last->d.slices.issuer);
        if (match == APART || in_path(s, i))
            continue;
        if (++s->steps > STEPS_MAX) {
            say_doubt(s, "there are too many possible paths");
            return;
        }
        if (!xr_cert_signed_by(last, node->item.cert)) {
            bad_signature = true;
            continue;
        }
        went_on = true;
        /* The target and the issuers before this one. */
        if (!node->anchor && s->len > s->rules->most_issuers) {
            say_no(s, RANK_PATH, "the path is too long");
            continue;
        }
        role = node->anchor || node->public_root ? XR_ROLE_ANCHOR : XR_ROLE_ISSUER;
        found = look_at(s, i, role);
        if (match == ALIKE)
            xr_find(&found, XR_DOUBT, "a name of the path is written in two ways");
        xr_find(&here, found.level, "%s", found.why);
        s->path[s->len++] = i;
        if (found.level == XR_BAD) {
            say_no(s, RANK_CERTIFICATE, found.why);
        } else {
            if (role == XR_ROLE_ANCHOR)
                end_path(s, here);
            /* A public root may be none of this browser, but lead to another anchor. */
            if (!s->yes && !node->anchor)
                extend(s, here);
        }
        s->len--;
    }
    if (!went_on)
        dead_end(s, bad_signature);
}

static void start(struct search *s)
{
    struct node *target = &s->nodes.items[0];
    const struct xr_probe *probe = s->check->probe;
    bool anchor = target->anchor || target->public_root;
    bool peer = target->peer && s->rules->peers;
    struct xr_finding f = {0};

    s->as_ca = probe->host == NULL && xr_cert_is_ca(target->item.cert);
    s->path[s->len++] = 0;
    if (s->as_ca) {
        f = look_at(s, 0, anchor ? XR_ROLE_ANCHOR : XR_ROLE_ISSUER);
    } else {
        f = look_at(s, 0, peer ? XR_ROLE_PEER : XR_ROLE_SERVER);
        xr_browser_names_check(&f, s->rules, &target->item, probe->host);
    }
    if (!s->as_ca && anchor)
        say_doubt(s, "the server's certificate is itself an anchor");
    if (f.level == XR_BAD) {
        say_no(s, RANK_PATH, f.why);
        return;
    }
    if (s->as_ca && anchor)
        end_path(s, f);
    else if (!s->as_ca && peer)
        judge(s, &f, RANK_PATH);
    if (!s->yes && !(s->as_ca && target->anchor))
        extend(s, f);
}

enum xr_status xr_browser_check(struct xr_opinion *out, const struct xr_browser_check *check,
                                struct xr_error *err)
{
    const struct xr_probe *probe = check->probe;
    struct search s = {.check = check, .rules = xr_browser_rules(check->browser)};
    enum xr_status status = XR_OK;

    xr_crypto_ready();
    if (probe->count == 0)
        return xr_fail(err, XR_INVALID, "no certificate to verify");
    for (size_t i = 0; i < probe->count; i++)
        add(&s, probe->chain[i])->by_equal_name = true;
    for (size_t i = 0; i < check->known_count; i++)
        take(&s, check->known[i]);
    for (size_t i = 0; i < check->known_count; i++) {
        if (check->known[i]->trust == XR_BROWSER_DISTRUST_KEY)
            distrust_key(&s, check->known[i]);
    }
    if (s.nodes.items[0].item.cert == NULL) {
        status = xr_fail(err, XR_INVALID, "the certificate to verify cannot be parsed");
        goto out;
    }
    start(&s);
    out->answer = s.yes ? XR_YES : s.doubt[0] != '\0' ? XR_UNKNOWN : XR_NO;
    (void)snprintf(out->why, sizeof(out->why), "%s",
                   s.yes                ? ""
                   : s.doubt[0] != '\0' ? s.doubt
                                        : s.no);
    if (check->unread != NULL) {
        out->answer = XR_UNKNOWN;
        (void)snprintf(out->why, sizeof(out->why), "%s", check->unread);
    }
out:
    for (size_t i = 0; i < s.nodes.count; i++) {
        X509_free(s.nodes.items[i].item.x);
        if (s.nodes.items[i].item.cert != NULL)
            xr_cert_free(s.nodes.items[i].item.cert);
    }
    free(s.nodes.items);
    xr_idmap_free(&s.by_id);
    return status;
}
