/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "certs/x509.h"

#include <stdlib.h>

static struct xr_bytes copy_bytes(struct xr_bytes bytes)
{
    return (struct xr_bytes){bytes.len ? xr_memdup(bytes.data, bytes.len) : NULL, bytes.len};
}

static void free_bytes(struct xr_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

static void entry_free(struct xr_entry *entry)
{
    struct xr_attached *attached = (struct xr_attached *)(uintptr_t)entry->attached;

    for (size_t i = 0; i < entry->attached_count; i++) {
        free_bytes(attached[i].oid);
        free_bytes(attached[i].value);
    }
    free(attached);
    free((void *)(uintptr_t)entry->label);
    free((void *)(uintptr_t)entry->remark);
    free((void *)(uintptr_t)entry->returns);
    free_bytes(entry->about);
    free_bytes(entry->der);
    free_bytes(entry->issuer);
    free_bytes(entry->serial);
    free_bytes(entry->native);
    free(entry);
}

static struct xr_entry *entry_copy(const struct xr_entry *entry)
{
    struct xr_entry *copy = xr_new(1, sizeof(*copy));
    struct xr_attached *attached = NULL;

    /* An older backend's entry is shorter: members that it does not have are zero. */
    memcpy(copy, entry, entry->size < sizeof(*copy) ? entry->size : sizeof(*copy));
    copy->size = sizeof(*copy);
    copy->label = copy->label ? xr_strdup(copy->label) : NULL;
    copy->remark = copy->remark ? xr_strdup(copy->remark) : NULL;
    copy->returns = copy->returns ? xr_strdup(copy->returns) : NULL;
    copy->about = copy_bytes(copy->about);
    copy->der = copy_bytes(copy->der);
    copy->issuer = copy_bytes(copy->issuer);
    copy->serial = copy_bytes(copy->serial);
    copy->native = copy_bytes(copy->native);
    if (copy->attached_count > 0) {
        attached = xr_new(copy->attached_count, sizeof(*attached));
        for (size_t i = 0; i < copy->attached_count; i++) {
            attached[i].size = sizeof(*attached);
            attached[i].oid = copy_bytes(xr_attached_at(copy, i)->oid);
            attached[i].value = copy_bytes(xr_attached_at(copy, i)->value);
        }
    }
    copy->attached = attached;
    return copy;
}

struct xr_state *xr_state_new(const struct xr_subject *subject)
{
    struct xr_state *state = xr_new(1, sizeof(*state));

    state->size = sizeof(*state);
    state->subject = *subject;
    return state;
}

/* There is room for as many as the next power of two: a store may hold one certificate any number of
 * times. */
void xr_state_add(struct xr_state *state, const struct xr_entry *entry)
{
    const struct xr_entry **entries = (const struct xr_entry **)(uintptr_t)state->entries;

    if ((state->count & (state->count - 1)) == 0) {
        entries = xr_new(state->count > 0 ? 2 * state->count : 1, sizeof(*entries));
        if (state->count > 0)
            memcpy((void *)entries, (const void *)state->entries,
                   state->count * sizeof(*state->entries));
        free((void *)(uintptr_t)state->entries);
    }
    entries[state->count] = entry_copy(entry);
    state->entries = entries;
    state->count++;
}

struct xr_state *xr_state_copy(const struct xr_state *state)
{
    struct xr_state *copy = NULL;

    if (state == NULL)
        return NULL;
    copy = xr_state_new(&state->subject);
    for (size_t i = 0; i < state->count; i++)
        xr_state_add(copy, state->entries[i]);
    return copy;
}

void xr_state_free(struct xr_state *state)
{
    if (state == NULL)
        return;
    for (size_t i = 0; i < state->count; i++)
        entry_free((struct xr_entry *)(uintptr_t)state->entries[i]);
    free((void *)(uintptr_t)state->entries);
    free(state);
}

static bool attached_equal(const struct xr_entry *a, const struct xr_entry *b)
{
    if (a->attached_count != b->attached_count)
        return false;
    for (size_t i = 0; i < a->attached_count; i++) {
        if (!xr_bytes_equal(a->attached[i].oid, b->attached[i].oid) ||
            !xr_bytes_equal(a->attached[i].value, b->attached[i].value))
            return false;
    }
    return true;
}

static bool entry_same(const struct xr_entry *a, const struct xr_entry *b)
{
    return xr_subject_equal(&a->subject, &b->subject) && a->place == b->place &&
           a->purposes == b->purposes && xr_bytes_equal(a->der, b->der) &&
           xr_bytes_equal(a->issuer, b->issuer) && xr_bytes_equal(a->serial, b->serial) &&
           attached_equal(a, b);
}

static bool entry_equal(const struct xr_entry *a, const struct xr_entry *b)
{
    return entry_same(a, b) && xr_bytes_equal(a->native, b->native) &&
           strcmp(a->label ? a->label : "", b->label ? b->label : "") == 0;
}

typedef bool (*entry_cmp)(const struct xr_entry *a, const struct xr_entry *b);

static size_t occurrences(const struct xr_state *state, const struct xr_entry *entry,
                          entry_cmp alike)
{
    size_t count = 0;

    for (size_t i = 0; state != NULL && i < state->count; i++)
        count += alike(state->entries[i], entry);
    return count;
}

static bool occurs(const struct xr_state *state, const struct xr_entry *entry, entry_cmp alike)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (alike(state->entries[i], entry))
            return true;
    }
    return false;
}

