/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a server must send, and which stores need the cross certificates in it. */
#include "request.h"

#include "certs/sending.h"
#include "change/prober.h"
#include "sys/sys.h"

#include <stdlib.h>

#define NAMED     4u  /* stores in one message */
#define ID_DIGITS 16u /* of a certificate's SHA-256 in a message */

struct chaining {
    struct xr_engine *engine;
    struct xr_cert *leaf; /* borrowed from the input */
    int64_t at;
    struct xr_pool view; /* what the chain is made of, in an order that does not depend on files */
    struct xr_sending sending;
};

/* ---- what is in view ---- */

/* The first that is not a CA: the files of PKCS#7 have no order. */
static struct xr_cert *find_leaf(const struct xr_input *input)
{
    struct xr_cert *first = NULL;

    for (size_t i = 0; i < input->found.count; i++) {
        struct xr_cert *cert = input->found.items[i].cert;

        if (cert != NULL && !xr_cert_is_ca(cert))
            return cert;
        if (first == NULL)
            first = cert;
    }
    return first;
}

static bool is_word(struct xr_words words, const char *text)
{
    for (size_t i = 0; i < words.count; i++) {
        if (strcmp(words.items[i], text) == 0)
            return true;
    }
    return false;
}

/* A file that was named must be read whole; what else lies in a directory does not matter. */
static bool say_rejects(struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;
    const struct xr_input *input = &engine->report->input;
    bool good = true;

    for (size_t i = 0; i < input->rejected.count; i++) {
        const struct xr_input_reject *reject = &input->rejected.items[i];
        bool named = is_word(rq->operands, reject->file) || is_word(rq->sources, reject->file);
        bool bad = named && !reject->note;

        xr_report_say(engine->report,
                      bad            ? XR_ERROR
                      : reject->note ? XR_NOTE
                                     : XR_WARNING,
                      NULL, "%s: %s", reject->file, reject->reason);
        good = good && !bad;
    }
    if (!good)
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    return good;
}

static void say_no_leaf(struct xr_engine *engine)
{
    xr_report_say(engine->report, XR_ERROR, NULL, "%s: no certificate in it",
                  engine->rq->operands.items[0]);
    xr_report_raise(engine->report, XR_EXIT_FAILED);
}

static bool read_files(struct chaining *c)
{
    struct xr_engine *engine = c->engine;
    const struct xr_request *rq = engine->rq;
    struct xr_input *input = &engine->report->input;

    input->password = rq->password;
    xr_input_add(input, rq->operands.items[0]);
    c->leaf = find_leaf(input);
    for (size_t i = 1; i < rq->operands.count; i++)
        xr_input_add(input, rq->operands.items[i]);
    for (size_t i = 0; i < rq->sources.count; i++) {
        if (strcmp(rq->sources.items[i], "-") == 0 || xr_sys_exists(rq->sources.items[i]) ||
            strchr(rq->sources.items[i], ':') == NULL)
            xr_input_add(input, rq->sources.items[i]);
        else if (!xr_engine_add_run(engine, rq->sources.items[i], true))
            return false;
    }
    input->password = (struct xr_bytes){0};
    xr_engine_pool_input(engine);
    if (!say_rejects(engine))
        return false;
    if (c->leaf == NULL)
        say_no_leaf(engine);
    return c->leaf != NULL;
}

/* The stores of the scope are no matter of this command where nobody named them. */
static bool read_stores(struct xr_engine *engine, size_t source_runs)
{
    struct xr_report *report = engine->report;
    bool named = engine->rq->stores.count > 0;
    size_t from = report->messages.count;
    int code = report->exit;

    if (named ? !xr_engine_select(engine)
              : !xr_engine_discover(engine) && report->exit == XR_EXIT_USAGE)
        return false;
    xr_engine_survey(engine);
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        if (run->result == XR_RESULT_FAILED && i >= source_runs)
            xr_report_say(report, named ? XR_WARNING : XR_INFO, run->address, "not in view: %s",
                          run->why);
    }
    if (named)
        return true;
    for (size_t i = from; i < report->messages.count; i++)
        report->messages.items[i].level = XR_INFO;
    report->exit = code;
    return true;
}

