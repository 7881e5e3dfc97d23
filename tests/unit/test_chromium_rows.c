/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of Chromium's database as entries, and what an entry may become as rows: its native record comes
 * from a journal, which anybody may have written. */
#include "../../backends/chromium/rows.h"

#include "kit/limits.h"
#include "pki.h"
#include "stores/state.h"
#include "stores/store.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct pki_blob root, leaf, silent; /* silent says nothing of being a CA */

static void begin(void)
{
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Root", 1700000000);
    struct pki_spec server = pki_spec_leaf("localhost", 1700000000);

    cr_assert_eq(pki_issue(&root, key, NULL, NULL, &spec), 0);
    cr_assert_eq(pki_issue(&leaf, key, NULL, NULL, &server), 0);
    spec.bare = true;
    cr_assert_eq(pki_issue(&silent, key, NULL, NULL, &spec), 0);
    pki_key_free(key);
}

static void end(void)
{
    pki_blob_free(&root);
    pki_blob_free(&leaf);
    pki_blob_free(&silent);
}

TestSuite(chromium_rows, .init = begin, .fini = end);

static struct xr_bytes bytes_of(const struct pki_blob *blob)
{
    return (struct xr_bytes){blob->data, blob->len};
}

static const char *hash_of(const struct pki_blob *blob)
{
    static char hex[65];
    unsigned char id[XR_SHA256_LEN];

    xr_host.sha256(id, bytes_of(blob));
    xr_hex(hex, id, sizeof(id));
    return hex;
}

/* ---- a view, by hand ---- */

/* One more row. Limits are words with blanks between. */
static void put(struct chromium_view *view, const char *key, const struct pki_blob *der,
                enum xr_browser_trust trust, const char *settings, const char *dns)
{
    struct xr_browser_cert *item = NULL;
    struct chromium_row *row = NULL;
    size_t len = strlen(settings) / 2;
    unsigned char *message = xr_new(len, 1);

    cr_assert(xr_unhex(message, len, settings));
    view->items = xr_push_room(view->items, &view->items_capacity, view->count, sizeof(*item));
    view->rows = xr_push_room(view->rows, &view->rows_capacity, view->count, sizeof(*row));
    item = &view->items[view->count];
    row = &view->rows[view->count++];
    item->size = sizeof(*item);
    item->der = (struct xr_bytes){xr_memdup(der->data, der->len), der->len};
    item->trust = trust;
    row->key = xr_strdup(key);
    row->metadata = (struct xr_bytes){message, len};
    if (dns != NULL)
        xr_strings_add(&row->dns, dns);
    xr_host.sha256(row->sha256, item->der);
    row->misnamed = strcmp(key, hash_of(der)) != 0;
}

/* ---- wishes ---- */

static struct xr_state *wish(const struct pki_blob *der, enum xr_place place)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {XR_SUBJECT_CERT, {0}},
                             .place = place,
                             .purposes = place == XR_ANCHOR ? XR_SERVER : 0,
                             .der = bytes_of(der)};
    struct xr_state *state = NULL;

    xr_host.sha256(entry.subject.id, entry.der);
    state = xr_state_new(&entry.subject);
    xr_state_add(state, &entry);
    return state;
}

static struct xr_entry *entry_of(struct xr_state *state)
{
    return (struct xr_entry *)(uintptr_t)state->entries[0];
}

/* Takes the state. */
static enum xr_status wanted(struct chromium_wanted *out, struct xr_state *state,
                             const struct chromium_view *view, struct xr_error *err)
{
    struct chromium_entries now = {0};
    enum xr_status status = XR_OK;

    *out = (struct chromium_wanted){0};
    if (view != NULL)
        chromium_entries_of(&now, view, &state->subject);
    status = chromium_wanted_of(out, state, &now, err);
    chromium_entries_free(&now);
    xr_state_free(state);
    return status;
}

