/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by opinions.c, which knows what NSS holds, and chromiums.c, which knows what else Chromium
 * reads. */
#ifndef XR_NSS_OPINIONS_H
#define XR_NSS_OPINIONS_H

#include "store.h"

/* Certificates as one browser knows them. */
struct nss_known {
    struct xr_browser_cert *items;
    size_t count, capacity;
};

struct nss_opinions {
    char *path, *root, *home, *data_home, *config_home; /* of the site; NULL where it has none */
    bool loaded;
    const char *mozilla; /* the program whose profile this is, or NULL */
    struct nss_view db, roots;
    char *unread; /* why one of them could not be read, or NULL */
    struct nss_readers {
        struct nss_reader {
            const char *program;
            char profile[64];          /* one that differs from others, or empty */
            struct nss_known more;     /* what it knows beside NSS; borrowed from the views below */
            const char *platform_file; /* says that NSS is not read; or NULL */
            const char *unread;        /* why something could not be read, or NULL */
        } * items;
        size_t count, capacity;
    } chromiums;
    struct nss_policies *policies;
    struct nss_certificates {
        struct chromium_view **items;
        size_t count, capacity;
    } profiles;
};

/* chromiums.c: fills o->chromiums if the database is one that Chromium and relatives use. */
void nss_chromiums_load(struct nss_opinions *o, const struct xr_host *host);
void nss_chromiums_free(struct nss_opinions *o);
/* Adds the words of those programs, once each. */
void nss_chromiums_serve(char out[128], const struct nss_opinions *o);
/* Adds the word of a program, if there is room; no part of one. */
void nss_serve(char out[128], const char *program, const char *tail);

#endif
