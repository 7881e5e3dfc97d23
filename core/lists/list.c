/* SPDX-License-Identifier: Apache-2.0 */
/* One list: its entries by certificate, by issuer and serial number, by hash. */
#include "lists.h"

#include <stdlib.h>

static struct xr_root *by_id(struct xr_list *list, struct xr_idmap *map,
                             const unsigned char id[XR_SHA256_LEN], bool *added)
{
    size_t at = xr_idmap_put(map, id, list->roots.count, added);

    if (*added)
        (void)XR_PUSH(&list->roots);
    return &list->roots.items[at];
}

static void serial_id(unsigned char id[XR_SHA256_LEN], struct xr_bytes issuer,
                      struct xr_bytes serial)
{
    struct xr_subject subject = {0};

    xr_subject_issuer_serial(&subject, issuer, serial, xr_x509_sha256);
    memcpy(id, subject.id, XR_SHA256_LEN);
}

/* What was known by its hash or its number before gets its certificate now. */
static void give_cert(struct xr_list *list, struct xr_root *root, struct xr_cert *cert)
{
    const struct xr_slices *s = NULL;
    unsigned char id[XR_SHA256_LEN];
    bool added = false;

    if (root->cert == NULL) {
        free((void *)(uintptr_t)root->issuer.data);
        free((void *)(uintptr_t)root->serial.data);
        root->cert = xr_cert_ref(cert);
    }
    s = &root->cert->d.slices; /* of the one that stays, though both have the same bytes */
    root->issuer = s->issuer;
    root->serial = s->serial;
    root->has_sha256 = true;
    memcpy(root->sha256, cert->sha256, XR_SHA256_LEN);
    serial_id(id, s->issuer, s->serial);
    root->has_id = true;
    memcpy(root->id, id, XR_SHA256_LEN);
    (void)xr_idmap_put(&list->by_serial, id, (size_t)(root - list->roots.items), &added);
}

struct xr_root *xr_list_add_cert(struct xr_list *list, struct xr_cert *cert)
{
    unsigned char id[XR_SHA256_LEN];
    struct xr_root *root = NULL;
    size_t at = 0;
    bool added = false;

    if (!xr_idmap_get(&list->by_sha256, cert->sha256, &at)) {
        serial_id(id, cert->d.slices.issuer, cert->d.slices.serial);
        /* A twin of the same issuer and number is another certificate. */
        if (xr_idmap_get(&list->by_serial, id, &at) && list->roots.items[at].cert == NULL &&
            !list->roots.items[at].has_sha256)
            (void)xr_idmap_put(&list->by_sha256, cert->sha256, at, &added);
    }
    root = by_id(list, &list->by_sha256, cert->sha256, &added);
    give_cert(list, root, cert);
    return root;
}

struct xr_root *xr_list_add_serial(struct xr_list *list, struct xr_bytes issuer,
                                   struct xr_bytes serial)
{
    unsigned char id[XR_SHA256_LEN];
    struct xr_root *root = NULL;

    serial_id(id, issuer, serial);
    root = xr_list_add_id(list, id);
    if (root->issuer.len == 0) {
        root->issuer = (struct xr_bytes){xr_memdup(issuer.data, issuer.len), issuer.len};
        root->serial = (struct xr_bytes){xr_memdup(serial.data, serial.len), serial.len};
    }
    return root;
}

struct xr_root *xr_list_add_id(struct xr_list *list, const unsigned char id[XR_SHA256_LEN])
{
    bool added = false;
    struct xr_root *root = by_id(list, &list->by_serial, id, &added);

    root->has_id = true;
    memcpy(root->id, id, XR_SHA256_LEN);
    return root;
}

struct xr_root *xr_list_add_sha256(struct xr_list *list, const unsigned char sha256[XR_SHA256_LEN])
{
    bool added = false;
    struct xr_root *root = by_id(list, &list->by_sha256, sha256, &added);

    root->has_sha256 = true;
    memcpy(root->sha256, sha256, XR_SHA256_LEN);
    return root;
}

struct xr_root *xr_list_find(const struct xr_list *list, const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = 0;

    return xr_idmap_get(&list->by_sha256, sha256, &at) ? &list->roots.items[at] : NULL;
}

static void root_free(struct xr_root *root)
{
    if (root->cert == NULL) {
        free((void *)(uintptr_t)root->issuer.data);
        free((void *)(uintptr_t)root->serial.data);
    }
    xr_cert_free(root->cert);
    free(root->label);
    free(root->subject);
    xr_limits_free(&root->limits);
}

void xr_list_free(struct xr_list *list)
{
    for (size_t i = 0; i < list->roots.count; i++)
        root_free(&list->roots.items[i]);
    for (size_t i = 0; i < list->sources.count; i++)
        free(list->sources.items[i].name);
    free(list->roots.items);
    free(list->sources.items);
    xr_strings_free(&list->notes);
    xr_idmap_free(&list->by_sha256);
    xr_idmap_free(&list->by_serial);
    xr_idmap_free(&list->distrusted);
    *list = (struct xr_list){0};
}

