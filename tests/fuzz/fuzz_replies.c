/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile helper may send (client.h): each call ends, gives values in their ranges, and takes no
 * certificate for another. An input is the helper's messages, each with two bytes of length before it;
 * the last byte says whether a part of a message follows.
 */
#include "helpers/client.h"

#include "fuzz.h"
#include "helpers/message.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM ((size_t)100 << 10) /* fits a socket's buffer */
/* No process has this number, so that nobody is waited for or killed. */
#define NOBODY 0x7ffffffe

struct hostile {
    struct xr_buf says;
    int fd; /* keeps the helper's end open: the calls have somewhere to go */
};

/* The copy function of struct xr_worker_config: all that the helper will ever say is there at once. */
static int copy(void *copier, const struct xr_worker_config *config,
                const struct xr_loaded *backend, int fd)
{
    struct hostile *hostile = copier;
    struct xr_buf *says = &hostile->says;

    (void)config;
    (void)backend;
    hostile->fd = dup(fd);
    CHECK(hostile->fd >= 0);
    CHECK(says->len == 0 || send(fd, says->data, says->len, MSG_DONTWAIT) == (ssize_t)says->len);
    CHECK(shutdown(fd, SHUT_WR) == 0);
    return NOBODY;
}

/* Never called: the backend works in the helper. They say that it has these operations. */
static enum xr_status no_list(struct xr_session *session, xr_entry_fn emit, void *ctx,
                              struct xr_error *err)
{
    (void)session;
    (void)emit;
    (void)ctx;
    return xr_fail(err, XR_FAILED, "not in this process");
}

static enum xr_status no_flush(struct xr_session *session, struct xr_error *err)
{
    return no_list(session, NULL, NULL, err);
}

static enum xr_status no_probe(struct xr_session *session, struct xr_verdict *out,
                               const struct xr_probe *probe, struct xr_error *err)
{
    (void)out;
    (void)probe;
    return no_list(session, NULL, NULL, err);
}

static enum xr_status no_unlock(struct xr_session *session, struct xr_bytes password,
                                struct xr_error *err)
{
    (void)password;
    return no_list(session, NULL, NULL, err);
}

static void check_error(enum xr_status status, const struct xr_error *err)
{
    CHECK((unsigned)status < XR_STATUS_COUNT);
    CHECK_TEXT(err->text);
    CHECK_TEXT(err->domain);
    CHECK(status == XR_OK || err->status == status);
}

static void check_listing(struct xr_store *store)
{
    struct xr_snapshot snapshot = {0};
    struct xr_error err = {0};

    if (xr_store_list(store, xr_snapshot_take, &snapshot, &err) == XR_OK) {
        for (size_t i = 0; i < snapshot.count; i++) {
            const struct xr_state *state = snapshot.items[i];

            CHECK(state->count > 0 && xr_snapshot_find(&snapshot, &state->subject) == state);
            for (size_t k = 0; k < state->count; k++) {
                const struct xr_entry *entry = state->entries[k];
                unsigned char sum[XR_SHA256_LEN];

                CHECK(xr_subject_equal(&entry->subject, &state->subject) &&
                      (unsigned)entry->place < XR_PLACE_COUNT);
                if (entry->subject.type != XR_SUBJECT_CERT || entry->der.len == 0)
                    continue;
                xr_host.sha256(sum, entry->der);
                CHECK(memcmp(sum, entry->subject.id, sizeof(sum)) == 0);
            }
        }
    }
    xr_snapshot_free(&snapshot);
}

