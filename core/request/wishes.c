/* SPDX-License-Identifier: Apache-2.0 */
/* Makes wishes from a request: what every store should hold. */
#include "change_run.h"
#include "sys/sys.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- wishes ---- */

static struct xr_wish *wish(struct xr_change_run *c, enum xr_subject_type type,
                            const unsigned char id[XR_SHA256_LEN], struct xr_bytes der)
{
    static const enum xr_wish_kind kinds[XR_VERB_COUNT] = {[XR_VERB_INSTALL] = XR_WISH_INSTALL,
                                                           [XR_VERB_REMOVE] = XR_WISH_REMOVE,
                                                           [XR_VERB_DISTRUST] = XR_WISH_DISTRUST};
    const struct xr_request *rq = c->engine->rq;
    struct xr_wish *made = NULL;
    struct xr_subject subject = {.type = type};
    unsigned char key[XR_SHA256_LEN];
    bool added = false;
    size_t at = 0;

    memcpy(subject.id, id, sizeof(subject.id));
    xr_subject_key(key, &subject);
    at = xr_idmap_put(&c->wished, key, c->wishes.count, &added);
    if (!added)
        return &c->wishes.items[at];
    made = XR_PUSH(&c->wishes);
    made->what = kinds[rq->verb];
    made->subject = subject;
    made->der = der;
    made->pool_at = type == XR_SUBJECT_CERT ? xr_pool_find(&c->engine->report->pool, id) : XR_NONE;
    made->place_given = rq->has_place && rq->verb != XR_VERB_DISTRUST;
    made->place = rq->place;
    made->purposes = rq->purposes;
    if (type == XR_SUBJECT_CERT && xr_limits_any(&c->limits))
        made->limits = &c->limits;
    return made;
}

/* Checks of a CRL that need no store (RFC 5280, 6.3.3). */
static const char *crl_refusal(struct xr_change_run *c, const struct xr_crl *crl)
{
    int64_t now = c->engine->rq->now;

    if (crl->delta)
        return N_("this is a delta CRL; only complete CRLs can be installed");
    if (crl->partial)
        return N_("the CRL covers only some certificates of its issuer");
    if (crl->unknown_critical)
        return N_("the CRL has a critical extension that is not understood");
    if (crl->this_update > now)
        return N_("the CRL is not valid yet");
    if (crl->has_next_update && crl->next_update <= now)
        return N_("the CRL has expired");
    return NULL;
}

static void wish_input(struct xr_change_run *c)
{
    const struct xr_input *input = &c->engine->report->input;

    for (size_t i = 0; i < input->found.count; i++) {
        const struct xr_input_item *item = &input->found.items[i];
        struct xr_wish *made = NULL;

        if (item->cert != NULL) {
            made = wish(c, XR_SUBJECT_CERT, item->cert->sha256, item->cert->der);
            made->trust_limited = item->has_trust;
            made->trust = item->trust;
        } else {
            made = wish(c, XR_SUBJECT_CRL, item->crl->sha256, item->crl->der);
            if (c->engine->rq->verb == XR_VERB_INSTALL)
                made->refusal = crl_refusal(c, item->crl);
            else if (c->engine->rq->verb == XR_VERB_DISTRUST)
                made->refusal = N_("a CRL cannot be distrusted; remove it");
        }
    }
}

/* distrust --serial: what the operands issued with these numbers; the certificates need not be
 * known. */
static void wish_issued(struct xr_change_run *c)
{
    const struct xr_input *input = &c->engine->report->input;

    for (size_t i = 0; i < input->found.count * c->serials.count; i++) {
        const struct xr_cert *issuer = input->found.items[i / c->serials.count].cert;
        const struct xr_buf *serial = &c->serials.items[i % c->serials.count];
        struct xr_wish *made = NULL;
        struct xr_subject subject;

        if (issuer == NULL)
            continue;
        xr_subject_issuer_serial(&subject, issuer->d.slices.subject,
                                 (struct xr_bytes){(unsigned char *)serial->data, serial->len},
                                 xr_x509_sha256);
        made = wish(c, subject.type, subject.id, (struct xr_bytes){0});
        made->issuer = issuer->d.slices.subject;
        made->serial = (struct xr_bytes){(unsigned char *)serial->data, serial->len};
    }
}

static bool refuse_limit(struct xr_change_run *c, const char *option, const char *given,
                         const char *what)
{
    char *shown = xr_visible(given);

    xr_report_say(c->engine->report, XR_ERROR, NULL, "%s %s: %s", option, shown, what);
    xr_report_raise(c->engine->report, XR_EXIT_USAGE);
    free(shown);
    return false;
}

static bool read_limits(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;

    if (rq->verb != XR_VERB_INSTALL)
        return true;
    for (size_t i = 0; i < rq->permit_dns.count; i++) {
        const char *name = rq->permit_dns.items[i];

        if (name[0] == '\0' || !xr_limits_add_dns(&c->limits, name))
            return refuse_limit(c, "--permit-dns", name,
                                "not a DNS name; example.com permits it and all names below it");
    }
    for (size_t i = 0; i < rq->permit_cidrs.count; i++) {
        const char *range = rq->permit_cidrs.items[i];

        if (!xr_limits_add_cidr(&c->limits, range))
            return refuse_limit(c, "--permit-cidr", range,
                                "not a range of addresses such as 192.0.2.0/24 or 2001:db8::/32");
    }
    return true;
}

