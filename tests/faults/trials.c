/* SPDX-License-Identifier: Apache-2.0 */
#include "trials.h"

#include "running.h"
#include "tree.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW INT64_C(1760000000)

/* ---- ground ---- */

struct pki_blob trials_certs[CERTS];
static struct xr_registry registry;
struct xr_loaded trials_backend;
char *trials_dir;
struct xr_error trials_err;

static void issue(size_t at, const char *cn, const struct pki_key *key, size_t issuer,
                  const struct pki_key *issuer_key)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);

    cr_assert(pki_issue(&trials_certs[at], key, issuer == at ? NULL : &trials_certs[issuer],
                        issuer == at ? NULL : issuer_key, &spec) == 0);
}

void trials_begin(void)
{
    struct pki_key *old = pki_key_new(PKI_EC), *new = pki_key_new(PKI_EC);
    struct pki_key *shipped = pki_key_new(PKI_EC), *out = pki_key_new(PKI_EC);

    cr_assert(old != NULL && new != NULL &&shipped != NULL &&out != NULL);
    issue(OLD, "Faults Old", old, OLD, NULL);
    issue(CROSS, "Faults New", new, OLD, old);
    issue(NEW, "Faults New", new, NEW, NULL);
    issue(TWIN_A, "Faults Twins", old, TWIN_A, NULL);
    issue(TWIN_B, "Faults Twins", new, TWIN_B, NULL);
    issue(TWIN_C, "Faults Twins", new, TWIN_C, NULL);
    issue(SHIPPED, "Faults Shipped", shipped, SHIPPED, NULL);
    issue(OUT, "Faults Taken Out", out, OUT, NULL);
    pki_key_free(shipped);
    pki_key_free(out);
    pki_key_free(old);
    pki_key_free(new);
    xr_registry_init(&registry);
    trials_dir = tree_new("faults");
}

void trials_use(const char *backend)
{
    cr_assert(xr_registry_find(&registry, backend) != NULL);
    faulty_wrap(&trials_backend, xr_registry_find(&registry, backend));
}

void trials_end(void)
{
    for (size_t i = 0; i < CERTS; i++)
        pki_blob_free(&trials_certs[i]);
    xr_registry_free(&registry);
    tree_remove(trials_dir);
    free(trials_dir);
}

struct xr_bytes trials_der(size_t cert)
{
    return (struct xr_bytes){trials_certs[cert].data, trials_certs[cert].len};
}

/* One command over PLACE/store with its journal in PLACE/state; false if it never got to apply. */
bool trials_command(struct running *r, const char *place, const struct wanted *wanted, size_t count)
{
    char *store = tree_path(place, "store"), *state = tree_path(place, "state");
    bool good = false;

    running_begin(r, &trials_backend, store, NULL);
    for (size_t i = 0; i < count; i++)
        running_wish(r, wanted[i].what, trials_der(wanted[i].cert));
    good = running_survey(r) == XR_OK && running_apply(r, state) == XR_OK;
    free(store);
    free(state);
    return good;
}

void trials_must(const char *place, const struct wanted *wanted, size_t count)
{
    struct running r;

    cr_assert(trials_command(&r, place, wanted, count) && r.run.result == XR_RESULT_DONE &&
                  r.run.notes.count == 0,
              "%s: %s", xr_result_name(r.run.result), r.run.why ? r.run.why : r.err.text);
    running_end(&r);
}

