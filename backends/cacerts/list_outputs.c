/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs of Debian's family: the bundle, NAME.pem links to the sources, and HASH.N links as
 * `openssl rehash` makes them. Correct files and links stay, with their numbers.
 */
#include "../sources/sources.h"

#include <ctype.h>
#include <search.h>
#include <stdlib.h>

/* ---- the directory as it is ---- */

struct present {
    char *name;
    char *target; /* of a link, or NULL */
    bool goes;
};

struct directory {
    struct {
        struct present *items; /* by name */
        size_t count, capacity;
    } now;
    const struct names *wanted;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct present *)a)->name, ((const struct present *)b)->name);
}

static void take_present(void *ctx, int fd, const struct dirent *entry)
{
    struct directory *out = ctx;
    struct present *present = XR_PUSH(&out->now);

    present->name = xr_strdup(entry->d_name);
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
        present->target = ca_readlink_at(fd, entry->d_name);
}

static void read_directory(struct directory *out, const struct xr_session *s)
{
    ca_scan(s, s->layout->directory, take_present, out);
    if (out->now.count > 1)
        qsort(out->now.items, out->now.count, sizeof(*out->now.items), by_name);
}

static struct present *find(const struct directory *dir, const char *name)
{
    struct present key = {.name = (char *)(uintptr_t)name};

    return dir->now.count == 0
               ? NULL
               : bsearch(&key, dir->now.items, dir->now.count, sizeof(*dir->now.items), by_name);
}

static bool is(const struct present *present, const char *target)
{
    return present != NULL && present->target != NULL && strcmp(present->target, target) == 0;
}

bool ca_hash_name(const char *name, uint32_t *hash, bool *crl, unsigned *number)
{
    char *end = NULL;

    for (int i = 0; i < 8; i++) {
        if (!isxdigit((unsigned char)name[i]) || isupper((unsigned char)name[i]))
            return false;
    }
    if (name[8] != '.')
        return false;
    *hash = (uint32_t)strtoul(name, NULL, 16);
    *crl = name[9] == 'r';
    name += *crl ? 10 : 9;
    if (!isdigit((unsigned char)name[0]) || strlen(name) > 6)
        return false;
    *number = (unsigned)strtoul(name, &end, 10);
    return *end == '\0';
}

/* ---- NAME.pem ---- */

struct named {
    char *name, *target;
    struct ca_file *file;
};
struct names {
    struct named **items;
    size_t count, capacity;
    size_t ascending; /* that many of the first are in the order of their names; */
    void *others;     /* and the others, see tsearch(3) */
};

static int by_link_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int at_link_name(const void *name, const void *item)
{
    return strcmp(name, (*(struct named *const *)item)->name);
}

static struct named *named(const struct names *names, const char *name)
{
    const struct named key = {.name = (char *)(uintptr_t)name};
    size_t count = names->ascending;
    struct named *const *found = NULL;

    if (count > 0 && strcmp(names->items[count - 1]->name, name) >= 0)
        found = bsearch(name, names->items, count, sizeof(struct named *), at_link_name);
    if (found == NULL)
        found = tfind(&key, &names->others, by_link_name);
    return found != NULL ? *found : NULL;
}

static struct named *add_name(struct names *names, char *name)
{
    size_t last = names->count;
    struct named *made = *XR_PUSH(names) = xr_new(1, sizeof(*made));

    made->name = name;
    if (names->ascending == last && (last == 0 || strcmp(names->items[last - 1]->name, name) < 0))
        names->ascending++;
    else if (tsearch(made, &names->others, by_link_name) == NULL)
        abort();
    return made;
}

