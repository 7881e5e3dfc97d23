/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/x509.h"
#include "change/journal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/xr-unit-journal-XXXXXX";
static char *dir, *path;

static void setup(void)
{
    cr_assert(mkdtemp(top) != NULL);
    dir = xr_format("%s/state", top);
    path = xr_format("%s/journal", dir);
}

static void teardown(void)
{
    (void)unlink(path);
    (void)rmdir(dir);
    (void)rmdir(top);
    free(dir);
    free(path);
}

TestSuite(journal, .init = setup, .fini = teardown);

/* ---- fixtures ---- */

static struct xr_subject subject(unsigned number)
{
    struct xr_subject made = {.type = XR_SUBJECT_CERT};

    memset(made.id, (int)number, sizeof(made.id));
    return made;
}

static struct xr_state *state(unsigned number, enum xr_place place, const char *native)
{
    struct xr_subject of = subject(number);
    struct xr_state *made = xr_state_new(&of);
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = of,
                             .place = place,
                             .purposes = place == XR_ANCHOR ? XR_SERVER : 0,
                             .label = "a label",
                             .der = {(const unsigned char *)"der", 3},
                             .native = {(const unsigned char *)native, strlen(native)}};

    xr_state_add(made, &entry);
    return made;
}

static void open_journal(struct xr_journal *journal)
{
    struct xr_error err = {0};

    cr_assert_eq(xr_journal_open(journal, dir, &err), XR_OK, "%s", err.text);
}

static void read_journal(struct xr_journal *journal)
{
    struct xr_error err = {0};

    cr_assert_eq(xr_journal_read(journal, dir, &err), XR_OK, "%s", err.text);
}

static size_t begin(struct xr_journal *journal, const char *command, const char *undoes)
{
    struct xr_error err = {0};
    size_t at = SIZE_MAX;

    cr_assert_eq(xr_journal_begin(journal, &at, command, undoes, "tanaka", 0, 1700000000, &err),
                 XR_OK, "%s", err.text);
    cr_assert_lt(at, journal->count);
    return at;
}

/* One change: from nothing to an anchor. */
static size_t intend(struct xr_journal *journal, size_t t, const char *store, unsigned number)
{
    struct xr_error err = {0};
    struct xr_change change = {.subject = subject(number),
                               .want = state(number, XR_ANCHOR, "wanted")};
    size_t part = SIZE_MAX;

    cr_assert_eq(xr_journal_intent(journal, t, &part, journal->items[t].count, store, NULL, "place",
                                   &change, 1, &err),
                 XR_OK, "%s", err.text);
    cr_assert_lt(part, journal->items[t].count);
    xr_state_free(change.want);
    return part;
}

static void finish(struct xr_journal *journal, size_t t, size_t part, unsigned number)
{
    struct xr_error err = {0};
    struct xr_state *after = state(number, XR_ANCHOR, "listed");
    const struct xr_state *all[] = {after};

    cr_assert_eq(xr_journal_done(journal, t, part, all, &err), XR_OK, "%s", err.text);
    xr_state_free(after);
}

static void end(struct xr_journal *journal, size_t t)
{
    struct xr_error err = {0};

    cr_assert_eq(xr_journal_end(journal, t, &err), XR_OK, "%s", err.text);
}

/* A whole transaction over one store; its name is copied to id. */
static void whole(struct xr_journal *journal, char id[XR_JOURNAL_ID_LEN + 1], const char *undoes,
                  unsigned number)
{
    size_t t = begin(journal, undoes != NULL ? "undo" : "install", undoes);

    finish(journal, t, intend(journal, t, "openssl:/a", number), number);
    end(journal, t);
    memcpy(id, journal->items[t].id, XR_JOURNAL_ID_LEN + 1);
}

/* Everything a transaction is but undone_by, as bytes that can be compared. */
static void render(struct xr_buf *out, const struct xr_transaction *t)
{
    xr_put_text(out, t->id);
    xr_put_text(out, t->undoes);
    xr_put_number(out, (uint64_t)t->at);
    xr_put_text(out, t->command);
    xr_put_number(out, t->ended);
    xr_put_number(out, t->count);
    for (size_t i = 0; i < t->count; i++) {
        const struct xr_part *part = &t->items[i];

        xr_put_text(out, part->store);
        xr_put_text(out, part->identity);
        xr_put_number(out, (uint64_t)part->stage);
        xr_put_number(out, part->count);
        for (size_t k = 0; k < part->count; k++) {
            xr_buf_add(out, part->items[k].subject.id, XR_SHA256_LEN);
            xr_put_state(out, part->items[k].before);
            xr_put_state(out, part->items[k].want);
        }
    }
}

static struct xr_buf rendering(const struct xr_journal *journal)
{
    struct xr_buf out = {0};

    xr_put_number(&out, journal->count);
    for (size_t i = 0; i < journal->count; i++)
        render(&out, &journal->items[i]);
    return out;
}

