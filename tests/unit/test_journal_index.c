/* SPDX-License-Identifier: Apache-2.0 */
/* An index of the journal must never change an answer: what is read with it is compared with what is read
 * without. */
#include "certs/x509.h"
#include "change/journal_index.h"
#include "helpers/threads.h"
#include "sys/sys.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORES   3u
#define SUBJECTS 6u
#define LARGE    70000u /* bytes of a state, so that an index is worth writing */

static char top[] = "/tmp/xr-unit-index-XXXXXX";
static char *dir, *path, *index_path;

static void setup(void)
{
    cr_assert(mkdtemp(top) != NULL);
    dir = xr_format("%s/state", top);
    path = xr_format("%s/journal", dir);
    index_path = xr_format("%s/%s", dir, XR_INDEX_NAME);
}

static void teardown(void)
{
    (void)unlink(path);
    (void)unlink(index_path);
    (void)rmdir(dir);
    (void)rmdir(top);
    free(dir);
    free(path);
    free(index_path);
}

TestSuite(journal_index, .init = setup, .fini = teardown);

/* ---- making journals ---- */

static const char *const stores[STORES] = {"openssl:/a", "openssl:/b", "nss:/c"};

static struct xr_subject subject(unsigned number)
{
    struct xr_subject made = {.type = number % 5 == 4 ? XR_SUBJECT_CRL : XR_SUBJECT_CERT};

    memset(made.id, (int)number, sizeof(made.id));
    return made;
}

static struct xr_state *state(unsigned number, enum xr_place place, size_t size)
{
    struct xr_subject of = subject(number);
    struct xr_state *made = xr_state_new(&of);
    char *native = xr_new(size + 1, 1);
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = of,
                             .place = place,
                             .der = {(const unsigned char *)"der", 3},
                             .native = {(const unsigned char *)native, size}};

    memset(native, 'x', size);
    xr_state_add(made, &entry);
    free(native);
    return made;
}

static unsigned seed;

static unsigned dice(unsigned sides)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % sides;
}

static void intend(struct xr_journal *journal, size_t t, unsigned store, size_t size)
{
    unsigned number = dice(SUBJECTS);
    struct xr_change change = {.subject = subject(number)};
    struct xr_error err = {0};
    const struct xr_state *after[1];
    enum xr_status status = XR_OK;
    size_t part = 0;

    change.before = dice(2) ? state(number, dice(2) ? XR_ANCHOR : XR_DISTRUST, 1) : NULL;
    change.want = dice(3) ? state(number, dice(2) ? XR_ANCHOR : XR_INTERMEDIATE, size) : NULL;
    after[0] = change.want;
    cr_assert_eq(xr_journal_intent(journal, t, &part, store, stores[store], "a name", "place",
                                   &change, 1, &err),
                 XR_OK, "%s", err.text);
    if (dice(12) != 0) { /* else it stays pending */
        unsigned how = dice(8);

        status = how == 0   ? xr_journal_back(journal, t, part, &err)
                 : how == 1 ? xr_journal_left(journal, t, part, after, &err)
                            : xr_journal_done(journal, t, part, after, &err);
        cr_assert_eq(status, XR_OK, "%s", err.text);
    }
    xr_state_free(change.before);
    xr_state_free(change.want);
}

/* One transaction, which may undo one of those in ids. */
static void transact(struct xr_journal *journal, struct xr_strings *ids)
{
    const char *undoes =
        ids->count > 0 && dice(4) == 0 ? ids->items[dice((unsigned)ids->count)] : NULL;
    struct xr_error err = {0};
    size_t t = 0, size = dice(6) == 0 ? LARGE : 10;

    cr_assert_eq(xr_journal_begin(journal, &t, undoes ? "undo" : "install", undoes, "tanaka",
                                  dice(4) == 0 ? XR_ALL_OR_NOTHING : 0, 1700000000, &err),
                 XR_OK, "%s", err.text);
    xr_strings_add(ids, journal->items[t].id);
    for (unsigned store = 0; store < STORES; store++) {
        if (dice(2))
            intend(journal, t, store, size);
    }
    if (dice(6) != 0)
        cr_assert_eq(xr_journal_end(journal, t, &err), XR_OK, "%s", err.text);
}