/* As update-ca-certificates makes them: spaces and commas to _, parentheses to =. */
char *ca_link_name(const struct ca_layout *layout, const char *path)
{
    const char *base = ca_name(path);
    size_t len = strlen(base), ext = strlen(layout->extension);
    struct xr_buf out = {0};

    if (len > ext && strcmp(base + len - ext, layout->extension) == 0)
        len -= ext;
    xr_buf_str(&out, layout->link_prefix);
    for (size_t i = 0; i < len; i++) {
        const char *c = &base[i];

        if (*c == ' ' || *c == ',')
            c = "_";
        else if (*c == '(' || *c == ')')
            c = "=";
        xr_buf_add(&out, c, 1);
    }
    xr_buf_str(&out, ".pem");
    return out.data;
}

/* Are our sources files in the directory of the links? Then they need none by their names. */
static bool beside(const struct xr_session *s)
{
    return strcmp(s->layout->anchors, s->layout->directory) == 0;
}

/* Of two files with one name the later one gets the link, as with the distribution's command. */
static void want_names(struct names *out, const struct xr_session *s)
{
    for (size_t i = 0; i < s->order.count; i++) {
        struct ca_file *file = s->files.items[s->order.items[i]];
        char *name = ca_link_name(s->layout, file->path);
        struct named *known = named(out, name);

        if (known != NULL) {
            free(name);
            free(known->target);
        } else {
            known = add_name(out, name);
        }
        known->target = beside(s) ? NULL : xr_format("/%s", file->path);
        known->file = file;
    }
}

static void keep_item(void *item)
{
    (void)item; /* the list owns it */
}

static void names_free(struct names *names)
{
    tdestroy(names->others, keep_item);
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i]->name);
        free(names->items[i]->target);
        free(names->items[i]);
    }
    free(names->items);
}

static void change_names(struct ca_edits *edits, struct xr_buf *changed, struct xr_session *s,
                         struct directory *dir, const struct names *names)
{
    const char *where = s->layout->directory;

    for (size_t i = 0; i < names->count; i++) {
        const struct present *present = find(dir, names->items[i]->name);

        if (names->items[i]->target == NULL || is(present, names->items[i]->target))
            continue;
        if (present != NULL && present->target == NULL) {
            char *remark =
                xr_format(N_("/%s/%s is not a link and was left unchanged"), where, present->name);

            xr_strings_add(&s->remarks, remark);
            free(remark);
            continue;
        }
        ca_want_link(edits, where, names->items[i]->name, names->items[i]->target);
        xr_buf_fmt(changed, "+/%s/%s\n", where, names->items[i]->name);
    }
}

static char *inside(const struct xr_session *s, const char *target)
{
    return target[0] == '/' ? xr_strdup(target + 1)
                            : xr_format("%s/%s", s->layout->directory, target);
}

static bool is_below(const char *path, const char *dir)
{
    return strncmp(path, dir, strlen(dir)) == 0 && path[strlen(dir)] == '/';
}

static bool to_unlisted(const struct xr_session *s, const char *path)
{
    return (s->layout->drops_unlisted || s->anew) &&
           (is_below(path, s->layout->vendor) || is_below(path, s->layout->anchors));
}

/* Removes links that are dangling or lead to a file that is not selected. */
static void drop_names(struct ca_edits *edits, struct xr_buf *changed, struct xr_session *s,
                       struct directory *dir, const struct names *names)
{
    for (size_t i = 0; i < dir->now.count; i++) {
        struct present *present = &dir->now.items[i];
        const struct ca_file *file = NULL;
        char *path = NULL;
        uint32_t hash = 0;
        unsigned number = 0;
        bool crl = false;
        struct stat st;

        if (present->target == NULL || ca_hash_name(present->name, &hash, &crl, &number) ||
            named(names, present->name) != NULL)
            continue;
        path = inside(s, present->target);
        file = ca_find_file(s, path);
        if (s->in_place)
            present->goes = !ca_stat(&st, s, path, true) && is_below(path, s->layout->anchors);
        else
            present->goes = !ca_stat(&st, s, path, true) || (file != NULL && file->deselected) ||
                            to_unlisted(s, path);
        if (present->goes) {
            ca_want_gone(edits, s->layout->directory, present->name);
            xr_buf_fmt(changed, "-/%s/%s\n", s->layout->directory, present->name);
        }
        free(path);
    }
}

