/* SPDX-License-Identifier: Apache-2.0 */
#include "sources.h"

#include "sys/sys.h"

#include <stdlib.h>

struct reading {
    struct xr_engine *engine;
    struct xr_list *list;
    struct xr_p11_source *p11; /* all of p11-kit's files of this word */
    bool failed;
};

static uint32_t known(uint32_t purposes)
{
    return (purposes & XR_ANY_PURPOSE) != 0 ? XR_ALL_PURPOSES : purposes & XR_ALL_PURPOSES;
}

static void add_source(struct xr_list *list, const char *name, const char *kind,
                       struct xr_bytes data)
{
    struct xr_list_source *source = XR_PUSH(&list->sources);

    source->name = xr_strdup(name);
    source->kind = kind;
    xr_x509_sha256(source->sha256, data);
    (void)xr_sys_modified(&source->modified, name);
}

/* ---- files ---- */

static void fail_file(struct reading *r, const char *file, const char *why)
{
    char *shown = xr_visible(why), *name = xr_visible(file);

    xr_report_say(r->engine->report, XR_ERROR, NULL, "%s: %s", name, shown);
    r->failed = true;
    free(shown);
    free(name);
}

/* A directory of p11-kit's or a distribution's sources is a store, whose parts mean different things. */
static bool is_blocklist(const char *file)
{
    return strstr(file, "/blocklist/") != NULL || strstr(file, "/blacklist/") != NULL;
}

static bool take_file(void *ctx, const char *file, struct xr_bytes data)
{
    static const char *const kinds[] = {[XR_LIST_CERTDATA] = "certdata.txt",
                                        [XR_LIST_CCADB] = "CCADB",
                                        [XR_LIST_P11KIT] = "p11-kit",
                                        [XR_LIST_JKS] = "Java keystore",
                                        [XR_LIST_JSON] = "list --json"};
    struct reading *r = ctx;
    enum xr_list_kind kind = xr_list_guess(data);
    struct xr_list list = {0};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (is_blocklist(file)) {
        fail_file(r, file,
                  "what stands in a blocklist is distrusted: name the store, as p11-kit:DIR");
        return true;
    }
    if (kind == XR_LIST_ITEMS) {
        add_source(r->list, file, "certificates", data);
        return false;
    }
    add_source(&list, file, kinds[kind], data);
    switch (kind) {
    case XR_LIST_CERTDATA:
        status = xr_list_certdata(&list, data, &err);
        break;
    case XR_LIST_CCADB:
        status = xr_list_ccadb(&list, data, &err);
        break;
    case XR_LIST_P11KIT:
        if (r->p11 == NULL)
            r->p11 = xr_p11_source_new(&xr_host);
        status = xr_p11_source_add(r->p11, file, data, &err);
        break;
    case XR_LIST_JKS:
        status = xr_list_jks(&list, data, &xr_host, &err);
        break;
    default:
        status = xr_list_json(&list, data, &err);
        break;
    }
    if (status == XR_OK) {
        xr_list_merge(r->list, &list, XR_MERGE_SAID);
    } else {
        fail_file(r, file, err.text);
    }
    xr_list_free(&list);
    return true;
}

/* What a file of certificates says of one. */
static void take_item(struct reading *r, const struct xr_input_item *item, uint32_t purposes)
{
    struct xr_pool *pool = &r->engine->report->pool;
    struct xr_list one = {0};
    struct xr_root *root = NULL;
    struct xr_der_aux aux = {0};
    uint32_t wanted = known(purposes != 0 ? purposes : (uint32_t)XR_SERVER);
    const struct xr_der_cert *d = &item->cert->d;
    bool is_root = xr_pool_kind(pool, xr_pool_find(pool, item->cert->sha256)) == XR_KIND_ROOT;

    root = xr_list_add_cert(&one, item->cert);
    root->unsaid = item->aux.len == 0;
    if (d->has_eku)
        wanted &= known(d->eku);
    if (item->aux.len > 0 && xr_der_aux(&aux, item->aux, NULL) == XR_OK) {
        if (aux.has_trust)
            wanted = known(d->has_eku ? d->eku : (uint32_t)XR_ANY_PURPOSE) & known(aux.trust);
        root->distrusted = known(aux.reject);
        if (aux.alias.len > 0)
            root->label =
                xr_memdup(aux.alias.data, strnlen((const char *)aux.alias.data, aux.alias.len));
        is_root = is_root || (aux.has_trust && aux.trust != 0);
    }
    root->trusted = is_root ? wanted & ~root->distrusted : 0;
    if (root->label == NULL)
        root->label = xr_x509_name_short(d->slices.subject);
    xr_list_merge(r->list, &one, XR_MERGE_SAID);
}

