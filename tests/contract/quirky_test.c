/* SPDX-License-Identifier: Apache-2.0 */
/* What stores like NSS databases need of the engine, through whole requests. */
#include "asking.h"
#include "tree.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct asking a;

static void begin(void)
{
    asking_begin(&a);
}

static void end(void)
{
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a helper is left");
    asking_end(&a);
}

TestSuite(quirky, .init = begin, .fini = end);

static void said(int code, int want)
{
    char *text = asking_text(&a, true);

    cr_assert(code == want, "exit %d: %s", code, text);
    free(text);
}

static void logged(size_t store, const char *want)
{
    char *log = asking_log(&a, store);

    cr_assert_str_eq(log, want);
    free(log);
}

/* The same without the numbers of processes: which helper takes which of several stores is chance. */
static void logged_by_any(size_t store, const char *want)
{
    char *log = asking_log(&a, store), *to = log;

    for (const char *from = log; *from != '\0'; from++) {
        if (*from >= '0' && *from <= '9' && from[1] == ' ')
            from++;
        else
            *to++ = *from;
    }
    *to = '\0';
    cr_assert_str_eq(log, want);
    free(log);
}

static const char *const plain[] = {"log", "", NULL};

/* ---- a verifier that needs a session of its own ---- */

#define SURVEY  "1 open read, 1 list, 1 close, "
#define WRITING "1 open write, 1 list, 1 swap, 1 list, 1 close"

Test(quirky, a_verifier_is_asked_after_the_writing_session_is_closed)
{
    asking_store(&a, plain);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    logged(0, SURVEY WRITING ", 1 open read, 1 probe, 1 close");
    cr_assert(a.report->runs.items[0].verified);
    cr_assert(a.report->runs.items[0].verdict.answer == XR_YES);
}

Test(quirky, nothing_to_ask_opens_no_session)
{
    asking_store(&a, plain);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    asking_quirk(&a, 0, "log", "");
    said(asking_run(&a, XR_VERB_UNDO, NULL, 0), 0);
    logged(0, SURVEY WRITING);
}

Test(quirky, a_no_rolls_back_in_a_new_writing_session)
{
    asking_store(&a, plain);
    asking_quirk(&a, 0, "verdict", "no");
    a.rq.require_verified = true;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 6);
    logged(0, SURVEY WRITING ", 1 open read, 1 probe, 1 close, "
                             "1 open write, 1 list, 1 swap, 1 list, 1 close");
    cr_assert(asking_entries(&a, 0) == 0);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_BACK);
}

Test(quirky, a_verifier_that_crashes_or_fails_cannot_tell_and_costs_nothing)
{
    static const char *const how[] = {"crash", "fail"};
    static const char *const why[] = {"signal 6", "out of order"};

    for (size_t i = 0; i < 2; i++) {
        asking_store(&a, NULL);
        asking_quirk(&a, 0, "verdict", how[i]);
        a.rq.require_verified = true;
        said(asking_run(&a, XR_VERB_INSTALL, i == 0 ? a.cert : a.cross, 1), 0);
        cr_assert(asking_entries(&a, 0) == i + 1);
        cr_assert(a.report->runs.items[0].verified);
        cr_assert(a.report->runs.items[0].verdict.answer == XR_UNKNOWN);
        cr_assert(strstr(a.report->runs.items[0].verdict.why, why[i]) != NULL);
    }
}

Test(quirky, verify_asks_each_store_in_one_session_beside_the_survey)
{
    asking_store(&a, plain);
    (void)asking_run(&a, XR_VERB_VERIFY, a.cert, 1);
    logged(0, SURVEY "1 open read, 1 probe, 1 close");
    asking_quirk(&a, 0, "log", "");
    a.also = a.cross;
    said(asking_run(&a, XR_VERB_VERIFY, a.cert, 1), 0);
    logged(0, SURVEY "1 open read, 1 probe, 1 probe, 1 close");
    cr_assert(a.report->answers.count == 2);
}

