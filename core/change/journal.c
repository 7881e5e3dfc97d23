/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include "certs/x509.h"
#include "sys/sys.h"

#include <stdlib.h>
#include <unistd.h>

#define MAGIC      "XRJ1"
#define MAGIC_LEN  4u
#define KEY_MAGIC  "XRJK"
#define KEY_LEN    16u
#define KEY_BLOCK  (MAGIC_LEN + KEY_LEN + XR_SHA256_LEN)
#define HEADER_LEN (MAGIC_LEN + 4u + XR_SHA256_LEN)
/* One store's intent holds two states of every subject; 64 MiB are some 10,000 certificates. */
#define PAYLOAD_MAX  ((size_t)64 << 20)
#define JOURNAL_MAX  ((size_t)1 << 30)
#define FILE_NAME    "journal"
#define LOCK_WAIT_MS 60000u
#define CHANGES_MAX  (1u << 20)

/* ---- reading ---- */

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

static void transaction_clear(struct xr_transaction *t)
{
    for (size_t i = 0; i < t->count; i++)
        part_clear(&t->items[i]);
    free(t->items);
    free(t->command);
    free(t->by);
}

/* SIZE_MAX if there is none. */
static size_t part_at(const struct xr_transaction *t, uint64_t number)
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
    size_t at = part_at(t, part.number);

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
    size_t at = in->failed ? SIZE_MAX : part_at(t, number);

    if (at == SIZE_MAX)
        return false;
    if (kind != XR_RECORD_BACK)
        return read_states(&t->items[at], kind == XR_RECORD_DONE ? XR_STAGE_DONE : XR_STAGE_LEFT,
                           in);
    t->items[at].stage = XR_STAGE_BACK;
    return true;
}

/* False if the payload is not a record, or is about an unknown part or transaction. */
static bool read_record(struct xr_journal *journal, struct xr_bytes payload)
{
    struct xr_reader in = {payload, false};
    uint64_t kind = xr_get_number(&in, XR_RECORD_LAST);
    char id[XR_JOURNAL_ID_LEN + 1];
    struct xr_transaction *t = NULL;

    get_id(&in, id);
    if (in.failed)
        return false;
    if (kind == XR_RECORD_BEGIN)
        return read_begin(journal, id, &in);
    t = xr_journal_transaction(journal, id);
    if (t == NULL)
        return false;
    if (kind == XR_RECORD_INTENT)
        return read_intent(t, &in);
    if (kind == XR_RECORD_END || kind == XR_RECORD_READY) {
        *(kind == XR_RECORD_END ? &t->ended : &t->ready) = true;
        return true;
    }
    return (kind == XR_RECORD_DONE || kind == XR_RECORD_BACK || kind == XR_RECORD_LEFT) &&
           read_part_record(t, kind, &in);
}

static void checksum(unsigned char out[XR_SHA256_LEN], const struct xr_journal *journal,
                     struct xr_bytes payload)
{
    struct xr_buf keyed = {0};

    xr_buf_add(&keyed, journal->key, KEY_LEN);
    xr_buf_add(&keyed, payload.data, payload.len);
    xr_x509_sha256(out, (struct xr_bytes){(const unsigned char *)keyed.data, keyed.len});
    xr_buf_free(&keyed);
}

static bool record_at(struct xr_bytes *payload, const struct xr_journal *journal,
                      struct xr_bytes rest)
{
    unsigned char sum[XR_SHA256_LEN];
    size_t len = 0;

    if (rest.len < HEADER_LEN || memcmp(rest.data, MAGIC, MAGIC_LEN) != 0)
        return false;
    for (unsigned i = 0; i < 4; i++)
        len |= (size_t)rest.data[MAGIC_LEN + i] << 8 * i;
    if (len > PAYLOAD_MAX || len > rest.len - HEADER_LEN)
        return false;
    *payload = (struct xr_bytes){rest.data + HEADER_LEN, len};
    checksum(sum, journal, *payload);
    return memcmp(sum, rest.data + MAGIC_LEN + 4, sizeof(sum)) == 0;
}

static bool read_key(struct xr_journal *journal, struct xr_bytes data)
{
    for (size_t copy = 0; copy < 2; copy++) {
        const unsigned char *at = data.data + copy * KEY_BLOCK;
        unsigned char sum[XR_SHA256_LEN];

        if (data.len < (copy + 1) * KEY_BLOCK)
            return false;
        xr_x509_sha256(sum, (struct xr_bytes){at + MAGIC_LEN, KEY_LEN});
        if (memcmp(at, KEY_MAGIC, MAGIC_LEN) == 0 &&
            memcmp(sum, at + MAGIC_LEN + KEY_LEN, sizeof(sum)) == 0) {
            memcpy(journal->key, at + MAGIC_LEN, KEY_LEN);
            return true;
        }
    }
    return false;
}

