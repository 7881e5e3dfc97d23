/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "kit/der.h"
#include "metadata.h"

#include <assert.h>
#include <stdlib.h>

#define FORM       1u /* first byte of a native record */
#define KEY_MAX    200u
#define REMARK_MAX 400u
#define NOWHERE    SIZE_MAX

/* ---- from rows ---- */

static enum xr_place place_of(const struct chromium_view *view, size_t at)
{
    static const enum xr_place places[] = {[XR_BROWSER_HINT] = XR_INTERMEDIATE,
                                           [XR_BROWSER_ANCHOR] = XR_ANCHOR,
                                           [XR_BROWSER_DISTRUST] = XR_DISTRUST,
                                           [XR_BROWSER_DISTRUST_KEY] = XR_DISTRUST};

    return view->rows[at].peer ? XR_PEER : places[view->items[at].trust];
}

/* False: a name or range is of a form that is not known. */
static bool limits_of(struct xr_limits *out, const struct xr_strings *dns,
                      const struct xr_strings *cidrs)
{
    bool good = true;

    for (size_t i = 0; i < dns->count; i++)
        good = xr_limits_add_dns(out, dns->items[i]) && good;
    for (size_t i = 0; i < cidrs->count; i++)
        good = xr_limits_add_cidr(out, cidrs->items[i]) && good;
    return good;
}

static void put_row(struct xr_buf *out, const char *key, struct xr_bytes metadata)
{
    static const unsigned char form = FORM;

    if (out->len == 0)
        xr_buf_add(out, &form, 1);
    xr_buf_put32(out, (uint32_t)strlen(key));
    xr_buf_str(out, key);
    xr_buf_put32(out, (uint32_t)metadata.len);
    xr_buf_add(out, metadata.data, metadata.len);
}

static bool plain_key(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++) {
        if (key[i] < ' ' || key[i] > '~')
            return false;
    }
    return len > 0 && len <= KEY_MAX;
}

/* One more row of an entry. */
static void add_row(struct chromium_entry *e, const struct chromium_row *row)
{
    struct xr_limits limits = {0};

    e->count++;
    if (row->odd || !plain_key(row->key))
        e->spoiled = N_("a row of it is written in another way than Chromium writes");
    else if (e->native.len + row->metadata.len + KEY_MAX > XR_NATIVE_MAX)
        e->spoiled = N_("it has too many rows");
    else
        put_row(&e->native, row->key, row->metadata);
    if (e->entry.place == XR_ANCHOR && e->limits.len == 0) {
        if (!limits_of(&limits, &row->dns, &row->cidrs))
            e->spoiled = N_("it is limited to names of a form that is not known");
        else if (xr_limits_any(&limits))
            xr_limits_attach(&e->attached, &e->limits, &limits);
    }
    xr_limits_free(&limits);
}

static void name_limits(struct xr_buf *out, const struct xr_strings *limits)
{
    for (size_t i = 0; i < limits->count && out->len < REMARK_MAX; i++)
        xr_buf_fmt(out, "%s%s", i > 0 ? " and " : "", limits->items[i]);
    if (out->len >= REMARK_MAX)
        xr_buf_str(out, "…");
}

/* NULL: there are none. */
static char *limits_text(const struct chromium_row *row)
{
    struct xr_buf dns = {0}, cidrs = {0};
    char *text = NULL;

    name_limits(&dns, &row->dns);
    name_limits(&cidrs, &row->cidrs);
    if (dns.len > 0 && cidrs.len > 0)
        text = xr_format(N_("of DNS names only %s, of IP addresses only %s"), dns.data, cidrs.data);
    else if (dns.len > 0)
        text = xr_format(N_("of DNS names only %s"), dns.data);
    else if (cidrs.len > 0)
        text = xr_format(N_("of IP addresses only %s"), cidrs.data);
    xr_buf_free(&dns);
    xr_buf_free(&cidrs);
    return text;
}

/* What people should know beside what the entry says. Limits of one kind leave the other kind free. */
static char *remark_of(const struct chromium_entry *e, const struct chromium_row *row)
{
    char *text = e->limits.len == 0 ? limits_text(row) : NULL, *before = NULL;

    if (row->misnamed) {
        before = text;
        text = before != NULL
                   ? xr_format(N_("%s; it is stored under a wrong hash, so the browser uses it and "
                                  "cannot remove it"),
                               before)
                   : xr_strdup(N_("it is stored under a wrong hash, so the browser uses it and "
                                  "cannot remove it"));
        free(before);
    }
    if (e->spoiled != NULL) {
        before = text;
        text = before != NULL
                   ? xr_format(N_("%s; it cannot be changed here: %s"), before, e->spoiled)
                   : xr_format(N_("it cannot be changed here: %s"), e->spoiled);
        free(before);
    }
    return text;
}

