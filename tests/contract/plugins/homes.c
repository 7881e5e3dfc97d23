/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend of stores in people's homes that trusts everything it finds there, links too: what
 * keeps it from harm is who it runs as, and it says who that is. HOME/.stores has one file a store
 * (a byte for the place, a certificate); HOME/.behave says what discovery does besides.
 *
 * A store whose name has ".named" in it is to be changed only by its name.
 *
 * Discovery names, before the stores, a store that is not there and whose name says what it saw.
 */
#include <crossroot/backend.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct xr_session {
    const struct xr_host *host;
    char path[4096], who[256];
};

/* "uid=1001,gid=1001,groups=0,env=0,home=-home-alice" */
static void whoami(char *out, size_t size, const struct xr_site *site)
{
    gid_t groups[64];
    char *home = NULL;
    int env = 0, count = getgroups(64, groups);

    while (environ[env] != NULL)
        env++;
    if (getuid() != geteuid() || getgid() != getegid())
        abort();
    (void)snprintf(out, size, "uid=%ld,gid=%ld,groups=%d,env=%d,home=%s", (long)getuid(),
                   (long)getgid(), count, env, site->home != NULL ? site->home : "none");
    for (home = out; *home != '\0'; home++) {
        if (*home == '/')
            *home = '-';
    }
}

static size_t load(char *data, size_t size, const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(data, 1, size, file) : 0;

    if (file != NULL)
        (void)fclose(file);
    return len;
}

static enum xr_status name_it(xr_found_fn emit, void *ctx, const char *root, const char *dir,
                              const char *name)
{
    char location[8192];
    struct xr_found found = {
        .size = sizeof(found), .location = location, .only_named = strstr(name, ".named") != NULL};

    (void)snprintf(location, sizeof(location), "%s%s%s%s", root, dir, name[0] ? "/" : "", name);
    return emit(ctx, &found);
}

/* A word, a blank, and for some a path. */
static enum xr_status behave(const char *what, const char *root, xr_found_fn emit, void *ctx,
                             struct xr_error *err)
{
    const char *path = strchr(what, ' ') != NULL ? strchr(what, ' ') + 1 : "";

    if (strncmp(what, "crash", 5) == 0)
        abort();
    if (strncmp(what, "fail", 4) == 0)
        return xr_error_set(err, XR_INVALID, "", 0, "what lies here makes no sense");
    if (strncmp(what, "lie ", 4) == 0)
        return name_it(emit, ctx, root, path, "");
    for (int i = 0; strncmp(what, "flood", 5) == 0 && i < 5000; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "store-%d", i);
        if (name_it(emit, ctx, root, path, name) != XR_OK)
            break;
    }
    return XR_OK;
}

static int is_store(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strstr(entry->d_name, ".slow") == NULL;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    const char *root = site->root != NULL ? site->root : "";
    char dir[4096], file[4128], what[1024], who[256];
    struct dirent **entries = NULL;
    enum xr_status status = XR_OK;
    int count = 0;
    size_t len = 0;

    (void)host;
    if (scope == XR_SCOPE_SYSTEM) {
        (void)snprintf(dir, sizeof(dir), "%s/srv/homes-store", root);
        return access(dir, F_OK) == 0 ? name_it(emit, ctx, root, "/srv/homes-store", "") : XR_OK;
    }
    if (scope != XR_SCOPE_USER || site->home == NULL || site->uid != geteuid())
        return xr_error_set(err, XR_INVALID, "", 0, "asked for something else than one home");
    (void)snprintf(dir, sizeof(dir), "%s%s/.stores", root, site->home);
    count = scandir(dir, &entries, is_store, alphasort);
    if (count < 0 && errno == ENOENT)
        return XR_OK;
    if (count < 0)
        return xr_error_set(err, XR_DENIED, "errno", errno, "cannot read %s: %s", dir,
                            strerror(errno));
    (void)snprintf(dir, sizeof(dir), "%s/.stores", site->home);
    whoami(who, sizeof(who), site);
    status = name_it(emit, ctx, root, dir, who);
    for (int i = 0; i < count; i++) {
        if (status == XR_OK)
            status = name_it(emit, ctx, root, dir, entries[i]->d_name);
        free(entries[i]);
    }
    free((void *)entries);
    (void)snprintf(file, sizeof(file), "%s%s/.behave", root, site->home);
    len = load(what, sizeof(what) - 1, file);
    what[len] = '\0';
    what[strcspn(what, "\n")] = '\0';
    return status == XR_OK ? behave(what, root, emit, ctx, err) : status;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = calloc(1, sizeof(*s));
    char data[1] = {0};

    if (s == NULL)
        abort();
    s->host = host;
    (void)snprintf(s->path, sizeof(s->path), "%s", target->location);
    whoami(s->who, sizeof(s->who), target->site);
    if (access(s->path, F_OK) == 0 && access(s->path, R_OK) != 0) {
        free(s);
        return xr_error_set(err, XR_DENIED, "errno", errno, "cannot read it: %s", strerror(errno));
    }
    if (load(data, 1, s->path) == 1 && data[0] == 'C')
        abort();
    (void)mode;
    for (int i = 0; i < XR_PLACE_COUNT; i++)
        caps->places[i] = XR_ENFORCED;
    caps->purposes = XR_ANY_PURPOSE;
    caps->writable = access(s->path, W_OK) == 0 || errno == ENOENT;
    if (!caps->writable) {
        caps->needs_privilege = geteuid() != 0;
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s", strerror(EACCES));
    }
    memcpy(caps->summary, s->who, sizeof(caps->summary) - 1);
    caps->summary[sizeof(caps->summary) - 1] = '\0';
    *out = s;
    return XR_OK;
}

static void session_close(struct xr_session *s)
{
    free(s);
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    char data[8192];
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {XR_SUBJECT_CERT, {0}},
                             .purposes = XR_ANY_PURPOSE,
                             .label = s->who};
    size_t len = load(data, sizeof(data), s->path);

    (void)err;
    if (len < 2)
        return XR_OK;
    entry.place = (enum xr_place)data[0];
    entry.der = (struct xr_bytes){(const unsigned char *)data + 1, len - 1};
    s->host->sha256(entry.subject.id, entry.der);
    return emit(ctx, &entry);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    char data[2], slow[sizeof(s->path) + 8];
    bool there = load(data, sizeof(data), s->path) > 1;
    FILE *file = NULL;

    if (there != (expect != NULL))
        return xr_error_set(err, XR_CONFLICT, "", 0, "not as expected");
    file = fopen(s->path, "wb");
    if (file == NULL)
        return xr_error_set(err, XR_DENIED, "errno", errno, "cannot write it: %s", strerror(errno));
    if (want != NULL) {
        struct xr_bytes der = want->entries[0]->der;

        (void)fputc((int)want->entries[0]->place, file);
        (void)fwrite(der.data, 1, der.len, file);
    }
    if (fclose(file) != 0)
        return xr_error_set(err, XR_FAILED, "", 0, "cannot write it");
    /* STORE.slow: until somebody ends this. */
    (void)snprintf(slow, sizeof(slow), "%s.slow", s->path);
    while (access(slow, F_OK) == 0) {
        const struct timespec pause = {.tv_nsec = 10000000};

        (void)nanosleep(&pause, NULL);
    }
    return XR_OK;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(table),
    .name = "homes",
    .summary = "says who it runs as",
    .flags = XR_BACKEND_WORKER | XR_BACKEND_PATHS | XR_BACKEND_HOMES,
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
};

XR_BACKEND(table);