static void read_all(struct xr_journal *journal, struct xr_bytes data)
{
    journal->end = data.len;
    journal->keyed = read_key(journal, data) && data.len >= 2 * KEY_BLOCK;
    if (!read_key(journal, data)) {
        journal->damaged = data.len;
        return;
    }
    for (size_t at = 2 * KEY_BLOCK; at < data.len;) {
        struct xr_bytes rest = {data.data + at, data.len - at};
        struct xr_bytes payload;

        if (record_at(&payload, journal, rest)) {
            (void)read_record(journal, payload);
            at += HEADER_LEN + payload.len;
        } else {
            const unsigned char *next = xr_memmem(rest.data + 1, rest.len - 1, MAGIC, MAGIC_LEN);
            size_t skip = next == NULL ? rest.len : (size_t)(next - rest.data);

            journal->damaged += skip;
            at += skip;
        }
    }
    xr_journal_derive(journal);
}

static char *path_in(const char *dir)
{
    return xr_format("%s/%s", dir, FILE_NAME);
}

static enum xr_status load(struct xr_journal *journal, struct xr_error *err)
{
    struct xr_error why = {0};
    struct xr_buf buf = {0};
    enum xr_status status = XR_OK;

    if (lseek(journal->fd, 0, SEEK_SET) < 0)
        return xr_fail_errno(err, "cannot read %s", journal->path);
    status = xr_sys_read_fd(&buf, journal->fd, JOURNAL_MAX, &why);
    if (status != XR_OK)
        (void)xr_fail(err, status, "%s: %s", journal->path, why.text);
    else
        read_all(journal, (struct xr_bytes){(const unsigned char *)buf.data, buf.len});
    xr_buf_free(&buf);
    return status;
}

enum xr_status xr_journal_read(struct xr_journal *journal, const char *dir, struct xr_error *err)
{
    struct xr_error why = {0};
    enum xr_status status = XR_OK;

    *journal = (struct xr_journal){.fd = -1, .dirfd = -1, .path = path_in(dir)};
    status = xr_sys_state_dir_open(&journal->dirfd, dir, &why);
    if (status != XR_OK && status != XR_ABSENT)
        return xr_fail(err, status, "%s", why.text);
    if (status == XR_OK)
        status = xr_sys_open_own(&journal->fd, journal->dirfd, FILE_NAME, false, &why);
    if (status == XR_ABSENT)
        return XR_OK;
    if (status != XR_OK) /* the text begins with the file's name */
        return xr_fail(err, status, "%s/%s", dir, why.text);
    journal->live = xr_sys_lock(journal->fd, false, 0, NULL) == XR_BUSY;
    status = load(journal, err);
    xr_sys_unlock(journal->fd);
    return status;
}

/* Without its key, nothing in a journal can be trusted. The file is kept for inspection. */
static enum xr_status set_aside(struct xr_journal *journal, struct xr_error *err)
{
    struct xr_buf old = {0};
    enum xr_status status = XR_OK;

    if (journal->end < 2 * KEY_BLOCK)
        return XR_OK;
    if (lseek(journal->fd, 0, SEEK_SET) < 0)
        return xr_fail_errno(err, "cannot read %s", journal->path);
    status = xr_sys_read_fd(&old, journal->fd, JOURNAL_MAX, err);
    if (status == XR_OK)
        status = xr_sys_write_atomic(journal->dirfd, FILE_NAME ".damaged",
                                     (struct xr_bytes){(const unsigned char *)old.data, old.len},
                                     0600, err);
    xr_buf_free(&old);
    return status;
}

static enum xr_status write_key(struct xr_journal *journal, struct xr_error *err)
{
    struct xr_buf block = {0};
    unsigned char sum[XR_SHA256_LEN];
    enum xr_status status = XR_OK;