Test(quirky, a_helper_that_is_lost_with_one_question_is_started_anew_for_the_next)
{
    asking_store(&a, plain);
    asking_quirk(&a, 0, "verdict", "crash");
    (void)asking_run(&a, XR_VERB_VERIFY, a.cert, 1);
    asking_quirk(&a, 0, "log", "");
    a.also = a.cross;
    said(asking_run(&a, XR_VERB_VERIFY, a.cert, 1), 1);
    logged(0, SURVEY "1 open read, 1 probe, 2 open read, 2 probe");
}

/* ---- what a running program must do ---- */

static void noticed(enum xr_level level, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < a.report->messages.count; i++) {
        const struct xr_message *message = &a.report->messages.items[i];

        if (strstr(message->text, "verified") != NULL || strstr(message->text, "lead to") != NULL ||
            message->store == NULL)
            continue;
        count++;
        cr_assert(text != NULL && strcmp(message->text, text) == 0, "%s", message->text);
        cr_assert(message->level == level);
        cr_assert_str_eq(message->store, a.stores[0]);
    }
    cr_assert(count == (text != NULL ? 1 : 0), "%zu notices", count);
}

#define GIVEN XR_NOTE, "it is seen at once"
#define TAKEN XR_WARNING, "restart\\u{000A}the program"

static const char *const in_use[] = {"running", "", NULL};

Test(quirky, trust_that_was_given_or_taken_brings_its_notice_once)
{
    char *json = NULL;

    asking_store(&a, in_use);
    a.also = a.cross;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    noticed(GIVEN);
    json = asking_json(&a);
    cr_assert(strstr(json, "{\"level\": \"note\", \"text\": \"it is seen at once\"") != NULL, "%s",
              json);
    free(json);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    noticed(XR_NOTE, NULL); /* nothing was changed */
    asking_quirk(&a, 0, "verdict", "no");
    said(asking_run(&a, XR_VERB_REMOVE, a.cert, 1), 0);
    noticed(TAKEN);
}

Test(quirky, an_intermediate_counts_as_what_makes_paths)
{
    asking_store(&a, in_use);
    said(asking_run(&a, XR_VERB_INSTALL, a.cross, 1), 0);
    noticed(GIVEN);
    said(asking_run(&a, XR_VERB_UNDO, NULL, 0), 0);
    noticed(TAKEN);
}

Test(quirky, a_distrust_brings_the_notice_of_what_was_taken)
{
    asking_store(&a, in_use);
    asking_quirk(&a, 0, "verdict", "no");
    said(asking_run(&a, XR_VERB_DISTRUST, a.cross, 1), 0);
    noticed(TAKEN);
}

Test(quirky, what_was_there_for_a_moment_and_taken_back_is_told)
{
    asking_store(&a, in_use);
    asking_quirk(&a, 0, "verdict", "no");
    a.rq.require_verified = true;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 6);
    noticed(TAKEN);
}

Test(quirky, a_store_that_nobody_uses_brings_no_notice)
{
    asking_store(&a, NULL);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    cr_assert_str_eq(asking_message(&a, 0, 0), "");
    a.rq.dry_run = true;
    asking_quirk(&a, 0, "running", "");
    said(asking_run(&a, XR_VERB_REMOVE, a.cert, 1), 0);
    cr_assert(a.report->messages.count == 0);
}

/* ---- an interrupted write of another program ---- */

static const char *const stale[] = {"log", "", "stale", "", NULL};
#define MENDED "an interrupted write of another program was rolled back"

Test(quirky, a_change_takes_an_interrupted_write_back_first_and_says_so)
{
    asking_store(&a, stale);
    said(asking_run(&a, XR_VERB_INSTALL, a.cross, 1), 0);
    logged(0, "1 open read, 1 open write, 1 close, 1 open read, 1 list, 1 close, "
              "1 open write, 1 list, 1 swap, 1 list, 1 close, 1 open read, 1 probe, 1 close");
    cr_assert_str_eq(asking_message(&a, 0, 0), MENDED);
    cr_assert_str_eq(asking_message(&a, 0, 1), "");
    said(asking_run(&a, XR_VERB_UNDO, NULL, 0), 0);
    cr_assert_str_eq(asking_message(&a, SIZE_MAX, 0), "");
}

