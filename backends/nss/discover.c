/* SPDX-License-Identifier: Apache-2.0 */
/* Which databases a home holds, in the places of places.h. A profile counts if a profiles.ini or an
 * installs.ini names it, or its group (groups.h); Chromium's database where Chromium looks for it.
 * Nothing else is searched.
 *
 * A file that cannot be read safely (a link of another user, a FIFO, an endless file) does not end
 * the search. Discovery fails with it only after it has emitted everything else, so that the caller
 * knows that the list is not complete. */
#include "groups.h"
#include "homes/browsers.h"
#include "ini.h"
#include "nss.h"
#include "places.h"

#include <stdlib.h>
#include <unistd.h>

#define INI_MAX      ((size_t)1 << 20)
#define PROFILES_MAX 1000u
#define NAME_MAX_LEN 80u
#define BOXES_MAX    2000u
#define OF_USERS     (XR_SCOPE_USER | XR_SCOPE_ALL_USERS) /* path of the home in struct xr_site */

struct search {
    const struct xr_site *site;
    struct nss_tree tree;
    xr_found_fn emit;
    void *ctx;
    struct seen {
        struct seen_one {
            char *path;
            char identity[64]; /* empty: the file does not exist */
        } * items;
        size_t count, capacity;
    } seen;
    enum xr_status status; /* of the first thing that could not be read */
    struct xr_error problem;
    unsigned problems;
};

/* One section of an ini file. */
struct record {
    char *section, *name, *path, *group;
    char relative; /* '0', '1' or 0 */
    bool install;  /* the default profile of an installation */
};

struct listing {
    struct record *items;
    size_t count, capacity;
};

static void note(struct search *s, enum xr_status status, const struct xr_error *problem)
{
    /* Several places of the table are below one directory. */
    if (s->problems > 0 && strcmp(s->problem.text, problem->text) == 0)
        return;
    if (s->problems++ > 0)
        return;
    s->status = status;
    s->problem = *problem;
}

static char *path_below(const struct search *s, enum nss_base base, const char *dir)
{
    const char *config = s->site->config_home, *data = s->site->data_home;

    if (base == NSS_CONFIG && config != NULL && config[0] == '/')
        return xr_format("%s/%s", config, dir);
    if (base == NSS_DATA && data != NULL && data[0] == '/')
        return xr_format("%s/%s", data, dir);
    return xr_format("%s/%s%s", s->tree.home,
                     base == NSS_CONFIG ? ".config/"
                     : base == NSS_DATA ? ".local/share/"
                                        : "",
                     dir);
}

/* ---- what was found ---- */

static bool seen_before(const struct search *s, const char *path, const char *identity)
{
    for (size_t i = 0; i < s->seen.count; i++) {
        if (strcmp(s->seen.items[i].path, path) == 0 ||
            (identity[0] != '\0' && strcmp(s->seen.items[i].identity, identity) == 0))
            return true;
    }
    return false;
}

static enum xr_status found(struct search *s, const struct nss_place *place, const char *summary)
{
    struct xr_found out = {.size = sizeof(out), .summary = summary};
    struct seen_one *one = NULL;
    char identity[64] = "";
    char *location = NULL;
    enum xr_status status = XR_OK;

    if (place->there)
        (void)snprintf(identity, sizeof(identity), "%llu:%llu",
                       (unsigned long long)place->st.st_dev, (unsigned long long)place->st.st_ino);
    if (seen_before(s, place->path, identity))
        return XR_OK;
    one = XR_PUSH(&s->seen);
    one->path = xr_strdup(place->path);
    memcpy(one->identity, identity, sizeof(identity));
    location = xr_format("%s%s", s->tree.prefix, place->path[0] != '\0' ? place->path : "/");
    out.location = location;
    out.identity = place->there ? identity : NULL;
    status = s->emit(s->ctx, &out);
    free(location);
    return status;
}

/* ---- Mozilla ---- */

