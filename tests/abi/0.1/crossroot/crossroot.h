/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcrossroot: install, remove, distrust, verify and list CA certificates in trust stores.
 *
 * One request names a verb and what it works on; xr_run_request carries it out and gives a report,
 * which can be written as text or as one JSON document (schema 1). The library prints nothing and
 * reads neither the clock, the environment nor the locale: the caller passes them in.
 *
 * Helper programs of one request run in parallel, in threads of the library that end with the call
 * and take no signals. Callbacks are never called at the same time, but may be called from such a
 * thread. One request must not be used by two threads at once. Different requests may run in
 * different threads if they use different state directories. Out of memory ends the process
 * (docs/decisions/0002), in libcrypto too, unless the program used libcrypto before.
 */
#ifndef CROSSROOT_CROSSROOT_H
#define CROSSROOT_CROSSROOT_H

#include <crossroot/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef XR_API /* set it when linking statically, so that the names are not exported */
#elif defined(__GNUC__)
#define XR_API __attribute__((visibility("default")))
#else
#define XR_API
#endif

enum xr_verb {
    XR_VERB_INSPECT,
    XR_VERB_STORES,
    XR_VERB_LIST,
    XR_VERB_INSTALL,
    XR_VERB_REMOVE,
    XR_VERB_DISTRUST,
    XR_VERB_VERIFY,
    XR_VERB_UNDO,
    XR_VERB_HISTORY,
    XR_VERB_RECOVER,
    XR_VERB_SHOW,
    XR_VERB_READERS,
    XR_VERB_EXTRACT,
    XR_VERB_DIFF,
    XR_VERB_CHAIN,
    XR_VERB_REFRESH,
    XR_VERB_COUNT
};

/* Process exit codes, also the value of "exit" in JSON. */
enum xr_exit {
    XR_EXIT_OK = 0,
    XR_EXIT_FAILED = 1,
    XR_EXIT_USAGE = 2,
    XR_EXIT_DRIFT = 3,
    XR_EXIT_PARTIAL = 4,
    XR_EXIT_PRIVILEGE = 5,
    XR_EXIT_NO = 6,
    XR_EXIT_CONFIRM = 7,
    XR_EXIT_INTERRUPTED = 130
};

enum xr_reply { XR_REPLY_NO, XR_REPLY_YES, XR_REPLY_NOBODY };

/* Order of the entries of a store. */
enum xr_sort {
    XR_SORT_NONE, /* as the store gives them */
    XR_SORT_EXPIRY,
    XR_SORT_SUBJECT,
    XR_SORT_PLACE
};

/* extract: what becomes of certificates that have expired, or that have a date after which they are not
 * trusted to issue. */
enum xr_keep {
    XR_KEEP,
    XR_DROP_PAST, /* not, if the date is past */
    XR_DROP
};

/* A list of C strings, borrowed until the request is done. */
struct xr_words {
    const char *const *items;
    size_t count;
};

/*
 * Which members a verb uses. All verbs use verb, stores, excluded, plugins, site, scope, state_dir,
 * worker, parallel, progress and interrupted. In addition:
 *
 *   inspect              operands (one at least), password, now, only_files
 *   stores               none
 *   history              none; prune, and with it yes, dry_run, confirm
 *   list                 managed, expires_by, sort, now
 *   show                 operands (one at least), password, now
 *   verify               operands, untrusted, password, purposes, host, at or now
 *   readers              operands (none or one), untrusted, password, purposes, host, at or now,
 *                        environment
 *   extract              sources or stores, outputs, blocklists, purposes, merge, comments, check, update,
 *                        overwrite, expired, distrust_after, modified, password, now
 *   diff                 operands (two), purposes, password, now
 *   chain                operands (one at least), sources, all_paths, password, at or now
 *   install              operands, pins, published, has_place and place, purposes, now, and all below
 *   remove               operands, has_place and place, now, and all below
 *   distrust             operands, serials, key, best_effort, now, and all below
 *   undo                 operands (none or one), now, and all below
 *   recover              now, and all below
 *   refresh              anew
 *
 * "All below": yes, dry_run, all_or_nothing, confirm, password, ask_password, has_invoker, invoker, by,
 * log; and for install also drop_constraints, require_verified, only, permit_dns and permit_cidrs. A verb ignores all other members.
 *
 * refresh does what the distribution's own update command does: it makes what programs read from the
 * sources, whatever these hold, also what nobody has confirmed. It records nothing, and runs no hook.
 */
