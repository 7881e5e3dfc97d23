/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that does what backends must not do. Its location says what: "WHAT" or "WHAT:FILE",
 * where FILE keeps the one entry it can hold (a byte for the place, the certificate), so that
 * another process sees what a crashed one did. "stuck" is naughty while there is a FILE.stuck.
 */
#include <crossroot/backend.h>

#include <grp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static unsigned opened; /* sessions of this process */

struct xr_session {
    const struct xr_host *host;
    char what[64], file[512];
};

static bool asked(const struct xr_session *s, const char *what)
{
    return strcmp(s->what, what) == 0;
}

/* It fails after it wrote, and takes nothing away although it says so. */
static bool stuck(const struct xr_session *s)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%s.stuck", s->file);
    return asked(s, "stuck") && access(path, F_OK) == 0;
}

static void hang(void)
{
    for (;;) {
        const struct timespec pause = {.tv_sec = 3600};

        (void)nanosleep(&pause, NULL);
    }
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    const char *slash = site->home != NULL ? strrchr(site->home, '/') : NULL;
    struct xr_found found = {.size = sizeof(found), .location = "here", .summary = "as asked"};

    (void)host, (void)err;
    if (slash != NULL && strcmp(slash, "/crash") == 0)
        abort();
    if (slash != NULL && strcmp(slash, "/hang") == 0)
        hang();
    if (slash != NULL && strcmp(slash, "/crash-later") == 0 && emit(ctx, &found) == XR_OK)
        abort();
    return slash != NULL && scope == XR_SCOPE_USER && site->uid == geteuid() ? emit(ctx, &found)
                                                                             : XR_OK;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = calloc(1, sizeof(*s));
    size_t len = strcspn(target->location, ":");

    (void)mode, (void)err;
    if (s == NULL || len >= sizeof(s->what))
        abort();
    s->host = host;
    memcpy(s->what, target->location, len);
    if (target->location[len] == ':')
        (void)snprintf(s->file, sizeof(s->file), "%s", target->location + len + 1);
    if (asked(s, "crash-open"))
        abort();
    if (asked(s, "hang-open"))
        hang();
    if (asked(s, "quit-open"))
        exit(0);
    if (asked(s, "first-only") && opened > 0) {
        free(s);
        return xr_error_set(err, XR_LOST, "naughty", 0, "this process is used up");
    }
    opened++;
    if (asked(s, "fail-open")) {
        free(s);
        return xr_error_set(err, XR_DENIED, "naughty", 42, "not for you");
    }
    for (int i = 0; i < XR_PLACE_COUNT; i++)
        caps->places[i] = XR_ENFORCED;
    caps->purposes = XR_ANY_PURPOSE;
    caps->writable = true;
    (void)snprintf(caps->summary, sizeof(caps->summary), "%ld", (long)getpid());
    *out = s;
    return XR_OK;
}

static void session_close(struct xr_session *s)
{
    if (asked(s, "hang-close"))
        hang();
    if (asked(s, "crash-close"))
        abort();
    free(s);
}

static size_t load(unsigned char *data, size_t size, const struct xr_session *s)
{
    FILE *file = s->file[0] ? fopen(s->file, "rb") : NULL;
    size_t len = file != NULL ? fread(data, 1, size, file) : 0;

    if (file != NULL)
        (void)fclose(file);
    return len;
}

