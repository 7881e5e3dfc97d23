/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever fails and wherever the process is killed: a store is as it was or as it was to be, and
 * nothing else. Every N is tried until one is not reached any more.
 */
#include "faulty.h"
#include "pki.h"
#include "running.h"
#include "tree.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW INT64_C(1760000000)

/* ---- ground ---- */

enum { OLD, CROSS, NEW, TWIN_A, TWIN_B, TWIN_C, CERTS };
static struct pki_blob certs[CERTS];
static struct xr_registry registry;
static struct xr_loaded faulty;
static char *dir;
static struct xr_error err;

static void issue(size_t at, const char *cn, const struct pki_key *key, size_t issuer,
                  const struct pki_key *issuer_key)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);

    cr_assert(pki_issue(&certs[at], key, issuer == at ? NULL : &certs[issuer],
                        issuer == at ? NULL : issuer_key, &spec) == 0);
}

static void begin(void)
{
    struct pki_key *old = pki_key_new(PKI_EC), *new = pki_key_new(PKI_EC);

    cr_assert(old != NULL && new != NULL);
    issue(OLD, "Faults Old", old, OLD, NULL);
    issue(CROSS, "Faults New", new, OLD, old);
    issue(NEW, "Faults New", new, NEW, NULL);
    issue(TWIN_A, "Faults Twins", old, TWIN_A, NULL);
    issue(TWIN_B, "Faults Twins", new, TWIN_B, NULL);
    issue(TWIN_C, "Faults Twins", new, TWIN_C, NULL);
    pki_key_free(old);
    pki_key_free(new);
    xr_registry_init(&registry);
    cr_assert(xr_registry_find(&registry, "openssl") != NULL);
    faulty_wrap(&faulty, xr_registry_find(&registry, "openssl"));
    dir = tree_new("faults");
}

static void end(void)
{
    for (size_t i = 0; i < CERTS; i++)
        pki_blob_free(&certs[i]);
    xr_registry_free(&registry);
    tree_remove(dir);
    free(dir);
}

TestSuite(faults, .init = begin, .fini = end);

static struct xr_bytes der(size_t cert)
{
    return (struct xr_bytes){certs[cert].data, certs[cert].len};
}

struct wanted {
    enum xr_wish_kind what;
    size_t cert;
};

/* One command over PLACE/store with its journal in PLACE/state; false if it never got to apply. */
static bool command(struct running *r, const char *place, const struct wanted *wanted, size_t count)
{
    char *store = tree_path(place, "store"), *state = tree_path(place, "state");
    bool good = false;

    running_begin(r, &faulty, store, NULL);
    for (size_t i = 0; i < count; i++)
        running_wish(r, wanted[i].what, der(wanted[i].cert));
    good = running_survey(r) == XR_OK && running_apply(r, state) == XR_OK;
    free(store);
    free(state);
    return good;
}

static void must(const char *place, const struct wanted *wanted, size_t count)
{
    struct running r;

    cr_assert(command(&r, place, wanted, count) && r.run.result == XR_RESULT_DONE && !r.run.warned,
              "%s: %s", xr_result_name(r.run.result), r.run.why ? r.run.why : r.err.text);
    running_end(&r);
}

static bool flush_once(const char *place)
{
    struct xr_store store = {0};
    const struct xr_site site = {.size = sizeof(site)};
    char *path = tree_path(place, "store");
    bool good = xr_store_open(&store, &faulty, &site, path, XR_WRITE, NULL, &err) == XR_OK &&
                xr_store_flush(&store, &err) == XR_OK;

    xr_store_close(&store);
    free(path);
    return good;
}

/* The store and whatever is beside it, without the journal. */
static char *image_of(const char *place)
{
    char *state = tree_path(place, "state"), *image = NULL;

    tree_remove(state);
    free(state);
    image = tree_image(place, false);
    return image;
}

/* ---- scenes ---- */

static void put_pem(const char *at, const char *name, size_t cert)
{
    size_t len = 0;
    char *text = xr_host.pem("CERTIFICATE", der(cert), &len);

    tree_write(at, name, text, len, 0644);
    free(text);
}

