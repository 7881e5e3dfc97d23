/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of Debian's update-ca-certificates (its package ca-certificates, 20230311 and 20250419): the
 * same options, output, exit codes and hooks. See docs/ca-certificates.md for what differs.
 */
#include "update_ca.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
    bool verbose, fresh, all, help;
    const char *list, *packaged, *local, *bundle, *published, *hooks, *sysroot;
};

static const struct value {
    const char *name;
    size_t at;
} values[] = {
    {"--certsconf", offsetof(struct options, list)},
    {"--certsdir", offsetof(struct options, packaged)},
    {"--localcertsdir", offsetof(struct options, local)},
    {"--certbundle", offsetof(struct options, bundle)},
    {"--etccertsdir", offsetof(struct options, published)},
    {"--hooksdir", offsetof(struct options, hooks)},
    {"--sysroot", offsetof(struct options, sysroot)},
};

/* Does the word take the next one? */
static const char **value_of(struct options *out, const char *word)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strcmp(word, values[i].name) == 0)
            return (const char **)(void *)((char *)out + values[i].at);
    }
    return NULL;
}

static bool parse(struct options *out, int argc, char **argv)
{
    for (int i = 1; i < argc && !out->help; i++) {
        const char **value = value_of(out, argv[i]);

        if (value != NULL && i + 1 == argc) {
            (void)fprintf(stderr, "%s: %s needs a value\n", update_ca_name(argv), argv[i]);
            return false;
        }
        if (value != NULL)
            *value = argv[++i];
        else if (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "-v") == 0)
            out->verbose = true;
        else if (strcmp(argv[i], "--fresh") == 0 || strcmp(argv[i], "-f") == 0)
            out->fresh = true;
        else if (strcmp(argv[i], "--default") == 0 || strcmp(argv[i], "-d") == 0)
            out->all = out->fresh = true;
        else
            out->help = true; /* whatever it is */
    }
    return true;
}

static char *within(const struct options *o, const char *path)
{
    return update_ca_join(o->sysroot != NULL ? o->sysroot : "", path);
}

static bool empty(const struct options *o)
{
    char *path = within(o, o->list);
    struct stat st;
    bool is = stat(path, &st) != 0 || st.st_size == 0;

    free(path);
    return is;
}

/* ---- what is said ---- */

static size_t count(const struct xr_report *report, enum xr_refreshed what)
{
    struct xr_report_refreshed said;
    size_t found = 0;

    for (size_t i = 0; update_ca_said(report, i, &said); i++)
        found += said.what == what;
    return found;
}

static bool is_hash_link(const char *name)
{
    size_t len = strspn(name, "0123456789abcdef");

    if (len != 8 || name[8] != '.')
        return false;
    name += name[9] == 'r' ? 10 : 9;
    return name[0] != '\0' && name[strspn(name, "0123456789")] == '\0';
}

static int only_hash_links(const struct dirent *entry)
{
    return is_hash_link(entry->d_name);
}