static bool same_bytes(const struct xr_buf *a, const struct xr_buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static bool same_transaction(const struct xr_transaction *a, const struct xr_transaction *b)
{
    struct xr_buf left = {0}, right = {0};
    bool same = false;

    render(&left, a);
    render(&right, b);
    same = same_bytes(&left, &right);
    xr_buf_free(&left);
    xr_buf_free(&right);
    return same;
}

static size_t file_size(void)
{
    struct stat st;

    cr_assert_eq(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static struct xr_buf file_bytes(void)
{
    struct xr_buf out = {0};
    char block[4096];
    FILE *in = fopen(path, "rb");
    size_t got = 0;

    cr_assert(in != NULL);
    while ((got = fread(block, 1, sizeof(block), in)) > 0)
        xr_buf_add(&out, block, got);
    (void)fclose(in);
    return out;
}

static void write_file(const void *data, size_t len)
{
    FILE *out = fopen(path, "wb");

    cr_assert(out != NULL);
    cr_assert_eq(fwrite(data, 1, len, out), len);
    cr_assert_eq(fclose(out), 0);
}

/* ---- round trip ---- */

Test(journal, no_directory_and_no_file_are_an_empty_journal)
{
    struct xr_journal journal;
    struct stat st;

    read_journal(&journal);
    cr_assert_eq(journal.count, 0);
    cr_assert_not(journal.live);
    cr_assert_not(xr_journal_pending(&journal));
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, NULL), SIZE_MAX);
    xr_journal_close(&journal);
    cr_assert_eq(stat(dir, &st), -1, "reading made the directory");

    cr_assert_eq(mkdir(dir, 0700), 0);
    read_journal(&journal);
    cr_assert_eq(journal.count, 0);
    xr_journal_close(&journal);
    cr_assert_eq(stat(path, &st), -1, "reading made the file");
}

Test(journal, is_made_for_its_user_alone)
{
    struct xr_journal journal;
    struct stat st;

    open_journal(&journal);
    cr_assert(!journal.broken);
    xr_journal_close(&journal);
    cr_assert_eq(stat(dir, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(journal, stores_worked_on_side_by_side_read_back_in_their_order)
{
    struct xr_journal journal, again;
    struct xr_error err = {0};
    static const uint64_t numbers[] = {7, 0, 3};
    static const char *const stores[] = {"a:7", "a:0", "a:3"};
    struct xr_change change = {.subject = subject(1), .want = state(1, XR_ANCHOR, "wanted")};
    size_t parts[3];
    size_t t = 0;

    open_journal(&journal);
    t = begin(&journal, "install", NULL);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(xr_journal_intent(&journal, t, &parts[i], numbers[i], stores[i], NULL, "",
                                       &change, 1, &err),
                     XR_OK);
    finish(&journal, t, parts[2], 1);
    cr_assert_eq(xr_journal_back(&journal, t, parts[0], &err), XR_OK);
    cr_assert_eq(journal.items[t].items[parts[2]].stage, XR_STAGE_DONE);
    cr_assert_eq(journal.items[t].items[parts[0]].stage, XR_STAGE_BACK);
    cr_assert_eq(journal.items[t].items[parts[1]].stage, XR_STAGE_PENDING);
    end(&journal, t);
    read_journal(&again);
    cr_assert_eq(again.items[0].count, 3);
    cr_assert_str_eq(again.items[0].items[0].store, "a:0");
    cr_assert_eq(again.items[0].items[0].stage, XR_STAGE_PENDING);
    cr_assert_str_eq(again.items[0].items[1].store, "a:3");
    cr_assert_eq(again.items[0].items[1].stage, XR_STAGE_DONE);
    cr_assert_str_eq(again.items[0].items[2].store, "a:7");
    cr_assert_eq(again.items[0].items[2].stage, XR_STAGE_BACK);
    xr_journal_close(&again);
    xr_journal_close(&journal);
    xr_state_free(change.want);
}

Test(journal, a_transaction_reads_back_as_it_was_written)
{
    struct xr_journal journal, again;
    struct xr_error err = {0};
    struct xr_change changes[] = {
        {.subject = subject(1), .want = state(1, XR_ANCHOR, "wanted")},
        {.subject = subject(2),
         .before = state(2, XR_INTERMEDIATE, "2"),
         .want = state(2, XR_DISTRUST, "")},
        {.subject = subject(3), .before = state(3, XR_ANCHOR, "3")},
    };
    struct xr_state *first = state(1, XR_ANCHOR, "as listed");
    const struct xr_state *after[] = {first, NULL, NULL};
    const struct xr_part *part = NULL;
    size_t t = 0, at = SIZE_MAX;

    open_journal(&journal);
    cr_assert_eq(xr_journal_begin(&journal, &t, "install", NULL, NULL, 0, 1234567890, &err), XR_OK);
    cr_assert_eq(xr_journal_intent(&journal, t, &at, 0, "openssl:/x", "Firefox", "dev:ino", changes,
                                   3, &err),
                 XR_OK);
    cr_assert_eq(at, 0);
    cr_assert_eq(xr_journal_done(&journal, t, at, after, &err), XR_OK);
    end(&journal, t);

    read_journal(&again);
    cr_assert_eq(again.count, 1);
    cr_assert_eq(again.damaged, 0);
    cr_assert_eq(strlen(again.items[0].id), XR_JOURNAL_ID_LEN);
    cr_assert_str_eq(again.items[0].id, journal.items[0].id);
    cr_assert_str_eq(again.items[0].undoes, "");
    cr_assert_str_eq(again.items[0].undone_by, "");
    cr_assert_eq(again.items[0].at, 1234567890);
    cr_assert_str_eq(again.items[0].command, "install");
    cr_assert(again.items[0].ended);
    cr_assert_eq(again.items[0].count, 1);
    part = &again.items[0].items[0];
    cr_assert_str_eq(part->store, "openssl:/x");
    cr_assert_str_eq(part->name, "Firefox");
    cr_assert_str_eq(part->identity, "dev:ino");
    cr_assert_eq(part->stage, XR_STAGE_DONE);
    cr_assert_eq(part->count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert(xr_subject_equal(&part->items[i].subject, &changes[i].subject));
        cr_assert(xr_state_equal(part->items[i].before, changes[i].before));
        cr_assert(xr_state_equal(part->items[i].want, after[i]), "done replaces what was wanted");
    }
    cr_assert(part->items[0].before == NULL);
    cr_assert(part->items[2].want == NULL);
    xr_journal_close(&again);
    xr_journal_close(&journal);
    for (size_t i = 0; i < 3; i++) {
        xr_state_free(changes[i].before);
        xr_state_free(changes[i].want);
    }
    xr_state_free(first);
}

Test(journal, in_memory_is_what_a_reader_sees_after_every_append)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    size_t t = 0;

    open_journal(&journal);
    for (unsigned step = 0; step < 7; step++) {
        struct xr_journal again;
        struct xr_buf ours = {0}, theirs = {0};

        switch (step) {
        case 0:
            t = begin(&journal, "install", NULL);
            break;
        case 1:
            (void)intend(&journal, t, "openssl:/a", 1);
            break;
        case 2:
            (void)intend(&journal, t, "openssl:/b", 2);
            break;
        case 3:
            finish(&journal, t, 0, 1);
            break;
        case 4:
            cr_assert_eq(xr_journal_back(&journal, t, 1, &err), XR_OK);
            break;
        case 5:
            end(&journal, t);
            break;
        default:
            (void)begin(&journal, "undo", journal.items[t].id);
        }
        read_journal(&again);
        ours = rendering(&journal);
        theirs = rendering(&again);
        cr_assert(same_bytes(&ours, &theirs), "step %u", step);
        xr_buf_free(&ours);
        xr_buf_free(&theirs);
        xr_journal_close(&again);
    }
    cr_assert_eq(journal.items[t].items[0].stage, XR_STAGE_DONE);
    cr_assert_eq(journal.items[t].items[1].stage, XR_STAGE_BACK);
    xr_journal_close(&journal);
}

Test(journal, goes_on_where_another_process_left_off)
{
    struct xr_journal journal;
    char first[XR_JOURNAL_ID_LEN + 1], second[XR_JOURNAL_ID_LEN + 1];

    open_journal(&journal);
    whole(&journal, first, NULL, 1);
    xr_journal_close(&journal);
    open_journal(&journal);
    cr_assert_eq(journal.count, 1);
    whole(&journal, second, NULL, 2);
    xr_journal_close(&journal);
    read_journal(&journal);
    cr_assert_eq(journal.count, 2);
    cr_assert_str_eq(journal.items[0].id, first);
    cr_assert_str_eq(journal.items[1].id, second);
    cr_assert_str_neq(first, second);
    xr_journal_close(&journal);
}

/* ---- damage ---- */

#define RECORDS 8u

/* Two transactions in RECORDS records; what a reader sees, and how long the file is, after each. */
static void write_records(struct xr_buf seen[RECORDS + 1], size_t sizes[RECORDS + 1])
{
    struct xr_journal journal;
    size_t t = 0;
    size_t done = 0;

    open_journal(&journal);
#define SEEN (seen[done] = rendering(&journal), sizes[done] = file_size(), done++)
    SEEN;
    t = begin(&journal, "install", NULL);
    SEEN;
    (void)intend(&journal, t, "openssl:/a", 1);
    SEEN;
    finish(&journal, t, 0, 1);
    SEEN;
    end(&journal, t);
    SEEN;
    t = begin(&journal, "undo", journal.items[t].id);
    SEEN;
    (void)intend(&journal, t, "openssl:/b", 2);
    SEEN;
    finish(&journal, t, 0, 2);
    SEEN;
    end(&journal, t);
    SEEN;
#undef SEEN
    cr_assert_eq(done, RECORDS + 1);
    xr_journal_close(&journal);
}

static void free_seen(struct xr_buf seen[RECORDS + 1])
{
    for (size_t i = 0; i <= RECORDS; i++)
        xr_buf_free(&seen[i]);
}

Test(journal, a_cut_at_any_byte_loses_at_most_the_last_record)
{
    struct xr_buf seen[RECORDS + 1] = {{0}};
    size_t sizes[RECORDS + 1] = {0};
    struct xr_buf all = {0};
    size_t record = 0;

    write_records(seen, sizes);
    all = file_bytes();
    cr_assert_eq(all.len, sizes[RECORDS]);
    for (size_t cut = 0; cut <= all.len; cut++) {
        struct xr_journal journal;
        struct xr_buf now = {0};

        while (record < RECORDS && sizes[record + 1] <= cut)
            record++;
        write_file(all.data, cut);
        read_journal(&journal);
        now = rendering(&journal);
        cr_assert(same_bytes(&now, &seen[record]), "cut at %zu, after record %zu", cut, record);
        /* The key is there twice, 52 bytes each, before the first record. */
        if (record > 0)
            cr_assert_eq(journal.damaged, cut - sizes[record]);
        else
            cr_assert_eq(journal.damaged, cut < 52 ? cut : cut < 104 ? 0 : cut - 104);
        xr_buf_free(&now);
        xr_journal_close(&journal);
    }
    xr_buf_free(&all);
    free_seen(seen);
}

Test(journal, what_is_appended_after_a_cut_at_any_byte_is_read)
{
    struct xr_buf seen[RECORDS + 1] = {{0}};
    size_t sizes[RECORDS + 1] = {0};
    struct xr_buf all = {0};

    write_records(seen, sizes);
    all = file_bytes();
    for (size_t cut = 0; cut <= all.len; cut++) {
        struct xr_journal journal, again;
        struct xr_buf ours = {0}, theirs = {0};
        size_t t = 0, count = 0;

        write_file(all.data, cut);
        open_journal(&journal);
        count = journal.count;
        t = begin(&journal, "remove", NULL);
        read_journal(&again);
        cr_assert_eq(again.count, count + 1, "cut at %zu", cut);
        ours = rendering(&journal);
        theirs = rendering(&again);
        cr_assert(same_bytes(&ours, &theirs), "cut at %zu", cut);
        cr_assert_str_eq(again.items[count].id, journal.items[t].id);
        xr_buf_free(&ours);
        xr_buf_free(&theirs);
        xr_journal_close(&again);
        xr_journal_close(&journal);
    }
    xr_buf_free(&all);
    free_seen(seen);
}

Test(journal, a_flipped_byte_damages_only_its_record)
{
    struct xr_journal journal, clean;
    char id[XR_JOURNAL_ID_LEN + 1];
    struct xr_buf all = {0};
    size_t from = 0, to = 0;

    open_journal(&journal);
    whole(&journal, id, NULL, 1);
    from = file_size();
    whole(&journal, id, NULL, 2);
    to = file_size();
    whole(&journal, id, NULL, 3);
    xr_journal_close(&journal);
    read_journal(&clean);
    cr_assert_eq(clean.count, 3);
    all = file_bytes();
    for (size_t at = from; at < to; at++) {
        static const char flips[] = {1, 0x40, (char)0xff};
        char old = all.data[at];

        for (size_t k = 0; k < sizeof(flips); k++) {
            struct xr_journal now;

            all.data[at] = (char)(old ^ flips[k]);
            write_file(all.data, all.len);
            read_journal(&now);
            cr_assert(now.count == 2 || now.count == 3, "byte %zu", at);
            cr_assert_gt(now.damaged, 0, "byte %zu", at);
            cr_assert_lt(now.damaged, to - from, "byte %zu: more than its record is gone", at);
            cr_assert(same_transaction(&now.items[0], &clean.items[0]), "byte %zu", at);
            cr_assert(same_transaction(&now.items[now.count - 1], &clean.items[2]), "byte %zu", at);
            xr_journal_close(&now);
        }
        all.data[at] = old;
    }
    xr_buf_free(&all);
    xr_journal_close(&clean);
}

Test(journal, any_bytes_are_a_journal_that_can_be_read_and_appended_to)
{
    unsigned char noise[5000];
    uint32_t seed = 20240229;
    struct xr_journal journal;

    cr_assert_eq(mkdir(dir, 0700), 0);
    for (unsigned round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof(noise); i++) {
            seed = seed * 1664525u + 1013904223u;
            noise[i] = (unsigned char)(seed >> 24);
            if (seed >> 8 & 1 && i >= 4 && i % 16 == 0)
                memcpy(noise + i - 4, "XRJ1", 4); /* NOLINT(bugprone-not-null-terminated-result) */
        }
        write_file(noise, sizeof(noise));
        open_journal(&journal);
        cr_assert_eq(journal.count, 0);
        cr_assert_eq(journal.damaged, sizeof(noise));
        (void)begin(&journal, "install", NULL);
        xr_journal_close(&journal);
        read_journal(&journal);
        cr_assert_eq(journal.count, 1);
        xr_journal_close(&journal);
    }
}

/* Damage to the first store's intent must not make its "done" settle the second store's part. */
Test(journal, damage_to_one_stores_intent_leaves_the_parts_of_others_alone)
{
    struct xr_journal journal;
    struct xr_buf all = {0};
    size_t t = 0, from = 0;

    open_journal(&journal);
    t = begin(&journal, "install", NULL);
    from = file_size();
    (void)intend(&journal, t, "openssl:/a", 1);
    (void)intend(&journal, t, "openssl:/b", 2);
    finish(&journal, t, 0, 1);
    xr_journal_close(&journal);
    all = file_bytes();
    all.data[from + 60] ^= 1;
    write_file(all.data, all.len);
    xr_buf_free(&all);

    read_journal(&journal);
    for (size_t i = 0; i < journal.items[0].count; i++) {
        const struct xr_part *part = &journal.items[0].items[i];

        if (part->store == NULL || strcmp(part->store, "openssl:/b") != 0)
            continue;
        cr_assert_eq(part->stage, XR_STAGE_PENDING, "b was never done");
        cr_assert(part->items[0].want != NULL);
        cr_assert(xr_subject_equal(&part->items[0].want->subject, &part->items[0].subject),
                  "b's change has a's state");
    }
    cr_assert(xr_journal_pending(&journal));
    xr_journal_close(&journal);
}

/* A record as it lies in the file. The first key bytes of payload are summed up but not written. */
static void put_record(struct xr_buf *out, const struct xr_buf *payload, size_t key)
{
    unsigned char sum[XR_SHA256_LEN], len[4];

    xr_x509_sha256(sum, (struct xr_bytes){(const unsigned char *)payload->data, payload->len});
    for (unsigned i = 0; i < 4; i++)
        len[i] = (unsigned char)((payload->len - key) >> 8 * i);
    xr_buf_add(out, "XRJ1", 4);
    xr_buf_add(out, len, sizeof(len));
    xr_buf_add(out, sum, sizeof(sum));
    xr_buf_add(out, payload->data + key, payload->len - key);
}

/* Certificates, labels and native records are hostile: they may contain a record of ours, which
 * the search for the next whole record after a crash must not take for one. */
Test(journal, a_record_inside_a_certificate_is_no_record)
{
    static const char id[] = "0123456789abcdef";
    struct xr_journal journal;
    struct xr_error err = {0};
    struct xr_buf forged = {0}, payload = {0}, all = {0};
    struct xr_change change = {.subject = subject(1)};
    struct xr_entry entry = {.size = sizeof(entry), .subject = subject(1)};
    struct xr_state *evil = state(9, XR_ANCHOR, "evil");
    size_t t = 0, part = 0;

    xr_put_number(&payload, XR_RECORD_BEGIN);
    xr_buf_add(&payload, id, XR_JOURNAL_ID_LEN);
    xr_put_number(&payload, 1);
    xr_put_text(&payload, "remove");
    xr_buf_add(&payload, (const char[XR_JOURNAL_ID_LEN]){0}, XR_JOURNAL_ID_LEN);
    put_record(&forged, &payload, 0);
    payload.len = 0;
    xr_put_number(&payload, XR_RECORD_INTENT);
    xr_buf_add(&payload, id, XR_JOURNAL_ID_LEN);
    xr_put_text(&payload, "openssl:/a");
    xr_put_text(&payload, "place");
    xr_put_number(&payload, 1);
    xr_put_number(&payload, (uint64_t)evil->subject.type);
    xr_buf_add(&payload, evil->subject.id, XR_SHA256_LEN);
    xr_put_state(&payload, evil);
    xr_put_state(&payload, NULL);
    put_record(&forged, &payload, 0);

    entry.der = (struct xr_bytes){(const unsigned char *)forged.data, forged.len};
    change.want = xr_state_new(&entry.subject);
    xr_state_add(change.want, &entry);
    open_journal(&journal);
    t = begin(&journal, "install", NULL);
    cr_assert_eq(xr_journal_intent(&journal, t, &part, 0, "openssl:/a", NULL, "", &change, 1, &err),
                 XR_OK);
    xr_journal_close(&journal);
    all = file_bytes();
    write_file(all.data, all.len - 1); /* the crash */

    read_journal(&journal);
    cr_assert_eq(journal.count, 1, "a certificate wrote history");
    cr_assert_str_neq(journal.items[0].id, id);
    cr_assert_not(xr_journal_pending(&journal), "a certificate asks to be recovered");
    xr_journal_close(&journal);
    xr_state_free(change.want);
    xr_state_free(evil);
    xr_buf_free(&forged);
    xr_buf_free(&payload);
    xr_buf_free(&all);
}

/* A directory may hold one certificate 5000 times. What cannot be read back must not be written as
 * if it could: the caller goes on with the part it was given. */
Test(journal, an_intent_that_could_not_be_read_back_is_an_error)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    struct xr_change change = {.subject = subject(1)};
    struct xr_entry entry = {.size = sizeof(entry), .subject = subject(1)};
    size_t t = 0, part = SIZE_MAX;
    enum xr_status status = XR_OK;

    change.before = xr_state_new(&entry.subject);
    for (unsigned i = 0; i < 5000; i++)
        xr_state_add(change.before, &entry);
    open_journal(&journal);
    t = begin(&journal, "remove", NULL);
    status = xr_journal_intent(&journal, t, &part, 0, "openssl:/a", NULL, "", &change, 1, &err);
    cr_assert(status != XR_OK || part < journal.items[t].count,
              "success, and part %zu of %zu to go on with", part, journal.items[t].count);
    xr_journal_close(&journal);
    xr_state_free(change.before);
}

Test(journal, a_clock_before_1970_is_an_error_or_an_instant)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    size_t t = SIZE_MAX;
    enum xr_status status = XR_OK;

    open_journal(&journal);
    status = xr_journal_begin(&journal, &t, "install", NULL, NULL, 0, -1, &err);
    cr_assert(status != XR_OK || t < journal.count,
              "success, and transaction %zu of %zu to go on with", t, journal.count);
    xr_journal_close(&journal);
}