/* ---- HASH.N ---- */

/* A file of the directory that gets a link by its hash. */
struct hashed {
    const char *name;
    uint32_t hash;
    bool crl;
    unsigned char sha256[XR_SHA256_LEN];
    size_t end; /* of the numbers in its bucket */
};
struct hashes {
    struct hashed *items;
    size_t count, capacity;
};

static bool rehash_name(const struct xr_session *s, const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL &&
           (strcasecmp(dot, ".pem") == 0 || strcasecmp(dot, ".crt") == 0 ||
            strcasecmp(dot, ".cer") == 0 || strcasecmp(dot, ".crl") == 0) &&
           strcmp(name, ca_name(s->layout->published[0])) != 0;
}

static bool hash_cert(uint32_t *hash, const struct xr_session *s, struct xr_bytes der)
{
    struct xr_slices slices = {.size = sizeof(slices)};

    return s->host->slices(&slices, der, NULL) == XR_OK &&
           s->host->name_hash(hash, slices.subject, NULL) == XR_OK;
}

static bool hash_source(struct hashed *out, const struct xr_session *s, struct ca_file *file)
{
    struct ca_item *item = file->held.items;

    /* One that OpenSSL cannot read would hide those behind it. */
    if (file->held.count != 1 || !file->hashable)
        return false;
    if (!item->has_hash && item->subject.len > 0)
        item->has_hash = s->host->name_hash(&item->hash, item->subject, NULL) == XR_OK;
    item->has_hash = item->has_hash || hash_cert(&item->hash, s, item->der);
    out->hash = item->hash;
    memcpy(out->sha256, item->sha256, sizeof(out->sha256));
    return item->has_hash;
}

/* As `openssl rehash` counts: a file of one certificate or one CRL. */
struct only {
    const struct xr_session *s;
    size_t certs, crls;
    struct hashed *out;
    bool ok;
};

static enum xr_status take_only(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct only *only = ctx;
    const struct xr_host *host = only->s->host;
    struct xr_bytes name = {0};
    size_t len = der.len;

    if (kind == XR_ITEM_CRL ? only->crls++ + only->certs > 0 : only->certs++ > 0)
        return XR_OK;
    only->out->crl = kind == XR_ITEM_CRL;
    if (kind == XR_ITEM_CRL) {
        only->ok = host->crl_issuer(&name, der, NULL) == XR_OK &&
                   host->name_hash(&only->out->hash, name, NULL) == XR_OK;
    } else {
        if (kind == XR_ITEM_TRUSTED_CERT && host->trusted(&len, &(uint32_t){0}, der, NULL) == XR_OK)
            der.len = len;
        only->ok = hash_cert(&only->out->hash, only->s, der);
    }
    host->sha256(only->out->sha256, der);
    return XR_OK;
}

static bool hash_foreign(struct hashed *out, const struct xr_session *s, const char *name)
{
    char *path = xr_format("%s/%s", s->layout->directory, name);
    struct xr_buf text = {0};
    struct only only = {.s = s, .out = out};

    if (ca_read(&text, NULL, s, path, NULL) == XR_OK)
        only.ok =
            s->host->openssl_items((struct xr_bytes){(const unsigned char *)text.data, text.len},
                                   XR_READ_BUNDLE, take_only, &only, NULL) == XR_OK &&
            only.ok;
    xr_buf_free(&text);
    free(path);
    return only.ok && only.certs <= 1 && only.crls <= 1;
}

