/* SPDX-License-Identifier: Apache-2.0 */
/* What stores like NSS databases need of the engine, through whole requests. */
#include "asking.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
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

static const char *const plain[] = {"log", "", NULL};

/* ---- a verifier that needs a session of its own ---- */

#define SURVEY  "1 open read, 1 list, 1 close, "
#define WRITING "2 open write, 2 list, 2 swap, 2 list, 2 close"

Test(quirky, a_verifier_is_asked_after_the_writing_session_is_closed)
{
    asking_store(&a, plain);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    logged(0, SURVEY WRITING ", 3 open read, 3 probe, 3 close");
    cr_assert(a.report->runs.items[0].verified);
    cr_assert(a.report->runs.items[0].verdict.answer == XR_YES);
}

Test(quirky, nothing_to_ask_opens_no_session)
{
    asking_store(&a, plain);
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 0);
    asking_quirk(&a, 0, "log", "");
    said(asking_run(&a, XR_VERB_REMOVE, a.cert, 1), 0);
    logged(0, SURVEY WRITING);
}

Test(quirky, a_no_rolls_back_in_a_new_writing_session)
{
    asking_store(&a, plain);
    asking_quirk(&a, 0, "verdict", "no");
    a.rq.require_verified = true;
    said(asking_run(&a, XR_VERB_INSTALL, a.cert, 1), 6);
    logged(0, SURVEY WRITING ", 3 open read, 3 probe, 3 close, "
                             "4 open write, 4 list, 4 swap, 4 list, 4 close");
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
    logged(0, SURVEY "2 open read, 2 probe, 2 close");
    asking_quirk(&a, 0, "log", "");
    a.also = a.cross;
    said(asking_run(&a, XR_VERB_VERIFY, a.cert, 1), 0);
    logged(0, SURVEY "2 open read, 2 probe, 2 probe, 2 close");
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
    logged(0, SURVEY "2 open read, 2 probe, 3 open read, 3 probe");
}

/* ---- what a running program must do ---- */

static void noticed(enum xr_level level, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < a.report->messages.count; i++) {
        const struct xr_message *message = &a.report->messages.items[i];

        if (strstr(message->text, "verified") != NULL || strstr(message->text, "leads to") != NULL)
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
    cr_assert(a.report->messages.count == 0);
    a.rq.dry_run = true;
    asking_quirk(&a, 0, "running", "");
    said(asking_run(&a, XR_VERB_REMOVE, a.cert, 1), 0);
    cr_assert(a.report->messages.count == 0);
}
