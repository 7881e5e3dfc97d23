/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a server must send, and which stores need the cross certificates in it. */
#include "chain_run.h"

#include "change/prober.h"

#include <stdlib.h>

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
static bool say_rejects(struct xr_engine *engine, const struct xr_input *input)
{
    bool good = true;

    for (size_t i = 0; i < input->rejected.count; i++) {
        const struct xr_input_reject *reject = &input->rejected.items[i];
        bool bad = !reject->note && is_word(engine->rq->operands, reject->file);

        xr_report_say(engine->report, bad ? XR_ERROR : XR_NOTE, NULL, "%s: %s", reject->file,
                      reject->reason);
        good = good && !bad;
    }
    if (!good)
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    return good;
}

struct walk {
    struct xr_strings lists, documents; /* documents: JSON, which may be anything */
};

static bool take_list(void *ctx, const char *file, struct xr_bytes data)
{
    struct walk *walk = ctx;
    enum xr_list_kind kind = xr_list_guess(data);

    if (kind != XR_LIST_ITEMS)
        xr_strings_add(kind == XR_LIST_JSON ? &walk->documents : &walk->lists, file);
    return kind != XR_LIST_ITEMS;
}

static void take_item(struct xr_chaining *c, const struct xr_input_item *item)
{
    struct xr_list one = {0};
    struct xr_root *root = NULL;
    struct xr_der_aux aux = {0};

    if (item->cert == NULL)
        return;
    root = xr_list_add_cert(&one, item->cert);
    root->unsaid = !item->has_trust;
    root->trusted = item->trust;
    if (item->aux.len > 0 && xr_der_aux(&aux, item->aux, NULL) == XR_OK)
        root->distrusted = (aux.reject & XR_ANY_PURPOSE) != 0 ? ~0u : aux.reject;
    xr_list_merge(&c->list, &one, XR_MERGE_SAID);
}

/* Directories of CAs hold a README, a key or a CRL too: that is said, and does not matter. But a root list
 * that cannot be read may refuse one of them. */
static bool read_directory(struct xr_chaining *c, const char *word)
{
    struct xr_report *report = c->engine->report;
    struct walk walk = {0};
    struct xr_input input = {.take = take_list, .ctx = &walk, .password = c->engine->rq->password};
    bool good = true;

    xr_input_add(&input, word);
    (void)say_rejects(c->engine, &input);
    for (size_t i = 0; i < input.found.count; i++)
        take_item(c, &input.found.items[i]);
    for (size_t i = 0; good && i < walk.lists.count; i++)
        good = xr_source_read(c->engine, &c->list, walk.lists.items[i], 0);
    for (size_t i = 0; good && i < walk.documents.count; i++) {
        size_t from = report->messages.count;
        int code = report->exit;

        if (xr_source_read(c->engine, &c->list, walk.documents.items[i], 0))
            continue;
        for (size_t k = from; k < report->messages.count; k++)
            report->messages.items[k].level = XR_NOTE;
        report->exit = code;
    }
    xr_strings_free(&walk.lists);
    xr_strings_free(&walk.documents);
    xr_input_free(&input);
    return good;
}

static bool read_source(struct xr_chaining *c, const char *word)
{
    char *inside = xr_format("%s/", word);
    bool is_directory = xr_sys_exists(inside);

    free(inside);
    return is_directory ? read_directory(c, word) : xr_source_read(c->engine, &c->list, word, 0);
}

static uint32_t purpose_of(const struct xr_der_cert *d)
{
    if (!d->has_eku || d->eku & (XR_SERVER | XR_ANY_PURPOSE) || d->eku == 0)
        return XR_SERVER;
    return d->eku & (~d->eku + 1);
}

