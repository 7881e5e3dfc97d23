/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed policies of browsers: what an administrator's files make them trust. The rules were
 * measured with Chromium 156 and Firefox ESR 153 (docs/policies.md).
 *
 * Everything here reads with the rights of the process: a file that its user cannot read is one
 * that a browser of the same user ignores.
 */
#ifndef XR_POLICY_H
#define XR_POLICY_H

#include "kit/base.h"

#include <sys/types.h>

/* ---- Chromium and its relatives ---- */

enum policy_key {
    POLICY_ANCHORS = 0, /* CACertificates */
    POLICY_LIMITED,     /* CACertificatesWithConstraints */
    POLICY_HINTS,       /* CAHintCertificates */
    POLICY_DISTRUST,    /* CADistrustedCertificates */
    POLICY_PLATFORM,    /* CAPlatformIntegrationEnabled */
    POLICY_MERGE,       /* PolicyListMultipleSourceMergeList */
    POLICY_KEYS
};
extern const char *const policy_names[POLICY_KEYS];

struct policy_own;

#define POLICY_OWN "crossroot.json" /* in managed/: the one file that crossroot writes */

/* Paths in it are inside root. */
struct policy_view {
    /*
     * What the policies say, as XR_BROWSER_ANCHOR, XR_BROWSER_HINT or XR_BROWSER_DISTRUST_KEY, with
     * the file as source. At most one anchor of each certificate. One with limits is limited also
     * where another policy or the NSS database trusts the same certificate without any. Names it is
     * limited to are as they were written: "" permits every name, one dot at the end and upper case
     * mean nothing; what Chromium makes of other names that are no host names was not measured.
     */
    struct xr_browser_cert *items;
    size_t count;
    /* Anchors in other files that one in crossroot's own file comes before, so that they count for
     * nothing as long as that one is there. */
    struct xr_browser_cert *behind;
    size_t behind_count;
    bool closed;               /* some of it is for root alone: browsers of others ignore it */
    bool platform_off;         /* CAPlatformIntegrationEnabled=false: NSS databases are not read */
    const char *platform_file; /* the file that says so, or NULL */
    /* The file whose value of that policy counts first, or NULL. */
    const char *decides[POLICY_KEYS];
    /* A file that sets it and is not crossroot's, where a value of ours would hide that one or be
     * hidden by it; or NULL. */
    const char *taken[POLICY_KEYS];
    /* The browser may trust or distrust more than the items, or less; problems say why. */
    bool incomplete;
    struct xr_strings problems; /* one line each, for people */
    struct policy_own *own;     /* memory behind all this */
    size_t own_count, own_capacity, capacity;
    struct xr_strings files; /* that set any of these policies; those that count first come first */
};

/*
 * Reads what a browser reads below dir, such as "/etc/chromium/policies": all files in managed/ and
 * recommended/, whatever their names. root is the directory of an image, or NULL for this machine.
 * A directory that does not exist, or that this user cannot read, is an empty view.
 */
enum xr_status policy_load(struct policy_view *out, const char *root, const char *dir,
                           struct xr_error *err);
void policy_view_free(struct policy_view *view);

/* ---- Chromium's JSON ---- */

/* Appends text as strict JSON that has the same values, where Chromium's reader and RFC 8259 differ:
 * comments, commas before a closing bracket, line ends in strings, \xHH, a byte order mark. U+0000
 * in strings becomes U+FFFD. false: nested too deep for Chromium, or an open comment. Text that
 * neither takes may become any other such text. */
bool policy_strict_json(struct xr_buf *out, struct xr_bytes text);

/* ---- products ---- */

enum policy_family { POLICY_CHROMIUM = 0, POLICY_FIREFOX };
struct policy_product {
    const char *name; /* in addresses */
    const char *title;
    enum policy_family family;
    const char *path; /* Chromium's: directory of policies; Firefox's: policies.json */
    /* Directories of installations, ends with NULL. Firefox's: distribution/policies.json in one counts
     * if there is no file at path. */
    const char *const *installed;
};
extern const struct policy_product policy_products[]; /* the last one has no name */

/* ---- files ---- */

#define POLICY_FILE_MAX ((size_t)16 << 20)

/* Where paths are resolved. */
struct policy_root {
    int fd;
    bool image; /* links do not lead out of it */
};
enum xr_status policy_root_open(struct policy_root *out, const char *root, struct xr_error *err);
void policy_root_close(struct policy_root *root);
/* -1: see errno */
int policy_open(const struct policy_root *root, const char *path, int flags);

enum policy_file {
    POLICY_FILE_READ = 0,
    POLICY_FILE_NONE,   /* missing, a directory or a socket: nothing that can be read */
    POLICY_FILE_DENIED, /* not for this user */
    POLICY_FILE_STRANGE /* what a browser makes of it is not known: a FIFO, a device, too large… */
};
/* Through links, as browsers do. why: what is wrong with it, unless it was read. closed: it was, but
 * only because this process is root: browsers of other users cannot. */
enum policy_file policy_read(struct xr_buf *out, char why[128], bool *closed,
                             const struct policy_root *root, const char *path);
bool policy_is(const struct policy_root *root, const char *path, mode_t type); /* S_IFDIR… */
/* Mode bits that everybody needs are missing, and this process does without. */
bool policy_closed(mode_t mode, mode_t needed);

/* ---- Firefox and its relatives ---- */

/* A certificate that a policies.json installs as an anchor, in each profile, at every start. */
struct policy_install {
    struct xr_buf der;
    char *file;   /* where it was found */
    char *policy; /* the policies.json */
};

struct policy_firefox {
    struct policy_install *items;
    size_t count, capacity;
    bool system_roots;        /* ImportEnterpriseRoots is true, which imports nothing on Linux */
    bool parsed;              /* there is a file, and it is JSON */
    bool stopped;             /* at an element of the list, after which Firefox reads no further */
    bool closed;              /* it is for root alone: browsers of others ignore it */
    struct xr_strings listed; /* all texts in the list, also those after it stopped */
    bool incomplete;
    struct xr_strings problems;
};

/* The files that count for installations of that product: its path, or those in installations. */
void policy_firefox_files(struct xr_strings *out, const struct policy_root *root,
                          const struct policy_product *product);
/* Adds what one policies.json says. home: of the user whose Firefox it is, inside root, or NULL: then
 * certificates that it looks for in a home are not found. */
void policy_firefox_read(struct policy_firefox *out, const struct policy_root *root,
                         const char *policy, const char *home);
void policy_firefox_free(struct policy_firefox *firefox);

#endif
