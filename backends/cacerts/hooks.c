/* SPDX-License-Identifier: Apache-2.0 */
/* The distribution's own programs, on a running system only: hooks after a change, or its update
 * command in place of our outputs. Nothing in an image is ever run. */
#include "../sources/sources.h"

#include <stdlib.h>
#include <unistd.h>

#define HOOK_LIMIT_MS    120000u
#define UPDATER_LIMIT_MS 600000u

/* run-parts(8) without options: letters, digits, _ and -. */
static bool run_parts_name(const char *name)
{
    return name[0] != '\0' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
               '\0';
}

static bool dot_run_name(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".run") == 0;
}

static bool own_hook(const struct ca_layout *layout, const char *name)
{
    for (size_t i = 0; i < sizeof(layout->own_hooks) / sizeof(layout->own_hooks[0]); i++) {
        if (layout->own_hooks[i] != NULL && strcmp(layout->own_hooks[i], name) == 0)
            return true;
    }
    return false;
}

/* An administrator's hook replaces the packaged one with the same name. */
static bool overridden(const struct xr_session *s, size_t dir, const char *name)
{
    for (size_t i = 0; i < dir; i++) {
        char *path = xr_format("%s/%s", s->layout->hooks[i], name);
        struct stat st;
        bool there = ca_stat(&st, s, path, false);

        free(path);
        if (there)
            return true;
    }
    return false;
}

static enum xr_status run(const struct xr_session *s, const char *const *argv, struct xr_bytes in,
                          unsigned limit_ms, struct xr_error *err)
{
    struct xr_command command = {
        .size = sizeof(command), .argv = argv, .input = in, .limit_ms = limit_ms};
    int code = 0;
    enum xr_status status = XR_OK;

    command.directory = s->layout->hooks_cwd;
    command.env = s->layout->hooks_env[0] != NULL ? s->layout->hooks_env : NULL;
    status = s->host->run(&code, &command, err);
    if (status == XR_OK && code != 0)
        status = command.said[0]
                     ? xr_fail(err, XR_FAILED, "%s exited with %d: %s", argv[0], code, command.said)
                     : xr_fail(err, XR_FAILED, "%s exited with %d", argv[0], code);
    return status;
}

enum xr_status ca_run_hooks(struct xr_session *s, const struct xr_buf *changed,
                            struct xr_error *err)
{
    struct xr_bytes in = {(const unsigned char *)changed->data, changed->len};
    enum xr_status status = XR_OK;

    for (size_t d = 0; d < 2 && s->layout->hooks[d] != NULL; d++) {
        struct xr_strings names = {0};

        ca_names(&names, s, s->layout->hooks[d]);
        for (size_t i = 0; i < names.count; i++) {
            const char *name = names.items[i];
            char *path = xr_format("/%s/%s", s->layout->hooks[d], name);
            const char *argv[] = {path, NULL};
            struct stat st;
            struct xr_error why = {0};

            if ((s->layout->hooks_dot_run ? dot_run_name(name) : run_parts_name(name)) &&
                !own_hook(s->layout, name) && !overridden(s, d, name) &&
                ca_stat(&st, s, path + 1, true) && S_ISREG(st.st_mode) && (st.st_mode & 0111) &&
                run(s, argv, in, HOOK_LIMIT_MS, &why) != XR_OK && status == XR_OK)
                status = xr_fail(err, XR_WARNED,
                                 "the outputs are in place, but the hook failed: %.380s (the next "
                                 "change, or crossroot recover, runs it again)",
                                 why.text);
            free(path);
        }
        xr_strings_free(&names);
    }
    return status;
}

enum xr_status ca_run_updater(struct xr_session *s, struct xr_error *err)
{
    return run(s, s->layout->updater, (struct xr_bytes){0}, UPDATER_LIMIT_MS, err);
}
