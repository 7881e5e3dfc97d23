/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each distribution keeps its CA certificates and what it publishes of them, as data. Paths
 * are inside the root, without a leading slash. Sources: the distributions' own update commands;
 * see docs/ca-certificates.md.
 */
#ifndef XR_CACERTS_LAYOUT_H
#define XR_CACERTS_LAYOUT_H

#include "../p11files/p11files.h"

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
    struct pf_request ask;
    const char *head; /* text before the certificates, or NULL */
    unsigned mode;    /* of files */
};

/* A link that is made where nothing is in its place. */
struct ca_link {
    const char *path, *target;
};

#define CA_OUTPUTS_MAX 10u
#define CA_TOKENS_MAX  4u

struct ca_layout {
    const char *name, *title;
    enum ca_family family;
    const char *signs[5]; /* one of them there: this layout; the first layout that fits is it */
    const char *lock; /* directory whose flock a writer holds, the distribution's if it has one */
    const char *published[3]; /* bundle that programs read, for server, email, code; or NULL */
    const char *anchors;      /* where ours go */
    const char *blocklist;    /* the source directory whose blocklist ours go to, or NULL */
    const char *extension;    /* of our files, with its dot */
    const char *vendor;       /* directory of what packages ship */

    /* CA_LIST */
    const char *conf;
    bool recursive;          /* below anchors too */
    bool any_extension;      /* of files in anchors */
    const char *link_prefix; /* NAME.pem in the published directory: what goes before NAME */
    const char *directory;   /* of the links */
    bool drops_unlisted;     /* links to sources that are not selected go too */
    bool blank_between;      /* a line end after every file, whatever it ends with */

    /* CA_P11 */
    bool objects; /* ours are objects of p11-kit's own format in the directory anchors itself, which
                     can say more: purposes, neither trusted nor distrusted */
    struct ca_token tokens[CA_TOKENS_MAX];
    struct ca_output outputs[CA_OUTPUTS_MAX];
    struct ca_link links[2];
    const char *kept[2]; /* the distribution's own links in an output directory: not removed */
    /* Links in another directory, straight to the files of the one with hash links. */
    struct {
        const char *from, *to; /* text before the file's name; directory */
        bool all;              /* NAME.pem too, always; else HASH.N, and only if some are there */
    } copies;

    const char *updater[3]; /* argv of the distribution's own command */
    const char *hooks[2];   /* directories */
    bool hooks_dot_run;     /* NAME.run without input, not run-parts with +/- lines */
    const char *hooks_cwd;
    const char *hooks_env[5]; /* NULL first: the PATH of the system's programs */
    const char *own_hooks[4]; /* hooks that make outputs which we make ourselves */
    const char *why_fixed;
};

extern const struct ca_layout ca_layouts[];
extern const size_t ca_layout_count;

#endif