/* What recovery does: ends a part that is not over. */
static void recover(struct xr_journal *journal)
{
    struct xr_error err = {0};

    for (size_t t = 0; t < journal->count; t++) {
        for (size_t p = 0; p < journal->items[t].count; p++) {
            enum xr_stage stage = journal->items[t].items[p].stage;

            if ((stage != XR_STAGE_PENDING && stage != XR_STAGE_LEFT) || dice(2))
                continue;
            cr_assert_eq(xr_journal_back(journal, t, p, &err), XR_OK, "%s", err.text);
        }
    }
}

static void open_brief(struct xr_journal *journal)
{
    struct xr_error err = {0};

    cr_assert_eq(xr_journal_open_brief(journal, dir, &err), XR_OK, "%s", err.text);
}

static void read_brief(struct xr_journal *journal)
{
    struct xr_error err = {0};

    cr_assert_eq(xr_journal_read_brief(journal, dir, &err), XR_OK, "%s", err.text);
}

static void read_whole(struct xr_journal *journal)
{
    struct xr_error err = {0};

    cr_assert_eq(xr_journal_read(journal, dir, &err), XR_OK, "%s", err.text);
}

/* A transaction whose state alone makes an index worth writing. */
static void add_large(char id[XR_JOURNAL_ID_LEN + 1], unsigned number)
{
    struct xr_change change = {.subject = subject(number), .want = state(number, XR_ANCHOR, LARGE)};
    const struct xr_state *after[] = {change.want};
    struct xr_journal journal;
    struct xr_error err = {0};
    size_t t = 0, part = 0;

    open_brief(&journal);
    cr_assert_eq(xr_journal_begin(&journal, &t, "install", NULL, NULL, 0, 1, &err), XR_OK);
    cr_assert_eq(xr_journal_intent(&journal, t, &part, 0, stores[0], NULL, "", &change, 1, &err),
                 XR_OK);
    cr_assert_eq(xr_journal_done(&journal, t, part, after, &err), XR_OK);
    cr_assert_eq(xr_journal_end(&journal, t, &err), XR_OK);
    memcpy(id, journal.items[t].id, XR_JOURNAL_ID_LEN + 1);
    xr_journal_close(&journal);
    xr_state_free(change.want);
}

static struct xr_buf bytes_of(const char *file)
{
    struct xr_buf out = {0};
    struct xr_error err = {0};

    cr_assert_eq(xr_sys_read_at(&out, AT_FDCWD, file, 1u << 26, &err), XR_OK, "%s", err.text);
    return out;
}

static void write_bytes(const char *file, const void *data, size_t len)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    cr_assert_geq(fd, 0);
    cr_assert(xr_sys_write_all(fd, data, len));
    cr_assert_eq(close(fd), 0);
}

/* ---- comparing ---- */

static int by_id(const void *a, const void *b)
{
    const struct xr_subject *x = a, *y = b;

    return memcmp(x->id, y->id, sizeof(x->id));
}

static void check_subjects(struct xr_subjects *a, struct xr_subjects *b, const char *what)
{
    cr_assert_eq(a->count, b->count, "%s: %zu and %zu", what, a->count, b->count);
    if (a->count > 1) {
        qsort(a->items, a->count, sizeof(*a->items), by_id);
        qsort(b->items, b->count, sizeof(*b->items), by_id);
    }
    for (size_t i = 0; i < a->count; i++)
        cr_assert(xr_subject_equal(&a->items[i], &b->items[i]), "%s", what);
    xr_subjects_free(a);
    xr_subjects_free(b);
}