/* What a source that cannot be read holds may be what the file lacks. */
static bool sources_read(struct xr_engine *engine, size_t source_runs)
{
    struct xr_report *report = engine->report;
    bool good = true;

    for (size_t i = 0; i < source_runs; i++) {
        const struct xr_run *run = &report->runs.items[i];

        if (run->result != XR_RESULT_FAILED) {
            if (run->why == NULL && run->snapshot.count == 0)
                xr_report_say(report, XR_WARNING, run->address, "no certificate in it");
            continue;
        }
        xr_report_say(report, XR_ERROR, run->address, "%s", run->why);
        xr_report_raise(report, run->privilege ? XR_EXIT_PRIVILEGE : XR_EXIT_FAILED);
        good = false;
    }
    return good;
}

static bool in_places(const struct xr_state *state, unsigned places)
{
    return state != NULL && xr_state_in(state, XR_DISTRUST) == NULL &&
           ((places & XR_PLACE_BIT(XR_ANCHOR) && xr_state_in(state, XR_ANCHOR) != NULL) ||
            (places & XR_PLACE_BIT(XR_INTERMEDIATE) &&
             xr_state_in(state, XR_INTERMEDIATE) != NULL));
}

/* The store that holds it as an anchor, or NULL. */
static const struct xr_run *anchored_in(const struct xr_report *report, const struct xr_cert *cert)
{
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};

    memcpy(subject.id, cert->sha256, sizeof(subject.id));
    for (size_t i = 0; i < report->runs.count; i++) {
        if (in_places(xr_snapshot_find(&report->runs.items[i].snapshot, &subject),
                      XR_PLACE_BIT(XR_ANCHOR)))
            return &report->runs.items[i];
    }
    return NULL;
}

static int by_sha256(const void *a, const void *b)
{
    const struct xr_cert *const *of_a = a, *const *of_b = b;

    return memcmp((*of_a)->sha256, (*of_b)->sha256, XR_SHA256_LEN);
}

/* Stores that are not sources change nothing of the result. */
static void make_view(struct chaining *c, size_t source_runs)
{
    struct xr_report *report = c->engine->report;
    size_t runs = c->engine->rq->sources.count > 0 ? source_runs : report->runs.count;
    struct {
        struct xr_cert **items;
        size_t count, capacity;
    } certs = {0};

    for (size_t i = 0; i < report->input.found.count; i++) {
        if (report->input.found.items[i].cert != NULL)
            *XR_PUSH(&certs) = report->input.found.items[i].cert;
    }
    for (size_t i = 0; i < runs; i++) {
        const struct xr_snapshot *snapshot = &report->runs.items[i].snapshot;

        for (size_t k = 0; k < snapshot->count; k++) {
            const struct xr_state *state = snapshot->items[k];
            size_t at = state->subject.type == XR_SUBJECT_CERT
                            ? xr_pool_find(&report->pool, state->subject.id)
                            : XR_NONE;

            if (at != XR_NONE &&
                in_places(state, XR_PLACE_BIT(XR_ANCHOR) | XR_PLACE_BIT(XR_INTERMEDIATE)))
                *XR_PUSH(&certs) = report->pool.items[at].cert;
        }
    }
    if (certs.count > 0)
        qsort(certs.items, certs.count, sizeof(*certs.items), by_sha256);
    for (size_t i = 0; i < certs.count; i++)
        (void)xr_pool_add(&c->view, certs.items[i]);
    free(certs.items);
}

/* ---- the result ---- */

static size_t in_report(const struct chaining *c, size_t at)
{
    return xr_pool_find(&c->engine->report->pool, c->view.items[at].cert->sha256);
}

static char *name_of(const struct chaining *c, size_t at)
{
    return xr_report_name(c->engine->report, in_report(c, at));
}

static void date_text(char out[XR_TIME_TEXT_MAX], int64_t at)
{
    xr_sys_time_text(out, at);
    out[strcspn(out, "T")] = '\0';
}

