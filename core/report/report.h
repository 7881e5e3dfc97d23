/* SPDX-License-Identifier: Apache-2.0 */
/* One result; text.c and json.c write it, facts.c lends it. The wing report may use change, readers, stores, lists, certs, sys, kit. */
#ifndef XR_REPORT_H
#define XR_REPORT_H

#include "certs/input.h"
#include "change/txn.h"
#include "lists/diff.h"
#include "readers/readers.h"

const char *xr_level_name(enum xr_level level);

struct xr_message {
    enum xr_level level;
    char *text;  /* may have several lines; hostile bytes already visible */
    char *store; /* or NULL */
};

/* One store's answer about one file. */
struct xr_answer_row {
    char *store, *file;
    size_t pool_at;
    struct xr_verdict verdict;
    size_t shared, alike; /* as in struct xr_run */
    char *why;            /* when there is no verdict at all */
};
void xr_answer_row_free(struct xr_answer_row *row); /* what it owns */

/* What inspect found out about one certificate of its input. */
struct xr_inspected {
    size_t at;                  /* in the pool; XR_NONE: the item is no certificate */
    enum xr_answer self_signed; /* XR_UNKNOWN: its own signature could not be checked */
    struct xr_relatives issued_by, same_key;
    struct xr_strings warnings;
    char *would_go; /* where an installation would put it, for people; owned */
};

/* What list gives of one store. */
struct xr_listed {
    const struct xr_entry **items; /* of the run's snapshot */
    size_t count, capacity;
};

/* The file that a server must send. */
struct xr_chain {
    struct {
        struct xr_chain_row {
            size_t at; /* in the pool */
            bool cross;
            int64_t until; /* of use until then */
        } * items;         /* in the order of the file */
        size_t count, capacity;
    } rows;
    struct {
        struct xr_chain_left {
            size_t at;
            char *why; /* for people, visible */
        } * items;
        size_t count, capacity;
    } left_out;
    struct {
        struct xr_chain_store {
            char *store;
            bool silent;              /* of a store that is asked together with others */
            enum xr_answer validates; /* with this file */
            char *why;                /* of an answer that is not yes; or NULL */
            bool *needs;              /* by row: not without it */
        } * items;
        size_t count, capacity;
    } stores;
    bool has_until; /* is there a cross certificate? */
    int64_t until;  /* when the first of them is of no more use */
};

/* What show was asked for. */
struct xr_shown {
    struct xr_subject subject;
    size_t
        item; /* of the input, which holds what stores hold too; XR_NONE: no certificate or CRL */
};

/* A certificate that an output of extract does not have, or not as the list has it. */
struct xr_left_out {
    char *name; /* visible */
    bool has_sha256;
    unsigned char sha256[XR_SHA256_LEN];
    char *why;
    bool kept;  /* it is there, but less is said of it */
    bool plain; /* as asked, or as the list says: text gives only their number */
};

/* One output of extract. */
struct xr_written {
    char *format, *path;
    enum xr_written_state {
        XR_WRITTEN_NEW,
        XR_WRITTEN_SAME, /* it was there already, byte for byte */
        XR_WRITTEN_REPLACED,
        XR_WRITTEN_DIFFERS, /* --check: something else is there, or nothing */
        XR_WRITTEN_FAILED
    } state;
    char *why;           /* it failed; visible */
    bool empty;          /* it failed because nothing is left for it */
    size_t certs, files; /* files: of a directory, links too; 0: one file */
    bool to_stdout;      /* PATH is "-": content is the result */
    struct xr_buf content;
    struct {
        struct xr_left_out *items;
        size_t count, capacity;
    } left_out;
    struct xr_strings differences;
};

void xr_written_free(struct xr_written *written); /* what it owns */

/* For programs that read a report with facts.c; no part of the result. */
struct xr_report_reader {
    char **names; /* by place in the pool; NULL until asked for */
    size_t name_count;
    /* What the journal says of one store: by subject, where crossroot put it (XR_PLACE_BITs). */
    struct xr_managed {
        char *store; /* or NULL: of none yet */
        struct xr_idmap subjects;
        struct {
            uint32_t *items;
            size_t count, capacity;
        } places;
    } managed;
};

