/* SPDX-License-Identifier: Apache-2.0 */
/* What update-ca-certificates and update-ca-trust share: both have the library do the work, and say of it
 * what the commands say whose places they take. */
#ifndef XR_CLI_UPDATE_CA_H
#define XR_CLI_UPDATE_CA_H

#include <crossroot/crossroot.h>

/* How the program was called, as $0 of a script. */
const char *update_ca_name(char **argv);
/* "A/B", allocated. Without memory the process ends. */
char *update_ca_join(const char *a, const char *b);
/* Makes what programs read from the sources. root: directory of an image, or NULL. Standard streams that
 * are closed lead nowhere from then on. */
struct xr_report *update_ca_run(const char *layout, const char *root,
                                const struct xr_places *places, bool anew);
/* The exit code: 0, or 1 and why to stderr. */
int update_ca_exit(const char *name, const struct xr_report *report);
/* The at-th thing said of the store; false at the end. */
bool update_ca_said(const struct xr_report *report, size_t at, struct xr_report_refreshed *out);

#endif
