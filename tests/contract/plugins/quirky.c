/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend with the quirks of NSS databases. Its location is a directory; a file DIGITS-P in it
 * is one entry (P its place), and other files say what is special about the store:
 *
 *   slow      milliseconds that every opening takes
 *   stale     an interrupted write: only an opening for writing takes it away
 *   password  anchors, peers and distrusts need it
 *   running   a program uses the store: notices
 *   verdict   "no", "fail", "crash" or "hang" instead of the verifier's yes
 *   broken    no opening succeeds
 *   shut      no opening for writing succeeds
 *   die       the first swap is its helper's last deed: the store is stale and shut then
 *   log       if it is there, gets a line for everything that is done: process id and what
 *
 * A session that listed or swapped does not probe, nor the other way round. Stores are found by
 * the file "stores" in the home directory, a path a line.
 */
#include <crossroot/backend.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DIGITS (2 * (size_t)XR_SHA256_LEN)
#define LOCKED (XR_PLACE_BIT(XR_ANCHOR) | XR_PLACE_BIT(XR_PEER) | XR_PLACE_BIT(XR_DISTRUST))

struct xr_session {
    const struct xr_host *host;
    char dir[512];
    bool writing, unlocked, changed, asked;
};

static bool quirk(char *value, size_t size, const char *dir, const char *name)
{
    char path[700];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (value != NULL) {
        size_t len = fread(value, 1, size - 1, file);

        value[len] = '\0';
        value[strcspn(value, "\n")] = '\0';
    }
    (void)fclose(file);
    return true;
}

static void note(const char *dir, const char *what)
{
    char path[700], line[80];
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s/log", dir);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)snprintf(line, sizeof(line), "%ld %s\n", (long)getpid(), what);
    if (write(fd, line, strlen(line)) < 0)
        abort();
    (void)close(fd);
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    char path[700], line[600];
    enum xr_status status = XR_OK;
    FILE *file = NULL;

    (void)host, (void)scope, (void)err;
    (void)snprintf(path, sizeof(path), "%s/stores", site->home ? site->home : "/nonexistent");
    file = fopen(path, "r");
    if (file == NULL)
        return XR_OK;
    while (status == XR_OK && fgets(line, sizeof(line), file) != NULL) {
        struct xr_found found = {.size = sizeof(found), .location = line};

        line[strcspn(line, "\n")] = '\0';
        status = emit(ctx, &found);
    }
    (void)fclose(file);
    return status;
}

static void fill(struct xr_caps *caps, const char *dir, bool writing)
{
    for (int i = 0; i < XR_PLACE_COUNT; i++)
        caps->places[i] = XR_ENFORCED;
    caps->purposes = XR_SERVER | XR_EMAIL;
    caps->subjects = 1u << XR_SUBJECT_CERT;
    caps->writable = true;
    (void)snprintf(caps->verifier, sizeof(caps->verifier), "quirky verifier");
    if (quirk(NULL, 0, dir, "password"))
        caps->locked = LOCKED;
    if (!quirk(NULL, 0, dir, "running") || !writing)
        return;
    (void)snprintf(caps->notice[XR_NOTICE_GIVEN], sizeof(caps->notice[0]), "it is seen at once");
    (void)snprintf(caps->notice[XR_NOTICE_TAKEN], sizeof(caps->notice[0]), "restart\nthe program");
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    const char *dir = target->location;
    char value[64], stale[700];
    struct xr_session *s = NULL;

    note(dir, mode == XR_WRITE ? "open write" : "open read");
    if (quirk(value, sizeof(value), dir, "slow")) {
        long ms = strtol(value, NULL, 10);
        const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

        (void)nanosleep(&pause, NULL);
    }
    if (quirk(NULL, 0, dir, "broken"))
        return xr_error_set(err, XR_FAILED, "quirky", 1, "it is broken");
    if (mode == XR_WRITE && quirk(NULL, 0, dir, "shut"))
        return xr_error_set(err, XR_FAILED, "quirky", 12, "it is shut");
    (void)snprintf(stale, sizeof(stale), "%s/stale", dir);
    if (access(stale, F_OK) == 0) {
        if (mode == XR_READ)
            return xr_error_set(err, XR_STALE, "quirky", 2, "a hot journal");
        if (unlink(stale) != 0)
            return xr_error_set(err, XR_FAILED, "quirky", 3, "the journal stays");
    }
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    s->host = host;
    s->writing = mode == XR_WRITE;
    (void)snprintf(s->dir, sizeof(s->dir), "%s", dir);
    fill(caps, dir, s->writing);
    *out = s;
    return XR_OK;
}

static void session_close(struct xr_session *s)
{
    note(s->dir, "close");
    free(s);
}

static bool entry_name(const char *name)
{
    return strspn(name, "0123456789abcdef") == DIGITS && name[DIGITS] == '-' &&
           name[DIGITS + 1] >= '0' && name[DIGITS + 1] < '0' + XR_PLACE_COUNT &&
           name[DIGITS + 2] == '\0';
}