struct xr_request {
    size_t size; /* sizeof(struct xr_request); one that does not reach site is a usage error */
    enum xr_verb verb;
    struct xr_words operands; /* files, directories, "-", IDs; for undo at most one transaction */
    struct xr_words stores, excluded; /* store addresses; none: every store of the scope */
    struct xr_words plugins;          /* files, in addition to those of the plugin directory */
    struct xr_words pins;             /* as typed */
    struct xr_words published;        /* files */
    struct xr_words untrusted;        /* files */
    struct xr_words serials;          /* distrust: what the operands issued with these numbers */
    const struct xr_site *site;       /* borrowed like the words; its size must be set too */
    unsigned scope;                   /* enum xr_scope */
    const char *state_dir;            /* directory of the journal */
    const char *worker;               /* absolute path of the helper; NULL: the installed one */
    int64_t now;
    bool has_place;
    enum xr_place place; /* --as, --from */
    uint32_t purposes;   /* --for; 0: the default */
    const char *host;
    int64_t at; /* verify as of this time; 0: now */
    bool yes, dry_run, best_effort, drop_constraints, key, require_verified, all_or_nothing,
        managed;
    /* Shows text (a preview of the change) and asks whether to go on. NULL: nobody can answer. */
    enum xr_reply (*confirm)(void *ctx, const char *text);
    bool (*interrupted)(void *ctx); /* NULL: never */
    void *ctx;
    struct xr_bytes password; /* of stores and PKCS#12 files that have one; data NULL: not known */
    /* Writes the password of store (safe to show) to out, at most size bytes; again: the previous
     * one was wrong. False if nobody answers. The library wipes out. NULL: nobody can answer. */
    bool (*ask_password)(void *ctx, const char *store, bool again, char *out, size_t size,
                         size_t *len);
    /* The user on whose behalf root runs (sudo): "this user" is then that user, not root. */
    bool has_invoker;
    uint32_t invoker;
    unsigned parallel; /* stores to work on at once; 0: as many as is of use */
    /* Reports progress: done of total stores, and the next store (safe to show). Never called twice
     * at the same time, but from any thread. store NULL: this part of the work is over. May be
     * NULL. */
    void (*progress)(void *ctx, size_t done, size_t total, const char *store);
    /* --only: an anchor is trusted for purposes alone. Else it is also trusted for what it was. */
    bool only;
    bool verbose;       /* confirmations name every store, not their number */
    int64_t expires_by; /* list: only what expires until then or has expired; 0: all */
    enum xr_sort sort;  /* list */
    /* A value of stores that names a backend alone looks in these scopes too (enum xr_scope). 0: only
     * in scope. */
    unsigned reach;
    const char *by;             /* who asks, for the history: a user's name. NULL: not known */
    bool only_files;            /* inspect: the stores of the scope are not in view */
    struct xr_words permit_dns; /* install: DNS names that anchors are limited to; none: no limit */
    struct xr_words permit_cidrs; /* likewise ranges of addresses, such as 192.0.2.0/24 */
    /* readers: "NAME=value" of the variables that programs on this machine would have: PATH, and those
     * that direct them to other files. */
    struct xr_words environment;
    /* extract, chain: root lists, files, directories, store addresses. */
    struct xr_words sources;
    struct xr_words outputs;     /* extract: FORMAT=PATH */
    struct xr_words blocklists;  /* extract: files with SHA-256 of certificates to leave out */
    bool merge;                  /* extract: later sources add purposes */
    bool comments;               /* extract: a line with the label before each certificate */
    bool check;                  /* extract: compare with what is at PATH, write nothing */
    bool update;                 /* extract: keep what others put into a keystore */
    bool overwrite;              /* extract: replace a directory that is not empty */
    bool all_paths;              /* chain: what every path needs, not one */
    enum xr_keep expired;        /* extract: XR_KEEP or XR_DROP */
    enum xr_keep distrust_after; /* extract: XR_KEEP, XR_DROP_PAST or XR_DROP */
    bool has_modified;
    int64_t
        modified; /* extract: the time of the sources that headers name, instead of their files' */
    /* Told of each store that is changed: one line for the system's log, UTF-8 without control
     * characters, at most 1000 bytes (docs/safety.md has its fields). Called before the journal records
     * that the store's part is over, so that no crash loses it; what is rolled back later has a line of
     * its own. NULL: nobody is told. */
    void (*log)(void *ctx, const char *line);
    bool anew; /* refresh: as --fresh of Debian's command; says that everything was added */
    /* history: forgets what is older than this (see xr_time_parse), or than the transaction whose ID begins
     * so, but for what is not over, and what says how stores came to what they hold. NULL: nothing. */
    const char *prune;
    /* The report is only for xr_report_text: kinds that nothing depended on, and that it does not show, may
     * stay NULL, because finding one out checks a signature. */
    bool text_only;
};
#define XR_PASSWORD_MAX 4096u