Test(quirky, who_only_reads_is_told_what_to_do)
{
    static const enum xr_verb verbs[] = {XR_VERB_LIST, XR_VERB_STORES, XR_VERB_VERIFY,
                                         XR_VERB_INSTALL};

    asking_store(&a, stale);
    asking_store(&a, NULL);
    a.rq.dry_run = true;
    for (size_t i = 0; i < 4; i++) {
        char *want = xr_format("an interrupted write of another program must be rolled back first: "
                               "run crossroot recover --store %s",
                               a.stores[0]);

        said(asking_run(&a, verbs[i],
                        verbs[i] == XR_VERB_INSTALL || verbs[i] == XR_VERB_VERIFY ? a.cert : NULL,
                        2),
             4);
        cr_assert_str_eq(a.report->runs.items[0].why, want);
        cr_assert(a.report->runs.items[0].result == XR_RESULT_FAILED);
        cr_assert(asking_has(&a, 0, "stale"));
        said(asking_run(&a, verbs[i], a.cert, 1), 1);
        free(want);
    }
    {
        char *log = asking_log(&a, 0);

        cr_assert(strstr(log, "write") == NULL, "%s", log);
        free(log);
    }
}

Test(quirky, the_advice_can_be_pasted_into_a_shell)
{
    char *dir = tree_path(a.dir, "it's $(x)");
    char *want = xr_format("crossroot recover --store 'quirky:%s/it'\\''s $(x)'", a.dir);

    tree_dir(a.dir, "it's $(x)");
    tree_text(dir, "stale", "");
    a.stores[a.count++] = xr_format("quirky:%s", dir);
    said(asking_run(&a, XR_VERB_LIST, NULL, 1), 1);
    cr_assert(strstr(asking_message(&a, 0, 0), want) != NULL, "%s", asking_message(&a, 0, 0));
    free(dir);
    free(want);
}

Test(quirky, what_cannot_be_taken_back_fails_that_store_alone)
{
    asking_store(&a, NULL);
    asking_store(&a, NULL);
    {
        char *dir = tree_path(a.dir, "s0");

        tree_dir(dir, "stale"); /* that unlink leaves where it is */
        free(dir);
    }
    said(asking_run(&a, XR_VERB_INSTALL, a.cross, 2), 4);
    cr_assert_str_eq(a.report->runs.items[0].why, "the journal stays");
    cr_assert(a.report->runs.items[1].result == XR_RESULT_DONE);
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 2), 4);
    cr_assert_str_eq(a.report->runs.items[0].why, "the journal stays");
}

Test(quirky, recover_of_a_named_store_takes_it_back)
{
    asking_store(&a, stale);
    asking_store(&a, plain);
    a.rq.dry_run = true;
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 2), 0);
    cr_assert(asking_has(&a, 0, "stale") && a.report->runs.count == 1);
    cr_assert(strstr(asking_message(&a, 0, 0), "would be rolled back") != NULL);
    a.rq.dry_run = false;
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 2), 0);
    cr_assert(!asking_has(&a, 0, "stale") && a.report->runs.count == 2);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_DONE);
    cr_assert_str_eq(a.report->runs.items[0].why, MENDED);
    cr_assert(a.report->runs.items[1].result == XR_RESULT_UNCHANGED);
}

static void in_scope(size_t first, size_t count)
{
    struct xr_buf list = {0};

    for (size_t i = first; i < count; i++)
        xr_buf_fmt(&list, "%s\n", strchr(a.stores[i], ':') + 1);
    tree_text(a.dir, "stores", list.data);
    xr_buf_free(&list);
}