/* ---- pending, find ---- */

Test(journal, an_intent_without_an_outcome_is_pending)
{
    struct xr_journal journal, again;
    struct xr_error err = {0};
    size_t t = 0, a = 0, b = 0;

    open_journal(&journal);
    t = begin(&journal, "install", NULL);
    cr_assert_not(xr_journal_pending(&journal));
    a = intend(&journal, t, "openssl:/a", 1);
    cr_assert(xr_journal_pending(&journal));
    b = intend(&journal, t, "openssl:/b", 2);
    finish(&journal, t, a, 1);
    cr_assert(xr_journal_pending(&journal));
    read_journal(&again);
    cr_assert(xr_journal_pending(&again));
    xr_journal_close(&again);
    end(&journal, t);
    cr_assert(xr_journal_pending(&journal), "an end settles no part");
    cr_assert_eq(xr_journal_back(&journal, t, b, &err), XR_OK);
    cr_assert_not(xr_journal_pending(&journal));
    read_journal(&again);
    cr_assert_not(xr_journal_pending(&again));
    xr_journal_close(&again);
    xr_journal_close(&journal);
}

Test(journal, a_second_intent_of_a_store_takes_the_place_of_the_first)
{
    struct xr_journal journal, again;
    struct xr_error err = {0};
    struct xr_change change = {.subject = subject(3), .want = state(3, XR_ANCHOR, "moved")};
    size_t t = 0, part = 0;

    open_journal(&journal);
    t = begin(&journal, "install", NULL);
    (void)intend(&journal, t, "openssl:/a", 1);
    (void)intend(&journal, t, "openssl:/b", 2);
    cr_assert_eq(
        xr_journal_intent(&journal, t, &part, 0, "openssl:/a", NULL, "place", &change, 1, &err),
        XR_OK, "%s", err.text);
    cr_assert_eq(part, 0);
    cr_assert_not(journal.items[t].ready);
    cr_assert_eq(xr_journal_ready(&journal, t, &err), XR_OK, "%s", err.text);
    cr_assert(journal.items[t].ready);
    read_journal(&again);
    cr_assert(again.items[t].ready && !again.items[t].ended);
    cr_assert_eq(again.items[t].count, 2);
    cr_assert(xr_subject_equal(&again.items[t].items[0].items[0].subject, &change.subject));
    cr_assert(same_transaction(&journal.items[t], &again.items[t]));
    xr_journal_close(&again);
    xr_journal_close(&journal);
    xr_state_free(change.want);
}