static char *why_left(const struct chaining *c, const struct xr_sending_left *left)
{
    const struct xr_der_cert *d = &c->view.items[left->at].cert->d;
    char date[XR_TIME_TEXT_MAX], id[ID_DIGITS + 1] = "";

    if (left->other != XR_NONE)
        xr_hex(id, c->view.items[left->other].cert->sha256, ID_DIGITS / 2);
    switch (left->why) {
    case XR_UNSENT_ROOT:
        return xr_strdup("a root: clients have their own copy");
    case XR_UNSENT_EXPIRED:
        date_text(date, d->not_after);
        return xr_format("expired on %s", date);
    case XR_UNSENT_EARLY:
        date_text(date, d->not_before);
        return xr_format("not valid before %s", date);
    case XR_UNSENT_BROKEN:
        return xr_strdup("programs cannot read it, or do not know a critical extension of it");
    case XR_UNSENT_PURPOSE:
        return xr_strdup("not for servers");
    case XR_UNSENT_PATHLEN:
        return xr_strdup("its path length does not allow as many CAs below it");
    case XR_UNSENT_WEAK:
        return xr_strdup("TLS programs refuse its key or its signature as too weak");
    case XR_UNSENT_TWIN:
        return xr_format("%s… has the same key and issuer, and is of use longer", id);
    case XR_UNSENT_LOOP:
        return xr_strdup("leads back to a CA that is on the way already");
    case XR_UNSENT_DEAD:
        if (left->other == XR_NONE)
            return xr_strdup("leads to no root in view that is valid");
        date_text(date, c->view.items[left->other].cert->d.not_after);
        return xr_format("the root that signed it expired on %s", date);
    case XR_UNSENT_OTHER_WAY:
        break;
    }
    return xr_strdup("on another path: --all-paths adds it");
}

static void fill(struct chaining *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_chain *chain = &report->chain;

    for (size_t i = 0; i < c->sending.sent.count; i++) {
        struct xr_chain_row *row = XR_PUSH(&chain->rows);

        row->at = in_report(c, c->sending.sent.items[i].at);
        row->until = c->sending.sent.items[i].until;
        row->cross = xr_pool_kind(&report->pool, row->at) == XR_KIND_CROSS && i > 0;
    }
    for (size_t i = 0; i < c->sending.left_out.count; i++) {
        struct xr_chain_left *left = XR_PUSH(&chain->left_out);

        left->at = in_report(c, c->sending.left_out.items[i].at);
        left->why = why_left(c, &c->sending.left_out.items[i]);
        (void)xr_pool_kind(&report->pool, left->at);
    }
}

/* A root that a store has as an anchor ends the way too, though it does not decide which way is chosen. */
static const struct xr_run *root_elsewhere(struct chaining *c, size_t *root)
{
    struct xr_pool *pool = &c->engine->report->pool;
    const struct xr_run *run = NULL;
    struct xr_relatives up;

    xr_pool_issued_by(&up, pool, in_report(c, c->sending.open));
    for (size_t i = 0; i < up.count; i++) {
        const struct xr_cert *cert = pool->items[up.items[i]].cert;
        const struct xr_run *holder = anchored_in(c->engine->report, cert);

        if (holder != NULL && c->at <= cert->d.not_after &&
            (run == NULL || cert->d.not_after > pool->items[*root].cert->d.not_after)) {
            *root = up.items[i];
            run = holder;
        }
    }
    return run;
}

static void limit_until(struct chaining *c)
{
    struct xr_chain *chain = &c->engine->report->chain;
    struct xr_pool *pool = &c->engine->report->pool;
    size_t root = XR_NONE;

    if (c->sending.open != XR_NONE && root_elsewhere(c, &root) != NULL) {
        struct xr_chain_row *last = &chain->rows.items[c->sending.way_len - 1];

        if (last->until > pool->items[root].cert->d.not_after)
            last->until = pool->items[root].cert->d.not_after;
    }
    for (size_t i = 0; i < chain->rows.count; i++) {
        const struct xr_chain_row *row = &chain->rows.items[i];

        if (row->cross && (!chain->has_until || row->until < chain->until)) {
            chain->has_until = true;
            chain->until = row->until;
        }
    }
}

/* ---- which stores need what ---- */

static uint32_t purpose_of(const struct xr_der_cert *d)
{
    if (!d->has_eku || d->eku & (XR_SERVER | XR_ANY_PURPOSE) || d->eku == 0)
        return XR_SERVER;
    return d->eku & (~d->eku + 1);
}