/* Finished facts: whoever prints or reads a report checks nothing and changes nothing in it. */
struct xr_report {
    enum xr_verb verb;
    int exit;
    bool dry_run, managed;
    bool selected; /* history: of some stores only */
    bool pruned;   /* history: the journal has what was pruned, or would be in a dry run */
    size_t stayed; /* pruned: other transactions that are as old */
    int64_t now;
    int64_t expires_by; /* list: only what expires until then; 0: all */
    char transaction[XR_JOURNAL_ID_LEN + 1];
    struct {
        struct xr_message *items;
        size_t count, capacity;
    } messages;
    struct xr_registry registry;
    struct xr_input input;
    struct xr_pool pool;
    struct xr_runs runs;
    struct {
        struct xr_answer_row *items;
        size_t count, capacity;
    } answers;
    struct {
        struct xr_inspected *items; /* as input.found */
        size_t count, capacity;
    } inspected;
    struct {
        struct xr_listed *items; /* as runs, once xr_report_list was called */
        size_t count, capacity;
    } listed;
    struct {
        struct xr_shown *items;
        size_t count, capacity;
    } shown;
    struct xr_chain chain;
    struct xr_readers readers;
    bool asked; /* readers: of a file */
    struct {
        struct xr_written *items;
        size_t count, capacity;
    } written; /* extract */
    struct {
        char *names[2]; /* of the two sides, as the user wrote them */
        struct xr_list lists[2];
        struct xr_diff_options options;
        struct xr_diff diff; /* points into the lists */
    } compared;
    struct xr_journal journal; /* for history and list --managed */
    struct xr_report_reader *reader;
};

struct xr_report *xr_report_new(enum xr_verb verb);
XR_PRINTF(4, 5)
void xr_report_say(struct xr_report *report, enum xr_level level, const char *store,
                   const char *format, ...);
/* The same for text of several lines, whose arguments are visible already. */
XR_PRINTF(4, 5)
void xr_report_say_lines(struct xr_report *report, enum xr_level level, const char *store,
                         const char *format, ...);
/* Puts the messages from that one on into the order of the runs; those of no store stay first. */
void xr_report_sort(struct xr_report *report, size_t from);
/* The higher of two exit codes, in DESIGN's order. */
void xr_report_raise(struct xr_report *report, enum xr_exit code);
/* An error, and the exit code that goes with it. */
void xr_report_fail(struct xr_report *report, enum xr_exit code, const char *text);
/* Short name of a certificate of the pool for people, allocated, visible; at may be XR_NONE. */
char *xr_report_name(const struct xr_report *report, size_t at);
extern const char xr_report_no_name[]; /* of one whose subject is empty */
/* The store's name for people, allocated, visible: "Firefox profile \"work\" (tanaka)". Its address where
 * the user wrote that, or where another store has the same name. */
char *xr_report_store_name(const struct xr_report *report, const struct xr_run *run);
/* The same in another language; NULL: English. */
char *xr_report_store_name_in(const struct xr_report *report, const struct xr_run *run,
                              const struct xr_catalogue *catalogue);
/* "root", "cross"… of a certificate of the pool; NULL for XR_NONE, or where nobody found it out. */
const char *xr_report_kind(const struct xr_report *report, size_t at);
/* Does its verb take trust away, so that the verifier is expected to say no? */
bool xr_report_takes(const struct xr_report *report);
/* Did its verb write to any store? */
bool xr_report_changed(const struct xr_report *report);
/* Was this entry written by crossroot? */
bool xr_report_managed(const struct xr_report *report, const struct xr_run *run,
                       const struct xr_entry *entry);
/* The certificate of an entry; NULL if it has none. */
const struct xr_cert *xr_report_cert(const struct xr_report *report, const struct xr_entry *entry);
bool xr_report_expired(const struct xr_report *report, const struct xr_cert *cert);
/* A change of a record as the one step of a plan, which the caller frees. */
void xr_report_change(struct xr_plan *out, const struct xr_report *report,
                      const struct xr_change *change);
/* listing.c: fills listed, once the journal and all stores are read. */
void xr_report_list(struct xr_report *report, enum xr_sort sort);
/* What is listed of the run at that index; empty before xr_report_list. */
const struct xr_listed *xr_report_listed(const struct xr_report *report, size_t run);
/* Places where trust lives that no backend of this build covers, one line each, NULL-terminated. */
extern const char *const xr_report_not_covered[];

const char *xr_json_library(void); /* version of the jansson that runs */

#endif