static bool is(struct xr_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

static bool starts(struct xr_bytes bytes, const char *text)
{
    return bytes.len > strlen(text) && memcmp(bytes.data, text, strlen(text)) == 0;
}

static bool digits_follow(struct xr_bytes bytes, size_t at)
{
    for (; at < bytes.len; at++) {
        if (bytes.data[at] < '0' || bytes.data[at] > '9')
            return false;
    }
    return true;
}

static void set(char **field, struct xr_bytes value)
{
    free(*field);
    *field = xr_memdup(value.data, value.len);
}

/* Finds or adds a section; a repeated one mostly follows at once. NULL: there are too many. */
static struct record *record_of(struct listing *all, struct xr_bytes section, bool install)
{
    struct record *record = NULL;

    for (size_t i = all->count; i-- > 0;) {
        if (all->items[i].install == install && is(section, all->items[i].section))
            return &all->items[i];
    }
    if (all->count >= PROFILES_MAX)
        return NULL;
    record = XR_PUSH(all);
    record->install = install;
    set(&record->section, section);
    return record;
}

/* installs.ini has a section of its own for every installation; profiles.ini has the same ones with
 * "Install" before their names. False: there are too many. */
static bool take(struct listing *all, const struct nss_ini *ini, bool installs)
{
    bool install = installs || starts(ini->section, "Install");
    bool profile = !install && starts(ini->section, "Profile") &&
                   digits_follow(ini->section, strlen("Profile"));
    struct record *record = NULL;

    if (!(install && is(ini->key, "Default")) &&
        !(profile && (is(ini->key, "Name") || is(ini->key, "Path") || is(ini->key, "IsRelative") ||
                      is(ini->key, "StoreID"))))
        return true;
    record = record_of(all, ini->section, install);
    if (record == NULL)
        return false;
    if (is(ini->key, "Name"))
        set(&record->name, ini->value);
    else if (is(ini->key, "StoreID"))
        set(&record->group, ini->value);
    else if (is(ini->key, "IsRelative"))
        record->relative = is(ini->value, "1") ? '1' : '0';
    else
        set(&record->path, ini->value);
    return true;
}

static void read_ini(struct search *s, struct listing *all, const char *dir, const char *name)
{
    char *path = xr_format("%s/%s", dir, name);
    struct xr_buf text = {0};
    struct nss_ini ini;
    struct xr_error err = {0};
    enum xr_status status = nss_place_read(&text, &s->tree, path, INI_MAX, &err);

    nss_ini_open(&ini, (struct xr_bytes){(const unsigned char *)text.data, text.len});
    while (status == XR_OK && nss_ini_next(&ini)) {
        if (!take(all, &ini, strcmp(name, "installs.ini") == 0))
            status = xr_fail(&err, XR_INVALID, "%s%s lists more than %u profiles", s->tree.prefix,
                             path, PROFILES_MAX);
    }
    if (status != XR_OK && status != XR_ABSENT)
        note(s, status, &err);
    xr_buf_free(&text);
    free(path);
}

/* Resolves Path as Mozilla does: "~/" counts only if the path is not relative to the file. NULL if
 * Mozilla ignores it. */
static char *profile_path(const struct search *s, const char *dir, const struct record *record)
{
    const char *path = record->path;
    bool absolute = path != NULL && path[0] == '/';

    if (path == NULL || path[0] == '\0' || (record->relative == '1' && absolute))
        return NULL;
    if (absolute)
        return xr_strdup(path);
    if (record->relative == '0')
        return strncmp(path, "~/", 2) == 0 ? xr_format("%s/%s", s->tree.home, path + 2) : NULL;
    return xr_format("%s/%s", dir, path);
}

static size_t cut(const char *text)
{
    size_t len = strlen(text), at = 0;

    while (at < len) {
        uint32_t c = 0;
        size_t used = xr_utf8_next(&c, (const unsigned char *)text + at, len - at);

        if (at + (used ? used : 1) > NAME_MAX_LEN)
            break;
        at += used ? used : 1;
    }
    return at;
}

static char *profile_summary(const struct nss_profiles *m, const struct record *record,
                             const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = record->name != NULL ? record->name : slash != NULL ? slash + 1 : path;
    struct xr_buf shown = {0};
    size_t len = cut(name);
    char *summary = NULL;

    xr_buf_visible(&shown, name, len);
    xr_buf_str(&shown, name[len] != '\0' ? "…" : "");
    summary = xr_format(N_("%s profile \"%s\"%s"), m->program, shown.data != NULL ? shown.data : "",
                        m->packing);
    xr_buf_free(&shown);
    return summary;
}

static enum xr_status found_profile(struct search *s, const struct nss_profiles *m, const char *dir,
                                    const struct record *record)
{
    char *path = profile_path(s, dir, record), *summary = NULL;
    struct nss_place place = {0};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (path == NULL)
        return XR_OK;
    status = nss_place_find(&place, &s->tree, path, &err);
    if (status != XR_OK) {
        note(s, status, &err);
        status = XR_OK;
    } else {
        summary = profile_summary(m, record, place.path);
        status = found(s, &place, summary);
    }
    free(summary);
    free(path);
    nss_place_free(&place);
    return status;
}

/* Profiles come first, because they have names and usually include the default of an
 * installation. */
static enum xr_status found_listing(struct search *s, const struct nss_profiles *m, const char *dir,
                                    const struct listing *all)
{
    enum xr_status status = XR_OK;

    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < all->count && status == XR_OK; i++) {
            if (all->items[i].install == (round == 1))
                status = found_profile(s, m, dir, &all->items[i]);
        }
    }
    return status;
}

