/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin table: what a trust store must be able to do.
 *
 * A backend exports one symbol, xr_backend_entry, a function that returns its table. It links
 * nothing of crossroot: what it needs is lent to it in struct xr_host. It never plans, journals,
 * retries, prints, reads the clock, the environment or the locale.
 *
 * Every struct that crosses the table starts with its size in bytes, so that either side may be
 * older: the reader uses only what both know and takes the rest as zero (XR_HAS). A struct to be
 * filled comes with the size that its reader knows: fill that many bytes at most and leave size as it
 * is; what an older writer does not fill stays as it came, which is zero. A size of 0 is a mistake.
 * Structs grow at their end only, and arrays by place or notice have room for more of them.
 *
 * A count of 0 is an empty list, whatever its pointer is. Empty bytes have a len of 0; data may then be
 * NULL. Of an entry, native may be empty: the backend then makes what it would make of a wish.
 *
 * Outputs come first, struct xr_error last; a NULL error is allowed. Bytes handed to a callback
 * are borrowed until it returns; bytes handed to an operation, until that returns. Everything
 * inside certificates, labels and file names is hostile. Times are seconds since 1970-01-01 UTC.
 */
#ifndef CROSSROOT_BACKEND_H
#define CROSSROOT_BACKEND_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XR_ABI_VERSION 1u
#define XR_SHA256_LEN  32u
#define XR_PATH_MAX    64u               /* certificates in a reported path */
#define XR_NATIVE_MAX  (1u << 20)        /* bytes of a backend's own record of one entry */
#define XR_TEMP_PREFIX ".crossroot-tmp." /* of files that an interrupted write may leave */
#define XR_PLACES_ROOM 16u               /* of arrays by place; XR_PLACE_COUNT are used */
#define XR_NOTICE_ROOM 4u

/* Does the struct, whose other side may be older, reach as far as that member? */
#define XR_HAS(ptr, member) \
    ((ptr)->size >= offsetof(__typeof__(*(ptr)), member) + sizeof((ptr)->member))

enum xr_status {
    XR_OK = 0,
    XR_FAILED,      /* an operation of the system failed */
    XR_INVALID,     /* malformed bytes from outside */
    XR_CONFLICT,    /* the store holds something else than expected; nothing was changed */
    XR_REFUSED,     /* by policy: it would give more trust than asked, or cannot be held */
    XR_DENIED,      /* privilege is missing */
    XR_BUSY,        /* somebody else holds it; try again */
    XR_ABSENT,      /* what was named does not exist */
    XR_UNSUPPORTED, /* this backend cannot do that */
    XR_LOST,        /* a worker is gone: whether it acted is unknown */
    XR_STALE, /* somebody's interrupted write must be taken back: XR_WRITE does when opening */
    XR_STATUS_COUNT
};

struct xr_error {
    size_t size;
    enum xr_status status;
    char domain[16]; /* where code comes from: "errno", "openssl", "worker"… or empty */
    long code;       /* native code of that domain */
    char text[512];  /* one line, UTF-8, no final full stop; may quote hostile bytes */
};

struct xr_bytes {
    const unsigned char *data;
    size_t len;
};

enum xr_place {
    XR_ANCHOR = 0,
    XR_INTERMEDIATE, /* usable for building paths, trusted for nothing */
    XR_PEER,         /* a leaf trusted as itself */
    XR_DISTRUST,
    XR_CRL,
    XR_PLACE_COUNT
};
#define XR_PLACE_BIT(place) (1u << (unsigned)(place))

enum xr_purpose {
    XR_SERVER = 1u << 0,
    XR_CLIENT = 1u << 1,
    XR_EMAIL = 1u << 2,
    XR_CODE = 1u << 3,
    XR_TIME = 1u << 4,
    XR_ANY_PURPOSE = 1u << 30
};

enum xr_subject_type {
    XR_SUBJECT_CERT = 1,      /* id: SHA-256 of the certificate's DER */
    XR_SUBJECT_KEY,           /* id: SHA-256 of the SubjectPublicKeyInfo's DER */
    XR_SUBJECT_ISSUER_SERIAL, /* id: SHA-256 of the issuer's and the serial's DER, in that order */
    XR_SUBJECT_CRL            /* id: SHA-256 of the CRL's DER */
};

struct xr_subject {
    enum xr_subject_type type;
    unsigned char id[XR_SHA256_LEN];
};

/* An extension a store attaches from outside (p11-kit's stapled extensions). */
struct xr_attached {
    size_t size;
    struct xr_bytes oid;   /* DER */
    struct xr_bytes value; /* the whole Extension, DER */
};

