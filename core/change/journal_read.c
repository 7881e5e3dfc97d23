/* SPDX-License-Identifier: Apache-2.0 */
/* From a journal's file to transactions. */
#include "certs/x509.h"
#include "journal_file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_MAGIC   "XRJK"
#define CHANGES_MAX (1u << 20)

static void get_id(struct xr_reader *in, char id[XR_JOURNAL_ID_LEN + 1])
{
    xr_get_fixed(in, id, XR_JOURNAL_ID_LEN);
    id[XR_JOURNAL_ID_LEN] = '\0';
}

static bool read_begin(struct xr_journal *journal, const char *id, struct xr_reader *in)
{
    struct xr_transaction *t = NULL;
    char undoes[XR_JOURNAL_ID_LEN + 1];
    int64_t at = (int64_t)xr_get_number(in, UINT64_MAX);
    uint32_t flags = (uint32_t)xr_get_number(in, UINT32_MAX);
    char *command = xr_get_text(in);
    char *by = NULL;

    get_id(in, undoes);
    /* A record from before the user was recorded ends here. */
    if (!in->failed && in->rest.len > 0)
        by = xr_get_text(in);
    if (in->failed || command == NULL) {
        free(command);
        free(by);
        return false;
    }
    t = XR_PUSH(journal);
    t->flags = flags;
    (void)snprintf(t->id, sizeof(t->id), "%s", id);
    (void)snprintf(t->undoes, sizeof(t->undoes), "%s", undoes);
    t->at = at;
    t->command = command;
    t->by = by;
    return true;
}

static void part_clear(struct xr_part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        xr_state_free(part->items[i].before);
        xr_state_free(part->items[i].want);
    }
    free(part->items);
    free(part->store);
    free(part->name);
    free(part->identity);
    *part = (struct xr_part){0};
}

void xr_transaction_free(struct xr_transaction *t)
{
    for (size_t i = 0; i < t->count; i++)
        part_clear(&t->items[i]);
    free(t->items);
    free(t->command);
    free(t->by);
}

size_t xr_transaction_part(const struct xr_transaction *t, uint64_t number)
{
    size_t at = 0;

    while (at < t->count && t->items[at].number != number)
        at++;
    return at < t->count ? at : SIZE_MAX;
}

static bool read_intent(struct xr_transaction *t, struct xr_reader *in)
{
    struct xr_part part = {.number = xr_get_number(in, UINT64_MAX),
                           .store = xr_get_text(in),
                           .identity = xr_get_text(in)};
    uint64_t count = xr_get_number(in, CHANGES_MAX);
    size_t at = xr_transaction_part(t, part.number);

    for (uint64_t i = 0; i < count && !in->failed; i++) {
        struct xr_change *change = XR_PUSH(&part);

        change->subject.type = (enum xr_subject_type)xr_get_number(in, XR_SUBJECT_CRL);
        xr_get_fixed(in, change->subject.id, sizeof(change->subject.id));
        change->before = xr_get_state(in);
        change->want = xr_get_state(in);
    }
    /* A record from before the name was recorded ends here. */
    if (!in->failed && in->rest.len > 0)
        part.name = xr_get_text(in);
    if (in->failed || part.store == NULL || part.identity == NULL) {
        part_clear(&part);
        return false;
    }
    if (at == SIZE_MAX) {
        *XR_PUSH(t) = part;
    } else {
        part_clear(&t->items[at]);
        t->items[at] = part;
    }
    return true;
}

static bool read_states(struct xr_part *part, enum xr_stage stage, struct xr_reader *in)
{
    for (size_t i = 0; i < part->count; i++) {
        struct xr_state *after = xr_get_state(in);

        if (in->failed) {
            xr_state_free(after);
            return false;
        }
        xr_state_free(part->items[i].want);
        part->items[i].want = after;
    }
    part->stage = stage;
    return true;
}

static bool read_part_record(struct xr_transaction *t, uint64_t kind, struct xr_reader *in)
{
    uint64_t number = xr_get_number(in, UINT64_MAX);
    size_t at = in->failed ? SIZE_MAX : xr_transaction_part(t, number);

    if (at == SIZE_MAX)
        return false;
    if (kind != XR_RECORD_BACK)
        return read_states(&t->items[at], kind == XR_RECORD_DONE ? XR_STAGE_DONE : XR_STAGE_LEFT,
                           in);
    t->items[at].stage = XR_STAGE_BACK;
    return true;
}

