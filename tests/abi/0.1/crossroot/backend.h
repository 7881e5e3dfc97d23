/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin table: what a trust store must be able to do.
 *
 * A backend exports one symbol, xr_backend_entry, a function that returns its table. It links
 * nothing of crossroot: what it needs it gets through struct xr_host. It never plans, journals,
 * retries or prints, and never reads the clock, the environment or the locale.
 *
 * Every struct that crosses the table starts with its size in bytes, so that either side may be
 * older: the reader uses only the members that both know and takes the others as zero (XR_HAS). A
 * struct that the other side fills comes with size set: the writer fills at most that many bytes
 * and does not change size; what an older writer does not fill stays zero. A size of 0 is an error.
 * Structs grow only at their end. Arrays by place or by notice have room for more elements.
 *
 * A count of 0 is an empty list, whatever its pointer is. Empty bytes have a len of 0; data may
 * then be NULL. native of an entry may be empty: the backend then makes the entry as it would for a
 * new install.
 *
 * Outputs come first, struct xr_error last; a NULL error is allowed. Bytes passed to a callback or
 * to an operation are borrowed until it returns. Treat everything inside certificates, labels and
 * file names as hostile. Times are seconds since 1970-01-01 UTC.
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
#define XR_PATH_MAX    64u               /* most certificates in a reported path */
#define XR_NATIVE_MAX  (1u << 20)        /* most bytes of a backend's own record of one entry */
#define XR_TEMP_PREFIX ".crossroot-tmp." /* of files that an interrupted write may leave */
#define XR_PLACES_ROOM 16u               /* length of arrays by place */
#define XR_NOTICE_ROOM 4u

/* Does the struct, which an older side may have made, have that member? */
#define XR_HAS(ptr, member) \
    ((ptr)->size >= offsetof(__typeof__(*(ptr)), member) + sizeof((ptr)->member))