enum xr_entry_flag {
    XR_ENTRY_VENDOR = 1u << 0, /* shipped by the distribution or the browser */
    XR_ENTRY_OURS = 1u << 1    /* in the form this backend itself writes */
};

/* One subject in one place of one store. */
struct xr_entry {
    size_t size;
    struct xr_subject subject;
    enum xr_place place;
    uint32_t purposes;      /* of an anchor; XR_ANY_PURPOSE where the store cannot restrict */
    uint32_t flags;         /* enum xr_entry_flag; not part of a comparison */
    const char *label;      /* UTF-8 or NULL */
    struct xr_bytes der;    /* certificate or CRL; empty if the store has only the subject */
    struct xr_bytes issuer; /* DER Name, XR_SUBJECT_ISSUER_SERIAL only */
    struct xr_bytes serial; /* DER INTEGER, likewise */
    const struct xr_attached *attached;
    size_t attached_count;
    struct xr_bytes native; /* what the backend needs to put exactly this back; empty in a wish */
    /* One line for people, UTF-8: what the store's readers do not agree about, or NULL. Not part of
     * a comparison, and not recorded. */
    const char *remark;
    /* XR_SUBJECT_ISSUER_SERIAL: hashes of the certificates that are meant, each after a byte that
     * gives its length (20: SHA-1, 32: SHA-256); empty: any. Neither compared nor recorded. */
    struct xr_bytes about;
};

/* The complete state of one subject over all places of a store. NULL stands for absent. */
struct xr_state {
    size_t size;
    struct xr_subject subject;
    const struct xr_entry *const *entries;
    size_t count;
};

enum xr_strength {
    XR_CANNOT = 0,
    XR_ADVISORY,      /* recorded, but the store's readers do not look at it */
    XR_DESELECT_ONLY, /* stops the vendor's copy, not another one */
    XR_ENFORCED
};

enum xr_notice { XR_NOTICE_GIVEN = 0, XR_NOTICE_TAKEN, XR_NOTICE_COUNT };

/* What one open session can do; belongs to the session, not to the backend. */
struct xr_caps {
    size_t size;
    enum xr_strength places[XR_PLACES_ROOM];
    uint32_t purposes; /* what an anchor can be restricted to; XR_ANY_PURPOSE alone: it cannot */
    uint32_t subjects; /* bits 1 << enum xr_subject_type that distrust can name */
    bool writable;
    bool atomic;          /* a reader never sees a half-made swap */
    bool needs_privilege; /* writable is false only because of who asks */
    char verifier[96];    /* engine of probe, empty without one */
    char why_not[256];    /* one line when not writable */
    char identity[96];    /* equal for two addresses that reach the same place; empty: unknown */
    /* Why a place is XR_CANNOT and what to do instead, one line; empty: the store just has none. */
    char why_cannot[XR_PLACES_ROOM][256];
    bool distrust_by_key; /* a distrust takes every certificate of the key with it */
    char summary[128];    /* what kind of store this is, for people; may be empty */
    /* XR_PLACE_BITs an entry of which can be made or unmade only after unlock; 0: none. */
    uint32_t locked;
    /* One line each for people after a change that gave or took trust: what a program that uses
     * the store right now must do before it counts. Empty: nothing. */
    char notice[XR_NOTICE_ROOM][200];
    bool attaches; /* an anchor can be wished for with extensions attached */
    /* writable is false because a change would do harm that nobody asked for; why_not says which. */
    bool refused;
};

enum xr_answer { XR_UNKNOWN = 0, XR_YES, XR_NO };

/* The same question as other readers of the same store answer it. */
struct xr_opinion {
    size_t size;
    enum xr_answer answer;
    char by[96];
    char why[256];
    unsigned char spare[128]; /* for what may come; zero */
};
#define XR_OPINIONS_MAX 2u

/* What a verifier says of one chain. */
struct xr_verdict {
    size_t size;
    enum xr_answer answer;
    char by[96];                                    /* engine and version */
    char why[256];                                  /* one line: reason of a no, limits of a yes */
    unsigned char path[XR_PATH_MAX][XR_SHA256_LEN]; /* leaf first */
    size_t path_len;
    struct xr_opinion also[XR_OPINIONS_MAX];
    size_t also_count;
};

