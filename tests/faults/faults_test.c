/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in a directory of OpenSSL's layout, and single promises of a transaction. */
#include "tree.h"
#include "trials.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void begin(void)
{
    trials_begin();
    trials_use("openssl");
}

TestSuite(faults, .init = begin, .fini = trials_end);

/* ---- scenes ---- */

static void foreign_store(const char *place)
{
    char *store = tree_path(place, "store"), *anchors = NULL;
    uint32_t hash = 0;
    struct xr_slices slices = {.size = sizeof(slices)};
    char link[32];

    tree_dir(place, "store");
    tree_dir(store, "anchors");
    anchors = tree_path(store, "anchors");
    trials_put_pem(anchors, "new root.crt", NEW);
    cr_assert(xr_host.slices(&slices, trials_der(NEW), NULL) == XR_OK &&
              xr_host.name_hash(&hash, slices.subject, NULL) == XR_OK);
    (void)snprintf(link, sizeof(link), "%08x.0", (unsigned)hash);
    tree_link(anchors, link, "new root.crt");
    trials_put_pem(anchors, "old.pem.disabled",
                   OLD); /* without a link: nothing, and stays nothing */
    tree_text(store, "anchors.pem", "# somebody's own bundle\n");
    tree_text(store, "README", "mine\n");
    free(anchors);
    free(store);
}

static void no_store(const char *place)
{
    (void)place;
}

static void some_of_ours(const char *place)
{
    static const struct wanted first[] = {{XR_WISH_INSTALL, TWIN_A}};

    foreign_store(place);
    trials_must(place, first, 1);
}

static void all_of_ours(const char *place)
{
    static const struct wanted first[] = {{XR_WISH_INSTALL, TWIN_A},
                                          {XR_WISH_INSTALL, TWIN_B},
                                          {XR_WISH_INSTALL, CROSS},
                                          {XR_WISH_INSTALL, TWIN_C}};

    foreign_store(place);
    trials_must(place, first, 4);
}

static void only_ours(const char *place)
{
    static const struct wanted first[] = {{XR_WISH_INSTALL, TWIN_A}, {XR_WISH_INSTALL, CROSS}};

    trials_must(place, first, 2);
}

