/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds programs that use a database now, and what must happen before they notice a change.
 *
 * Measured with Firefox ESR 153 and Chromium 156 while they ran, certificates changed by certutil:
 *
 * Firefox sees at once a root that it did not know. Trust of a certificate it knows, given or
 * taken, counts after a restart only (it knows those in the database and those that servers sent).
 * A root that was deleted may stay trusted; always so for servers that send it along.
 *
 * Chromium sees every change at once where it asks anew; but for a server that it has talked to it
 * keeps its answer, yes or no. A restart makes both forget.
 *
 * Firefox and Thunderbird keep a write lock (fcntl) on .parentlock while they run. The file stays
 * behind, and after a crash so does the link "lock" to ADDRESS:+PID: only the lock says anything,
 * and it is the kernel's word. Chromium's SingletonLock, a link to HOST-PID, stays after a crash
 * too: the process must be there, be of the link's owner and have the right name. In doubt
 * (another host, a sandbox, no /proc) nothing is said. */
#include "homes/browsers.h"
#include "homes/home.h"
#include "nss.h"
#include "places.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The part after the home in the path of a database; in a flatpak "data" is .local/share. */
static const char *const chromium_tails[] = {"/.pki/nssdb", "/.local/share/pki/nssdb",
                                             "/data/pki/nssdb"};
#define FLATPAK_TAIL 2u

/* Name of a process, empty if unknown. owner may be NULL. */
static void process_name(char out[32], long pid, uid_t *owner)
{
    char path[64];
    struct stat st;
    ssize_t got = -1;
    int fd = -1;

    out[0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
    fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0)
        got = read(fd, out, 31);
    (void)close(fd);
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if (got > 0 && owner != NULL)
        *owner = st.st_uid;
}

/* ---- Firefox, Thunderbird and others with profiles ---- */

static bool runs(const struct nss_profiles *program, const char *process)
{
    return strncmp(process, program->process, strlen(program->process)) == 0;
}

/* The program that holds a lock. Tor Browser's process is called firefox, and Betterbird uses
 * Thunderbird's profiles: so both tell, the profile's path and the name of the process. */
static const char *mozilla_name(const char *process, const char *path)
{
    const struct nss_profiles *at = nss_profiles_of(path);

    if (at != NULL && runs(at, process))
        return at->program;
    for (const struct nss_profiles *p = nss_profiles; p->dir != NULL; p++) {
        if (runs(p, process))
            return p->program;
    }
    return at != NULL ? at->program : N_("a program");
}

