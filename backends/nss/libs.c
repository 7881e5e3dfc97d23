/* SPDX-License-Identifier: Apache-2.0 */
#include "nss.h"

#include "sys/linux/walk.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories of NSS libraries that come with programs. */
static const char *const carriers[] = {
    "/usr/lib/firefox-esr",   "/usr/lib/firefox",
    "/usr/lib64/firefox",     "/usr/lib/thunderbird",
    "/usr/lib64/thunderbird", "/opt/firefox",
    "/usr/lib/librewolf",     "/snap/firefox/current/usr/lib/firefox",
};

/* These libraries have no run path, so dependencies are loaded first. Some builds fold the plc and
 * plds parts into nspr, or take nspr from the system. */
static const char *const needed[] = {"libnspr4.so", "libplc4.so", "libplds4.so", "libnssutil3.so",
                                     "libmozsqlite3.so"};

static bool roots_own(const struct stat *st)
{
    return st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* May root load code from there? Only if nobody but root can write any directory of the path. */
static bool roots_alone(const char *path)
{
    struct xr_walk w;
    bool yes =
        xr_walk_start(&w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), path) && roots_own(&w.st);

    while (yes && xr_walk_next(&w))
        yes = xr_walk_enter(&w, O_PATH | O_DIRECTORY) && roots_own(&w.st);
    xr_walk_end(&w);
    return yes;
}

static bool holds_softoken(const char *dir)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/libsoftokn3.so", dir);

    return len > 0 && (size_t)len < sizeof(path) && access(path, R_OK) == 0;
}

enum xr_status nss_libs_find(struct nss_libs *out, const struct xr_site *site, struct xr_error *err)
{
    char path[PATH_MAX];

    out->dir[0] = '\0';
    if (site->nss != NULL) {
        if (realpath(site->nss, path) == NULL || strlen(path) >= sizeof(out->dir) ||
            !holds_softoken(path))
            return xr_error_set(err, XR_ABSENT, "", 0, "no NSS library in %s", site->nss);
        if (geteuid() == 0 && !roots_alone(path))
            return xr_error_set(err, XR_REFUSED, "", 0,
                                "users other than root can write to %s: it is not loaded "
                                "as root",
                                path);
        memcpy(out->dir, path, strlen(path) + 1);
        return XR_OK;
    }
    if (dlopen("libsoftokn3.so", RTLD_NOW | RTLD_LOCAL) != NULL)
        return XR_OK;
    for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
        if (realpath(carriers[i], path) != NULL && strlen(path) < sizeof(out->dir) &&
            holds_softoken(path) && (geteuid() != 0 || roots_alone(path))) {
            memcpy(out->dir, path, strlen(path) + 1);
            return XR_OK;
        }
    }
    return xr_error_set(err, XR_ABSENT, "", 0,
                        "no NSS library is installed (Debian: libnss3, Fedora: nss), and no "
                        "browser that brings one");
}

void *nss_libs_load(const struct nss_libs *libs, const char *name, struct xr_error *err)
{
    char path[PATH_MAX + 64];
    void *handle = NULL;
    const char *why = NULL;

    if (libs->dir[0] != '\0') {
        for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
            (void)snprintf(path, sizeof(path), "%s/%s", libs->dir, needed[i]);
            if (access(path, R_OK) == 0)
                (void)dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* the next one reports a failure */
        }
        (void)snprintf(path, sizeof(path), "%s/%s", libs->dir, name);
    } else {
        (void)snprintf(path, sizeof(path), "%s", name);
    }
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        why = dlerror();
        (void)xr_error_set(err, XR_FAILED, "nss", 0, "cannot load %s: %s", path,
                           why != NULL ? why : N_("unknown reason"));
    }
    return handle;
}

bool nss_libs_beside(char *out, size_t size, const void *symbol, const char *name)
{
    static const char *const places[] = {"", "nss/"};
    Dl_info info;
    const char *slash = NULL;

    if (dladdr(symbol, &info) == 0 || info.dli_fname == NULL)
        return false;
    slash = strrchr(info.dli_fname, '/');
    for (size_t i = 0; slash != NULL && i < sizeof(places) / sizeof(places[0]); i++) {
        int len = snprintf(out, size, "%.*s/%s%s", (int)(slash - info.dli_fname), info.dli_fname,
                           places[i], name);

        if (len > 0 && (size_t)len < size && access(out, R_OK) == 0)
            return true;
    }
    return false;
}
