/* SPDX-License-Identifier: Apache-2.0 */
/* One session, shared by nss.c (opening, table), token.c, view.c, names.c and swap.c. */
#ifndef XR_NSS_STORE_H
#define XR_NSS_STORE_H

#include "copy.h"
#include "look.h"
#include "nss.h"
#include "pkcs11/objects.h"
#include "returns.h"

/* files.c: the directory and its files, checked before softoken opens them. */
enum xr_status nss_dir_open(int *out, const struct xr_site *site, const char *path,
                            struct xr_error *err);
/* Of a path that nss_dir_open does not find: opens the last directory that exists. *missing is what
 * is left of the path, for the caller to free. */
enum xr_status nss_dir_above(int *out, char **missing, const struct xr_site *site, const char *path,
                             struct xr_error *err);
/* Makes what is missing below the directory, mode 0700 as Chromium does, and opens the last of it. */
enum xr_status nss_dir_make(int *out, int above, const char *missing, struct xr_error *err);
struct nss_files {
    bool cert9, key4, cert8;
    bool writable;     /* those that exist, and the directory; */
    char why_not[128]; /* if not: which is not, and whose it is */
};
/* XR_REFUSED if one is a link, belongs to another user, or is not a regular file; XR_DENIED if it
 * cannot be read. */
enum xr_status nss_files_look(struct nss_files *out, int dir, struct xr_error *err);
/* cert8.c: XR_FAILED if it is not all there. */
enum xr_status nss_cert8_whole(int dir, struct xr_error *err);
/* Did a killed writer leave a journal that must be rolled back first (SQLite's "hot journal")? Do
 * not call it while softoken is open: closing a file drops all locks of this process on it. */
bool nss_files_hot(int dir);
/* Is another program writing now? Do not call it while softoken is open either. */
bool nss_files_busy(int dir);

/* token.c: softoken with the database in the working directory; one at a time in a process. */
struct nss_token {
    struct p11_token p;
    bool open, write;
    bool old;      /* a cert8.db, to be read */
    bool keyless;  /* opened without key4.db */
    bool blank;    /* no password record yet: softoken needs one before it stores trust */
    bool password; /* it has a password, and trust can be written only after unlock */
    CK_SLOT_ID slot;
    bool may_copy;         /* set by who saves what is written; */
    bool begin;            /* and this if something is written at once, so others are kept away */
    struct nss_copy *copy; /* it works on that; NULL: on the files */
};
enum xr_status nss_token_open(struct nss_token *token, const struct nss_libs *libs, int dir,
                              bool write, struct xr_error *err);
/* Is that a softoken that the look at files was measured with? It is not started. */
bool nss_token_known(const struct nss_libs *libs);
/* Can softoken read a cert8.db, which takes a library that is not everywhere? */
bool nss_token_reads_old(const struct nss_libs *libs);
void nss_token_close(struct nss_token *token);
enum xr_status nss_token_unlock(struct nss_token *token, struct xr_bytes password,
                                struct xr_error *err);
/* Call it before a trust object is written. */
enum xr_status nss_token_ready(struct nss_token *token, struct xr_error *err);

struct xr_session {
    const struct xr_host *host;
    struct nss_libs libs;
    int dir;       /* -1: it does not exist yet, */
    int above;     /* but this directory above it does, */
    char *missing; /* and this path below that would be made */
    bool write;
    bool exists;         /* cert9.db */
    bool probed;         /* libnss3 was started */
    const char *forgets; /* the browser that does not read this database, or NULL */
    const char *peers;   /* what a browser makes of a peer here, or NULL */
    bool chromiums;      /* it is a place where Chromium or a relative keeps its database */
    char serves[128];    /* as in caps */
    struct nss_opinions *opinions;
    struct nss_token token;
    bool looked;  /* token is closed: look has all of it */
    bool looks;   /* it was like that when it was opened */
    bool swapped; /* something, since the last flush */
    struct nss_look look;
    struct nss_returns returns;
};

/* make.c: opens softoken when it is first needed; create: makes both files of a missing database, or
 * none of them. */
