/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a helper may be asked (server.c, here with one backend, which keeps its store in memory): each call
 * gets one result, in a message of the right form, and a swap reaches the backend only as backend.h
 * promises it. An input is calls, each with two bytes of length before it.
 */
#include "certs/x509.h"
#include "fuzz.h"
#include "helpers/client.h"
#include "helpers/message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLS_MAX   12u
#define MESSAGE_LEN ((size_t)6 << 10) /* all answers fit a socket's buffer */

/* ---- the backend ---- */

struct xr_session {
    bool write;
    struct xr_state *state;
};

static enum xr_status memory_discover(const struct xr_host *lent, const struct xr_site *site,
                                      unsigned scope, xr_found_fn emit, void *ctx,
                                      struct xr_error *err)
{
    struct xr_found found = {.size = sizeof(found), .location = "/a", .summary = "a store"};

    (void)lent;
    (void)site;
    (void)scope;
    (void)err;
    return emit(ctx, &found);
}

static enum xr_status memory_open(struct xr_session **out, struct xr_caps *caps,
                                  const struct xr_host *lent, const struct xr_target *target,
                                  enum xr_mode mode, struct xr_error *err)
{
    CHECK(lent == &xr_host && target->location != NULL && mode <= XR_PROBE);
    CHECK(target->leaving_count == 0 || target->leaving != NULL);
    if (strcmp(target->location, "refused") == 0)
        return xr_fail(err, XR_REFUSED, "refused");
    *out = xr_new(1, sizeof(**out));
    (*out)->write = mode == XR_WRITE;
    caps->writable = mode == XR_WRITE;
    return XR_OK;
}

static void memory_close(struct xr_session *session)
{
    xr_state_free(session->state);
    free(session);
}

static enum xr_status memory_list(struct xr_session *session, xr_entry_fn emit, void *ctx,
                                  struct xr_error *err)
{
    (void)err;
    for (size_t i = 0; session->state != NULL && i < session->state->count; i++) {
        enum xr_status status = emit(ctx, session->state->entries[i]);

        if (status != XR_OK)
            return status;
    }
    return XR_OK;
}

static enum xr_status memory_swap(struct xr_session *session, const struct xr_state *expect,
                                  const struct xr_state *want, struct xr_error *err)
{
    CHECK(session->write && (expect != NULL || want != NULL));
    CHECK(expect == NULL ||
          (expect->count > 0 && xr_state_check(expect, &expect->subject, NULL) == XR_OK));
    CHECK(want == NULL || (want->count > 0 && xr_state_check(want, &want->subject, NULL) == XR_OK));
    if (!xr_state_equal(session->state, expect))
        return xr_fail(err, XR_CONFLICT, "the store holds something else");
    xr_state_free(session->state);
    session->state = xr_state_copy(want);
    return XR_OK;
}

static enum xr_status memory_flush(struct xr_session *session, struct xr_error *err)
{
    return session->write ? XR_OK : xr_fail(err, XR_DENIED, "for reading");
}

static enum xr_status memory_probe(struct xr_session *session, struct xr_verdict *out,
                                   const struct xr_probe *probe, struct xr_error *err)
{
    (void)session;
    (void)err;
    out->answer = probe->count > 0 && probe->chain[0].len > 0 ? XR_YES : XR_UNKNOWN;
    (void)snprintf(out->why, sizeof(out->why), "%s", probe->host != NULL ? probe->host : "");
    return XR_OK;
}

static enum xr_status memory_unlock(struct xr_session *session, struct xr_bytes password,
                                    struct xr_error *err)
{
    (void)session;
    return password.len == 6 && memcmp(password.data, FUZZ_PASSWORD, 6) == 0
               ? XR_OK
               : xr_fail(err, XR_DENIED, "a wrong password");
}

static struct xr_loaded memory = {.table = {.abi = XR_ABI_VERSION,
                                            .size = sizeof(struct xr_backend),
                                            .name = "memory",
                                            .summary = "in memory",
                                            .discover = memory_discover,
                                            .open = memory_open,
                                            .close = memory_close,
                                            .list = memory_list,
                                            .swap = memory_swap,
                                            .flush = memory_flush,
                                            .probe = memory_probe,
                                            .unlock = memory_unlock}};

/* ---- in place of core/stores/registry.c: no input reaches a store of this machine ---- */

const struct xr_host xr_host = {.size = sizeof(struct xr_host),
                                .sha256 = xr_x509_sha256,
                                .sha1 = xr_x509_sha1,
                                .md5 = xr_x509_md5};

void xr_registry_init(struct xr_registry *registry)
{
    *registry = (struct xr_registry){0};
}

enum xr_status xr_registry_plugin(struct xr_registry *registry, const char *path,
                                  struct xr_error *err)
{
    (void)registry;
    return xr_fail(err, XR_REFUSED, "no plugin %.20s here", path);
}

const struct xr_loaded *xr_registry_find(const struct xr_registry *registry, const char *name)
{
    (void)registry;
    return strcmp(name, memory.table.name) == 0 ? &memory : NULL;
}

void xr_registry_free(struct xr_registry *registry)
{
    (void)registry;
}

/* ---- the caller ---- */