static void foreign_store(const char *place)
{
    char *store = tree_path(place, "store"), *anchors = NULL;
    uint32_t hash = 0;
    struct xr_slices slices = {.size = sizeof(slices)};
    char link[32];

    tree_dir(place, "store");
    tree_dir(store, "anchors");
    anchors = tree_path(store, "anchors");
    put_pem(anchors, "new root.crt", NEW);
    cr_assert(xr_host.slices(&slices, der(NEW), NULL) == XR_OK &&
              xr_host.name_hash(&hash, slices.subject, NULL) == XR_OK);
    (void)snprintf(link, sizeof(link), "%08x.0", (unsigned)hash);
    tree_link(anchors, link, "new root.crt");
    put_pem(anchors, "old.pem.disabled", OLD); /* without a link: nothing, and stays nothing */
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
    must(place, first, 1);
}

static void all_of_ours(const char *place)
{
    static const struct wanted first[] = {{XR_WISH_INSTALL, TWIN_A},
                                          {XR_WISH_INSTALL, TWIN_B},
                                          {XR_WISH_INSTALL, CROSS},
                                          {XR_WISH_INSTALL, TWIN_C}};

    foreign_store(place);
    must(place, first, 4);
}

static void only_ours(const char *place)
{
    static const struct wanted first[] = {{XR_WISH_INSTALL, TWIN_A}, {XR_WISH_INSTALL, CROSS}};

    must(place, first, 2);
}

