/* SPDX-License-Identifier: Apache-2.0 */
/* Beginning and end of a session over source directories, its lock, whether it may write, and what is
 * durable and tidy after it did. */
#include "sources.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A directory of our own that is 0555, as p11-kit leaves its own, can be opened for a while. */
static bool own(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_uid == geteuid();
}

/* May path, or the directory in which it would be made, be written? If not, errno or *fixed says
 * why. */
static bool can_write(const struct xr_session *s, const char *path, const char **fixed)
{
    char *at = xr_strdup(path);
    bool ok = false;

    for (;;) {
        int fd = ca_open(s, at, O_RDONLY | O_DIRECTORY);
        char *slash = NULL;

        if (fd >= 0) {
            *fixed = xr_why_fixed(fd, ".");
            ok = *fixed == NULL &&
                 (faccessat(fd, ".", W_OK, AT_EACCESS) == 0 || (errno == EACCES && own(fd)));
            (void)close(fd);
            break;
        }
        slash = strrchr(at, '/');
        if (errno != ENOENT || at[0] == '\0')
            break;
        *(slash != NULL ? slash : at) = '\0';
    }
    free(at);
    return ok;
}

/* ostree keeps what is to become /etc in /usr/etc, and makes an /etc when it deploys the tree. One of
 * ours would be taken for that. */
static bool is_undeployed(const struct xr_session *s, const char *path)
{
    struct stat st;

    return strncmp(path, "etc/", 4) == 0 && !ca_stat(&st, s, "etc", false) && errno == ENOENT &&
           ca_stat(&st, s, "usr/etc", true) && S_ISDIR(st.st_mode);
}

bool ca_may_write(const struct xr_session *s, const char *path, struct xr_caps *caps)
{
    struct xr_error err = {0};
    const char *fixed = NULL;

    if (path == NULL || caps->why_not[0] != '\0')
        return true;
    if (is_undeployed(s, path)) {
        (void)snprintf(
            caps->why_not, sizeof(caps->why_not),
            N_("this tree keeps its configuration in /usr/etc and has no /etc, as with ostree "
               "before a deployment: change the image that it is made from, or the deployed "
               "system"));
        return false;
    }
    if (!ca_own_links(s, path, &err)) {
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%.255s", err.text);
        return false;
    }
    if (can_write(s, path, &fixed))
        return true;
    caps->needs_privilege = fixed == NULL && errno == EACCES && geteuid() != 0;
    (void)snprintf(caps->why_not, sizeof(caps->why_not), "/%s: %s", path,
                   fixed != NULL ? fixed : strerror(errno));
    return false;
}

void ca_identify(char *out, size_t size, const struct xr_session *s, const char *path)
{
    struct stat st;

    if (ca_stat(&st, s, path, true))
        (void)snprintf(out, size, "%llu:%llu", (unsigned long long)st.st_dev,
                       (unsigned long long)st.st_ino);
}

/* The directory exists. */
static enum xr_status take_lock(struct xr_session *s, unsigned wait_ms, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    char *name = NULL;

    s->lock = ca_open(s, s->layout->lock, O_RDONLY | O_DIRECTORY);
    if (s->lock < 0)
        return xr_fail_errno(err, "cannot lock /%s", s->layout->lock);
    name = xr_format("/%s", s->layout->lock);
    status = s->host->lock(s->lock, wait_ms, name, err);
    free(name);
    if (status != XR_OK)
        ca_unlock(s);
    return status;
}

enum xr_status ca_lock(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = ca_make_dirs(s, s->layout->lock, 0755, err);

    return status == XR_OK ? take_lock(s, XR_LOCK_MS, err) : status;
}

bool ca_try_lock(struct xr_session *s)
{
    return take_lock(s, 0, NULL) == XR_OK;
}

void ca_unlock(struct xr_session *s)
{
    if (s->lock >= 0)
        (void)close(s->lock);
    s->lock = -1;
    s->sure = false;
}

const struct ca_layout *ca_detect(const struct xr_session *s)
{
    int code = 0;

    for (size_t i = 0; i < ca_layout_count; i++) {
        for (size_t k = 0; k < sizeof(ca_layouts[i].signs) / sizeof(ca_layouts[i].signs[0]); k++) {
            struct stat st;

            if (ca_layouts[i].signs[k] == NULL)
                continue;
            if (ca_stat(&st, s, ca_layouts[i].signs[k], true) && code == 0)
                return &ca_layouts[i];
            if (ca_cannot_look(errno))
                code = errno;
            errno = 0;
        }
    }
    errno = code;
    return NULL;
}

void ca_session_free(struct xr_session *s)
{
    ca_unload(s);
    ca_index_free(s);
    xr_idmap_free(&s->touched);
    xr_strings_free(&s->remarks);
    xr_strings_free(&s->dirty_dirs);
    ca_unlock(s);
    xr_idmap_free(&s->leaving);
    xr_idmap_free(&s->coming);
    xr_idmap_free(&s->local);
    ca_left_free(s);
    free(s->unaccounted);
    free(s->unpublished);
    if (s->root >= 0)
        (void)close(s->root);
    free(s->location);
    free(s->blocklist);
    xr_buf_free(&s->bundle.text);
    free(s->bundle.of);
    free(s->moved);
    xr_strings_free(&s->moved_paths);
    free(s);
}

struct xr_session *ca_session_new(const struct xr_host *host, const char *location)
{
    struct xr_session *s = xr_new(1, sizeof(*s));

    s->host = s->p11.host = host;
    s->location = xr_strdup(location);
    s->lock = -1;
    s->live = strcmp(location, "/") == 0;
    s->root = open(location, O_PATH | O_DIRECTORY | O_CLOEXEC | (s->live ? 0 : O_NOFOLLOW));
    return s;
}

enum xr_status ca_sync_sources(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < s->dirty_dirs.count; i++) {
        int fd = ca_open(s, s->dirty_dirs.items[i], O_RDONLY | O_DIRECTORY);

        if ((fd < 0 && errno != ENOENT) || (fd >= 0 && fsync(fd) != 0))
            status = xr_fail_errno(err, "cannot make /%s durable", s->dirty_dirs.items[i]);
        if (fd >= 0)
            (void)close(fd);
    }
    xr_strings_free(&s->dirty_dirs);
    return status;
}

static void clear_temp(void *ctx, int dir, const struct dirent *entry)
{
    (void)ctx;
    if (strncmp(entry->d_name, XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0)
        (void)unlinkat(dir, entry->d_name, 0);
}

void ca_clear_temps(const struct xr_session *s, const char *dir)
{
    ca_scan(s, dir, clear_temp, NULL);
}

void ca_clear_source_temps(const struct xr_session *s)
{
    const struct ca_layout *layout = s->layout;

    ca_clear_temps(s, layout->anchors);
    for (size_t i = 0; i < CA_TOKENS_MAX && layout->tokens[i].path != NULL; i++) {
        const char *token = layout->tokens[i].path;
        char *anchors = xr_format("%s/anchors", token);

        if (!layout->tokens[i].vendor) {
            ca_clear_temps(s, token);
            ca_clear_temps(s, anchors);
            for (size_t k = 0; k < CA_BLOCKLISTS; k++) {
                char *blocklist = xr_format("%s/%s", token, ca_blocklists[k]);

                ca_clear_temps(s, blocklist);
                free(blocklist);
            }
        }
        free(anchors);
    }
}