    status = set_aside(journal, err);
    if (status != XR_OK)
        return status;
    if (!xr_sys_random(journal->key, KEY_LEN))
        return xr_fail_errno(err, "cannot get random bytes");
    xr_x509_sha256(sum, (struct xr_bytes){journal->key, KEY_LEN});
    for (int copy = 0; copy < 2; copy++) {
        xr_buf_add(&block, KEY_MAGIC, MAGIC_LEN);
        xr_buf_add(&block, journal->key, KEY_LEN);
        xr_buf_add(&block, sum, sizeof(sum));
    }
    /* The directory first: what was set aside is there before the journal is emptied. */
    if (!xr_sys_sync_dir(journal->dirfd) || ftruncate(journal->fd, 0) != 0 ||
        !xr_sys_write_all(journal->fd, block.data, block.len) || !xr_sys_sync(journal->fd))
        status = xr_fail_errno(err, "cannot write %s", journal->path);
    journal->end = block.len;
    journal->keyed = status == XR_OK;
    xr_buf_free(&block);
    return status;
}

enum xr_status xr_journal_open(struct xr_journal *journal, const char *dir, struct xr_error *err)
{
    struct xr_error why = {0};
    enum xr_status status = XR_OK;

    *journal = (struct xr_journal){.fd = -1, .dirfd = -1, .path = path_in(dir)};
    status = xr_sys_state_dir(&journal->dirfd, dir, err);
    if (status != XR_OK)
        return status;
    status = xr_sys_open_own(&journal->fd, journal->dirfd, FILE_NAME, true, &why);
    if (status != XR_OK)
        return xr_fail(err, status, "%s/%s", dir, why.text);
    status = xr_sys_lock(journal->fd, true, LOCK_WAIT_MS, &why);
    if (status == XR_BUSY)
        return xr_fail(err, XR_BUSY, "another crossroot is changing stores; try again later");
    if (status != XR_OK)
        return xr_fail(err, status, "%s: %s", journal->path, why.text);
    return load(journal, err);
}

void xr_journal_close(struct xr_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++)
        transaction_clear(&journal->items[i]);
    free(journal->items);
    free(journal->path);
    if (journal->fd >= 0)
        (void)close(journal->fd);
    if (journal->dirfd >= 0)
        (void)close(journal->dirfd);
    *journal = (struct xr_journal){.fd = -1, .dirfd = -1};
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
            transaction_clear(t);
    }
    journal->count = kept;
}

/* ---- writing ---- */

static enum xr_status append(struct xr_journal *journal, const struct xr_buf *payload, bool sync,
                             struct xr_error *err)
{
    struct xr_buf record = {0};
    unsigned char sum[XR_SHA256_LEN];
    unsigned char len[4];
    enum xr_status status = XR_OK;

    if (payload->len > PAYLOAD_MAX)
        return xr_fail(err, XR_REFUSED, "the change is too large for one transaction");
    if (journal->broken)
        return xr_fail(err, XR_FAILED, "an earlier write to %s failed", journal->path);
    checksum(sum, journal, (struct xr_bytes){(const unsigned char *)payload->data, payload->len});
    for (unsigned i = 0; i < 4; i++)
        len[i] = (unsigned char)(payload->len >> 8 * i);
    xr_buf_add(&record, MAGIC, MAGIC_LEN);
    xr_buf_add(&record, len, sizeof(len));
    xr_buf_add(&record, sum, sizeof(sum));
    xr_buf_add(&record, payload->data, payload->len);
    if (!xr_sys_write_all(journal->fd, record.data, record.len) ||
        (sync && !xr_sys_sync(journal->fd))) {
        status = xr_fail_errno(err, "cannot write %s", journal->path);
        /* A record that is not durable must not be read back as if it were. */
        journal->broken = true;
        if (ftruncate(journal->fd, (off_t)journal->end) != 0)
            (void)xr_sys_sync(journal->fd);
    } else {
        journal->end += record.len;
    }
    xr_buf_free(&record);
    return status;
}

static void put_head(struct xr_buf *out, enum xr_record_kind kind, const char *id)
{
    xr_put_number(out, (uint64_t)kind);
    xr_buf_add(out, id, XR_JOURNAL_ID_LEN);
}

/* Appends a record, and applies it with the same code that will read it back. */
static enum xr_status append_and_read(struct xr_journal *journal, struct xr_buf *payload, bool sync,
                                      struct xr_error *err)
{
    enum xr_status status = append(journal, payload, sync, err);

    if (status == XR_OK &&
        !read_record(journal,
                     (struct xr_bytes){(const unsigned char *)payload->data, payload->len}))
        status = xr_fail(err, XR_FAILED, "a record of the journal cannot be read back");
    xr_buf_free(payload);
    return status;
}