/* Asks with the file, but for one certificate of it. */
static enum xr_status ask_without(struct xr_verdict *out, const struct chaining *c,
                                  struct xr_prober *prober, size_t without, struct xr_error *err)
{
    const struct xr_report *report = c->engine->report;
    struct xr_bytes *ders = xr_new(report->chain.rows.count, sizeof(*ders));
    struct xr_probe probe = {
        .size = sizeof(probe), .chain = ders, .purpose = purpose_of(&c->leaf->d), .at = c->at};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < report->chain.rows.count; i++) {
        if (i != without)
            ders[probe.count++] = report->pool.items[report->chain.rows.items[i].at].cert->der;
    }
    *out = (struct xr_verdict){.size = sizeof(*out)};
    status = xr_prober_probe(prober, out, &probe, err);
    free(ders);
    return status;
}

static void ask(void *ctx, struct xr_run *run)
{
    struct chaining *c = ctx;
    struct xr_report *report = c->engine->report;
    struct xr_chain_store *row = &report->chain.stores.items[run - report->runs.items];
    struct xr_store store = {0};
    struct xr_way way;
    struct xr_prober prober = {.backend = run->backend,
                               .location = run->location,
                               .site = &way.site,
                               .worker = &way.worker,
                               .store = &store};
    struct xr_verdict verdict;
    struct xr_error err = {0};

    if (row->store == NULL || row->why != NULL)
        return;
    xr_run_way(&way, &run->owner, c->engine->rq->site, &c->engine->worker);
    if (ask_without(&verdict, c, &prober, XR_NONE, &err) != XR_OK)
        row->why = xr_strdup(err.text);
    else if (verdict.answer != XR_YES)
        row->why = xr_strdup(verdict.why[0] != '\0' ? verdict.why : "it does not say why");
    else
        row->validates = XR_YES;
    if (row->validates != XR_YES && row->why != NULL && verdict.answer == XR_NO)
        row->validates = XR_NO;
    for (size_t i = 0; row->validates == XR_YES && i < report->chain.rows.count; i++) {
        if (report->chain.rows.items[i].cross)
            row->needs[i] =
                ask_without(&verdict, c, &prober, i, &err) == XR_OK && verdict.answer == XR_NO;
    }
    if (store.backend != NULL)
        xr_run_caps(run, &store);
    row->silent = run->caps.shares_readers && !run->named && row->validates == XR_UNKNOWN;
    xr_prober_end(&prober);
}

/* Rows are those of the runs while they are asked. */
static void ask_stores(struct chaining *c)
{
    struct xr_report *report = c->engine->report;
    size_t kept = 0;

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        struct xr_chain_store *row = XR_PUSH(&report->chain.stores);

        row->validates = XR_UNKNOWN;
        if ((run->result == XR_RESULT_SKIPPED && run->why != NULL) ||
            (run->only_named && !run->named && run->backend->table.probe == NULL))
            continue;
        row->store = xr_strdup(run->address);
        row->needs = xr_new(report->chain.rows.count, sizeof(*row->needs));
        if (run->result == XR_RESULT_FAILED)
            row->why = xr_strdup(run->why);
    }
    xr_engine_each(c->engine, 0, false, ask, c);
    for (size_t i = 0; i < report->chain.stores.count; i++) {
        if (report->chain.stores.items[i].store != NULL)
            report->chain.stores.items[kept++] = report->chain.stores.items[i];
    }
    report->chain.stores.count = kept;
}

/* ---- what is said ---- */

static char *row_text(const struct xr_report *report, const struct xr_chain_row *row)
{
    const struct xr_cert *cert = report->pool.items[row->at].cert;
    char *name = xr_report_name(report, row->at);
    char *issuer = row->cross ? xr_x509_name_short(cert->d.slices.issuer) : NULL;
    char *signer = issuer != NULL ? xr_visible(issuer) : NULL;
    char date[XR_TIME_TEXT_MAX];
    char *text = NULL;

    date_text(date, cert->d.not_after);
    text = xr_format("%s (%s%s%s), ends %s", name, xr_report_kind(report, row->at),
                     signer != NULL ? ", signed by " : "", signer != NULL ? signer : "", date);
    free(signer);
    free(issuer);
    free(name);
    return text;
}