static bool read_serials(struct xr_change_run *c)
{
    const struct xr_words *serials = &c->engine->rq->serials;

    for (size_t i = 0; i < serials->count; i++) {
        struct xr_buf *der = XR_PUSH(&c->serials);

        *der = (struct xr_buf){0};
        if (!xr_x509_serial_parse(der, serials->items[i])) {
            xr_report_say(c->engine->report, XR_ERROR, NULL,
                          "--serial %s: not a serial number; give it in decimal, or in hex with 0x "
                          "or colons",
                          serials->items[i]);
            xr_report_raise(c->engine->report, XR_EXIT_USAGE);
            return false;
        }
    }
    return true;
}

#define ID_DIGITS_MIN 8u

bool xr_change_is_id(const char *text)
{
    size_t len = strspn(text, "0123456789abcdefABCDEF");

    return text[len] == '\0' && len >= ID_DIGITS_MIN && len <= 2 * XR_SHA256_LEN &&
           !xr_sys_exists(text);
}

#define CANDIDATES_NAMED 5u

struct matches {
    const struct xr_state **items;
    size_t count, capacity;
};

static void add_match(struct matches *matches, const struct xr_state *state)
{
    for (size_t i = 0; i < matches->count; i++) {
        if (xr_subject_equal(&matches->items[i]->subject, &state->subject))
            return;
    }
    *XR_PUSH(matches) = state;
}

static void say_not_unique(struct xr_engine *engine, const char *id, const struct matches *matches)
{
    struct xr_buf text = {0};

    for (size_t i = 0; i < matches->count && i < CANDIDATES_NAMED; i++) {
        const struct xr_subject *subject = &matches->items[i]->subject;
        size_t at = subject->type == XR_SUBJECT_CERT
                        ? xr_pool_find(&engine->report->pool, subject->id)
                        : XR_NONE;
        char hex[2 * XR_SHA256_LEN + 1];
        char *name = at != XR_NONE ? xr_report_name(engine->report, at) : NULL;

        xr_hex(hex, subject->id, XR_SHA256_LEN);
        xr_buf_fmt(&text, "%s%.16s%s%s", i > 0 ? ", " : "", hex, name != NULL ? " " : "",
                   name != NULL ? name : "");
        free(name);
    }
    if (matches->count > CANDIDATES_NAMED)
        xr_report_say(engine->report, XR_ERROR, NULL,
                      "%s is not unique: give more digits: %s and %zu more", id, text.data,
                      matches->count - CANDIDATES_NAMED);
    else
        xr_report_say(engine->report, XR_ERROR, NULL, "%s is not unique: give more digits: %s", id,
                      text.data);
    xr_report_raise(engine->report, XR_EXIT_USAGE);
    xr_buf_free(&text);
}

const struct xr_state *xr_engine_find_id(struct xr_engine *engine, const char *id)
{
    const struct xr_report *report = engine->report;
    const struct xr_state *found = NULL;
    struct matches matches = {0};
    char *wanted = xr_strdup(id);

    for (char *at = wanted; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_snapshot *snapshot = &report->runs.items[i].snapshot;

        for (size_t k = 0; k < snapshot->count; k++) {
            char hex[2 * XR_SHA256_LEN + 1];

            xr_hex(hex, snapshot->items[k]->subject.id, XR_SHA256_LEN);
            if (strncmp(hex, wanted, strlen(wanted)) == 0)
                add_match(&matches, snapshot->items[k]);
        }
    }
    free(wanted);
    if (matches.count == 0) {
        xr_report_say(engine->report, XR_ERROR, NULL, "none of the stores asked holds %s", id);
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    } else if (matches.count > 1) {
        say_not_unique(engine, id, &matches);
    } else {
        found = matches.items[0];
    }
    free((void *)matches.items);
    return found;
}

static void wish_id(struct xr_change_run *c, const char *id)
{
    const struct xr_state *match = xr_engine_find_id(c->engine, id);

    if (match != NULL)
        (void)wish(c, match->subject.type, match->subject.id, match->entries[0]->der);
}

/* distrust --key: adds every certificate in view that has the key of one that was named. */
static void wish_same_keys(struct xr_change_run *c)
{
    const struct xr_pool *pool = &c->engine->report->pool;
    size_t named = c->wishes.count;

    for (size_t i = 0; i < named; i++) {
        size_t at = c->wishes.items[i].pool_at;

        if (at == XR_NONE)
            continue;
        for (size_t k = pool->items[at].key_head; k != XR_NONE; k = pool->items[k].next_key)
            (void)wish(c, XR_SUBJECT_CERT, pool->items[k].cert->sha256, pool->items[k].cert->der);
    }
}

bool xr_change_wishes(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;
    struct xr_report *report = c->engine->report;

    for (size_t i = 0; i < rq->operands.count; i++) {
        if (rq->verb != XR_VERB_INSTALL && xr_change_is_id(rq->operands.items[i]))
            wish_id(c, rq->operands.items[i]);
    }
    if (!read_serials(c) || !read_limits(c))
        return false;
    if (c->serials.count > 0 && c->wishes.count > 0) {
        xr_report_say(report, XR_ERROR, NULL,
                      "--serial needs the issuing CA's certificate as a FILE, not as an ID");
        xr_report_raise(report, XR_EXIT_USAGE);
        return false;
    }
    if (c->serials.count > 0)
        wish_issued(c);
    else
        wish_input(c);
    if (rq->verb == XR_VERB_DISTRUST && rq->key)
        wish_same_keys(c);
    return report->exit == XR_EXIT_OK || report->exit == XR_EXIT_PARTIAL;
}
