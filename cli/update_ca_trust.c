/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of Fedora's update-ca-trust (its package ca-certificates, 2024.2.69, of Fedora 41 to 43): the
 * same commands, options and exit codes. See docs/ca-certificates.md for what differs.
 */
#include "update_ca.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXTRACTED "/etc/pki/ca-trust/extracted"

static int usage(const char *name)
{
    (void)fprintf(stderr,
                  "Usage: %s [extract] [-o DIR|--output=DIR]\n"
                  "\n"
                  "Makes the files that programs read, below " EXTRACTED ",\n"
                  "from what lies in /usr/share/pki/ca-trust-source and\n"
                  "/etc/pki/ca-trust/source.\n"
                  "\n"
                  "-o DIR, --output=DIR: makes them below DIR instead.\n",
                  name);
    return 1;
}

struct options {
    const char *output;
    bool legacy;
};

static bool parse(struct options *out, int argc, char **argv)
{
    static const char equals[] = "--output=";

    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if ((strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0) && i + 1 < argc)
            out->output = argv[++i];
        else if (strncmp(argv[i], equals, strlen(equals)) == 0)
            out->output = argv[i] + strlen(equals);
        else if (strcmp(argv[i], "--rhbz2387674") == 0)
            out->legacy = true;
        else
            return false;
    }
    return true;
}

/* Places where older releases had the bundles; what has these names stays. */
static bool make_legacy_links(void)
{
    static const struct {
        const char *path, *target;
    } links[] = {
        {"/etc/pki/tls/cert.pem", EXTRACTED "/pem/tls-ca-bundle.pem"},
        {"/etc/pki/tls/certs/ca-bundle.crt", EXTRACTED "/pem/tls-ca-bundle.pem"},
        {"/etc/pki/tls/certs/ca-certificates.crt", EXTRACTED "/pem/tls-ca-bundle.pem"},
        {"/etc/pki/tls/certs/ca-bundle.trust.crt", EXTRACTED "/openssl/ca-bundle.trust.crt"},
        {"/etc/ssl/cert.pem", "/etc/pki/tls/cert.pem"},
    };
    bool ok = true;

    for (size_t i = 0; ok && i < sizeof(links) / sizeof(links[0]); i++)
        ok = symlink(links[i].target, links[i].path) == 0 || errno == EEXIST;
    return ok;
}

/* Allocated; NULL: see errno. */
static char *absolute(const char *path)
{
    char *here = path[0] == '/' ? strdup("") : getcwd(NULL, 0);
    char *out = here != NULL ? update_ca_join(here, path) : NULL;

    free(here);
    return out;
}

static int failed(const char *name, const char *what)
{
    (void)fprintf(stderr, "%s: %s: %s\n", name, what, strerror(errno));
    return 1;
}

static int extract(const struct options *o, const char *name)
{
    struct xr_places places = {.size = sizeof(places)};
    char *path = NULL;
    struct stat st;
    struct xr_report *report = NULL;
    int code = 0;

    if (o->output == NULL) {
        if (stat(EXTRACTED, &st) != 0)
            return failed(name, EXTRACTED);
    } else {
        path = absolute(o->output);
        if (path == NULL)
            return failed(name, o->output);
        places.extracted = path;
    }
    report = update_ca_run("fedora", NULL, &places, false);
    code = update_ca_exit(name, report);
    xr_report_free(report);
    free(path);
    if (code == 0 && o->legacy && !make_legacy_links())
        code = failed(name, "links to the bundles");
    return code;
}

int main(int argc, char **argv)
{
    const char *name = update_ca_name(argv);
    struct options o = {0};
    bool command = argc > 1 && argv[1][0] != '-';

    if (command && strcmp(argv[1], "extract") != 0) {
        (void)fprintf(stderr, "Error: Unknown command: %s\n\n", argv[1]);
        return usage(name);
    }
    if (!parse(&o, argc - 1 - command, argv + 1 + command))
        return usage(name);
    if (o.output != NULL && o.output[0] == '\0') /* as without it */
        o.output = NULL;
    return extract(&o, name);
}