static void finish(struct chromium_entry *e, const struct chromium_view *view)
{
    e->remark = remark_of(e, &view->rows[e->first]);
    e->entry.remark = e->remark;
    if (e->spoiled == NULL)
        e->entry.native = (struct xr_bytes){(const unsigned char *)e->native.data, e->native.len};
    if (e->limits.len > 0) {
        e->entry.attached = &e->attached;
        e->entry.attached_count = 1;
    }
}

void chromium_entries_of(struct chromium_entries *out, const struct chromium_view *view,
                         const struct xr_subject *only)
{
    struct xr_idmap seen = {0};
    struct {
        struct in_places {
            size_t at[XR_PLACE_COUNT];
        } * items;
        size_t count, capacity;
    } certs = {0};

    for (size_t i = 0; i < view->count; i++) {
        const struct chromium_row *row = &view->rows[i];
        enum xr_place place = place_of(view, i);
        size_t *at = NULL, number = 0;
        bool added = false;

        if (only != NULL && memcmp(only->id, row->sha256, XR_SHA256_LEN) != 0)
            continue;
        number = xr_idmap_put(&seen, row->sha256, certs.count, &added);
        if (added) {
            struct in_places *one = XR_PUSH(&certs);

            for (size_t k = 0; k < XR_PLACE_COUNT; k++)
                one->at[k] = NOWHERE;
        }
        assert(number < certs.count);
        at = &certs.items[number].at[place];
        if (*at == NOWHERE) {
            struct chromium_entry *e = XR_PUSH(out);

            *at = out->count - 1;
            e->first = i;
            e->entry = (struct xr_entry){.size = sizeof(e->entry),
                                         .subject = {XR_SUBJECT_CERT, {0}},
                                         .place = place,
                                         .purposes = place == XR_ANCHOR ? XR_SERVER : 0,
                                         .der = view->items[i].der};
            memcpy(e->entry.subject.id, row->sha256, XR_SHA256_LEN);
        }
        add_row(&out->items[*at], row);
    }
    for (size_t i = 0; i < out->count; i++)
        finish(&out->items[i], view);
    free(certs.items);
    xr_idmap_free(&seen);
}

void chromium_entries_free(struct chromium_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        xr_buf_free(&entries->items[i].limits);
        xr_buf_free(&entries->items[i].native);
        free(entries->items[i].remark);
    }
    free(entries->items);
    *entries = (struct chromium_entries){0};
}

/* ---- to rows ---- */

static enum xr_status put_wanted(struct chromium_wanted *out, const char *key,
                                 struct xr_bytes metadata, struct xr_error *err)
{
    struct chromium_wanted_row *row = NULL;

    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->items[i].key, key) == 0)
            return xr_fail(err, XR_REFUSED, "a certificate can be in one place only");
    }
    row = XR_PUSH(out);
    row->key = xr_strdup(key);
    row->metadata = (struct xr_bytes){xr_memdup(metadata.data, metadata.len), metadata.len};
    return XR_OK;
}

static bool attached_like(const struct xr_entry *a, const struct xr_entry *b)
{
    return a->attached_count == b->attached_count &&
           (a->attached_count == 0 ||
            xr_bytes_equal(xr_attached_at(a, 0)->value, xr_attached_at(b, 0)->value));
}

static enum chromium_trust trust_of(enum xr_place place)
{
    return place == XR_INTERMEDIATE ? CHROMIUM_UNSPECIFIED
           : place == XR_DISTRUST   ? CHROMIUM_DISTRUSTED
                                    : CHROMIUM_TRUSTED;
}

/* Takes one row from the front of *rest, which is allocated in *key. False: there is none. */
static bool next_row(char **key, struct xr_bytes *metadata, struct xr_bytes *rest)
{
    uint32_t len = 0;

    *key = NULL;
    if (!xr_bytes_get32(&len, rest) || len > rest->len || len > KEY_MAX)
        return false;
    *key = xr_memdup(rest->data, len);
    rest->data += len;
    rest->len -= len;
    if (strlen(*key) != len || !plain_key(*key) || !xr_bytes_get32(&len, rest) || len > rest->len)
        return false;
    *metadata = (struct xr_bytes){rest->data, len};
    rest->data += len;
    rest->len -= len;
    return true;
}

/* A row may not say more than the entry does: that is what people agreed to. */
static enum xr_status put_native(struct chromium_wanted *out, const struct xr_entry *entry,
                                 struct xr_error *err)
{
    struct chromium_entry read = {.entry = {.size = sizeof(read.entry), .place = entry->place}};
    struct xr_bytes rest = entry->native, metadata = {0};
    enum xr_status status = rest.data[0] == FORM ? XR_OK : XR_INVALID;
    char *key = NULL;