/* How many results are among the helper's messages, of which each must be whole. */
static size_t results(int fd)
{
    struct xr_buf reply = {0};
    size_t count = 0;

    while (xr_talk_receive(fd, &reply, xr_talk_now() + 1000)) {
        struct xr_reader in = xr_talk_reader(&reply);
        uint64_t kind = xr_get_number(&in, XR_SAID_FOUND);
        struct xr_error err;

        CHECK(!in.failed);
        if (kind == XR_SAID_ENTRY) {
            (void)xr_get_listed(&in, NULL, NULL);
            CHECK(in.rest.len == 0);
        } else if (kind == XR_SAID_RESULT) {
            xr_get_error(&in, &err);
            CHECK(err.status == XR_OK || err.text[0] != '\0');
            count++;
        }
        CHECK(!in.failed);
    }
    xr_buf_free(&reply);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_bytes rest = {data, size}, call = {0};
    struct xr_buf calls = {0};
    size_t count = 0;
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    while (count < CALLS_MAX && fuzz_part(&call, &rest)) {
        struct xr_buf payload = {0};

        xr_buf_add(&payload, call.data, call.len < MESSAGE_LEN ? call.len : MESSAGE_LEN);
        CHECK(xr_talk_add(&calls, &payload));
        xr_buf_free(&payload);
        if (call.len == 0) /* ends the helper */
            break;
        count++;
    }
    CHECK(calls.len == 0 ||
          send(pair[0], calls.data, calls.len, MSG_DONTWAIT) == (ssize_t)calls.len);
    xr_buf_free(&calls);
    CHECK(shutdown(pair[0], SHUT_WR) == 0);
    CHECK(xr_worker_serve(pair[1]) == 0);
    (void)close(pair[1]);
    CHECK(results(pair[0]) == count);
    (void)close(pair[0]);
    return 0;
}

/* ---- an honest core's calls ---- */

static void ask(struct xr_buf *out, struct xr_buf *call)
{
    fuzz_put_part(out, call->data, call->len);
    xr_buf_free(call);
}

static void ask_open(struct xr_buf *out, enum xr_mode mode, const char *plugin)
{
    struct xr_site site = {.size = sizeof(site), .home = "/nonexistent"};
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};
    struct xr_buf call = {0};

    xr_put_number(&call, XR_CALL_OPEN);
    xr_put_text(&call, plugin);
    xr_put_text(&call, "memory");
    xr_put_text(&call, "/a");
    xr_put_site(&call, &site);
    xr_put_number(&call, mode);
    xr_put_subjects(&call, &subject, 1);
    xr_put_subjects(&call, &subject, 0);
    ask(out, &call);
}

static void ask_swap(struct xr_buf *out, const struct xr_state *expect, const struct xr_state *want)
{
    struct xr_buf call = {0};

    xr_put_number(&call, XR_CALL_SWAP);
    xr_put_state(&call, expect);
    xr_put_state(&call, want);
    ask(out, &call);
}

static void ask_plain(struct xr_buf *out, enum xr_call what)
{
    struct xr_buf call = {0};

    xr_put_number(&call, what);
    ask(out, &call);
}

static void ask_rest(struct xr_buf *out, struct xr_bytes der)
{
    struct xr_buf call = {0};

    ask_plain(out, XR_CALL_LIST);
    ask_plain(out, XR_CALL_FLUSH);
    xr_put_number(&call, XR_CALL_PROBE);
    xr_put_number(&call, 1);
    xr_put_bytes(&call, der);
    xr_put_number(&call, XR_SERVER);
    xr_put_text(&call, "localhost");
    xr_put_number(&call, (uint64_t)FUZZ_NOW);
    ask(out, &call);
    xr_put_number(&call, XR_CALL_UNLOCK);
    xr_put_bytes(&call, (struct xr_bytes){(const unsigned char *)FUZZ_PASSWORD, 6});
    ask(out, &call);
}

static void ask_homes(struct xr_buf *out, enum xr_call what)
{
    struct xr_site site = {.size = sizeof(site), .home = "/"};
    struct xr_buf call = {0};

    xr_put_number(&call, what);
    xr_put_text(&call, NULL);
    xr_put_text(&call, "memory");
    xr_put_site(&call, &site);
    if (what == XR_CALL_DISCOVER)
        xr_put_number(&call, XR_SCOPE_USER);
    ask(out, &call);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    struct xr_bytes der = fuzz_bytes(&fuzz_fixtures()->certs[FUZZ_ROOT]);
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CERT},
                             .place = XR_ANCHOR,
                             .purposes = XR_SERVER,
                             .der = der};
    struct xr_state *state = NULL;
    struct xr_buf out = {0};

    xr_x509_sha256(entry.subject.id, der);
    state = xr_state_new(&entry.subject);
    xr_state_add(state, &entry);
    ask_open(&out, XR_WRITE, NULL);
    ask_swap(&out, NULL, state);
    ask_rest(&out, der);
    ask_swap(&out, state, NULL);
    ask_plain(&out, XR_CALL_LIST);
    fuzz_seed_buf(corpus, &out);
    ask_open(&out, XR_READ, NULL);
    ask_swap(&out, NULL, state);
    ask_rest(&out, der);
    fuzz_seed_buf(corpus, &out);
    ask_homes(&out, XR_CALL_DISCOVER);
    ask_homes(&out, XR_CALL_PRELOAD);
    ask_open(&out, XR_PROBE, "/nonexistent.so");
    fuzz_seed_buf(corpus, &out);
    xr_state_free(state);
}
