/* SPDX-License-Identifier: Apache-2.0 */
/* What an output holds becomes a file or a directory, and what others have there stays theirs. */
#include "extract.h"

#include "sys/output.h"
#include "sys/sys.h"

#include <stdlib.h>

#define KEYSTORE_MAX ((size_t)64 << 20)

static void fail(struct xr_extract *x, const struct xr_error *err)
{
    x->written->state = XR_WRITTEN_FAILED;
    x->written->why = xr_visible(err->text);
}

static void set_state(struct xr_extract *x, enum xr_output_state state)
{
    struct xr_written *w = x->written;

    if (x->rq->check && state == XR_OUTPUT_NEW)
        xr_strings_add(&w->differences, N_("it is missing"));
    if (state == XR_OUTPUT_SAME)
        w->state = XR_WRITTEN_SAME;
    else if (x->rq->check)
        w->state = XR_WRITTEN_DIFFERS;
    else
        w->state = state == XR_OUTPUT_NEW ? XR_WRITTEN_NEW : XR_WRITTEN_REPLACED;
}

static enum xr_output_how how_of(const struct xr_extract *x)
{
    if (x->rq->check)
        return XR_OUTPUT_CHECK;
    if (x->only_look || x->rq->dry_run)
        return x->rq->overwrite ? XR_OUTPUT_TRY_REPLACE : XR_OUTPUT_TRY;
    return x->rq->overwrite ? XR_OUTPUT_REPLACE : XR_OUTPUT_PUT;
}

/* Keystores may hold what is not ours: it is kept, or the file is. */
static enum xr_status mix(struct xr_extract *x, struct xr_buf *content,
                          struct xr_format_cert *const *certs,
                          const struct xr_output_options *options, struct xr_error *err)
{
    struct xr_buf old = {0}, mixed = {0};
    struct xr_bytes there = {0};
    char *keeps = NULL;
    enum xr_status status = XR_OK;

    if (x->written->to_stdout || (!x->rq->update && x->format->keeps == NULL))
        return XR_OK;
    status = xr_sys_output_read(&old, x->written->path, KEYSTORE_MAX, err);
    there = (struct xr_bytes){(const unsigned char *)old.data, old.len};
    if (status == XR_ABSENT) {
        status = XR_OK;
        if (!x->rq->update)
            goto out;
        there.len = 0; /* a new one, made as an update makes it */
    }
    if (status != XR_OK)
        goto out;
    if (x->rq->update) {
        status = x->format->update(&mixed, there, certs, x->told.count, options, err);
        if (status != XR_OK && x->rq->password.data == NULL) {
            char *why = xr_strdup(err->text);

            (void)xr_fail(err, status, "%.300s; --password-fd gives its password", why);
            free(why);
        }
        if (status == XR_OK) {
            xr_buf_free(content);
            *content = mixed;
            mixed = (struct xr_buf){0};
        }
    } else if (!x->rq->check &&
               !xr_bytes_equal(
                   there, (struct xr_bytes){(const unsigned char *)content->data, content->len})) {
        if (!x->rq->overwrite)
            status = xr_fail(err, XR_REFUSED,
                             "a file is there already: --update keeps what others "
                             "put into a keystore, --overwrite replaces it");
        else
            keeps = x->format->keeps(there, options);
        if (keeps != NULL)
            status = xr_fail(err, XR_REFUSED, "%s", keeps);
    }
out:
    free(keeps);
    xr_buf_free(&mixed);
    xr_sys_wipe(&old);
    return status;
}

static void put_file(struct xr_extract *x, struct xr_buf *content)
{
    enum xr_output_state state = XR_OUTPUT_NEW;
    struct xr_error err = {0};

    if (x->written->to_stdout) {
        x->written->content = *content;
        *content = (struct xr_buf){0};
        return;
    }
    if (xr_sys_output_file(&state, x->written->path,
                           (struct xr_bytes){(const unsigned char *)content->data, content->len},
                           how_of(x), x->format->keeps != NULL, &err) != XR_OK)
        fail(x, &err);
    else
        set_state(x, state);
}

/* Is there something that must not go? What is the same already is not in the way. */
static bool is_precious(struct xr_extract *x, const struct xr_output_entry *entries, size_t count)
{
    enum xr_output_state state = XR_OUTPUT_NEW;
    struct xr_strings differences = {0};
    struct xr_error err = {0};
    char *path = xr_format("%s/%s", x->written->path,
                           x->format->precious != NULL ? x->format->precious : "");
    bool precious = x->format->precious != NULL && x->rq->overwrite && xr_sys_exists(path) &&
                    (xr_sys_output_directory(&state, x->written->path, entries, count,
                                             XR_OUTPUT_CHECK, &differences, NULL) != XR_OK ||
                     state != XR_OUTPUT_SAME);

    if (precious) {
        (void)xr_fail(&err, XR_REFUSED,
                      "the %s that is there may hold private keys; choose another directory",
                      x->format->precious);
        fail(x, &err);
    }
    xr_strings_free(&differences);
    free(path);
    return precious;
}

static void put_directory(struct xr_extract *x, const struct xr_format_files *files)
{
    struct xr_output_entry *entries = xr_new(files->count + 1, sizeof(*entries));
    enum xr_output_state state = XR_OUTPUT_NEW;
    struct xr_error err = {0};

    for (size_t i = 0; i < files->count; i++) {
        const struct xr_format_file *file = &files->items[i];

        entries[i] = (struct xr_output_entry){
            file->name,
            file->target,
            {(const unsigned char *)file->content.data, file->content.len}};
    }
    x->written->files = files->count;
    if (is_precious(x, entries, files->count)) {
        free(entries);
        return;
    }
    if (xr_sys_output_directory(&state, x->written->path, entries, files->count, how_of(x),
                                &x->written->differences, &err) != XR_OK)
        fail(x, &err);
    else
        set_state(x, state);
    free(entries);
}

void xr_extract_write(struct xr_extract *x)
{
    const struct xr_output_options options = {.host = &xr_host,
                                              .comments = x->rq->comments,
                                              .purpose = x->rq->purposes != 0 ? x->rq->purposes
                                                                              : (uint32_t)XR_SERVER,
                                              .source = &x->source,
                                              .password = x->rq->password};
    struct xr_format_files files = {0};
    struct xr_format_cert **certs = xr_new(x->told.count + 1, sizeof(*certs));
    struct xr_error err = {0};

    for (size_t i = 0; i < x->told.count; i++)
        certs[i] = &x->told.items[i].cert;
    x->format->write(&files, certs, x->told.count, &options);
    if (x->format->directory)
        put_directory(x, &files);
    else if (mix(x, &files.items[0].content, certs, &options, &err) != XR_OK)
        fail(x, &err);
    else
        put_file(x, &files.items[0].content);
    xr_format_files_free(&files);
    free(certs);
}