static void expect_one(struct xr_state *state, const char *settings)
{
    struct chromium_wanted rows;
    struct xr_error err = {0};
    char hex[600] = "";

    cr_assert_eq(wanted(&rows, state, NULL, &err), XR_OK, "%s", err.text);
    cr_assert_eq(rows.count, 1);
    cr_assert_lt(2 * rows.items[0].metadata.len, sizeof(hex));
    xr_hex(hex, rows.items[0].metadata.data, rows.items[0].metadata.len);
    cr_assert_str_eq(hex, settings);
    chromium_wanted_free(&rows);
}

static void expect_refused(struct xr_state *state, const char *text)
{
    struct chromium_wanted rows;
    struct xr_error err = {0};
    enum xr_status status = wanted(&rows, state, NULL, &err);

    cr_assert(status == XR_REFUSED || status == XR_INVALID, "%d", (int)status);
    cr_assert(strstr(err.text, text) != NULL, "%s", err.text);
    chromium_wanted_free(&rows);
}

static void limit(struct xr_state *state, const char *dns, const char *cidr)
{
    struct xr_limits limits = {0};
    struct xr_attached attached, *copy = xr_new(1, sizeof(*copy));
    struct xr_buf memory = {0};

    cr_assert(dns == NULL || xr_limits_add_dns(&limits, dns));
    cr_assert(cidr == NULL || xr_limits_add_cidr(&limits, cidr));
    xr_limits_attach(&attached, &memory, &limits);
    *copy = attached;
    copy->oid.data = xr_memdup(attached.oid.data, attached.oid.len);
    copy->value.data = xr_memdup(attached.value.data, attached.value.len);
    entry_of(state)->attached = copy;
    entry_of(state)->attached_count = 1;
    xr_limits_free(&limits);
    xr_buf_free(&memory);
}

static void native(struct xr_state *state, const char *key, const char *settings)
{
    struct xr_buf record = {0};
    unsigned char message[300];
    size_t len = strlen(settings) / 2;

    cr_assert(xr_unhex(message, len, settings));
    xr_buf_add(&record, "\1", 1);
    xr_buf_put32(&record, (uint32_t)strlen(key));
    xr_buf_str(&record, key);
    xr_buf_put32(&record, (uint32_t)len);
    xr_buf_add(&record, message, len);
    entry_of(state)->native = (struct xr_bytes){(unsigned char *)record.data, record.len};
}

/* ---- from rows ---- */

Test(chromium_rows, rows_of_one_certificate_in_one_place_are_one_entry)
{
    struct chromium_view view = {0};
    struct chromium_entries entries = {0};
    struct xr_limits limits = {0};

    put(&view, hash_of(&root), &root, XR_BROWSER_ANCHOR, "0a020803", NULL);
    put(&view, hash_of(&leaf), &leaf, XR_BROWSER_DISTRUST_KEY, "0a020802", NULL);
    put(&view, "0000", &root, XR_BROWSER_ANCHOR, "0a02080312030a0178", "x");
    put(&view, "0001", &root, XR_BROWSER_HINT, "0a020801", NULL);
    chromium_entries_of(&entries, &view, NULL);
    cr_assert_eq(entries.count, 3);
    cr_assert(entries.items[0].entry.place == XR_ANCHOR && entries.items[0].count == 2);
    cr_assert_eq(entries.items[0].entry.purposes, XR_SERVER);
    cr_assert(entries.items[1].entry.place == XR_DISTRUST && entries.items[1].count == 1);
    cr_assert(entries.items[2].entry.place == XR_INTERMEDIATE);
    /* Limits win over none. */
    cr_assert(xr_limits_of(&limits, &entries.items[0].entry) && limits.dns.count == 1);
    cr_assert_str_eq(limits.dns.items[0], "x");
    cr_assert_null(entries.items[0].spoiled);
    xr_limits_free(&limits);
    chromium_entries_free(&entries);
    chromium_view_free(&view);
}