static bool read_files(struct xr_chaining *c)
{
    struct xr_engine *engine = c->engine;
    const struct xr_request *rq = engine->rq;
    struct xr_input *input = &engine->report->input;

    input->password = rq->password;
    xr_input_add(input, rq->operands.items[0]);
    c->leaf = find_leaf(input);
    for (size_t i = 1; i < rq->operands.count; i++)
        xr_input_add(input, rq->operands.items[i]);
    input->password = (struct xr_bytes){0};
    xr_engine_pool_input(engine);
    if (!say_rejects(engine, input))
        return false;
    if (c->leaf == NULL) {
        xr_report_say(engine->report, XR_ERROR, NULL, "%s: no certificate in it",
                      rq->operands.items[0]);
        xr_report_raise(engine->report, XR_EXIT_FAILED);
        return false;
    }
    for (size_t i = 0; i < rq->sources.count; i++) {
        if (!read_source(c, rq->sources.items[i]))
            return false;
    }
    for (size_t i = 0; i < c->list.roots.count; i++) {
        if (c->list.roots.items[i].cert != NULL)
            (void)xr_pool_add(&engine->report->pool, c->list.roots.items[i].cert);
    }
    c->purpose = purpose_of(&c->leaf->d);
    if (!xr_chain_distrusts(c, c->leaf))
        return true;
    xr_report_say(engine->report, XR_ERROR, NULL, "%s: a source distrusts this certificate",
                  rq->operands.items[0]);
    xr_report_raise(engine->report, XR_EXIT_FAILED);
    return false;
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

/* The store that holds it as an anchor, or NULL. */
static const struct xr_run *anchored_in(const struct xr_chaining *c, const struct xr_cert *cert)
{
    const struct xr_report *report = c->engine->report;

    for (size_t i = 0; i < report->runs.count; i++) {
        if (xr_chain_anchors(c, &report->runs.items[i], cert))
            return &report->runs.items[i];
    }
    return NULL;
}

static int by_sha256(const void *a, const void *b)
{
    const struct xr_cert *const *of_a = a, *const *of_b = b;

    return memcmp((*of_a)->sha256, (*of_b)->sha256, XR_SHA256_LEN);
}

struct certs {
    struct xr_cert **items;
    size_t count, capacity;
};

static void take_sources(struct certs *certs, const struct xr_chaining *c)
{
    for (size_t i = 0; i < c->list.roots.count; i++) {
        const struct xr_root *root = &c->list.roots.items[i];

        if (root->cert != NULL && (root->unsaid || xr_chain_is_trusted(c, root->trusted) ||
                                   !xr_chain_is_root(c, root->cert)))
            *XR_PUSH(certs) = root->cert;
    }
}

static void take_stores(struct certs *certs, const struct xr_chaining *c)
{
    const struct xr_report *report = c->engine->report;

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_snapshot *snapshot = &report->runs.items[i].snapshot;

        for (size_t k = 0; k < snapshot->count; k++) {
            const struct xr_state *state = snapshot->items[k];
            size_t at = state->subject.type == XR_SUBJECT_CERT
                            ? xr_pool_find(&report->pool, state->subject.id)
                            : XR_NONE;

            if (at == XR_NONE || xr_state_in(state, XR_DISTRUST) != NULL)
                continue;
            if (xr_chain_is_anchor(c, state) || ((xr_state_in(state, XR_ANCHOR) != NULL ||
                                                  xr_state_in(state, XR_INTERMEDIATE) != NULL) &&
                                                 !xr_chain_is_root(c, report->pool.items[at].cert)))
                *XR_PUSH(certs) = report->pool.items[at].cert;
        }
    }
}

/* Stores that are not sources change nothing of the file. */
static void make_view(struct xr_chaining *c)
{
    struct xr_report *report = c->engine->report;
    struct certs certs = {0};

    *XR_PUSH(&certs) = c->leaf;
    for (size_t i = 0; i < report->input.found.count; i++) {
        if (report->input.found.items[i].cert != NULL)
            *XR_PUSH(&certs) = report->input.found.items[i].cert;
    }
    if (c->engine->rq->sources.count > 0)
        take_sources(&certs, c);
    else
        take_stores(&certs, c);
    qsort(certs.items, certs.count, sizeof(*certs.items), by_sha256);
    for (size_t i = 0; i < certs.count; i++) {
        if (!xr_chain_distrusts(c, certs.items[i]) &&
            xr_pool_find(&c->dropped, certs.items[i]->sha256) == XR_NONE)
            (void)xr_pool_add(&c->view, certs.items[i]);
    }
    free(certs.items);
}

/* ---- the result ---- */

static size_t in_report(const struct xr_chaining *c, size_t at)
{
    return xr_pool_find(&c->engine->report->pool, c->view.items[at].cert->sha256);
}

static char *why_left(const struct xr_chaining *c, const struct xr_sending_left *left)
{
    const struct xr_der_cert *d = &c->view.items[left->at].cert->d;
    char date[XR_TIME_TEXT_MAX], id[XR_CHAIN_ID_DIGITS + 1] = "";

    if (left->other != XR_NONE)
        xr_hex(id, c->view.items[left->other].cert->sha256, XR_CHAIN_ID_DIGITS / 2);
    switch (left->why) {
    case XR_UNSENT_ROOT:
        return xr_strdup(N_("a root: clients have their own copy"));
    case XR_UNSENT_EXPIRED:
        xr_chain_date(date, d->not_after);
        return xr_format(N_("expired on %s"), date);
    case XR_UNSENT_EARLY:
        xr_chain_date(date, d->not_before);
        return xr_format(N_("not valid before %s"), date);
    case XR_UNSENT_BROKEN:
        return xr_strdup(N_("programs cannot read it, or do not know a critical extension of it"));
    case XR_UNSENT_PURPOSE:
        return xr_strdup(N_("not for servers"));
    case XR_UNSENT_PATHLEN:
        return xr_strdup(N_("its path length does not allow as many CAs below it"));
    case XR_UNSENT_WEAK:
        return xr_strdup(N_("TLS programs refuse its key or its signature as too weak"));
    case XR_UNSENT_TWIN:
        return xr_format(N_("%s… has the same key and issuer, and takes its place"), id);
    case XR_UNSENT_LOOP:
        return xr_strdup(N_("leads back to a CA that is on the way already"));
    case XR_UNSENT_DEAD:
        if (left->other == XR_NONE)
            return xr_strdup(N_("leads to no root in view that is valid"));
        xr_chain_date(date, c->view.items[left->other].cert->d.not_after);
        return xr_format(N_("the root that signed it expired on %s"), date);
    case XR_UNSENT_OTHER_WAY:
        break;
    }
    return xr_strdup(N_("on another path: --all-paths adds it"));
}

