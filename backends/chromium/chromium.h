/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file ServerCertificate in a profile of Chromium or a relative: what the user added and blocked
 * in chrome://certificate-manager. Read only.
 *
 *   metadata.c  the protobuf message in each row
 *   file.c      the file, checked and read whole, at a moment when nobody writes it
 *   reader.c    its tables; the only file that uses SQLite
 *   sqlite.c    loads libsqlite3
 *   none.c      in place of the last two, where SQLite's header was missing
 *   store.c     the table of the backend "chromium"
 *
 * SQLite never sees a path: it gets the bytes of a checked file, so it takes no lock, plays no
 * journal back, and makes no file. Format and what Chromium makes of it: components/
 * server_certificate_database and chrome/browser/net/profile_network_context_service.cc there.
 */
#ifndef XR_CHROMIUM_H
#define XR_CHROMIUM_H

#include "kit/base.h"

#define CHROMIUM_FILE "ServerCertificate"

/* Of an entry, what only the file itself has use for. */
struct chromium_row {
    char *key;                /* sha256hash_hex as it stands there */
    bool misnamed;            /* that is not the hash of der_cert, which Chromium does not notice */
    struct xr_bytes metadata; /* trust_settings */
    bool peer;                /* trusted, and no CA: as itself alone */
    bool odd; /* its columns are of other types than Chromium's, so it cannot be made again */
    struct xr_strings dns, cidrs; /* those of the item */
    unsigned char sha256[XR_SHA256_LEN];
};

/* A row that is not known. It may be another certificate's than its key says. */
struct chromium_stranger {
    char *key;
    unsigned char sha256[XR_SHA256_LEN]; /* of its der_cert */
};

struct chromium_view {
    /* As an opinion takes them. Chromium blocks the key of a certificate: XR_BROWSER_DISTRUST_KEY.
     * An anchor that is no CA is trusted as a server's own certificate. */
    struct xr_browser_cert *items;
    struct chromium_row *rows; /* the same, one for each item */
    size_t count;
    bool there; /* is there such a file? */
    /* The browser may know more or other certificates: rows, tables or a version that this reader
     * does not know, or a write that is not finished. problem says which, in one line. */
    bool incomplete;
    bool unread; /* none of it could be read, so count says nothing */
    bool stale;  /* because a write was interrupted, which can be rolled back now */
    char problem[256];
    char fixed[256]; /* why nobody but the browser should change it, or empty */
    bool tableless;  /* it has no table of certificates yet */
    struct {
        struct chromium_stranger *items;
        size_t count, capacity;
    } strangers;

    char *source; /* of every item */
    size_t items_capacity, rows_capacity;
};

/* Reads the file in dir, a directory that the caller has checked, open for anything; path is that
 * directory's, for messages and the source of each item. Without the file: XR_OK, and there is
 * false. XR_REFUSED: it is a link, no regular file, or somebody else's; XR_INVALID: it is damaged or
 * too large. A browser that runs is no obstacle. out is {0} before, and to be freed after any
 * status. */
enum xr_status chromium_load(struct chromium_view *out, const struct xr_host *host, int dir,
                             const char *path, struct xr_error *err);
void chromium_view_free(struct chromium_view *view);

#endif