static void use(struct xr_store *store)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_bytes der = fuzz_bytes(&f->certs[FUZZ_ROOT]);
    struct xr_probe probe = {
        .size = sizeof(probe), .chain = &der, .count = 1, .purpose = XR_SERVER};
    struct xr_verdict verdict;
    struct xr_error err = {0};

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        CHECK(store->caps.places[place] <= XR_ENFORCED);
    CHECK_TEXT(store->caps.verifier);
    check_listing(store);
    check_error(xr_store_flush(store, &err), &err);
    err = (struct xr_error){0};
    check_error(xr_store_probe(store, &verdict, &probe, &err), &err);
    CHECK(verdict.answer <= XR_NO && verdict.path_len <= XR_PATH_MAX);
    err = (struct xr_error){0};
    check_error(xr_store_unlock(store, der, &err), &err);
    err = (struct xr_error){0};
    check_error(xr_store_swap(store, NULL, NULL, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xr_loaded backend = {.table = {.name = "hostile",
                                                       .flags = XR_BACKEND_WORKER,
                                                       .list = no_list,
                                                       .flush = no_flush,
                                                       .probe = no_probe,
                                                       .unlock = no_unlock}};
    static const struct xr_site site = {.size = sizeof(site)};
    struct hostile hostile = {.fd = -1};
    struct xr_worker_config config = {.remote = xr_helpers,
                                      .program = "/nonexistent",
                                      .limit_ms = 5000,
                                      .copy = copy,
                                      .copier = &hostile};
    struct xr_store store = {0};
    struct xr_error err = {0};
    struct xr_bytes rest = {data, size}, message = {0};

    while (fuzz_part(&message, &rest) && hostile.says.len + message.len < ROOM) {
        struct xr_buf payload = {0};

        xr_buf_add(&payload, message.data, message.len);
        CHECK(xr_talk_add(&hostile.says, &payload));
        xr_buf_free(&payload);
    }
    if (size > 0 && data[size - 1] == 0xfe && hostile.says.len > 3)
        hostile.says.len -= 3;
    if (xr_store_open(&store, &backend, XR_TARGET(&site, "/a"), XR_WRITE, &config, &err) == XR_OK)
        use(&store);
    else
        CHECK(err.text[0] != '\0' || err.status != XR_OK);
    xr_store_close(&store);
    if (hostile.fd >= 0)
        (void)close(hostile.fd);
    xr_buf_free(&hostile.says);
    return 0;
}

/* ---- what an honest helper says ---- */

static void say(struct xr_buf *out, struct xr_buf *message)
{
    fuzz_put_part(out, message->data, message->len);
    xr_buf_free(message);
}

static void say_result(struct xr_buf *out, enum xr_status status, struct xr_buf *more)
{
    struct xr_error err = {.size = sizeof(err), .status = status, .text = "a text"};
    struct xr_buf message = {0};

    xr_put_number(&message, XR_SAID_RESULT);
    xr_put_error(&message, &err);
    if (more != NULL) {
        xr_buf_add(&message, more->data, more->len);
        xr_buf_free(more);
    }
    say(out, &message);
}

static void say_entry(struct xr_buf *out, enum fuzz_cert which, enum xr_place place)
{
    struct xr_bytes der = fuzz_bytes(&fuzz_fixtures()->certs[which]);
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CERT},
                             .place = place,
                             .label = "a label",
                             .der = der,
                             .native = der,
                             .remark = "a remark"};
    struct xr_buf message = {0};

    xr_host.sha256(entry.subject.id, der);
    xr_put_number(&message, XR_SAID_ENTRY);
    xr_put_listed(&message, &entry);
    say(out, &message);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    for (int way = 0; way < 4; way++) {
        struct xr_caps caps = {
            .size = sizeof(caps), .writable = way % 2 == 0, .purposes = XR_SERVER};
        struct xr_verdict verdict = {.size = sizeof(verdict), .answer = XR_YES, .path_len = 2};
        struct xr_buf out = {0}, more = {0};

        (void)strcpy(caps.why_not, "a reason");
        verdict.also_count = 1;
        xr_put_caps(&more, &caps);
        say_result(&out, XR_OK, &more);
        say_entry(&out, FUZZ_ROOT, XR_ANCHOR);
        if (way > 0) {
            say_entry(&out, FUZZ_ROOT, XR_DISTRUST);
            say_entry(&out, FUZZ_CROSS, XR_INTERMEDIATE);
        }
        say_result(&out, XR_OK, NULL);
        say_result(&out, way == 2 ? XR_WARNED : XR_OK, NULL);
        xr_put_verdict(&more, &verdict);
        say_result(&out, XR_OK, &more);
        say_result(&out, way == 3 ? XR_DENIED : XR_OK, NULL);
        say_result(&out, XR_CONFLICT, NULL);
        fuzz_seed_buf(corpus, &out);
    }
}
