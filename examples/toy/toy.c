/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend out of tree, see docs/writing-a-backend.md. A store is a directory, a certificate a file
 * named by its SHA-256: a digit for its places (1 anchor, 2 intermediate, 3 both), then its DER. So
 * every swap is one rename, or one unlink.
 *
 *   cc -std=gnu11 -fPIC -shared -o toy.so toy.c $(pkg-config --cflags --libs crossroot-kit)
 */
#include <crossroot/kit/base.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES   2 /* XR_ANCHOR and XR_INTERMEDIATE, the first of enum xr_place */
#define FILE_MAX 65536

struct xr_session {
    const struct xr_host *host;
    int dir;
};

struct held { /* one subject: the bytes of its file and what they say; state.count 0: not there */
    unsigned char data[FILE_MAX];
    unsigned places;
    struct xr_entry entries[PLACES];
    const struct xr_entry *list[PLACES];
    struct xr_state state;
};

/* XR_INVALID for a file that we do not understand, so that no swap overwrites it. */
static enum xr_status load(struct held *out, const struct xr_session *s, const char *name,
                           const struct xr_subject *subject, struct xr_error *err)
{
    struct xr_bytes der = {out->data + 1, 0};
    unsigned char sum[XR_SHA256_LEN];
    int fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, out->data, FILE_MAX);

    out->places = 0;
    out->state = (struct xr_state){.size = sizeof(out->state), .subject = *subject};
    out->state.entries = out->list;
    if (fd < 0)
        return errno == ENOENT ? XR_OK : xr_fail_errno(err, "cannot open %s", name);
    der.len = len > 0 ? (size_t)len - 1 : 0;
    (void)close(fd);
    s->host->sha256(sum, der);
    if (len < 2 || out->data[0] < '1' || out->data[0] > '3' || memcmp(sum, subject->id, 32) != 0)
        return xr_fail(err, len < 0 ? XR_FAILED : XR_INVALID, "%s is no file of ours", name);
    out->places = out->data[0] & 3u;
    for (unsigned place = 0; place < PLACES; place++) {
        struct xr_entry *entry = &out->entries[place];

        *entry = (struct xr_entry){.size = sizeof(*entry), .subject = *subject, .der = der};
        entry->place = (enum xr_place)place;
        entry->purposes = place == XR_ANCHOR ? XR_ANY_PURPOSE : 0;
        entry->flags = XR_ENTRY_OURS;
        if (out->places & XR_PLACE_BIT(place))
            out->list[out->state.count++] = entry;
    }
    return XR_OK;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    DIR *dir = fdopendir(openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *file = NULL;
    enum xr_status status = dir != NULL ? XR_OK : xr_fail_errno(err, "cannot read the directory");
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};
    struct held held;

    while (status == XR_OK && (file = readdir(dir)) != NULL) {
        if (!xr_unhex(subject.id, XR_SHA256_LEN, file->d_name))
            continue;
        status = load(&held, s, file->d_name, &subject, err);
        if (status == XR_INVALID)
            status = XR_OK;
        for (size_t i = 0; status == XR_OK && i < held.state.count; i++)
            status = emit(ctx, held.list[i]);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return status;
}

/* A wanted state may come from a journal: what core does not check is checked here. */
static enum xr_status check(unsigned *places, const struct xr_session *s,
                            const struct xr_state *want, struct xr_error *err)
{
    for (size_t i = 0; want != NULL && i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];
        struct xr_slices slices = {.size = sizeof(slices)};

        if ((unsigned)entry->place >= PLACES || entry->subject.type != XR_SUBJECT_CERT ||
            entry->attached_count > 0 || entry->native.len > 0 || entry->der.len >= FILE_MAX ||
            (entry->place == XR_ANCHOR && entry->purposes != XR_ANY_PURPOSE))
            return xr_fail(err, XR_REFUSED, "this store cannot hold that");
        if (s->host->slices(&slices, entry->der, NULL) != XR_OK)
            return xr_fail(err, XR_INVALID, "these bytes are no certificate");
        *places |= XR_PLACE_BIT(entry->place);
    }
    return XR_OK;
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    const struct xr_subject *subject = want != NULL ? &want->subject : &expect->subject;
    char name[2 * XR_SHA256_LEN + 1];
    unsigned places = 0;
    struct held now = {0};
    enum xr_status status = check(&places, s, want, err);

    xr_hex(name, subject->id, XR_SHA256_LEN);
    status = status == XR_OK ? load(&now, s, name, subject, err) : status;
    if (status == XR_OK && !s->host->state_equal(&now.state, expect))
        status = xr_fail(err, XR_CONFLICT, "the store has changed meanwhile");
    if (status != XR_OK || now.places == places)
        return status;
    if (places == 0)
        return unlinkat(s->dir, name, 0) == 0 ? XR_OK : xr_fail_errno(err, "cannot remove it");
    now.data[0] = (unsigned char)('0' + places);
    memcpy(now.data + 1, want->entries[0]->der.data, want->entries[0]->der.len);
    return s->host->write_atomic(
        s->dir, name, (struct xr_bytes){now.data, want->entries[0]->der.len + 1}, 0644, err);
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    return fsync(s->dir) == 0 ? XR_OK : xr_fail_errno(err, "cannot write the directory");
}

static void close_session(struct xr_session *s)
{
    (void)close(s->dir);
    free(s);
}

static enum xr_status open_session(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = xr_new(1, sizeof(*s));
    enum xr_status status = XR_OK;
    struct stat st;

    s->host = host;
    s->dir = open(target->location, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir < 0)
        status = xr_fail_errno(err, "cannot open %s", target->location);
    else if (fstat(s->dir, &st) == 0)
        (void)snprintf(caps->identity, sizeof(caps->identity), "%ju:%ju", (uintmax_t)st.st_dev,
                       (uintmax_t)st.st_ino);
    caps->places[XR_ANCHOR] = caps->places[XR_INTERMEDIATE] = XR_ENFORCED;
    caps->purposes = XR_ANY_PURPOSE;
    caps->atomic = true;
    caps->writable = status == XR_OK && faccessat(s->dir, ".", W_OK | X_OK, AT_EACCESS) == 0;
    caps->needs_privilege = !caps->writable && errno == EACCES && geteuid() != 0;
    if (!caps->writable)
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s", strerror(errno));
    if (caps->writable && mode == XR_WRITE)
        status = host->lock(s->dir, XR_LOCK_MS, target->location, err);
    *out = status == XR_OK ? s : NULL;
    if (status != XR_OK)
        close_session(s);
    return status;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    return XR_OK; /* stores are used only if they are named */
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(table),
    .name = "toy",
    .summary = "certificates as files in a directory",
    .flags = XR_BACKEND_PATHS,
    .discover = discover,
    .open = open_session,
    .close = close_session,
    .list = list,
    .swap = swap,
    .flush = flush,
};

XR_BACKEND(table);