    rest.data++;
    rest.len--;
    while (status == XR_OK && (rest.len > 0 || read.count == 0)) {
        struct chromium_metadata m = {0};

        if (!next_row(&key, &metadata, &rest) || chromium_metadata_read(&m, metadata) != NULL ||
            m.trust != trust_of(entry->place)) {
            status = XR_INVALID;
        } else {
            add_row(&read, &(struct chromium_row){
                               .key = key, .metadata = metadata, .dns = m.dns, .cidrs = m.cidrs});
            status = put_wanted(out, key, metadata, err);
        }
        chromium_metadata_free(&m);
        free(key);
    }
    if (read.limits.len > 0) {
        read.entry.attached = &read.attached;
        read.entry.attached_count = 1;
    }
    if (status == XR_OK && (read.spoiled != NULL || !attached_like(&read.entry, entry)))
        status = XR_INVALID;
    if (status == XR_INVALID)
        (void)xr_fail(err, XR_INVALID, "the record of its rows is damaged");
    xr_buf_free(&read.limits);
    xr_buf_free(&read.native);
    return status;
}

static const struct chromium_entry *same_now(const struct chromium_entries *now,
                                             const struct xr_entry *entry)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct xr_entry *one = &now->items[i].entry;

        if (one->place == entry->place && attached_like(one, entry))
            return &now->items[i];
    }
    return NULL;
}

static enum xr_status put_new(struct chromium_wanted *out, const struct xr_entry *entry,
                              const struct xr_limits *limits, struct xr_error *err)
{
    char hex[2 * XR_SHA256_LEN + 1];
    struct xr_buf message = {0};
    enum xr_status status = XR_OK;

    xr_hex(hex, entry->subject.id, XR_SHA256_LEN);
    status =
        chromium_metadata_write(&message, trust_of(entry->place), limits)
            ? put_wanted(out, hex,
                         (struct xr_bytes){(const unsigned char *)message.data, message.len}, err)
            : xr_fail(err, XR_REFUSED, "Chromium has no place for such limits");
    xr_buf_free(&message);
    return status;
}

/* Chromium takes whatever is trusted and may be a CA as one. */
static enum xr_status check_kind(const struct xr_entry *entry, struct xr_error *err)
{
    struct xr_der_cert cert;
    bool ca = false;

    if (entry->subject.type != XR_SUBJECT_CERT)
        return xr_fail(err, XR_REFUSED, "it holds certificates alone");
    if (entry->place != XR_ANCHOR && entry->place != XR_INTERMEDIATE && entry->place != XR_PEER &&
        entry->place != XR_DISTRUST)
        return xr_fail(err, XR_REFUSED, "it has no such place");
    if (xr_der_cert(&cert, entry->der, err) != XR_OK)
        return XR_INVALID;
    ca = !cert.has_basic_constraints || cert.ca;
    if (entry->place == XR_ANCHOR && !ca)
        return xr_fail(err, XR_REFUSED,
                       "it is not a CA, so Chromium would trust it as itself alone, not as an "
                       "anchor: --as peer says that");
    if (entry->place == XR_PEER && ca)
        return xr_fail(err, XR_REFUSED,
                       "it does not say that it is no CA, so Chromium would also trust what it "
                       "issues");
    if (entry->place == XR_ANCHOR && entry->purposes != XR_SERVER)
        return xr_fail(err, XR_REFUSED, "Chromium uses its anchors for servers only");
    return XR_OK;
}

/* Only limits that are listed again as they are written here. */
static enum xr_status check_limits(struct xr_limits *out, const struct xr_entry *entry,
                                   struct xr_error *err)
{
    struct xr_attached attached = {0};
    struct xr_buf memory = {0};
    bool good = entry->attached_count == 0;

    if (!good && entry->place == XR_ANCHOR && xr_limits_of(out, entry) && xr_limits_any(out)) {
        xr_limits_attach(&attached, &memory, out);
        good = xr_bytes_equal(attached.value, xr_attached_at(entry, 0)->value);
    }
    xr_buf_free(&memory);
    return good ? XR_OK
                : xr_fail(err, XR_REFUSED,
                          "Chromium can limit an anchor to names and addresses, and in no other "
                          "way");
}

enum xr_status chromium_wanted_of(struct chromium_wanted *out, const struct xr_state *want,
                                  const struct chromium_entries *now, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; want != NULL && i < want->count && status == XR_OK; i++) {
        const struct xr_entry *entry = want->entries[i];
        const struct chromium_entry *same = same_now(now, entry);
        struct xr_limits limits = {0};

        status = check_kind(entry, err);
        if (status == XR_OK)
            status = check_limits(&limits, entry, err);
        if (status == XR_OK && entry->native.len > 0)
            status = put_native(out, entry, err);
        else if (status == XR_OK && same != NULL && same->spoiled == NULL)
            status = put_native(out, &same->entry, err);
        else if (status == XR_OK)
            status = put_new(out, entry, &limits, err);
        xr_limits_free(&limits);
    }
    return status;
}

void chromium_wanted_free(struct chromium_wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        free(wanted->items[i].key);
        free((void *)(uintptr_t)wanted->items[i].metadata.data);
    }
    free(wanted->items);
    *wanted = (struct chromium_wanted){0};
}