Test(journal, finds_a_transaction_by_its_name_or_the_beginning_of_it)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    char ids[20][XR_JOURNAL_ID_LEN + 1];
    bool ambiguous = false;

    open_journal(&journal);
    for (unsigned i = 0; i < 20; i++)
        whole(&journal, ids[i], NULL, i + 1);
    for (unsigned i = 0; i < 20; i++) {
        char prefix[13] = {0}; /* 48 random bits: no two alike */
        char first[2] = {ids[i][0], '\0'};
        size_t alike = 0;

        memcpy(prefix, ids[i], 12);
        cr_assert_eq(xr_journal_find(&journal, ids[i], NULL, NULL, &err), i);
        cr_assert_eq(xr_journal_find(&journal, prefix, NULL, NULL, &err), i);
        for (unsigned k = 0; k < 20; k++)
            alike += ids[k][0] == first[0];
        if (alike > 1) {
            ambiguous = true;
            cr_assert_eq(xr_journal_find(&journal, first, NULL, NULL, &err), SIZE_MAX);
            cr_assert_eq(err.status, XR_INVALID);
        } else {
            cr_assert_eq(xr_journal_find(&journal, first, NULL, NULL, &err), i);
        }
    }
    cr_assert(ambiguous, "20 names, 16 first digits");
    cr_assert_eq(xr_journal_find(&journal, "zz", NULL, NULL, &err), SIZE_MAX);
    cr_assert_eq(err.status, XR_ABSENT);
    cr_assert_eq(xr_journal_find(&journal, "0123456789abcdef0", NULL, NULL, &err), SIZE_MAX);
    xr_journal_close(&journal);
}