enum xr_status xr_journal_begin(struct xr_journal *journal, size_t *transaction,
                                const char *command, const char *undoes, const char *by,
                                uint32_t flags, int64_t at, struct xr_error *err)
{
    static const char none[XR_JOURNAL_ID_LEN + 1] = {0};
    unsigned char random[XR_JOURNAL_ID_LEN / 2];
    char id[XR_JOURNAL_ID_LEN + 1];
    struct xr_buf payload = {0};

    if (!xr_sys_random(random, sizeof(random)))
        return xr_fail_errno(err, "cannot get random bytes");
    xr_hex(id, random, sizeof(random));
    /* A new file, or one that was cut before its key was complete: it has no records yet. */
    if (!journal->keyed) {
        enum xr_status status = write_key(journal, err);

        if (status != XR_OK)
            return status;
    }
    put_head(&payload, XR_RECORD_BEGIN, id);
    xr_put_number(&payload, (uint64_t)at);
    xr_put_number(&payload, flags);
    xr_put_text(&payload, command);
    xr_buf_add(&payload, undoes ? undoes : none, XR_JOURNAL_ID_LEN);
    xr_put_text(&payload, by);
    *transaction = journal->count;
    return append_and_read(journal, &payload, false, err);
}

enum xr_status xr_journal_intent(struct xr_journal *journal, size_t transaction, size_t *part,
                                 uint64_t number, const char *store, const char *name,
                                 const char *identity, const struct xr_change *changes,
                                 size_t count, struct xr_error *err)
{
    const struct xr_transaction *t = &journal->items[transaction];
    struct xr_buf payload = {0};
    enum xr_status status = XR_OK;

    put_head(&payload, XR_RECORD_INTENT, t->id);
    xr_put_number(&payload, number);
    xr_put_text(&payload, store);
    xr_put_text(&payload, identity);
    xr_put_number(&payload, count);
    for (size_t i = 0; i < count; i++) {
        xr_put_number(&payload, (uint64_t)changes[i].subject.type);
        xr_buf_add(&payload, changes[i].subject.id, sizeof(changes[i].subject.id));
        xr_put_state(&payload, changes[i].before);
        xr_put_state(&payload, changes[i].want);
    }
    xr_put_text(&payload, name);
    status = append_and_read(journal, &payload, true, err);
    if (status == XR_OK)
        *part = part_at(t, number);
    return status;
}

static enum xr_status append_states(struct xr_journal *journal, enum xr_record_kind kind,
                                    size_t transaction, size_t part,
                                    const struct xr_state *const *states, bool sync,
                                    struct xr_error *err)
{
    struct xr_transaction *t = &journal->items[transaction];
    struct xr_buf payload = {0};

    put_head(&payload, kind, t->id);
    xr_put_number(&payload, t->items[part].number);
    for (size_t i = 0; i < t->items[part].count; i++)
        xr_put_state(&payload, states[i]);
    return append_and_read(journal, &payload, sync, err);
}

enum xr_status xr_journal_done(struct xr_journal *journal, size_t transaction, size_t part,
                               const struct xr_state *const *after, struct xr_error *err)
{
    return append_states(journal, XR_RECORD_DONE, transaction, part, after, false, err);
}

enum xr_status xr_journal_left(struct xr_journal *journal, size_t transaction, size_t part,
                               const struct xr_state *const *now, struct xr_error *err)
{
    return append_states(journal, XR_RECORD_LEFT, transaction, part, now, true, err);
}

enum xr_status xr_journal_back(struct xr_journal *journal, size_t transaction, size_t part,
                               struct xr_error *err)
{
    struct xr_buf payload = {0};

    put_head(&payload, XR_RECORD_BACK, journal->items[transaction].id);
    xr_put_number(&payload, journal->items[transaction].items[part].number);
    return append_and_read(journal, &payload, true, err);
}

/* A record that says nothing but its kind. */
static enum xr_status append_mark(struct xr_journal *journal, enum xr_record_kind kind,
                                  size_t transaction, struct xr_error *err)
{
    struct xr_buf payload = {0};

    put_head(&payload, kind, journal->items[transaction].id);
    return append_and_read(journal, &payload, true, err);
}

enum xr_status xr_journal_ready(struct xr_journal *journal, size_t transaction,
                                struct xr_error *err)
{
    return append_mark(journal, XR_RECORD_READY, transaction, err);
}

enum xr_status xr_journal_end(struct xr_journal *journal, size_t transaction, struct xr_error *err)
{
    return append_mark(journal, XR_RECORD_END, transaction, err);
}
