/* SPDX-License-Identifier: Apache-2.0 */
/* The helper's side of client.c. */
#include "forkserver.h"
#include "message.h"
#include "sys/sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define AT_ONCE ((size_t)64 << 10) /* of entries */

struct serving {
    int fd;
    bool server;
    struct xr_buf said; /* and not yet sent */
    struct xr_registry registry;
    struct xr_store store;
};

static enum xr_status send_entry(void *ctx, const struct xr_entry *entry)
{
    struct serving *s = ctx;
    struct xr_buf out = {0};
    bool ok = false;

    xr_put_number(&out, XR_SAID_ENTRY);
    xr_put_listed(&out, entry);
    ok = xr_talk_add(&s->said, &out) &&
         (s->said.len < AT_ONCE || xr_talk_send_all(s->fd, &s->said, -1));
    xr_buf_free(&out);
    return ok ? XR_OK : XR_FAILED;
}

/* Owned by the registry. NULL with err. */
static const struct xr_loaded *load_backend(struct serving *s, const char *plugin, const char *name,
                                            struct xr_error *err)
{
    const struct xr_loaded *backend = xr_registry_find(&s->registry, name);

    if (plugin != NULL && backend != NULL && backend->plugin != NULL &&
        strcmp(backend->plugin, plugin) == 0)
        return backend; /* by the server */
    if (plugin != NULL && xr_registry_plugin(&s->registry, plugin, err) != XR_OK)
        return NULL;
    backend = xr_registry_find(&s->registry, name);
    if (backend == NULL)
        (void)xr_fail(err, XR_ABSENT, "the helper has no such backend");
    return backend;
}

static enum xr_status serve_open(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    char *plugin = xr_get_text(in), *name = xr_get_text(in), *location = xr_get_text(in);
    struct xr_sent_site sent;
    struct xr_target target = {.size = sizeof(target), .site = &sent.site};
    const struct xr_loaded *backend = NULL;
    struct xr_subjects leaving = {0}, coming = {0};
    enum xr_mode mode = XR_READ;
    enum xr_status status = XR_OK;

    xr_get_site(&sent, in);
    mode = (enum xr_mode)xr_get_number(in, XR_PROBE);
    xr_get_subjects(in, &leaving);
    xr_get_subjects(in, &coming);
    target.leaving = leaving.items;
    target.leaving_count = leaving.count;
    target.coming = coming.items;
    target.coming_count = coming.count;
    if (in->failed || name == NULL || location == NULL || s->store.backend != NULL)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else if ((backend = load_backend(s, plugin, name, err)) == NULL)
        status = err->status;
    if (backend != NULL) {
        target.location = location;
        status = xr_store_open_here(&s->store, backend, &target, mode, err);
    }
    xr_subjects_free(&leaving);
    xr_subjects_free(&coming);
    free(plugin);
    free(name);
    free(location);
    xr_sent_site_free(&sent);
    return status;
}

static enum xr_status send_found(void *ctx, const struct xr_found *given)
{
    struct serving *s = ctx;
    struct xr_found found = {0};
    struct xr_buf out = {0};
    bool ok = false;

    memcpy(&found, given, given->size < sizeof(found) ? given->size : sizeof(found));
    xr_put_number(&out, XR_SAID_FOUND);
    xr_put_text(&out, found.location);
    xr_put_text(&out, found.identity);
    xr_put_text(&out, found.summary);
    xr_put_number(&out, found.only_named);
    ok = xr_talk_send(s->fd, &out, -1);
    xr_buf_free(&out);
    return ok ? XR_OK : XR_FAILED;
}

/* Without this check, a home that cannot be entered would look like one without stores. */
static enum xr_status enter_home(const struct xr_site *site, struct xr_error *err)
{
    char *path = xr_format("%s%s/.", site->root ? site->root : "", site->home ? site->home : "");
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    enum xr_status status = fd >= 0 ? XR_OK : xr_fail_errno(err, "cannot enter %s", path);

    if (fd >= 0)
        (void)close(fd);
    free(path);
    return status;
}