/* Roots are no news, so they share a line. */
static void say_left_out(struct xr_report *report)
{
    struct xr_buf roots = {0}, lines = {0};

    for (size_t i = 0; i < report->chain.left_out.count; i++) {
        const struct xr_chain_left *left = &report->chain.left_out.items[i];
        const char *kind = xr_report_kind(report, left->at);
        char *name = xr_report_name(report, left->at);
        char id[ID_DIGITS + 1];

        xr_hex(id, report->pool.items[left->at].cert->sha256, ID_DIGITS / 2);
        if (kind == NULL || strcmp(kind, xr_kind_name(XR_KIND_ROOT)) != 0)
            xr_buf_fmt(&lines, "\n  %s (%s, %s…): %s", name, kind, id, left->why);
        else if (roots.len == 0 || strstr(roots.data, name) == NULL)
            xr_buf_fmt(&roots, "%s%s", roots.len > 0 ? ", " : "", name);
        free(name);
    }
    if (roots.len > 0)
        xr_report_say_lines(report, XR_NOTE, NULL, "left out, for clients have the roots: %s",
                            roots.data);
    if (lines.len > 0)
        xr_report_say_lines(report, XR_NOTE, NULL, "left out:%s", lines.data);
    xr_buf_free(&roots);
    xr_buf_free(&lines);
}

static void say_rows(const struct chaining *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_buf lines = {0};

    for (size_t i = 0; i < report->chain.rows.count; i++) {
        char *text = row_text(report, &report->chain.rows.items[i]);

        xr_buf_fmt(&lines, "\n  %zu %s%s", i + 1, text,
                   i >= c->sending.way_len ? ", for another path" : "");
        free(text);
    }
    xr_report_say_lines(report, XR_NOTE, NULL, "the file holds, in this order:%s", lines.data);
    xr_buf_free(&lines);
}

/* Names of the stores for which it is so; NULL if there is none. */
static char *stores_that(const struct xr_report *report, enum xr_answer validates, size_t row,
                         bool need)
{
    struct xr_buf text = {0};
    size_t count = 0;

    for (size_t i = 0; i < report->chain.stores.count; i++) {
        const struct xr_chain_store *store = &report->chain.stores.items[i];
        const struct xr_run *run = xr_runs_find(&report->runs, store->store);
        char *name = NULL;

        if (store->silent || store->validates != validates ||
            (row != XR_NONE && store->needs[row] != need))
            continue;
        name = xr_report_store_name(report, run);
        if (count++ < NAMED)
            xr_buf_fmt(&text, "%s%s", count > 1 ? ", " : "", name);
        free(name);
    }
    if (count > NAMED)
        xr_buf_fmt(&text, " and %zu more", count - NAMED);
    return text.data;
}

static void say_cross(const struct xr_engine *engine, size_t at)
{
    struct xr_report *report = engine->report;
    const struct xr_chain_row *row = &report->chain.rows.items[at];
    const struct xr_cert *cert = report->pool.items[row->at].cert;
    char *name = xr_report_name(report, row->at);
    char *issuer = xr_x509_name_short(cert->d.slices.issuer);
    char *signer = xr_visible(issuer);
    char *needed = stores_that(report, XR_YES, at, true);
    char *others = stores_that(report, XR_YES, at, false);
    char date[XR_TIME_TEXT_MAX];
    struct xr_buf text = {0};

    date_text(date, row->until);
    xr_buf_fmt(&text,
               "certificate %zu is for clients that know %s, but not the root %s.\n  Of use until "
               "%s, when %s ends.",
               at + 1, signer, name, date, row->until < cert->d.not_after ? "a CA above it" : "it");
    xr_buf_fmt(&text, "\n  Needed by: %s.", needed != NULL ? needed : "no store in view");
    if (others != NULL)
        xr_buf_fmt(&text, "\n  Not needed by: %s.", others);
    xr_report_say_lines(report, XR_NOTE, NULL, "%s", text.data);
    xr_buf_free(&text);
    free(needed);
    free(others);
    free(signer);
    free(issuer);
    free(name);
}

static void say_stores(const struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    size_t said = 0;

    for (size_t i = 0; i < report->chain.rows.count; i++) {
        if (report->chain.rows.items[i].cross)
            say_cross(engine, i);
    }
    for (size_t i = 0; i < report->chain.stores.count; i++) {
        const struct xr_chain_store *store = &report->chain.stores.items[i];

        if (store->validates == XR_NO)
            xr_report_say(report, said++ < NAMED ? XR_NOTE : XR_INFO, store->store,
                          "does not accept this file: %s", store->why);
        else if (store->validates == XR_UNKNOWN)
            xr_report_say(report, XR_INFO, store->store, "cannot tell: %s", store->why);
    }
}