static void take_p11(struct reading *r, const char *word)
{
    struct xr_list list = {0};
    struct xr_error err = {0};

    if (r->p11 != NULL && xr_list_p11kit(&list, r->p11, &err) != XR_OK)
        fail_file(r, word, err.text);
    xr_list_merge(r->list, &list, XR_MERGE_SAID);
    xr_p11_source_free(r->p11);
}

static bool read_files(struct reading *r, const char *word, uint32_t purposes)
{
    struct xr_report *report = r->engine->report;
    struct xr_input input = {.take = take_file, .ctx = r, .password = r->engine->rq->password};

    xr_input_add(&input, word);
    xr_engine_say_rejects(r->engine, &input, XR_ERROR);
    r->failed = r->failed || input.failed;
    for (size_t i = 0; i < input.found.count; i++) {
        if (input.found.items[i].cert != NULL)
            (void)xr_pool_add(&report->pool, input.found.items[i].cert);
    }
    for (size_t i = 0; i < input.found.count; i++) {
        if (input.found.items[i].cert != NULL)
            take_item(r, &input.found.items[i], purposes);
    }
    xr_input_free(&input);
    take_p11(r, word);
    return !r->failed;
}

/* ---- stores ---- */

static bool take_state(struct xr_list *list, const struct xr_state *state, struct xr_pool *pool,
                       bool by_key)
{
    const struct xr_entry *first = state->count > 0 ? state->entries[0] : NULL;
    struct xr_root *root = NULL;
    size_t at = XR_NONE;

    if (first == NULL || state->subject.type == XR_SUBJECT_CRL)
        return true;
    if (state->subject.type == XR_SUBJECT_KEY) {
        xr_list_distrust(list, state->subject.id);
        return true;
    }
    if (state->subject.type == XR_SUBJECT_CERT) {
        at = xr_pool_find(pool, state->subject.id);
        if (at == XR_NONE)
            return false;
        root = xr_list_add_cert(list, pool->items[at].cert);
    } else {
        root = xr_list_add_serial(list, first->issuer, first->serial);
    }
    for (size_t i = 0; i < state->count; i++) {
        const struct xr_entry *entry = state->entries[i];

        if (entry->place == XR_DISTRUST)
            root->distrusted |= XR_ALL_PURPOSES;
        if (entry->place == XR_DISTRUST && by_key && root->cert != NULL)
            xr_list_distrust(list, root->cert->spki_sha256);
        if (entry->place == XR_ANCHOR)
            root->trusted |= known(entry->purposes);
        if (entry->place == XR_ANCHOR && !xr_limits_of(&root->limits, entry))
            return false;
    }
    root->trusted &= ~root->distrusted;
    if (root->cert != NULL && root->label == NULL)
        root->label = xr_x509_name_short(root->cert->d.slices.subject);
    return true;
}

/* What cannot be told in a list is left out of it, and said. */
static void take_run(struct xr_engine *engine, struct xr_list *out, const struct xr_run *run,
                     bool more)
{
    struct xr_list list = {0};
    size_t untold = 0;

    add_source(&list, run->address, "store", (struct xr_bytes){0});
    for (size_t i = 0; i < run->snapshot.count; i++) {
        struct xr_list one = {0};

        if (take_state(&one, run->snapshot.items[i], &engine->report->pool,
                       run->caps.distrust_by_key))
            xr_list_merge(&list, &one, XR_MERGE_ALL);
        else
            untold++;
        xr_list_free(&one);
    }
    if (untold > 0)
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "%zu of its entries cannot be told in a root list and are left out", untold);
    xr_list_merge(out, &list, more ? XR_MERGE_ALL : XR_MERGE_FIRST);
}