char *xr_root_name(const struct xr_root *root)
{
    char hex[2 * XR_SHA256_LEN + 1];
    char *text = NULL, *name = NULL;

    if (root->label != NULL && root->label[0] != '\0')
        return xr_visible(root->label);
    if (root->cert != NULL)
        text = xr_x509_name_short(root->cert->d.slices.subject);
    else if (root->subject != NULL)
        text = xr_strdup(root->subject);
    else if (root->issuer.len > 0)
        text = xr_x509_name_short(root->issuer);
    if (text == NULL || text[0] == '\0') {
        free(text);
        xr_hex(hex, root->sha256, XR_SHA256_LEN);
        return xr_strdup(root->has_sha256 ? hex : "certificate");
    }
    name = xr_visible(text);
    free(text);
    return name;
}

/* ---- merging ---- */

static void merge_date(struct xr_format_date *date, const struct xr_format_date *other)
{
    if (other->known && (!date->known || other->at < date->at))
        *date = *other;
}

static void note_conflict(struct xr_list *list, const struct xr_root *root, uint32_t purposes)
{
    char text[64], *name = xr_root_name(root), *note = NULL;

    xr_purposes_text(text, sizeof(text), purposes);
    note =
        xr_format(N_("%s: one source trusts it for %s and another distrusts it: it is distrusted"),
                  name, text);
    xr_strings_add(&list->notes, note);
    free(note);
    free(name);
}

/* Which entry of list is about the same certificate; a new one where none is. */
static struct xr_root *same(struct xr_list *list, const struct xr_root *root, bool *added)
{
    size_t count = list->roots.count;
    struct xr_root *found = root->cert != NULL ? xr_list_add_cert(list, root->cert)
                            : root->has_sha256 ? xr_list_add_sha256(list, root->sha256)
                            : root->issuer.len > 0
                                ? xr_list_add_serial(list, root->issuer, root->serial)
                                : xr_list_add_id(list, root->id);

    *added = list->roots.count > count;
    return found;
}

/* What one source trusts within limits is trusted within limits, whatever others say. */
static void add_trust(struct xr_list *list, struct xr_root *to, struct xr_root *from)
{
    to->unsaid = to->unsaid && from->unsaid;
    to->mozilla_policy |= from->mozilla_policy;
    if (from->trusted == 0)
        return;
    if (xr_limits_any(&from->limits) && !xr_limits_any(&to->limits)) {
        to->limits = from->limits;
        from->limits = (struct xr_limits){0};
    } else if (xr_limits_any(&from->limits) && !xr_limits_equal(&from->limits, &to->limits)) {
        char *name = xr_root_name(to),
             *note = xr_format(
                 N_("%s: two sources limit it to different names: the first one counts"), name);

        xr_strings_add(&list->notes, note);
        free(note);
        free(name);
        return;
    }
    to->trusted |= from->trusted;
}

void xr_list_merge(struct xr_list *list, struct xr_list *add, enum xr_merge how)
{
    size_t first_source = list->sources.count;

    for (size_t i = 0; i < add->roots.count; i++) {
        struct xr_root *from = &add->roots.items[i];
        bool added = false;
        struct xr_root *to = same(list, from, &added);
        uint32_t both = 0;

        if (added) {
            to->unsaid = from->unsaid;
            to->trusted = from->trusted;
            to->label = from->label;
            to->subject = from->subject;
            to->limits = from->limits;
            to->mozilla_policy = from->mozilla_policy;
            to->source = first_source + from->source;
            from->label = from->subject = NULL;
            from->limits = (struct xr_limits){0};
        } else if (how == XR_MERGE_FIRST ? to->unsaid && (to->trusted | to->distrusted) == 0
                                         : how == XR_MERGE_ALL || !from->unsaid || to->unsaid) {
            if (how == XR_MERGE_SAID && to->unsaid && !from->unsaid)
                to->trusted = 0; /* which was a guess */
            add_trust(list, to, from);
        }
        if (from->cert == NULL && from->has_id && from->distrusted != 0)
            xr_list_distrust(list, from->id);
        to->distrusted |= from->distrusted;
        both = to->trusted & to->distrusted;
        if (both != 0)
            note_conflict(list, to, both);
        to->trusted &= ~both;
        merge_date(&to->server_after, &from->server_after);
        merge_date(&to->email_after, &from->email_after);
    }
    for (size_t i = 0; i < add->sources.count; i++) {
        *XR_PUSH(&list->sources) = add->sources.items[i];
        add->sources.items[i].name = NULL;
    }
    for (size_t i = 0; i < add->notes.count; i++)
        xr_strings_add(&list->notes, add->notes.items[i]);
    for (size_t i = 0; i < add->distrusted.capacity; i++) {
        if (add->distrusted.slots[i].value_plus_one != 0)
            xr_list_distrust(list, add->distrusted.slots[i].id);
    }
    xr_list_free(add);
}

void xr_list_distrust(struct xr_list *list, const unsigned char id[XR_SHA256_LEN])
{
    bool added = false;

    (void)xr_idmap_put(&list->distrusted, id, 0, &added);
}

void xr_list_settle(struct xr_list *list)
{
    for (size_t i = 0; i < list->roots.count; i++) {
        struct xr_root *root = &list->roots.items[i];
        unsigned char id[XR_SHA256_LEN];
        size_t unused = 0;

        if (root->cert == NULL)
            continue;
        serial_id(id, root->issuer, root->serial);
        if (!xr_idmap_get(&list->distrusted, id, &unused) &&
            !xr_idmap_get(&list->distrusted, root->cert->spki_sha256, &unused))
            continue;
        if (root->trusted != 0)
            note_conflict(list, root, root->trusted);
        root->trusted = 0;
        root->distrusted = XR_ALL_PURPOSES;
    }
}