Test(chromium_rows, an_entry_is_made_of_its_native_record_as_it_was)
{
    struct chromium_view view = {0};
    struct chromium_entries entries = {0};
    struct chromium_wanted rows;
    struct xr_error err = {0};
    struct xr_state *state = NULL;

    put(&view, "0000", &root, XR_BROWSER_ANCHOR, "0a02080312030a0178", "x");
    put(&view, hash_of(&root), &root, XR_BROWSER_ANCHOR, "0a83000803", NULL);
    put(&view, "0001", &root, XR_BROWSER_DISTRUST_KEY, "0a020802", NULL);
    view.rows[1].metadata.len = 0;
    free((void *)(uintptr_t)view.rows[1].metadata.data);
    view.rows[1].metadata =
        (struct xr_bytes){xr_memdup("\x0a\x03\x08\x83\x00", 5), 5}; /* not as Chromium writes it */
    chromium_entries_of(&entries, &view, NULL);
    cr_assert_eq(entries.count, 2);
    state = xr_state_new(&entries.items[0].entry.subject);
    xr_state_add(state, &entries.items[0].entry);
    xr_state_add(state, &entries.items[1].entry);
    cr_assert_eq(wanted(&rows, state, NULL, &err), XR_OK, "%s", err.text);
    cr_assert_eq(rows.count, 3);
    for (size_t i = 0; i < rows.count; i++) {
        cr_assert_str_eq(rows.items[i].key, view.rows[i].key);
        cr_assert(xr_bytes_equal(rows.items[i].metadata, view.rows[i].metadata));
    }
    chromium_wanted_free(&rows);
    chromium_entries_free(&entries);
    chromium_view_free(&view);
}

Test(chromium_rows, what_could_not_be_made_again_is_not_to_be_changed)
{
    struct chromium_view view = {0};
    struct chromium_entries entries = {0};

    put(&view, "odd", &root, XR_BROWSER_ANCHOR, "0a020803", NULL);
    view.rows[0].odd = true;
    put(&view, hash_of(&leaf), &leaf, XR_BROWSER_ANCHOR, "0a02080312040a022e78", ".x");
    for (unsigned i = 0; i < 70000; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "%u", i);
        put(&view, key, &silent, XR_BROWSER_HINT, "0a020801", NULL);
    }
    chromium_entries_of(&entries, &view, NULL);
    cr_assert_eq(entries.count, 3);
    for (size_t i = 0; i < entries.count; i++) {
        cr_assert_not_null(entries.items[i].spoiled);
        cr_assert_eq(entries.items[i].entry.native.len, 0);
        cr_assert(strstr(entries.items[i].remark, "it cannot be changed here") != NULL);
    }
    cr_assert(strstr(entries.items[1].remark, ".x") != NULL);
    chromium_entries_free(&entries);
    chromium_view_free(&view);
}

/* ---- to rows ---- */

Test(chromium_rows, each_place_has_its_message)
{
    struct xr_state *limited = wish(&root, XR_ANCHOR);

    expect_one(wish(&root, XR_ANCHOR), "0a020803");
    expect_one(wish(&silent, XR_ANCHOR), "0a020803");
    expect_one(wish(&root, XR_INTERMEDIATE), "0a020801");
    expect_one(wish(&leaf, XR_PEER), "0a020803");
    expect_one(wish(&root, XR_DISTRUST), "0a020802");
    expect_one(wish(&leaf, XR_DISTRUST), "0a020802");
    limit(limited, "example.com", "10.0.0.0/8");
    expect_one(limited, "0a02080312170a0b6578616d706c652e636f6d1a080a040a0000001008");
}

/* Chromium takes what is trusted, and may be a CA, as an anchor. */
Test(chromium_rows, what_would_be_trusted_for_more_or_for_else_is_refused)
{
    struct xr_state *any = wish(&root, XR_ANCHOR), *hint = wish(&root, XR_INTERMEDIATE);

    expect_refused(wish(&root, XR_PEER), "would also trust what it issues");
    expect_refused(wish(&silent, XR_PEER), "would also trust what it issues");
    expect_refused(wish(&leaf, XR_ANCHOR), "as itself alone");
    expect_refused(wish(&root, XR_CRL), "no such place");
    entry_of(any)->purposes = XR_ANY_PURPOSE;
    expect_refused(any, "for servers only");
    limit(hint, "example.com", NULL);
    expect_refused(hint, "can limit an anchor");
}

