/* SPDX-License-Identifier: Apache-2.0 */
/* A program as somebody else would write it: only the installed header and library. */
#include <crossroot/crossroot.h>

int main(int argc, char **argv)
{
    const char *files[] = {argv[argc - 1]};
    struct xr_site site = {.size = sizeof(site)};
    struct xr_request rq = {.size = sizeof(rq), .verb = XR_VERB_INSPECT};
    struct xr_report *report = NULL;
    int code = 0;

    rq.operands = (struct xr_words){files, 1};
    rq.site = &site;
    report = xr_run_request(&rq);
    xr_report_json(report, stdout);
    code = xr_report_exit(report);
    xr_report_free(report);
    return code;
}