/* Is that file open in this process? */
static bool has_open(const char *path)
{
    bool found = false;

    for (int fd = 0; fd < 1024; fd++) {
        char name[64], target[1024];
        ssize_t len = 0;

        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        len = readlink(name, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = '\0';
        found = found || (len > 0 && strcmp(target, path) == 0);
    }
    return found;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    unsigned char data[8192];
    struct xr_entry entry = {
        .size = sizeof(entry), .subject = {XR_SUBJECT_CERT, {1}}, .purposes = XR_ANY_PURPOSE};
    size_t len = 0;

    if (asked(s, "fail-list"))
        return xr_error_set(err, XR_FAILED, "naughty", 0, "it failed");
    if (asked(s, "crash-list"))
        abort();
    if (asked(s, "hang-list"))
        hang();
    if (asked(s, "crash-within-list")) {
        (void)emit(ctx, &entry);
        abort();
    }
    if (asked(s, "garbage-place")) {
        entry.place = (enum xr_place)99;
        return emit(ctx, &entry);
    }
    if (asked(s, "garbage-type")) {
        entry.subject.type = (enum xr_subject_type)99;
        return emit(ctx, &entry);
    }
    if (asked(s, "garbage-length")) {
        entry.der = (struct xr_bytes){data, SIZE_MAX / 2};
        return emit(ctx, &entry);
    }
    if (asked(s, "garbage-count")) {
        entry.attached_count = SIZE_MAX / 64;
        return emit(ctx, &entry);
    }
    if (asked(s, "huge-label")) {
        size_t size = (size_t)100 << 20;
        char *label = malloc(size);
        enum xr_status status = XR_OK;

        if (label == NULL)
            abort();
        memset(label, 'x', size - 1);
        label[size - 1] = '\0';
        entry.label = label;
        status = emit(ctx, &entry);
        free(label);
        return status;
    }
    while (asked(s, "flood")) {
        entry.subject.id[0]++;
        if (emit(ctx, &entry) != XR_OK)
            abort();
    }
    if (asked(s, "whoami")) {
        char label[200];
        gid_t groups[64];
        int count = getgroups(64, groups), odd = 0, env = 0;

        for (int i = 0; i < count; i++)
            odd += groups[i] != getegid();
        while (environ[env] != NULL)
            env++;
        (void)snprintf(label, sizeof(label),
                       "uid=%ld euid=%ld gid=%ld egid=%ld odd=%d env=%d open=%d", (long)getuid(),
                       (long)geteuid(), (long)getgid(), (long)getegid(), odd, env,
                       has_open(s->file));
        entry.label = label;
        return emit(ctx, &entry);
    }
    len = load(data, sizeof(data), s);
    if (len > 1) {
        entry.place = (enum xr_place)data[0];
        entry.der = (struct xr_bytes){data + 1, len - 1};
        s->host->sha256(entry.subject.id, entry.der);
        return emit(ctx, &entry);
    }
    return XR_OK;
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    unsigned char data[8192];
    bool there = load(data, sizeof(data), s) > 1;

    if (asked(s, "lie"))
        return XR_OK;
    if (asked(s, "crash-swap-before"))
        abort();
    if (asked(s, "hang-swap"))
        hang();
    if (there != (expect != NULL))
        return xr_error_set(err, XR_CONFLICT, "", 0, "not as expected");
    if (want == NULL) {
        if (!stuck(s))
            (void)unlink(s->file);
    } else {
        FILE *file = fopen(s->file, "wb");
        unsigned char place = (unsigned char)want->entries[0]->place;

        if (asked(s, "anchor-instead"))
            place = XR_ANCHOR;
        if (file == NULL || fwrite(&place, 1, 1, file) != 1 ||
            fwrite(want->entries[0]->der.data, 1, want->entries[0]->der.len, file) !=
                want->entries[0]->der.len ||
            fclose(file) != 0)
            abort();
    }
    if (asked(s, "crash-swap-after"))
        abort();
    if (want != NULL && stuck(s))
        return xr_error_set(err, XR_FAILED, "", 0, "half of it is written");
    return XR_OK;
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    if (asked(s, "crash-flush"))
        abort();
    if (asked(s, "fail-hook"))
        return xr_error_set(err, XR_WARNED, "", 0, "the hook failed");
    if (asked(s, "fail-flush") && access(s->file, F_OK) == 0)
        return xr_error_set(err, XR_FAILED, "", 0, "the bundle cannot be replaced");
    return XR_OK;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    (void)question, (void)err;
    if (asked(s, "crash-probe"))
        abort();
    if (asked(s, "garbage-verdict"))
        out->path_len = (size_t)1 << 40;
    else if (asked(s, "garbage-answer"))
        out->answer = (enum xr_answer)77;
    else
        out->answer = XR_YES;
    return XR_OK;
}

static void preload(const struct xr_site *site)
{
    (void)site;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(table),
    .name = "naughty",
    .summary = "does what backends must not do",
    .flags = XR_BACKEND_WORKER,
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .flush = flush,
    .probe = probe,
    .preload = preload,
};

XR_BACKEND(table);