Test(quirky, recover_looks_into_every_store_of_the_scope_and_touches_only_what_is_stale)
{
    asking_store(&a, plain);
    asking_store(&a, stale);
    asking_store(&a, stale);
    in_scope(0, 3);
    a.rq.excluded = (struct xr_words){(const char *const *)&a.stores[2], 1};
    a.rq.dry_run = true;
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    cr_assert(asking_has(&a, 1, "stale"));
    a.rq.dry_run = false;
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    cr_assert(!asking_has(&a, 1, "stale") && asking_has(&a, 2, "stale"));
    cr_assert(a.report->runs.count == 1);
    cr_assert_str_eq(a.report->runs.items[0].address, a.stores[1]);
    cr_assert_str_eq(a.report->runs.items[0].why, MENDED);
    logged_by_any(0, "open read, close, open read, close");
    logged_by_any(1, "open read, open read, open write, close");
    logged(2, "");
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    cr_assert(a.report->runs.count == 0);
}

Test(quirky, a_broken_store_of_the_scope_is_no_concern_of_recover)
{
    asking_store(&a, NULL);
    asking_store(&a, stale);
    asking_quirk(&a, 0, "broken", "");
    in_scope(0, 2);
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    cr_assert(a.report->runs.count == 1 && !asking_has(&a, 1, "stale"));
}

Test(quirky, a_store_that_a_killed_crossroot_left_stale_is_recovered_in_one_go)
{
    asking_store(&a, plain);
    asking_quirk(&a, 0, "die", "");
    said(asking_run(&a, XR_VERB_INSTALL, a.cross, 1), 1);
    cr_assert(asking_has(&a, 0, "stale") && asking_entries(&a, 0) == 1);
    asking_unquirk(&a, 0, "shut");
    asking_unquirk(&a, 0, "die");
    in_scope(0, 1);
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    cr_assert(!asking_has(&a, 0, "stale") && a.report->runs.count == 1);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_DONE && asking_entries(&a, 0) == 1);
    asking_quirk(&a, 0, "log", "");
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    logged(0, "1 open read, 1 close");
}

/* ---- passwords ---- */

struct answers {
    const char *words[8]; /* in this order; NULL: nobody answers */
    size_t asked, again;
    char stores[8][300];
};

static bool answer(void *ctx, const char *store, bool again, char *out, size_t size, size_t *len)
{
    struct answers *answers = ctx;
    size_t at = answers->asked++;
    const char *word = at < 8 ? answers->words[at] : NULL;

    if (at < 8)
        (void)snprintf(answers->stores[at], sizeof(answers->stores[at]), "%s", store);
    answers->again += again;
    if (word == NULL)
        return false;
    cr_assert(size >= strlen(word));
    *len = strlen(word);
    memcpy(out, word, *len);
    return true;
}

static struct answers answers;

static void answering(const char *first, const char *second, const char *third)
{
    answers = (struct answers){.words = {first, second, third}};
    a.rq.ctx = &answers;
    a.rq.ask_password = answer;
}

static void give(const char *password)
{
    a.rq.password = (struct xr_bytes){(const unsigned char *)password, strlen(password)};
}

static const char *const locked[] = {"log", "", "password", "open sesame", NULL};
#define NO_PASSWORD "this store has a password: give it with --password-fd, or on a terminal"
#define WRONG       "wrong password: give the right one with --password-fd, or on a terminal"

static void nothing_said(const char *password)
{
    char *json = asking_json(&a), *journal = NULL;
    size_t len = 0;

    cr_assert(strstr(json, password) == NULL);
    free(json);
    if (!tree_has(a.state, "journal"))
        return;
    journal = tree_read(&len, a.state, "journal");
    cr_assert(memmem(journal, len, password, strlen(password)) == NULL);
    free(journal);
}

Test(quirky, a_password_opens_the_writing_session_before_the_first_swap)
{
    asking_store(&a, locked);
    give("open sesame");
    answering(NULL, NULL, NULL);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    logged(0, SURVEY "1 open read, 1 unlock, 1 close, 1 open write, 1 unlock, 1 list, 1 swap, "
                     "1 list, 1 close, 1 open read, 1 probe, 1 close");
    cr_assert(answers.asked == 0 && a.report->runs.items[0].password.data == NULL);
    nothing_said("open sesame");
}