static const struct scene scenes[] = {
    {"three into a store that is somebody's",
     "openssl",
     some_of_ours,
     {{XR_WISH_INSTALL, OLD}, {XR_WISH_INSTALL, CROSS}, {XR_WISH_INSTALL, TWIN_B}},
     3,
     NULL},
    {"three into no store",
     "openssl",
     no_store,
     {{XR_WISH_INSTALL, OLD}, {XR_WISH_INSTALL, CROSS}, {XR_WISH_INSTALL, TWIN_B}},
     3,
     NULL},
    {"all of ours removed from somebody's store",
     "openssl",
     all_of_ours,
     {{XR_WISH_REMOVE, TWIN_A},
      {XR_WISH_REMOVE, TWIN_B},
      {XR_WISH_REMOVE, CROSS},
      {XR_WISH_REMOVE, TWIN_C}},
     4,
     NULL},
    {"the last of ours removed",
     "openssl",
     only_ours,
     {{XR_WISH_REMOVE, TWIN_A}, {XR_WISH_REMOVE, CROSS}},
     2,
     NULL},
    {"a foreign one and one of ours distrusted, another removed",
     "openssl",
     all_of_ours,
     {{XR_WISH_DISTRUST, NEW}, {XR_WISH_DISTRUST, TWIN_A}, {XR_WISH_REMOVE, TWIN_B}},
     3,
     NULL},
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

ParameterizedTestParameters(faults, every)
{
    return trials_indexes(SCENES * trials_faults);
}

ParameterizedTest(size_t *index, faults, every)
{
    trials_every(&scenes[*index / trials_faults], *index % trials_faults);
}

ParameterizedTestParameters(faults, again)
{
    return trials_indexes(SCENES);
}

ParameterizedTest(size_t *index, faults, again)
{
    trials_again(&scenes[*index]);
}

/* ---- single promises of a transaction ---- */

Test(faults, a_write_that_says_it_was_done_and_was_not_is_found)
{
    static const struct wanted one[] = {{XR_WISH_INSTALL, OLD}};
    char *place = NULL;

    tree_dir(trials_dir, "place");
    place = tree_path(trials_dir, "place");
    some_of_ours(place);
    for (size_t at = 1; at <= 2; at++) {
        struct running r;
        bool reached = false;

        fault_arm((struct fault){.kind = FAULT_WRITE, .how = FAULT_LIE, .at = at});
        cr_assert(trials_command(&r, place, one, 1));
        reached = fault_disarm();
        if (r.run.result == XR_RESULT_DONE) {
            /* Done is said only of what a new reader sees too. */
            struct running again;
            struct xr_subject subject = r.wishes.items[0].subject;
            char *store = tree_path(place, "store");

            running_begin(&again, &trials_backend, store, NULL);
            cr_assert(running_survey(&again) == XR_OK);
            cr_assert(xr_snapshot_find(&again.run.snapshot, &subject) != NULL,
                      "done, but not there (write %zu)", at);
            running_end(&again);
            free(store);
        }
        cr_assert(reached);
        running_end(&r);
    }
    free(place);
}

Test(faults, a_store_that_cannot_be_written_is_not_called_unchanged)
{
    static const struct wanted one[] = {{XR_WISH_INSTALL, OLD}};
    struct running r;

    tree_dir(trials_dir, "store");
    faulty_unwritable();
    cr_assert(trials_command(&r, trials_dir, one, 1));
    cr_assert(r.run.result == XR_RESULT_FAILED || r.run.result == XR_RESULT_REFUSED, "%s",
              xr_result_name(r.run.result));
    cr_assert(r.run.why != NULL);
    running_end(&r);
}

/* Plans, lets somebody else act, then applies. */
static void with_somebody(struct running *r, const struct wanted *mine, size_t count,
                          const struct wanted *theirs)
{
    char *store = tree_path(trials_dir, "store"), *state = tree_path(trials_dir, "state");

    running_begin(r, &trials_backend, store, NULL);
    for (size_t i = 0; i < count; i++)
        running_wish(r, mine[i].what, trials_der(mine[i].cert));
    cr_assert(running_survey(r) == XR_OK);
    trials_must(trials_dir, theirs, 1);
    cr_assert(running_apply(r, state) == XR_OK);
    free(store);
    free(state);
}

static bool holds(size_t cert)
{
    char *store = tree_path(trials_dir, "store");
    struct running r;
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};
    bool there = false;

    xr_host.sha256(subject.id, trials_der(cert));
    running_begin(&r, &trials_backend, store, NULL);
    cr_assert(running_survey(&r) == XR_OK);
    there = xr_snapshot_find(&r.run.snapshot, &subject) != NULL;
    running_end(&r);
    free(store);
    return there;
}

Test(faults, what_somebody_removed_meanwhile_is_not_brought_back_by_a_rollback)
{
    static const struct wanted mine[] = {{XR_WISH_DISTRUST, TWIN_A}, {XR_WISH_INSTALL, OLD}};
    static const struct wanted theirs[] = {{XR_WISH_REMOVE, TWIN_A}};
    struct running r;

    some_of_ours(trials_dir);
    with_somebody(&r, mine, 2, theirs);
    cr_assert(r.run.result == XR_RESULT_CONFLICT, "%s: %s", xr_result_name(r.run.result),
              r.run.why ? r.run.why : "");
    cr_assert(!holds(TWIN_A) && !holds(OLD));
    cr_assert(!xr_journal_pending(&r.journal));
    running_end(&r);
}