Test(journal, the_newest_is_the_last_that_changed_something)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    char id[XR_JOURNAL_ID_LEN + 1];
    size_t t = 0;

    open_journal(&journal);
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, &err), SIZE_MAX);
    cr_assert_eq(err.status, XR_ABSENT);
    whole(&journal, id, NULL, 1);
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, &err), 0);
    t = begin(&journal, "install", NULL); /* nothing to do */
    end(&journal, t);
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, &err), 0);
    t = begin(&journal, "install", NULL); /* put back */
    cr_assert_eq(xr_journal_back(&journal, t, intend(&journal, t, "openssl:/a", 2), &err), XR_OK);
    end(&journal, t);
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, &err), 0);
    t = begin(&journal, "install", NULL); /* pending */
    (void)intend(&journal, t, "openssl:/a", 3);
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, &err), t, "recovery goes first");
    t = begin(&journal, "install", NULL); /* one store of two */
    (void)intend(&journal, t, "openssl:/a", 4);
    finish(&journal, t, intend(&journal, t, "openssl:/b", 5), 5);
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, &err), t);
    xr_journal_close(&journal);
}

Test(journal, what_was_undone_is_passed_over_until_the_undo_is_undone)
{
    struct xr_journal journal;
    char first[XR_JOURNAL_ID_LEN + 1], second[XR_JOURNAL_ID_LEN + 1];
    char undo[XR_JOURNAL_ID_LEN + 1], redo[XR_JOURNAL_ID_LEN + 1], last[XR_JOURNAL_ID_LEN + 1];

    open_journal(&journal);
    whole(&journal, first, NULL, 1);
    whole(&journal, second, NULL, 2);
    whole(&journal, undo, second, 2);
    xr_journal_close(&journal);

    read_journal(&journal);
    cr_assert_str_eq(journal.items[1].undone_by, undo);
    cr_assert_str_eq(journal.items[2].undoes, second);
    cr_assert_str_eq(journal.items[0].undone_by, "");
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, NULL), 0,
                 "neither the undo nor what it undid");
    cr_assert_eq(xr_journal_find(&journal, second, NULL, NULL, NULL), 1,
                 "by name it is still there");
    xr_journal_close(&journal);

    open_journal(&journal);
    whole(&journal, redo, undo, 2);
    xr_journal_close(&journal);
    read_journal(&journal);
    cr_assert_str_eq(journal.items[2].undone_by, redo);
    cr_assert_str_eq(journal.items[1].undone_by, "", "an undo that was undone undoes nothing");
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, NULL), 1);
    xr_journal_close(&journal);

    open_journal(&journal);
    whole(&journal, last, second, 2);
    xr_journal_close(&journal);
    read_journal(&journal);
    cr_assert_str_eq(journal.items[1].undone_by, last);
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, NULL), 0);
    xr_journal_close(&journal);
}