static void add_once(struct xr_strings *to, const char *text)
{
    for (size_t i = 0; i < to->count; i++) {
        if (strcmp(to->items[i], text) == 0)
            return;
    }
    xr_strings_add(to, text);
}

/* Where members of the groups may be: beside the file, as Firefox makes them, and beside the listed
 * one, which may be in a directory below. */
static void group_places(struct xr_strings *groups, struct xr_strings *dirs, const char *dir,
                         const struct listing *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct record *record = &all->items[i];
        const char *slash = record->path != NULL ? strrchr(record->path, '/') : NULL;

        if (record->group == NULL || record->group[0] == '\0')
            continue;
        add_once(groups, record->group);
        add_once(dirs, dir);
        if (record->relative == '1' && slash != NULL && record->path[0] != '/') {
            char *parent = xr_format("%s/%.*s", dir, (int)(slash - record->path), record->path);

            add_once(dirs, parent);
            free(parent);
        }
    }
}

static enum xr_status found_groups(struct search *s, const struct nss_profiles *m, const char *dir,
                                   const struct listing *all)
{
    struct xr_strings groups = {0}, dirs = {0}, members = {0};
    enum xr_status status = XR_OK;

    group_places(&groups, &dirs, dir, all);
    for (size_t i = 0; i < dirs.count; i++) {
        struct xr_error err = {0};
        enum xr_status read = nss_group_members(&members, &s->tree, dirs.items[i], &groups, &err);

        if (read != XR_OK)
            note(s, read, &err);
    }
    for (size_t i = 0; i < members.count && status == XR_OK; i++) {
        struct record record = {.path = members.items[i]};

        status = found_profile(s, m, dir, &record);
    }
    xr_strings_free(&groups);
    xr_strings_free(&dirs);
    xr_strings_free(&members);
    return status;
}

static enum xr_status search_mozilla(struct search *s, const struct nss_profiles *m)
{
    char *dir = path_below(s, m->base, m->dir);
    struct nss_place place = {0};
    struct listing all = {0};
    struct xr_error err = {0};
    enum xr_status status = nss_place_find(&place, &s->tree, dir, &err);

    if (status != XR_OK) {
        note(s, status, &err);
        status = XR_OK;
    } else if (place.there) {
        read_ini(s, &all, place.path, "profiles.ini");
        read_ini(s, &all, place.path, "installs.ini");
        status = found_listing(s, m, place.path, &all);
        if (status == XR_OK)
            status = found_groups(s, m, place.path, &all);
    }
    for (size_t i = 0; i < all.count; i++) {
        free(all.items[i].section);
        free(all.items[i].name);
        free(all.items[i].path);
        free(all.items[i].group);
    }
    free(all.items);
    free(dir);
    nss_place_free(&place);
    return status;
}

