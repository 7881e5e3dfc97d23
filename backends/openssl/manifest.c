/* SPDX-License-Identifier: Apache-2.0 */
/* .crossroot, which says what in the store is ours; see openssl.c. */
#include "store.h"

#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_HEAD "crossroot 1\n"

bool od_read_small(struct xr_buf *out, int dir, const char *name)
{
    struct stat st;
    int fd = xr_open_regular(dir, name, &st);
    bool ok = fd >= 0 && xr_read_whole(out, fd, FILE_MAX_BYTES);

    if (fd >= 0)
        (void)close(fd);
    return ok;
}

void od_read_manifest(struct xr_session *s)
{
    struct xr_buf text = {0};
    char *save = NULL;

    s->made_top = s->has_manifest = false;
    s->gone_written = 0;
    memset(s->made, 0, sizeof(s->made));
    memset(s->bundle_ours, 0, sizeof(s->bundle_ours));
    memset(s->saved, 0, sizeof(s->saved));
    xr_strings_free(&s->gone);
    if (s->dir >= 0 && od_read_small(&text, s->dir, MANIFEST) && text.len > 0) {
        s->has_manifest = true;
        for (char *line = strtok_r(text.data, "\n", &save); line != NULL;
             line = strtok_r(NULL, "\n", &save)) {
            s->made_top = s->made_top || strcmp(line, "dir .") == 0;
            /* A crash may have cut the last one: then it names another file. */
            if (strncmp(line, "gone ", 5) == 0 && line + strlen(line) < text.data + text.len)
                xr_strings_add(&s->gone, line + 5);
            for (size_t i = 0; i < SHAPES; i++) {
                if (strncmp(line, "dir ", 4) == 0 && strcmp(line + 4, od_shapes[i].dir) == 0)
                    s->made[i] = true;
                if (od_shapes[i].bundle != NULL && strncmp(line, "file ", 5) == 0 &&
                    strcmp(line + 5, od_shapes[i].bundle) == 0)
                    s->bundle_ours[i] = true;
                if (od_shapes[i].bundle != NULL && strncmp(line, "saved ", 6) == 0 &&
                    strcmp(line + 6, od_shapes[i].bundle) == 0)
                    s->saved[i] = true;
            }
        }
    }
    xr_buf_free(&text);
}

static unsigned flags_of(const struct xr_session *s)
{
    unsigned flags = s->made_top;

    for (size_t i = 0; i < SHAPES; i++)
        flags = flags << 3 | (unsigned)s->made[i] << 2 | (unsigned)s->bundle_ours[i] << 1 |
                (unsigned)s->saved[i];
    return flags;
}

enum xr_status od_write_manifest(struct xr_session *s, struct xr_error *err)
{
    struct xr_buf want = {0}, have = {0};
    enum xr_status status = XR_OK;

    /* Thousands of removals are not to be compared again for each step. */
    if (s->gone_written > 0 && s->gone_written == s->gone.count && s->flags_written == flags_of(s))
        return XR_OK;
    xr_buf_str(&want, MANIFEST_HEAD);
    if (s->made_top)
        xr_buf_str(&want, "dir .\n");
    for (size_t i = 0; i < SHAPES; i++) {
        if (s->made[i])
            xr_buf_fmt(&want, "dir %s\n", od_shapes[i].dir);
        if (s->bundle_ours[i])
            xr_buf_fmt(&want, "file %s\n", od_shapes[i].bundle);
        if (s->saved[i])
            xr_buf_fmt(&want, "saved %s\n", od_shapes[i].bundle);
    }
    for (size_t i = 0; i < s->gone.count; i++)
        xr_buf_fmt(&want, "gone %s\n", s->gone.items[i]);
    if (!od_read_small(&have, s->dir, MANIFEST) || have.len != want.len ||
        memcmp(have.data, want.data, want.len) != 0) {
        status = s->host->write_atomic(
            s->dir, MANIFEST, (struct xr_bytes){(const unsigned char *)want.data, want.len}, 0644,
            err);
        s->dirty = true;
        /* Before anything that it names: its own name too. */
        if (status == XR_OK && fsync(s->dir) != 0)
            status = xr_fail_errno(err, "cannot make %s durable", MANIFEST);
    }
    if (status == XR_OK)
        s->has_manifest = true;
    s->gone_written = status == XR_OK ? s->gone.count : 0;
    s->flags_written = flags_of(s);
    xr_buf_free(&want);
    xr_buf_free(&have);
    return status;
}

/* Only to a file that is what we wrote: no link, and no second name of another one. */
static bool append(const struct xr_session *s, const char *line, size_t len)
{
    struct stat st;
    int fd = openat(s->dir, MANIFEST, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
                write(fd, line, len) == (ssize_t)len && fdatasync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return good;
}

enum xr_status od_write_gone(struct xr_session *s, const char *path, struct xr_error *err)
{
    bool current =
        s->gone_written > 0 && s->gone_written == s->gone.count && s->flags_written == flags_of(s);
    struct xr_buf line = {0};

    xr_strings_add(&s->gone, path);
    xr_buf_fmt(&line, "gone %s\n", path);
    /* Whatever goes wrong, all of it can be written anew. */
    s->gone_written = current && append(s, line.data, line.len) ? s->gone.count : 0;
    xr_buf_free(&line);
    return od_write_manifest(s, err);
}
