/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every backend promises, as cases that know no test framework: a driver runs them (Criterion
 * on Linux, a loop under Wine). A case gets a store of its own that does not exist yet, asks the
 * session's capabilities what applies and never the backend's name.
 *
 * A case returns NULL, or a failure text that lives as long as the contract. What does not apply
 * says so with contract_skip and returns NULL. Stores, snapshots and states that helpers hand out
 * belong to the contract and go with it.
 */
#ifndef CONTRACT_CASES_H
#define CONTRACT_CASES_H

#include "pki.h"
#include "stores/state.h"
#include "stores/store.h"

#define CONTRACT_NOW INT64_C(1760000000) /* 2025-10-09: no case asks a clock */

/* The cross-signing PKI: sub and leaf hang below new, whose key old signed as cross. */
enum contract_cert {
    CERT_OLD,     /* root */
    CERT_NEW,     /* root; nobody knows it yet */
    CERT_CROSS,   /* new's name and key, issued by old */
    CERT_SUB,     /* issued by new's key */
    CERT_LEAF,    /* localhost, issued by sub */
    CERT_EXPIRED, /* root that is over */
    CERT_OVER,    /* issued by expired while it was good, itself not over */
    CERT_TWIN_A,  /* three roots of one name and three keys */
    CERT_TWIN_B,
    CERT_TWIN_C,
    CERT_LIMITED, /* root with an EKU of its own: server and client */
    CERT_HOSTILE, /* root whose names are paths, control characters, commands */
    CERT_SHIPPED, /* root that comes with the system, where the store has such */
    CERT_BESIDE,  /* likewise */
    CERT_OUT,     /* likewise, and the administrator took it out */
    CERT_CRL,     /* of old; no certificate */
    CERT_COUNT
};

/* What the driver says of one kind of store. */
struct contract;
struct contract_kind {
    const char *backend;
    const char *layout;  /* of a distribution, or NULL */
    const char *nss;     /* directory of NSS libraries, or NULL */
    const char *variant; /* where neither tells kinds apart */
    /* A location inside the scratch directory where no store is yet. Allocated. */
    char *(*location)(const char *scratch);
    /* Everything that is inside the scratch directory as text: names, modes, contents, link
     * targets; with times also inodes and times of change. Allocated. NULL: cannot be seen. */
    char *(*image)(const char *scratch, bool times);
    const char *password; /* that opens what a session's capabilities call locked, or NULL */
    bool directory;       /* in the layout of the OpenSSL directory: its own cases apply */
    bool fixed;           /* cannot be written, whoever asks: its own cases apply, and no others */
    /* Puts at the location what is there before anybody changes it. NULL: nothing. What it holds
     * is no part of the lists below, and a list fails when it is not as it was. */
    void (*stock)(const struct contract *ctx);
};

struct contract {
    const struct contract_kind *kind;
    struct xr_snapshot *stock; /* what the store held at first */
    bool stock_changes;        /* the case changes that itself, and gets whole lists */
    const struct xr_loaded *backend;
    const struct xr_worker_config *worker;
    const char *scratch;
    char *location;
    struct xr_site site;
    size_t leaving_count; /* see struct xr_target; 0 or 1 */
    bool soon;            /* likewise, of sessions that are opened from now on */
    struct xr_subject leaving;
    struct xr_caps caps; /* of a session that reads the store before it exists */
    struct pki_blob certs[CERT_COUNT];
    struct pki_key *key; /* of old */
    struct xr_error err; /* of the last helper that failed */
    const char *skipped;
    char text[2048]; /* of a failure */
    struct {
        struct xr_store **items;
        size_t count, capacity;
    } stores;
    struct {
        struct xr_snapshot **items;
        size_t count, capacity;
    } snapshots;
    struct {
        struct xr_state **items;
        size_t count, capacity;
    } states;
    struct {
        char **items;
        size_t count, capacity;
    } texts;
};

typedef const char *(*contract_fn)(struct contract *ctx);
struct contract_case {
    const char *name; /* a sentence */
    contract_fn run;
};
extern const struct contract_case contract_cases[]; /* every system and backend */
extern const size_t contract_case_count;
extern const struct contract_case contract_posix_cases[]; /* processes and users */
extern const size_t contract_posix_case_count;
extern const struct contract_case contract_directory_cases[]; /* kind->directory */
extern const size_t contract_directory_case_count;
extern const struct contract_case contract_cacerts_cases[]; /* kind->layout */
extern const size_t contract_cacerts_case_count;
extern const struct contract_case contract_live_cases[]; /* kind->layout, on a running system */
extern const size_t contract_live_case_count;

