/* SPDX-License-Identifier: Apache-2.0 */
/* One session, shared by the files of this backend. Paths are inside the root, without a leading
 * slash. Opening them never leaves the root, whatever links an image has. */
#ifndef XR_CACERTS_STORE_H
#define XR_CACERTS_STORE_H

#include "blocks.h"
#include "layout.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#define CA_OURS     "crossroot-" /* names of our files */
#define CA_NONE     ((size_t)-1)
#define CA_FILE_MAX ((size_t)64 << 20)
/* Purposes that an anchor can be limited to, in layouts with objects. */
#define CA_PURPOSES ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME))

/* Tells whether a file is still the one that was read. */
struct ca_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
};

struct ca_item {
    struct xr_bytes der; /* owned; OpenSSL's trust settings follow it */
    size_t aux_len;      /* their bytes, 0 without any */
    unsigned char sha256[XR_SHA256_LEN];
    struct xr_bytes subject; /* in der; empty: not known */
    uint32_t hash;           /* of the subject, as OpenSSL's links; known if has_hash */
    bool has_hash;
    bool unreadable; /* OpenSSL cannot decode it: one of it, and no program reads the bundle */
};

/* One source file. */
struct ca_file {
    char *path;
    size_t number;  /* in the session */
    size_t reading; /* counts what was read from disk in the session: that content has no other */
    struct ca_stamp stamp;
    unsigned mode;
    char *target; /* of a link, or NULL */
    struct xr_buf content;
    bool vendor;
    bool private_key; /* has a private key besides certificates */
    bool deselected;  /* CA_LIST: deselected by a ! line */
    struct {          /* CA_LIST: certificates in PEM */
        struct ca_item *items;
        size_t count, capacity;
    } held;
    /* CA_LIST: OpenSSL reads held from the text and nothing else, wherever it stands in a bundle.
     * Then it is published as it is. */
    bool clean;
    bool plain;        /* CA_LIST: nothing but clean blocks, each as we would write it */
    bool hashable;     /* CA_LIST: OpenSSL reads held from the file itself, by a hash link */
    enum pf_area area; /* CA_P11 */
    size_t token;
    size_t pf_file;   /* number in the pf_store, CA_NONE when it cannot be read */
    size_t objects;   /* certificates in it, */
    size_t object_at; /* CA_P11: from this number in the pf_store on; and likewise */
    size_t extension_at, extension_count;
    /* CA_P11: only one certificate, in a form that we can write again; if the layout has objects,
     * with what is attached to its key. */
    bool only_object;
    bool attaches; /* CA_P11: extensions */
};

/* One certificate of one file, as an entry of the store. */
struct ca_cert {
    struct ca_file *file;
    struct xr_subject subject;
    struct xr_bytes der;            /* empty: only a distrust by issuer and serial, or by key */
    struct xr_bytes issuer, serial; /* CA_P11 */
    struct xr_bytes key;            /* CA_P11: SPKI */
    size_t object;                  /* CA_P11: number in the pf_store */
    enum xr_place place;
    uint32_t purposes;
    bool vendor;
    bool by_list;       /* CA_LIST: a distrust by a ! line, which has no file of its own */
    const char *remark; /* as in struct xr_entry */
};

/* Files by their paths. Nearly always all of them come in the order of their paths, or nearly all. */
struct ca_paths {
    size_t ascending; /* that many of the first do; */
    void *others;     /* and the others, see tsearch(3) */
};