enum xr_status {
    XR_OK = 0,
    XR_FAILED,      /* an operation of the system failed */
    XR_INVALID,     /* malformed bytes from outside */
    XR_CONFLICT,    /* the store does not hold what was expected; nothing was changed */
    XR_REFUSED,     /* by policy: it would give more trust than asked, or cannot be held */
    XR_DENIED,      /* privilege is missing */
    XR_BUSY,        /* another process holds the lock; try again */
    XR_ABSENT,      /* what was named does not exist */
    XR_UNSUPPORTED, /* this backend cannot do that */
    XR_LOST,        /* a helper program is gone: whether it acted is unknown */
    XR_STALE,  /* an interrupted write must be rolled back first: opening with XR_WRITE does that */
    XR_WARNED, /* flush only: everything is in place, but a program that was to be told failed */
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

/* An extension that a store attaches from outside (p11-kit's stapled extensions). */
struct xr_attached {
    size_t size;
    struct xr_bytes oid;   /* DER */
    struct xr_bytes value; /* the whole Extension, DER */
};

enum xr_entry_flag {
    XR_ENTRY_VENDOR = 1u << 0, /* shipped by the distribution or the browser */
    XR_ENTRY_OURS = 1u << 1    /* in the form that this backend itself writes */
};

/* One subject in one place of one store. */
struct xr_entry {
    size_t size;
    struct xr_subject subject;
    enum xr_place place;
    uint32_t purposes;      /* of an anchor; XR_ANY_PURPOSE if the store cannot restrict */
    uint32_t flags;         /* enum xr_entry_flag; not part of a comparison */
    const char *label;      /* UTF-8 or NULL */
    struct xr_bytes der;    /* certificate or CRL; empty if the store holds neither */
    struct xr_bytes issuer; /* DER Name, XR_SUBJECT_ISSUER_SERIAL only */
    struct xr_bytes serial; /* DER INTEGER, likewise */
    const struct xr_attached *attached;
    size_t attached_count;
    struct xr_bytes native; /* what restores exactly this entry; empty for a new one */
    /* One line for people, UTF-8, or NULL: for example that programs read this entry differently.
     * Neither compared nor recorded. */
    const char *remark;
    /* XR_SUBJECT_ISSUER_SERIAL: hashes of the certificates it applies to, each after one byte
     * with its length (20: SHA-1, 32: SHA-256); empty: any certificate. Neither compared nor
     * recorded. */
    struct xr_bytes about;
    /* One line for people, UTF-8, or NULL: what gives this subject trust again by itself after it is
     * taken, for example a file that a browser reads at its start. Shown after such a change. Neither
     * compared nor recorded. */
    const char *returns;
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
    XR_ADVISORY,      /* recorded, but programs that read the store ignore it unless told */
    XR_DESELECT_ONLY, /* stops the vendor's copy, but no other copy */
    XR_ENFORCED
};

enum xr_notice { XR_NOTICE_GIVEN = 0, XR_NOTICE_TAKEN, XR_NOTICE_COUNT };

/* What one open session can do. Two sessions of one backend may differ. */
struct xr_caps {
    size_t size;
    enum xr_strength places[XR_PLACES_ROOM];
    uint32_t purposes; /* what an anchor can be restricted to; XR_ANY_PURPOSE: nothing */
    uint32_t subjects; /* bits 1 << enum xr_subject_type that distrust can name */
    bool writable;
    bool atomic;          /* a reader never sees a half-made swap */
    bool needs_privilege; /* writable is false only because this user lacks the privilege */
    char verifier[96];    /* name of the verifier that probe asks; empty without one */
    char why_not[256];    /* one line: why writable is false */
    char identity[96];    /* equal for two addresses of the same store; empty: unknown */
    /* One line: why a place is XR_CANNOT, and what to do instead (empty: it has no such place); or
     * what programs must be told to use a place that is XR_ADVISORY. */
    char why_cannot[XR_PLACES_ROOM][256];
    bool distrust_by_key; /* a distrust applies to every certificate of the key */
    char summary[128];    /* what kind of store this is, one line for people; may be empty */
    /* XR_PLACE_BITs of the places that can be changed only after unlock; 0: none. */
    uint32_t locked;
    /* By enum xr_notice, one line each for people, shown after a change that gave or took trust:
     * what must happen before a running program notices the change. Empty: nothing. */
    char notice[XR_NOTICE_ROOM][200];
    bool attaches; /* an anchor can be installed with extensions attached */
    /* writable is false because a change would do harm nobody asked for; why_not says which. */
    bool refused;
    /* XR_BACKEND_PUBLISHES: one line for people: certificates that the sources hold and no output
     * does yet. Any change would publish them, so core asks first. Empty: none. would_trust_id is
     * equal for equal sets of certificates. */
    char would_trust[400];
    unsigned char would_trust_id[XR_SHA256_LEN];
    /* One line for people: files among those of the store that count for nothing, and why. Empty:
     * none. */
    char left_out[400];
    /* A run before left something that flush does, such as a hook that failed. */
    bool unfinished;
    /* One line for people: files that programs look for on such a system, and that it does not have.
     * Empty: none. */
    char missing[300];
    /* Of the certificates with one issuer and serial number, the store can hold only one. */
    bool one_per_serial;
    /* As places[XR_ANCHOR], of an anchor that is limited to names and addresses: it has one extension
     * attached, nameConstraints with permitted dNSNames and iPAddresses alone (RFC 5280, 4.2.1.10).
     * XR_ADVISORY: some readers of the store ignore the limits, and why_not_limited says which. */
    enum xr_strength limited;
    char why_not_limited[256]; /* as why_cannot */
    /* Browsers that read this store, in lower case, separated by blanks: "firefox", "chromium"…
     * Empty: none, or unknown. */
    char serves[128];
    bool serves_everybody; /* all users of the machine and of tomorrow, not one user */
    /* Whoever reads this store reads other stores too, which may give more trust or take it: probe
     * answers XR_UNKNOWN unless this store alone decides. */
    bool shares_readers;
    /* Whose the entries marked XR_ENTRY_VENDOR are, such as "in the administrator's own files". Empty:
     * they come with the system. */
    char vendors[96];
};

enum xr_answer { XR_UNKNOWN = 0, XR_YES, XR_NO };

/* The answer of another program that reads the same store, to the same question. */
struct xr_opinion {
    size_t size;
    enum xr_answer answer;
    char by[96];
    char why[256];
    unsigned char spare[128]; /* for later versions; zero */
};
#define XR_OPINIONS_MAX 8u

/* A verifier's answer about one chain. */
struct xr_verdict {
    size_t size;
    enum xr_answer answer;
    char by[96];                                    /* verifier and version */
    char why[256];                                  /* one line: reason of a no, limits of a yes */
    unsigned char path[XR_PATH_MAX][XR_SHA256_LEN]; /* leaf first */
    size_t path_len;
    struct xr_opinion also[XR_OPINIONS_MAX];
    size_t also_count;
};

/* A question to a verifier. If chain[0] is a CA, it is checked as an issuer for the purpose; with a
 * host, as a server, whatever it says of itself. */
struct xr_probe {
    size_t size;
    const struct xr_bytes *chain; /* DER certificates: the one to verify, then untrusted ones */
    size_t count;
    uint32_t purpose; /* one bit of enum xr_purpose */
    const char *host; /* DNS name or IP address that chain[0] must carry, or NULL */
    int64_t at;
};

/* What one source of a browser's trust says of a certificate. */
enum xr_browser_trust {
    XR_BROWSER_HINT = 0,     /* of use for building paths, trusted for nothing */
    XR_BROWSER_ANCHOR,       /* for servers */
    XR_BROWSER_DISTRUST,     /* the certificate */
    XR_BROWSER_DISTRUST_KEY, /* every certificate of its key */
    XR_BROWSER_PUBLIC,  /* a public root; whether this version of the browser has it is unknown */
    XR_BROWSER_UNCLEAR, /* versions of the library read different trust of it */
    XR_BROWSER_PEER     /* a server's certificate, trusted as itself */
};

struct xr_browser_cert {
    size_t size;
    struct xr_bytes der;
    enum xr_browser_trust trust;
    /* Of an anchor: DNS names and ranges of addresses (CIDR) that it is limited to; both empty: no
     * limits. */
    const char *const *permitted_dns;
    size_t permitted_dns_count;
    const char *const *permitted_cidrs;
    size_t permitted_cidrs_count;
    const char *source; /* file or database, to be named in reasons, or NULL */
    bool by_name_bytes; /* the source is searched by the bytes of a subject, not by equal names */
};

enum xr_browser { XR_FIREFOX = 1, XR_CHROMIUM };

/* A question to the rules by which a browser verifies servers. */
struct xr_browser_check {
    size_t size;
    const struct xr_probe *probe; /* purpose: XR_SERVER */
    enum xr_browser browser;
    /* All that its sources hold; they may name a certificate several times. Distrust in one source
     * wins, and trust in one is enough. */
    const struct xr_browser_cert *const *known;
    size_t known_count;
    /* Why a source could not be read, one line: then no answer is a yes or a no that the source might
     * have changed. NULL: all were read. */
    const char *unread;
    bool fetches; /* it fetches a missing issuer from the address in a certificate */
};

/* Slices of a certificate; all point into its bytes. */
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

/* Emits every certificate (or CRL) that a place of the store holds under that name. OpenSSL's trust
 * settings may follow an anchor and then count. Of several anchors of one name the first that fits is
 * used, as OpenSSL does; of several intermediates any, whatever their order. */
typedef enum xr_status (*xr_lookup_fn)(void *ctx, enum xr_place place, struct xr_bytes name,
                                       uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx);

struct xr_path_check {
    size_t size;
    const struct xr_probe *probe;
    bool partial; /* accept a path that ends in an anchor that is not self-signed */
    xr_lookup_fn lookup;
    void *lookup_ctx;
    bool also_partial; /* also of the verdict gets the answer with partial set */
    /* Programs that read the store use its CRLs only if they are told to: they do not count, and
     * also of the verdict says what they change in a yes. */
    bool crls_aside;
};

/* A trusted certificate is followed by OpenSSL's trust settings (X509_CERT_AUX). */
enum xr_item_kind { XR_ITEM_CERT = 1, XR_ITEM_CRL, XR_ITEM_TRUSTED_CERT };
typedef enum xr_status (*xr_item_fn)(void *ctx, enum xr_item_kind kind, struct xr_bytes der);

/* How programs that use OpenSSL read a file of certificates. */
enum xr_reading {
    XR_READ_BUNDLE = 1, /* SSL_CERT_FILE, -CAfile: all of it, or nothing */
    XR_READ_HASHED,     /* HASH.N in SSL_CERT_DIR: certificates up to the first damaged block */
    XR_READ_HASHED_CRL  /* HASH.rN: CRLs likewise */
};

/* A program to run, by path and argv: never through a shell, and without inherited descriptors. */
struct xr_command {
    size_t size;
    const char *const *argv; /* ends with NULL; argv[0] is the absolute path */
    const char *const *env;  /* "NAME=value", ends with NULL; NULL: PATH of the system's programs */
    const char *directory;   /* working directory; NULL: the root directory */
    struct xr_bytes input;   /* for its standard input */
    unsigned limit_ms;
    char said[512]; /* out: the end of what it wrote to stdout and stderr, safe to show */
};

/* Functions that core offers to a backend. */
struct xr_host {
    size_t size;
    /* Writes the file name in dirfd so that a reader sees either the old or the new content. The
     * content is durable on return; the directory entry is durable only after flush syncs the
     * directory. Temporary names start with XR_TEMP_PREFIX. name is one path component. */
    enum xr_status (*write_atomic)(int dirfd, const char *name, struct xr_bytes data, unsigned mode,
                                   struct xr_error *err);
    /* Bounds-checked walk over a certificate (RFC 5280, 4.1). */
    enum xr_status (*slices)(struct xr_slices *out, struct xr_bytes der, struct xr_error *err);
    /* Issuer name of a CRL (RFC 5280, 5.1), as a slice of der. */
    enum xr_status (*crl_issuer)(struct xr_bytes *out, struct xr_bytes der, struct xr_error *err);
    /* The hash in names of OpenSSL's directory links (X509_NAME_hash, OpenSSL 1.0.0 and later). */
    enum xr_status (*name_hash)(uint32_t *out, struct xr_bytes name, struct xr_error *err);
    void (*sha256)(unsigned char out[XR_SHA256_LEN], struct xr_bytes data);
    /* One PEM block, allocated; free it with release. */
    char *(*pem)(const char *label, struct xr_bytes der, size_t *len);
    /* Every certificate and CRL in a file's bytes: PEM, DER, PKCS#7. */
    enum xr_status (*items)(struct xr_bytes data, xr_item_fn emit, void *ctx, struct xr_error *err);
    /* Splits the bytes of XR_ITEM_TRUSTED_CERT: length of the certificate, and the purposes that
     * its trust settings allow. */
    enum xr_status (*trusted)(size_t *len, uint32_t *purposes, struct xr_bytes bytes,
                              struct xr_error *err);
    bool (*state_equal)(const struct xr_state *a, const struct xr_state *b);
    /* Validates a path with what lookup emits and nothing else: no store of the system is used. */
    enum xr_status (*path_check)(struct xr_verdict *out, const struct xr_path_check *check,
                                 struct xr_error *err);
    void (*release)(void *memory);
    /* For formats that need them (JKS, links of OpenSSL before 1.0), never as an identity. */
    void (*sha1)(unsigned char out[20], struct xr_bytes data);
    void (*md5)(unsigned char out[16], struct xr_bytes data);
    /* Runs a program and waits for it; see struct xr_command. XR_OK with its exit code; XR_LOST if
     * the time limit was reached (it was killed); XR_FAILED if it could not be started or was
     * killed. */
    enum xr_status (*run)(int *exit_code, struct xr_command *command, struct xr_error *err);
    /* Takes an exclusive lock on the open file fd, until it is closed (flock; LockFileEx). Waits at
     * most wait_ms milliseconds, then XR_BUSY. what is its name in err. */
    enum xr_status (*lock)(int fd, unsigned wait_ms, const char *what, struct xr_error *err);
    /* Every certificate and CRL that OpenSSL takes from a file with these bytes, read as that; never
     * more, as items may find. Bytes that are not DER are emitted as DER. XR_INVALID with its
     * reason if it says that it cannot read the file: XR_READ_HASHED may then have emitted what
     * came before, and OpenSSL does not go on to the next number. */
    enum xr_status (*openssl_items)(struct xr_bytes data, enum xr_reading as, xr_item_fn emit,
                                    void *ctx, struct xr_error *err);
    /* Fills answer and why of an opinion: what a browser would say, computed from its sources. */
    enum xr_status (*browser_check)(struct xr_opinion *out, const struct xr_browser_check *check,
                                    struct xr_error *err);
};
#define XR_LOCK_MS 30000u /* milliseconds to wait for a store's lock */

enum xr_scope {
    XR_SCOPE_USER = 1u << 0,
    XR_SCOPE_SYSTEM = 1u << 1,
    XR_SCOPE_ALL_USERS = 1u << 2,
    /* With XR_SCOPE_SYSTEM: stores that reach every user, also of tomorrow, and that show each of them
     * that the machine is managed. Without it such stores are found with only_named set. */
    XR_SCOPE_POLICIES = 1u << 3
};

/* Where to look: all that a backend may know about the machine and the caller. */
struct xr_site {
    size_t size;
    const char *root;        /* directory of an image, or NULL for this machine */
    const char *home;        /* or NULL; in an image, its path inside the image */
    const char *data_home;   /* $XDG_DATA_HOME or its default, or NULL */
    unsigned long uid;       /* effective UID */
    const char *layout;      /* --layout: use this layout instead of the detected one; or NULL */
    bool updater_distro;     /* --updater distro: run the distribution's own command */
    const char *config_home; /* $XDG_CONFIG_HOME or its default, or NULL */
    const char *nss;         /* --nss: absolute path of the directory of NSS libraries, or NULL */
    bool rebuild;            /* --rebuild: published certificates without a source may be dropped */
    /* ca-certificates: files of the layout that are in other places; or NULL */
    const struct xr_places *places;
};

/* Absolute paths inside the root, NULL: the layout's. The first five are of layouts with a list. */
struct xr_places {
    size_t size;
    const char *list;      /* /etc/ca-certificates.conf */
    const char *packaged;  /* /usr/share/ca-certificates */
    const char *local;     /* /usr/local/share/ca-certificates */
    const char *published; /* /etc/ssl/certs */
    const char *bundle;    /* /etc/ssl/certs/ca-certificates.crt */
    /* Of layouts with extracts: their directory, /etc/pki/ca-trust/extracted. What the distribution
     * has outside it is left alone. */
    const char *extracted;
    bool all_packaged; /* what the list does not name counts as selected */
};

struct xr_found {
    size_t size;
    const char *location; /* the part of a store address after "BACKEND:" */
    const char *identity; /* as in struct xr_caps, or NULL */
    const char *summary;  /* one line for people, or NULL */
    /* Commands that only read use it as any other store; those that change leave it alone unless
     * --store names it, or its backend. */
    bool only_named;
};
typedef enum xr_status (*xr_found_fn)(void *ctx, const struct xr_found *found);

/* XR_PROBE: only for probe, if that needs a session of its own (XR_BACKEND_PROBE_APART). XR_REFRESH: as
 * XR_WRITE, but only for refresh. */
enum xr_mode { XR_READ = 0, XR_WRITE, XR_PROBE, XR_REFRESH };

/* What a refresh says of names in the directory that the distribution's own command makes links in. */
enum xr_refreshed {
    XR_REFRESHED_ADDED,   /* what hooks are told as +PATH, in this order */
    XR_REFRESHED_REMOVED, /* and as -PATH */
    XR_REFRESHED_ORPHAN,  /* a link that led nowhere is gone */
    XR_REFRESHED_SKIPPED, /* a file that gets no hash link */
    XR_REFRESHED_MISSING, /* a source that is selected, and not there */
    XR_REFRESHED_REMARK   /* one line for people: what was left as it is, and why */
};
typedef void (*xr_refreshed_fn)(void *ctx, enum xr_refreshed what, const char *text);

struct xr_target {
    size_t size;
    const struct xr_site *site;
    const char *location;
    /* XR_BACKEND_PUBLISHES: certificates that crossroot itself removed from this store, or was
     * removing when it was interrupted. Published copies of them may be dropped. */
    const struct xr_subject *leaving;
    size_t leaving_count;
    /* Likewise: certificates that crossroot was installing, or putting back, when it was
     * interrupted. Publishing them was agreed to. */
    const struct xr_subject *coming;
    size_t coming_count;
    /* A session for reading is renewed or closed soon: no person is waited for, and no other store. It
     * may take the store's lock if that is free, and keep it. */
    bool soon;
};

struct xr_session; /* defined by each backend */

enum xr_backend_flag {
    XR_BACKEND_WORKER = 1u << 0, /* sessions run in helper programs, one at a time in each */
    XR_BACKEND_PATHS = 1u << 1,  /* locations are paths; core makes them absolute */
    /* Stores lie in users' homes. If the caller may, core searches and opens each store as the user
     * whose home it is in; site.home is that home. discover is called for one home at a time with
     * XR_SCOPE_USER, and must name only stores in that home. Needs XR_BACKEND_PATHS. */
    XR_BACKEND_HOMES = 1u << 2,
    /* A session that was used to list or swap cannot probe, and one that probed cannot list or
     * swap. */
    XR_BACKEND_PROBE_APART = 1u << 3,
    /* discover on this machine runs third-party code, so it too runs in a helper program. */
    XR_BACKEND_DISCOVER_APART = 1u << 4,
    /* flush makes the files that programs read from what the store holds. If these files hold
     * certificates that the store does not, they would be lost: then no session is writable
     * (caps.refused), except with site.rebuild. */
    XR_BACKEND_PUBLISHES = 1u << 5
};

struct xr_backend {
    uint32_t abi; /* XR_ABI_VERSION */
    size_t size;  /* sizeof(struct xr_backend) when the backend was compiled */
    const char *name;
    const char *summary;
    uint32_t flags;