/* A question to a verifier. A chain[0] that is a CA is checked as an issuer for the purpose. */
struct xr_probe {
    size_t size;
    const struct xr_bytes *chain; /* DER certificates: the one asked about, then untrusted ones */
    size_t count;
    uint32_t purpose; /* one bit of enum xr_purpose */
    const char *host; /* DNS name or address a leaf must carry, or NULL */
    int64_t at;
};

/* Slices of a certificate's own bytes; all point into it. */
struct xr_slices {
    size_t size;
    struct xr_bytes tbs;
    struct xr_bytes serial;  /* DER INTEGER */
    struct xr_bytes issuer;  /* DER Name */
    struct xr_bytes subject; /* DER Name */
    struct xr_bytes spki;    /* DER SubjectPublicKeyInfo */
};

typedef enum xr_status (*xr_bytes_fn)(void *ctx, struct xr_bytes bytes);
typedef enum xr_status (*xr_entry_fn)(void *ctx, const struct xr_entry *entry);

/* Gives every certificate (or CRL) that a place of the store holds under that name; an anchor may be
 * followed by OpenSSL's trust settings, which then count. */
typedef enum xr_status (*xr_lookup_fn)(void *ctx, enum xr_place place, struct xr_bytes name,
                                       uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx);

struct xr_path_check {
    size_t size;
    const struct xr_probe *probe;
    bool partial; /* accept a path that ends in an anchor that is not self-signed */
    xr_lookup_fn lookup;
    void *lookup_ctx;
    bool also_partial; /* the verdict's also gets the answer with partial accepted */
};

/* A trusted certificate is followed by OpenSSL's trust settings (X509_CERT_AUX). */
enum xr_item_kind { XR_ITEM_CERT = 1, XR_ITEM_CRL, XR_ITEM_TRUSTED_CERT };
typedef enum xr_status (*xr_item_fn)(void *ctx, enum xr_item_kind kind, struct xr_bytes der);

/* A program to run: by path and argv, never through a shell, without inherited descriptors. */
struct xr_command {
    size_t size;
    const char *const *argv; /* ends with NULL; argv[0] is the absolute path */
    const char *const *env;  /* "NAME=value", ends with NULL; NULL: PATH of the system's programs */
    const char *directory;   /* to run in, or NULL: the root directory */
    struct xr_bytes input;   /* on its standard input */
    unsigned limit_ms;
    char said[512]; /* out: the end of what it wrote on stdout and stderr, harmless text */
};

/* Services core lends to a backend. */
struct xr_host {
    size_t size;
    /* Writes name inside dirfd so that a reader sees the old or the new content, durable when it
     * returns except for the directory entry (flush syncs that). Temporary names start with
     * XR_TEMP_PREFIX. name is one component. */
    enum xr_status (*write_atomic)(int dirfd, const char *name, struct xr_bytes data, unsigned mode,
                                   struct xr_error *err);
    /* Bounds-checked walk over a certificate (RFC 5280, 4.1). */
    enum xr_status (*slices)(struct xr_slices *out, struct xr_bytes der, struct xr_error *err);
    /* Issuer name of a CRL (RFC 5280, 5.1), a slice of it. */
    enum xr_status (*crl_issuer)(struct xr_bytes *out, struct xr_bytes der, struct xr_error *err);
    /* The hash OpenSSL names directory links by (X509_NAME_hash, OpenSSL 1.0.0 and later). */
    enum xr_status (*name_hash)(uint32_t *out, struct xr_bytes name, struct xr_error *err);
    void (*sha256)(unsigned char out[XR_SHA256_LEN], struct xr_bytes data);
    /* One PEM block, allocated; give it back with release. */
    char *(*pem)(const char *label, struct xr_bytes der, size_t *len);
    /* Every certificate and CRL in a file's bytes: PEM, DER, PKCS#7. */
    enum xr_status (*items)(struct xr_bytes data, xr_item_fn emit, void *ctx, struct xr_error *err);
    /* Splits the bytes of XR_ITEM_TRUSTED_CERT: length of the certificate, and the purposes its
     * settings leave. */
    enum xr_status (*trusted)(size_t *len, uint32_t *purposes, struct xr_bytes bytes,
                              struct xr_error *err);
    bool (*state_equal)(const struct xr_state *a, const struct xr_state *b);
    /* Path validation over what the lookup gives and nothing else; no system store. */
    enum xr_status (*path_check)(struct xr_verdict *out, const struct xr_path_check *check,
                                 struct xr_error *err);
    void (*release)(void *memory);
    /* For formats that still ask for them (JKS, OpenSSL's links of before 1.0): never an identity. */
    void (*sha1)(unsigned char out[20], struct xr_bytes data);
    void (*md5)(unsigned char out[16], struct xr_bytes data);
    /* Runs a program and waits for it; see struct xr_command. XR_OK with its exit code, XR_LOST
     * when the time was up (it was killed), XR_FAILED when it could not be started or died. */
    enum xr_status (*run)(int *exit_code, struct xr_command *command, struct xr_error *err);
    /* An exclusive lock of what fd is open on, until it is closed (flock; LockFileEx). Waits
     * wait_ms; XR_BUSY if somebody keeps it. what is named in err. */
    enum xr_status (*lock)(int fd, unsigned wait_ms, const char *what, struct xr_error *err);
};
#define XR_LOCK_MS 30000u /* how long a store's lock is waited for */

