/* SPDX-License-Identifier: Apache-2.0 */
/* What records and messages are made of (wire.h, message.h): what was read and is written gives bytes that
 * read as the same again. The first byte of an input says which struct the rest is. */
#include "helpers/message.h"

#include "fuzz.h"

#include <stdlib.h>

enum { A_SUBJECT, SUBJECTS, ENTRY, LISTED, STATE, AN_ERROR, VERDICT, CAPS, SITE, KINDS };

static enum xr_status put_entry(void *ctx, const struct xr_entry *entry)
{
    CHECK((unsigned)entry->place < XR_PLACE_COUNT && entry->subject.type <= XR_SUBJECT_CRL);
    xr_put_entry(ctx, entry);
    return XR_OK;
}

static enum xr_status put_listed(void *ctx, const struct xr_entry *entry)
{
    xr_put_listed(ctx, entry);
    return XR_OK;
}

static void again_subjects(struct xr_buf *out, struct xr_reader *in)
{
    struct xr_subjects subjects = {0};

    xr_get_subjects(in, &subjects);
    xr_put_subjects(out, subjects.items, subjects.count);
    xr_subjects_free(&subjects);
}

static void again_state(struct xr_buf *out, struct xr_reader *in)
{
    struct xr_state *state = xr_get_state(in), *copy = xr_state_copy(state);

    xr_put_state(out, state);
    CHECK(!in->failed || state == NULL);
    CHECK(xr_state_equal(state, copy) && xr_state_same(state, copy));
    CHECK(!xr_state_widens(state, copy) && xr_state_between(state, copy, NULL));
    if (state != NULL)
        (void)xr_state_check(state, &state->subject, NULL);
    xr_state_free(copy);
    xr_state_free(state);
}

static void again_error(struct xr_buf *out, struct xr_reader *in)
{
    struct xr_error err;

    xr_get_error(in, &err);
    CHECK((unsigned)err.status < XR_STATUS_COUNT);
    CHECK_TEXT(err.text);
    CHECK_TEXT(err.domain);
    xr_put_error(out, &err);
}

static void again_verdict(struct xr_buf *out, struct xr_reader *in)
{
    struct xr_verdict verdict;

    xr_get_verdict(in, &verdict);
    CHECK(verdict.answer <= XR_NO && verdict.path_len <= XR_PATH_MAX &&
          verdict.also_count <= XR_OPINIONS_MAX);
    CHECK_TEXT(verdict.by);
    CHECK_TEXT(verdict.why);
    xr_put_verdict(out, &verdict);
}

static void again_caps(struct xr_buf *out, struct xr_reader *in)
{
    struct xr_caps caps;

    xr_get_caps(in, &caps);
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        CHECK(caps.places[place] <= XR_ENFORCED);
        CHECK_TEXT(caps.why_cannot[place]);
    }
    CHECK_TEXT(caps.summary);
    CHECK_TEXT(caps.missing);
    xr_put_caps(out, &caps);
}

static void again_site(struct xr_buf *out, struct xr_reader *in)
{
    struct xr_sent_site sent;

    xr_get_site(&sent, in);
    xr_put_site(out, &sent.site);
    xr_sent_site_free(&sent);
}

/* Reads one and writes it; false: it is none. *rest is what follows it. */
static bool again(struct xr_buf *out, struct xr_bytes *rest, unsigned kind)
{
    struct xr_reader in = {*rest, false};
    struct xr_subject subject;

    switch (kind) {
    case A_SUBJECT:
        xr_get_subject(&in, &subject);
        xr_put_subject(out, &subject);
        break;
    case SUBJECTS:
        again_subjects(out, &in);
        break;
    case ENTRY:
        (void)xr_get_entry(&in, put_entry, out);
        break;
    case LISTED:
        (void)xr_get_listed(&in, put_listed, out);
        break;
    case STATE:
        again_state(out, &in);
        break;
    case AN_ERROR:
        again_error(out, &in);
        break;
    case VERDICT:
        again_verdict(out, &in);
        break;
    case CAPS:
        again_caps(out, &in);
        break;
    default:
        again_site(out, &in);
    }
    *rest = in.rest;
    return !in.failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_buf once = {0}, twice = {0};
    struct xr_bytes rest = {data + 1, size - 1};
    unsigned kind = 0;

    if (size < 1)
        return 0;
    kind = data[0] % KINDS;
    if (again(&once, &rest, kind)) {
        struct xr_bytes in = fuzz_buf_bytes(&once);

        CHECK(again(&twice, &in, kind) && in.len == 0);
        CHECK(xr_bytes_equal(fuzz_buf_bytes(&once), fuzz_buf_bytes(&twice)));
    }
    xr_buf_free(&once);
    xr_buf_free(&twice);
    return 0;
}

static void seed(struct fuzz_corpus *corpus, int kind, struct xr_buf *body)
{
    struct xr_buf out = {0};
    unsigned char head = (unsigned char)kind;

    xr_buf_add(&out, &head, 1);
    xr_buf_add(&out, body->data, body->len);
    fuzz_seed_buf(corpus, &out);
    xr_buf_free(body);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const unsigned char bytes[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    struct xr_bytes some = {bytes, sizeof(bytes)};
    struct xr_attached attached = {sizeof(attached), some, some};
    struct xr_subject subject = {.type = XR_SUBJECT_CERT, .id = {1, 2, 3}};
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = subject,
                             .place = XR_DISTRUST,
                             .purposes = XR_SERVER | XR_EMAIL,
                             .label = "a label",
                             .der = some,
                             .attached = &attached,
                             .attached_count = 1,
                             .native = some,
                             .remark = "a remark",
                             .about = some,
                             .returns = "returns"};
    struct xr_state *state = xr_state_new(&subject);
    struct xr_error err = {sizeof(err), XR_BUSY, "errno", 11, "a text"};
    struct xr_verdict verdict = {.size = sizeof(verdict), .answer = XR_YES, .path_len = 2};
    struct xr_caps caps = {.size = sizeof(caps), .writable = true, .identity = "1:2"};
    struct xr_site site = {.size = sizeof(site), .root = "/image", .home = "/home/a"};
    struct xr_buf body = {0};

    xr_state_add(state, &entry);
    entry.place = XR_ANCHOR;
    xr_state_add(state, &entry);
    verdict.also_count = 1;
    (void)strcpy(verdict.also[0].by, "a browser");
    (void)strcpy(caps.verifier, "a verifier");
    xr_put_subject(&body, &subject);
    seed(corpus, A_SUBJECT, &body);
    xr_put_subjects(&body, &subject, 1);
    seed(corpus, SUBJECTS, &body);
    xr_put_entry(&body, &entry);
    seed(corpus, ENTRY, &body);
    xr_put_listed(&body, &entry);
    seed(corpus, LISTED, &body);
    xr_put_state(&body, state);
    seed(corpus, STATE, &body);
    xr_put_error(&body, &err);
    seed(corpus, AN_ERROR, &body);
    xr_put_verdict(&body, &verdict);
    seed(corpus, VERDICT, &body);
    xr_put_caps(&body, &caps);
    seed(corpus, CAPS, &body);
    xr_put_site(&body, &site);
    seed(corpus, SITE, &body);
    xr_state_free(state);
}
