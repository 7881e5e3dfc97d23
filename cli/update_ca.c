/* SPDX-License-Identifier: Apache-2.0 */
#include "update_ca.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

const char *update_ca_name(char **argv)
{
    const char *file = (const char *)(uintptr_t)getauxval(AT_EXECFN);

    return file != NULL ? file : argv[0];
}

char *update_ca_join(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 2;
    char *out = malloc(size);

    if (out == NULL)
        abort();
    (void)snprintf(out, size, "%s/%s", a, b);
    return out;
}

struct xr_report *update_ca_run(const char *layout, const char *root,
                                const struct xr_places *places, bool anew)
{
    static const char *const stores[] = {"ca-certificates"};
    const struct xr_site site = {
        .size = sizeof(site), .root = root, .uid = geteuid(), .layout = layout, .places = places};
    const struct xr_request request = {.size = sizeof(request),
                                       .verb = XR_VERB_REFRESH,
                                       .stores = {stores, 1},
                                       .site = &site,
                                       .scope = XR_SCOPE_SYSTEM,
                                       .anew = anew};

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            abort();
    }
    return xr_run_request(&request);
}

bool update_ca_said(const struct xr_report *report, size_t at, struct xr_report_refreshed *out)
{
    *out = (struct xr_report_refreshed){.size = sizeof(*out)};
    return xr_report_refreshed(report, 0, at, out);
}

int update_ca_exit(const char *name, const struct xr_report *report)
{
    struct xr_report_message message = {.size = sizeof(message)};
    struct xr_report_refreshed said;

    for (size_t i = 0; xr_report_message(report, i, &message); i++) {
        if (message.level >= XR_WARNING)
            (void)fprintf(stderr, "%s: %s\n", name, message.text);
    }
    for (size_t i = 0; update_ca_said(report, i, &said); i++) {
        if (said.what == XR_REFRESHED_REMARK)
            (void)fprintf(stderr, "%s: %s\n", name, said.text);
    }
    return xr_report_exit(report) == XR_EXIT_OK ? 0 : 1;
}