enum xr_scope { XR_SCOPE_USER = 1u << 0, XR_SCOPE_SYSTEM = 1u << 1, XR_SCOPE_ALL_USERS = 1u << 2 };

/* Where to look: everything a backend may know of the machine and the caller. */
struct xr_site {
    size_t size;
    const char *root;      /* directory of an image, or NULL for this machine */
    const char *home;      /* or NULL; of a user in an image, named from its root */
    const char *data_home; /* $XDG_DATA_HOME or its default, or NULL */
    unsigned long uid;     /* effective */
    const char *layout;    /* --layout: of the distribution, instead of what is found; or NULL */
    bool updater_distro;   /* --updater distro: the distribution's own command makes the outputs */
    const char *config_home; /* $XDG_CONFIG_HOME or its default, or NULL */
    const char *nss; /* --nss: directory of the NSS libraries to use, from the root, or NULL */
    bool rebuild;    /* --rebuild: what is published may lose what comes from no source */
};

struct xr_found {
    size_t size;
    const char *location; /* the part of a store address after "BACKEND:" */
    const char *identity; /* as in struct xr_caps, or NULL */
    const char *summary;  /* one line for people, or NULL */
};
typedef enum xr_status (*xr_found_fn)(void *ctx, const struct xr_found *found);

/* XR_PROBE: for probe alone, where that needs a session apart (XR_BACKEND_PROBE_APART). */
enum xr_mode { XR_READ = 0, XR_WRITE, XR_PROBE };

struct xr_target {
    size_t size;
    const struct xr_site *site;
    const char *location;
    /* XR_BACKEND_PUBLISHES: certificates that crossroot itself took out of this store, or was about
     * to when it was interrupted. Copies that are still published may go. */
    const struct xr_subject *leaving;
    size_t leaving_count;
};

struct xr_session; /* each backend has its own */

enum xr_backend_flag {
    XR_BACKEND_WORKER = 1u << 0, /* sessions run in a helper program, one store each */
    XR_BACKEND_PATHS = 1u << 1,  /* locations are paths: core makes them absolute */
    /* Stores lie in people's homes: where the caller may, core looks for and opens each as the user
     * whose home it is in, and site.home is that home. discover is asked for one home at a time, as
     * XR_SCOPE_USER, and what it then names must lie in that home. Needs XR_BACKEND_PATHS. */
    XR_BACKEND_HOMES = 1u << 2,
    /* A session that was asked to list or swap cannot probe, nor the other way round. */
    XR_BACKEND_PROBE_APART = 1u << 3,
    /* discover of this machine runs code of others, and is asked in a helper too. */
    XR_BACKEND_DISCOVER_APART = 1u << 4,
    /* flush makes files that programs read out of what the store holds. What these files hold beyond
     * that would be lost: then no session is writable (caps.refused), but with site.rebuild. */
    XR_BACKEND_PUBLISHES = 1u << 5
};

struct xr_backend {
    uint32_t abi; /* XR_ABI_VERSION */
    size_t size;  /* sizeof(struct xr_backend) as the backend was compiled */
    const char *name;
    const char *summary;
    uint32_t flags;

