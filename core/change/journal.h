/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: an append-only file of records of all changes, so that they can be undone or
 * finished.
 *
 * The file begins with a random key, twice: "XRJK", 16 bytes, their SHA-256. A record is "XRJ1",
 * payload length (4 bytes, little-endian), SHA-256 of key and payload, payload. A record counts
 * whole or not at all: after a cut at any byte, or damage in the middle, reading goes on at the
 * next record with a correct checksum. Because of the key, bytes of a certificate inside a damaged
 * record cannot pass for a record. Nothing is ever overwritten; a record that could not be written
 * whole is cut off. Only pruning replaces the file, by one with another key.
 *
 * Most commands need little of what is over, so they can read an index of it instead: see
 * journal_index.h.
 */
#ifndef XR_JOURNAL_H
#define XR_JOURNAL_H

#include "stores/wire.h"

#define XR_JOURNAL_ID_LEN 16u /* hex digits of a transaction's ID */

enum xr_record_kind {
    XR_RECORD_BEGIN = 1, /* a transaction */
    XR_RECORD_INTENT,    /* one store's steps, before the first swap */
    XR_RECORD_DONE,      /* all of them are in the store; with the states listed then */
    XR_RECORD_BACK,      /* the store was rolled back */
    XR_RECORD_END,
    XR_RECORD_LEFT,   /* rolled back, but something is left; with the states listed then */
    XR_RECORD_READY,  /* the intents of all stores are recorded; from here on they are swapped */
    XR_RECORD_PRUNED, /* IDs of transactions that were taken out of the journal */
    XR_RECORD_LAST = XR_RECORD_PRUNED
};

struct xr_change {
    struct xr_subject subject;
    struct xr_state *before, *want; /* owned; NULL is absent */
};

enum xr_stage {
    XR_STAGE_PENDING,
    XR_STAGE_DONE,
    XR_STAGE_BACK,
    XR_STAGE_LEFT, /* rolled back, but the store is not what it was: want is what it holds */
    XR_STAGE_COUNT
};

enum xr_transaction_flag {
    XR_ALL_OR_NOTHING = 1u << 0,  /* if interrupted, all stores go the same way, see txn.h */
    XR_REQUIRE_VERIFIED = 1u << 1 /* if interrupted before the verdict, it is rolled back */
};

/* One store's part of a transaction, from the records. */
struct xr_part {
    uint64_t number; /* as in the records of its transaction */
    bool undone;     /* derived: by a later transaction */
    char *store;     /* address */
    char *name;      /* what people called the store then, or NULL: not known */
    char *identity;  /* of the place when the intent was recorded, or empty */
    enum xr_stage stage;
    struct xr_change *items;
    size_t count, capacity;
};

struct xr_transaction {
    char id[XR_JOURNAL_ID_LEN + 1];
    char undoes[XR_JOURNAL_ID_LEN + 1];    /* empty, or the transaction this one takes back */
    char undone_by[XR_JOURNAL_ID_LEN + 1]; /* derived: a finished transaction that undoes it */
    int64_t at;
    char *command;  /* "install", "remove"… */
    char *by;       /* the user's name, or NULL: not known */
    uint32_t flags; /* enum xr_transaction_flag */
    bool ready;     /* with XR_ALL_OR_NOTHING: a store may have been changed */
    bool ended;
    bool outline;         /* only ID, undoes and the parts' stores and stages are known */
    size_t ordinal;       /* its number in the whole journal */
    uint64_t begin, stop; /* its records are in these bytes of the file, maybe beside others */
    struct xr_part *items;
    size_t count, capacity;
};

struct xr_pause;
struct xr_journal_turns;
struct xr_journal_index;

/* items: all transactions; or, if there is an index, those that are not over, and those after what it
 * covers. */
struct xr_journal {
    int fd, dirfd;
    char *path; /* for messages */
    unsigned char key[16];
    uint64_t end;  /* of the file, in bytes */
    uint64_t last; /* where its last record begins; 0: it has none */
    bool keyed;    /* the file has its whole key */
    bool broken;   /* an append failed; no more are tried */
    bool live;     /* another process is in a transaction, to which pending parts belong */
    bool writes;   /* it was opened for writing */
    bool placed;   /* its name is known to be durable */
    /* While a record is being made durable, other threads can go on. NULL: there are none. */
    const struct xr_pause *pause;
    struct xr_journal_turns *turns; /* to sync, of these threads */
    uint64_t synced, safe;          /* durable up to here; to be cut here if it cannot be */
    size_t waiting;                 /* records that wait to be durable */
    struct xr_journal *managed;     /* read whole, where the index does not say what is managed */
    size_t indexed;                 /* transactions that the index covers */
    struct xr_journal_index *index; /* of what was not read; NULL: all was */
    struct xr_strings pruned;       /* IDs, if all was read */
    struct xr_transaction *items;
    size_t count, capacity;
    size_t damaged; /* bytes that belong to no record */
};

/* Opens for reading. A missing journal or directory gives an empty one. */
enum xr_status xr_journal_read(struct xr_journal *journal, const char *dir, struct xr_error *err);
/* Opens for writing: creates dir, and takes the lock, waiting for another transaction to end. */
enum xr_status xr_journal_open(struct xr_journal *journal, const char *dir, struct xr_error *err);
/* The same, but what is over is not read if a valid index covers it. For what needs that after all: */
enum xr_status xr_journal_read_brief(struct xr_journal *journal, const char *dir,
                                     struct xr_error *err);