static int by_hash_then_name(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;

    if (x->crl != y->crl)
        return x->crl ? 1 : -1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void want_hashes(struct hashes *out, const struct xr_session *s, const struct directory *dir,
                        const struct names *names)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->count; i++) {
        const struct present *present = find(dir, names->items[i]->name);
        struct hashed hashed = {.name = names->items[i]->name};

        if ((present == NULL || present->target != NULL || beside(s)) &&
            hash_source(&hashed, s, names->items[i]->file))
            *XR_PUSH(out) = hashed;
    }
    for (size_t i = 0; !s->in_place && i < dir->now.count; i++) {
        const struct present *present = &dir->now.items[i];
        struct hashed hashed = {.name = present->name};
        uint32_t hash = 0;
        unsigned number = 0;
        bool crl = false;

        if (!present->goes && rehash_name(s, present->name) &&
            !ca_hash_name(present->name, &hash, &crl, &number) &&
            (present->target == NULL || named(names, present->name) == NULL) &&
            hash_foreign(&hashed, s, present->name))
            *XR_PUSH(out) = hashed;
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), by_hash_then_name);
    /* One link for each certificate, to the first name. */
    for (size_t i = 0; i < out->count; i++) {
        bool twin = false;

        for (size_t k = kept; k-- > 0 && out->items[k].hash == out->items[i].hash &&
                              out->items[k].crl == out->items[i].crl && !twin;)
            twin = memcmp(out->items[k].sha256, out->items[i].sha256, XR_SHA256_LEN) == 0;
        if (!twin)
            out->items[kept++] = out->items[i];
    }
    out->count = kept;
}

static char *hash_name(const struct hashed *hashed, unsigned number)
{
    return xr_format("%08x.%s%u", hashed->hash, hashed->crl ? "r" : "", number);
}

/* Is it a name that we link, or linked until now? */
static bool ours(const struct directory *dir, const char *name)
{
    const struct present *present = find(dir, name);

    return named(dir->wanted, name) != NULL || (present != NULL && present->goes) ||
           (present == NULL && strstr(name, CA_OURS) != NULL);
}

/* A link that is neither correct nor dangling is foreign: its number is in use. Where the bundle is
 * its own source, so is every link that is not ours. */
static bool foreign_link(const struct xr_session *s, const struct directory *dir,
                         const struct present *present)
{
    char *path = NULL;
    struct stat st;
    bool there = false;

    if (present->target == NULL)
        return true;
    if (s->in_place)
        return !ours(dir, present->target);
    if (find(dir, present->target) != NULL || strchr(present->target, '/') == NULL)
        return false;
    path = inside(s, present->target);
    there = ca_stat(&st, s, path, true);
    free(path);
    return there;
}

/* Numbers in one bucket: correct links below count keep theirs, the others get the lowest free
 * ones. If foreign links use some, ours continue past count. */
static void link_bucket(struct ca_edits *edits, const struct xr_session *s,
                        const struct directory *dir, struct hashed *items, size_t count)
{
    bool *placed = xr_new(count, sizeof(*placed));
    bool *taken = xr_new(count, sizeof(*taken));
    size_t next = 0;

    for (unsigned n = 0; n < count; n++) {
        char *name = hash_name(&items[0], n);
        const struct present *present = find(dir, name);

        for (size_t i = 0; present != NULL && i < count; i++) {
            if (!placed[i] && is(present, items[i].name)) {
                placed[i] = taken[n] = true;
                break;
            }
        }
        taken[n] = taken[n] || (present != NULL && foreign_link(s, dir, present));
        free(name);
    }
    for (size_t i = 0; i < count; i++) {
        char *name = NULL;

        if (placed[i])
            continue;
        while (next < count && taken[next])
            next++;
        name = hash_name(&items[i], (unsigned)next);
        while (next >= count && find(dir, name) != NULL && foreign_link(s, dir, find(dir, name))) {
            free(name);
            name = hash_name(&items[i], (unsigned)++next);
        }
        if (!is(find(dir, name), items[i].name))
            ca_want_link(edits, s->layout->directory, name, items[i].name);
        next++;
        free(name);
    }
    for (size_t i = 0; i < count; i++)
        items[i].end = next > count ? next : count;
    free(placed);
    free(taken);
}

