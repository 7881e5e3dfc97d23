/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal (journal.h). The first byte of an input says what the rest is: a whole file; payloads, which
 * get the right checksums; or damage to a journal that was written before. Damage anywhere must not yield
 * a record that was not written, and what is written after it must be read.
 */
#include "change/journal.h"

#include "certs/x509.h"
#include "fuzz.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AS_FILE, AS_PAYLOADS, AS_DAMAGE, AS_COUNT };
#define KEY_LEN 16u
#define PARTS   3u

static char *state_dir, *path, *written_dir;
static struct xr_buf written; /* the undamaged journal */
static struct xr_journal original;

/* ---- a journal by its own functions ---- */

static struct xr_state *make_state(unsigned number, enum xr_place place, const char *native)
{
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};
    struct xr_entry entry = {.size = sizeof(entry), .place = place, .label = "XRJ1 a label"};
    struct xr_state *made = NULL;

    memset(subject.id, (int)number, sizeof(subject.id));
    made = xr_state_new(&subject);
    entry.subject = subject;
    entry.der = (struct xr_bytes){(const unsigned char *)"XRJ1 bytes", 10};
    entry.native = (struct xr_bytes){(const unsigned char *)native, strlen(native)};
    xr_state_add(made, &entry);
    return made;
}

static void write_part(struct xr_journal *journal, size_t t, unsigned number)
{
    struct xr_change change = {.want = make_state(number, XR_ANCHOR, "wanted")};
    struct xr_state *after = make_state(number, XR_ANCHOR, "listed");
    const struct xr_state *states[] = {after};
    char *store = xr_format("openssl:/%u", number);
    size_t part = 0;

    change.subject = change.want->subject;
    change.before = number % 2 ? make_state(number, XR_DISTRUST, "before") : NULL;
    CHECK(xr_journal_intent(journal, t, &part, number, store, "a name", "place", &change, 1,
                            NULL) == XR_OK);
    if (number % 4 == 0)
        CHECK(xr_journal_done(journal, t, part, states, NULL) == XR_OK);
    else if (number % 4 == 1)
        CHECK(xr_journal_back(journal, t, part, NULL) == XR_OK);
    else if (number % 4 == 2)
        CHECK(xr_journal_left(journal, t, part, states, NULL) == XR_OK);
    xr_state_free(change.before);
    xr_state_free(change.want);
    xr_state_free(after);
    free(store);
}

static size_t write_transaction(struct xr_journal *journal, const char *command, const char *undoes)
{
    size_t t = 0;

    CHECK(xr_journal_begin(journal, &t, command, undoes, "tanaka", XR_REQUIRE_VERIFIED,
                           FUZZ_NOW + (int64_t)journal->count, NULL) == XR_OK);
    for (unsigned i = 0; i < PARTS; i++)
        write_part(journal, t, (unsigned)(t * PARTS + i));
    CHECK(xr_journal_end(journal, t, NULL) == XR_OK);
    return t;
}

static void read_file(struct xr_buf *out, const char *dir)
{
    char *name = xr_format("%s/journal", dir), part[4096];
    FILE *file = fopen(name, "rb");
    size_t got = 0;

    CHECK(file != NULL);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        xr_buf_add(out, part, got);
    (void)fclose(file);
    free(name);
}

static void prepare(void)
{
    struct xr_journal journal = {.fd = -1, .dirfd = -1};
    size_t first = 0;

    state_dir = xr_format("%s/state", fuzz_directory());
    written_dir = xr_format("%s/written", fuzz_directory());
    path = xr_format("%s/journal", state_dir);
    CHECK(mkdir(state_dir, 0700) == 0);
    CHECK(xr_journal_open(&journal, written_dir, NULL) == XR_OK);
    first = write_transaction(&journal, "install", NULL);
    (void)write_transaction(&journal, "remove", NULL);
    (void)write_transaction(&journal, "undo", journal.items[first].id);
    xr_journal_close(&journal);
    read_file(&written, written_dir);
    CHECK(xr_journal_read(&original, written_dir, NULL) == XR_OK && original.count == 3 &&
          original.damaged == 0);
}