Test(journal, an_undo_that_was_put_back_undid_nothing)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    char id[XR_JOURNAL_ID_LEN + 1];
    size_t t = 0;

    open_journal(&journal);
    whole(&journal, id, NULL, 1);
    t = begin(&journal, "undo", id);
    cr_assert_eq(xr_journal_back(&journal, t, intend(&journal, t, "openssl:/a", 1), &err), XR_OK);
    end(&journal, t);
    xr_journal_close(&journal);
    read_journal(&journal);
    cr_assert_str_eq(journal.items[0].undone_by, "");
    cr_assert_eq(xr_journal_find(&journal, NULL, NULL, NULL, NULL), 0);
    xr_journal_close(&journal);
}

/* ---- locks, links ---- */

Test(journal, a_transaction_of_another_process_is_seen_as_live)
{
    struct xr_journal journal;
    int to_child[2], to_parent[2];
    char byte = 0;
    int status = 0;
    pid_t child = 0;

    cr_assert_eq(pipe(to_child), 0);
    cr_assert_eq(pipe(to_parent), 0);
    child = fork();
    if (child == 0) {
        size_t t = 0;

        (void)close(to_child[1]);
        open_journal(&journal);
        t = begin(&journal, "install", NULL);
        (void)intend(&journal, t, "openssl:/a", 1);
        if (write(to_parent[1], "x", 1) != 1 || read(to_child[0], &byte, 1) != 0)
            _exit(1);
        _exit(0);
    }
    cr_assert_gt(child, 0);
    (void)close(to_child[0]);
    cr_assert_eq(read(to_parent[0], &byte, 1), 1);

    read_journal(&journal);
    cr_assert(journal.live);
    cr_assert_eq(journal.count, 1, "what it wrote can be read all the same");
    cr_assert(xr_journal_pending(&journal));
    xr_journal_close(&journal);

    (void)close(to_child[1]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    read_journal(&journal);
    cr_assert_not(journal.live, "its process is gone");
    cr_assert(xr_journal_pending(&journal), "so what it left is pending");
    xr_journal_close(&journal);
    (void)close(to_parent[0]);
    (void)close(to_parent[1]);
}

Test(journal, what_another_process_is_just_writing_is_not_damaged)
{
    struct xr_journal writer, journal;
    struct xr_buf all = {0};
    char id[XR_JOURNAL_ID_LEN + 1];

    open_journal(&writer);
    whole(&writer, id, NULL, 1);
    all = file_bytes();
    for (size_t cut = 0; cut < all.len; cut++) {
        write_file(all.data, cut);
        read_journal(&journal);
        cr_assert(journal.live);
        cr_assert_eq(journal.damaged, 0, "%zu bytes", cut);
        xr_journal_close(&journal);
    }
    cr_assert(all.data != NULL && all.len > 150);
    all.data[150] ^= 1; /* of the first record */
    write_file(all.data, all.len);
    read_journal(&journal);
    cr_assert_gt(journal.damaged, 0, "what is before a whole record is");
    xr_journal_close(&journal);
    xr_journal_let_go(&writer);
    xr_journal_close(&writer);
    xr_buf_free(&all);
}

Test(journal, readers_are_not_live_and_keep_no_writer_out)
{
    struct xr_journal journal, one, two;
    char id[XR_JOURNAL_ID_LEN + 1];

    open_journal(&journal);
    whole(&journal, id, NULL, 1);
    xr_journal_close(&journal);
    read_journal(&one);
    read_journal(&two);
    cr_assert_not(one.live);
    cr_assert_not(two.live);
    open_journal(&journal);
    xr_journal_close(&journal);
    xr_journal_close(&one);
    xr_journal_close(&two);
}

Test(journal, a_link_in_its_place_is_refused)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    struct stat st;
    char *target = xr_format("%s/target", top);
    FILE *file = NULL;

    cr_assert_eq(mkdir(dir, 0700), 0);
    cr_assert_eq(symlink(target, path), 0);
    for (unsigned dangling = 2; dangling-- > 0;) {
        if (!dangling) {
            file = fopen(target, "w");
            cr_assert(file != NULL);
            (void)fclose(file);
        }
        cr_assert_neq(xr_journal_open(&journal, dir, &err), XR_OK);
        xr_journal_close(&journal);
        cr_assert_neq(xr_journal_read(&journal, dir, &err), XR_OK);
        xr_journal_close(&journal);
        if (dangling)
            cr_assert_eq(stat(target, &st), -1, "the link's target was made");
    }
    (void)unlink(target);
    free(target);
}