static size_t bucket_end(const struct hashes *hashes, uint32_t hash, bool crl)
{
    size_t low = 0, high = hashes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct hashed *at = &hashes->items[middle];

        if (at->crl < crl || (at->crl == crl && at->hash < hash))
            low = middle + 1;
        else
            high = middle;
    }
    return low < hashes->count && hashes->items[low].hash == hash && hashes->items[low].crl == crl
               ? hashes->items[low].end
               : 0;
}

/* OpenSSL stops at the first number that is missing, so the last foreign link moves into a gap. */
static void remove_hash(struct ca_edits *edits, const struct xr_session *s,
                        const struct directory *dir, struct present *gone)
{
    struct present *last = NULL;
    uint32_t hash = 0, its_hash = 0;
    unsigned number = 0, its_number = 0;
    bool crl = false, its_crl = false;

    (void)ca_hash_name(gone->name, &hash, &crl, &number);
    for (size_t i = 0; s->in_place && i < dir->now.count; i++) {
        struct present *present = &dir->now.items[i];

        if (present->target == NULL || present->goes ||
            !ca_hash_name(present->name, &its_hash, &its_crl, &its_number) || its_hash != hash ||
            its_crl != crl || its_number <= number || !foreign_link(s, dir, present))
            continue;
        last = present;
        number = its_number;
    }
    if (last != NULL) {
        last->goes = true;
        ca_want_link(edits, s->layout->directory, gone->name, last->target);
        gone = last;
    }
    ca_want_gone(edits, s->layout->directory, gone->name);
}

static void change_hashes(struct ca_edits *edits, const struct xr_session *s,
                          const struct directory *dir, struct hashes *hashes)
{
    for (size_t i = 0, n = 0; i < hashes->count; i += n) {
        for (n = 1; i + n < hashes->count && hashes->items[i + n].hash == hashes->items[i].hash &&
                    hashes->items[i + n].crl == hashes->items[i].crl;)
            n++;
        link_bucket(edits, s, dir, &hashes->items[i], n);
    }
    /* Removes links past the end of their bucket, and those of buckets that no longer exist. */
    for (size_t i = 0; i < dir->now.count; i++) {
        struct present *present = &dir->now.items[i];
        uint32_t hash = 0;
        unsigned number = 0;
        bool crl = false;

        if (present->target != NULL && !present->goes &&
            ca_hash_name(present->name, &hash, &crl, &number) &&
            number >= bucket_end(hashes, hash, crl) && !foreign_link(s, dir, present))
            remove_hash(edits, s, dir, present);
    }
}

/* ---- all of them ---- */

void ca_list_outputs(struct ca_edits *edits, struct xr_buf *changed, struct xr_session *s)
{
    struct directory dir = {0};
    struct names names = {0};
    struct hashes hashes = {0};
    struct xr_bytes text = ca_list_bundle(s);
    struct stat st;
    unsigned mode = 0644;
    bool there = ca_stat(&st, s, s->layout->published[0], false);

    dir.wanted = &names;
    read_directory(&dir, s);
    want_names(&names, s);
    change_names(edits, changed, s, &dir, &names);
    drop_names(edits, changed, s, &dir, &names);
    want_hashes(&hashes, s, &dir, &names);
    change_hashes(edits, s, &dir, &hashes);
    /* Without certificates no bundle is made, but one that exists keeps no trust. */
    if (there && s->in_place)
        mode = (st.st_mode & 0777) | 0444;
    if (text.len > 0 || (there && (!s->refresh || s->order.count > 0)))
        ca_want_lent(edits, s, s->layout->published[0], text, mode);
    for (size_t i = 0; i < dir.now.count; i++) {
        free(dir.now.items[i].name);
        free(dir.now.items[i].target);
    }
    free(dir.now.items);
    names_free(&names);
    free(hashes.items);
}