Test(quirky, an_entry_in_an_unlocked_place_needs_no_password)
{
    asking_store(&a, locked);
    answering("open sesame", NULL, NULL);
    said(asking_run(&a, XR_VERB_INSTALL, a.cross, 1), 0);
    said(asking_run(&a, XR_VERB_REMOVE, a.cross, 1), 0);
    cr_assert(answers.asked == 0);
}

Test(quirky, nothing_to_change_needs_no_password)
{
    asking_store(&a, locked);
    give("open sesame");
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    a.rq.password = (struct xr_bytes){0};
    answering("open sesame", NULL, NULL);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    a.rq.dry_run = true;
    said(asking_run(&a, XR_VERB_REMOVE, a.cert, 1), 0);
    cr_assert(answers.asked == 0);
}

Test(quirky, what_was_typed_for_one_store_is_tried_for_the_next)
{
    for (size_t i = 0; i < 4; i++)
        asking_store(&a, locked);
    asking_quirk(&a, 2, "password", "another");
    answering("wrong", "open sesame", "another");
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 4), 4);
    cr_assert(answers.asked == 4 && answers.again == 1, "%zu %zu", answers.asked, answers.again);
    cr_assert_str_eq(answers.stores[0], a.stores[0]);
    cr_assert_str_eq(answers.stores[2], a.stores[2]);
    cr_assert(asking_entries(&a, 1) == 1 && asking_entries(&a, 2) == 1);
    cr_assert(a.report->runs.items[3].result == XR_RESULT_REFUSED);
}

Test(quirky, a_store_whose_password_nobody_knows_is_refused_alone)
{
    asking_store(&a, locked);
    asking_store(&a, NULL);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 2), 4);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_REFUSED);
    cr_assert_str_eq(a.report->runs.items[0].why, NO_PASSWORD);
    cr_assert(a.report->runs.items[1].result == XR_RESULT_DONE);
    cr_assert(asking_entries(&a, 0) == 0 && asking_entries(&a, 1) == 1);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 1);
    give("guessed");
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 1);
    cr_assert_str_eq(a.report->runs.items[0].why, WRONG);
    answering("one", "two", "three");
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 1);
    cr_assert_str_eq(a.report->runs.items[0].why, WRONG);
    cr_assert(answers.asked == 3);
    nothing_said("guessed");
}

Test(quirky, a_locked_store_that_nobody_named_costs_nothing)
{
    char *list = NULL;

    asking_store(&a, locked);
    asking_store(&a, NULL);
    list = xr_format("%s\n%s\n", strchr(a.stores[0], ':') + 1, strchr(a.stores[1], ':') + 1);
    tree_text(a.dir, "stores", list);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 0), 0);
    /* Where Chromium is installed, its database is among the stores. */
    cr_assert(xr_runs_find(&a.report->runs, a.stores[0])->result == XR_RESULT_REFUSED);
    free(list);
}

Test(quirky, taking_back_undoing_and_recovering_have_the_password_too)
{
    asking_store(&a, locked);
    give("open sesame");
    asking_quirk(&a, 0, "verdict", "no");
    a.rq.require_verified = true;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 6);
    cr_assert(asking_entries(&a, 0) == 0);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_BACK);
    a.rq.require_verified = false;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    said(asking_run(&a, XR_VERB_UNDO, NULL, 0), 0);
    cr_assert(asking_entries(&a, 0) == 0);
    a.rq.password = (struct xr_bytes){0};
    said(asking_run(&a, XR_VERB_UNDO, NULL, 0), 1);
}

/* The first of two steps is the last deed of its helper: it goes back, and that needs the password. */
static void leave_half_done(void)
{
    asking_store(&a, locked);
    asking_quirk(&a, 0, "die", "");
    give("open sesame");
    a.also = a.cross;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 1);
    a.also = NULL;
    cr_assert(asking_has(&a, 0, "stale") && asking_entries(&a, 0) == 1);
    asking_unquirk(&a, 0, "shut");
    asking_unquirk(&a, 0, "die");
    a.rq.password = (struct xr_bytes){0};
}