#define IDENTIFIER_MAX 20u /* octets that are shown: those of SHA-1, which nearly all have */

static char *key_identifier(const struct xr_cert *cert)
{
    size_t len = cert->d.akid.len < IDENTIFIER_MAX ? cert->d.akid.len : IDENTIFIER_MAX;
    char hex[2 * IDENTIFIER_MAX + 1];

    xr_hex(hex, cert->d.akid.data, len);
    return len == 0 ? xr_strdup("")
                    : xr_format(" (key identifier %s%s)", hex, len < cert->d.akid.len ? "…" : "");
}

/* Says where the chain ends if that is not a root in view. */
static void say_end(struct chaining *c)
{
    struct xr_report *report = c->engine->report;
    size_t last = c->sending.sent.items[c->sending.way_len - 1].at;
    const struct xr_cert *cert = c->view.items[last].cert;
    char *name = name_of(c, last);
    char *issuer = xr_x509_name_short(cert->d.slices.issuer);
    char *signer = xr_visible(issuer);
    char *identifier = key_identifier(cert);
    size_t root = XR_NONE;
    const struct xr_run *run = c->sending.open != XR_NONE ? root_elsewhere(c, &root) : NULL;

    if (c->view.items[last].subject == c->view.items[last].issuer && c->sending.sent.count == 1 &&
        c->sending.rooted) {
        xr_report_say(report, XR_NOTE, NULL, "%s is signed by itself: nothing stands above it",
                      name);
    } else if (run != NULL) {
        char *store = xr_report_store_name(report, run);

        xr_report_say(report, XR_INFO, NULL, "%s, which signed %s, is an anchor in: %s", signer,
                      name, store);
        free(store);
    } else if (c->sending.open != XR_NONE) {
        xr_report_say_lines(
            report, XR_WARNING, NULL,
            "%s, which signed %s, is not in view%s.\n  If it is a root, the file is "
            "whole; else name its file or its store with --from.",
            signer, name, identifier);
        if (!c->sending.rooted)
            xr_report_raise(report, XR_EXIT_PARTIAL);
    } else if (!c->sending.rooted) {
        xr_report_say(report, XR_WARNING, NULL,
                      "no way from %s leads to a root that is valid: see what was left out", name);
        xr_report_raise(report, XR_EXIT_PARTIAL);
    }
    free(identifier);
    free(signer);
    free(issuer);
    free(name);
}

static void say_leaf(const struct chaining *c)
{
    const struct xr_der_cert *d = &c->leaf->d;
    struct xr_report *report = c->engine->report;
    char *name = xr_report_name(report, xr_pool_find(&report->pool, c->leaf->sha256));
    char date[XR_TIME_TEXT_MAX];

    if (c->at > d->not_after) {
        date_text(date, d->not_after);
        xr_report_say(report, XR_WARNING, NULL, "%s expired on %s", name, date);
    } else if (c->at < d->not_before) {
        date_text(date, d->not_before);
        xr_report_say(report, XR_WARNING, NULL, "%s is not valid before %s", name, date);
    }
    free(name);
}

void xr_verb_chain(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    struct chaining c = {.engine = engine,
                         .at = engine->rq->at ? engine->rq->at : engine->rq->now,
                         .sending.open = XR_NONE};
    size_t source_runs = 0;

    if (!read_files(&c))
        goto out;
    source_runs = report->runs.count;
    if (!read_stores(engine, source_runs) || !sources_read(engine, source_runs))
        goto out;
    make_view(&c, source_runs);
    xr_sending_find(&c.sending, &c.view, xr_pool_find(&c.view, c.leaf->sha256), c.at,
                    engine->rq->all_paths);
    fill(&c);
    limit_until(&c);
    ask_stores(&c);
    say_leaf(&c);
    if (c.sending.gave_up)
        xr_report_say(report, XR_WARNING, NULL,
                      "there are too many cross certificates in view to follow all of them");
    say_rows(&c);
    say_left_out(report);
    say_stores(engine);
    say_end(&c);
out:
    xr_sending_free(&c.sending);
    xr_pool_free(&c.view);
}
