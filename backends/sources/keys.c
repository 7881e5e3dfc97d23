/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a swap finds by its subject, and what it does to others of its key: p11-kit attaches purposes
 * and constraints to keys. A load is indexed once, and of each key is counted what is attached to
 * it, so that thousands of certificates of one key need no look at all of them for each.
 */
#include "swapping.h"

#include <stdlib.h>

/* An extension that is attached to a key, by so many files. */
struct limit {
    struct xr_bytes oid, value; /* owned */
    size_t count;
};

struct key {
    size_t cert, extension; /* the first ones of the session's pf_store, or CA_NONE */
    size_t anchors;
    bool counted; /* limits are */
    struct {
        struct limit *items;
        size_t count, capacity;
    } limits;
};

struct ca_index {
    size_t load; /* it is of that one */
    struct xr_idmap subjects;
    struct {
        size_t *items; /* by subject: the first of the session's certificates */
        size_t count, capacity;
    } firsts;
    size_t *next_of_subject;
    struct xr_idmap by_key;
    struct {
        struct key *items;
        size_t count, capacity;
    } keys;
    size_t *next_of_key, *next_extension;
    struct ca_file **files; /* by their numbers in the pf_store */
};

void ca_index_free(struct xr_session *s)
{
    struct ca_index *index = s->index;

    if (index == NULL)
        return;
    for (size_t i = 0; i < index->keys.count; i++) {
        struct key *key = &index->keys.items[i];

        for (size_t k = 0; k < key->limits.count; k++) {
            free((void *)(uintptr_t)key->limits.items[k].oid.data);
            free((void *)(uintptr_t)key->limits.items[k].value.data);
        }
        free(key->limits.items);
    }
    free(index->keys.items);
    free(index->firsts.items);
    free(index->next_of_subject);
    free(index->next_of_key);
    free(index->next_extension);
    free((void *)index->files);
    xr_idmap_free(&index->subjects);
    xr_idmap_free(&index->by_key);
    free(index);
    s->index = NULL;
}

/* ---- the index: chains in the order of the load ---- */

static void index_subjects(struct ca_index *index, const struct xr_session *s)
{
    index->next_of_subject = xr_new(s->certs.count, sizeof(*index->next_of_subject));
    for (size_t i = s->certs.count; i-- > 0;) {
        bool added = false;
        size_t at = xr_idmap_put(&index->subjects, s->certs.items[i].subject.id,
                                 index->firsts.count, &added);

        if (added)
            *XR_PUSH(&index->firsts) = CA_NONE;
        index->next_of_subject[i] = index->firsts.items[at];
        index->firsts.items[at] = i;
    }
}

static struct key *key_of(struct ca_index *index, const unsigned char id[XR_SHA256_LEN])
{
    bool added = false;
    size_t at = xr_idmap_put(&index->by_key, id, index->keys.count, &added);

    if (added)
        *XR_PUSH(&index->keys) = (struct key){.cert = CA_NONE, .extension = CA_NONE};
    return &index->keys.items[at];
}

static void index_keys(struct ca_index *index, const struct xr_session *s)
{
    const struct pf_store *p11 = &s->p11;
    unsigned char id[XR_SHA256_LEN];

    index->next_of_key = xr_new(p11->certs.count, sizeof(*index->next_of_key));
    index->next_extension = xr_new(p11->extensions.count, sizeof(*index->next_extension));
    index->files = xr_new(p11->files, sizeof(*index->files));
    for (size_t i = 0; i < s->files.count; i++) {
        if (s->files.items[i]->pf_file != CA_NONE)
            index->files[s->files.items[i]->pf_file] = s->files.items[i];
    }
    for (size_t i = p11->certs.count; i-- > 0;) {
        struct key *key = NULL;

        if (p11->certs.items[i].spki.len == 0)
            continue;
        s->host->sha256(id, p11->certs.items[i].spki);
        key = key_of(index, id);
        key->anchors += p11->certs.items[i].trusted;
        index->next_of_key[i] = key->cert;
        key->cert = i;
    }
    for (size_t i = p11->extensions.count; i-- > 0;) {
        struct key *key = NULL;

        s->host->sha256(id, p11->extensions.items[i].spki);
        key = key_of(index, id);
        index->next_extension[i] = key->extension;
        key->extension = i;
    }
}

static struct ca_index *index_of(struct xr_session *s)
{
    if (s->index != NULL && s->index->load != s->loads)
        ca_index_free(s);
    if (s->index == NULL) {
        s->index = xr_new(1, sizeof(*s->index));
        s->index->load = s->loads;
        index_subjects(s->index, s);
        if (s->layout->objects)
            index_keys(s->index, s);
    }
    return s->index;
}