struct xr_session {
    const struct xr_host *host;
    const struct ca_layout *layout;
    char *location; /* of the root, on the host */
    int root;
    int lock;        /* descriptor that holds it, or -1 */
    char *blocklist; /* directory for our distrusts, or NULL */
    bool live, write, updater_distro, rebuild;
    bool soon;               /* see struct xr_target */
    bool refresh;            /* for refresh alone: nothing is compared with what was published */
    bool anew;               /* refresh: links to sources that are not selected go too */
    struct ca_layout *moved; /* the layout, if the site has other places, with their paths */
    struct xr_strings moved_paths;
    bool extracts; /* refresh: all outputs are wanted, where their directories are missing too */
    bool all_packaged;     /* what the list does not name counts as selected */
    bool module_known;     /* blocklists.c: */
    unsigned module_reads; /* a bit for each name of a directory */
    bool contested;        /* two directories count, of which a reader takes one */
    /* accounts.c: why outputs cannot be rebuilt, and what would be published too; or NULL */
    char *unaccounted, *unpublished;
    unsigned char unpublished_id[XR_SHA256_LEN];
    struct xr_idmap leaving, coming; /* see struct xr_target */
    bool loaded;
    size_t changes; /* number of loads that found a change */
    bool fresh;     /* loaded from disk since the last change, and not listed since */
    bool sure;      /* all files were read under the lock, so only we can change them */
    bool ahead;     /* the disk has changes that are not loaded, only of the subjects in touched */
    struct xr_idmap touched; /* subjects, and SHA-256 of keys, that swaps changed since the load */
    size_t loads;
    struct ca_index *index; /* of a load, made by the first swap, see keys.c */
    struct {
        struct ca_file **items;
        size_t count, capacity;
    } files;
    struct ca_paths by_path; /* of the files */
    struct {
        struct ca_cert *items;
        size_t count, capacity;
    } certs;
    struct {
        size_t *items; /* CA_LIST: files in the order of the bundle */
        size_t count, capacity;
    } order;
    size_t readings; /* files read so far */
    struct {         /* list_bundle.c: the bundle that these readings, in this order, give */
        struct xr_buf text;
        size_t *of;
        size_t count;
    } bundle;
    struct xr_buf conf;
    struct ca_stamp conf_stamp;
    struct pf_store p11;
    struct ca_published *published[3]; /* for probe, read when first needed */
    struct xr_strings remarks;         /* what the flush could not do */
    struct {
        struct ca_left {
            char *path;
            const char *why;
        } * items;
        size_t count, capacity;
    } left; /* files that count for nothing */
    /* CA_LIST: the bundle is its own source, see in_place.c */
    bool in_place;
    struct xr_idmap local; /* certificates that the local directory has, or had in this session */
    struct xr_strings dirty_dirs; /* of sources, to be synced by the next flush */
};

/* session.c */
/* The first layout that fits the root. NULL if none does; then errno is 0, or says why some of the root
 * could not be looked at. */
const struct ca_layout *ca_detect(const struct xr_session *s);
struct xr_session *ca_session_new(const struct xr_host *host, const char *location);
void ca_session_free(struct xr_session *s);
/* Writes identity of struct xr_caps for the locked directory; unchanged if there is none. */
void ca_identify(char *out, size_t size, const struct xr_session *s, const char *path);
enum xr_status ca_lock(struct xr_session *s, struct xr_error *err);
bool ca_try_lock(struct xr_session *s); /* without waiting */
void ca_unlock(struct xr_session *s);
/* Can path (or NULL) be written, or the directory in which it would be created? False: sets
 * why_not, if it is still empty. */
bool ca_may_write(const struct xr_session *s, const char *path, struct xr_caps *caps);

/* Makes source directories durable. */
enum xr_status ca_sync_sources(struct xr_session *s, struct xr_error *err);
/* Removes hidden files of a killed run. Call it under the lock, so that nobody is writing them. */
void ca_clear_temps(const struct xr_session *s, const char *dir);
void ca_clear_source_temps(const struct xr_session *s);

/* root.c */
int ca_open(const struct xr_session *s, const char *path, int flags); /* -1 and errno */
/* errno where the session has places that options name, and a link of another user is on the way. */
#define CA_FOREIGN_LINK EXDEV
int ca_open_parent(const struct xr_session *s, const char *path);
const char *ca_name(const char *path); /* its last component */
/* Opens a regular file for reading: by its name in dir, where a link fails with ELOOP, or with dir
 * -1 by its path, following links inside the root. EINVAL if it is anything else; in an image it is
 * then not opened, because opening a device may have effects. */
int ca_open_file(const struct xr_session *s, int dir, const char *path, struct stat *st);
/* Follows links inside the root; XR_ABSENT, or XR_INVALID if it is not a regular file. */
enum xr_status ca_read(struct xr_buf *out, struct ca_stamp *stamp, const struct xr_session *s,
                       const char *path, struct xr_error *err);