extern const struct contract_case contract_fixed_cases[]; /* stores that cannot be written, alone */
extern const size_t contract_fixed_case_count;

/* kind, backend, worker and scratch are filled by the driver. */
const char *contract_begin(struct contract *ctx);
void contract_end(struct contract *ctx);

/* ---- for cases ---- */

/* NEED ends a case with its line and what it expected; err is what the last operation said. */
#define NEED(condition)                                                \
    do {                                                               \
        if (!(condition))                                              \
            return contract_fail(ctx, __FILE__, __LINE__, #condition); \
    } while (0)
/* The first failure of a helper that is itself made of NEEDs. */
#define TRY(call)                     \
    do {                              \
        const char *failed_ = (call); \
        if (failed_ != NULL)          \
            return failed_;           \
    } while (0)

const char *contract_fail(struct contract *ctx, const char *file, int line, const char *what);
/* NULL. Every kind states how often this happens; what another machine or user could show begins with
 * "not here: " and does not count. */
const char *contract_skip(struct contract *ctx, const char *why);

struct xr_store *contract_open(struct contract *ctx, enum xr_mode mode);
struct xr_store *contract_open_at(struct contract *ctx, const char *location, enum xr_mode mode);
void contract_close(struct contract *ctx, struct xr_store *store); /* NULL is fine */
/* Lists what is there beside the stock, and checks what holds for every entry of every backend;
 * NULL with err on a failure. */
const struct xr_snapshot *contract_list(struct contract *ctx, struct xr_store *store);
/* The state a new reader sees; *ok is false with err when it could not look. */
const struct xr_state *contract_held(struct contract *ctx, const struct xr_subject *subject,
                                     bool *ok);
size_t contract_count(struct contract *ctx); /* entries a new reader sees; SIZE_MAX: failed */

struct xr_bytes contract_der(const struct contract *ctx, enum contract_cert cert);
struct xr_subject contract_subject(const struct contract *ctx, enum contract_cert cert);
/* A wish: one entry as core would make it, without native; the states below may be changed. */
struct xr_state *contract_wish(struct contract *ctx, enum contract_cert cert, enum xr_place place);
struct xr_state *contract_wish_der(struct contract *ctx, struct xr_bytes der, enum xr_place place);
void contract_also(struct contract *ctx, struct xr_state *wish, enum xr_place place);
struct xr_state *contract_copy(struct contract *ctx, const struct xr_state *state);
struct xr_entry *contract_entry(struct xr_state *state, size_t at);
/* Replaces an entry's native; the bytes are copied. */
void contract_native(struct xr_entry *entry, const void *data, size_t len);
/* Something that fits into a place by its kind. */
enum contract_cert contract_fit(enum xr_place place);
bool contract_holds(const struct contract *ctx, enum xr_place place);
/* Can anything be put there? Where a distrust only deselects, nothing but what is shipped. */
bool contract_takes(const struct contract *ctx, enum xr_place place);

enum xr_status contract_swap(struct contract *ctx, struct xr_store *store,
                             const struct xr_state *expect, const struct xr_state *want);
enum xr_status contract_flush(struct contract *ctx, struct xr_store *store);
/* In a session of its own, with flush: expects what is there now. */
const char *contract_put(struct contract *ctx, const struct xr_subject *subject,
                         const struct xr_state *want);
const char *contract_install(struct contract *ctx, enum contract_cert cert, enum xr_place place);
const char *contract_remove(struct contract *ctx, enum contract_cert cert);

/* For a wish with a native record from who knows where, in an empty store: whatever the backend
 * answers, the helper lives, nothing but the wish is listed, and that can be removed again. */
const char *contract_survives(struct contract *ctx, const struct xr_state *want);

const char *contract_image(struct contract *ctx); /* "" when it cannot be seen */
const char *contract_image_times(struct contract *ctx);
/* The first line that differs, for the failure text. */
bool contract_same(struct contract *ctx, const char *before, const char *after);
const char *contract_text(struct contract *ctx, char *text); /* takes ownership */

#endif