    /* Emits the stores that exist, in a stable order. If there are none: XR_OK without a call. */
    enum xr_status (*discover)(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err);
    /* XR_READ never changes or creates anything and returns without a lock; a store that does not
     * exist yet but could be created opens and lists nothing. XR_WRITE takes the store's lock and
     * waits for it (XR_LOCK_MS); XR_BUSY if another process keeps it. If the store can be read but
     * not written, XR_WRITE still opens it, and caps say why it is not writable. A process may open
     * one session after another, of any mode; XR_LOST if what a session left makes that impossible:
     * it is then opened in a new helper. */
    enum xr_status (*open)(struct xr_session **out, struct xr_caps *caps,
                           const struct xr_host *host, const struct xr_target *target,
                           enum xr_mode mode, struct xr_error *err);
    void (*close)(struct xr_session *session);
    /* Emits every entry, crossroot's or not. If emit returns a status other than XR_OK, list stops
     * and returns it. */
    enum xr_status (*list)(struct xr_session *session, xr_entry_fn emit, void *ctx,
                           struct xr_error *err);
    /* The only operation that changes entries: replaces the complete state of one subject. All of
     * expect is compared, native included; XR_CONFLICT if the store holds anything else.
     * XR_CONFLICT and XR_REFUSED promise that nothing was changed. Narrowing makes the new state
     * before it destroys the old one. An entry of want that has native is restored exactly. After any
     * other failure the store may be half changed: core then lists it and swaps back.
     *
     * Core checks these things before the call, and a backend need not check them again: the session
     * is for writing, and its caps say writable. One of the two states may be NULL; one that is given
     * has at least one entry. Both states and all their entries are of the same subject, and each
     * entry is in a place of enum xr_place. A certificate or CRL has its der, whose SHA-256 is the
     * subject's; an XR_SUBJECT_ISSUER_SERIAL has its issuer and serial. Everything else may come from
     * a journal that somebody else wrote: whether der can be parsed, and whether the store can hold
     * such a place, purposes, attached and native. */
    enum xr_status (*swap)(struct xr_session *session, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err);
    /* Optional. Makes swaps effective (links, bundles, hooks) and durable; writes only what
     * differs, and finishes or cleans up what an interrupted run left. Any failure means that
     * readers may not see the swaps: the backend then leaves every output as it was, as far as it
     * can, and core swaps back. XR_WARNED: readers see them, but a hook of the distribution failed;
     * the backend remembers that and runs it again in the next flush. XR_OK with a text in err says
     * what was out of date before; core shows it if nothing else changed. list and probe after a
     * flush answer from what is on disk. */
    enum xr_status (*flush)(struct xr_session *session, struct xr_error *err);
    /* Optional. Asks the store's own verifier. XR_OK with XR_UNKNOWN: it cannot tell. */
    enum xr_status (*probe)(struct xr_session *session, struct xr_verdict *out,
                            const struct xr_probe *probe, struct xr_error *err);
    /* Optional. Turns a session for reading into one for writing, as open would make it: takes the
     * lock and fills caps again. What was read before is valid only if list still finds it. If it
     * fails, the session stays open for reading. */
    enum xr_status (*renew)(struct xr_session *session, struct xr_caps *caps, struct xr_error *err);
    /* Optional. Unlocks the places in caps.locked until close; XR_DENIED if the password is wrong.
     * The backend keeps no copy of the password. */
    enum xr_status (*unlock)(struct xr_session *session, struct xr_bytes password,
                             struct xr_error *err);
    /* Optional. Loads libraries that sessions at this site will need. It runs in a helper program
     * that is then forked for each store, so it must start no thread and leave nothing open. */
    void (*preload)(const struct xr_site *site);
    /* Optional, for a session of XR_REFRESH, in this process only. What flush does, as the distribution's
     * own command: whatever the sources hold is published, and nothing else; nothing is asked, and no
     * hook runs. anew: also drops links to what is not selected, and says that everything was added. */
    enum xr_status (*refresh)(struct xr_session *session, bool anew, xr_refreshed_fn emit,
                              void *ctx, struct xr_error *err);
    /* Optional, with XR_BACKEND_DISCOVER_APART. What discover would emit on this machine, without
     * third-party code, in core's process and as its user. If that is not sure: XR_UNSUPPORTED, without a
     * call of emit; discover is then called in a helper program. */
    enum xr_status (*discover_here)(const struct xr_host *host, const struct xr_site *site,
                                    unsigned scope, xr_found_fn emit, void *ctx,
                                    struct xr_error *err);
    /* Optional, in any session, but not between a swap and its flush: a digest of everything in and
     * around the store that an answer of probe depends on, as it is now. Of several stores of one user
     * with the same digest, core asks only one. False: this store must be asked itself. */
    bool (*content)(struct xr_session *session, unsigned char out[XR_SHA256_LEN]);
};

typedef const struct xr_backend *(*xr_backend_entry_fn)(void);
#define XR_BACKEND_ENTRY "xr_backend_entry"
#if defined(__GNUC__)
#define XR_BACKEND_EXPORT __attribute__((visibility("default")))
#else
#define XR_BACKEND_EXPORT
#endif
/* XR_BACKEND(table), at the end of a backend's source, defines that function. A build that links
 * the backend in gives it another name through XR_ENTRY. */
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
    struct xr_backend /* takes the semicolon after XR_BACKEND(table) */

#if defined(__MINGW32__) && !defined(__clang__) /* compiled with the formats of ISO C */
#define XR_PRINTF(format_at, first) __attribute__((format(gnu_printf, format_at, first)))
#elif defined(__GNUC__)
#define XR_PRINTF(format_at, first) __attribute__((format(printf, format_at, first)))
#else
#define XR_PRINTF(format_at, first)
#endif

/* Fills err (which may be NULL) and returns status: a failure is then one statement. */
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