/* Has it exactly that content? Follows links as ca_read; stamp may be NULL. */
bool ca_has(struct ca_stamp *stamp, const struct xr_session *s, const char *path,
            struct xr_bytes content);
/* Does it belong to root, to us or to the owner of the image: somebody who decides what the root
 * holds anyway? Ids in an image may all be shifted. */
bool ca_may_lead(const struct xr_session *s, const struct stat *st);
/* Is path free of links of other users? False with the link's path in err. */
bool ca_own_links(const struct xr_session *s, const char *path, struct xr_error *err);
bool ca_stat(struct stat *out, const struct xr_session *s, const char *path, bool follow);
char *ca_readlink(const struct xr_session *s, const char *path); /* NULL: no link */
char *ca_readlink_at(int dir, const char *name);
struct ca_stamp ca_stamp_of(const struct stat *st);
bool ca_same_stamp(const struct ca_stamp *a, const struct ca_stamp *b);
enum xr_status ca_make_dirs(const struct xr_session *s, const char *path, unsigned mode,
                            struct xr_error *err);
/* Does the error, of opening or reading, say nothing of what is there? */
bool ca_cannot_look(int code);
/* Emits each entry of a directory except . and .., unsorted; nothing if it does not exist. This and the
 * next two return false if it may hold what could not be looked at; see errno. */
typedef void (*ca_scan_fn)(void *ctx, int dir, const struct dirent *entry);
bool ca_scan(const struct xr_session *s, const char *path, ca_scan_fn each, void *ctx);
/* Entries of a directory, sorted by the bytes of the names; none if it does not exist. */
struct ca_dirent {
    char *name;
    bool link;
    bool directory; /* also through a link */
};
struct ca_entries {
    struct ca_dirent *items;
    size_t count, capacity;
};
bool ca_entries(struct ca_entries *out, const struct xr_session *s, const char *path);
void ca_entries_free(struct ca_entries *entries);
/* The names alone. */
bool ca_names(struct xr_strings *out, const struct xr_session *s, const char *path);

/* load.c: reads what changed since the last load. */
enum xr_status ca_load(struct xr_session *s, struct xr_error *err);
void ca_unload(struct xr_session *s);
/* Marks that file as changed. */
void ca_forget(struct xr_session *s, const char *path);

/* files.c: adds a file to the load; finds it, or one of another load's paths; forgets paths, but not
 * the files. */
void ca_file_free(struct ca_file *file);
struct ca_file *ca_keep_file(struct xr_session *s, struct ca_file *file);
struct ca_file *ca_find_file(const struct xr_session *s, const char *path);
struct ca_file *ca_find_by_path(const struct ca_paths *paths, struct ca_file *const *files,
                                const char *path);
void ca_forget_paths(struct ca_paths *paths);

/* objects.c */
enum xr_place ca_place_of(const struct pf_cert *cert);
/* The subject that an object is an entry of; false if it says nothing: it has no certificate and
 * distrusts none. */
bool ca_identify_cert(struct xr_subject *out, const struct xr_session *s,
                      const struct pf_cert *cert);
/* Marks what is not for outputs (left_out). */
void ca_leave_out_unreadable(struct xr_session *s);

/* left_out.c: names a file that counts for nothing; why is not copied. */
void ca_leave_out(struct xr_session *s, const char *path, const char *why);
const char *ca_why_unread(int code);                 /* an errno */
const char *ca_why_nothing(struct xr_bytes content); /* why no certificate was found in it */
/* One line about all of them; out is unchanged if there are none. */
void ca_left_text(char *out, size_t size, const struct xr_session *s);
void ca_left_free(struct xr_session *s);

/* in_place.c: if no package's certificates are among the sources, the bundle as a file, with what it
 * holds besides the local directory; else NULL. Sets in_place if that is anything. */
struct ca_file *ca_load_bundle(struct xr_session *s);
/* Does a block of it come from the local directory? The mark alone proves nothing: a bundle may have
 * been copied from another system. */
bool ca_is_local(const struct xr_session *s, const struct ca_block *block);

/* pemfile.c */
void ca_parse_list_file(const struct xr_session *s, struct ca_file *file);
/* Appends a clean PEM block. */
void ca_item_pem(struct xr_buf *out, const struct xr_session *s, const struct ca_item *item);
/* How programs read it differently from us; NULL: they do not. */
const char *ca_pem_remark(const struct ca_file *file, const struct ca_item *item);