static bool read_pruned(struct xr_journal *journal, struct xr_reader *in)
{
    while (!in->failed && in->rest.len >= XR_JOURNAL_ID_LEN) {
        char id[XR_JOURNAL_ID_LEN + 1];

        get_id(in, id);
        xr_strings_add(&journal->pruned, id);
    }
    return !in->failed;
}

static bool apply(struct xr_journal *journal, struct xr_bytes payload, uint64_t at,
                  const char *only)
{
    struct xr_reader in = {payload, false};
    uint64_t kind = xr_get_number(&in, XR_RECORD_LAST);
    char id[XR_JOURNAL_ID_LEN + 1];
    struct xr_transaction *t = NULL;

    get_id(&in, id);
    if (in.failed)
        return false;
    if (only != NULL && memcmp(id, only, XR_JOURNAL_ID_LEN) != 0)
        return true;
    if (kind == XR_RECORD_PRUNED)
        return read_pruned(journal, &in);
    if (kind == XR_RECORD_BEGIN) {
        if (!read_begin(journal, id, &in))
            return false;
        t = &journal->items[journal->count - 1];
        t->begin = at;
        t->stop = at + XR_RECORD_HEAD + payload.len;
        t->ordinal = journal->indexed;
        if (journal->count > 1 && t->ordinal <= t[-1].ordinal)
            t->ordinal = t[-1].ordinal + 1;
        return true;
    }
    t = xr_journal_transaction(journal, id);
    if (t == NULL || t->outline)
        return false;
    /* Threads that wait to be durable apply theirs in any order. */
    if (t->stop < at + XR_RECORD_HEAD + payload.len)
        t->stop = at + XR_RECORD_HEAD + payload.len;
    if (kind == XR_RECORD_INTENT)
        return read_intent(t, &in);
    if (kind == XR_RECORD_END || kind == XR_RECORD_READY) {
        *(kind == XR_RECORD_END ? &t->ended : &t->ready) = true;
        return true;
    }
    return (kind == XR_RECORD_DONE || kind == XR_RECORD_BACK || kind == XR_RECORD_LEFT) &&
           read_part_record(t, kind, &in);
}

bool xr_journal_apply(struct xr_journal *journal, struct xr_bytes payload, uint64_t at)
{
    return apply(journal, payload, at, NULL);
}

static void checksum(unsigned char out[XR_SHA256_LEN], const struct xr_journal *journal,
                     struct xr_bytes payload)
{
    struct xr_buf keyed = {0};

    xr_buf_add(&keyed, journal->key, XR_JOURNAL_KEY_LEN);
    xr_buf_add(&keyed, payload.data, payload.len);
    xr_x509_sha256(out, (struct xr_bytes){(const unsigned char *)keyed.data, keyed.len});
    xr_buf_free(&keyed);
}

void xr_journal_put_record(struct xr_buf *out, const struct xr_journal *journal,
                           const struct xr_buf *payload)
{
    unsigned char sum[XR_SHA256_LEN];

    checksum(sum, journal, (struct xr_bytes){(const unsigned char *)payload->data, payload->len});
    xr_buf_add(out, XR_RECORD_MAGIC, XR_RECORD_MAGIC_LEN);
    xr_buf_put32(out, (uint32_t)payload->len);
    xr_buf_add(out, sum, sizeof(sum));
    xr_buf_add(out, payload->data, payload->len);
}

bool xr_journal_get_record(struct xr_bytes *payload, const struct xr_journal *journal,
                           struct xr_bytes rest)
{
    unsigned char sum[XR_SHA256_LEN];
    size_t len = 0;

    if (rest.len < XR_RECORD_HEAD || memcmp(rest.data, XR_RECORD_MAGIC, XR_RECORD_MAGIC_LEN) != 0)
        return false;
    for (unsigned i = 0; i < 4; i++)
        len |= (size_t)rest.data[XR_RECORD_MAGIC_LEN + i] << 8 * i;
    if (len > XR_RECORD_MAX || len > rest.len - XR_RECORD_HEAD)
        return false;
    *payload = (struct xr_bytes){rest.data + XR_RECORD_HEAD, len};
    checksum(sum, journal, *payload);
    return memcmp(sum, rest.data + XR_RECORD_MAGIC_LEN + 4, sizeof(sum)) == 0;
}

