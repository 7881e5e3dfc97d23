/* SPDX-License-Identifier: Apache-2.0 */
/* Which stores a request is about, and who opens them. */
#include "request.h"

#include "sys/sys.h"

#include <limits.h>
#include <stdlib.h>

static bool inside(const char *path, const char *root)
{
    size_t len = strlen(root);

    return strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool has_paths(const struct xr_loaded *backend)
{
    return (backend->table.flags & XR_BACKEND_PATHS) != 0;
}

static bool in_homes(const struct xr_loaded *backend)
{
    return has_paths(backend) && (backend->table.flags & XR_BACKEND_HOMES) != 0;
}

static bool is_root(const struct xr_engine *engine)
{
    return engine->rq->site->uid == 0;
}

/* Resolves a path as far as root, or the caller, may do that. */
static enum xr_status resolve(char **out, struct xr_engine *engine, const struct xr_loaded *backend,
                              const char *path, struct xr_error *err)
{
    return in_homes(backend) ? xr_users_resolve(out, &engine->users, path, err)
                             : xr_sys_resolve(out, path, err);
}

/* An absolute path without links; what does not exist yet may be its last component. Links of other
 * users are refused, and in an image everything that leads out of it. */
static enum xr_status absolute(char **out, struct xr_engine *engine,
                               const struct xr_loaded *backend, const char *location,
                               struct xr_error *err)
{
    const char *root = engine->rq->site->root;
    char *path = root != NULL ? xr_format("%s/%s", root, location) : xr_strdup(location);
    enum xr_status status = resolve(out, engine, backend, path, err);

    if (status == XR_OK && root != NULL && !inside(*out, root)) {
        free(*out);
        *out = NULL;
        status = xr_fail(err, XR_REFUSED, "%s points outside the image %s", location, root);
    }
    free(path);
    return status;
}

/* What follows "word:", or NULL; one letter is a drive of Windows. */
static const char *after_word(const char *location)
{
    size_t len = strspn(location, "abcdefghijklmnopqrstuvwxyz0123456789");

    return len > 1 && location[len] == ':' && location[len + 1] != '\0' ? location + len + 1 : NULL;
}

/* Like absolute, but says how an address that leads nowhere was probably meant. */
static enum xr_status find_path(char **out, struct xr_engine *engine,
                                const struct xr_loaded *backend, const char *location,
                                struct xr_error *err)
{
    const char *rest = after_word(location); /* nss:sql:DIR, as certutil wants it */
    bool tilde = location[0] == '~' && (location[1] == '/' || location[1] == '\0');
    enum xr_status status = absolute(out, engine, backend, location, err);
    char *meant = NULL;

    if ((!tilde && rest == NULL) || (status == XR_OK && xr_sys_exists(*out)))
        return status;
    if (tilde) {
        status =
            xr_fail(err, XR_ABSENT, "shells do not expand ~ after a colon: write %s:\"$HOME\"%s",
                    backend->table.name, location + 1);
    } else if (absolute(&meant, engine, backend, rest, NULL) == XR_OK && xr_sys_exists(meant)) {
        status = xr_fail(err, XR_ABSENT, "there is no such path; the address is %s:%s",
                         backend->table.name, rest);
    }
    free(meant);
    if (status != XR_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- owners ---- */

/* Files of an image may be crafted to attack their reader, so they are never read as root. What is
 * in no home there, or in root's home, is read by an unprivileged user: if everybody may read it,
 * it can be listed and verified, but not changed. */
static bool by_nobody(const struct xr_engine *engine, const struct xr_loaded *backend)
{
    return engine->rq->site->root != NULL && is_root(engine) &&
           (backend->table.flags & XR_BACKEND_WORKER) != 0;
}

void xr_engine_owner(struct xr_owner *out, struct xr_engine *engine,
                     const struct xr_loaded *backend, const char *location)
{
    size_t at = SIZE_MAX;

    *out = (struct xr_owner){0};
    if (!in_homes(backend) || !is_root(engine))
        return;
    at = xr_users_of(&engine->users, location);
    if (at != SIZE_MAX && engine->users.items[at].uid != 0)
        xr_owner_set(out, &engine->users.items[at]);
    else if (by_nobody(engine, backend))
        xr_owner_nobody(out);
}

/* ---- runs ---- */

/* location is a path on the host; an address has the path inside the image. */
static char *address_of(const struct xr_engine *engine, const struct xr_loaded *backend,
                        const char *location)
{
    const char *root = engine->rq->site->root;
    bool within = root != NULL && has_paths(backend) && inside(location, root);
    const char *shown = location + (within ? strlen(root) : 0);

    return xr_format("%s:%s", backend->table.name, shown[0] != '\0' ? shown : "/");
}

static void push_run(struct xr_engine *engine, const struct xr_loaded *backend,
                     const char *location, const struct xr_found *found, bool named)
{
    char *address = address_of(engine, backend, location);
    struct xr_run *run = NULL;

    if (xr_runs_find(&engine->report->runs, address) != NULL) {
        free(address);
        return;
    }
    run = XR_PUSH(&engine->report->runs);
    run->address = address;
    run->location = xr_strdup(location);
    if (found != NULL && found->summary != NULL)
        run->summary = xr_strdup(found->summary);
    if (found != NULL && found->identity != NULL)
        (void)snprintf(run->caps.identity, sizeof(run->caps.identity), "%s", found->identity);
    run->backend = backend;
    run->named = named;
    run->only_named = found != NULL && XR_HAS(found, only_named) && found->only_named;
    run->part = XR_NONE;
    xr_engine_owner(&run->owner, engine, backend, location);
}

/* ---- discovery ---- */

struct discovering {
    struct xr_engine *engine;
    const struct xr_loaded *backend;
    unsigned scope;
    bool named, found, failed;
    struct xr_owner who;  /* whose home is searched, if it is another user's */
    size_t outside;       /* number of stores outside it, */
    char first[PATH_MAX]; /* and the first of them */
};

/* Is it a path below that user's home, written as core writes it? */
static bool below_home(const struct discovering *d, const char *location)
{
    const char *root = d->engine->rq->site->root ? d->engine->rq->site->root : "";
    const char *at = location + strlen(root);

    if (strlen(location) >= PATH_MAX || !inside(location, root) || !inside(at, d->who.home) ||
        strcmp(at, d->who.home) == 0)
        return false;
    for (at += strlen(d->who.home); *at == '/';) {
        size_t len = strcspn(++at, "/");

        if (len == 0 || (len == 1 && at[0] == '.') || (len == 2 && memcmp(at, "..", 2) == 0))
            return false;
        at += len;
    }
    return true;
}

static enum xr_status discovered(void *ctx, const struct xr_found *found)
{
    struct discovering *d = ctx;
    char *path = NULL;

    d->found = true;
    if (d->who.other) {
        /* The helper runs as that user, so its answers may be forged. It may name only stores in
         * that home: others would be opened as another user. */
        if (below_home(d, found->location))
            push_run(d->engine, d->backend, found->location, found, d->named);
        else if (d->outside++ == 0)
            (void)snprintf(d->first, sizeof(d->first), "%s", found->location);
        return XR_OK;
    }
    /* A home directory may be reached through links; a store's address has none. */
    if (has_paths(d->backend) &&
        resolve(&path, d->engine, d->backend, found->location, NULL) != XR_OK)
        path = NULL; /* more than its last component is missing; opening it will report that */
    push_run(d->engine, d->backend, path ? path : found->location, found, d->named);
    free(path);
    return XR_OK;
}

/* Searches one place: the caller's own site, or with d->who another user's home. */
static void look(struct discovering *d, const struct xr_site *site, unsigned scope)
{
    struct xr_engine *engine = d->engine;
    const char *name = d->backend->table.name;
    struct xr_error err = {0};
    struct xr_way way;
    enum xr_status status = XR_OK;

    xr_run_way(&way, &d->who, site, &engine->worker);
    d->outside = 0;
    if (scope != 0)
        status = xr_store_discover(d->backend, &way.site, scope, &way.worker, discovered, d, &err);
    if (d->outside > 0)
        xr_report_say(engine->report, XR_WARNING, name,
                      "left out %zu of the stores of %s, outside that user's home: %s%s",
                      d->outside, d->who.name, d->first, d->outside > 1 ? "…" : "");
    d->failed = d->failed || status != XR_OK;
    if (status != XR_OK) {
        if (d->who.other)
            xr_report_say(engine->report, XR_WARNING, name, "searching the home of %s failed: %s",
                          d->who.name, err.text);
        else
            xr_report_say(engine->report, XR_WARNING, name, "discovery failed: %s", err.text);
    }
    if (status != XR_OK || d->outside > 0)
        xr_report_raise(engine->report, XR_EXIT_PARTIAL);
}

/* Searches the home of one user, as that user if it is not the caller. */
static void look_at(struct discovering *d, size_t user)
{
    const struct xr_user *u = &d->engine->users.items[user];
    struct xr_site site = *d->engine->rq->site;

    if (site.root != NULL && u->uid == 0 && is_root(d->engine)) {
        if (!d->engine->told_root)
            xr_report_say(d->engine->report, XR_WARNING, NULL,
                          "the home of %s in the image, %s, is left out: crossroot does not open "
                          "it as root; run crossroot inside the image",
                          u->name, u->home);
        d->engine->told_root = true;
        return;
    }
    xr_owner_set(&d->who, u);
    d->who.other = u->uid != site.uid;
    if (site.root != NULL || site.home == NULL || strcmp(site.home, u->home) != 0) {
        site.home = d->who.home;
        site.config_home = d->who.config_home;
        site.data_home = d->who.data_home;
    }
    look(d, &site, XR_SCOPE_USER);
    xr_owner_free(&d->who);
}

/* Searches the caller's home as in its environment. For root that may be another user's home. */
static void look_at_own(struct discovering *d)
{
    struct xr_engine *engine = d->engine;
    char *home = NULL;
    size_t user = SIZE_MAX;

    if (is_root(engine) && engine->rq->site->home != NULL &&
        xr_users_resolve(&home, &engine->users, engine->rq->site->home, NULL) == XR_OK)
        user = xr_users_of(&engine->users, home);
    free(home);
    if (user != SIZE_MAX && engine->users.items[user].uid != 0)
        look_at(d, user);
    else
        look(d, engine->rq->site, XR_SCOPE_USER);
}

/* Reports a failure only once, but returns false every time. */
static bool read_users(struct xr_engine *engine)
{
    struct xr_error err = {0};

    if (engine->read_users)
        return !engine->no_users;
    engine->read_users = true;
    engine->no_users = xr_users_read(&engine->users, &err) != XR_OK;
    if (engine->no_users) {
        xr_report_say(engine->report, XR_WARNING, NULL, "%s", err.text);
        xr_report_raise(engine->report, XR_EXIT_PARTIAL);
    }
    for (size_t i = 0; i < engine->users.notes.count; i++)
        xr_report_say(engine->report, XR_WARNING, NULL, "%s", engine->users.notes.items[i]);
    return !engine->no_users;
}

static void tell_of_others(struct xr_engine *engine)
{
    if (!engine->told_others)
        xr_report_say(engine->report, XR_ERROR, NULL,
                      "the stores of other users are left out: only root may open them");
    engine->told_others = true;
    xr_report_raise(engine->report, XR_EXIT_PRIVILEGE);
}

static bool interrupted(const struct xr_engine *engine)
{
    return engine->rq->interrupted != NULL && engine->rq->interrupted(engine->rq->ctx);
}

/* Searches all homes, or in an image those of one user; only helpers of root can run as other
 * users. */
static void look_at_all(struct discovering *d, bool only, uint32_t uid)
{
    struct xr_engine *engine = d->engine;

    d->failed = !read_users(engine) || d->failed;
    for (size_t i = 0; i < engine->users.count && !interrupted(engine); i++) {
        uint32_t owner = engine->users.items[i].uid;

        if (only && owner != uid)
            continue;
        if (is_root(engine) || owner == engine->rq->site->uid)
            look_at(d, i);
        else
            tell_of_others(engine);
    }
}

static void look_at_invoker(struct discovering *d)
{
    struct xr_engine *engine = d->engine;
    struct xr_error err = {0};
    size_t user = SIZE_MAX;

    if (xr_users_find(&user, &engine->users, engine->rq->invoker, &err) == XR_OK)
        look_at(d, user);
    else if (!engine->told_others)
        xr_report_say(engine->report, XR_WARNING, NULL,
                      "the stores of the invoking user are left "
                      "out: %s",
                      err.text);
    engine->told_others = true;
}

static void look_in_homes(struct discovering *d)
{
    const struct xr_request *rq = d->engine->rq;
    bool all = (d->scope & XR_SCOPE_ALL_USERS) != 0;

    if (!all && (d->scope & XR_SCOPE_USER) == 0)
        return;
    if (rq->site->root != NULL) {
        look_at_all(d, !all, rq->has_invoker ? rq->invoker : (uint32_t)rq->site->uid);
    } else if (all && is_root(d->engine)) {
        look_at_all(d, false, 0);
    } else if (rq->has_invoker && is_root(d->engine)) {
        look_at_invoker(d);
    } else {
        look_at_own(d);
        if (all)
            tell_of_others(d->engine);
    }
}

static void discover_in(struct discovering *d, unsigned scope)
{
    const struct xr_request *rq = d->engine->rq;

    d->scope = scope;
    if (in_homes(d->backend)) {
        look(d, rq->site, scope & XR_SCOPE_SYSTEM);
        look_in_homes(d);
    } else {
        /* Under sudo, "this user" is the invoker and not the user of the environment. */
        look(d, rq->site, scope & ~(rq->has_invoker ? (unsigned)XR_SCOPE_USER : 0u));
    }
}

static void discover(struct xr_engine *engine, const struct xr_loaded *backend, bool named)
{
    const struct xr_request *rq = engine->rq;
    struct discovering d = {.engine = engine, .backend = backend, .named = named};
    unsigned further = named ? rq->reach & ~rq->scope : 0;

    discover_in(&d, rq->scope);
    if (further != 0) {
        /* What the scope has is what was meant; where there is more, it counts as if found. */
        d.named = !d.found;
        discover_in(&d, further);
    }
    if (in_homes(backend))
        xr_engine_tell_of_roots(engine, backend, rq->scope | further);
    if (named && !d.found && !d.failed) {
        xr_report_say(engine->report, XR_ERROR, backend->table.name,
                      "no such store was found; name one as %s:LOCATION", backend->table.name);
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    }
}

enum xr_status xr_engine_locate(struct xr_engine *engine, const char *address,
                                const struct xr_loaded **backend, char **location,
                                struct xr_error *err)
{
    const char *colon = strchr(address, ':');
    char *name = xr_memdup(address, colon == NULL ? strlen(address) : (size_t)(colon - address));
    enum xr_status status = XR_OK;

    *location = NULL;
    *backend = xr_registry_find(&engine->report->registry, name);
    if (*backend == NULL) {
        struct xr_buf known = {0};

        for (size_t i = 0; i < engine->report->registry.count; i++)
            xr_buf_fmt(&known, "%s%s", i ? ", " : "", engine->report->registry.items[i].table.name);
        status = xr_fail(err, XR_UNSUPPORTED, "unknown backend \"%s\"; known backends: %s", name,
                         known.data ? known.data : N_("none"));
        xr_buf_free(&known);
    } else if (colon != NULL && colon[1] == '\0') {
        status = xr_fail(err, XR_UNSUPPORTED, "%s has no location after its colon", address);
    } else if (colon != NULL && has_paths(*backend)) {
        status = find_path(location, engine, *backend, colon + 1, err);
    } else if (colon != NULL) {
        *location = xr_strdup(colon + 1);
    }
    free(name);
    return status;
}

bool xr_engine_add_run(struct xr_engine *engine, const char *address, bool named)
{
    const struct xr_loaded *backend = NULL;
    char *location = NULL;
    struct xr_error err = {0};
    enum xr_status status = xr_engine_locate(engine, address, &backend, &location, &err);

    if (status != XR_OK) {
        xr_report_say(engine->report, XR_ERROR, backend ? address : NULL, "%s", err.text);
        xr_report_raise(engine->report, status == XR_UNSUPPORTED ? XR_EXIT_USAGE
                                        : status == XR_DENIED && engine->rq->site->uid != 0
                                            ? XR_EXIT_PRIVILEGE
                                            : XR_EXIT_FAILED);
    } else if (location == NULL) {
        discover(engine, backend, named);
    } else {
        push_run(engine, backend, location, NULL, named);
    }
    free(location);
    return status == XR_OK;
}

bool xr_engine_drop_excluded(struct xr_engine *engine, size_t from)
{
    struct xr_report *report = engine->report;

    for (size_t i = 0; i < engine->rq->excluded.count; i++) {
        const struct xr_loaded *backend = NULL;
        char *location = NULL;
        struct xr_error err = {0};
        enum xr_status status =
            xr_engine_locate(engine, engine->rq->excluded.items[i], &backend, &location, &err);
        size_t kept = from;

        if (status == XR_UNSUPPORTED) {
            xr_report_say(report, XR_ERROR, NULL, "%s", err.text);
            xr_report_raise(report, XR_EXIT_USAGE);
            return false;
        }
        for (size_t k = from; k < report->runs.count; k++) {
            struct xr_run *run = &report->runs.items[k];

            if (status == XR_OK && run->backend == backend &&
                (location == NULL || strcmp(run->location, location) == 0)) {
                xr_run_free(run);
                engine->excluded++;
            } else {
                report->runs.items[kept++] = *run;
            }
        }
        report->runs.count = kept;
        free(location);
    }
    return true;
}

bool xr_engine_discover(struct xr_engine *engine)
{
    size_t from = engine->report->runs.count;

    for (size_t i = 0; i < engine->report->registry.count; i++)
        discover(engine, &engine->report->registry.items[i], false);
    if (!xr_engine_drop_excluded(engine, from))
        return false;
    xr_engine_leave_alone(engine, from);
    return true;
}

bool xr_engine_select(struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;

    for (size_t i = 0; i < rq->stores.count; i++) {
        if (!xr_engine_add_run(engine, rq->stores.items[i], true))
            return false;
    }
    if (rq->stores.count == 0 ? !xr_engine_discover(engine) : !xr_engine_drop_excluded(engine, 0))
        return false;
    if (engine->report->runs.count > 0 || rq->verb == XR_VERB_STORES)
        return true;
    xr_engine_say_none(engine);
    return false;
}

/* ---- stores that are known from records ---- */

/* Adds the addresses that one value of --store or --exclude-store means: as written, and as in
 * records. "nss:" means all stores of a backend. */
static bool add_meant(struct xr_strings *out, struct xr_engine *engine, const char *word)
{
    const struct xr_loaded *backend = NULL;
    char *location = NULL;
    char *address = NULL;
    struct xr_error err = {0};
    enum xr_status status = xr_engine_locate(engine, word, &backend, &location, &err);

    if (status == XR_UNSUPPORTED) {
        xr_report_say(engine->report, XR_ERROR, NULL, "%s", err.text);
        xr_report_raise(engine->report, XR_EXIT_USAGE);
        return false;
    }
    xr_strings_add(out, word); /* a store that no longer exists may be in a record */
    if (status == XR_OK)
        address = location != NULL ? address_of(engine, backend, location)
                                   : xr_format("%s:", backend->table.name);
    if (address != NULL)
        xr_strings_add(out, address);
    free(address);
    free(location);
    return true;
}

bool xr_chosen_read(struct xr_chosen *out, struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;
    bool good = true;

    out->all = rq->stores.count == 0;
    for (size_t i = 0; good && i < rq->stores.count; i++)
        good = add_meant(&out->in, engine, rq->stores.items[i]);
    for (size_t i = 0; good && i < rq->excluded.count; i++)
        good = add_meant(&out->out, engine, rq->excluded.items[i]);
    return good;
}

void xr_chosen_free(struct xr_chosen *chosen)
{
    xr_strings_free(&chosen->in);
    xr_strings_free(&chosen->out);
}

static bool meant(const struct xr_strings *addresses, const char *store)
{
    for (size_t i = 0; i < addresses->count; i++) {
        const char *address = addresses->items[i];
        size_t len = strlen(address);

        if (strcmp(address, store) == 0 ||
            (len > 0 && address[len - 1] == ':' && strncmp(address, store, len) == 0))
            return true;
    }
    return false;
}

bool xr_chosen_has(void *chosen, const char *store)
{
    const struct xr_chosen *c = chosen;

    return (c->all || meant(&c->in, store)) && !meant(&c->out, store);
}