static void check_transaction(const struct xr_transaction *a, const struct xr_transaction *b)
{
    cr_assert_str_eq(a->id, b->id);
    cr_assert_str_eq(a->undoes, b->undoes);
    cr_assert_eq(a->ordinal, b->ordinal);
    cr_assert_eq(a->begin, b->begin);
    cr_assert_eq(a->stop, b->stop);
    cr_assert_eq(a->count, b->count);
    for (size_t p = 0; p < a->count; p++) {
        cr_assert_str_eq(a->items[p].store, b->items[p].store);
        cr_assert_eq(a->items[p].stage, b->items[p].stage);
        if (a->outline)
            continue;
        cr_assert_eq(a->ended, b->ended);
        cr_assert_eq(a->flags, b->flags);
        cr_assert_eq(a->items[p].count, b->items[p].count);
        for (size_t i = 0; i < a->items[p].count; i++) {
            cr_assert(xr_state_equal(a->items[p].items[i].before, b->items[p].items[i].before));
            cr_assert(xr_state_equal(a->items[p].items[i].want, b->items[p].items[i].want));
        }
    }
}

static void check_recall_and_managed(struct xr_journal *brief, const struct xr_journal *whole)
{
    cr_assert_eq(xr_journal_for_recall(brief, NULL), XR_OK);
    for (unsigned s = 0; s < STORES; s++) {
        struct xr_subjects leaving[2] = {{0}}, coming[2] = {{0}};

        xr_journal_recall(&leaving[0], &coming[0], brief, stores[s]);
        xr_journal_recall(&leaving[1], &coming[1], whole, stores[s]);
        check_subjects(&leaving[0], &leaving[1], "leaving");
        check_subjects(&coming[0], &coming[1], "coming");
        for (unsigned number = 0; number < SUBJECTS; number++) {
            struct xr_subject of = subject(number);

            for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
                cr_assert_eq(xr_journal_managed(brief, stores[s], &of, (enum xr_place)place),
                             xr_journal_managed(whole, stores[s], &of, (enum xr_place)place),
                             "store %u, subject %u, place %u", s, number, place);
        }
    }
}

static bool is_b(void *ctx, const char *store)
{
    (void)ctx;
    return strcmp(store, stores[1]) == 0;
}

static void check_found(struct xr_journal *brief, const struct xr_journal *whole)
{
    cr_assert_eq(xr_journal_for_find(brief, NULL, NULL), XR_OK);
    cr_assert_eq(brief->count, whole->count);
    cr_assert_eq(xr_journal_find(brief, NULL, NULL, NULL, NULL),
                 xr_journal_find(whole, NULL, NULL, NULL, NULL));
    cr_assert_eq(xr_journal_find(brief, NULL, is_b, NULL, NULL),
                 xr_journal_find(whole, NULL, is_b, NULL, NULL));
    for (size_t i = 0; i < whole->count; i++) {
        check_transaction(&brief->items[i], &whole->items[i]);
        cr_assert_eq(xr_journal_find(brief, whole->items[i].id, NULL, NULL, NULL), i);
        cr_assert_eq(xr_journal_fill(brief, i, NULL), XR_OK);
        cr_assert_not(brief->items[i].outline);
        check_transaction(&brief->items[i], &whole->items[i]);
        cr_assert_str_eq(brief->items[i].undone_by, whole->items[i].undone_by);
        for (size_t p = 0; p < whole->items[i].count; p++)
            cr_assert_eq(brief->items[i].items[p].undone, whole->items[i].items[p].undone);
    }
}

/* Is every answer the same as without an index? Tells whether there was one that was believed. */
static bool same_answers(void)
{
    struct xr_journal brief, whole;
    bool indexed = false;

    read_whole(&whole);
    read_brief(&brief);
    indexed = brief.index != NULL;
    cr_assert_eq(brief.end, whole.end);
    cr_assert_eq(brief.damaged, whole.damaged);
    cr_assert_eq(brief.last, whole.last);
    cr_assert_eq(xr_journal_pending(&brief), xr_journal_pending(&whole));
    for (size_t i = 0; i < brief.count; i++)
        check_transaction(&brief.items[i], &whole.items[brief.items[i].ordinal]);
    for (size_t i = 0, k = 0; i < whole.count; i++) {
        while (k < brief.count && brief.items[k].ordinal < i)
            k++;
        if (xr_transaction_open(&whole.items[i]))
            cr_assert(k < brief.count && brief.items[k].ordinal == i, "%zu is hidden", i);
    }
    check_recall_and_managed(&brief, &whole);
    check_found(&brief, &whole);
    check_recall_and_managed(&brief, &whole);
    xr_journal_close(&brief);
    xr_journal_close(&whole);
    return indexed;
}

