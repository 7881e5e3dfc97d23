/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data: where each distribution keeps its CA certificates, and which files it makes from them.
 * Paths are inside the root, without a leading slash. Sources: the distributions' own update
 * commands; see docs/ca-certificates.md.
 */
#ifndef XR_CACERTS_LAYOUT_H
#define XR_CACERTS_LAYOUT_H

#include "p11files/p11files.h"

enum ca_family {
    CA_LIST,  /* a list selects packaged files, a local directory adds to them (Debian) */
    CA_P11,   /* source directories of p11-kit's trust module, and extracts (Fedora) */
    CA_FIXED, /* made from a configuration in another place: nothing here can be written */
};

struct ca_token {
    const char *path;
    bool vendor;
};

/* One extract of a p11-kit layout. */
struct ca_output {
    const char *path; /* a file, or a directory for formats that make one */
    struct pf_request ask;
    const char *head; /* text before the certificates, or NULL */
    unsigned mode;    /* of files */
};

/* A link that is made if nothing has its name. */
struct ca_link {
    const char *path, *target;
};

#define CA_OUTPUTS_MAX 10u
#define CA_TOKENS_MAX  4u

struct ca_layout {
    const char *name, *title;
    enum ca_family family;
    const char *signs[5];     /* any of them: this layout fits; the first that fits is used */
    const char *lock;         /* directory that a writer locks (flock), as the distribution does */
    const char *published[3]; /* bundle that programs read, for server, email, code; or NULL */
    const char *anchors;      /* directory for our files */
    const char *blocklist;    /* the source directory whose blocklist gets our files, or NULL */
    const char *extension;    /* suffix of our files, with its dot */
    const char *vendor;       /* directory of what packages ship */

    /* CA_LIST */
    const char *conf;
    bool recursive;          /* below anchors too */
    bool any_extension;      /* of files in anchors */
    const char *link_prefix; /* what precedes NAME in the published NAME.pem links */
    const char *directory;   /* of the links */
    bool drops_unlisted;     /* also removes links to sources that are not selected */
    bool blank_between;      /* always adds a line end after each file */

    /* CA_P11 */
    bool objects; /* our files are objects in p11-kit's own format in the directory anchors, which
                   * can hold more: purposes, and neither trusted nor distrusted */
    struct ca_token tokens[CA_TOKENS_MAX];
    struct ca_output outputs[CA_OUTPUTS_MAX];
    struct ca_link links[2];
    const char *kept[2]; /* the distribution's own links in an output directory: not removed */
    /* Links in another directory, directly to the files in the directory with hash links. */
    struct {
        const char *from, *to; /* text before the file's name; directory */
        bool all;              /* NAME.pem too, always; else HASH.N, and only if some exist */
    } copies;

    /* Where programs of this system look besides what is published: path, and who. */
    struct {
        const char *path, *who;
    } known[3];
    const char *updater[3]; /* argv of the distribution's own command */
    const char *hooks[2];   /* directories */
    bool hooks_dot_run;     /* NAME.run without input, not run-parts with +/- lines */
    const char *hooks_cwd;
    const char *hooks_env[5]; /* NULL first: the PATH of the system's programs */
    const char *own_hooks[4]; /* hooks not to run, because we make their outputs ourselves */
    const char *why_fixed;
};

extern const struct ca_layout ca_layouts[];
extern const size_t ca_layout_count;
/* Would a file of that name in the directory of anchors count? */
bool ca_name_counts(const struct ca_layout *layout, const char *name);

#endif