/* blocklists.c: directories of distrusted certificates below a source directory. */
#define CA_BLOCKLISTS 2u
extern const char *const ca_blocklists[CA_BLOCKLISTS];                  /* their names */
const char *ca_blocklist_name(struct xr_session *s, const char *token); /* of that for ours */
bool ca_is_blocklist(const char *token, const char *dir);
/* Adds the paths of those that exist and count. */
void ca_each_blocklist(struct xr_strings *out, struct xr_session *s, const char *token);
/* What a reader of this root may take differently, one line, allocated; or NULL. */
char *ca_blocklist_remark(struct xr_session *s);

/* conf.c: the text of ca-certificates.conf */
struct ca_conf_line {
    const char *path; /* not NUL-terminated */
    size_t len;
    bool deselected;
    size_t mark; /* offset in the text where a ! is, or would be */
    bool crlf;   /* of the whole list; set by the first call */
};
/* The next line that names a certificate, from *at on; false at the end. */
bool ca_conf_next(struct ca_conf_line *out, size_t *at, const struct xr_buf *text);
/* A copy in which every line with that path is deselected, or none is. */
struct xr_buf ca_conf_set(const struct xr_buf *text, const char *path, bool deselected);

/* record.c: the native record of an entry, which can restore it: form, mode, path, content. */
enum ca_form {
    CA_FORM_CANONICAL, /* one PEM block, as we write it */
    CA_FORM_CONTENT,
    CA_FORM_LINK,
    CA_FORM_FIXED,  /* cannot be written again, so it is not removed */
    CA_FORM_VENDOR, /* comes with a package */
    CA_FORM_LINE,   /* a ! line about a packaged file */
};
struct ca_record {
    enum ca_form form;
    unsigned mode;
    char *path;           /* owned */
    struct xr_bytes rest; /* content or target, borrowed */
};
void ca_native(struct xr_buf *out, const struct xr_session *s, const struct ca_cert *cert);
/* The part of a source directory that has the file with that path; false: it is in none that we
 * write. */
bool ca_area_of(enum pf_area *out, const struct xr_session *s, const char *path);
/* False if no list can have produced it, or if we never write that path. */
bool ca_record(struct ca_record *out, const struct xr_session *s, struct xr_bytes in);
/* What we write for an entry. */
struct xr_buf ca_canonical(const struct xr_session *s, const struct xr_entry *entry);
/* Is it one certificate, with at most what is attached to its key? */
bool ca_one_object(const struct xr_session *s, const struct pf_store *p11, size_t certs,
                   size_t extensions);
bool ca_is_eku(const struct pf_extension *extension);
/* What is attached to a certificate's key besides purposes; only: in its own file. The caller frees
 * the array; the store owns what its elements point to. */
size_t ca_attached(struct xr_attached **out, const struct pf_store *p11, const struct pf_cert *cert,
                   bool only);
/* The purposes that an anchor of that store of objects (the session's or another) is trusted
 * for. */
uint32_t ca_purposes(const struct xr_session *s, const struct pf_store *p11,
                     const struct pf_cert *cert);
/* Why a foreign file cannot be written again from a record, or NULL. */
const char *ca_fixed_reason(const struct xr_session *s, const struct ca_file *file);
/* Would a file with that path and content, or a link to target, be exactly this entry? */
bool ca_makes(const struct xr_session *s, const struct xr_entry *entry, const char *path,
              const struct xr_buf *content);
bool ca_link_makes(const struct xr_session *s, const struct xr_entry *entry, const char *path,
                   const char *target);

/* listing.c */
struct ca_shown {
    struct xr_entry entry;
    struct xr_buf native;
    char *label;
    struct xr_attached *attached;
};
void ca_shown_init(struct ca_shown *out, const struct xr_session *s, const struct ca_cert *cert);
void ca_shown_free(struct ca_shown *shown);
enum xr_status ca_list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err);

/* check.c: checks a wanted state, whatever the store holds. */
enum xr_status ca_check_want(const struct xr_session *s, const struct xr_state *want,
                             struct xr_error *err);