/* ---- Chromium and the system ---- */

/* Takes ownership of path. *there: it is a directory. */
static enum xr_status found_directory(struct search *s, char *path, bool even_absent,
                                      const char *summary, bool *there)
{
    struct nss_place place = {0};
    struct xr_error err = {0};
    enum xr_status status = nss_place_find(&place, &s->tree, path, &err);

    *there = status == XR_OK && place.there && S_ISDIR(place.st.st_mode);
    if (status != XR_OK)
        note(s, status, &err);
    status = XR_OK;
    if (*there || (even_absent && place.path != NULL && !place.there))
        status = found(s, &place, summary);
    nss_place_free(&place);
    free(path);
    return status;
}

static bool there(struct search *s, char *path, bool directory)
{
    struct nss_place place = {0};
    bool yes = nss_place_find(&place, &s->tree, path, NULL) == XR_OK && place.there &&
               (!directory || S_ISDIR(place.st.st_mode));

    nss_place_free(&place);
    free(path);
    return yes;
}

/* Was one of these browsers run here, or is it installed? Then the database will be here. */
static bool chromium_is_used(struct search *s)
{
    bool used = false;

    for (size_t i = 0; nss_chromiums[i].settings != NULL && !used; i++)
        used = there(s, path_below(s, NSS_CONFIG, nss_chromiums[i].settings), true);
    for (size_t i = 0; nss_chromium_files[i] != NULL && !used; i++)
        used = there(s, xr_strdup(nss_chromium_files[i]), false);
    return used;
}

static enum xr_status search_shared(struct search *s, const struct nss_shared *c)
{
    bool found = false;
    enum xr_status status =
        found_directory(s, path_below(s, c->base, c->dir), false, c->summary, &found);

    if (status == XR_OK && !found)
        status =
            found_directory(s, path_below(s, c->next_base, c->next),
                            c->next_base == NSS_DATA && chromium_is_used(s), c->summary, &found);
    return status;
}

/* ---- programs with a home of their own ---- */

static char *boxed_summary(const struct nss_boxes *b, const char *name)
{
    const char *program = nss_boxed_program(name);
    size_t len = cut(name);
    struct xr_buf out = {0};

    if (program != NULL)
        return xr_format("%s%s", program, b->packing);
    xr_buf_str(&out, "\"");
    xr_buf_visible(&out, name, len);
    xr_buf_fmt(&out, "%s\"%s", name[len] != '\0' ? "…" : "", b->packing);
    return out.data;
}

static enum xr_status search_box(struct search *s, const struct nss_boxes *b, const char *name)
{
    const char *const dirs[] = {b->dir, b->next};
    char *summary = boxed_summary(b, name);
    enum xr_status status = XR_OK;
    bool found = false;

    for (size_t i = 0; i < 2 && status == XR_OK && !found; i++)
        status = found_directory(
            s, xr_format("%s/%s/%s%s/%s", s->tree.home, b->parent, name, b->within, dirs[i]), false,
            summary, &found);
    free(summary);
    return status;
}

static enum xr_status search_boxes(struct search *s, const struct nss_boxes *b)
{
    char *parent = path_below(s, NSS_HOME, b->parent);
    struct xr_strings names = {0};
    struct nss_place place = {0};
    struct xr_error err = {0};
    enum xr_status status = nss_place_find(&place, &s->tree, parent, &err);

    if (status == XR_OK && place.there && S_ISDIR(place.st.st_mode))
        status = nss_place_names(&names, &s->tree, parent, BOXES_MAX, &err);
    if (status != XR_OK)
        note(s, status, &err);
    status = XR_OK;
    for (size_t i = 0; i < names.count && status == XR_OK; i++)
        status = search_box(s, b, names.items[i]);
    xr_strings_free(&names);
    nss_place_free(&place);
    free(parent);
    return status;
}