/* Process ID of the lock's holder; 0: none that this process can see. */
static bool locked(long *pid, int dirfd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    bool held = false;
    int fd = -1;

    if (fstatat(dirfd, ".parentlock", &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return false;
    fd = openat(dirfd, ".parentlock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    *pid = held && lock.l_pid > 0 ? (long)lock.l_pid : 0;
    (void)close(fd);
    return held;
}

static void say_mozilla(struct xr_caps *caps, long pid, const char *path)
{
    char process[32] = "", *holder = NULL;
    const char *name = NULL;

    if (pid > 0)
        process_name(process, pid, NULL);
    name = mozilla_name(process, path);
    holder = pid > 0 ? xr_format(N_("%s (process %ld)"), name, pid) : xr_strdup(name);
    (void)snprintf(caps->notice[XR_NOTICE_GIVEN], sizeof(caps->notice[0]),
                   N_("%s is running with this profile: restart it if it still refuses what is "
                      "trusted now"),
                   holder);
    (void)snprintf(caps->notice[XR_NOTICE_TAKEN], sizeof(caps->notice[0]),
                   N_("%s is running with this profile: restart it; until then it may still trust "
                      "what was removed"),
                   holder);
    free(holder);
}

/* ---- Chromium and relatives ---- */

/* The home that a database belongs to; the caller frees it. NULL: not known. */
char *nss_chromium_home(const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof(chromium_tails) / sizeof(chromium_tails[0]); i++) {
        size_t tail = strlen(chromium_tails[i]);

        if (len > tail && strcmp(path + len - tail, chromium_tails[i]) == 0 &&
            (i != FLATPAK_TAIL || strstr(path, "/.var/app/") != NULL))
            return xr_memdup(path, len - tail);
    }
    return NULL;
}

/* Parses "HOST-PID"; false if it is not of this host. */
static bool parse_lock(long *pid, const char *target)
{
    const char *dash = strrchr(target, '-');
    struct utsname host;
    char *end = NULL;

    if (dash == NULL || dash[1] < '1' || dash[1] > '9' || uname(&host) != 0 ||
        strlen(host.nodename) != (size_t)(dash - target) ||
        strncmp(host.nodename, target, (size_t)(dash - target)) != 0)
        return false;
    *pid = strtol(dash + 1, &end, 10);
    return *end == '\0' && *pid > 0 && *pid < INT32_MAX;
}

static bool alive(long *pid, const struct nss_tree *tree, const char *settings, const char *process)
{
    char target[512], name[32];
    struct nss_place place = {0};
    struct stat st;
    uid_t owner = 0;
    ssize_t len = -1;
    bool found = nss_place_find(&place, tree, settings, NULL) == XR_OK && place.there;
    int dir = found ? nss_place_dir(tree, &place) : -1;

    if (dir >= 0 && fstatat(dir, "SingletonLock", &st, AT_SYMLINK_NOFOLLOW) == 0)
        len = readlinkat(dir, "SingletonLock", target, sizeof(target));
    if (dir >= 0)
        (void)close(dir);
    nss_place_free(&place);
    if (len <= 0 || (size_t)len >= sizeof(target))
        return false;
    target[len] = '\0';
    if (!parse_lock(pid, target))
        return false;
    process_name(name, *pid, &owner);
    return strncmp(name, process, strlen(process)) == 0 && owner == st.st_uid;
}

static void say_chromium(struct xr_caps *caps, const char *name, long pid)
{
    (void)snprintf(
        caps->notice[XR_NOTICE_GIVEN], sizeof(caps->notice[0]),
        N_("%s (process %ld) is running: restart it if it still refuses a server that it "
           "refused before"),
        name, pid);
    (void)snprintf(
        caps->notice[XR_NOTICE_TAKEN], sizeof(caps->notice[0]),
        N_("%s (process %ld) is running: restart it; until then it may still trust servers "
           "that it has talked to"),
        name, pid);
}

static void look_for_chromium(struct xr_caps *caps, const char *home)
{
    struct nss_tree tree;
    const char *name = NULL;
    long pid = 0;

    if (nss_tree_open(&tree, NULL, home, NULL) != XR_OK)
        return;
    for (size_t i = 0; nss_chromiums[i].settings != NULL && name == NULL; i++) {
        char *settings = xr_format("%s/.config/%s", home, nss_chromiums[i].settings);

        if (alive(&pid, &tree, settings, nss_chromiums[i].process))
            name = nss_chromiums[i].name;
        free(settings);
    }
    if (name == NULL && strstr(home, "/snap/chromium/") != NULL) {
        char *settings = xr_format("%s/../common/chromium", home);

        if (alive(&pid, &tree, settings, "chrom"))
            name = "Chromium";
        free(settings);
    }
    if (name != NULL)
        say_chromium(caps, name, pid);
    nss_tree_close(&tree);
}

/* Measured with Firefox ESR 153. All Mozilla programs verify as Firefox does. Chromium 156 takes a peer,
 * whoever signed it. */
const char *nss_peers(const char *path)
{
    return nss_profiles_of(path) != NULL
               ? N_("Firefox and its relatives ignore the trust of a peer")
               : NULL;
}

void nss_running(struct xr_caps *caps, int dirfd, const char *path)
{
    char *home = nss_chromium_home(path);
    long pid = 0;

    caps->notice[XR_NOTICE_GIVEN][0] = caps->notice[XR_NOTICE_TAKEN][0] = '\0';
    if (locked(&pid, dirfd))
        say_mozilla(caps, pid, path);
    else if (home != NULL)
        look_for_chromium(caps, home);
    free(home);
}