Test(journal, a_directory_others_may_write_is_refused)
{
    struct xr_journal journal;
    struct xr_error err = {0};

    cr_assert_eq(mkdir(dir, 0700), 0);
    cr_assert_eq(chmod(dir, 0777), 0);
    cr_assert_eq(xr_journal_open(&journal, dir, &err), XR_REFUSED);
    xr_journal_close(&journal);
    cr_assert_eq(xr_journal_read(&journal, dir, &err), XR_REFUSED);
    xr_journal_close(&journal);
}

Test(journal, a_transaction_says_who_made_it)
{
    struct xr_journal journal, again;
    struct xr_error err = {0};
    size_t t = 0;

    open_journal(&journal);
    cr_assert_eq(xr_journal_begin(&journal, &t, "install", NULL, "tanaka", 0, 1, &err), XR_OK);
    cr_assert_eq(xr_journal_begin(&journal, &t, "remove", NULL, NULL, 0, 2, &err), XR_OK);
    xr_journal_close(&journal);
    read_journal(&again);
    cr_assert_eq(again.count, 2);
    cr_expect_str_eq(again.items[0].by, "tanaka");
    cr_expect(again.items[1].by == NULL, "it was not known");
    xr_journal_close(&again);
}

Test(journal, records_from_before_user_and_name_were_recorded_are_read)
{
    static const unsigned char key[16] = "sixteen bytes...";
    static const char id[] = "0123456789abcdef";
    struct xr_buf file = {0}, begun = {0}, intent = {0};
    struct xr_journal journal;
    unsigned char sum[XR_SHA256_LEN];

    xr_x509_sha256(sum, (struct xr_bytes){key, sizeof(key)});
    for (int copy = 0; copy < 2; copy++) {
        xr_buf_add(&file, "XRJK", 4);
        xr_buf_add(&file, key, sizeof(key));
        xr_buf_add(&file, sum, sizeof(sum));
    }
    xr_buf_add(&begun, key, sizeof(key));
    xr_put_number(&begun, XR_RECORD_BEGIN);
    xr_buf_add(&begun, id, XR_JOURNAL_ID_LEN);
    xr_put_number(&begun, 1700000000);
    xr_put_number(&begun, 0);
    xr_put_text(&begun, "distrust");
    xr_buf_add(&begun, (const char[XR_JOURNAL_ID_LEN]){0}, XR_JOURNAL_ID_LEN);
    put_record(&file, &begun, sizeof(key));
    xr_buf_add(&intent, key, sizeof(key));
    xr_put_number(&intent, XR_RECORD_INTENT);
    xr_buf_add(&intent, id, XR_JOURNAL_ID_LEN);
    xr_put_number(&intent, 0);
    xr_put_text(&intent, "openssl:/x");
    xr_put_text(&intent, "");
    xr_put_number(&intent, 0);
    put_record(&file, &intent, sizeof(key));
    open_journal(&journal); /* which makes the directory */
    xr_journal_close(&journal);
    write_file(file.data, file.len);

    read_journal(&journal);
    cr_assert_eq(journal.count, 1);
    cr_expect_eq(journal.damaged, 0);
    cr_expect_str_eq(journal.items[0].command, "distrust");
    cr_expect_eq(journal.items[0].at, 1700000000);
    cr_expect(journal.items[0].by == NULL);
    cr_assert_eq(journal.items[0].count, 1);
    cr_expect_str_eq(journal.items[0].items[0].store, "openssl:/x");
    cr_expect(journal.items[0].items[0].name == NULL);
    xr_journal_close(&journal);
    xr_buf_free(&begun);
    xr_buf_free(&intent);
    xr_buf_free(&file);
}