Test(chromium_rows, a_record_that_says_more_than_its_entry_is_refused)
{
    struct xr_state *state = wish(&root, XR_INTERMEDIATE);

    native(state, "0000", "0a020803"); /* trusted */
    expect_refused(state, "record of its rows is damaged");
    state = wish(&root, XR_ANCHOR);
    limit(state, "example.com", NULL);
    native(state, "0000", "0a020803"); /* without limits */
    expect_refused(state, "record of its rows is damaged");
    state = wish(&root, XR_ANCHOR);
    limit(state, "example.com", NULL);
    native(state, "0000", "0a02080312030a0178"); /* with others */
    expect_refused(state, "record of its rows is damaged");
    state = wish(&root, XR_DISTRUST);
    native(state, "0000", "0a0208021801"); /* with more than is known */
    expect_refused(state, "record of its rows is damaged");
    state = wish(&root, XR_DISTRUST);
    native(state, "\x80", "0a020802");
    expect_refused(state, "record of its rows is damaged");
    state = wish(&root, XR_DISTRUST);
    native(state, "", "0a020802");
    expect_refused(state, "record of its rows is damaged");
}

Test(chromium_rows, what_is_there_already_keeps_its_rows)
{
    struct chromium_view view = {0};
    struct chromium_wanted rows;
    struct xr_state *limited = wish(&root, XR_ANCHOR);

    put(&view, "0000", &root, XR_BROWSER_ANCHOR, "0a02080312030a0178", "x");
    limit(limited, "x", NULL);
    cr_assert_eq(wanted(&rows, limited, &view, NULL), XR_OK);
    cr_assert_eq(rows.count, 1);
    cr_assert_str_eq(rows.items[0].key, "0000");
    chromium_wanted_free(&rows);
    /* One with other limits is another. */
    cr_assert_eq(wanted(&rows, wish(&root, XR_ANCHOR), &view, NULL), XR_OK);
    cr_assert_eq(rows.count, 1);
    cr_assert_str_eq(rows.items[0].key, hash_of(&root));
    chromium_wanted_free(&rows);
    chromium_view_free(&view);
}

Test(chromium_rows, one_hash_cannot_be_in_two_places)
{
    struct xr_state *state = wish(&root, XR_ANCHOR), *second = wish(&root, XR_DISTRUST);

    xr_state_add(state, second->entries[0]);
    xr_state_free(second);
    expect_refused(state, "in one place only");
}

/* ---- any bytes ---- */

Test(chromium_rows, any_record_gets_an_answer)
{
    struct chromium_view view = {0};
    struct chromium_entries entries = {0};
    uint32_t seed = 3;

    put(&view, hash_of(&root), &root, XR_BROWSER_ANCHOR, "0a020803", NULL);
    put(&view, "0000", &root, XR_BROWSER_ANCHOR, "0a020803", NULL);
    chromium_entries_of(&entries, &view, NULL);
    for (unsigned i = 0; i < 30000; i++) {
        struct xr_state *state = xr_state_new(&entries.items[0].entry.subject);
        struct chromium_wanted rows;
        unsigned char *record = NULL;

        xr_state_add(state, &entries.items[0].entry);
        record = (unsigned char *)(uintptr_t)entry_of(state)->native.data;
        seed = seed * 1664525u + 1013904223u;
        record[(seed >> 8) % entry_of(state)->native.len] = (unsigned char)(seed >> 24);
        if (i % 3 == 0)
            entry_of(state)->native.len = 1 + (seed >> 12) % entry_of(state)->native.len;
        (void)wanted(&rows, state, NULL, NULL);
        for (size_t k = 0; k < rows.count; k++)
            cr_assert(rows.items[k].key[0] != '\0' && rows.items[k].metadata.len >= 4);
        chromium_wanted_free(&rows);
    }
    chromium_entries_free(&entries);
    chromium_view_free(&view);
}
