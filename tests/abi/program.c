/* SPDX-License-Identifier: Apache-2.0 */
/* abi-program PLUGIN STATE STORE CERTIFICATE: a program that was compiled when the frozen headers were
 * those of the day: installs the certificate with that plugin, then lists the store as JSON. */
#include <crossroot/crossroot.h>

static int run(enum xr_verb verb, char **argv, FILE *out)
{
    const char *const plugins[] = {argv[1]}, *const stores[] = {argv[3]},
                      *const files[] = {argv[4]};
    const struct xr_site site = {.size = sizeof(site)};
    const struct xr_request rq = {.size = sizeof(rq),
                                  .verb = verb,
                                  .operands = {files, verb == XR_VERB_INSTALL},
                                  .stores = {stores, 1},
                                  .plugins = {plugins, 1},
                                  .site = &site,
                                  .scope = XR_SCOPE_USER,
                                  .state_dir = argv[2],
                                  .worker = argv[5],
                                  .now = 1800000000,
                                  .yes = true};
    struct xr_report *report = xr_run_request(&rq);
    const struct xr_text_style style = {.size = sizeof(style)};
    int code = xr_report_exit(report);

    if (out != NULL)
        xr_report_json(report, out);
    xr_report_messages(report, &style, stderr);
    xr_report_free(report);
    return code;
}

int main(int argc, char **argv)
{
    const struct xr_request empty = {.size = 0};
    struct xr_report *report = NULL;
    int code = 0;

    if (argc != 6)
        return 2;
    report = xr_run_request(&empty); /* a size of 0 is a mistake, and nothing is done */
    code = xr_report_exit(report);
    xr_report_free(report);
    if (code != XR_EXIT_USAGE)
        return 90;
    code = run(XR_VERB_INSTALL, argv, NULL);
    return code != 0 ? code : run(XR_VERB_LIST, argv, stdout);
}