Test(quirky, recover_takes_back_only_what_was_to_be_verified_and_was_not)
{
    asking_store(&a, NULL);
    for (size_t strict = 0; strict < 2; strict++) {
        asking_quirk(&a, 0, "die", "");
        a.rq.require_verified = strict == 1;
        said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 1);
        cr_assert(asking_has(&a, 0, "stale") && asking_entries(&a, 0) == 1);
        asking_unquirk(&a, 0, "shut");
        asking_unquirk(&a, 0, "die");
        a.rq.require_verified = false;
        said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
        cr_assert(a.report->runs.items[0].result ==
                  (strict == 1 ? XR_RESULT_BACK : XR_RESULT_DONE));
        cr_assert(asking_entries(&a, 0) == 1 - strict);
        said(asking_run(&a, XR_VERB_REMOVE, a.cert, 1), 0);
    }
}

Test(quirky, recover_needs_the_password_of_what_it_takes_back)
{
    leave_half_done();
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 1);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_REFUSED);
    cr_assert_str_eq(a.report->runs.items[0].why, NO_PASSWORD);
    cr_assert(asking_entries(&a, 0) == 1);
    answering("wrong", "open sesame", NULL);
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_BACK);
    cr_assert(asking_entries(&a, 0) == 0 && answers.asked == 2);
}

Test(quirky, a_change_leaves_out_what_it_cannot_recover_for_want_of_a_password)
{
    leave_half_done();
    asking_store(&a, NULL);
    said(asking_run(&a, XR_VERB_INSTALL, a.cross, 2), 4);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_REFUSED);
    cr_assert_str_eq(a.report->runs.items[0].why,
                     "an interrupted install must be recovered first: " NO_PASSWORD);
    cr_assert(a.report->runs.items[1].result == XR_RESULT_DONE);
    give("open sesame");
    said(asking_run(&a, XR_VERB_INSTALL, a.cross, 2), 0);
    cr_assert(asking_entries(&a, 0) == 1);
}

Test(quirky, all_or_nothing_takes_locked_stores_back)
{
    asking_store(&a, locked);
    asking_store(&a, NULL);
    asking_quirk(&a, 1, "shut", "");
    give("open sesame");
    a.rq.all_or_nothing = true;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 2), 1);
    cr_assert(a.report->runs.items[0].result == XR_RESULT_BACK);
    cr_assert(asking_entries(&a, 0) == 0);
}

Test(quirky, an_empty_password_is_one_too)
{
    asking_store(&a, locked);
    asking_quirk(&a, 0, "password", "");
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 1);
    give("");
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
}

/* ---- many at once ---- */

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t timed(enum xr_verb verb, const char *operand, size_t count, unsigned parallel)
{
    int64_t start = now_ms();

    a.rq.parallel = parallel;
    said(asking_run(&a, verb, operand, count), 0);
    return now_ms() - start;
}

Test(quirky, slow_stores_are_waited_for_at_the_same_time)
{
    static const char *const slow[] = {"slow", "300", NULL};
    static const enum xr_verb verbs[] = {XR_VERB_LIST, XR_VERB_STORES, XR_VERB_INSTALL,
                                         XR_VERB_VERIFY, XR_VERB_RECOVER};
    static const unsigned openings[] = {1, 1, 3, 2, 2};
    int64_t alone = 0; /* one store after the other, on this machine as busy as it is */

    for (size_t i = 0; i < 8; i++)
        asking_store(&a, slow);
    alone = timed(XR_VERB_LIST, NULL, 8, 1);
    cr_assert(alone >= 8 * 300, "one at a time is one at a time");
    for (size_t i = 0; i < 5; i++) {
        bool files = verbs[i] == XR_VERB_INSTALL || verbs[i] == XR_VERB_VERIFY;
        int64_t took = timed(verbs[i], files ? a.cert : NULL, 8, 8);

        cr_assert(took < openings[i] * alone / 2, "%s: %lld ms, and %lld ms one by one",
                  xr_verb_name(verbs[i]), (long long)took, (long long)alone);
    }
}