static enum xr_status serve_discover(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    char *plugin = xr_get_text(in), *name = xr_get_text(in);
    const struct xr_loaded *backend = NULL;
    struct xr_sent_site sent;
    unsigned scope = 0;
    enum xr_status status = XR_OK;

    xr_get_site(&sent, in);
    scope = (unsigned)xr_get_number(in, UINT32_MAX);
    if (in->failed || name == NULL)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else if ((backend = load_backend(s, plugin, name, err)) == NULL)
        status = err->status;
    else if ((backend->table.flags & XR_BACKEND_DISCOVER_APART) == 0)
        status = enter_home(&sent.site, err);
    if (status == XR_OK && backend != NULL)
        status = backend->table.discover(&xr_host, &sent.site, scope, send_found, s, err);
    free(plugin);
    free(name);
    xr_sent_site_free(&sent);
    return status;
}

/* libcrypto looks its algorithms up at their first use, which takes longer than the use itself. */
static void preload_digests(void)
{
    const struct xr_bytes nothing = {(const unsigned char *)"", 0};
    unsigned char sum[XR_SHA256_LEN];

    xr_host.sha256(sum, nothing);
    xr_host.sha1(sum, nothing);
    xr_host.md5(sum, nothing);
}

static enum xr_status serve_preload(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    char *plugin = xr_get_text(in), *name = xr_get_text(in);
    const struct xr_loaded *backend = NULL;
    struct xr_sent_site sent;
    enum xr_status status = XR_OK;

    xr_get_site(&sent, in);
    if (in->failed || name == NULL)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else if ((backend = load_backend(s, plugin, name, err)) == NULL)
        status = err->status;
    else if (backend->table.preload == NULL)
        status = xr_fail(err, XR_UNSUPPORTED, "this backend has nothing to preload");
    else
        backend->table.preload(&sent.site);
    preload_digests();
    s->server = status == XR_OK;
    free(plugin);
    free(name);
    xr_sent_site_free(&sent);
    return status;
}

static enum xr_status serve_swap(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    struct xr_state *expect = xr_get_state(in);
    struct xr_state *want = xr_get_state(in);
    enum xr_status status = XR_OK;

    if (in->failed)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else
        status = xr_store_swap(&s->store, expect, want, err);
    xr_state_free(expect);
    xr_state_free(want);
    return status;
}

/* Libraries that run out of memory may continue, but then their "no" (or "yes") means nothing. */
static bool near_the_limit(void)
{
    struct rlimit limit;
    struct rusage used;

    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           getrusage(RUSAGE_SELF, &used) == 0 && used.ru_maxrss > 0 &&
           (uint64_t)used.ru_maxrss * 1024 > limit.rlim_cur / 2;
}

static enum xr_status serve_probe(struct serving *s, struct xr_reader *in,
                                  struct xr_verdict *verdict, struct xr_error *err)
{
    struct xr_probe probe = {.size = sizeof(probe)};
    struct xr_bytes *chain = NULL;
    char *host = NULL;
    enum xr_status status = XR_OK;

    probe.count = (size_t)xr_get_number(in, 4096);
    chain = xr_new(probe.count, sizeof(*chain));
    for (size_t i = 0; i < probe.count; i++)
        chain[i] = xr_get_bytes(in);
    probe.chain = chain;
    probe.purpose = (uint32_t)xr_get_number(in, UINT32_MAX);
    host = xr_get_text(in);
    probe.host = host;
    probe.at = (int64_t)xr_get_number(in, UINT64_MAX);
    if (in->failed)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else
        status = xr_store_probe(&s->store, verdict, &probe, err);
    if (status == XR_OK && near_the_limit()) /* its next answers would mean nothing either: end this
                                              * helper */
        status = xr_fail(err, XR_LOST, "the verifier needed more memory than a helper may have");
    free(chain);
    free(host);
    return status;
}

/* For the next store of the same user. */
static enum xr_status serve_close(struct serving *s)
{
    xr_store_close(&s->store);
    return near_the_limit() ? XR_LOST : XR_OK;
}