void ca_find_holdings(struct swapping *w, const struct xr_subject *subject)
{
    struct ca_index *index = index_of(w->s);
    size_t at = 0;

    if (!xr_idmap_get(&index->subjects, subject->id, &at))
        return;
    for (at = index->firsts.items[at]; at != CA_NONE; at = index->next_of_subject[at]) {
        if (xr_subject_equal(&w->s->certs.items[at].subject, subject))
            XR_PUSH(&w->now)->cert = &w->s->certs.items[at];
    }
}

/* ---- what is attached to the key ---- */

static struct limit *limit_of(struct key *key, struct xr_bytes oid, struct xr_bytes value)
{
    struct limit *limit = NULL;

    for (size_t i = 0; i < key->limits.count; i++) {
        if (xr_bytes_equal(key->limits.items[i].value, value))
            return &key->limits.items[i];
    }
    limit = XR_PUSH(&key->limits);
    limit->oid = (struct xr_bytes){xr_memdup(oid.data, oid.len), oid.len};
    limit->value = (struct xr_bytes){xr_memdup(value.data, value.len), value.len};
    return limit;
}

/* With its limits counted. */
static struct key *own_key(const struct swapping *w)
{
    struct ca_index *index = index_of(w->s);
    struct key *key = key_of(index, w->touch->key);

    for (size_t at = key->counted ? CA_NONE : key->extension; at != CA_NONE;
         at = index->next_extension[at])
        limit_of(key, w->s->p11.extensions.items[at].oid, w->s->p11.extensions.items[at].value)
            ->count++;
    key->counted = true;
    return key;
}

static bool same_key(const struct swapping *w, struct xr_bytes spki)
{
    return w->touch->spki.len > 0 && xr_bytes_equal(spki, w->touch->spki);
}

/* How often a file attaches that value to the key. */
static size_t attaches(const struct swapping *w, const struct ca_file *file, struct xr_bytes value)
{
    size_t count = 0;

    for (size_t i = 0; i < file->extension_count; i++) {
        const struct pf_extension *e = &w->s->p11.extensions.items[file->extension_at + i];

        count += same_key(w, e->spki) && xr_bytes_equal(e->value, value);
    }
    return count;
}

static bool listed(const struct swapping *w, size_t before, const struct ca_file *file)
{
    for (size_t i = 0; i < before; i++) {
        if (w->now.items[i].cert->file == file)
            return true;
    }
    return false;
}

bool ca_key_keeps(const struct swapping *w, struct xr_bytes value)
{
    const struct key *key = own_key(w);
    size_t held = 0, going = 0;

    for (size_t i = 0; i < key->limits.count; i++) {
        if (xr_bytes_equal(key->limits.items[i].value, value))
            held = key->limits.items[i].count;
    }
    for (size_t i = 0; i < w->now.count; i++) {
        if (!listed(w, i, w->now.items[i].cert->file))
            going += attaches(w, w->now.items[i].cert->file, value);
    }
    return held > going;
}

bool ca_only_purposes(const struct swapping *w, const struct ca_file *file)
{
    bool only = file->attaches;

    for (size_t i = 0; i < file->extension_count; i++) {
        const struct pf_extension *e = &w->s->p11.extensions.items[file->extension_at + i];

        only = only && ca_is_eku(e) && same_key(w, e->spki);
    }
    return only;
}

/* ---- what is left after the swap ---- */

static bool stays(const struct swapping *w, const struct ca_file *file)
{
    bool stays = true;

    for (size_t i = 0; i < w->now.count; i++)
        stays = stays && (w->now.items[i].cert->file != file ||
                          (w->now.items[i].kept && !w->now.items[i].over));
    for (size_t i = 0; i < w->writes.count; i++)
        stays = stays && strcmp(w->writes.items[i].path, file->path) != 0;
    return stays;
}

/* The files that go, or are written over: each once. */
struct going {
    const struct ca_file **items;
    size_t count, capacity;
};

static void add_going(struct going *out, const struct swapping *w, const struct ca_file *file)
{
    bool known = file == NULL || file->pf_file == CA_NONE || stays(w, file);

    for (size_t i = 0; !known && i < out->count; i++)
        known = out->items[i] == file;
    if (!known)
        *XR_PUSH(out) = file;
}

static struct going find_going(const struct swapping *w)
{
    struct going going = {0};

    for (size_t i = 0; i < w->now.count; i++)
        add_going(&going, w, w->now.items[i].cert->file);
    for (size_t i = 0; i < w->writes.count; i++)
        add_going(&going, w, ca_find_file(w->s, w->writes.items[i].path));
    return going;
}

static size_t left_of(const struct swapping *w, const struct going *going,
                      const struct limit *limit)
{
    size_t gone = 0;

    for (size_t i = 0; i < going->count; i++)
        gone += attaches(w, going->items[i], limit->value);
    return limit->count > gone ? limit->count - gone : 0;
}

