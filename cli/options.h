/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CLI_OPTIONS_H
#define XR_CLI_OPTIONS_H

#include <crossroot/crossroot.h>

struct words {
    const char **items;
    size_t count;
};

/* The parsed command line; strings belong to argv. */
struct options {
    enum xr_verb verb;
    bool has_verb, help, version, json, quiet, verbose;
    bool yes, dry_run, best_effort, drop_constraints, key, require_verified, all_or_nothing,
        managed;
    bool has_place;
    enum xr_place place;
    uint32_t purposes;
    const char *host, *root, *state, *worker, *layout, *nss;
    bool updater_distro, rebuild, only;
    bool has_password_fd;
    int password_fd;
    int64_t at;
    unsigned scope;
    struct words operands, stores, excluded, plugins, pins, published, untrusted, serials;
};

/* False with one line (allocated) that says what is wrong, perhaps with a suggestion. */
bool options_parse(struct options *out, int argc, char **argv, char **why);
void options_free(struct options *options);

/* help.c */
void help_all(FILE *out);
void help_verb(enum xr_verb verb, FILE *out);

#endif
