/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_file.h"
#include "journal_index.h"
#include "stores/store.h"
#include "sys/sys.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define LOCK_WAIT_MS 60000u

/* One thread syncs; what others have appended until then is durable with it, and they need not. */
struct xr_journal_turns {
    pthread_mutex_t mutex;
};

static char *path_in(const char *dir)
{
    return xr_format("%s/%s", dir, XR_JOURNAL_NAME);
}

static enum xr_status read_it(struct xr_journal *journal, const char *dir, bool brief,
                              struct xr_error *err)
{
    struct xr_error why = {0};
    enum xr_status status = XR_OK;

    *journal = (struct xr_journal){.fd = -1, .dirfd = -1, .path = path_in(dir)};
    status = xr_sys_state_dir_open(&journal->dirfd, dir, &why);
    if (status != XR_OK && status != XR_ABSENT)
        return xr_fail(err, status, "%s", why.text);
    if (status == XR_OK)
        status = xr_sys_open_own(&journal->fd, journal->dirfd, XR_JOURNAL_NAME, false, &why);
    if (status == XR_ABSENT)
        return XR_OK;
    if (status != XR_OK) /* the text begins with the file's name */
        return xr_fail(err, status, "%s/%s", dir, why.text);
    journal->live = xr_sys_lock(journal->fd, false, 0, NULL) == XR_BUSY;
    status = xr_journal_load(journal, brief, err);
    xr_sys_unlock(journal->fd);
    return status;
}

enum xr_status xr_journal_read(struct xr_journal *journal, const char *dir, struct xr_error *err)
{
    return read_it(journal, dir, false, err);
}

enum xr_status xr_journal_read_brief(struct xr_journal *journal, const char *dir,
                                     struct xr_error *err)
{
    return read_it(journal, dir, true, err);
}

/* Without its key, nothing in a journal can be trusted. The file is kept for inspection. */
static enum xr_status set_aside(struct xr_journal *journal, struct xr_error *err)
{
    struct xr_buf old = {0};
    enum xr_status status = XR_OK;

    if (journal->end < XR_JOURNAL_RECORDS)
        return XR_OK;
    if (lseek(journal->fd, 0, SEEK_SET) < 0)
        return xr_fail_errno(err, "cannot read %s", journal->path);
    status = xr_sys_read_fd(&old, journal->fd, XR_JOURNAL_MAX, err);
    if (status == XR_OK)
        status = xr_sys_write_atomic(journal->dirfd, XR_JOURNAL_NAME ".damaged",
                                     (struct xr_bytes){(const unsigned char *)old.data, old.len},
                                     0600, err);
    xr_buf_free(&old);
    return status;
}

static enum xr_status write_key(struct xr_journal *journal, struct xr_error *err)
{
    struct xr_buf block = {0};
    enum xr_status status = XR_OK;

    status = set_aside(journal, err);
    if (status != XR_OK)
        return status;
    if (!xr_sys_random(journal->key, XR_JOURNAL_KEY_LEN))
        return xr_fail_errno(err, "cannot get random bytes");
    xr_journal_put_key(&block, journal->key);
    /* The directory first: what was set aside is there before the journal is emptied. */
    if (!xr_sys_sync_dir(journal->dirfd) || ftruncate(journal->fd, 0) != 0 ||
        !xr_sys_write_all(journal->fd, block.data, block.len) || !xr_sys_sync(journal->fd))
        status = xr_fail_errno(err, "cannot write %s", journal->path);
    journal->end = journal->synced = journal->safe = block.len;
    journal->last = 0;
    journal->keyed = status == XR_OK;
    xr_buf_free(&block);
    return status;
}

/* Opens the file and takes its lock. Who pruned it has put another file in its place meanwhile. */
static enum xr_status open_locked(struct xr_journal *journal, const char *dir, struct xr_error *err)
{
    struct xr_error why = {0};

    for (;;) {
        enum xr_status status =
            xr_sys_open_own(&journal->fd, journal->dirfd, XR_JOURNAL_NAME, true, &why);

        if (status != XR_OK)
            return xr_fail(err, status, "%s/%s", dir, why.text);
        status = xr_sys_lock(journal->fd, true, LOCK_WAIT_MS, &why);
        if (status == XR_BUSY)
            return xr_fail(err, XR_BUSY, "another crossroot is changing stores; try again later");
        if (status != XR_OK)
            return xr_fail(err, status, "%s: %s", journal->path, why.text);
        if (xr_sys_same_file(journal->fd, journal->dirfd, XR_JOURNAL_NAME))
            return XR_OK;
        (void)close(journal->fd);
        journal->fd = -1;
    }
}

/* Who was killed while a file was replaced left a new one without its name. Of those who write here, only
 * the cache of checked certificates does without this lock, and it can lose a file. */
static void sweep(int dirfd)
{
    const size_t prefix = strlen(XR_TEMP_PREFIX), digits = 16;
    struct xr_strings names = {0};

    (void)xr_sys_names(&names, dirfd, NULL);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];

        if (strncmp(name, XR_TEMP_PREFIX, prefix) == 0 && strlen(name) == prefix + digits &&
            strspn(name + prefix, "0123456789abcdef") == digits)
            (void)xr_sys_unlink(dirfd, name);
    }
    xr_strings_free(&names);
}

static enum xr_status open_it(struct xr_journal *journal, const char *dir, bool brief,
                              struct xr_error *err)
{
    enum xr_status status = XR_OK;