    /* Names the stores present, in a stable order. None present is XR_OK without a call. */
    enum xr_status (*discover)(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err);
    /* XR_READ never changes or creates anything and returns without a lock; a store that does not
     * exist yet but could be made opens and lists nothing. XR_WRITE takes the store's lock, waiting a little;
     * XR_BUSY if somebody keeps it. A session that cannot write still opens with XR_WRITE if it
     * can be read: caps say so. */
    enum xr_status (*open)(struct xr_session **out, struct xr_caps *caps,
                           const struct xr_host *host, const struct xr_target *target,
                           enum xr_mode mode, struct xr_error *err);
    void (*close)(struct xr_session *session);
    /* Every entry, ours or not. A status other than XR_OK from emit ends it and is returned. */
    enum xr_status (*list)(struct xr_session *session, xr_entry_fn emit, void *ctx,
                           struct xr_error *err);
    /* The only mutation: replaces the complete state of one subject. expect is compared whole,
     * native included; anything else in the store is XR_CONFLICT. XR_CONFLICT and XR_REFUSED
     * promise that nothing was changed. Narrowing makes the new state before it destroys the old.
     * An entry of want that carries native is put back exactly. On any other failure the store may
     * be in between: core swaps back what list then shows.
     *
     * Core sees to this before it calls, and a backend need not look again: the session is for
     * writing, and its caps say writable. Either state may be NULL, not both; one that is there has
     * an entry. All entries of both are of one subject, which their states name too, and in a place of
     * enum xr_place. A certificate or CRL comes with its der, which has that SHA-256; issuer and serial
     * of XR_SUBJECT_ISSUER_SERIAL have theirs. All else may come from a journal that somebody wrote:
     * whether der can be parsed, whether place, purposes, attached and native are such that the
     * store can hold them. */
    enum xr_status (*swap)(struct xr_session *session, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err);
    /* Optional. Makes swaps effective (links, bundles, hooks) and durable; writes only what
     * differs, and finishes or tidies what an interrupted run left. XR_FAILED with a text is a
     * warning to core (the entries are in place), never a reason to roll back. XR_OK with a text
     * in err says what had been out of date before; it is shown when nothing else changed. */
    enum xr_status (*flush)(struct xr_session *session, struct xr_error *err);
    /* Optional. The store's own verifier. XR_OK with XR_UNKNOWN means it cannot tell. */
    enum xr_status (*probe)(struct xr_session *session, struct xr_verdict *out,
                            const struct xr_probe *probe, struct xr_error *err);
    /* Optional. A session for reading becomes one for writing, as open would make it: takes the
     * lock, and caps are filled anew. What it read before counts only where list then finds it
     * unchanged. On a failure the session stays for reading. */
    enum xr_status (*renew)(struct xr_session *session, struct xr_caps *caps, struct xr_error *err);
    /* Optional. Opens what caps.locked names, until close; XR_DENIED if the password is wrong. The
     * backend keeps no copy. */
    enum xr_status (*unlock)(struct xr_session *session, struct xr_bytes password,
                             struct xr_error *err);
    /* Optional. Loads libraries that sessions at this site will need, in a helper that is then
     * copied (fork) for each of many stores: starts no thread, opens nothing that lasts. */
    void (*preload)(const struct xr_site *site);
};

typedef const struct xr_backend *(*xr_backend_entry_fn)(void);
#define XR_BACKEND_ENTRY "xr_backend_entry"
#if defined(__GNUC__)
#define XR_BACKEND_EXPORT __attribute__((visibility("default")))
#else
#define XR_BACKEND_EXPORT
#endif
/* XR_BACKEND(table), last in a backend's source, defines that function. A build that links the
 * backend gives it another name, XR_ENTRY. */
#ifdef XR_ENTRY
#define XR_BACKEND_VISIBLE
#else
#define XR_ENTRY           xr_backend_entry
#define XR_BACKEND_VISIBLE XR_BACKEND_EXPORT
#endif
#define XR_BACKEND(table)                                       \
    XR_BACKEND_VISIBLE const struct xr_backend *XR_ENTRY(void); \
    XR_BACKEND_VISIBLE const struct xr_backend *XR_ENTRY(void)  \
    {                                                           \
        return &(table);                                        \
    }                                                           \
    struct xr_backend /* the semicolon's */

#if defined(__MINGW32__) && !defined(__clang__) /* compiled with the formats of ISO C */
#define XR_PRINTF(format_at, first) __attribute__((format(gnu_printf, format_at, first)))
#elif defined(__GNUC__)
#define XR_PRINTF(format_at, first) __attribute__((format(printf, format_at, first)))
#else
#define XR_PRINTF(format_at, first)
#endif

/* Fills err (which may be NULL) and returns status, so that a failure is one statement. */
XR_PRINTF(5, 6)
static inline enum xr_status xr_error_set(struct xr_error *err, enum xr_status status,
                                          const char *domain, long code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        err->size = sizeof(*err);
        err->status = status;
        err->code = code;
        (void)snprintf(err->domain, sizeof(err->domain), "%s", domain);
        va_start(args, format);
        (void)vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
    }
    return status;
}

#ifdef __cplusplus
}
#endif
#endif