struct xr_report;

/* Never NULL. Errors are in the report. Free it with xr_report_free. */
XR_API struct xr_report *xr_run_request(const struct xr_request *request);
/* A report about a request that could not be built: exit 2 and one error. Never NULL. */
XR_API struct xr_report *xr_report_usage(enum xr_verb verb, const char *text);
XR_API int xr_report_exit(const struct xr_report *report);
/* ID of the transaction that recorded what this request changed, for undo; NULL if it changed nothing.
 * Valid until xr_report_free. */
XR_API const char *xr_report_transaction(const struct xr_report *report);

/*
 * Another language. Reports and what the library tells its callers are in English; what they show to
 * people can be given in the language of a catalogue, a GNU MO file (gettext's manual, "The Format of GNU
 * MO Files") with the charset UTF-8. JSON is always in English.
 */
struct xr_catalogue;
/* Borrows the bytes. NULL: they are no such file. Free it with xr_catalogue_free. */
XR_API struct xr_catalogue *xr_catalogue_new(struct xr_bytes mo);
XR_API void xr_catalogue_free(struct xr_catalogue *catalogue);
/* The translation of a text, or the text itself, also where catalogue is NULL. A translated format has
 * the conversions of the text, in the same order. */
XR_API const char *xr_tr(const struct xr_catalogue *catalogue, const char *text)
    __attribute__((format_arg(2)));
/* Likewise of a text with a number: one for a single thing, many for others, by the rules of the
 * catalogue's language. */
XR_API const char *xr_tr_n(const struct xr_catalogue *catalogue, const char *one, const char *many,
                           size_t count) __attribute__((format_arg(2), format_arg(3)));
/* The same for what a report or an error says: finished English lines, whose format is found in the
 * catalogue again and their arguments with it. Allocated; what is not found stays English. */
XR_API char *xr_tr_said(const struct xr_catalogue *catalogue, const char *said);

struct xr_text_style {
    size_t size;
    bool color, quiet, verbose;
    /* Columns of the terminal: what does not fit is shortened, IDs to 16 digits unless verbose. 0: not
     * a terminal, nothing is shortened. */
    unsigned width;
    /* Writes a time for people, such as local time with its zone. NULL: UTC as in JSON. Where it ends in
     * a blank and the zone's offset (+0900), the validity of certificates is given in that zone too. */
    void (*local_time)(char *out, size_t size, int64_t at);
    bool pem;      /* of XR_VERB_SHOW: what is shown as PEM, and nothing else */
    bool markdown; /* of XR_VERB_DIFF: for a changelog */
    const struct xr_catalogue *catalogue; /* of the language; NULL: English */
};
/* Results, for stdout. */
XR_API void xr_report_text(const struct xr_report *report, const struct xr_text_style *style,
                           FILE *out);
/* Messages, for stderr: one line each, "crossroot: warning: …". What many stores say is said once, with how
 * many they are, unless verbose. */
XR_API void xr_report_messages(const struct xr_report *report, const struct xr_text_style *style,
                               FILE *out);
/* One JSON document and a newline, pure ASCII. */
XR_API void xr_report_json(const struct xr_report *report, FILE *out);
XR_API void xr_report_free(struct xr_report *report);

/*
 * What a report says, without parsing it. Each function fills out with the at-th element of its kind,
 * in the report's order, and returns false past the end:
 *
 *     struct xr_report_store store = {.size = sizeof(store)};
 *
 *     for (size_t i = 0; xr_report_store(report, i, &store); i++)
 *         puts(store.address);
 *
 * The caller sets size; a size of 0 gives false. Members that this library does not know stay zero.
 * Pointers are valid until xr_report_free; structs of backend.h begin with their own size. Words
 * ("anchor", "done", "root") are those of the JSON document. Addresses, files, labels and names are
 * unchanged and may be hostile: escape them before you show them. Only one thread at a time may read
 * a report.
 */
enum xr_level { XR_INFO, XR_NOTE, XR_WARNING, XR_ERROR };

struct xr_report_message {
    size_t size;
    enum xr_level level;
    const char *text;  /* safe to show; may have several lines */
    const char *store; /* its address, or NULL */
};
XR_API bool xr_report_message(const struct xr_report *report, size_t at,
                              struct xr_report_message *out);