/* ---- what must hold ---- */

static const struct xr_transaction *find(const struct xr_journal *journal, const char *id)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (strcmp(journal->items[i].id, id) == 0)
            return &journal->items[i];
    }
    return NULL;
}

static void check_part(const struct xr_part *part, const struct xr_transaction *whole)
{
    const struct xr_part *same = NULL;
    struct xr_state *wanted = NULL;

    for (size_t i = 0; i < whole->count; i++) {
        if (whole->items[i].number == part->number)
            same = &whole->items[i];
    }
    CHECK(same != NULL && strcmp(same->store, part->store) == 0 &&
          strcmp(same->identity, part->identity) == 0 && same->count == part->count);
    CHECK(part->stage == XR_STAGE_PENDING || part->stage == same->stage);
    wanted = make_state((unsigned)part->number, XR_ANCHOR, "wanted");
    CHECK(xr_state_equal(part->items[0].before, same->items[0].before));
    CHECK(xr_state_equal(part->items[0].want, same->items[0].want) ||
          (part->stage == XR_STAGE_PENDING && xr_state_equal(part->items[0].want, wanted)));
    xr_state_free(wanted);
}

/* Is all that it says what was written? All but a transaction of that command. */
static void check_written(const struct xr_journal *journal, const char *but)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct xr_transaction *t = &journal->items[i], *same = find(&original, t->id);

        if (but != NULL && strcmp(t->command, but) == 0)
            continue;
        CHECK(same != NULL && t->at == same->at && strcmp(t->command, same->command) == 0 &&
              strcmp(t->undoes, same->undoes) == 0 && t->flags == same->flags);
        CHECK((!t->ended || same->ended) && (!t->ready || same->ready));
        for (size_t k = 0; k < t->count; k++)
            check_part(&t->items[k], same);
    }
}

static bool all_wanted(void *ctx, const char *store)
{
    (void)ctx;
    return strlen(store) % 2 == 0;
}

static void use(struct xr_journal *journal)
{
    struct xr_subjects leaving = {0}, coming = {0};

    (void)xr_journal_find(journal, NULL, NULL, NULL, NULL);
    (void)xr_journal_find(journal, "a", NULL, NULL, NULL);
    (void)xr_journal_pending(journal);
    xr_journal_recall(&leaving, &coming, journal, "openssl:/1");
    xr_journal_keep(journal, all_wanted, NULL);
    xr_subjects_free(&leaving);
    xr_subjects_free(&coming);
}

static void read_any(struct xr_bytes file)
{
    struct xr_journal journal = {.fd = -1, .dirfd = -1};

    fuzz_write(path, file);
    CHECK(xr_journal_read(&journal, state_dir, NULL) == XR_OK);
    use(&journal);
    xr_journal_close(&journal);
}

static void read_payloads(struct xr_bytes rest)
{
    static const unsigned char key[KEY_LEN] = "sixteen bytes ok";
    unsigned char sum[XR_SHA256_LEN];
    struct xr_buf file = {0};
    struct xr_bytes payload;

    xr_x509_sha256(sum, (struct xr_bytes){key, KEY_LEN});
    for (int copy = 0; copy < 2; copy++) {
        xr_buf_str(&file, "XRJK");
        xr_buf_add(&file, key, KEY_LEN);
        xr_buf_add(&file, sum, sizeof(sum));
    }
    while (fuzz_part(&payload, &rest)) {
        struct xr_buf keyed = {0};

        xr_buf_add(&keyed, key, KEY_LEN);
        xr_buf_add(&keyed, payload.data, payload.len);
        xr_x509_sha256(sum, fuzz_buf_bytes(&keyed));
        xr_buf_str(&file, "XRJ1");
        xr_buf_put32(&file, (uint32_t)payload.len);
        xr_buf_add(&file, sum, sizeof(sum));
        xr_buf_add(&file, payload.data, payload.len);
        xr_buf_free(&keyed);
    }
    read_any(fuzz_buf_bytes(&file));
    xr_buf_free(&file);
}