static enum xr_status search_home(struct search *s)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; nss_profiles[i].dir != NULL && status == XR_OK; i++)
        status = search_mozilla(s, &nss_profiles[i]);
    for (size_t i = 0; nss_shared[i].dir != NULL && status == XR_OK; i++)
        status = search_shared(s, &nss_shared[i]);
    for (size_t i = 0; nss_boxes[i].parent != NULL && status == XR_OK; i++)
        status = search_boxes(s, &nss_boxes[i]);
    return status;
}

/* Does nothing but missing directories stand between path and what exists? Chromium makes nothing
 * through a link that leads nowhere. */
static bool only_missing(const struct search *s, const char *path, const char *real)
{
    char *above = xr_strdup(path);
    struct nss_place place = {0};
    bool yes = false;

    for (char *slash = strrchr(above, '/'); slash != NULL && !place.there;
         slash = strrchr(above, '/')) {
        nss_place_free(&place);
        *slash = '\0';
        if (nss_place_find(&place, &s->tree, above, NULL) != XR_OK)
            break;
    }
    if (place.there && S_ISDIR(place.st.st_mode)) {
        char *would = xr_format("%s%s", place.path, path + strlen(above));

        yes = strcmp(would, real) == 0;
        free(would);
    }
    nss_place_free(&place);
    free(above);
    return yes;
}

bool nss_may_be_made(const struct xr_site *site, const char *path)
{
    struct search s = {.site = site};
    struct nss_place place = {0};
    char *old = NULL, *new = NULL, *full = NULL;
    bool yes = false;

    if (site->home == NULL || nss_tree_open(&s.tree, site->root, site->home, NULL) != XR_OK)
        return false;
    old = path_below(&s, nss_shared[0].base, nss_shared[0].dir);
    new = path_below(&s, nss_shared[0].next_base, nss_shared[0].next);
    if (nss_place_find(&place, &s.tree, new, NULL) == XR_OK) {
        full = xr_format("%s%s", s.tree.prefix, place.path);
        yes = !place.there && strcmp(full, path) == 0 && !there(&s, xr_strdup(old), true) &&
              only_missing(&s, new, place.path);
    }
    nss_place_free(&place);
    nss_tree_close(&s.tree);
    free(full);
    free(new);
    free(old);
    return yes;
}

static enum xr_status search_all(struct search *s, unsigned scope)
{
    enum xr_status status = s->tree.home != NULL ? search_home(s) : XR_OK;
    bool found = false;

    if ((scope & XR_SCOPE_SYSTEM) != 0 && status == XR_OK)
        status = found_directory(s, xr_strdup("/etc/pki/nssdb"), false,
                                 N_("NSS database of the system"), &found);
    return status;
}

enum xr_status nss_discover(const struct xr_host *host, const struct xr_site *site, unsigned scope,
                            xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct search s = {.site = site, .emit = emit, .ctx = ctx};
    struct xr_error problem = {0};
    const char *home = (scope & OF_USERS) != 0 ? site->home : NULL;
    enum xr_status status = nss_tree_open(&s.tree, site->root, home, &problem);

    (void)host;
    if (status != XR_OK && home != NULL) {
        note(&s, status, &problem);
        status = nss_tree_open(&s.tree, site->root, NULL, &problem);
    }
    if (status != XR_OK) {
        if (err != NULL)
            *err = problem;
        return status;
    }
    status = search_all(&s, scope);
    if (status == XR_OK && s.problems > 1)
        (void)xr_fail(err, s.status, "%.460s (and %u more)", s.problem.text, s.problems - 1);
    else if (status == XR_OK && s.problems == 1 && err != NULL)
        *err = s.problem;
    if (status == XR_OK && s.problems > 0)
        status = s.status;
    for (size_t i = 0; i < s.seen.count; i++)
        free(s.seen.items[i].path);
    free(s.seen.items);
    nss_tree_close(&s.tree);
    return status;
}