    *journal = (struct xr_journal){.fd = -1, .dirfd = -1, .path = path_in(dir)};
    status = xr_sys_state_dir(&journal->dirfd, dir, err);
    if (status == XR_OK)
        status = open_locked(journal, dir, err);
    if (status == XR_OK)
        sweep(journal->dirfd);
    if (status == XR_OK)
        status = xr_journal_load(journal, brief, err);
    if (status != XR_OK)
        return status;
    journal->turns = xr_new(1, sizeof(*journal->turns));
    (void)pthread_mutex_init(&journal->turns->mutex, NULL);
    journal->safe = journal->end;
    journal->writes = true;
    return XR_OK;
}

enum xr_status xr_journal_open(struct xr_journal *journal, const char *dir, struct xr_error *err)
{
    return open_it(journal, dir, false, err);
}

enum xr_status xr_journal_open_brief(struct xr_journal *journal, const char *dir,
                                     struct xr_error *err)
{
    return open_it(journal, dir, true, err);
}

void xr_journal_let_go(struct xr_journal *journal)
{
    if (journal->turns != NULL)
        (void)pthread_mutex_destroy(&journal->turns->mutex);
    free(journal->turns);
    journal->turns = NULL;
    if (journal->fd >= 0)
        (void)close(journal->fd);
    if (journal->dirfd >= 0)
        (void)close(journal->dirfd);
    journal->fd = journal->dirfd = -1;
    journal->writes = false;
}

void xr_journal_close(struct xr_journal *journal)
{
    if (xr_index_due(journal) && xr_journal_for_recall(journal, NULL) == XR_OK &&
        xr_journal_for_find(journal, NULL, NULL) == XR_OK)
        xr_index_write(journal);
    xr_journal_unload(journal);
    free(journal->path);
    xr_journal_let_go(journal);
    *journal = (struct xr_journal){.fd = -1, .dirfd = -1};
}

/* ---- writing ---- */

static void give_way(const struct xr_journal *journal)
{
    if (journal->pause != NULL)
        journal->pause->leave(journal->pause->ctx);
}

static void go_on(const struct xr_journal *journal)
{
    if (journal->pause != NULL)
        journal->pause->enter(journal->pause->ctx);
}

static enum xr_status break_off(struct xr_journal *journal, struct xr_error *err)
{
    enum xr_status status = xr_fail_errno(err, "cannot write %s", journal->path);

    /* A record that is not durable must not be read back as if it were. */
    journal->broken = true;
    journal->end = journal->safe;
    if (ftruncate(journal->fd, (off_t)journal->end) != 0)
        (void)xr_sys_sync(journal->fd);
    return status;
}

static enum xr_status earlier_failed(const struct xr_journal *journal, struct xr_error *err)
{
    return xr_fail(err, XR_FAILED, "an earlier write to %s failed", journal->path);
}

/* Waits until the first bytes of the file, that many, are durable. Who waits for a turn holds nothing
 * else, so the lock of the threads may be taken in one. */
static enum xr_status make_durable(struct xr_journal *journal, uint64_t bytes, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    give_way(journal);
    (void)pthread_mutex_lock(&journal->turns->mutex);
    go_on(journal);
    if (journal->synced < bytes && journal->broken) {
        status = earlier_failed(journal, err);
    } else if (journal->synced < bytes) {
        uint64_t written = journal->end;
        bool good = false;
        int why = 0;

        give_way(journal);
        good = xr_sys_sync(journal->fd);
        why = errno;
        go_on(journal);
        errno = why;
        if (good && !journal->broken)
            journal->synced = journal->safe = written;
        else
            status = good ? earlier_failed(journal, err) : break_off(journal, err);
    }
    (void)pthread_mutex_unlock(&journal->turns->mutex);
    return status;
}

/* at: where the record begins. */
static enum xr_status append(struct xr_journal *journal, const struct xr_buf *payload, bool sync,
                             uint64_t *at, struct xr_error *err)
{
    struct xr_buf record = {0};
    enum xr_status status = XR_OK;

    if (payload->len > XR_RECORD_MAX)
        return xr_fail(err, XR_REFUSED, "the change is too large for one transaction");
    if (journal->broken)
        return earlier_failed(journal, err);
    if (!xr_journal_place(journal))
        return xr_fail_errno(err, "cannot write %s", journal->path);
    xr_journal_put_record(&record, journal, payload);
    *at = journal->end;
    /* Records that nobody waits for stay when a later one fails. */
    if (journal->waiting == 0)
        journal->safe = journal->end;
    if (!xr_sys_write_all(journal->fd, record.data, record.len)) {
        status = break_off(journal, err);
    } else {
        journal->end += record.len;
        journal->last = *at;
        if (sync) {
            journal->waiting++;
            status = make_durable(journal, *at + record.len, err);
            journal->waiting--;
        }
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
    uint64_t at = 0;
    enum xr_status status = append(journal, payload, sync, &at, err);

    if (status == XR_OK &&
        !xr_journal_apply(
            journal, (struct xr_bytes){(const unsigned char *)payload->data, payload->len}, at))
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
    /* Of stores that go together, none is changed before ready is recorded. */
    status =
        append_and_read(journal, &payload, (t->flags & XR_ALL_OR_NOTHING) == 0 || t->ready, err);
    if (status == XR_OK)
        *part = xr_transaction_part(t, number);
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