/* keys.c */
void ca_index_free(struct xr_session *s);

/* swap.c */
enum xr_status ca_swap(struct xr_session *s, const struct xr_state *expect,
                       const struct xr_state *want, struct xr_error *err);

/* verifier.c */
enum xr_status ca_probe(struct xr_session *s, struct xr_verdict *out,
                        const struct xr_probe *question, struct xr_error *err);
void ca_published_free(struct xr_session *s);

/* publish.c: changes to outputs, which are collected and then made together. */
struct ca_edit {
    char *dir, *name;      /* where, inside the root */
    char *target;          /* of a link, or */
    struct xr_bytes text;  /* of a file; */
    struct xr_buf content; /* owns it, unless it was lent */
    unsigned mode;
    bool removes;
    char *temp; /* its temporary name, or that of the old file */
    enum ca_made { CA_NOT_MADE, CA_NEW, CA_REPLACED } made;
};
struct ca_edits {
    struct ca_edit *items;
    size_t count, capacity;
};
/* Adds a file with that content, unless the file already has it. Takes ownership of content. */
void ca_want_file(struct ca_edits *edits, const struct xr_session *s, const char *path,
                  struct xr_buf *content, unsigned mode);
/* The same; content stays the caller's, and unchanged until ca_make. */
void ca_want_lent(struct ca_edits *edits, const struct xr_session *s, const char *path,
                  struct xr_bytes content, unsigned mode);
void ca_want_link(struct ca_edits *edits, const char *dir, const char *name, const char *target);
void ca_want_gone(struct ca_edits *edits, const char *dir, const char *name);
/* Makes all changes: writes all files durably under temporary names, renames them, removes what
 * goes, and syncs directories. If anything fails, what was done is taken back. XR_WARNED: only an
 * old file is left, under a name that ca_clear_temps finds. */
enum xr_status ca_make(struct ca_edits *edits, const struct xr_session *s, struct xr_error *err);
void ca_edits_free(struct ca_edits *edits);

/* list_outputs.c, p11_outputs.c: collect what must change so that outputs match the sources.
 * changed gets the lines for hooks: +PATH, -PATH. */
void ca_list_outputs(struct ca_edits *edits, struct xr_buf *changed, struct xr_session *s);
void ca_p11_outputs(struct ca_edits *edits, struct xr_session *s);
/* NAME.pem for a source, allocated. */
char *ca_link_name(const struct ca_layout *layout, const char *path);
/* HASH.N or HASH.rN, as in a hashed directory? */
bool ca_hash_name(const char *name, uint32_t *hash, bool *crl, unsigned *number);
/* Does this root have that output, or the place for it? */
bool ca_is_published(const struct xr_session *s, const struct ca_output *output);

/* list_bundle.c: the bundle that the sources give, as they are loaded; valid until the next call. */
struct xr_bytes ca_list_bundle(struct xr_session *s);
/* Is it nothing but clean blocks, those of the files in their order? */
bool ca_list_bundle_plain(const struct xr_session *s);
/* in_place_bundle.c: the bundle that is its own source, with what is in the local directory now. */
struct xr_buf ca_in_place_bundle(const struct xr_session *s);

/* accounts.c: fills unaccounted (outputs hold certificates that come from no source) and
 * unpublished (the sources hold certificates that outputs do not). Loads the sources. */
void ca_account(struct xr_session *s);

/* flush.c */
bool ca_owes(const struct xr_session *s); /* to hooks, what they missed */
enum xr_status ca_flush(struct xr_session *s, struct xr_error *err);

void ca_clear_all_temps(const struct xr_session *s); /* of outputs too */

/* places.c: the layout of the session has these places from now on. */
enum xr_status ca_move(struct xr_session *s, const struct xr_places *places, struct xr_error *err);

/* refresh.c */
enum xr_status ca_refresh(struct xr_session *s, bool anew, xr_refreshed_fn emit, void *ctx,
                          struct xr_error *err);

/* hooks.c */
enum xr_status ca_run_hooks(struct xr_session *s, const struct xr_buf *changed,
                            struct xr_error *err);
enum xr_status ca_run_updater(struct xr_session *s, struct xr_error *err);

#endif
