/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <stdlib.h>

#define NO_TEXT     UINT64_MAX
#define ENTRIES_MAX (1u << 20) /* of one subject in one store; bounds a loop, not memory */

void xr_put_number(struct xr_buf *out, uint64_t value)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    xr_buf_add(out, bytes, sizeof(bytes));
}

void xr_put_bytes(struct xr_buf *out, struct xr_bytes bytes)
{
    xr_put_number(out, bytes.len);
    xr_buf_add(out, bytes.data, bytes.len);
}

void xr_put_text(struct xr_buf *out, const char *text)
{
    if (text == NULL)
        xr_put_number(out, NO_TEXT);
    else
        xr_put_bytes(out, (struct xr_bytes){(const unsigned char *)text, strlen(text)});
}

void xr_put_subject(struct xr_buf *out, const struct xr_subject *subject)
{
    xr_put_number(out, (uint64_t)subject->type);
    xr_buf_add(out, subject->id, sizeof(subject->id));
}

void xr_put_subjects(struct xr_buf *out, const struct xr_subject *items, size_t count)
{
    xr_put_number(out, count);
    for (size_t i = 0; i < count; i++)
        xr_put_subject(out, &items[i]);
}

void xr_put_entry(struct xr_buf *out, const struct xr_entry *given)
{
    struct xr_entry known = {0};
    const struct xr_entry *entry = &known;

    memcpy(&known, given, given->size < sizeof(known) ? given->size : sizeof(known));
    xr_put_subject(out, &entry->subject);
    xr_put_number(out, (uint64_t)entry->place);
    xr_put_number(out, entry->purposes);
    xr_put_number(out, entry->flags);
    xr_put_text(out, entry->label);
    xr_put_bytes(out, entry->der);
    xr_put_bytes(out, entry->issuer);
    xr_put_bytes(out, entry->serial);
    xr_put_number(out, entry->attached_count);
    for (size_t i = 0; i < entry->attached_count; i++) {
        xr_put_bytes(out, xr_attached_at(entry, i)->oid);
        xr_put_bytes(out, xr_attached_at(entry, i)->value);
    }
    xr_put_bytes(out, entry->native);
}

void xr_put_listed(struct xr_buf *out, const struct xr_entry *given)
{
    struct xr_entry known = {0};

    memcpy(&known, given, given->size < sizeof(known) ? given->size : sizeof(known));
    xr_put_text(out, known.remark);
    xr_put_bytes(out, known.about);
    xr_put_text(out, known.returns);
    xr_put_entry(out, given);
}

void xr_put_state(struct xr_buf *out, const struct xr_state *state)
{
    xr_put_number(out, state != NULL);
    if (state == NULL)
        return;
    xr_put_subject(out, &state->subject);
    xr_put_number(out, state->count);
    for (size_t i = 0; i < state->count; i++)
        xr_put_entry(out, state->entries[i]);
}

void xr_put_error(struct xr_buf *out, const struct xr_error *err)
{
    xr_put_number(out, (uint64_t)err->status);
    xr_put_text(out, err->domain);
    xr_put_number(out, (uint64_t)err->code);
    xr_put_text(out, err->text);
}

void xr_put_verdict(struct xr_buf *out, const struct xr_verdict *verdict)
{
    xr_put_number(out, (uint64_t)verdict->answer);
    xr_put_text(out, verdict->by);
    xr_put_text(out, verdict->why);
    xr_put_number(out, verdict->path_len);
    xr_buf_add(out, verdict->path, verdict->path_len * XR_SHA256_LEN);
    xr_put_number(out, verdict->also_count);
    for (size_t i = 0; i < verdict->also_count; i++) {
        xr_put_number(out, (uint64_t)verdict->also[i].answer);
        xr_put_text(out, verdict->also[i].by);
        xr_put_text(out, verdict->also[i].why);
    }
}

void xr_put_caps(struct xr_buf *out, const struct xr_caps *caps)
{
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        xr_put_number(out, (uint64_t)caps->places[place]);
    xr_put_number(out, caps->purposes);
    xr_put_number(out, caps->subjects);
    xr_put_number(out, caps->writable);
    xr_put_number(out, caps->atomic);
    xr_put_number(out, caps->needs_privilege);
    xr_put_text(out, caps->verifier);
    xr_put_text(out, caps->why_not);
    xr_put_text(out, caps->identity);
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        xr_put_text(out, caps->why_cannot[place]);
    xr_put_number(out, caps->distrust_by_key);
    xr_put_text(out, caps->summary);
    xr_put_number(out, caps->locked);
    for (unsigned notice = 0; notice < XR_NOTICE_COUNT; notice++)
        xr_put_text(out, caps->notice[notice]);
    xr_put_number(out, caps->attaches);
    xr_put_number(out, caps->refused);
    xr_put_text(out, caps->would_trust);
    xr_buf_add(out, (const char *)caps->would_trust_id, sizeof(caps->would_trust_id));
    xr_put_text(out, caps->left_out);
    xr_put_number(out, caps->unfinished);
    xr_put_text(out, caps->missing);
    xr_put_number(out, caps->one_per_serial);
    xr_put_number(out, (uint64_t)caps->limited);
    xr_put_text(out, caps->why_not_limited);
    xr_put_text(out, caps->serves);
    xr_put_number(out, caps->serves_everybody);
    xr_put_number(out, caps->shares_readers);
    xr_put_text(out, caps->vendors);
}

