/* SPDX-License-Identifier: Apache-2.0 */
/* Makes outputs match the sources, whatever changed them, and runs the distribution's hooks. */
#include "../sources/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The file with what hooks must still be told if we are killed between outputs and hooks. */
#define PENDING ".crossroot-hooks"

void ca_clear_all_temps(const struct xr_session *s)
{
    const struct ca_layout *layout = s->layout;

    ca_clear_source_temps(s);
    if (layout->conf != NULL) {
        char *dir = xr_memdup(layout->conf, (size_t)(ca_name(layout->conf) - layout->conf) - 1);

        ca_clear_temps(s, dir);
        free(dir);
    }
    if (layout->directory != NULL)
        ca_clear_temps(s, layout->directory);
    if (layout->copies.to != NULL)
        ca_clear_temps(s, layout->copies.to);
    for (size_t i = 0; i < CA_OUTPUTS_MAX && layout->outputs[i].path != NULL; i++) {
        const char *path = layout->outputs[i].path;
        char *dir = xr_memdup(path, (size_t)(ca_name(path) - path) - 1);

        ca_clear_temps(s, dir);
        if (xr_format_is_directory(layout->outputs[i].ask.format))
            ca_clear_temps(s, path);
        free(dir);
    }
}

static char *pending_path(const struct xr_session *s)
{
    return xr_format("%s/%s", s->layout->directory ? s->layout->directory : s->layout->lock,
                     PENDING);
}

/* Combines what an interrupted run did not tell the hooks with what this one adds. */
static enum xr_status owe(struct xr_session *s, struct xr_buf *changed, bool *owed,
                          struct xr_error *err)
{
    char *path = pending_path(s);
    struct xr_buf before = {0};
    struct xr_error why = {0};
    int fd = -1;
    enum xr_status status = XR_OK;

    *owed = ca_read(&before, NULL, s, path, NULL) == XR_OK;
    if (*owed) {
        xr_buf_add(&before, changed->data, changed->len);
        xr_buf_free(changed);
        *changed = before;
    }
    fd = ca_open_parent(s, path);
    if (fd < 0)
        status = xr_fail_errno(err, "cannot open the directory of /%s", path);
    else
        status = s->host->write_atomic(
            fd, PENDING, (struct xr_bytes){(const unsigned char *)changed->data, changed->len},
            0600, &why);
    if (fd >= 0 && status != XR_OK)
        (void)xr_error_set(err, status, why.domain, why.code, "/%s: %s", path, why.text);
    if (fd >= 0)
        (void)close(fd);
    free(path);
    return status;
}

static void settle(const struct xr_session *s)
{
    char *path = pending_path(s);
    int fd = ca_open_parent(s, path);

    if (fd >= 0) {
        (void)unlinkat(fd, PENDING, 0);
        (void)close(fd);
    }
    free(path);
}

bool ca_owes(const struct xr_session *s)
{
    char *path = pending_path(s);
    struct stat st;
    bool owes = s->live && s->layout->hooks[0] != NULL && ca_stat(&st, s, path, false);

    free(path);
    return owes;
}

/* Says beside a success what readers may take differently. */
static void note_blocklists(struct xr_session *s, struct xr_error *err)
{
    char *remark = s->layout->family == CA_P11 ? ca_blocklist_remark(s) : NULL;
    struct xr_error said;

    if (remark == NULL || err == NULL)
        goto out;
    said = *err;
    (void)xr_fail(err, XR_OK, "%s%s%s", remark, said.text[0] != '\0' ? "; " : "", said.text);
out:
    free(remark);
}

static enum xr_status make_outputs(struct xr_session *s, struct xr_error *err)
{
    struct ca_edits edits = {0};
    struct xr_buf changed = {0};
    bool hooks = s->live && s->layout->hooks[0] != NULL, owed = ca_owes(s);
    enum xr_status status = XR_OK;

    xr_strings_free(&s->remarks);
    if (s->layout->family == CA_LIST)
        ca_list_outputs(&edits, &changed, s);
    else if (s->layout->family == CA_P11)
        ca_p11_outputs(&edits, s);
    if (status == XR_OK && hooks && (edits.count > 0 || owed))
        status = owe(s, &changed, &owed, err);
    if (status == XR_OK && edits.count > 0)
        status = ca_make(&edits, s, err);
    if (status == XR_WARNED && err != NULL)
        xr_strings_add(&s->remarks, err->text);
    if (status == XR_WARNED)
        status = XR_OK;
    if (status == XR_OK && hooks && (edits.count > 0 || owed)) {
        status = ca_run_hooks(s, &changed, err);
        s->fresh = s->sure = false;
        if (status == XR_OK)
            settle(s); /* else the next flush runs it again */
    }
    if (status == XR_OK && s->remarks.count > 0)
        status = xr_fail(err, XR_WARNED, "%s", s->remarks.items[0]);
    if (status == XR_OK && edits.count > 0)
        (void)xr_fail(err, XR_OK,
                      "outputs that were out of date and have been "
                      "rebuilt: %zu",
                      edits.count);
    if (status == XR_OK)
        note_blocklists(s, err);
    ca_edits_free(&edits);
    xr_buf_free(&changed);
    return status;
}

enum xr_status ca_flush(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (s->lock < 0)
        return XR_OK;
    ca_clear_all_temps(s);
    status = ca_sync_sources(s, err);
    if (status == XR_OK && s->updater_distro) {
        s->fresh = s->sure = false;
        status = ca_run_updater(s, err);
        s->updater_distro = status == XR_OK; /* what it left half done, the next flush makes good */
        return status;
    }
    if (status == XR_OK && !s->loaded) {
        status = ca_load(s, err);
        s->fresh = status == XR_OK;
    }
    return status == XR_OK ? make_outputs(s, err) : status;
}