/* ---- the same answers ---- */

Test(journal_index, changes_no_answer_whatever_the_journal_went_through)
{
    size_t indexed = 0;

    for (unsigned run = 0; run < 10; run++) {
        struct xr_strings ids = {0};

        seed = run;
        for (unsigned command = 0; command < 30; command++) {
            struct xr_journal journal;

            open_brief(&journal);
            if (dice(3) == 0)
                recover(&journal);
            if (dice(8) == 0)
                cr_assert_eq(xr_journal_for_find(&journal, NULL, NULL), XR_OK);
            if (dice(6) != 0)
                transact(&journal, &ids);
            xr_journal_close(&journal);
            indexed += same_answers() ? 1 : 0;
        }
        xr_strings_free(&ids);
        cr_assert_eq(unlink(path), 0);
        (void)unlink(index_path);
    }
    cr_assert_gt(indexed, 100, "only %zu of 300 were read with an index", indexed);
}

/* A change of one certificate in stores[0], whose state makes an index worth writing. */
static void one_change(char id[XR_JOURNAL_ID_LEN + 1], const char *undoes, bool left)
{
    struct xr_state *there = state(1, XR_ANCHOR, LARGE);
    struct xr_change change = {.subject = subject(1)};
    const struct xr_state *after[1];
    struct xr_journal journal;
    struct xr_error err = {0};
    size_t t = 0, part = 0;

    *(undoes ? &change.before : &change.want) = there;
    after[0] = change.want;
    open_brief(&journal);
    cr_assert_eq(
        xr_journal_begin(&journal, &t, undoes ? "undo" : "install", undoes, NULL, 0, 1, &err),
        XR_OK);
    cr_assert_eq(xr_journal_intent(&journal, t, &part, 0, stores[0], NULL, "", &change, 1, &err),
                 XR_OK);
    cr_assert_eq((left ? xr_journal_left(&journal, t, part, after, &err)
                       : xr_journal_done(&journal, t, part, after, &err)),
                 XR_OK);
    cr_assert_eq(xr_journal_end(&journal, t, &err), XR_OK);
    memcpy(id, journal.items[t].id, XR_JOURNAL_ID_LEN + 1);
    xr_journal_close(&journal);
    xr_state_free(there);
}

Test(journal_index, what_was_left_and_is_undone_is_not_managed)
{
    const struct xr_subject of = subject(1);
    char left[XR_JOURNAL_ID_LEN + 1], undo[XR_JOURNAL_ID_LEN + 1];
    struct xr_journal journal;

    one_change(left, NULL, true);
    read_brief(&journal);
    cr_assert(journal.index != NULL);
    cr_expect(xr_journal_managed(&journal, stores[0], &of, XR_ANCHOR));
    xr_journal_close(&journal);
    one_change(undo, left, false);
    read_brief(&journal);
    cr_assert(journal.index != NULL);
    cr_assert_str_eq(journal.items[0].id, left);
    cr_expect_str_eq(journal.items[0].undone_by, undo);
    cr_expect(journal.items[0].items[0].undone);
    cr_expect_not(xr_journal_managed(&journal, stores[0], &of, XR_ANCHOR));
    xr_journal_close(&journal);
    cr_expect(same_answers());
}

/* A thread appends while another waits for what it appended to be durable. */
struct overtaking {
    struct xr_journal journal;
    size_t transaction, second;
    bool done;
};