/* A store of the request, whatever its verb. */
struct xr_report_store {
    size_t size;
    const char *address; /* BACKEND:LOCATION */
    const char *backend;
    const struct xr_caps *caps; /* NULL where it could not be opened */
    const char *why;            /* why it was not read, or not changed as asked; or NULL */
    const char *state;          /* after a change: "done", "unchanged"…; else NULL */
    /* What the store's verifier said after the change, or NULL. After a distrust, "no" is the
     * wanted answer. */
    const struct xr_verdict *verdict;
    /* Stores that hold the same, this one among them, one of which was asked for all; else 1. */
    size_t alike;
};
XR_API bool xr_report_store(const struct xr_report *report, size_t at, struct xr_report_store *out);

/* XR_VERB_LIST: an entry of that store. Only managed ones if the request asked for that. */
struct xr_report_entry {
    size_t size;
    const struct xr_entry *entry;
    const char *place;
    const char *name; /* subject of its certificate in RFC 4514 form; NULL without a certificate */
    const char *kind; /* "root", "cross"…; NULL without a certificate */
    bool managed;     /* crossroot installed it */
};
XR_API bool xr_report_entry(const struct xr_report *report, size_t store, size_t at,
                            struct xr_report_entry *out);

/* A verb that changes stores: a step of that store. The store's state says whether it was done. */
struct xr_report_step {
    size_t size;
    const struct xr_subject *subject;
    const char *action; /* "none", "add", "change", "remove" or "refuse" */
    const char *place;
    const char *why;         /* reason of a refusal or of "none", or a remark; or NULL */
    const char *name, *kind; /* as in struct xr_report_entry */
    uint32_t before, after;  /* purposes that it is an anchor for, before and after the step */
};
XR_API bool xr_report_step(const struct xr_report *report, size_t store, size_t at,
                           struct xr_report_step *out);

/* XR_VERB_VERIFY: what one store's verifier said of one file. */
struct xr_report_answer {
    size_t size;
    const char *store, *file;
    const unsigned char *sha256;      /* of the verified certificate, or NULL */
    const struct xr_verdict *verdict; /* NULL if no verifier could be asked */
    const char *why;                  /* why there is no verdict, or the verdict's reason; or
                                       * NULL */
    size_t alike;                     /* as in struct xr_report_store */
};
XR_API bool xr_report_answer(const struct xr_report *report, size_t at,
                             struct xr_report_answer *out);

/* XR_VERB_REFRESH: what was said of that store, see enum xr_refreshed. text is a path, or a remark. */
struct xr_report_refreshed {
    size_t size;
    enum xr_refreshed what;
    const char *text;
};
XR_API bool xr_report_refreshed(const struct xr_report *report, size_t store, size_t at,
                                struct xr_report_refreshed *out);

XR_API const char *xr_version(void);    /* "0.1.0" */
XR_API const char *xr_plugin_dir(void); /* directory that plugins are loaded from */

/* For bug reports: what this library is. Texts are constants; none is NULL. */
struct xr_about {
    size_t size; /* set by the caller; members that this library does not know stay zero */
    const char *version;
    const char *commit;   /* of the sources, or empty: not known */
    const char *compiler; /* "gcc 12.2.0" */
    const char *options;  /* of the build, separated by blanks */
    const char *worker;   /* the installed helper program */
    const char *openssl;  /* versions of the libraries that it runs with */
    const char *jansson;
};
XR_API void xr_about_library(struct xr_about *out);
/* A text from outside as reports show it, on one line: what acts on a terminal or deceives readers
 * (control, bidirectional and zero-width characters) becomes \u{XXXX}, bytes that are not UTF-8 \xXX.
 * Allocated. */
XR_API char *xr_shown(const char *text);
/* A backend, or a plugin that is none. Texts are safe to show, and valid until the call ends. */
struct xr_known_backend {
    size_t size;
    const char *name, *summary; /* NULL where it could not be loaded */
    const char *plugin;         /* the file it came from; NULL: built in, or not loaded */
    const char *why;            /* one line, with the file: why it could not be loaded; or NULL */
};
/* Loads plugins as a request would, and tells of each backend: the built-in ones, plugins (files, in
 * addition to those of the plugin directory), then those that could not be loaded. */
XR_API void xr_known_backends(const struct xr_words *plugins,
                              void (*tell)(void *ctx, const struct xr_known_backend *backend),
                              void *ctx);
XR_API const char *xr_verb_name(enum xr_verb verb);
XR_API uint32_t xr_purpose_parse(const char *name); /* 0: not a purpose */
XR_API bool xr_place_parse(enum xr_place *out, const char *name);
/* RFC 3339 date or date and time in UTC. */
XR_API int64_t xr_time_parse(const char *text, bool *ok);

#ifdef __cplusplus
}
#endif
#endif
