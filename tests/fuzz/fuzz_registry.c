/* SPDX-License-Identifier: Apache-2.0 */
/* Policies in a registry (policy/registry.h): whatever lies in the lists, each entry that is not an
 * administrator's can be taken and put back, and so can a new one, and the registry is what it was. An
 * input is values: the number of a key, a type, and the name's length, then the name and the data. */
#include "../../backends/policy/registry_entries.h"
#include "../../backends/policy/registry_swap.h"

#include "fuzz.h"
#include "stores/registry.h"

#include <stdlib.h>
#include <strings.h>

static const char *const keys[] = {
    "Policies\\Chromium\\CACertificates",
    "Policies\\Chromium\\CACertificatesWithConstraints",
    "Policies\\Chromium\\CAHintCertificates",
    "Policies\\Chromium\\CADistrustedCertificates",
    "Policies\\Chromium",
    "Policies\\Chromium\\Recommended",
    "Policies\\Chromium\\Recommended\\CACertificates",
    "Policies\\Chromium\\Recommended\\CADistrustedCertificates",
    "Policies\\Chromium\\CACertificates\\1",
    "Policies\\Example",
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* ---- a registry in memory ---- */

struct memory {
    struct registry registry; /* first */
    struct registry_key at[KEYS];
};

static size_t index_of(const char *path)
{
    size_t i = 0;

    while (i < KEYS && strcmp(keys[i], path) != 0)
        i++;
    return i;
}

static bool exists(const struct memory *m, size_t i)
{
    size_t len = strlen(keys[i]);

    for (size_t k = 0; k < KEYS; k++) {
        if (m->at[k].count > 0 && strncmp(keys[k], keys[i], len) == 0 &&
            (keys[k][len] == '\0' || keys[k][len] == '\\'))
            return true;
    }
    return m->at[i].exists;
}

static enum xr_status read_key(struct registry *registry, struct registry_key *out,
                               const char *path, struct xr_error *err)
{
    const struct memory *m = (struct memory *)(void *)registry;
    size_t i = index_of(path);

    (void)err;
    *out = (struct registry_key){0};
    if (i == KEYS)
        return XR_OK;
    out->exists = exists(m, i);
    for (size_t k = 0; k < KEYS; k++)
        out->below += k != i && strncmp(keys[k], path, strlen(path)) == 0 &&
                      keys[k][strlen(path)] == '\\' && exists(m, k);
    for (size_t k = 0; k < m->at[i].count; k++) {
        const struct registry_value *from = &m->at[i].items[k];
        struct registry_value *value = XR_PUSH(out);

        value->name = xr_strdup(from->name);
        value->type = from->type;
        xr_buf_add(&value->data, from->data.data, from->data.len);
    }
    return XR_OK;
}

static enum xr_status unset(struct registry *registry, const char *path, const char *name,
                            struct xr_error *err)
{
    struct memory *m = (struct memory *)(void *)registry;
    struct registry_key *key = &m->at[index_of(path)];

    (void)err;
    for (size_t i = 0; i < key->count; i++) {
        if (strcasecmp(key->items[i].name, name) != 0)
            continue;
        free(key->items[i].name);
        xr_buf_free(&key->items[i].data);
        key->items[i] = key->items[--key->count];
        key->exists = true;
        return XR_OK;
    }
    return XR_FAILED;
}

static enum xr_status set(struct registry *registry, const char *path,
                          const struct registry_value *from, struct xr_error *err)
{
    struct memory *m = (struct memory *)(void *)registry;
    struct registry_value *value = NULL;

    (void)unset(registry, path, from->name, err);
    value = XR_PUSH(&m->at[index_of(path)]);
    value->name = xr_strdup(from->name);
    value->type = from->type;
    xr_buf_add(&value->data, from->data.data, from->data.len);
    m->at[index_of(path)].exists = true;
    return XR_OK;
}

static enum xr_status remove_key(struct registry *registry, const char *path, struct xr_error *err)
{
    struct memory *m = (struct memory *)(void *)registry;
    struct registry_key now;

    CHECK(read_key(registry, &now, path, err) == XR_OK && now.count == 0 && now.below == 0);
    registry_key_free(&now);
    if (index_of(path) < KEYS)
        m->at[index_of(path)].exists = false;
    return XR_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All of it as text, in no order of its own. */
static char *dump(const struct memory *m)
{
    struct xr_strings lines = {0};
    struct xr_buf out = {0};

    for (size_t i = 0; i < KEYS; i++) {
        for (size_t k = 0; k < m->at[i].count; k++) {
            const struct registry_value *value = &m->at[i].items[k];
            char *hex = xr_new(2 * value->data.len + 1, 1), *line = NULL;

            xr_hex(hex, (const unsigned char *)value->data.data, value->data.len);
            line = xr_format("%zu %s %u %s", i, value->name, (unsigned)value->type, hex);
            xr_strings_add(&lines, line);
            free(line);
            free(hex);
        }
        if (exists(m, i))
            xr_strings_add(&lines, keys[i]);
    }
    if (lines.count > 1)
        qsort(lines.items, lines.count, sizeof(*lines.items), by_text);
    xr_buf_str(&out, "");
    for (size_t i = 0; i < lines.count; i++)
        xr_buf_fmt(&out, "%s\n", lines.items[i]);
    xr_strings_free(&lines);
    return out.data;
}

/* ---- what must hold ---- */

static struct registry_view look(struct memory *m)
{
    struct registry_view view;

    CHECK(registry_view_load(&view, &m->registry, &registry_products[0], &xr_host, NULL) == XR_OK);
    for (size_t i = 0; i < view.problems.count; i++)
        CHECK(fuzz_printable(view.problems.items[i]));
    return view;
}

static enum xr_status change(struct memory *m, const struct xr_state *from,
                             const struct xr_state *to)
{
    struct xr_error err = {.size = sizeof(err)};
    enum xr_status status = XR_OK;

    status = registry_swap(&m->registry, &registry_products[0], &xr_host, from, to, &err);
    CHECK(status == XR_OK || fuzz_printable(err.text));
    return status;
}

static struct xr_state state_of(const struct registry_entries *entries,
                                const struct xr_entry **list)
{
    struct xr_state state = {.size = sizeof(state), .entries = list, .count = entries->count};

    for (size_t i = 0; i < entries->count; i++)
        list[i] = &entries->items[i].entry;
    if (entries->count > 0)
        state.subject = list[0]->subject;
    return state;
}

/* Takes all of one certificate and puts it back. */
static void take_and_return(struct memory *m, const struct registry_view *view,
                            const struct xr_subject *subject, const char *was)
{
    struct registry_entries entries;
    const struct xr_entry *list[8];
    struct xr_state state;
    bool fixed = false;
    char *now = NULL;

    registry_entries_make(&entries, view, subject);
    CHECK(entries.count > 0 && entries.count <= 8);
    state = state_of(&entries, list);
    for (size_t i = 0; i < entries.count; i++) {
        fixed = fixed || (list[i]->flags & XR_ENTRY_VENDOR) != 0;
        CHECK(list[i]->label != NULL && fuzz_printable(list[i]->label));
    }
    if (change(m, &state, NULL) == XR_OK) {
        CHECK(!fixed);
        CHECK(change(m, &state, NULL) == XR_CONFLICT);
        CHECK(change(m, NULL, &state) == XR_OK);
    } else {
        CHECK(fixed);
    }
    now = dump(m);
    CHECK(strcmp(was, now) == 0);
    free(now);
    registry_entries_free(&entries);
}

/* Adds one that is not there, and takes it again. */
static void add_and_take(struct memory *m, const char *was, enum xr_place place, bool limited)
{
    struct xr_bytes der = fuzz_bytes(&fuzz_fixtures()->certs[FUZZ_ED25519]);
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CERT},
                             .place = place,
                             .purposes = place == XR_ANCHOR ? XR_SERVER : 0,
                             .der = der};
    const struct xr_entry *one = &entry, *list[8];
    struct xr_state want = {.size = sizeof(want), .entries = &one, .count = 1}, is;
    struct xr_limits limits = {0};
    struct xr_attached attached;
    struct xr_buf memory = {0};
    struct registry_view view = look(m);
    struct registry_entries entries;
    char *now = NULL;

    if (limited) {
        CHECK(xr_limits_add_dns(&limits, "example.org"));
        xr_limits_attach(&attached, &memory, &limits);
        entry.attached = &attached;
        entry.attached_count = 1;
    }
    xr_host.sha256(entry.subject.id, der);
    want.subject = entry.subject;
    registry_entries_make(&entries, &view, &entry.subject);
    if (entries.count == 0) {
        enum xr_status status = change(m, NULL, &want);

        CHECK(status == XR_OK || status == XR_REFUSED);
        registry_view_free(&view);
        registry_entries_free(&entries);
        view = look(m);
        registry_entries_make(&entries, &view, &entry.subject);
        CHECK(entries.count == (status == XR_OK));
        is = state_of(&entries, list);
        CHECK(status != XR_OK || (is.entries[0]->place == place &&
                                  is.entries[0]->attached_count == entry.attached_count));
        CHECK(status != XR_OK || change(m, &is, NULL) == XR_OK);
        now = dump(m);
        CHECK(strcmp(was, now) == 0);
    }
    free(now);
    registry_entries_free(&entries);
    registry_view_free(&view);
    xr_limits_free(&limits);
    xr_buf_free(&memory);
}