void xr_get_fixed(struct xr_reader *in, void *out, size_t len)
{
    if (in->failed || in->rest.len < len) {
        in->failed = true;
        memset(out, 0, len);
        return;
    }
    memcpy(out, in->rest.data, len);
    in->rest.data += len;
    in->rest.len -= len;
}

uint64_t xr_get_number(struct xr_reader *in, uint64_t max)
{
    unsigned char bytes[8];
    uint64_t value = 0;

    xr_get_fixed(in, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    if (value > max) {
        in->failed = true;
        return 0;
    }
    return value;
}

static struct xr_bytes take(struct xr_reader *in, uint64_t len)
{
    struct xr_bytes bytes = {0};

    if (in->failed || len > in->rest.len) {
        in->failed = true;
        return bytes;
    }
    bytes = (struct xr_bytes){in->rest.data, (size_t)len};
    in->rest.data += len;
    in->rest.len -= (size_t)len;
    return bytes;
}

struct xr_bytes xr_get_bytes(struct xr_reader *in)
{
    return take(in, xr_get_number(in, SIZE_MAX));
}

char *xr_get_text(struct xr_reader *in)
{
    uint64_t len = xr_get_number(in, UINT64_MAX);
    struct xr_bytes bytes = {0};

    if (in->failed || len == NO_TEXT)
        return NULL;
    bytes = take(in, len);
    if (in->failed)
        return NULL;
    if (memchr(bytes.data, '\0', bytes.len) != NULL) {
        in->failed = true;
        return NULL;
    }
    return xr_memdup(bytes.data, bytes.len);
}

/* Reads into a field of fixed size; cuts a longer text. */
static void get_field(struct xr_reader *in, char *out, size_t size)
{
    char *text = xr_get_text(in);

    (void)snprintf(out, size, "%s", text ? text : "");
    free(text);
}

void xr_get_subject(struct xr_reader *in, struct xr_subject *subject)
{
    subject->type = (enum xr_subject_type)xr_get_number(in, XR_SUBJECT_CRL);
    xr_get_fixed(in, subject->id, sizeof(subject->id));
}

void xr_get_subjects(struct xr_reader *in, struct xr_subjects *out)
{
    uint64_t count = xr_get_number(in, UINT64_MAX);

    while (!in->failed && out->count < count)
        xr_get_subject(in, XR_PUSH(out));
}

/* told: remark, about and returns, which come before the entry. */
static enum xr_status get_entry(struct xr_reader *in, bool told, xr_entry_fn emit, void *ctx)
{
    struct xr_entry entry = {.size = sizeof(entry)};
    char *remark = told ? xr_get_text(in) : NULL;
    struct xr_attached *attached = NULL;
    char *label = NULL, *returns = NULL;
    enum xr_status status = XR_INVALID;

    entry.remark = remark;
    if (told) {
        entry.about = xr_get_bytes(in);
        entry.returns = returns = xr_get_text(in);
    }
    xr_get_subject(in, &entry.subject);
    entry.place = (enum xr_place)xr_get_number(in, XR_PLACE_COUNT - 1);
    entry.purposes = (uint32_t)xr_get_number(in, UINT32_MAX);
    entry.flags = (uint32_t)xr_get_number(in, UINT32_MAX);
    label = xr_get_text(in);
    entry.label = label;
    entry.der = xr_get_bytes(in);
    entry.issuer = xr_get_bytes(in);
    entry.serial = xr_get_bytes(in);
    entry.attached_count = (size_t)xr_get_number(in, ENTRIES_MAX);
    if (entry.attached_count > in->rest.len)
        in->failed = true;
    if (in->failed)
        entry.attached_count = 0;
    attached = xr_new(entry.attached_count, sizeof(*attached));
    for (size_t i = 0; i < entry.attached_count; i++) {
        attached[i].size = sizeof(*attached);
        attached[i].oid = xr_get_bytes(in);
        attached[i].value = xr_get_bytes(in);
    }
    entry.attached = attached;
    entry.native = xr_get_bytes(in);
    if (!in->failed)
        status = emit != NULL ? emit(ctx, &entry) : XR_OK;
    free(attached);
    free(label);
    free(remark);
    free(returns);
    return status;
}

enum xr_status xr_get_entry(struct xr_reader *in, xr_entry_fn emit, void *ctx)
{
    return get_entry(in, false, emit, ctx);
}

enum xr_status xr_get_listed(struct xr_reader *in, xr_entry_fn emit, void *ctx)
{
    return get_entry(in, true, emit, ctx);
}

static enum xr_status add_to_state(void *ctx, const struct xr_entry *entry)
{
    xr_state_add(ctx, entry);
    return XR_OK;
}

struct xr_state *xr_get_state(struct xr_reader *in)
{
    struct xr_subject subject;
    struct xr_state *state = NULL;
    uint64_t count = 0;

    if (xr_get_number(in, 1) == 0)
        return NULL;
    xr_get_subject(in, &subject);
    count = xr_get_number(in, ENTRIES_MAX);
    state = xr_state_new(&subject);
    for (uint64_t i = 0; i < count && !in->failed; i++)
        (void)xr_get_entry(in, add_to_state, state);
    if (in->failed) {
        xr_state_free(state);
        state = NULL;
    }
    return state;
}

void xr_get_error(struct xr_reader *in, struct xr_error *err)
{
    *err = (struct xr_error){.size = sizeof(*err)};
    err->status = (enum xr_status)xr_get_number(in, XR_STATUS_COUNT - 1);
    get_field(in, err->domain, sizeof(err->domain));
    err->code = (long)xr_get_number(in, UINT64_MAX);
    get_field(in, err->text, sizeof(err->text));
}

void xr_get_verdict(struct xr_reader *in, struct xr_verdict *verdict)
{
    *verdict = (struct xr_verdict){.size = sizeof(*verdict)};
    verdict->answer = (enum xr_answer)xr_get_number(in, XR_NO);
    get_field(in, verdict->by, sizeof(verdict->by));
    get_field(in, verdict->why, sizeof(verdict->why));
    verdict->path_len = (size_t)xr_get_number(in, XR_PATH_MAX);
    xr_get_fixed(in, verdict->path, verdict->path_len * XR_SHA256_LEN);
    verdict->also_count = (size_t)xr_get_number(in, XR_OPINIONS_MAX);
    for (size_t i = 0; i < verdict->also_count; i++) {
        verdict->also[i].size = sizeof(verdict->also[i]);
        verdict->also[i].answer = (enum xr_answer)xr_get_number(in, XR_NO);
        get_field(in, verdict->also[i].by, sizeof(verdict->also[i].by));
        get_field(in, verdict->also[i].why, sizeof(verdict->also[i].why));
    }
}

void xr_get_caps(struct xr_reader *in, struct xr_caps *caps)
{
    *caps = (struct xr_caps){.size = sizeof(*caps)};
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        caps->places[place] = (enum xr_strength)xr_get_number(in, XR_ENFORCED);
    caps->purposes = (uint32_t)xr_get_number(in, UINT32_MAX);
    caps->subjects = (uint32_t)xr_get_number(in, UINT32_MAX);
    caps->writable = xr_get_number(in, 1) != 0;
    caps->atomic = xr_get_number(in, 1) != 0;
    caps->needs_privilege = xr_get_number(in, 1) != 0;
    get_field(in, caps->verifier, sizeof(caps->verifier));
    get_field(in, caps->why_not, sizeof(caps->why_not));
    get_field(in, caps->identity, sizeof(caps->identity));
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        get_field(in, caps->why_cannot[place], sizeof(caps->why_cannot[place]));
    caps->distrust_by_key = xr_get_number(in, 1) != 0;
    get_field(in, caps->summary, sizeof(caps->summary));
    caps->locked = (uint32_t)xr_get_number(in, UINT32_MAX);
    for (unsigned notice = 0; notice < XR_NOTICE_COUNT; notice++)
        get_field(in, caps->notice[notice], sizeof(caps->notice[notice]));
    caps->attaches = xr_get_number(in, 1) != 0;
    caps->refused = xr_get_number(in, 1) != 0;
    get_field(in, caps->would_trust, sizeof(caps->would_trust));
    xr_get_fixed(in, caps->would_trust_id, sizeof(caps->would_trust_id));
    get_field(in, caps->left_out, sizeof(caps->left_out));
    caps->unfinished = xr_get_number(in, 1) != 0;
    get_field(in, caps->missing, sizeof(caps->missing));
    caps->one_per_serial = xr_get_number(in, 1) != 0;
    caps->limited = (enum xr_strength)xr_get_number(in, XR_ENFORCED);
    get_field(in, caps->why_not_limited, sizeof(caps->why_not_limited));
    get_field(in, caps->serves, sizeof(caps->serves));
    caps->serves_everybody = xr_get_number(in, 1) != 0;
    caps->shares_readers = xr_get_number(in, 1) != 0;
    get_field(in, caps->vendors, sizeof(caps->vendors));
}