void xr_journal_put_key(struct xr_buf *out, const unsigned char key[XR_JOURNAL_KEY_LEN])
{
    unsigned char sum[XR_SHA256_LEN];

    xr_x509_sha256(sum, (struct xr_bytes){key, XR_JOURNAL_KEY_LEN});
    for (int copy = 0; copy < 2; copy++) {
        xr_buf_str(out, KEY_MAGIC);
        xr_buf_add(out, key, XR_JOURNAL_KEY_LEN);
        xr_buf_add(out, sum, sizeof(sum));
    }
}

bool xr_journal_get_key(struct xr_journal *journal, struct xr_bytes data)
{
    for (size_t copy = 0; copy < 2; copy++) {
        const unsigned char *at = data.data + copy * XR_JOURNAL_KEY_BLOCK;
        unsigned char sum[XR_SHA256_LEN];

        if (data.len < (copy + 1) * XR_JOURNAL_KEY_BLOCK)
            return false;
        xr_x509_sha256(sum, (struct xr_bytes){at + XR_RECORD_MAGIC_LEN, XR_JOURNAL_KEY_LEN});
        if (memcmp(at, KEY_MAGIC, XR_RECORD_MAGIC_LEN) == 0 &&
            memcmp(sum, at + XR_RECORD_MAGIC_LEN + XR_JOURNAL_KEY_LEN, sizeof(sum)) == 0) {
            memcpy(journal->key, at + XR_RECORD_MAGIC_LEN, XR_JOURNAL_KEY_LEN);
            return true;
        }
    }
    return false;
}

bool xr_journal_apply_all(struct xr_journal *journal, struct xr_bytes data, uint64_t base,
                          const char *id)
{
    bool good = true;

    for (size_t at = 0; at < data.len;) {
        struct xr_bytes rest = {data.data + at, data.len - at};
        struct xr_bytes payload;

        if (xr_journal_get_record(&payload, journal, rest)) {
            good = apply(journal, payload, base + at, id) && good;
            journal->last = base + at;
            at += XR_RECORD_HEAD + payload.len;
        } else {
            const unsigned char *next =
                xr_memmem(rest.data + 1, rest.len - 1, XR_RECORD_MAGIC, XR_RECORD_MAGIC_LEN);
            size_t skip = next == NULL ? rest.len : (size_t)(next - rest.data);

            /* The end of what another process is just writing may be missing. */
            if (next != NULL || !journal->live)
                journal->damaged += skip;
            at += skip;
        }
    }
    return good;
}

/* Not into a buffer that grows, which would write to twice as much memory first. */
bool xr_journal_some(struct xr_buf *out, int fd, uint64_t at, uint64_t len)
{
    if (lseek(fd, (off_t)at, SEEK_SET) < 0)
        return false;
    xr_buf_free(out);
    out->capacity = (size_t)len + 1;
    out->data = xr_new(out->capacity, 1);
    while (out->len < len) {
        ssize_t got = read(fd, out->data + out->len, (unsigned)(len - out->len));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        out->len += (size_t)got;
    }
    return true;
}

bool xr_journal_bytes(struct xr_buf *out, int fd, uint64_t at, uint64_t len)
{
    return len <= XR_JOURNAL_MAX && xr_journal_some(out, fd, at, len) && out->len == len;
}

/* Who pruned it may have been killed, or be about to sync the directory: a power cut could bring the file
 * before it back, without what was added here. An index of it is only written after this. */
bool xr_journal_place(struct xr_journal *journal)
{
    journal->placed = journal->placed || journal->index != NULL || journal->pruned.count == 0 ||
                      xr_sys_sync_dir(journal->dirfd);
    return journal->placed;
}

void xr_journal_forget(struct xr_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++)
        xr_transaction_free(&journal->items[i]);
    free(journal->items);
    journal->items = NULL;
    journal->count = journal->capacity = journal->damaged = 0;
    journal->last = 0;
    xr_strings_free(&journal->pruned);
}

void xr_journal_keep(struct xr_journal *journal, xr_store_fn wanted, void *ctx)
{
    size_t kept = 0;

    for (size_t i = 0; i < journal->count; i++) {
        struct xr_transaction *t = &journal->items[i];
        size_t parts = 0;

        for (size_t k = 0; k < t->count; k++) {
            if (wanted(ctx, t->items[k].store))
                t->items[parts++] = t->items[k];
            else
                part_clear(&t->items[k]);
        }
        t->count = parts;
        if (parts > 0)
            journal->items[kept++] = *t;
        else
            xr_transaction_free(t);
    }
    journal->count = kept;
}