/* Equal as multisets: a store may hold the same certificate twice in one place. */
static bool states_alike(const struct xr_state *a, const struct xr_state *b, entry_cmp alike)
{
    size_t count_a = a ? a->count : 0, count_b = b ? b->count : 0, at = 0;

    if (count_a != count_b)
        return false;
    /* Usually they are in one order; thousands would take long to count. */
    while (at < count_a && alike(a->entries[at], b->entries[at]))
        at++;
    for (size_t i = 0; at < count_a && i < count_a; i++) {
        if (occurrences(a, a->entries[i], alike) != occurrences(b, a->entries[i], alike))
            return false;
    }
    return true;
}

bool xr_state_equal(const struct xr_state *a, const struct xr_state *b)
{
    return states_alike(a, b, entry_equal);
}

bool xr_state_same(const struct xr_state *a, const struct xr_state *b)
{
    return states_alike(a, b, entry_same);
}

/* Is it a certificate that the other state has in some place, but here without trust? An
 * interrupted swap leaves that in stores where certificate and trust are two objects. */
static bool bare(const struct xr_entry *entry, const struct xr_state *state)
{
    return entry->place == XR_INTERMEDIATE && entry->subject.type == XR_SUBJECT_CERT &&
           state != NULL && state->count > 0;
}

bool xr_state_between(const struct xr_state *state, const struct xr_state *a,
                      const struct xr_state *b)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (!occurs(a, state->entries[i], entry_same) &&
            !occurs(b, state->entries[i], entry_same) && !bare(state->entries[i], a) &&
            !bare(state->entries[i], b))
            return false;
    }
    return true;
}

static uint32_t trusted_purposes(const struct xr_state *state, enum xr_place place)
{
    uint32_t purposes = 0;

    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->place == place)
            purposes |= state->entries[i]->purposes ? state->entries[i]->purposes : XR_ANY_PURPOSE;
    }
    return purposes & XR_ANY_PURPOSE ? ~0u : purposes;
}

static size_t constraints(const struct xr_state *state)
{
    size_t count = 0;

    for (size_t i = 0; state != NULL && i < state->count; i++)
        count += state->entries[i]->attached_count;
    return count;
}

bool xr_state_widens(const struct xr_state *from, const struct xr_state *to)
{
    bool trusted = xr_state_in(to, XR_ANCHOR) != NULL || xr_state_in(to, XR_PEER) != NULL;

    return (trusted_purposes(to, XR_ANCHOR) & ~trusted_purposes(from, XR_ANCHOR)) != 0 ||
           (trusted_purposes(to, XR_PEER) & ~trusted_purposes(from, XR_PEER)) != 0 ||
           (trusted && constraints(to) < constraints(from)) ||
           (xr_state_in(from, XR_DISTRUST) != NULL && xr_state_in(to, XR_DISTRUST) == NULL) ||
           (xr_state_in(from, XR_CRL) != NULL && xr_state_in(to, XR_CRL) == NULL);
}

const struct xr_entry *xr_state_in(const struct xr_state *state, enum xr_place place)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->place == place)
            return state->entries[i];
    }
    return NULL;
}

void xr_subject_key(unsigned char key[XR_SHA256_LEN], const struct xr_subject *subject)
{
    memcpy(key, subject->id, XR_SHA256_LEN);
    key[XR_SHA256_LEN - 1] ^= (unsigned char)subject->type;
}

static bool hashes_to(struct xr_bytes der, const struct xr_subject *subject)
{
    unsigned char sum[XR_SHA256_LEN];

    xr_x509_sha256(sum, der);
    return memcmp(sum, subject->id, sizeof(sum)) == 0;
}