/* Each four bytes: where, and what is done there. */
static void damage(struct xr_buf *file, struct xr_bytes how)
{
    for (size_t i = 0; i + 4 <= how.len && i < 64 && file->len > 0; i += 4) {
        const unsigned char *h = how.data + i;
        size_t at = ((size_t)h[0] | (size_t)h[1] << 8) % file->len;
        size_t len = (size_t)h[3] < file->len - at ? (size_t)h[3] : file->len - at;

        if (h[2] % 4 == 0)
            file->len = at;
        else if (h[2] % 4 == 1)
            memset(file->data + at, h[2], len);
        else if (h[2] % 4 == 2)
            file->data[at] = (char)(file->data[at] ^ h[3]);
        else { /* a part of it once more, elsewhere */
            size_t from = ((size_t)h[3] << 4) % file->len;

            len = file->len - (at > from ? at : from);
            memmove(file->data + at, file->data + from, len < 300 ? len : 300);
        }
    }
}

static void read_damaged(struct xr_bytes how)
{
    struct xr_buf file = {0};
    struct xr_journal journal = {.fd = -1, .dirfd = -1};
    bool found = false;

    xr_buf_add(&file, written.data, written.len);
    damage(&file, how);
    fuzz_write(path, fuzz_buf_bytes(&file));
    xr_buf_free(&file);
    CHECK(xr_journal_read(&journal, state_dir, NULL) == XR_OK);
    check_written(&journal, NULL);
    use(&journal);
    xr_journal_close(&journal);

    CHECK(xr_journal_open(&journal, state_dir, NULL) == XR_OK);
    (void)write_transaction(&journal, "later", NULL);
    xr_journal_close(&journal);
    CHECK(xr_journal_read(&journal, state_dir, NULL) == XR_OK);
    check_written(&journal, "later");
    for (size_t i = 0; i < journal.count; i++)
        found = found || (strcmp(journal.items[i].command, "later") == 0 &&
                          journal.items[i].count == PARTS && journal.items[i].ended);
    CHECK(found);
    xr_journal_close(&journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (path == NULL)
        prepare();
    if (size < 1)
        return 0;
    switch (data[0] % AS_COUNT) {
    case AS_FILE:
        read_any((struct xr_bytes){data + 1, size - 1});
        break;
    case AS_PAYLOADS:
        read_payloads((struct xr_bytes){data + 1, size - 1});
        break;
    default:
        read_damaged((struct xr_bytes){data + 1, size - 1});
    }
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char *const damages[] = {"\x02",
                                          "\x02\x70\x00\x02\x01",
                                          "\x02\x00\x00\x01\x04",
                                          "\x02\x00\x01\x00\x00",
                                          "\x02\x80\x01\x03\x10",
                                          "\x02\x50\x00\x02\x80\x90\x02\x01\x20"};
    static const size_t lens[] = {1, 5, 5, 5, 5, 9};
    struct xr_buf out = {0};

    if (path == NULL)
        prepare();
    xr_buf_add(&out, "", 1);
    xr_buf_add(&out, written.data, written.len);
    fuzz_seed_buf(corpus, &out);
    xr_buf_str(&out, "\x01");
    for (size_t at = 104; at + 40 < written.len;) { /* after the key, twice */
        const unsigned char *record = (const unsigned char *)written.data + at;
        size_t len = (size_t)record[4] | (size_t)record[5] << 8;

        fuzz_put_part(&out, record + 40, len);
        at += 40 + len;
    }
    fuzz_seed_buf(corpus, &out);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
        fuzz_seed(corpus, damages[i], lens[i]);
}