static void fill(struct xr_chaining *c)
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

static void look_elsewhere(struct xr_chaining *c)
{
    struct xr_pool *pool = &c->engine->report->pool;
    struct xr_relatives up;

    if (c->sending.open == XR_NONE)
        return;
    xr_pool_issued_by(&up, pool, in_report(c, c->sending.open));
    for (size_t i = 0; i < up.count; i++) {
        const struct xr_cert *cert = pool->items[up.items[i]].cert;
        const struct xr_run *holder = anchored_in(c, cert);

        if (xr_chain_distrusts(c, cert)) {
            c->refused = cert;
            continue;
        }
        if (c->engine->rq->sources.count == 0 || xr_list_find(&c->list, cert->sha256) != NULL ||
            xr_pool_find(&c->dropped, cert->sha256) != XR_NONE)
            c->refused = cert;
        if (holder != NULL && c->at <= cert->d.not_after &&
            (c->holder == NULL || cert->d.not_after > c->elsewhere->d.not_after)) {
            c->elsewhere = cert;
            c->holder = holder;
        }
    }
}

/* What leads to nothing but a root that is refused is of no use where there is another way. */
static bool drop_last(struct xr_chaining *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_chain_left *left = NULL;
    char *signer = NULL;

    if (!c->sending.rooted || c->refused == NULL || c->holder != NULL)
        return false;
    signer = xr_report_name(report, xr_pool_find(&report->pool, c->refused->sha256));
    left = XR_PUSH(&report->chain.left_out);
    left->at = in_report(c, c->sending.open);
    left->why = xr_format(N_("signed by %s, which %s"), signer, xr_chain_refusal(c));
    (void)xr_pool_kind(&report->pool, left->at);
    (void)xr_pool_add(&c->dropped, c->view.items[c->sending.open].cert);
    free(signer);
    c->refused = NULL;
    xr_sending_free(&c->sending);
    xr_pool_free(&c->view);
    return true;
}

static void find(struct xr_chaining *c)
{
    do {
        make_view(c);
        xr_sending_find(&c->sending, &c->view, xr_pool_find(&c->view, c->leaf->sha256), c->at,
                        c->engine->rq->all_paths);
        look_elsewhere(c);
    } while (drop_last(c));
}

static void limit_until(struct xr_chaining *c)
{
    struct xr_chain *chain = &c->engine->report->chain;

    if (c->holder != NULL) {
        struct xr_chain_row *last = &chain->rows.items[c->sending.way_len - 1];

        if (last->until > c->elsewhere->d.not_after)
            last->until = c->elsewhere->d.not_after;
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

/* Asks with the file, but for one certificate of it. */
static enum xr_status ask_without(struct xr_verdict *out, const struct xr_chaining *c,
                                  struct xr_prober *prober, size_t without, struct xr_error *err)
{
    const struct xr_report *report = c->engine->report;
    struct xr_bytes *ders = xr_new(report->chain.rows.count, sizeof(*ders));
    struct xr_probe probe = {
        .size = sizeof(probe), .chain = ders, .purpose = c->purpose, .at = c->at};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < report->chain.rows.count; i++) {
        if (i != without)
            ders[probe.count++] = report->pool.items[report->chain.rows.items[i].at].cert->der;
    }
    *out = (struct xr_verdict){.size = sizeof(*out)};
    status = xr_prober_probe(prober, out, &probe, NULL, err);
    free(ders);
    return status;
}

static void ask(void *ctx, struct xr_run *run)
{
    struct xr_chaining *c = ctx;
    struct xr_report *report = c->engine->report;
    struct xr_chain_store *row = &report->chain.stores.items[run - report->runs.items];
    struct xr_store store = {0};
    struct xr_prober prober = xr_prober_of(run, &store, c->engine->rq->site, &c->engine->worker);
    struct xr_verdict verdict;
    struct xr_error err = {0};

    if (row->store == NULL || row->why != NULL)
        return;
    if (ask_without(&verdict, c, &prober, XR_NONE, &err) != XR_OK)
        row->why = xr_strdup(err.text);
    else if (verdict.answer != XR_YES)
        row->why = xr_strdup(verdict.why[0] != '\0' ? verdict.why : N_("it does not say why"));
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
static void ask_stores(struct xr_chaining *c)
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

void xr_verb_chain(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    struct xr_chaining c = {.engine = engine,
                            .at = engine->rq->at ? engine->rq->at : engine->rq->now,
                            .sending.open = XR_NONE};
    size_t source_runs = 0;

    if (!read_files(&c))
        goto out;
    source_runs = report->runs.count;
    if (!read_stores(engine, source_runs))
        goto out;
    find(&c);
    fill(&c);
    limit_until(&c);
    ask_stores(&c);
    xr_chain_say(&c);
out:
    xr_sending_free(&c.sending);
    xr_pool_free(&c.view);
    xr_pool_free(&c.dropped);
    xr_list_free(&c.list);
}