enum xr_status nss_token_of(struct xr_session *session, bool create, struct xr_error *err);
void nss_make_clear(int dir); /* what an interrupted one left */

/* view.c: the content of a database, or only of one issuer and serial number. */
struct nss_cert {
    struct xr_bytes der;
    struct xr_slices slices;
    unsigned char sha256[XR_SHA256_LEN], sha1[20];
    unsigned char serial_id[XR_SHA256_LEN]; /* of issuer and serial */
    size_t object;
    size_t next; /* index in known of the same certificate again, or SIZE_MAX */
    bool again;  /* this is such a duplicate */
};
struct nss_view {
    const struct xr_host *host;
    const char *remark;                /* of every entry, or NULL */
    const struct nss_returns *returns; /* or NULL */
    struct p11_objects certs, trusts, crls;
    struct nss_certs {
        struct nss_cert *items;
        size_t count, capacity;
    } known;                   /* certificates that parse */
    struct xr_idmap by_serial; /* from the ID of issuer and serial to the first of trusts */
    struct nss_link {
        unsigned char id[XR_SHA256_LEN];
        size_t next; /* of the same id, or SIZE_MAX */
        bool taken;  /* it applies to one of known */
    } * links;       /* one for each element of trusts */
};
/* A certificate that need not be in a database, for questions about trust. False: not one. */
bool nss_cert_of(struct nss_cert *out, const struct xr_host *host, struct xr_bytes der);
/* What both kinds of trust object say of a certificate. NSS 3.114 and later believe std if there is
 * one, older versions nss alone. */
struct nss_belief {
    struct p11_trust std, nss;
    bool has_std, has_nss;
};
struct nss_belief nss_view_belief(const struct nss_view *view, const struct nss_cert *cert);
/* Index of the next trust object for a certificate; after SIZE_MAX: the first. SIZE_MAX: no
 * more. */
size_t nss_view_trust(const struct nss_view *view, const struct nss_cert *cert, size_t after);
enum nss_part { NSS_CERTS = 1u << 0, NSS_CRLS = 1u << 1 };
/* only: issuer and serial, or NULL for all. */
enum xr_status nss_view_load(struct nss_view *view, struct xr_session *session, unsigned parts,
                             const struct xr_slices *only, struct xr_error *err);
void nss_view_free(struct nss_view *view);
/* Emits every entry; only those of subject if it is not NULL. */
enum xr_status nss_view_emit(const struct nss_view *view, const struct xr_subject *subject,
                             xr_entry_fn emit, void *ctx);
/* The certificate with this SHA-256, or NULL. */
const struct nss_cert *nss_view_find(const struct nss_view *view,
                                     const unsigned char sha256[XR_SHA256_LEN]);

/* opinions.c: what the browsers say whose database this is. */
struct nss_opinions *nss_opinions_new(const struct xr_site *site, const char *location);
void nss_opinions_free(struct nss_opinions *o); /* NULL is fine */
/* Which browsers read the database at location, whose directory is dir or -1: as caps.serves. */
void nss_opinions_serve(char out[128], const struct xr_site *site, const char *location, int dir);
/* Before libnss3 is started, because it uses softoken itself; once. */
void nss_opinions_load(struct nss_opinions *o, struct xr_session *session);
void nss_opinions_add(struct xr_verdict *out, const struct nss_opinions *o,
                      const struct xr_session *session, const struct xr_probe *probe);

/* content.c: as content of struct xr_backend. Not between a swap and its flush. */
bool nss_content(struct xr_session *session, unsigned char out[XR_SHA256_LEN]);

/* names.c */
/* The nickname for a certificate of that subject, made from label if the subject has none yet. */
enum xr_status nss_nickname(struct xr_buf *out, const struct p11_token *token,
                            struct xr_bytes subject, const char *label, struct xr_error *err);

/* swap.c */
enum xr_status nss_swap(struct xr_session *session, const struct xr_state *expect,
                        const struct xr_state *want, struct xr_error *err);

#endif
