/* SPDX-License-Identifier: Apache-2.0 */
/* Which entries a list gives, and in what order. */
#include "report.h"

#include <stdlib.h>

const struct xr_cert *xr_report_cert(const struct xr_report *report, const struct xr_entry *entry)
{
    size_t at = entry->subject.type == XR_SUBJECT_CERT
                    ? xr_pool_find(&report->pool, entry->subject.id)
                    : XR_NONE;

    return at != XR_NONE ? report->pool.items[at].cert : NULL;
}

bool xr_report_expired(const struct xr_report *report, const struct xr_cert *cert)
{
    return cert->d.not_after < report->now;
}

/* An entry with what it is sorted by. */
struct row {
    const struct xr_entry *entry;
    size_t order; /* in the store: rows that are alike stay in it */
    bool known;   /* it has a certificate; the others come last */
    int64_t expires;
    char *name; /* only if they are sorted by it */
};

static int in_order(const struct row *a, const struct row *b)
{
    if (a->known != b->known)
        return a->known ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static int by_expiry(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->known && y->known && x->expires != y->expires)
        return x->expires < y->expires ? -1 : 1;
    return in_order(x, y);
}

static int by_subject(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int names = x->known && y->known ? strcmp(x->name, y->name) : 0;

    return names != 0 ? names : by_expiry(a, b);
}

static int by_place(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->entry->place != y->entry->place)
        return x->entry->place < y->entry->place ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

struct rows {
    struct row *items;
    size_t count, capacity;
};

static void take(struct rows *rows, const struct xr_report *report, const struct xr_run *run,
                 const struct xr_entry *entry, enum xr_sort sort)
{
    const struct xr_cert *cert = xr_report_cert(report, entry);
    struct row row = {.entry = entry, .order = rows->count, .known = cert != NULL};

    if (report->managed && !xr_report_managed(report, run, entry))
        return;
    if (report->expires_by != 0 && (cert == NULL || cert->d.not_after > report->expires_by))
        return;
    if (cert != NULL) {
        row.expires = cert->d.not_after;
        if (sort == XR_SORT_SUBJECT)
            row.name = xr_x509_name_short(cert->d.slices.subject);
    }
    *XR_PUSH(rows) = row;
}

static void list_run(struct xr_listed *out, const struct xr_report *report,
                     const struct xr_run *run, enum xr_sort sort)
{
    static int (*const orders[])(const void *, const void *) = {
        [XR_SORT_EXPIRY] = by_expiry, [XR_SORT_SUBJECT] = by_subject, [XR_SORT_PLACE] = by_place};
    struct rows rows = {0};

    for (size_t i = 0; i < run->snapshot.count; i++) {
        for (size_t k = 0; k < run->snapshot.items[i]->count; k++)
            take(&rows, report, run, run->snapshot.items[i]->entries[k], sort);
    }
    if (rows.count > 1 && (size_t)sort < sizeof(orders) / sizeof(orders[0]) && orders[sort] != NULL)
        qsort(rows.items, rows.count, sizeof(*rows.items), orders[sort]);
    for (size_t i = 0; i < rows.count; i++) {
        *XR_PUSH(out) = rows.items[i].entry;
        free(rows.items[i].name);
    }
    free(rows.items);
}

void xr_report_list(struct xr_report *report, enum xr_sort sort)
{
    for (size_t i = 0; i < report->runs.count; i++)
        list_run(XR_PUSH(&report->listed), report, &report->runs.items[i], sort);
}

const struct xr_listed *xr_report_listed(const struct xr_report *report, size_t run)
{
    static const struct xr_listed none;

    return run < report->listed.count ? &report->listed.items[run] : &none;
}