static size_t trusted_in(const struct swapping *w, const struct pf_store *p11, size_t first,
                         size_t count)
{
    size_t trusted = 0;

    for (size_t i = 0; i < count; i++)
        trusted +=
            p11->certs.items[first + i].trusted && same_key(w, p11->certs.items[first + i].spki);
    return trusted;
}

static void add_writes(struct pf_store *out, const struct swapping *w)
{
    for (size_t i = 0; i < w->writes.count; i++) {
        const struct write *write = &w->writes.items[i];
        enum pf_area area = PF_BASE;

        if (ca_area_of(&area, w->s, write->path))
            (void)pf_add(
                out, 0, area, ca_name(write->path),
                (struct xr_bytes){(const unsigned char *)write->content.data, write->content.len},
                NULL);
    }
}

static void attach(struct pf_store *out, const struct swapping *w, const struct limit *limit)
{
    *XR_PUSH(&out->extensions) = (struct pf_extension){
        .spki = {xr_memdup(w->touch->spki.data, w->touch->spki.len), w->touch->spki.len},
        .oid = {xr_memdup(limit->oid.data, limit->oid.len), limit->oid.len},
        .value = {xr_memdup(limit->value.data, limit->value.len), limit->value.len},
    };
}

static bool has_value(const struct pf_store *store, const struct swapping *w, struct xr_bytes value)
{
    for (size_t i = 0; i < store->extensions.count; i++) {
        if (same_key(w, store->extensions.items[i].spki) &&
            xr_bytes_equal(store->extensions.items[i].value, value))
            return true;
    }
    return false;
}

/* If there are several of one kind, the module uses any of them, depending on the order of files. */
static bool ambiguous(const struct key *key)
{
    for (size_t i = 0; i < key->limits.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (key->limits.items[i].count > 0 && key->limits.items[k].count > 0 &&
                xr_bytes_equal(key->limits.items[i].oid, key->limits.items[k].oid))
                return true;
        }
    }
    return false;
}

/* Collects what will be attached to the key in after, with what is written. Answers whether that tells
 * all: nobody else is an anchor of the key, or what is attached stays what it was. */
static bool imagine_key(struct pf_store *after, const struct swapping *w)
{
    const struct key *key = own_key(w);
    struct going going = find_going(w);
    size_t others = key->anchors;
    bool same = true;

    for (size_t i = 0; i < w->now.count; i++) {
        const struct pf_cert *cert = &w->s->p11.certs.items[w->now.items[i].cert->object];

        others -= cert->trusted && others > 0;
    }
    for (size_t i = 0; i < key->limits.count; i++) {
        const struct limit *limit = &key->limits.items[i];

        if (left_of(w, &going, limit) > 0)
            attach(after, w, limit);
        else if (limit->count > 0)
            same = same && has_value(&w->made, w, limit->value);
    }
    for (size_t i = 0; i < w->made.extensions.count; i++) {
        const struct pf_extension *e = &w->made.extensions.items[i];
        bool known = false;

        for (size_t k = 0; k < key->limits.count; k++)
            known = known || (key->limits.items[k].count > 0 &&
                              xr_bytes_equal(key->limits.items[k].value, e->value));
        same = same && known;
    }
    add_writes(after, w);
    free((void *)going.items);
    return !ambiguous(key) && (same || others == 0);
}

/* Loads only the files of the key, as they will be after the swap. */
static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return x < y ? -1 : x > y;
}

static void imagine_files(struct pf_store *after, const struct swapping *w)
{
    const struct xr_session *s = w->s;
    const struct ca_index *index = s->index;
    const struct key *key = own_key(w);
    struct {
        size_t *items;
        size_t count, capacity;
    } files = {0};

    for (size_t at = key->cert; at != CA_NONE; at = index->next_of_key[at])
        *XR_PUSH(&files) = s->p11.certs.items[at].file;
    for (size_t at = key->extension; at != CA_NONE; at = index->next_extension[at])
        *XR_PUSH(&files) = s->p11.extensions.items[at].file;
    if (files.count > 1)
        qsort(files.items, files.count, sizeof(*files.items), by_number);
    for (size_t i = 0; i < files.count; i++) {
        const struct ca_file *file = index->files[files.items[i]];

        if ((i == 0 || files.items[i] != files.items[i - 1]) && stays(w, file))
            (void)pf_add(
                after, file->token, file->area, ca_name(file->path),
                (struct xr_bytes){(const unsigned char *)file->content.data, file->content.len},
                NULL);
    }
    free(files.items);
    add_writes(after, w);
}

/* ---- others of the key ---- */

static const struct pf_cert *anchor_in(const struct pf_store *p11, struct xr_bytes der)
{
    for (size_t i = 0; i < p11->certs.count; i++) {
        if (p11->certs.items[i].trusted && xr_bytes_equal(p11->certs.items[i].der, der))
            return &p11->certs.items[i];
    }
    return NULL;
}