Test(faults, a_conflict_in_a_later_step_leaves_the_others_as_they_were)
{
    static const struct wanted mine[] = {{XR_WISH_INSTALL, OLD}, {XR_WISH_REMOVE, TWIN_A}};
    static const struct wanted theirs[] = {{XR_WISH_DISTRUST, TWIN_A}};
    struct running r;

    some_of_ours(trials_dir);
    with_somebody(&r, mine, 2, theirs);
    cr_assert(r.run.result == XR_RESULT_CONFLICT || r.run.result == XR_RESULT_BACK, "%s",
              xr_result_name(r.run.result));
    cr_assert(!holds(OLD) && holds(TWIN_A));
    cr_assert(!xr_journal_pending(&r.journal));
    running_end(&r);
}

Test(faults, what_somebody_did_to_others_of_the_name_is_no_conflict)
{
    static const struct wanted mine[] = {{XR_WISH_REMOVE, TWIN_C}};
    static const struct wanted theirs[] = {{XR_WISH_REMOVE, TWIN_A}};
    struct running r;

    all_of_ours(trials_dir);
    with_somebody(&r, mine, 1, theirs);
    cr_assert(r.run.result == XR_RESULT_DONE, "%s", r.run.why ? r.run.why : "");
    cr_assert(!holds(TWIN_A) && holds(TWIN_B) && !holds(TWIN_C));
    running_end(&r);
}

Test(faults, several_of_one_name_are_removed_by_one_plan_in_any_order)
{
    static const size_t orders[6][3] = {{TWIN_A, TWIN_B, TWIN_C}, {TWIN_A, TWIN_C, TWIN_B},
                                        {TWIN_B, TWIN_A, TWIN_C}, {TWIN_B, TWIN_C, TWIN_A},
                                        {TWIN_C, TWIN_A, TWIN_B}, {TWIN_C, TWIN_B, TWIN_A}};

    for (size_t i = 0; i < 6; i++) {
        const struct wanted gone[] = {{XR_WISH_REMOVE, orders[i][0]},
                                      {XR_WISH_REMOVE, orders[i][1]},
                                      {XR_WISH_REMOVE, orders[i][2]}};
        char *place = xr_format("%s/%zu", trials_dir, i), *name = xr_format("%zu", i);

        tree_dir(trials_dir, name);
        all_of_ours(place);
        trials_must(place, gone, 3);
        free(place);
        free(name);
    }
}

Test(faults, what_somebody_changed_after_a_crash_stays_theirs)
{
    static const struct wanted mine[] = {{XR_WISH_DISTRUST, TWIN_A}, {XR_WISH_INSTALL, OLD}};
    static const struct wanted theirs[] = {{XR_WISH_REMOVE, CROSS}};
    struct trial t = {.place = trials_dir};
    struct fault what = {.kind = FAULT_CALL, .how = FAULT_KILL, .at = 2};
    size_t pending = 0;
    int state = 0;
    pid_t pid = 0;

    all_of_ours(trials_dir);
    pid = fork();
    if (pid == 0) {
        struct running r;

        fault_arm(what);
        (void)trials_command(&r, trials_dir, mine, 2);
        _exit(0);
    }
    cr_assert(waitpid(pid, &state, 0) == pid && WIFSIGNALED(state));
    trials_must(trials_dir, theirs, 1);
    /* Back gives TWIN_A its trust again, on gives OLD some: nobody said yes to either. */
    trials_recover(&t, 0, &pending);
    cr_assert(t.wrongs == 1 && pending == 1);
    cr_assert(holds(TWIN_A) && !holds(OLD) && !holds(CROSS));
    t.wrongs = 0;
    xr_buf_free(&t.wrong);
    trials_recover_with(&t, 0, &pending, true);
    cr_assert(t.wrongs == 0, "%s", t.wrong.data);
    cr_assert(pending == 1);
    cr_assert(holds(TWIN_A) && !holds(OLD) && !holds(CROSS));
    xr_buf_free(&t.wrong);
}
