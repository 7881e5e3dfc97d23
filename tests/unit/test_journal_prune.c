/* SPDX-License-Identifier: Apache-2.0 */
#include "change/journal_index.h"
#include "change/journal_prune.h"
#include "sys/sys.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/xr-unit-prune-XXXXXX";
static char *dir, *path, *index_path, *damaged_path;

static void setup(void)
{
    cr_assert(mkdtemp(top) != NULL);
    dir = xr_format("%s/state", top);
    path = xr_format("%s/journal", dir);
    index_path = xr_format("%s/%s", dir, XR_INDEX_NAME);
    damaged_path = xr_format("%s/journal.damaged", dir);
}

static void teardown(void)
{
    (void)unlink(path);
    (void)unlink(index_path);
    (void)unlink(damaged_path);
    (void)rmdir(dir);
    (void)rmdir(top);
    free(dir);
    free(path);
    free(index_path);
    free(damaged_path);
}

TestSuite(journal_prune, .init = setup, .fini = teardown);

static struct xr_state *anchor(unsigned number)
{
    struct xr_subject of = {.type = XR_SUBJECT_CERT};
    struct xr_entry entry = {.size = sizeof(entry), .place = XR_ANCHOR};
    static unsigned char native[3000]; /* so that an index is soon worth writing */
    struct xr_state *made = NULL;