/* A backend that emits the bytes of another certificate for a subject is broken or malicious. */
static bool own_bytes(const struct xr_entry *entry)
{
    if (entry->size < offsetof(struct xr_entry, issuer) || entry->der.len == 0 ||
        (entry->subject.type != XR_SUBJECT_CERT && entry->subject.type != XR_SUBJECT_CRL))
        return entry->size >= offsetof(struct xr_entry, issuer);
    return hashes_to(entry->der, &entry->subject);
}

/* Nothing is left to be asked of somebody: a certificate has its bytes, too. */
static bool names_itself(const struct xr_entry *entry)
{
    struct xr_subject named;

    switch (entry->subject.type) {
    case XR_SUBJECT_CERT:
    case XR_SUBJECT_CRL:
        return entry->der.len > 0 && hashes_to(entry->der, &entry->subject);
    case XR_SUBJECT_ISSUER_SERIAL:
        xr_subject_issuer_serial(&named, entry->issuer, entry->serial, xr_x509_sha256);
        return xr_subject_equal(&named, &entry->subject);
    case XR_SUBJECT_KEY:
        return true;
    }
    return false;
}

enum xr_status xr_state_check(const struct xr_state *state, const struct xr_subject *subject,
                              struct xr_error *err)
{
    if (!xr_subject_equal(&state->subject, subject))
        return xr_fail(err, XR_INVALID, "a swap of one subject for another");
    for (size_t i = 0; i < state->count; i++) {
        const struct xr_entry *entry = state->entries[i];

        if (!xr_subject_equal(&entry->subject, subject))
            return xr_fail(err, XR_INVALID, "an entry is of another subject than its state");
        if ((unsigned)entry->place >= XR_PLACE_COUNT)
            return xr_fail(err, XR_INVALID, "an entry is in no place");
        if (!names_itself(entry))
            return xr_fail(err, XR_INVALID, "an entry's bytes are not its subject's");
    }
    return XR_OK;
}

void xr_snapshot_only(struct xr_snapshot *snapshot, const struct xr_subject *subject)
{
    unsigned char key[XR_SHA256_LEN];
    bool added = false;

    xr_subject_key(key, subject);
    (void)xr_idmap_put(&snapshot->only, key, 0, &added);
}

enum xr_status xr_snapshot_take(void *ctx, const struct xr_entry *entry)
{
    struct xr_snapshot *snapshot = ctx;
    unsigned char key[XR_SHA256_LEN];
    bool added = false;
    size_t at = 0;

    xr_subject_key(key, &entry->subject);
    if (snapshot->only.count > 0 && !xr_idmap_get(&snapshot->only, key, &at))
        return XR_OK;
    if (!own_bytes(entry))
        return XR_INVALID;
    at = xr_idmap_put(&snapshot->map, key, snapshot->count, &added);
    if (added)
        *XR_PUSH(snapshot) = xr_state_new(&entry->subject);
    xr_state_add(snapshot->items[at], entry);
    return XR_OK;
}

const struct xr_state *xr_snapshot_find(const struct xr_snapshot *snapshot,
                                        const struct xr_subject *subject)
{
    unsigned char key[XR_SHA256_LEN];
    size_t at = 0;

    xr_subject_key(key, subject);
    return xr_idmap_get(&snapshot->map, key, &at) ? snapshot->items[at] : NULL;
}

void xr_snapshot_free(struct xr_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        xr_state_free(snapshot->items[i]);
    free(snapshot->items);
    xr_idmap_free(&snapshot->map);
    xr_idmap_free(&snapshot->only);
    *snapshot = (struct xr_snapshot){0};
}

/* The entries of one place; the array is the caller's. */
static struct xr_state only_in(const struct xr_state *state, enum xr_place place,
                               const struct xr_entry ***kept)
{
    struct xr_state out = {.size = sizeof(out)};

    *kept = xr_new(state != NULL ? state->count : 0, sizeof(**kept));
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->place == place)
            (*kept)[out.count++] = state->entries[i];
    }
    out.entries = *kept;
    return out;
}

bool xr_state_differs_in(const struct xr_state *a, const struct xr_state *b, uint32_t places)
{
    bool differ = false;

    for (unsigned place = 0; place < XR_PLACE_COUNT && !differ; place++) {
        const struct xr_entry **kept_a = NULL, **kept_b = NULL;
        struct xr_state in_a = only_in(a, (enum xr_place)place, &kept_a);
        struct xr_state in_b = only_in(b, (enum xr_place)place, &kept_b);

        differ = (places & XR_PLACE_BIT(place)) != 0 && !xr_state_same(&in_a, &in_b);
        free((void *)kept_a);
        free((void *)kept_b);
    }
    return differ;
}
