/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each distribution keeps its CA certificates and what it publishes of them, as data. Paths
 * are inside the root, without a leading slash. Sources: the distributions' own update commands;
 * see docs/ca-certificates.md.
 */
#ifndef XR_CACERTS_LAYOUT_H
#define XR_CACERTS_LAYOUT_H

#include "pk.h"

enum ca_family {
    CA_LIST,  /* a list selects packaged files, a local directory adds to them (Debian) */
    CA_P11,   /* source directories of p11-kit's trust module, and extracts (Fedora) */
    CA_FIXED, /* made from a configuration elsewhere: nothing here can be written */
};

struct ca_token {
    const char *path;
    bool vendor;
};

/* One extract of a p11-kit layout. */
struct ca_output {
    const char *path; /* a file, or a directory for the formats that make one */
    struct pk_request ask;
    const char *head; /* text before the certificates, or NULL */
    unsigned mode;    /* of files */
};

/* A link that belongs to an output: name in a directory of hash links and so on. */
struct ca_link {
    const char *path, *target;
    bool only_missing; /* somebody's own file or link there stays */
};

#define CA_OUTPUTS_MAX 10u
#define CA_TOKENS_MAX  4u

struct ca_layout {
    const char *name, *title;
    enum ca_family family;
    const char *signs[4]; /* one of them there: this layout; the first layout that fits is it */
    const char *lock; /* directory whose flock a writer holds, the distribution's if it has one */
    const char *published[3]; /* bundle that programs read, for server, email, code; or NULL */
    const char *anchors, *blocklist; /* where ours go */
    const char *extension;           /* of our files, with its dot */
    const char *vendor;              /* directory of what packages ship */

    /* CA_LIST */
    const char *conf;
    bool recursive;          /* below anchors too */
    bool any_extension;      /* of files in anchors */
    const char *link_prefix; /* NAME.pem in the published directory: what goes before NAME */
    const char *directory;   /* of the links */
    bool keep_parentheses;   /* in NAME */

    /* CA_P11 */
    struct ca_token tokens[CA_TOKENS_MAX];
    struct ca_output outputs[CA_OUTPUTS_MAX];
    struct ca_link links[6];
    const char *hash_links_from, *hash_links_to; /* a link of the same name for each hash link */

    const char *updater[3];   /* argv of the distribution's own command */
    const char *hooks[2];     /* directories */
    bool hooks_dot_run;       /* NAME.run without input, not run-parts with +/- lines */
    const char *own_hooks[5]; /* hooks that make outputs which we make ourselves */
    const char *why_fixed;
};

extern const struct ca_layout ca_layouts[];
extern const size_t ca_layout_count;

#endif