static void overtake(void *ctx)
{
    struct overtaking *o = ctx;
    const struct xr_state *none[] = {NULL};

    if (o->done)
        return;
    o->done = true;
    cr_assert_eq(xr_journal_left(&o->journal, o->transaction, o->second, none, NULL), XR_OK);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

Test(journal_index, hides_no_record_that_was_applied_before_an_earlier_one)
{
    struct overtaking o = {.done = false};
    const struct xr_pause pause = {.leave = overtake, .enter = nothing, .ctx = &o};
    struct xr_state *there = state(1, XR_ANCHOR, LARGE);
    struct xr_change change = {.subject = subject(1), .want = there};
    struct xr_error err = {0};
    size_t first = 0;

    open_brief(&o.journal);
    cr_assert_eq(xr_journal_begin(&o.journal, &o.transaction, "install", NULL, NULL, 0, 1, &err),
                 XR_OK);
    cr_assert_eq(xr_journal_intent(&o.journal, o.transaction, &first, 0, stores[0], NULL, "",
                                   &change, 1, &err),
                 XR_OK);
    cr_assert_eq(xr_journal_intent(&o.journal, o.transaction, &o.second, 1, stores[1], NULL, "",
                                   &change, 1, &err),
                 XR_OK);
    o.journal.pause = &pause;
    cr_assert_eq(xr_journal_back(&o.journal, o.transaction, first, &err), XR_OK);
    cr_assert(o.done);
    cr_expect_eq(o.journal.items[o.transaction].stop, o.journal.end);
    o.journal.pause = NULL;
    xr_journal_close(&o.journal);
    cr_expect(same_answers());
    xr_state_free(there);
}

Test(journal_index, what_is_over_is_not_read)
{
    struct xr_journal journal;
    struct xr_error err = {0};
    char id[XR_JOURNAL_ID_LEN + 1];
    struct xr_buf bytes = {0};
    size_t at = SIZE_MAX;

    add_large(id, 1);
    bytes = bytes_of(path);
    bytes.data[1000] ^= 1; /* in the state */
    write_bytes(path, bytes.data, bytes.len);
    read_brief(&journal);
    cr_assert(journal.index != NULL);
    cr_expect_eq(journal.count, 0);
    cr_expect_eq(journal.damaged, 0);
    /* But what is damaged is not given out when it is asked for. */
    cr_assert_eq(xr_journal_for_find(&journal, NULL, &err), XR_OK);
    at = xr_journal_find(&journal, id, NULL, NULL, &err);
    cr_assert_eq(at, 0);
    cr_expect_neq(xr_journal_fill(&journal, at, &err), XR_OK);
    cr_expect(journal.items[at].outline);
    xr_journal_close(&journal);
    xr_buf_free(&bytes);
}

Test(journal_index, is_made_for_its_user_alone_and_only_when_it_is_worth_it)
{
    struct xr_journal journal;
    struct stat st, again;
    char id[XR_JOURNAL_ID_LEN + 1];

    open_brief(&journal);
    xr_journal_close(&journal);
    cr_assert_eq(stat(index_path, &st), -1);
    add_large(id, 1);
    cr_assert_eq(stat(index_path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
    open_brief(&journal);
    xr_journal_close(&journal);
    read_brief(&journal);
    xr_journal_close(&journal);
    cr_assert_eq(stat(index_path, &again), 0);
    cr_expect_eq(again.st_ino, st.st_ino, "nothing was added, and it was written again");
}

/* ---- what is not believed ---- */

/* Of a journal that has just become long enough for one. */
static struct xr_buf first_index(void)
{
    struct xr_strings ids = {0};
    struct stat st;

    seed = 7;
    while (stat(index_path, &st) != 0) {
        struct xr_journal journal;

        open_brief(&journal);
        transact(&journal, &ids);
        xr_journal_close(&journal);
    }
    xr_strings_free(&ids);
    return bytes_of(index_path);
}

Test(journal_index, damage_to_any_byte_of_it_changes_no_answer)
{
    struct xr_buf good = first_index();

    cr_assert(same_answers());
    for (size_t i = 0; i < good.len; i++) {
        good.data[i] ^= 0x10;
        write_bytes(index_path, good.data, good.len);
        (void)same_answers();
        good.data[i] ^= 0x10;
        if (i % 7 != 0)
            continue;
        write_bytes(index_path, good.data, i);
        (void)same_answers();
    }
    xr_buf_free(&good);
}

/* Puts the right checksums into an index that was changed. */
static void sum_again(struct xr_buf *file)
{
    unsigned char *at = (unsigned char *)file->data;
    size_t body = 0, section = 0, sums = 4 + 32 + 8 + 16 + 8 + 8 + 40 + 8 + 8;

    for (unsigned i = 0; i < 4; i++)
        body |= (size_t)at[36 + i] << 8 * i;
    section = 44 + body;
    for (unsigned i = 0; i < 4 && section <= file->len; i++) {
        uint64_t len = 0;

        for (unsigned k = 0; k < 8; k++)
            len |= (uint64_t)at[sums + 40 * i + k] << 8 * k;
        if (len > file->len - section)
            break;
        xr_x509_sha256(at + sums + 40 * i + 8, (struct xr_bytes){at + section, (size_t)len});
        section += (size_t)len;
    }
    if (body <= file->len - 44)
        xr_x509_sha256(at + 4, (struct xr_bytes){at + 36, 8 + body});
}

/* Asks all that there is to ask, whatever the answers are, and has the index written anew. */
static void ask_everything(unsigned turn)
{
    struct xr_subject of = subject(1);
    struct xr_journal journal;
    struct xr_error err = {0};
    size_t t = 0;

    if (xr_journal_open_brief(&journal, dir, &err) == XR_OK) {
        if (turn % 2 == 0)
            (void)xr_journal_for_recall(&journal, NULL);
        for (unsigned s = 0; s < STORES; s++) {
            struct xr_subjects leaving = {0}, coming = {0};

            if (turn % 2 == 0)
                xr_journal_recall(&leaving, &coming, &journal, stores[s]);
            (void)xr_journal_managed(&journal, stores[s], &of, XR_ANCHOR);
            xr_subjects_free(&leaving);
            xr_subjects_free(&coming);
        }
        (void)xr_journal_for_find(&journal, NULL, NULL);
        (void)xr_journal_find(&journal, NULL, is_b, NULL, NULL);
        for (size_t i = 0; i < journal.count; i++)
            (void)xr_journal_fill(&journal, i, NULL);
        cr_assert_eq(xr_journal_begin(&journal, &t, "undo", journal.items[0].id, NULL, 0, 1, &err),
                     XR_OK);
        cr_assert_eq(xr_journal_end(&journal, t, &err), XR_OK);
    }
    xr_journal_close(&journal);
}

Test(journal_index, wrong_numbers_under_right_checksums_break_nothing)
{
    static const uint64_t numbers[] = {0, 1, 2, 1u << 20, 1u << 30, UINT64_MAX / 8, UINT64_MAX};
    struct xr_buf good = first_index(), written = bytes_of(path);
    struct xr_journal journal;
    size_t believed = 0;

    for (size_t i = 36; i + 8 <= good.len; i += i < 400 ? 1 : 8) {
        struct xr_buf bad = {0};
        uint64_t number = numbers[i % (sizeof(numbers) / sizeof(numbers[0]))];

        xr_buf_add(&bad, good.data, good.len);
        for (unsigned k = 0; k < 8; k++)
            bad.data[i + k] = (char)(number >> 8 * k);
        sum_again(&bad);
        write_bytes(index_path, bad.data, bad.len);
        write_bytes(path, written.data, written.len);
        read_brief(&journal);
        believed += journal.index != NULL;
        xr_journal_close(&journal);
        ask_everything((unsigned)(i / 8));
        xr_buf_free(&bad);
    }
    cr_assert_gt(believed, 20, "%zu were believed", believed);
    xr_buf_free(&good);
    xr_buf_free(&written);
}

Test(journal_index, one_of_another_or_an_older_journal_is_not_believed_or_is_right)
{
    char id[XR_JOURNAL_ID_LEN + 1];
    struct xr_buf other = {0}, older = {0}, journal = {0}, longer = {0};

    add_large(id, 3);
    other = bytes_of(index_path);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(unlink(index_path), 0);
    add_large(id, 1);
    older = bytes_of(index_path);
    journal = bytes_of(path);
    add_large(id, 2);
    longer = bytes_of(path);

    write_bytes(index_path, other.data, other.len);
    cr_expect_not(same_answers(), "of another journal");
    /* As if an older crossroot had appended, which writes no index. */
    write_bytes(index_path, older.data, older.len);
    cr_expect(same_answers());
    /* The journal was cut, or was not as long before a power cut. */
    for (size_t len = 104; len < longer.len; len += 997) {
        write_bytes(path, longer.data, len);
        cr_expect_eq(same_answers(), len >= journal.len, "cut at %zu", len);
    }
    /* Another record stands where it ended. */
    memset(longer.data + journal.len - 100, 0, 100);
    write_bytes(path, longer.data, longer.len);
    cr_expect_not(same_answers());
    xr_buf_free(&other);
    xr_buf_free(&older);
    xr_buf_free(&journal);
    xr_buf_free(&longer);
}

Test(journal_index, one_through_a_link_or_that_others_could_write_is_not_believed)
{
    char *elsewhere = xr_format("%s/elsewhere", top);
    char id[XR_JOURNAL_ID_LEN + 1];

    add_large(id, 1);
    cr_assert(same_answers());
    cr_assert_eq(chmod(index_path, 0666), 0);
    cr_expect_not(same_answers());
    cr_assert_eq(chmod(index_path, 0600), 0);
    cr_assert_eq(rename(index_path, elsewhere), 0);
    cr_expect_not(same_answers());
    cr_assert_eq(symlink(elsewhere, index_path), 0);
    cr_expect_not(same_answers());
    cr_assert_eq(unlink(elsewhere), 0);
    free(elsewhere);
}

/* ---- several threads ---- */

struct crew {
    struct xr_journal journal;
    size_t transaction, good;
    struct xr_change change;
};

static void intend_one(void *ctx, size_t i)
{
    struct crew *crew = ctx;
    char *store = xr_format("openssl:/%zu", i);
    size_t part = 0;

    if (xr_journal_intent(&crew->journal, crew->transaction, &part, i, store, NULL, "",
                          &crew->change, 1, NULL) == XR_OK) {
        const struct xr_transaction *t = &crew->journal.items[crew->transaction];

        crew->good++;
        cr_assert_str_eq(t->items[part].store, store);
        cr_assert_geq(crew->journal.synced, t->begin + 1);
    }
    free(store);
}

static void work(struct crew *crew, bool syncs)
{
    struct xr_threads threads;
    struct xr_error err = {0};
    int ends[2];

    xr_threads_init(&threads, 8);
    open_brief(&crew->journal);
    crew->journal.pause = &threads.pause;
    crew->change.subject = subject(1);
    crew->change.want = state(1, XR_ANCHOR, 10);
    cr_assert_eq(
        xr_journal_begin(&crew->journal, &crew->transaction, "install", NULL, NULL, 0, 1, &err),
        XR_OK);
    if (!syncs) { /* a pipe takes what is written, and cannot make it durable */
        cr_assert_eq(pipe(ends), 0);
        cr_assert_eq(dup2(ends[1], crew->journal.fd), crew->journal.fd);
    }
    xr_threads_run(&threads, XR_WORK_WAITS, 40, intend_one, crew);
    xr_threads_free(&threads);
    xr_state_free(crew->change.want);
}

Test(journal_index, what_threads_append_side_by_side_is_durable_and_read_back)
{
    struct crew crew = {.good = 0};
    struct xr_journal again;

    work(&crew, true);
    cr_assert_eq(crew.good, 40);
    cr_assert_eq(crew.journal.synced, crew.journal.end);
    cr_assert_eq(crew.journal.waiting, 0);
    xr_journal_close(&crew.journal);
    read_whole(&again);
    cr_assert_eq(again.damaged, 0);
    cr_assert_eq(again.count, 1);
    cr_assert_eq(again.items[0].count, 40);
    for (size_t i = 0; i < 40; i++)
        cr_assert_eq(again.items[0].items[i].number, i);
    xr_journal_close(&again);
}

Test(journal_index, what_cannot_be_made_durable_fails_for_every_thread_that_waits)
{
    struct crew crew = {.good = 0};

    work(&crew, false);
    cr_assert_eq(crew.good, 0);
    cr_assert(crew.journal.broken);
    cr_assert_eq(crew.journal.items[crew.transaction].count, 0);
    xr_journal_close(&crew.journal);
}