/* As openssl rehash -v, which says it of every link. */
static void say_links(void)
{
    struct dirent **names = NULL;
    int found = scandir(".", &names, only_hash_links, alphasort);

    (void)puts("Doing .");
    for (int i = 0; i < found; i++) {
        char target[4096];
        ssize_t len = readlink(names[i]->d_name, target, sizeof(target));

        if (len > 0 && memchr(target, '/', (size_t)len) == NULL)
            (void)printf("link %.*s -> %s\n", (int)len, target, names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

static void say(const struct options *o, const struct xr_report *report)
{
    struct xr_report_refreshed said;
    size_t added = count(report, XR_REFRESHED_ADDED);
    size_t removed = count(report, XR_REFRESHED_REMOVED);

    for (size_t i = 0; update_ca_said(report, i, &said); i++) {
        if (said.what == XR_REFRESHED_MISSING)
            (void)fprintf(stderr, "W: %s not found, but listed in %s.\n", said.text, o->list);
        else if (said.what == XR_REFRESHED_SKIPPED)
            (void)fprintf(
                stderr,
                "rehash: warning: skipping %s,it does not contain exactly one certificate "
                "or CRL\n",
                said.text);
        else if (said.what == XR_REFRESHED_ORPHAN && o->verbose)
            (void)printf("Removed orphan symlink %s\n", said.text);
    }
    if (o->verbose && o->sysroot == NULL && added + removed > 0)
        say_links();
    (void)printf("%zu added, %zu removed; done.\n", added, removed);
}

/* ---- programs ---- */

/* The exit code, as a shell has it. */
static int run(const char *const *argv, int input)
{
    int state = 0;
    pid_t child = 0;

    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        if (input >= 0 && dup2(input, STDIN_FILENO) < 0)
            _exit(126);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv); /* scripts without #! too */
        _exit(errno == ENOENT ? 127 : 126);
    }
    while (child > 0 && waitpid(child, &state, 0) < 0) {
        if (errno != EINTR)
            return 126;
    }
    if (child < 0)
        return 126;
    return WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
}

/* SELinux takes a new file's label from its directory. */
static void restore_label(const char *bundle)
{
    static const char program[] = "/sbin/restorecon";
    const char *const argv[] = {program, bundle, NULL};
    int out = -1, err = -1, null = -1;

    if (access(program, X_OK) != 0)
        return;
    (void)fflush(stdout);
    out = dup(STDOUT_FILENO);
    err = dup(STDERR_FILENO);
    null = memfd_create("restorecon", MFD_CLOEXEC);
    if (out >= 0 && err >= 0 && null >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0)
        (void)run(argv, -1);
    if (out >= 0)
        (void)dup2(out, STDOUT_FILENO);
    if (err >= 0)
        (void)dup2(err, STDERR_FILENO);
    (void)close(out);
    (void)close(err);
    (void)close(null);
}

/* ---- hooks ---- */

/* run-parts(8) without options */
static int only_hooks(const struct dirent *entry)
{
    return entry->d_name[strspn(entry->d_name, "abcdefghijklmnopqrstuvwxyz"
                                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool write_lines(int fd, const struct xr_report *report, enum xr_refreshed what, char sign)
{
    struct xr_report_refreshed said;

    for (size_t i = 0; update_ca_said(report, i, &said); i++) {
        if (said.what == what && dprintf(fd, "%c%s\n", sign, said.text) < 0)
            return false;
    }
    return true;
}

static bool run_hooks(const char *dir, const struct xr_report *report)
{
    struct dirent **names = NULL;
    struct stat st;
    int found = 0, input = -1;
    bool ok = true;

    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return true;
    (void)printf("Running hooks in %s...\n", dir);
    found = scandir(dir, &names, only_hooks, by_bytes);
    for (int i = 0; i < found; i++) {
        char *path = update_ca_join(dir, names[i]->d_name);
        const char *const argv[] = {path, NULL};
        int code = 0;

        if (ok && stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0) {
            input = memfd_create("hooks", MFD_CLOEXEC); /* its own, which it may write too */
            ok = input >= 0 && write_lines(input, report, XR_REFRESHED_ADDED, '+') &&
                 write_lines(input, report, XR_REFRESHED_REMOVED, '-') &&
                 lseek(input, 0, SEEK_SET) == 0;
            code = ok ? run(argv, input) : 0;
            (void)close(input);
            if (code != 0)
                (void)printf("E: %s exited with code %d.\n", path, code);
        }
        free(path);
        free(names[i]);
    }
    free(names);
    if (ok)
        (void)puts("done.");
    return ok;
}

/* ---- all of it ---- */

/* Exit code 2, as of a shell that cannot write there. */
static bool has_directory(const struct options *o, const char *bundle, const char *name)
{
    char *path = within(o, bundle);
    struct stat st;
    bool has = false;

    strrchr(path, '/')[1] = '\0';
    has = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (!has)
        (void)fprintf(stderr, "%s: cannot write to %s: no such directory\n", name, path);
    free(path);
    return has;
}

static int update(const struct options *o, const char *name)
{
    char *bundle =
        o->bundle[0] == '/' ? strdup(o->bundle) : update_ca_join(o->published, o->bundle);
    const struct xr_places places = {.size = sizeof(places),
                                     .list = o->list,
                                     .packaged = o->packaged,
                                     .local = o->local,
                                     .published = o->published,
                                     .bundle = bundle,
                                     .all_packaged = o->all};
    bool fresh = o->fresh || empty(o);
    char *shown = o->sysroot != NULL ? within(o, o->published) : strdup(o->published);
    struct xr_report *report = NULL;
    int code = 0;

    if (fresh)
        (void)printf("Clearing symlinks in %s...\ndone.\n", shown);
    (void)printf("Updating certificates in %s...\n", shown);
    (void)fflush(stdout);
    free(shown);
    if (!has_directory(o, bundle, name)) {
        free(bundle);
        return 2;
    }
    report = update_ca_run("debian", o->sysroot, &places, fresh);
    code = update_ca_exit(name, report);
    if (xr_report_exit(report) == XR_EXIT_PRIVILEGE)
        code = 2; /* what a shell says of a file that it cannot make */
    if (code == 0) {
        if (o->sysroot == NULL)
            restore_label(bundle);
        say(o, report);
        if (o->sysroot == NULL && !run_hooks(o->hooks, report)) {
            (void)fprintf(stderr, "%s: no memory for what hooks are told\n", name);
            code = 1;
        }
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        code = 1;
    xr_report_free(report);
    free(bundle);
    return code;
}

int main(int argc, char **argv)
{
    struct options o = {.list = "/etc/ca-certificates.conf",
                        .packaged = "/usr/share/ca-certificates",
                        .local = "/usr/local/share/ca-certificates",
                        .bundle = "ca-certificates.crt",
                        .published = "/etc/ssl/certs",
                        .hooks = "/etc/ca-certificates/update.d"};
    const char *name = update_ca_name(argv);
    char *dir = NULL;
    struct stat st;
    bool ok = false;

    if (!parse(&o, argc, argv))
        return 2;
    if (o.help) {
        (void)printf("%s: [--verbose] [--fresh]\n", name);
        return 0;
    }
    dir = within(&o, o.published);
    /* Hooks run there. */
    ok = o.sysroot != NULL ? stat(dir, &st) == 0 && S_ISDIR(st.st_mode) : chdir(o.published) == 0;
    if (!ok)
        (void)fprintf(stderr, "%s: cannot change to %s: %s\n", name, dir, strerror(errno));
    free(dir);
    return ok ? update(&o, name) : 2;
}
