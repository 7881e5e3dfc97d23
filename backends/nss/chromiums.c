/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of Chromium's family uses a database, and what else each reads: managed policies, and the file
 * ServerCertificate of each profile. Which ones use it follows from where it lies: in a home, those
 * with settings there (Chromium itself if there are none); in a snap or flatpak, what is in it.
 * Only Chromium was measured; the others are called to be as it is.
 */
#include "chromium/chromium.h"
#include "homes/browsers.h"
#include "opinions.h"
#include "policy/policy.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

/* Does path begin with dir and go on below it? Then the rest after the slash, else NULL. */
static const char *below(const char *path, const char *dir)
{
    size_t len = dir != NULL ? strlen(dir) : 0;

    while (len > 0 && dir[len - 1] == '/')
        len--;
    return len > 0 && strncmp(path, dir, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* Of settings such as "snap/brave/current/.config/…" the directory that is the box: "snap/brave". */
static size_t box_len(const char *settings)
{
    const char *slash = strchr(settings, '/');

    if (slash != NULL && strncmp(settings, ".var/app/", strlen(".var/app/")) == 0)
        slash = strchr(slash + 1, '/');
    slash = slash != NULL ? strchr(slash + 1, '/') : NULL;
    return slash != NULL ? (size_t)(slash - settings) : strlen(settings);
}

static bool uses(const struct nss_opinions *o, const struct nss_chromium *program, const char *path,
                 const char *home)
{
    const char *rest = below(path, home), *data = below(path, o->data_home);
    size_t len = box_len(program->settings);

    if (program->in_home)
        return rest != NULL && strncmp(rest, program->settings, len) == 0 && rest[len] == '/';
    return (rest != NULL &&
            (strcmp(rest, ".pki/nssdb") == 0 || strcmp(rest, ".local/share/pki/nssdb") == 0)) ||
           (data != NULL && strcmp(data, "pki/nssdb") == 0);
}

/* A program takes the first of two places that is a directory (places.c): is that another one? home is
 * what the program takes for its home. */
static bool passed_over(const struct nss_tree *tree, const char *path, const char *home)
{
    char *first = xr_format("%s/.pki/nssdb", home);
    struct nss_place place = {0};
    bool over = strcmp(first, path) != 0 && nss_place_find(&place, tree, first, NULL) == XR_OK &&
                place.there && S_ISDIR(place.st.st_mode) && strcmp(place.path, path) != 0;

    nss_place_free(&place);
    free(first);
    return over;
}

/* ---- what a browser knows ---- */

/* By index in policy_products. */
struct nss_policies {
    bool loaded;
    struct policy_view view;
};

static size_t products(void)
{
    size_t count = 0;

    while (policy_products[count].name != NULL)
        count++;
    return count;
}

/* NULL: where that program looks for policies is not known. */
static const struct policy_view *policies_of(struct nss_opinions *o, const char *program)
{
    struct nss_policies *one = NULL;
    struct xr_error err = {0};
    size_t at = 0;

    while (policy_products[at].name != NULL && (policy_products[at].family != POLICY_CHROMIUM ||
                                                strcmp(policy_products[at].title, program) != 0))
        at++;
    if (policy_products[at].name == NULL)
        return NULL;
    if (o->policies == NULL)
        o->policies = xr_new(products(), sizeof(*o->policies));
    one = &o->policies[at];
    if (!one->loaded && policy_load(&one->view, o->root, policy_products[at].path, &err) != XR_OK) {
        one->view.incomplete = true;
        xr_strings_add(&one->view.problems, err.text);
    }
    one->loaded = true;
    return &one->view;
}

static void add_policies(struct nss_reader *to, const struct policy_view *view)
{
    if (view == NULL)
        return;
    for (size_t i = 0; i < view->count; i++)
        *XR_PUSH(&to->more) = view->items[i];
    to->platform_file = view->platform_off ? view->platform_file : NULL;
    if (view->incomplete)
        to->unread = view->problems.count > 0 ? view->problems.items[0] : N_("a policy is unclear");
}

static void add_profile(struct nss_reader *to, const struct chromium_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        *XR_PUSH(&to->more) = view->items[i];
        if (view->rows[i].peer)
            to->more.items[to->more.count - 1].trust = XR_BROWSER_PEER;
    }
    if (view->incomplete)
        to->unread = view->problem;
}

static struct nss_reader *add_reader(struct nss_opinions *o, const struct nss_chromium *program,
                                     const char *profile)
{
    struct nss_reader *one = XR_PUSH(&o->chromiums);

    one->program = program->name;
    (void)snprintf(one->profile, sizeof(one->profile), "%s", profile);
    add_policies(one, program->in_home ? NULL : policies_of(o, program->name));
    return one;
}

/* ---- profiles ---- */

static struct chromium_view *load_profile(struct nss_opinions *o, const struct xr_host *host,
                                          const struct nss_tree *tree, const char *path)
{
    struct chromium_view *view = xr_new(1, sizeof(*view));
    struct nss_place place = {0};
    struct xr_error err = {0};
    int dir = nss_place_find(&place, tree, path, &err) == XR_OK && place.there
                  ? nss_place_dir(tree, &place)
                  : -1;

    if (dir >= 0 && chromium_load(view, host, dir, path, &err) != XR_OK) {
        view->there = view->incomplete = true;
        (void)snprintf(view->problem, sizeof(view->problem), "%.255s", err.text);
    }
    if (dir >= 0)
        (void)close(dir);
    nss_place_free(&place);
    *XR_PUSH(&o->profiles) = view;
    return view;
}

/* One reader for each profile with certificates of its own, and one for all others. */
static void load_program(struct nss_opinions *o, const struct xr_host *host,
                         const struct nss_tree *tree, const struct nss_chromium *program,
                         const struct browser_profiles *profiles)
{
    bool plain = profiles->count == 0;

    for (size_t i = 0; i < profiles->count; i++) {
        struct chromium_view *view = load_profile(o, host, tree, profiles->items[i].path);

        if (view->there && (view->count > 0 || view->incomplete))
            add_profile(add_reader(o, program, profiles->items[i].name), view);
        else
            plain = true;
    }
    if (plain)
        (void)add_reader(o, program, "");
}

/* unsure: not every profile of it could be found. */
typedef void (*program_fn)(void *ctx, const struct nss_tree *tree,
                           const struct nss_chromium *program,
                           const struct browser_profiles *profiles, bool unsure);

/* Every program with profiles that uses the database; if there is none, the usual one. */
static void each_program(const struct nss_opinions *o, program_fn visit, void *ctx)
{
    const char *path = o->root != NULL ? below(o->path, o->root) : NULL;
    char *own = path != NULL ? xr_format("/%s", path) : xr_strdup(o->path);
    char *within = nss_chromium_home(own);
    const char *home = o->home != NULL && below(own, o->home) != NULL ? o->home : within;
    struct nss_tree tree = {0};
    const struct browser_profiles none = {0};
    const struct nss_chromium *usual = NULL;
    size_t visited = 0;

    if (home == NULL && below(own, o->data_home) != NULL)
        home = o->home;
    if (home == NULL || nss_tree_open(&tree, o->root, home, NULL) != XR_OK)
        goto out;
    if (passed_over(&tree, own, within != NULL ? within : home))
        goto close;
    for (const struct nss_chromium *program = nss_chromiums; program->settings != NULL; program++) {
        struct browser_profiles profiles = {0};
        enum xr_status status = XR_OK;

        if (!uses(o, program, own, home))
            continue;
        if (usual == NULL)
            usual = program;
        status = browser_profiles(&profiles, &tree, o->config_home, program, NULL);
        if (status != XR_OK || profiles.count > 0) {
            visit(ctx, &tree, program, &profiles, status != XR_OK);
            visited++;
        }
        browser_profiles_free(&profiles);
    }
    if (usual != NULL && visited == 0)
        visit(ctx, &tree, usual, &none, false);
close:
    nss_tree_close(&tree);
out:
    free(within);
    free(own);
}

struct loading {
    struct nss_opinions *o;
    const struct xr_host *host;
};

static void load_visited(void *ctx, const struct nss_tree *tree, const struct nss_chromium *program,
                         const struct browser_profiles *profiles, bool unsure)
{
    const struct loading *l = ctx;

    load_program(l->o, l->host, tree, program, profiles);
    if (unsure)
        add_reader(l->o, program, "others")->unread = N_("not every profile of it could be found");
}

void nss_chromiums_load(struct nss_opinions *o, const struct xr_host *host)
{
    struct loading l = {o, host};

    each_program(o, load_visited, &l);
}

/* ---- whom it serves ---- */

static const char *word_of(char memory[64], const char *program)
{
    size_t len = strcspn(program, " ");

    for (const struct policy_product *p = policy_products; p->name != NULL; p++) {
        if (strcmp(p->title, program) == 0)
            return p->name;
    }
    for (size_t i = 0; i < len && i < 63; i++)
        memory[i] = (char)tolower((unsigned char)program[i]);
    memory[len < 63 ? len : 63] = '\0';
    return memory;
}

void nss_serve(char out[128], const char *program, const char *tail)
{
    char memory[64], word[80];
    size_t len = strlen(out), more = 0;

    (void)snprintf(word, sizeof(word), "%s%s", word_of(memory, program), tail);
    more = strlen(word);
    for (const char *at = strstr(out, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == out || at[-1] == ' ') && (at[more] == ' ' || at[more] == '\0'))
            return;
    }
    if (len + more + 2 <= 128)
        (void)snprintf(out + len, 128 - len, "%s%s", len > 0 ? " " : "", word);
    else
        (void)snprintf(out, 128, "others"); /* nobody must think that these are all */
}

/* Policies of the machine do not reach a packed one. */
static void name_visited(void *ctx, const struct nss_tree *tree, const struct nss_chromium *program,
                         const struct browser_profiles *profiles, bool unsure)
{
    (void)tree;
    (void)profiles;
    (void)unsure;
    nss_serve(ctx, program->name, program->in_home ? "-packed" : "");
}

void nss_chromiums_serve(char out[128], const struct nss_opinions *o)
{
    each_program(o, name_visited, out);
}

void nss_chromiums_free(struct nss_opinions *o)
{
    for (size_t i = 0; i < o->chromiums.count; i++)
        free(o->chromiums.items[i].more.items);
    free(o->chromiums.items);
    for (size_t i = 0; i < o->profiles.count; i++) {
        chromium_view_free(o->profiles.items[i]);
        free(o->profiles.items[i]);
    }
    free(o->profiles.items);
    for (size_t i = 0; o->policies != NULL && i < products(); i++)
        policy_view_free(&o->policies[i].view);
    free(o->policies);
}