/* A mixed lot: what one does must not show in another's report. */
static void mixed_stores(void)
{
    static const char *const quirks[][4] = {
        {"running", "", NULL, NULL},   {"stale", "", "verdict", "no"},   {"broken", "", NULL, NULL},
        {"password", "x", NULL, NULL}, {"verdict", "crash", NULL, NULL}, {"shut", "", NULL, NULL}};

    for (size_t i = 0; i < 36; i++) {
        const char *pairs[] = {quirks[i % 6][0], quirks[i % 6][1], quirks[i % 6][2],
                               quirks[i % 6][3], NULL};

        asking_store(&a, pairs);
    }
}

/* With what differs from run to run put out: the transaction, the directory. */
static char *normal(char *text)
{
    for (char *at = text; (at = strstr(at, "xr-asking.")) != NULL;)
        memset(at, '_', strcspn(at, "/"));
    for (char *at = text; (at = strstr(at, "\"transaction\": \"")) != NULL; at += 17)
        memset(at + 16, '_', XR_JOURNAL_ID_LEN);
    return text;
}

Test(quirky, many_at_once_report_what_one_after_the_other_does)
{
    static const enum xr_verb verbs[] = {XR_VERB_VERIFY, XR_VERB_INSTALL, XR_VERB_VERIFY,
                                         XR_VERB_LIST,   XR_VERB_UNDO,    XR_VERB_STORES};
    char *first[6] = {NULL};
    struct asking kept = a;

    for (unsigned turn = 0; turn < 2; turn++) {
        if (turn == 1) { /* the same certificates */
            size_t len = 0;
            char *pem = tree_read(&len, kept.dir, "root.pem");

            asking_begin(&a);
            tree_write(a.dir, "root.pem", pem, len, 0644);
            free(pem);
        }
        mixed_stores();
        a.rq.parallel = turn == 0 ? 1 : 16;
        for (size_t i = 0; i < 6; i++) {
            bool undo = verbs[i] == XR_VERB_UNDO;
            bool files = verbs[i] == XR_VERB_INSTALL || verbs[i] == XR_VERB_VERIFY;
            char *text = NULL;

            (void)asking_run(&a, verbs[i], files ? a.cert : NULL, undo ? 0 : 36);
            text = normal(asking_json(&a));
            if (turn == 0)
                first[i] = text;
            else
                cr_assert_str_eq(text, first[i]);
            if (turn == 1) {
                free(text);
                free(first[i]);
            }
        }
        if (turn == 0)
            kept = a;
    }
    asking_end(&kept);
}

Test(quirky, all_or_nothing_takes_back_what_went_on_beside_the_failure)
{
    static const char *const slow[] = {"slow", "100", NULL};

    for (size_t i = 0; i < 8; i++)
        asking_store(&a, slow);
    asking_quirk(&a, 3, "shut", "");
    a.rq.all_or_nothing = true;
    a.rq.parallel = 8;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 8), 1);
    for (size_t i = 0; i < 8; i++) {
        enum xr_result result = a.report->runs.items[i].result;

        cr_assert(result == (i == 3 ? XR_RESULT_FAILED : XR_RESULT_BACK) ||
                  (i != 3 && result == XR_RESULT_NOT_ASKED));
        cr_assert(asking_entries(&a, i) == 0);
    }
}

static bool stop_after_some(void *ctx)
{
    return ++*(size_t *)ctx > 40;
}