static bool take_runs(struct xr_engine *engine, struct xr_list *out, size_t from, size_t to,
                      bool more)
{
    bool ok = true;

    for (size_t i = from; i < to; i++) {
        const struct xr_run *run = &engine->report->runs.items[i];

        if (run->result == XR_RESULT_FAILED) {
            xr_report_say(engine->report, XR_ERROR, run->address, "%s", run->why);
            xr_report_raise(engine->report, run->privilege ? XR_EXIT_PRIVILEGE : XR_EXIT_FAILED);
            ok = false;
        } else if (run->result != XR_RESULT_SKIPPED) {
            take_run(engine, out, run, more);
        }
    }
    return ok;
}

/* "nss:/home/a/p", or "ca-certificates" where no file has that name. */
static bool is_address(struct xr_engine *engine, const char *word)
{
    size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");
    char *name = NULL;
    bool is = false;

    if (len == 0 || (word[len] != ':' && word[len] != '\0') || xr_sys_exists(word))
        return false;
    xr_engine_load_plugins(engine);
    name = xr_memdup(word, len);
    is = xr_registry_find(&engine->report->registry, name) != NULL;
    free(name);
    return is;
}

/* Adds the runs of a store's address. */
static bool add_stores(struct xr_engine *engine, const char *word)
{
    size_t from = engine->report->runs.count;

    if (!xr_engine_add_run(engine, word, true))
        return false;
    if (engine->report->runs.count > from)
        return true;
    xr_report_say(engine->report, XR_ERROR, NULL, "%s: there is no such store", word);
    xr_report_raise(engine->report, XR_EXIT_FAILED);
    return false;
}

static bool read_word(struct xr_engine *engine, struct xr_list *out, const char *word,
                      uint32_t purposes, size_t from, size_t to)
{
    struct reading r = {.engine = engine, .list = out};

    if (to > from)
        return take_runs(engine, out, from, to, true);
    if (read_files(&r, word, purposes))
        return true;
    xr_report_raise(engine->report, XR_EXIT_FAILED);
    return false;
}

bool xr_sources_read(struct xr_engine *engine, struct xr_list *out, struct xr_words words,
                     uint32_t purposes, bool more)
{
    size_t first = engine->report->runs.count, *from = xr_new(words.count + 1, sizeof(*from));
    bool ok = true;

    /* All stores are read at once. */
    for (size_t i = 0; i < words.count; i++) {
        from[i] = engine->report->runs.count;
        if (is_address(engine, words.items[i]) && !add_stores(engine, words.items[i]))
            ok = false;
    }
    from[words.count] = engine->report->runs.count;
    xr_engine_survey_sources(engine, first);
    for (size_t i = 0; ok && i < words.count; i++) {
        struct xr_list one = {0};

        ok = read_word(engine, &one, words.items[i], purposes, from[i], from[i + 1]);
        xr_list_merge(out, &one, more ? XR_MERGE_ALL : XR_MERGE_FIRST);
    }
    xr_list_settle(out);
    free(from);
    return ok;
}

bool xr_source_read(struct xr_engine *engine, struct xr_list *out, const char *word,
                    uint32_t purposes)
{
    return xr_sources_read(engine, out, (struct xr_words){&word, 1}, purposes, true);
}

bool xr_sources_stores(struct xr_engine *engine, struct xr_list *out, bool more)
{
    bool ok = false;

    xr_engine_load_plugins(engine);
    if (!xr_engine_select(engine))
        return false;
    xr_engine_survey(engine);
    ok = take_runs(engine, out, 0, engine->report->runs.count, more);
    xr_list_settle(out);
    return ok;
}
