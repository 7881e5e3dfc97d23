/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formats of `crossroot extract`: what distributions, browsers and programs read, one file a format.
 * Pure like formats.h, but not for plugins: these may also use certs.
 *
 * The caller leaves out what a format cannot hold without giving more trust (the members of struct
 * xr_output_format say what it can), so a writer holds all that it is given. The same certificates in the
 * same order give the same bytes, whatever the machine, the time and the locale.
 */
#ifndef XR_OUTPUTS_H
#define XR_OUTPUTS_H

#include "formats.h"

/* Where a root list came from, for headers of files that name it. */
struct xr_output_source {
    const char *name;                    /* as given by the user */
    unsigned char sha256[XR_SHA256_LEN]; /* of its bytes */
    int64_t modified;                    /* seconds since 1970 */
};

struct xr_output_options {
    const struct xr_host *host; /* for its hashes */
    bool comments;              /* --comments, where the format has any */
    uint32_t purpose; /* what certificates without the format's own word are for: XR_SERVER… */
    const struct xr_output_source *source; /* the first one */
    struct xr_bytes password;              /* of keystores; data NULL: the usual one */
};

/* Which certificates that are trusted for nothing it can hold, and that they are. */
enum xr_output_neutral {
    XR_NEUTRAL_NONE,
    XR_NEUTRAL_CAS, /* CAs below others: to find paths by */
    XR_NEUTRAL_ROOTS, /* self-issued ones: others would make OpenSSL refuse every chain through them */
    XR_NEUTRAL_ALL
};

struct xr_output_format {
    const char *name; /* on the command line */
    const char *what; /* for people: at most 48 columns */
    const char *note; /* what must always be said of it, for people; or NULL */
    bool directory;   /* files and links; else one file */
    bool links;       /* it has links by xr_format_cert.link_hash */
    /* The output tells its readers what an anchor is for. Otherwise it has those of one purpose, and who
     * reads it decides what they are for. */
    bool tells_purposes;
    bool tells_distrust; /* it can hold a distrusted certificate */
    bool tells_serials;  /* and a distrust by issuer and serial, without a certificate */
    bool tells_dates;    /* xr_format_cert.server_after, email_after */
    bool tells_limits;   /* xr_format_cert.limits */
    enum xr_output_neutral neutral;
    uint32_t purposes; /* with tells_purposes: those it knows; 0: all */
    uint32_t
        grants; /* purposes that readers trust its anchors for, whatever was asked; 0: those asked */
    bool by_key; /* what it says of a certificate is true of all with its key */
    /* Why this certificate cannot be held, whatever the others are, for people; NULL: it can. The caller
     * leaves it out. The member is NULL where any can be held. */
    const char *(*refuses)(const struct xr_format_cert *cert);
    void (*write)(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                  const struct xr_output_options *options);
    /* A keystore that is already there: out becomes it with these certificates for those that an earlier
     * call put in; all else in it stays. old.data NULL: there is none yet. NULL: the format has nothing of
     * others. XR_INVALID with a reason: it is none, or the password is wrong. */
    enum xr_status (*update)(struct xr_buf *out, struct xr_bytes old,
                             struct xr_format_cert *const *certs, size_t count,
                             const struct xr_output_options *options, struct xr_error *err);
    /* A file of the directory that may hold keys of others: with it, the directory is not replaced. NULL:
     * it has none. */
    const char *precious;
    /* Why a file that is there must not be replaced whole, in allocated text for people; NULL: it may be.
     * The member is NULL where any file may. */
    char *(*keeps)(struct xr_bytes old, const struct xr_output_options *options);
};
extern const struct xr_output_format xr_output_formats[];
extern const size_t xr_output_format_count;
const struct xr_output_format *xr_output_format(const char *name, size_t len); /* NULL: none */

#endif