static const struct scene {
    const char *name;
    void (*prepare)(const char *place);
    struct wanted wanted[4];
    size_t count;
} scenes[] = {
    {"three into a store that is somebody's",
     some_of_ours,
     {{XR_WISH_INSTALL, OLD}, {XR_WISH_INSTALL, CROSS}, {XR_WISH_INSTALL, TWIN_B}},
     3},
    {"three into no store",
     no_store,
     {{XR_WISH_INSTALL, OLD}, {XR_WISH_INSTALL, CROSS}, {XR_WISH_INSTALL, TWIN_B}},
     3},
    {"all of ours removed from somebody's store",
     all_of_ours,
     {{XR_WISH_REMOVE, TWIN_A},
      {XR_WISH_REMOVE, TWIN_B},
      {XR_WISH_REMOVE, CROSS},
      {XR_WISH_REMOVE, TWIN_C}},
     4},
    {"the last of ours removed", only_ours, {{XR_WISH_REMOVE, TWIN_A}, {XR_WISH_REMOVE, CROSS}}, 2},
    {"a foreign one and one of ours distrusted, another removed",
     all_of_ours,
     {{XR_WISH_DISTRUST, NEW}, {XR_WISH_DISTRUST, TWIN_A}, {XR_WISH_REMOVE, TWIN_B}},
     3},
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static const struct {
    const char *name;
    struct fault fault;
} faults[] = {
    {"a call fails", {.kind = FAULT_CALL}},
    {"a call fails after it did its work", {.kind = FAULT_CALL, .after = true}},
    {"all calls fail from one on", {.kind = FAULT_CALL, .lasting = true}},
    {"killed before a call", {.kind = FAULT_CALL, .how = FAULT_KILL}},
    {"killed after a call", {.kind = FAULT_CALL, .how = FAULT_KILL, .after = true}},
    {"a write fails", {.kind = FAULT_WRITE}},
    {"a write fails after it did its work", {.kind = FAULT_WRITE, .after = true}},
    {"the disk is full from a write on", {.kind = FAULT_WRITE, .lasting = true}},
    {"killed before a write", {.kind = FAULT_WRITE, .how = FAULT_KILL}},
    {"killed after a write", {.kind = FAULT_WRITE, .how = FAULT_KILL, .after = true}},
    {"a record is not made durable", {.kind = FAULT_JOURNAL}},
    {"no record is made durable from one on", {.kind = FAULT_JOURNAL, .lasting = true}},
    {"the system fails once", {.kind = FAULT_SYSTEM}},
    {"the system fails from then on", {.kind = FAULT_SYSTEM, .lasting = true}},
    {"killed before a call of the system", {.kind = FAULT_SYSTEM, .how = FAULT_KILL}},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

/* ---- trials ---- */

struct trial {
    const struct scene *scene;
    char *template, *place;
    char *before, *after; /* images */
    struct xr_buf wrong;  /* what was found, one line each */
    size_t wrongs;
};

static void start_trials(struct trial *t, const struct scene *scene)
{
    char *image = NULL;

    *t = (struct trial){.scene = scene};
    tree_dir(dir, "template");
    t->template = tree_path(dir, "template");
    t->place = tree_path(dir, "trial");
    scene->prepare(t->template);
    image = image_of(t->template);
    t->before = image;
    tree_copy(t->place, t->template);
    must(t->place, scene->wanted, scene->count);
    t->after = image_of(t->place);
    tree_remove(t->place);
    cr_assert(strcmp(t->before, t->after) != 0);
}

static void complain(struct trial *t, size_t at, const char *what, const char *detail)
{
    if (t->wrongs++ < 6)
        xr_buf_fmt(&t->wrong, "at %zu: %s%s%s\n", at, what, detail ? ": " : "",
                   detail ? detail : "");
}

/* Lines that only one of two images has. */
static char *difference(const char *a, const char *b)
{
    struct xr_buf out = {0};
    const char *sides[] = {a, b, a};

    xr_buf_str(&out, "");
    for (size_t side = 0; side < 2; side++) {
        for (const char *at = sides[side]; *at != '\0';) {
            size_t len = strcspn(at, "\n");
            char *line = xr_memdup(at, len);

            if (strstr(sides[side + 1], line) == NULL && out.len < 4000)
                xr_buf_fmt(&out, "\n    %c %.120s", side ? '+' : '-', line);
            free(line);
            at += len + (at[len] == '\n');
        }
    }
    return out.data != NULL ? out.data : xr_strdup("");
}

static void expect_image(struct trial *t, size_t at, bool old_is_fine, bool new_is_fine,
                         const char *what)
{
    char *image = image_of(t->place);

    if (!(old_is_fine && strcmp(image, t->before) == 0) &&
        !(new_is_fine && strcmp(image, t->after) == 0)) {
        /* Against the nearer of what would be fine. */
        char *from_old = difference(t->before, image), *from_new = difference(t->after, image);
        bool near_old = !new_is_fine || (old_is_fine && strlen(from_old) <= strlen(from_new));
        char *shown = xr_strdup(near_old ? from_old : from_new);

        complain(t, at, what, shown);
        free(shown);
        free(from_old);
        free(from_new);
    }
    free(image);
}

/* What the journal's last transaction says of the store, once it is read again. */
static enum xr_stage stage_of(const char *place)
{
    char *state = tree_path(place, "state");
    struct xr_journal journal;
    enum xr_stage stage = XR_STAGE_BACK;

    if (xr_journal_read(&journal, state, &err) == XR_OK && journal.count > 0 &&
        journal.items[journal.count - 1].count > 0)
        stage = journal.items[journal.count - 1].items[0].stage;
    xr_journal_close(&journal);
    free(state);
    return stage;
}

/* Recovers what is pending; the faults are over. With a yes, trust may come back that was about to
 * go. */
static void recover_with(struct trial *t, size_t at, size_t *count, bool yes)
{
    char *store = tree_path(t->place, "store"), *state = tree_path(t->place, "state");
    struct running r;

    running_begin(&r, &faulty, store, NULL);
    r.txn.widening_allowed = yes;
    if (!running_recover(&r, state, count))
        complain(t, at, "not recovered", r.err.text);
    running_end(&r);
    free(store);
    free(state);
}

static void recover(struct trial *t, size_t at, size_t *count)
{
    recover_with(t, at, count, false);
}

/* True if the fault was reached. */
static bool failing_trial(struct trial *t, struct fault what)
{
    struct running r;
    size_t pending = 0;
    bool reached = false, warned = false;
    enum xr_result result = XR_RESULT_SKIPPED;
    enum xr_stage stage = XR_STAGE_PENDING;
    char *why = NULL;

    fault_arm(what);
    (void)command(&r, t->place, t->scene->wanted, t->scene->count);
    reached = fault_disarm();
    result = r.run.result;
    warned = r.run.warned;
    why = xr_format("%s%s%s", xr_result_name(result), r.run.why ? ", " : "",
                    r.run.why ? r.run.why : "");
    running_end(&r);
    if (!reached) {
        if (result != XR_RESULT_DONE)
            complain(t, what.at, "no fault, and yet", why);
        free(why);
        return false;
    }
    recover(t, what.at, &pending);
    stage = stage_of(t->place);
    /* Where everything failed, the next command tidies. */
    if (what.kind == FAULT_SYSTEM && what.lasting && !flush_once(t->place))
        complain(t, what.at, "the next flush fails", err.text);
    if (result == XR_RESULT_DONE) {
        if (pending > 0 || stage != XR_STAGE_DONE)
            complain(t, what.at, "done, and the journal says otherwise", NULL);
        /* What is in effect but not finished is said, and finished by the next command. */
        if (warned && !flush_once(t->place))
            complain(t, what.at, "the next flush fails", err.text);
        expect_image(t, what.at, false, true, "done, but not all of it is there");
    } else {
        char *text =
            xr_format("%s%s, the journal says %s, and the store is not so", why,
                      pending ? ", recovered" : "", stage == XR_STAGE_DONE ? "done" : "back");

        if (result != XR_RESULT_FAILED && pending > 0)
            complain(t, what.at, "called put back, and yet pending", why);
        expect_image(t, what.at, stage != XR_STAGE_DONE, stage == XR_STAGE_DONE, text);
        free(text);
    }
    free(why);
    return true;
}

static bool killed_trial(struct trial *t, struct fault what)
{
    enum xr_stage stage = XR_STAGE_PENDING;
    size_t pending = 0;
    int state = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct running r;

        fault_arm(what);
        (void)command(&r, t->place, t->scene->wanted, t->scene->count);
        _exit(fault_disarm() ? 1 : 0);
    }
    cr_assert(pid > 0 && waitpid(pid, &state, 0) == pid);
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return false;
    cr_assert(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL, "%x", (unsigned)state);
    recover(t, what.at, &pending);
    stage = stage_of(t->place);
    expect_image(t, what.at, stage != XR_STAGE_DONE, stage == XR_STAGE_DONE,
                 pending > 0 ? "recovered, and neither old nor new" : "neither old nor new");
    return true;
}

static void finish_trials(struct trial *t, const char *name)
{
    char *wrong = t->wrong.data;
    size_t wrongs = t->wrongs;

    free(t->template);
    free(t->place);
    free(t->before);
    free(t->after);
    if (wrongs > 0)
        cr_log_error("%s, %s: %zu wrong\n%s", t->scene->name, name, wrongs, wrong);
    free(wrong);
    cr_assert(wrongs == 0, "%s, %s", t->scene->name, name);
}

static struct criterion_test_params indexes(size_t count);

ParameterizedTestParameters(faults, every)
{
    return indexes(SCENES * FAULTS);
}

ParameterizedTest(size_t *index, faults, every)
{
    size_t scene = *index / FAULTS, kind = *index % FAULTS;
    struct trial t;
    size_t reached = 0;

    start_trials(&t, &scenes[scene]);
    for (bool more = true; more && reached < 2000;) {
        struct fault what = faults[kind].fault;

        what.at = reached + 1;
        tree_copy(t.place, t.template);
        more = what.how == FAULT_KILL ? killed_trial(&t, what) : failing_trial(&t, what);
        tree_remove(t.place);
        reached += more;
    }
    /* A removal may need no write at all. */
    cr_assert((reached > 2 || faults[kind].fault.kind == FAULT_WRITE) && reached < 2000,
              "%zu were reached", reached);
    finish_trials(&t, faults[kind].name);
}

static void free_indexes(struct criterion_test_params *params)
{
    cr_free(params->params);
}

static struct criterion_test_params indexes(size_t count)
{
    size_t *numbers = cr_malloc(count * sizeof(*numbers));

    for (size_t i = 0; i < count; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, count, free_indexes);
}

/* ---- killed again while recovering ---- */

ParameterizedTestParameters(faults, again)
{
    return indexes(SCENES);
}

ParameterizedTest(size_t *index, faults, again)
{
    struct trial t;

    start_trials(&t, &scenes[*index]);
    /* Some places of the first death; every place of the second. */
    for (size_t first = 9; first < 60; first += 13) {
        bool more = true;

        for (size_t second = 1; more && second < 400; second++) {
            const struct fault one = {.kind = FAULT_SYSTEM, .how = FAULT_KILL, .at = first};
            const struct fault two = {.kind = FAULT_SYSTEM, .how = FAULT_KILL, .at = second};
            size_t pending = 0;
            int state = 0;
            pid_t pid = 0;

            tree_copy(t.place, t.template);
            for (int death = 0; death < 2; death++) {
                pid = fork();
                if (pid == 0) {
                    struct running r;

                    fault_arm(death == 0 ? one : two);
                    if (death == 0)
                        (void)command(&r, t.place, t.scene->wanted, t.scene->count);
                    else
                        recover(&t, 0, &pending);
                    _exit(0);
                }
                cr_assert(pid > 0 && waitpid(pid, &state, 0) == pid);
            }
            more = WIFSIGNALED(state);
            recover(&t, first * 1000 + second, &pending);
            expect_image(&t, first * 1000 + second, true, true, "neither old nor new");
            tree_remove(t.place);
        }
    }
    finish_trials(&t, "killed, and killed while recovering");
}

/* ---- single promises of a transaction ---- */

Test(faults, a_write_that_says_it_was_done_and_was_not_is_found)
{
    static const struct wanted one[] = {{XR_WISH_INSTALL, OLD}};
    char *place = NULL;

    tree_dir(dir, "place");
    place = tree_path(dir, "place");
    some_of_ours(place);
    for (size_t at = 1; at <= 2; at++) {
        struct running r;
        bool reached = false;

        fault_arm((struct fault){.kind = FAULT_WRITE, .how = FAULT_LIE, .at = at});
        cr_assert(command(&r, place, one, 1));
        reached = fault_disarm();
        if (r.run.result == XR_RESULT_DONE) {
            /* Done is said only of what a new reader sees too. */
            struct running again;
            struct xr_subject subject = r.wishes.items[0].subject;
            char *store = tree_path(place, "store");

            running_begin(&again, &faulty, store, NULL);
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

    tree_dir(dir, "store");
    faulty_unwritable();
    cr_assert(command(&r, dir, one, 1));
    cr_assert(r.run.result == XR_RESULT_FAILED || r.run.result == XR_RESULT_REFUSED, "%s",
              xr_result_name(r.run.result));
    cr_assert(r.run.why != NULL);
    running_end(&r);
}

/* Plans, lets somebody else act, then applies. */
static void with_somebody(struct running *r, const struct wanted *mine, size_t count,
                          const struct wanted *theirs)
{
    char *store = tree_path(dir, "store"), *state = tree_path(dir, "state");

    running_begin(r, &faulty, store, NULL);
    for (size_t i = 0; i < count; i++)
        running_wish(r, mine[i].what, der(mine[i].cert));
    cr_assert(running_survey(r) == XR_OK);
    must(dir, theirs, 1);
    cr_assert(running_apply(r, state) == XR_OK);
    free(store);
    free(state);
}

static bool holds(size_t cert)
{
    char *store = tree_path(dir, "store");
    struct running r;
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};
    bool there = false;

    xr_host.sha256(subject.id, der(cert));
    running_begin(&r, &faulty, store, NULL);
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

    some_of_ours(dir);
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

    some_of_ours(dir);
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

    all_of_ours(dir);
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
        char *place = xr_format("%s/%zu", dir, i), *name = xr_format("%zu", i);

        tree_dir(dir, name);
        all_of_ours(place);
        must(place, gone, 3);
        free(place);
        free(name);
    }
}

Test(faults, what_somebody_changed_after_a_crash_stays_theirs)
{
    static const struct wanted mine[] = {{XR_WISH_DISTRUST, TWIN_A}, {XR_WISH_INSTALL, OLD}};
    static const struct wanted theirs[] = {{XR_WISH_REMOVE, CROSS}};
    struct trial t = {.place = dir};
    struct fault what = {.kind = FAULT_CALL, .how = FAULT_KILL, .at = 2};
    size_t pending = 0;
    int state = 0;
    pid_t pid = 0;

    all_of_ours(dir);
    pid = fork();
    if (pid == 0) {
        struct running r;

        fault_arm(what);
        (void)command(&r, dir, mine, 2);
        _exit(0);
    }
    cr_assert(waitpid(pid, &state, 0) == pid && WIFSIGNALED(state));
    must(dir, theirs, 1);
    /* Back gives TWIN_A its trust again, on gives OLD some: nobody said yes to either. */
    recover(&t, 0, &pending);
    cr_assert(t.wrongs == 1 && pending == 1);
    cr_assert(holds(TWIN_A) && !holds(OLD) && !holds(CROSS));
    t.wrongs = 0;
    xr_buf_free(&t.wrong);
    recover_with(&t, 0, &pending, true);
    cr_assert(t.wrongs == 0, "%s", t.wrong.data);
    cr_assert(pending == 1);
    cr_assert(holds(TWIN_A) && !holds(OLD) && !holds(CROSS));
    xr_buf_free(&t.wrong);
}