static bool is_b(void *ctx, const char *store)
{
    (void)ctx;
    return strcmp(store, "openssl:/b") == 0;
}

Test(journal, of_the_stores_that_are_kept_everything_stays_and_of_the_others_nothing)
{
    struct xr_journal journal, again;
    size_t t = 0;

    open_journal(&journal);
    t = begin(&journal, "install", NULL);
    (void)intend(&journal, t, "openssl:/a", 1);
    (void)intend(&journal, t, "openssl:/b", 2);
    t = begin(&journal, "remove", NULL);
    (void)intend(&journal, t, "openssl:/a", 1);
    xr_journal_close(&journal);
    read_journal(&again);
    xr_journal_keep(&again, is_b, NULL);
    cr_assert_eq(again.count, 1);
    cr_expect_str_eq(again.items[0].command, "install");
    cr_assert_eq(again.items[0].count, 1);
    cr_expect_str_eq(again.items[0].items[0].store, "openssl:/b");
    cr_expect_eq(again.items[0].items[0].count, 1);
    xr_journal_close(&again);
}

Test(journal, what_is_done_in_one_of_stores_that_go_together_may_still_leave_until_all_are)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    size_t t = 0;

    open_journal(&journal);
    cr_assert_eq(xr_journal_begin(&journal, &t, "install", NULL, NULL, XR_ALL_OR_NOTHING, 0, &err),
                 XR_OK, "%s", err.text);
    finish(&journal, t, intend(&journal, t, "openssl:/a", 1), 1);
    for (size_t i = 0; i < 2; i++) {
        struct xr_subjects leaving = {0}, coming = {0};

        xr_journal_recall(&leaving, &coming, &journal, "openssl:/a");
        cr_expect_eq(leaving.count, i == 0 ? 1 : 0);
        cr_expect_eq(coming.count, i == 0 ? 1 : 0);
        xr_subjects_free(&leaving);
        xr_subjects_free(&coming);
        if (i == 0)
            end(&journal, t);
    }
    xr_journal_close(&journal);
}