static enum xr_status emit_file(struct xr_session *s, const char *name, xr_entry_fn emit, void *ctx)
{
    struct xr_entry entry = {.size = sizeof(entry), .flags = XR_ENTRY_OURS};
    unsigned char data[8192];
    char path[700];
    FILE *file = NULL;
    size_t len = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    file = fopen(path, "rb");
    if (file == NULL)
        return XR_OK;
    len = fread(data, 1, sizeof(data), file);
    (void)fclose(file);
    entry.place = (enum xr_place)(name[DIGITS + 1] - '0');
    entry.subject.type = entry.place == XR_CRL ? XR_SUBJECT_CRL : XR_SUBJECT_CERT;
    entry.purposes = entry.place == XR_ANCHOR ? XR_SERVER : 0;
    entry.der = (struct xr_bytes){data, len};
    s->host->sha256(entry.subject.id, entry.der);
    return emit(ctx, &entry);
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    DIR *dir = opendir(s->dir);
    const struct dirent *found = NULL;
    enum xr_status status = XR_OK;

    note(s->dir, "list");
    s->changed = true;
    if (s->asked)
        status = xr_error_set(err, XR_FAILED, "quirky", 4, "it probed and cannot list");
    while (status == XR_OK && dir != NULL && (found = readdir(dir)) != NULL) {
        if (entry_name(found->d_name))
            status = emit_file(s, found->d_name, emit, ctx);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return status;
}

static void path_of(char *out, size_t size, const struct xr_session *s,
                    const struct xr_subject *subject, enum xr_place place)
{
    size_t at = (size_t)snprintf(out, size, "%s/", s->dir);

    for (size_t i = 0; i < XR_SHA256_LEN; i++, at += 2)
        (void)snprintf(out + at, size - at, "%02x", subject->id[i]);
    (void)snprintf(out + at, size - at, "-%d", (int)place);
}

static const struct xr_entry *in(const struct xr_state *state, enum xr_place place)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->place == place)
            return state->entries[i];
    }
    return NULL;
}

static enum xr_status put(const char *path, const struct xr_entry *entry, struct xr_error *err)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(entry->der.data, 1, entry->der.len, file) == entry->der.len;

    good = (file == NULL || fclose(file) == 0) && good;
    return good ? XR_OK : xr_error_set(err, XR_FAILED, "quirky", 5, "cannot write");
}

static void make(const char *dir, const char *name)
{
    char path[700];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    if (file == NULL || fclose(file) != 0)
        abort();
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    const struct xr_subject *subject = want != NULL ? &want->subject : &expect->subject;
    bool locked = quirk(NULL, 0, s->dir, "password") && !s->unlocked;

    note(s->dir, "swap");
    s->changed = true;
    if (!s->writing || s->asked)
        return xr_error_set(err, XR_FAILED, "quirky", 6, "it is no session for writing");
    for (int place = 0; place < XR_PLACE_COUNT; place++) {
        const struct xr_entry *old = in(expect, (enum xr_place)place);
        const struct xr_entry *new = in(want, (enum xr_place)place);
        char path[700];

        path_of(path, sizeof(path), s, subject, (enum xr_place)place);
        if ((access(path, F_OK) == 0) != (old != NULL))
            return xr_error_set(err, XR_CONFLICT, "quirky", 7, "not as expected");
        if (locked && (old == NULL) != (new == NULL) &&
            (LOCKED & XR_PLACE_BIT((enum xr_place)place)) != 0)
            return xr_error_set(err, XR_DENIED, "quirky", 8, "it is locked");
    }
    for (int place = 0; place < XR_PLACE_COUNT; place++) {
        const struct xr_entry *new = in(want, (enum xr_place)place);
        char path[700];

        path_of(path, sizeof(path), s, subject, (enum xr_place)place);
        if (new == NULL)
            (void)unlink(path);
        else if (put(path, new, err) != XR_OK)
            return XR_FAILED;
    }
    if (quirk(NULL, 0, s->dir, "die")) {
        make(s->dir, "stale");
        make(s->dir, "shut");
        abort();
    }
    return XR_OK;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    char value[64] = "";

    note(s->dir, "probe");
    s->asked = true;
    if (s->changed || s->writing)
        return xr_error_set(err, XR_FAILED, "quirky", 9, "it cannot probe in this session");
    (void)quirk(value, sizeof(value), s->dir, "verdict");
    if (strcmp(value, "crash") == 0)
        abort();
    if (strcmp(value, "fail") == 0)
        return xr_error_set(err, XR_FAILED, "quirky", 10, "its verifier is out of order");
    if (strcmp(value, "hang") == 0)
        (void)sleep(3600);
    out->answer = strcmp(value, "no") == 0 ? XR_NO : XR_YES;
    (void)snprintf(out->by, sizeof(out->by), "quirky verifier");
    s->host->sha256(out->path[0], question->chain[0]);
    out->path_len = 1;
    return XR_OK;
}

static enum xr_status unlock(struct xr_session *s, struct xr_bytes password, struct xr_error *err)
{
    char value[5000] = "";

    note(s->dir, "unlock");
    s->unlocked = quirk(value, sizeof(value), s->dir, "password") &&
                  strlen(value) == password.len && memcmp(value, password.data, password.len) == 0;
    return s->unlocked ? XR_OK : xr_error_set(err, XR_DENIED, "quirky", 11, "wrong password");
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(table),
    .name = "quirky",
    .summary = "has the quirks of NSS databases",
    .flags = XR_BACKEND_WORKER | XR_BACKEND_PATHS | XR_BACKEND_PROBE_APART,
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .probe = probe,
    .unlock = unlock,
};

XR_BACKEND(table);