enum xr_status xr_journal_open_brief(struct xr_journal *journal, const char *dir,
                                     struct xr_error *err);
/* xr_journal_recall, */
enum xr_status xr_journal_for_recall(struct xr_journal *journal, struct xr_error *err);
/* xr_journal_find and what is undone: adds outlines of all other transactions, or reads everything if
 * what was pruned could have an ID that begins so; */
enum xr_status xr_journal_for_find(struct xr_journal *journal, const char *id,
                                   struct xr_error *err);
/* the changes of a transaction that may be an outline; */
enum xr_status xr_journal_fill(struct xr_journal *journal, size_t transaction,
                               struct xr_error *err);
/* everything. Each may move items. */
enum xr_status xr_journal_whole(struct xr_journal *journal, struct xr_error *err);
/* Writes a new index if much was added since the last one. */
void xr_journal_close(struct xr_journal *journal);
/* Closes its file, and gives up its lock; what was read stays, to be shown. */
void xr_journal_let_go(struct xr_journal *journal);
void xr_transaction_free(struct xr_transaction *t); /* what it owns */

/* Each appends one record and updates items. Intent, ready, back and end return when all records so
 * far are durable; with XR_ALL_OR_NOTHING, intents wait for ready. A begin or a done that is lost in a
 * power cut does no harm: recovery compares the store with the intent. Several threads that give way to
 * each other by pause share what makes their records durable. */
enum xr_status xr_journal_begin(struct xr_journal *journal, size_t *transaction,
                                const char *command, const char *undoes, const char *by,
                                uint32_t flags, int64_t at, struct xr_error *err);
/* changes are borrowed; part is the index of the part. number is unique in the transaction, and
 * gives the order of parts when they are read back. A second intent with the same number takes the
 * place of the first. */
enum xr_status xr_journal_intent(struct xr_journal *journal, size_t transaction, size_t *part,
                                 uint64_t number, const char *store, const char *name,
                                 const char *identity, const struct xr_change *changes,
                                 size_t count, struct xr_error *err);
/* after: the state of each change's subject as listed now, count of them, borrowed. */
enum xr_status xr_journal_done(struct xr_journal *journal, size_t transaction, size_t part,
                               const struct xr_state *const *after, struct xr_error *err);
/* The same for a store that could not be rolled back completely. */
enum xr_status xr_journal_left(struct xr_journal *journal, size_t transaction, size_t part,
                               const struct xr_state *const *now, struct xr_error *err);
enum xr_status xr_journal_back(struct xr_journal *journal, size_t transaction, size_t part,
                               struct xr_error *err);
enum xr_status xr_journal_ready(struct xr_journal *journal, size_t transaction,
                                struct xr_error *err);
enum xr_status xr_journal_end(struct xr_journal *journal, size_t transaction, struct xr_error *err);

/* NULL if there is none with that ID. */
struct xr_transaction *xr_journal_transaction(struct xr_journal *journal, const char *id);
/* After all records are read: puts parts in order and finds out what is undone. */
void xr_journal_derive(struct xr_journal *journal);
/* Must its stores go the same way, and is it not recorded that they did? */
bool xr_transaction_together(const struct xr_transaction *t);
/* Does the store have changes of it, as far as is known: done, or left by a rollback? */
bool xr_part_made(const struct xr_part *part);
/* Made or interrupted, and not undone or rolled back yet? */
bool xr_part_undoable(const struct xr_part *part);
/* Its stage; what is done in one store of several that go together may be on its way back. */
enum xr_stage xr_part_stage(const struct xr_transaction *t, const struct xr_part *part);
/* Is the store with that address wanted? NULL: all are. */
typedef bool (*xr_store_fn)(void *ctx, const char *store);
/* Finds a transaction by ID or its beginning; NULL: the newest that is not an undo and has an
 * undoable part in a wanted store. SIZE_MAX if there is none. */
size_t xr_journal_find(const struct xr_journal *journal, const char *id, xr_store_fn wanted,
                       void *ctx, struct xr_error *err);
/* For showing a journal that was read: forgets parts of other stores, and transactions without any
 * left. */
void xr_journal_keep(struct xr_journal *journal, xr_store_fn wanted, void *ctx);
bool xr_journal_pending(const struct xr_journal *journal);
/* Must records of it be read whatever it is read for: can something of it be continued? */
bool xr_transaction_open(const struct xr_transaction *t);
/* Did a transaction that is not undone put the subject into that place of the store? */
bool xr_journal_managed(const struct xr_journal *journal, const char *store,
                        const struct xr_subject *subject, enum xr_place place);
/* The same of those that were not read, because the index knows them. */
bool xr_journal_managed_before(const struct xr_journal *journal, const char *store,
                               const struct xr_subject *subject, enum xr_place place);
/* leaving and coming of struct xr_target: certificates whose last change in a store removed them
 * from the anchors, or was to do so; and those whose last change was interrupted. Adds to both. */
void xr_journal_recall(struct xr_subjects *leaving, struct xr_subjects *coming,
                       const struct xr_journal *journal, const char *store);

#endif