static bool same_attached(const struct pf_store *a, const struct pf_cert *x,
                          const struct pf_store *b, const struct pf_cert *y)
{
    struct xr_attached *left = NULL, *right = NULL;
    size_t count = ca_attached(&left, a, x, false);
    bool same = ca_attached(&right, b, y, false) == count;

    for (size_t i = 0; same && i < count; i++) {
        bool found = false;

        for (size_t k = 0; k < count; k++)
            found = found || xr_bytes_equal(left[i].value, right[k].value);
        same = found;
    }
    free(left);
    free(right);
    return same;
}

/* If there are several extensions of one kind, the module uses any of them, depending on the order
 * of files. */
static bool contradicts(const struct pf_store *after)
{
    const struct xr_bytes *first = NULL;

    for (size_t i = 0; i < after->extensions.count; i++) {
        const struct pf_extension *extension = &after->extensions.items[i];

        if (!ca_is_eku(extension))
            continue;
        if (first != NULL && !xr_bytes_equal(*first, extension->value))
            return true;
        first = &extension->value;
    }
    return false;
}

static enum xr_status check_others(const struct swapping *w, const struct pf_store *after,
                                   struct xr_error *err)
{
    const struct xr_session *s = w->s;
    const struct key *key = own_key(w);

    for (size_t at = key->cert; at != CA_NONE; at = s->index->next_of_key[at]) {
        const struct pf_cert *before = &s->p11.certs.items[at], *now = NULL;

        if (ca_place_of(before) != XR_ANCHOR ||
            memcmp(before->sha256, w->subject->id, XR_SHA256_LEN) == 0)
            continue;
        now = anchor_in(after, before->der);
        if (now == NULL || now->purposes != before->purposes ||
            !same_attached(&s->p11, before, after, now))
            return xr_fail(err, XR_REFUSED,
                           "/%s is an anchor of the same key, and this would change its limits: "
                           "p11-kit attaches purposes and constraints to the key",
                           s->index->files[before->file]->path);
    }
    return XR_OK;
}

/* Extensions attached to a key apply to every certificate of the key. So a swap must neither add
 * limits to another anchor of the key nor remove any, and this anchor must get the wanted
 * purposes. */
enum xr_status ca_check_key(struct swapping *w, const struct xr_state *want, bool *stale,
                            struct xr_error *err)
{
    struct xr_session *s = w->s;
    struct pf_store after = {.host = s->host};
    enum xr_status status = XR_OK;
    bool alone = false;
    size_t value = 0;

    if (!s->layout->objects || w->touch->spki.len == 0)
        return XR_OK;
    add_writes(&w->made, w);
    alone = imagine_key(&after, w);
    if (!alone) {
        *stale = xr_idmap_get(&s->touched, w->touch->key, &value);
        if (*stale)
            goto out;
        pf_free(&after);
        after.host = s->host;
        imagine_files(&after, w);
    }
    pf_combine(&after);
    if (!alone)
        status = check_others(w, &after, err);
    if (status == XR_OK && w->writes.count > 0 && contradicts(&after))
        status = xr_fail(err, XR_REFUSED,
                         "other files attach other purposes to its key, and p11-kit may use any of "
                         "them: remove those files first");
    for (size_t i = 0; status == XR_OK && want != NULL && i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];
        const struct pf_cert *now =
            entry->place == XR_ANCHOR ? anchor_in(&after, entry->der) : NULL;

        if (now != NULL && ca_purposes(s, &after, now) != entry->purposes &&
            entry->purposes != XR_ANY_PURPOSE)
            status = xr_fail(err, XR_REFUSED,
                             "something else limits its key, so it would not be an anchor for the "
                             "purposes asked for");
    }
out:
    pf_free(&after);
    return status;
}

void ca_note_key(struct swapping *w)
{
    struct going going = {0};
    struct key *key = NULL;

    if (!w->s->layout->objects || w->touch->spki.len == 0 || w->s->index == NULL)
        return;
    going = find_going(w);
    key = own_key(w);
    for (size_t i = 0; i < key->limits.count; i++)
        key->limits.items[i].count = left_of(w, &going, &key->limits.items[i]);
    for (size_t i = 0; i < going.count; i++) {
        size_t gone = trusted_in(w, &w->s->p11, going.items[i]->object_at, going.items[i]->objects);

        key->anchors -= gone < key->anchors ? gone : key->anchors;
    }
    for (size_t i = 0; i < w->made.extensions.count; i++) {
        const struct pf_extension *e = &w->made.extensions.items[i];

        if (same_key(w, e->spki))
            limit_of(key, e->oid, e->value)->count++;
    }
    key->anchors += trusted_in(w, &w->made, 0, w->made.certs.count);
    free((void *)going.items);
}
