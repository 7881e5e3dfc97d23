/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which directories of a token hold distrust. p11-kit's module reads one: blacklist in old releases, and
 * since then only blocklist (tried with 0.24.1). Nothing says which but the module itself. Where a
 * root has none, or several that differ, either may come: then what one of them would distrust is
 * distrusted.
 */
#include "sources.h"

#include "sys/whole.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MODULE     "pkcs11/p11-kit-trust.so"
#define MODULE_MAX ((size_t)16 << 20)

const char *const ca_blocklists[CA_BLOCKLISTS] = {"blocklist", "blacklist"};

/* ---- which of them the module reads ---- */

static void look_into(unsigned *reads, const struct xr_session *s, const char *path)
{
    struct stat st;
    struct xr_buf code = {0};
    int fd = ca_open_file(s, -1, path, &st);

    if (fd >= 0 && xr_read_whole(&code, fd, MODULE_MAX)) {
        for (size_t i = 0; i < CA_BLOCKLISTS; i++) {
            /* with the zero that ends it: the name alone is also part of messages */
            if (xr_memmem(code.data, code.len, ca_blocklists[i], strlen(ca_blocklists[i]) + 1) !=
                NULL)
                *reads |= 1u << i;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    xr_buf_free(&code);
}

struct looking {
    const struct xr_session *s;
    unsigned reads;
};

/* Debian's directories are named by the machine. */
static void look_below(void *ctx, int dir, const struct dirent *entry)
{
    struct looking *l = ctx;
    char *path = NULL;

    (void)dir;
    if (strstr(entry->d_name, "-linux-") == NULL)
        return;
    path = xr_format("usr/lib/%s/" MODULE, entry->d_name);
    look_into(&l->reads, l->s, path);
    free(path);
}

static bool module_reads(struct xr_session *s, size_t which)
{
    if (!s->module_known) {
        struct looking l = {.s = s};

        look_into(&l.reads, s, "usr/lib64/" MODULE);
        look_into(&l.reads, s, "usr/lib/" MODULE);
        ca_scan(s, "usr/lib", look_below, &l);
        s->module_reads = l.reads != 0 ? l.reads : (1u << CA_BLOCKLISTS) - 1;
        s->module_known = true;
    }
    return (s->module_reads & 1u << which) != 0;
}

/* ---- directories ---- */

/* NULL if there is none, or if it is the one before by another name. */
static char *directory(const struct xr_session *s, const char *token, size_t which)
{
    char *path = xr_format("%s/%s", token, ca_blocklists[which]);
    struct stat st, first;
    bool there = ca_stat(&st, s, path, true) && S_ISDIR(st.st_mode);

    if (there && which > 0) {
        char *other = xr_format("%s/%s", token, ca_blocklists[0]);

        there = !ca_stat(&first, s, other, true) || first.st_dev != st.st_dev ||
                first.st_ino != st.st_ino;
        free(other);
    }
    if (there)
        return path;
    free(path);
    return NULL;
}

/* A file that was copied to where there was no directory: it is named. NULL if there is none. */
static char *no_directory(const struct xr_session *s, const char *token, size_t which)
{
    char *path = xr_format("%s/%s", token, ca_blocklists[which]);
    struct stat st;

    if (ca_stat(&st, s, path, true) && S_ISREG(st.st_mode))
        return path;
    free(path);
    return NULL;
}

const char *ca_blocklist_name(struct xr_session *s, const char *token)
{
    for (size_t i = 0; i < CA_BLOCKLISTS; i++) {
        char *there = NULL;

        if (!module_reads(s, i))
            continue;
        if (module_reads(s, !i))
            there = directory(s, token, i);
        if (there != NULL || !module_reads(s, !i)) {
            free(there);
            return ca_blocklists[i];
        }
    }
    return ca_blocklists[0];
}

bool ca_is_blocklist(const char *token, const char *dir)
{
    size_t len = strlen(token);

    return strncmp(dir, token, len) == 0 && dir[len] == '/' &&
           (strcmp(dir + len + 1, ca_blocklists[0]) == 0 ||
            strcmp(dir + len + 1, ca_blocklists[1]) == 0);
}

void ca_each_blocklist(struct xr_strings *out, struct xr_session *s, const char *token)
{
    for (size_t i = 0; i < CA_BLOCKLISTS; i++) {
        /* The second may be the first by another name, which an older module reads by that name. */
        char *path = directory(s, token, i);

        if (path == NULL && i > 0 && !module_reads(s, 0))
            path = xr_format("%s/%s", token, ca_blocklists[i]);
        if (path == NULL)
            path = no_directory(s, token, i);
        if (path != NULL && module_reads(s, i))
            xr_strings_add(out, path);
        free(path);
    }
}

/* ---- what to say ---- */

static size_t count_files(const struct xr_session *s, const char *path)
{
    struct xr_strings found = {0};
    size_t count = 0;

    ca_names(&found, s, path);
    count = found.count;
    xr_strings_free(&found);
    return count;
}

char *ca_blocklist_remark(struct xr_session *s)
{
    char *remark = NULL;

    for (size_t t = 0; remark == NULL && t < CA_TOKENS_MAX && s->layout->tokens[t].path; t++) {
        char *paths[CA_BLOCKLISTS] = {NULL};
        size_t held[CA_BLOCKLISTS] = {0};

        for (size_t i = 0; i < CA_BLOCKLISTS; i++) {
            paths[i] = directory(s, s->layout->tokens[t].path, i);
            held[i] = paths[i] != NULL ? count_files(s, paths[i]) : 0;
        }
        for (size_t i = 0; remark == NULL && i < CA_BLOCKLISTS; i++) {
            if (held[i] > 0 && !module_reads(s, i))
                remark =
                    xr_format(N_("nothing is distrusted by /%s: the p11-kit installed here reads "
                                 "only directories named %s; move its files there"),
                              paths[i], ca_blocklists[!i]);
            else if (held[i] > 0 && module_reads(s, !i) && (i > 0 || paths[1] != NULL))
                remark =
                    xr_format(i == 0 ? N_("what /%s holds is distrusted here, but old releases "
                                          "of p11-kit read only %s")
                                     : N_("what /%s holds is distrusted here, but newer "
                                          "releases of p11-kit read only %s"),
                              paths[i], ca_blocklists[!i]);
        }
        free(paths[0]);
        free(paths[1]);
    }
    return remark;
}