    memset(of.id, (int)number, sizeof(of.id));
    entry.subject = of;
    entry.der = (struct xr_bytes){(const unsigned char *)"der", 3};
    entry.native = (struct xr_bytes){native, sizeof(native)};
    made = xr_state_new(&of);
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

/* Installs or removes a certificate at a time that is also how many came before. Its ID is what is
 * returned, allocated. */
static char *change(unsigned number, bool install, const char *undoes, enum xr_stage stage)
{
    struct xr_journal journal;
    struct xr_change one = {.subject = {.type = XR_SUBJECT_CERT}};
    const struct xr_state *after[1];
    struct xr_error err = {0};
    size_t t = 0, part = 0;
    char *id = NULL;

    memset(one.subject.id, (int)number, sizeof(one.subject.id));
    *(install ? &one.want : &one.before) = anchor(number);
    after[0] = one.want;
    open_journal(&journal);
    cr_assert_eq(xr_journal_begin(&journal, &t, undoes ? "undo" : "install", undoes, NULL, 0,
                                  (int64_t)journal.count, &err),
                 XR_OK);
    cr_assert_eq(xr_journal_intent(&journal, t, &part, 0, "openssl:/a", NULL, "", &one, 1, &err),
                 XR_OK);
    if (stage == XR_STAGE_DONE)
        cr_assert_eq(xr_journal_done(&journal, t, part, after, &err), XR_OK);
    else if (stage == XR_STAGE_LEFT)
        cr_assert_eq(xr_journal_left(&journal, t, part, after, &err), XR_OK);
    cr_assert_eq(xr_journal_end(&journal, t, &err), XR_OK);
    id = xr_strdup(journal.items[t].id);
    xr_journal_close(&journal);
    xr_state_free(one.before);
    xr_state_free(one.want);
    return id;
}

static size_t prune(int64_t before)
{
    const struct xr_prune_before old = {.has_time = true, .time = before};
    struct xr_pruning pruning;
    struct xr_journal journal;
    struct xr_error err = {0};
    size_t going = 0;

    open_journal(&journal);
    xr_pruning_choose(&pruning, &journal, &old);
    going = pruning.going;
    cr_assert_eq(xr_pruning_apply(&pruning, &journal, &err), XR_OK, "%s", err.text);
    xr_pruning_free(&pruning);
    xr_journal_close(&journal);
    return going;
}

static bool holds(const char *id)
{
    struct xr_journal journal;
    bool found = false;

    read_journal(&journal);
    found = xr_journal_transaction(&journal, id) != NULL;
    xr_journal_close(&journal);
    return found;
}

Test(journal_prune, what_later_ones_replaced_goes_and_what_has_the_last_word_stays)
{
    char *ids[] = {change(1, true, NULL, XR_STAGE_DONE),  change(1, false, NULL, XR_STAGE_DONE),
                   change(2, true, NULL, XR_STAGE_DONE),  change(1, true, NULL, XR_STAGE_DONE),
                   change(1, false, NULL, XR_STAGE_DONE), change(3, true, NULL, XR_STAGE_DONE)};
    static const bool stay[] = {false, false, true, true, true, true};
    struct xr_subjects leaving[2] = {{0}}, coming = {0};
    struct xr_journal journal;
    struct xr_error err = {0};

    read_journal(&journal);
    xr_journal_recall(&leaving[0], &coming, &journal, "openssl:/a");
    xr_journal_close(&journal);
    cr_assert_eq(prune(100), 2);
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(holds(ids[i]), stay[i], "%zu", i);
    read_journal(&journal);
    cr_expect_eq(journal.damaged, 0);
    xr_journal_recall(&leaving[1], &coming, &journal, "openssl:/a");
    cr_assert_eq(leaving[0].count, 1);
    cr_assert_eq(leaving[1].count, 1);
    cr_expect(xr_subject_equal(&leaving[0].items[0], &leaving[1].items[0]));
    /* What went is told from what never was. */
    cr_expect_eq(xr_journal_find(&journal, ids[0], NULL, NULL, &err), SIZE_MAX);
    cr_expect_eq(err.status, XR_ABSENT);
    cr_expect(strstr(err.text, "pruned") != NULL, "%s", err.text);
    cr_expect_eq(xr_journal_find(&journal, "zz", NULL, NULL, &err), SIZE_MAX);
    cr_expect(strstr(err.text, "pruned") == NULL, "%s", err.text);
    xr_journal_close(&journal);
    /* And once more: IDs of both times are known. */
    free(change(3, true, NULL, XR_STAGE_DONE));
    cr_assert_eq(prune(100), 1);
    read_journal(&journal);
    cr_expect_eq(journal.pruned.count, 3);
    xr_journal_close(&journal);
    xr_subjects_free(&leaving[0]);
    xr_subjects_free(&leaving[1]);
    for (size_t i = 0; i < 6; i++)
        free(ids[i]);
}

Test(journal_prune, what_is_not_over_and_what_is_new_enough_stays)
{
    char *pending = change(1, true, NULL, XR_STAGE_PENDING);
    char *left = change(1, true, NULL, XR_STAGE_LEFT);
    char *old = change(1, true, NULL, XR_STAGE_DONE);
    char *fresh = change(1, false, NULL, XR_STAGE_DONE);
    char *last = change(1, true, NULL, XR_STAGE_DONE);
    struct xr_journal journal;

    cr_assert_eq(prune(3), 1);
    cr_expect(holds(pending));
    cr_expect(holds(left));
    cr_expect_not(holds(old));
    cr_expect(holds(fresh));
    cr_expect(holds(last));
    read_journal(&journal);
    cr_expect(xr_journal_pending(&journal));
    cr_expect_eq(journal.items[0].items[0].stage, XR_STAGE_PENDING);
    cr_expect_eq(journal.items[1].items[0].stage, XR_STAGE_LEFT);
    xr_journal_close(&journal);
    free(pending);
    free(left);
    free(old);
    free(fresh);
    free(last);
}

Test(journal_prune, the_undo_of_what_stays_does_too)
{
    char *left = change(1, true, NULL, XR_STAGE_LEFT);
    char *undo = change(1, false, left, XR_STAGE_DONE);
    char *later = change(1, true, NULL, XR_STAGE_DONE);
    struct xr_journal journal;

    cr_assert_eq(prune(100), 0);
    read_journal(&journal);
    cr_expect_str_eq(journal.items[0].undone_by, undo);
    xr_journal_close(&journal);
    free(left);
    free(undo);
    free(later);
}

Test(journal_prune, an_index_of_the_journal_before_is_not_believed)
{
    struct xr_buf index = {0};
    struct xr_journal journal;
    struct xr_error err = {0};
    int fd = -1;

    for (unsigned i = 0; i < 40; i++)
        free(change(1, i % 2 == 0, NULL, XR_STAGE_DONE));
    cr_assert_eq(xr_sys_read_at(&index, AT_FDCWD, index_path, 1u << 24, &err), XR_OK, "%s",
                 err.text);
    cr_assert_eq(prune(30), 30);
    fd = open(index_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(xr_sys_write_all(fd, index.data, index.len));
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(xr_journal_read_brief(&journal, dir, &err), XR_OK);
    cr_expect(journal.index == NULL);
    cr_expect_eq(journal.count, 10);
    xr_journal_close(&journal);
    xr_buf_free(&index);
}

Test(journal_prune, damage_is_set_aside_and_the_rest_stays)
{
    char *first = change(1, true, NULL, XR_STAGE_DONE);
    char *second = change(2, true, NULL, XR_STAGE_DONE);
    struct xr_journal journal;
    int fd = open(path, O_WRONLY | O_APPEND);

    cr_assert(xr_sys_write_all(fd, "XRJ1 is no record", 17));
    cr_assert_eq(close(fd), 0);
    free(change(1, true, NULL, XR_STAGE_DONE));
    cr_assert_eq(prune(100), 1);
    cr_expect(holds(second));
    read_journal(&journal);
    cr_expect_eq(journal.damaged, 0);
    xr_journal_close(&journal);
    cr_expect_eq(access(damaged_path, R_OK), 0);
    free(first);
    free(second);
}

/* Who waits for the lock of the file that was replaced must not append to it. */
Test(journal_prune, who_waited_meanwhile_goes_on_in_the_new_file)
{
    const struct xr_prune_before old = {.has_time = true, .time = 100};
    struct xr_pruning pruning;
    struct xr_journal journal;
    struct xr_error err = {0};
    int ends[2], status = 0;
    char byte = 0;
    pid_t child = -1;

    for (unsigned i = 0; i < 4; i++)
        free(change(1, i % 2 == 0, NULL, XR_STAGE_DONE));
    cr_assert_eq(pipe(ends), 0);
    child = fork(); /* before the lock is taken, which it would share */
    cr_assert_geq(child, 0);
    if (child == 0) {
        cr_assert_eq(read(ends[0], &byte, 1), 1);
        free(change(2, true, NULL, XR_STAGE_DONE)); /* which waits */
        _exit(0);
    }
    open_journal(&journal);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    xr_pruning_choose(&pruning, &journal, &old);
    cr_assert_eq(xr_pruning_apply(&pruning, &journal, &err), XR_OK, "%s", err.text);
    xr_pruning_free(&pruning);
    xr_journal_close(&journal);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    read_journal(&journal);
    cr_expect_eq(journal.count, 3);
    xr_journal_close(&journal);
}

static void managed(bool out[3])
{
    struct xr_journal journal;

    read_journal(&journal);
    for (unsigned i = 0; i < 3; i++) {
        struct xr_subject of = {.type = XR_SUBJECT_CERT};

        memset(of.id, (int)i + 1, sizeof(of.id));
        out[i] = xr_journal_managed(&journal, "openssl:/a", &of, XR_ANCHOR);
    }
    xr_journal_close(&journal);
}

/* Another program may put back what was removed, and a list then says whose it was. */
Test(journal_prune, who_put_it_there_is_known_after_it_was_removed)
{
    char *older = change(1, true, NULL, XR_STAGE_DONE);
    char *put = change(1, true, NULL, XR_STAGE_DONE);
    char *removed = change(1, false, NULL, XR_STAGE_DONE);
    char *undone = change(2, true, NULL, XR_STAGE_DONE);
    char *undo = change(2, false, undone, XR_STAGE_DONE);
    bool before[3], after[3];

    managed(before);
    cr_expect(before[0]);
    cr_expect_not(before[1]);
    cr_assert_eq(prune(100), 2);
    cr_expect_not(holds(older));
    cr_expect(holds(put));
    cr_expect(holds(removed));
    cr_expect_not(holds(undone));
    cr_expect(holds(undo));
    managed(after);
    cr_expect_arr_eq(after, before, sizeof(before));
    free(older);
    free(put);
    free(removed);
    free(undone);
    free(undo);
}

Test(journal_prune, a_shortened_id_is_none_of_what_stays_if_it_could_be_of_what_went)
{
    char *id = NULL, digit[2] = {0};
    struct xr_journal journal;
    struct xr_error err = {0};

    for (unsigned i = 0; i < 40; i++)
        free(change(1, i % 2 == 0, NULL, XR_STAGE_DONE));
    cr_assert_eq(xr_journal_read_brief(&journal, dir, &err), XR_OK);
    cr_assert(journal.index != NULL);
    cr_assert_eq(xr_journal_for_find(&journal, "0", &err), XR_OK);
    cr_expect(journal.index != NULL, "nothing was pruned, and it was read whole");
    xr_journal_close(&journal);
    cr_assert_eq(prune(10), 10);
    id = change(1, true, NULL, XR_STAGE_DONE); /* with an index again */

    cr_assert_eq(xr_journal_read_brief(&journal, dir, &err), XR_OK);
    cr_assert(journal.index != NULL);
    cr_assert_eq(xr_journal_for_find(&journal, id, &err), XR_OK);
    cr_expect(journal.index != NULL, "an ID that is not shortened needs no pruned ones");
    cr_assert_eq(xr_journal_for_find(&journal, "0", &err), XR_OK);
    cr_assert_eq(journal.pruned.count, 10);
    cr_expect_eq(xr_journal_find(&journal, id, NULL, NULL, &err), journal.count - 1);
    /* As if what went had begun with the same digit. */
    digit[0] = journal.pruned.items[0][0];
    for (size_t i = 0; i < journal.count; i++)
        journal.items[i].id[0] = 'x';
    journal.items[3].id[0] = digit[0];
    for (size_t i = 1; i < journal.pruned.count; i++)
        journal.pruned.items[i][0] = 'x';
    cr_expect_eq(xr_journal_find(&journal, digit, NULL, NULL, &err), SIZE_MAX);
    cr_expect_eq(err.status, XR_INVALID, "%s", err.text);
    cr_expect_eq(xr_journal_find(&journal, journal.items[3].id, NULL, NULL, &err), 3);
    journal.pruned.items[0][0] = 'x';
    cr_expect_eq(xr_journal_find(&journal, digit, NULL, NULL, &err), 3);
    xr_journal_close(&journal);
    free(id);
}

Test(journal_prune, what_a_killed_writer_left_goes_with_the_next_change)
{
    static const char *const names[] = {XR_TEMP_PREFIX "0123456789abcdef",
                                        XR_TEMP_PREFIX "0123456789abcdeg", XR_TEMP_PREFIX "nss",
                                        "kept"};
    struct xr_journal journal;
    int dirfd = -1;

    free(change(1, true, NULL, XR_STAGE_DONE));
    dirfd = open(dir, O_RDONLY | O_DIRECTORY);
    cr_assert_geq(dirfd, 0);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(close(openat(dirfd, names[i], O_WRONLY | O_CREAT, 0600)), 0);
    read_journal(&journal);
    xr_journal_close(&journal);
    cr_expect_eq(faccessat(dirfd, names[0], F_OK, 0), 0, "who only reads has no lock");
    open_journal(&journal);
    xr_journal_close(&journal);
    cr_expect_neq(faccessat(dirfd, names[0], F_OK, 0), 0);
    for (size_t i = 1; i < 4; i++) {
        cr_expect_eq(faccessat(dirfd, names[i], F_OK, 0), 0, "%s", names[i]);
        (void)unlinkat(dirfd, names[i], 0);
    }
    cr_assert_eq(close(dirfd), 0);
}