/* A record that anybody wrote is read or refused. */
static void read_record(struct xr_bytes native)
{
    struct registry_records records = {0};
    const struct xr_entry entry = {.size = sizeof(entry),
                                   .place = XR_ANCHOR,
                                   .der = fuzz_bytes(&fuzz_fixtures()->certs[FUZZ_ROOT]),
                                   .native = native};

    (void)registry_records_read(&records, &entry);
    registry_records_free(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory m = {
        .registry = {.read = read_key, .set = set, .unset = unset, .remove = remove_key}};
    struct xr_bytes rest = {data, size}, part = {0};
    struct registry_view view;
    char *was = NULL;

    read_record(rest);
    for (unsigned count = 0; count < 64 && fuzz_part(&part, &rest); count++) {
        struct registry_value value = {0};
        size_t len = 0;

        if (part.len < 3)
            continue;
        value.type = part.data[1];
        len = part.data[2] < part.len - 3 ? part.data[2] : part.len - 3;
        value.name = xr_memdup(part.data + 3, len);
        xr_buf_add(&value.data, part.data + 3 + len, part.len - 3 - len);
        (void)set(&m.registry, keys[part.data[0] % KEYS], &value, NULL);
        free(value.name);
        xr_buf_free(&value.data);
    }
    was = dump(&m);
    view = look(&m);
    for (size_t i = 0; i < view.count; i++) {
        struct xr_subject subject = {.type = XR_SUBJECT_CERT};

        memcpy(subject.id, view.items[i].sha256, XR_SHA256_LEN);
        take_and_return(&m, &view, &subject, was);
    }
    add_and_take(&m, was, XR_ANCHOR, false);
    add_and_take(&m, was, XR_ANCHOR, true);
    add_and_take(&m, was, XR_INTERMEDIATE, false);
    add_and_take(&m, was, XR_DISTRUST, false);
    registry_view_free(&view);
    for (size_t i = 0; i < KEYS; i++)
        registry_key_free(&m.at[i]);
    free(was);
    return 0;
}

/* ---- seeds ---- */

static void put(struct xr_buf *out, unsigned char key, const char *name, enum fuzz_cert cert,
                const char *dns)
{
    struct registry_value value;
    struct xr_limits limits = {0};
    struct xr_buf part = {0};
    const unsigned char head[] = {key, REGISTRY_SZ, (unsigned char)strlen(name)};

    if (dns != NULL)
        CHECK(xr_limits_add_dns(&limits, dns));
    registry_value_make(&value, fuzz_bytes(&fuzz_fixtures()->certs[cert]), &limits);
    xr_buf_add(&part, head, sizeof(head));
    xr_buf_str(&part, name);
    xr_buf_add(&part, value.data.data, value.data.len);
    fuzz_put_part(out, part.data, part.len);
    xr_buf_free(&part);
    xr_buf_free(&value.data);
    xr_limits_free(&limits);
}

static void put_odd(struct xr_buf *out, unsigned char key, unsigned char type, const char *name,
                    const char *text)
{
    const unsigned char head[] = {key, type, (unsigned char)strlen(name)};
    struct xr_buf part = {0};

    xr_buf_add(&part, head, sizeof(head));
    xr_buf_str(&part, name);
    for (; *text != '\0'; text++)
        xr_buf_add(&part, (const char[]){*text, '\0'}, 2);
    fuzz_put_part(out, part.data, part.len);
    xr_buf_free(&part);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    struct xr_buf out = {0};

    put(&out, 0, "1", FUZZ_ROOT, NULL);
    put(&out, 0, "10", FUZZ_ROOT, NULL);
    put(&out, 1, "2147483647", FUZZ_ROOT, "example.com");
    put(&out, 2, "-1", FUZZ_CROSS, NULL);
    put(&out, 3, "+007", FUZZ_ROOT2, NULL);
    put_odd(&out, 0, REGISTRY_DWORD, "2", "x");
    put_odd(&out, 0, REGISTRY_EXPAND_SZ, "note", "%PATH%");
    put_odd(&out, 9, REGISTRY_SZ, "", "");
    fuzz_seed_buf(corpus, &out);
    put(&out, 3, "1", FUZZ_ROOT, NULL);
    put(&out, 7, "1", FUZZ_ROOT2, NULL);
    put(&out, 6, "1", FUZZ_SUB, NULL);
    put_odd(&out, 4, REGISTRY_SZ, "CAHintCertificates", "[\"AAAA\", {}, 1,]");
    put_odd(&out, 4, REGISTRY_DWORD, "CAPlatformIntegrationEnabled", "");
    fuzz_seed_buf(corpus, &out);
    put(&out, 8, "certificate", FUZZ_ROOT, NULL);
    put(&out, 0, "1", FUZZ_CONSTRAINED, NULL);
    put(&out, 1, "1", FUZZ_CONSTRAINED, "");
    put(&out, 1, "2", FUZZ_CONSTRAINED, "example.org");
    fuzz_seed_buf(corpus, &out);
}