static enum xr_status serve_unlock(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    struct xr_bytes password = xr_get_bytes(in);

    if (in->failed)
        return xr_fail(err, XR_INVALID, "malformed request");
    return xr_store_unlock(&s->store, password, err);
}

/* The caller ends a helper that takes too long; this does so even if the caller is stopped itself. */
static void limit_call(void)
{
    struct rlimit limit;
    struct rusage used;
    rlim_t most = 0;

    if (getrlimit(RLIMIT_CPU, &limit) != 0 || getrusage(RUSAGE_SELF, &used) != 0)
        return;
    most = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 2 + XR_WORKER_LIMIT_MS / 1000;
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max - 1;
    (void)setrlimit(RLIMIT_CPU, &limit);
}

/* Serves one request and sends its result. False if the peer is gone. */
static bool serve(struct serving *s, const struct xr_buf *request)
{
    struct xr_reader in = xr_talk_reader(request);
    uint64_t what = xr_get_number(&in, XR_CALL_LAST);
    struct xr_error err = {.size = sizeof(err)};
    struct xr_verdict verdict = {.size = sizeof(verdict)};
    struct xr_buf reply = {0};
    unsigned char content[XR_SHA256_LEN];
    enum xr_status status = XR_OK;
    bool ok = false, has_content = false;

    if (in.failed || (what != XR_CALL_OPEN && what != XR_CALL_DISCOVER && what != XR_CALL_PRELOAD &&
                      what != XR_CALL_CLOSE && s->store.session == NULL))
        status = xr_fail(&err, XR_INVALID, "malformed request");
    else if (what == XR_CALL_OPEN)
        status = serve_open(s, &in, &err);
    else if (what == XR_CALL_DISCOVER)
        status = serve_discover(s, &in, &err);
    else if (what == XR_CALL_PRELOAD)
        status = serve_preload(s, &in, &err);
    else if (what == XR_CALL_LIST)
        status = xr_store_list(&s->store, send_entry, s, &err);
    else if (what == XR_CALL_SWAP)
        status = serve_swap(s, &in, &err);
    else if (what == XR_CALL_FLUSH)
        status = xr_store_flush(&s->store, &err);
    else if (what == XR_CALL_UNLOCK)
        status = serve_unlock(s, &in, &err);
    else if (what == XR_CALL_CLOSE)
        status = serve_close(s);
    else if (what == XR_CALL_CONTENT)
        has_content = xr_store_content(&s->store, content);
    else
        status = serve_probe(s, &in, &verdict, &err);

    err.status = status;
    if (status != XR_OK && err.text[0] == '\0')
        (void)snprintf(err.text, sizeof(err.text), N_("the backend failed and gave no reason"));
    xr_put_number(&reply, XR_SAID_RESULT);
    xr_put_error(&reply, &err);
    if (what == XR_CALL_OPEN)
        xr_put_caps(&reply, &s->store.caps);
    else if (what == XR_CALL_CONTENT)
        xr_put_bytes(&reply, (struct xr_bytes){content, has_content ? sizeof(content) : 0});
    else if (what == XR_CALL_PROBE)
        xr_put_verdict(&reply, &verdict);
    else if (what == XR_CALL_PRELOAD)
        xr_put_number(&reply, (uint64_t)getpid());
    ok = xr_talk_add(&s->said, &reply) && xr_talk_send_all(s->fd, &s->said, -1);
    xr_buf_free(&reply);
    return ok;
}

int xr_worker_serve(int fd)
{
    struct serving s = {.fd = fd};
    struct xr_buf request = {0};

    xr_registry_init(&s.registry);
    for (limit_call(); s.fd >= 0 && xr_talk_receive(s.fd, &request, -1) && serve(&s, &request);
         limit_call()) {
        xr_talk_forget(&request);
        if (s.server) { /* every copy returns here with a socket of its own */
            s.server = false;
            s.fd = xr_forkserver_serve(s.fd);
        }
    }
    xr_talk_forget(&request);
    xr_buf_free(&request);
    xr_buf_free(&s.said);
    xr_store_close(&s.store);
    xr_registry_free(&s.registry);
    return 0;
}