Test(quirky, an_interruption_ends_what_has_not_begun_and_leaves_nothing_half)
{
    size_t asked = 0, done = 0;

    for (size_t i = 0; i < 32; i++)
        asking_store(&a, NULL);
    a.rq.interrupted = stop_after_some;
    a.rq.ctx = &asked;
    a.rq.parallel = 4;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 32), XR_EXIT_INTERRUPTED);
    for (size_t i = 0; i < 32; i++) {
        const struct xr_run *run = &a.report->runs.items[i];

        done += run->result == XR_RESULT_DONE;
        cr_assert(asking_entries(&a, i) == (run->result == XR_RESULT_DONE ? 1 : 0));
        cr_assert(run->result == XR_RESULT_DONE || strcmp(run->why, "interrupted") == 0);
    }
    cr_assert(done > 0 && done < 32, "%zu", done);
    a.rq.interrupted = NULL;
    said(asking_run(&a, XR_VERB_RECOVER, NULL, 0), 0);
    said(asking_run(&a, XR_VERB_UNDO, NULL, 0), 0);
    for (size_t i = 0; i < 32; i++)
        cr_assert(asking_entries(&a, i) == 0);
}

struct telling {
    size_t calls, last, total, overs;
    bool odd;
};

static void tell(void *ctx, size_t done, size_t total, const char *store)
{
    struct telling *telling = ctx;

    telling->odd = telling->odd || done > total || total != 5 || (store == NULL) != (done == total);
    telling->odd = telling->odd || (done < telling->last && telling->overs == 0);
    telling->last = store != NULL ? done : 0;
    telling->overs += store == NULL;
    telling->calls++;
}

Test(quirky, how_far_it_is_is_told_for_every_store)
{
    struct telling telling = {0};

    for (size_t i = 0; i < 5; i++)
        asking_store(&a, NULL);
    a.rq.progress = tell;
    a.rq.ctx = &telling;
    a.rq.parallel = 3;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 5), 0);
    /* the survey, the change */
    cr_assert(!telling.odd && telling.overs == 2 && telling.calls == 2 * 6, "%zu calls",
              telling.calls);
}

/* ---- what is printed of many ---- */

static void has_line(const char *line)
{
    char *text = asking_text(&a, false);

    cr_assert(strstr(text, line) != NULL, "%s", text);
    free(text);
}

Test(quirky, many_stores_are_told_as_few_are_and_a_last_line_counts_them)
{
    char *text = NULL, *want = NULL, *one = NULL;
    char hex[2 * XR_SHA256_LEN + 1];

    asking_store(&a, NULL);
    asking_store(&a, NULL);
    a.rq.dry_run = true;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 2), 0);
    text = asking_text(&a, false);
    cr_assert(strstr(text, "stores:") == NULL, "two are not many: %s", text);
    free(text);
    asking_store(&a, NULL);
    asking_quirk(&a, 1, "broken", "");
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 3), 4);
    has_line("3 stores: 2 would-change, 1 failed\n");
    a.rq.dry_run = false;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 3), 4);
    text = asking_text(&a, false);
    xr_hex(hex, a.report->runs.items[0].plan.items[0].subject.id, XR_SHA256_LEN);
    one = xr_format(": done\n  added     anchor        %-44s  %s\n"
                    "  verified: yes (quirky verifier)\n",
                    "Quirky Root", hex);
    want = xr_format("%s%s%s: failed: it is broken\n%s%s"
                     "To take this back: crossroot undo %s\n"
                     "3 stores: 2 done, 1 failed\n"
                     "crossroot: note: no fingerprint was compared (--pin); SHA-256:\n"
                     "  %s  Quirky Root\n",
                     a.stores[0], one, a.stores[1], a.stores[2], one, a.report->transaction, hex);
    free(one);
    cr_assert_str_eq(text, want);
    free(text);
    free(want);
    a.also = a.cross;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 3), 4);
    text = asking_text(&a, false);
    cr_assert(strstr(text, "  as it is  anchor        Quirky Root") != NULL &&
                  strstr(text, "  added     intermediate  Quirky Sub") != NULL,
              "%s", text);
    free(text);
    said(asking_run(&a, XR_VERB_VERIFY, a.cert, 3), 4);
    has_line("6 answers: 4 yes, 2 cannot tell\n");
}