static bool flush_once(const char *place)
{
    struct xr_store store = {0};
    struct xr_subjects leaving = {0}, coming = {0};
    const struct xr_site site = {.size = sizeof(site)};
    char *path = tree_path(place, "store"), *state = tree_path(place, "state");
    char *address = xr_format("%s:%s", trials_backend.table.name, path);
    struct xr_target target = *XR_TARGET(&site, path);
    struct xr_journal journal;
    bool good = xr_journal_read(&journal, state, &trials_err) == XR_OK;

    xr_journal_recall(&leaving, &coming, &journal, address);
    target.leaving = leaving.items;
    target.leaving_count = leaving.count;
    good = good &&
           xr_store_open(&store, &trials_backend, &target, XR_WRITE, NULL, &trials_err) == XR_OK &&
           xr_store_flush(&store, &trials_err) == XR_OK;
    xr_store_close(&store);
    xr_journal_close(&journal);
    xr_subjects_free(&leaving);
    xr_subjects_free(&coming);
    free(address);
    free(state);
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

void trials_put_pem(const char *at, const char *name, size_t cert)
{
    size_t len = 0;
    char *text = xr_host.pem("CERTIFICATE", trials_der(cert), &len);

    tree_write(at, name, text, len, 0644);
    free(text);
}

/* ---- faults ---- */

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
const size_t trials_faults = sizeof(faults) / sizeof(faults[0]);

/* ---- trials ---- */

static char *bundle_of(const struct trial *t, const char *place)
{
    char *store = tree_path(place, "store");
    char *text = t->scene->bundle != NULL ? tree_read(NULL, store, t->scene->bundle) : NULL;

    free(store);
    return text;
}

void trials_start(struct trial *t, const struct scene *scene)
{
    char *image = NULL;

    trials_use(scene->backend);
    *t = (struct trial){.scene = scene};
    tree_dir(trials_dir, "template");
    t->template = tree_path(trials_dir, "template");
    t->place = tree_path(trials_dir, "trial");
    scene->prepare(t->template);
    image = image_of(t->template);
    t->before = image;
    t->old_bundle = bundle_of(t, t->template);
    tree_copy(t->place, t->template);
    trials_must(t->place, scene->wanted, scene->count);
    t->new_bundle = bundle_of(t, t->place);
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

    if (xr_journal_read(&journal, state, &trials_err) == XR_OK && journal.count > 0 &&
        journal.items[journal.count - 1].count > 0)
        stage = journal.items[journal.count - 1].items[0].stage;
    xr_journal_close(&journal);
    free(state);
    return stage;
}

/* Recovers what is pending; the faults are over. With a yes, trust may come back that was about to
 * go. */
void trials_recover_with(struct trial *t, size_t at, size_t *count, bool yes)
{
    char *store = tree_path(t->place, "store"), *state = tree_path(t->place, "state");
    struct running r;

    running_begin(&r, &trials_backend, store, NULL);
    r.txn.widening_allowed = yes;
    if (!running_recover(&r, state, count))
        complain(t, at, "not recovered", r.err.text);
    running_end(&r);
    free(store);
    free(state);
}

void trials_recover(struct trial *t, size_t at, size_t *count)
{
    trials_recover_with(t, at, count, false);
}

/* Whatever happened: a program that reads the bundle now finds a whole one. */
static void expect_bundle(struct trial *t, size_t at)
{
    char *now = bundle_of(t, t->place);

    if (now != NULL && strcmp(now, t->old_bundle) != 0 && strcmp(now, t->new_bundle) != 0)
        complain(t, at, "the bundle is neither the old nor the new one", NULL);
    free(now);
}

/* True if the fault was reached. */
static bool failing_trial(struct trial *t, struct fault what)
{
    struct running r;
    size_t pending = 0;
    bool reached = false, warned = false;
    enum xr_result result = XR_RESULT_NOT_ASKED;
    enum xr_stage stage = XR_STAGE_PENDING;
    char *why = NULL;

    fault_arm(what);
    (void)trials_command(&r, t->place, t->scene->wanted, t->scene->count);
    reached = fault_disarm();
    result = r.run.result;
    warned = r.run.notes.count > 0;
    why = xr_format("%s%s%s", xr_result_name(result), r.run.why ? ", " : "",
                    r.run.why ? r.run.why : "");
    running_end(&r);
    expect_bundle(t, what.at);
    if (!reached) {
        if (result != XR_RESULT_DONE)
            complain(t, what.at, "no fault, and yet", why);
        free(why);
        return false;
    }
    trials_recover(t, what.at, &pending);
    stage = stage_of(t->place);
    /* Where everything failed, the next command tidies. */
    if (what.kind == FAULT_SYSTEM && what.lasting && !flush_once(t->place))
        complain(t, what.at, "the next flush fails", trials_err.text);
    if (result == XR_RESULT_DONE) {
        if (pending > 0 || stage != XR_STAGE_DONE)
            complain(t, what.at, "done, and the journal says otherwise", NULL);
        /* What is in effect but not finished is said, and finished by the next command. */
        if (warned && !flush_once(t->place))
            complain(t, what.at, "the next flush fails", trials_err.text);
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
        (void)trials_command(&r, t->place, t->scene->wanted, t->scene->count);
        _exit(fault_disarm() ? 1 : 0);
    }
    cr_assert(pid > 0 && waitpid(pid, &state, 0) == pid);
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return false;
    cr_assert(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL, "%x", (unsigned)state);
    expect_bundle(t, what.at);
    trials_recover(t, what.at, &pending);
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
    free(t->old_bundle);
    free(t->new_bundle);
    if (wrongs > 0)
        cr_log_error("%s, %s: %zu wrong\n%s", t->scene->name, name, wrongs, wrong);
    free(wrong);
    cr_assert(wrongs == 0, "%s, %s", t->scene->name, name);
}

void trials_every(const struct scene *scene, size_t kind)
{
    struct trial t;
    size_t reached = 0;

    trials_start(&t, scene);
    for (bool more = true; more && reached < 2000;) {
        struct fault what = faults[kind].fault;

        what.at = reached + 1;
        tree_copy(t.place, t.template);
        more = what.how == FAULT_KILL ? killed_trial(&t, what) : failing_trial(&t, what);
        tree_remove(t.place);
        reached += more;
    }
    /* A removal may need no write at all. */
    cr_assert((reached >= 2 || faults[kind].fault.kind == FAULT_WRITE) && reached < 2000,
              "%zu were reached", reached);
    finish_trials(&t, faults[kind].name);
}

static void free_indexes(struct criterion_test_params *params)
{
    cr_free(params->params);
}

struct criterion_test_params trials_indexes(size_t count)
{
    size_t *numbers = cr_malloc(count * sizeof(*numbers));

    for (size_t i = 0; i < count; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, count, free_indexes);
}

/* ---- killed again while recovering ---- */

void trials_again(const struct scene *scene)
{
    struct trial t;

    trials_start(&t, scene);
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
                        (void)trials_command(&r, t.place, t.scene->wanted, t.scene->count);
                    else
                        trials_recover(&t, 0, &pending);
                    _exit(0);
                }
                cr_assert(pid > 0 && waitpid(pid, &state, 0) == pid);
            }
            more = WIFSIGNALED(state);
            trials_recover(&t, first * 1000 + second, &pending);
            expect_image(&t, first * 1000 + second, true, true, "neither old nor new");
            tree_remove(t.place);
        }
    }
    finish_trials(&t, "killed, and killed while recovering");
}
