/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/linux/owner.h"

#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAP_MAX ((size_t)64 << 10)
#define ALL_IDS UINT32_MAX /* the last one is no user */

/* ---- who it is ---- */

static bool read_text(struct xr_buf *out, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && xr_read_whole(out, fd, MAP_MAX) && out->len > 0;

    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static unsigned long overflowuid = 65534;

static void read_outside_number(void)
{
    struct xr_buf text = {0};

    if (read_text(&text, "/proc/sys/kernel/overflowuid"))
        overflowuid = strtoul(text.data, NULL, 10);
    xr_buf_free(&text);
}

/* The number by which users outside are shown. It is asked for each directory on a way, and hardly anybody
 * ever changes it. */
static unsigned long outside_number(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, read_outside_number);
    return overflowuid;
}

enum map {
    MAP_WHOLE, /* or unknown: nobody is outside */
    MAP_WITHOUT,
    MAP_WITH, /* a user of here has that number too */
};

/* Lines of uid_map(5): first number here, first number in the parent, how many. */
static enum map map_of(unsigned long number)
{
    struct xr_buf text = {0};
    enum map map = MAP_WITHOUT;
    bool known = read_text(&text, "/proc/self/uid_map");

    for (char *at = known ? text.data : NULL; at != NULL;) {
        char *end = NULL;
        unsigned long here = strtoul(at, &end, 10), count = 0;

        (void)strtoul(end, &end, 10);
        count = strtoul(end, &end, 10);
        if (count >= ALL_IDS) {
            map = MAP_WHOLE;
            break;
        }
        if (number >= here && number - here < count)
            map = MAP_WITH;
        at = strchr(end, '\n');
        at = at != NULL && at[1] != '\0' ? at + 1 : NULL;
    }
    /* An empty map: nobody is mapped. A file that is not there says nothing. */
    if (!known && access("/proc/self/uid_map", R_OK) != 0)
        map = MAP_WHOLE;
    xr_buf_free(&text);
    return map;
}

static bool may_act_as_owner(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    return syscall(SYS_capget, &head, data) == 0 && (data[0].effective & 1u << CAP_FOWNER) != 0;
}

enum within { IS_OUTSIDE, IS_WITHIN, IS_UNKNOWN };

/* Reading without noting the time is for the owner, and for who may act as one, which is over users
 * of this namespace only. Nothing is changed by asking. */
static enum within ask_kernel(int fd, const struct stat *st)
{
    int flags = 0, code = 0;

    if (S_ISDIR(st->st_mode)) {
        int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);

        code = again < 0 ? errno : 0;
        if (again >= 0)
            (void)close(again);
    } else {
        flags = fcntl(fd, F_GETFL);
        code = flags < 0 || fcntl(fd, F_SETFL, flags | O_NOATIME) != 0 ? errno : 0;
        if (code == 0)
            (void)fcntl(fd, F_SETFL, flags);
    }
    return code == 0 ? IS_WITHIN : code == EPERM ? IS_OUTSIDE : IS_UNKNOWN;
}

enum xr_owned xr_owned_by_number(const struct stat *st)
{
    const unsigned long number = outside_number();

    if (st->st_uid == number && map_of(number) != MAP_WHOLE)
        return XR_OWNED_OUTSIDE;
    if (st->st_uid == geteuid())
        return XR_OWNED_OURS;
    return st->st_uid == 0 ? XR_OWNED_ROOTS : XR_OWNED_OTHERS;
}

enum xr_owned xr_owned_by(int fd, const struct stat *st)
{
    enum xr_owned owned = xr_owned_by_number(st);
    enum within answer = IS_UNKNOWN;

    if (owned != XR_OWNED_OUTSIDE)
        return owned;
    answer = ask_kernel(fd, st);
    /* A process that is not mapped itself may be that owner. */
    if (answer == IS_WITHIN && st->st_uid == geteuid())
        return XR_OWNED_OURS;
    if (map_of(st->st_uid) == MAP_WITHOUT)
        return XR_OWNED_OUTSIDE;
    return answer == IS_OUTSIDE && may_act_as_owner() ? XR_OWNED_OUTSIDE : XR_OWNED_OTHERS;
}

const char *xr_owner_text(enum xr_owned owned)
{
    static const char *const texts[] = {
        [XR_OWNED_OURS] = N_("this user"),
        [XR_OWNED_ROOTS] = "root",
        [XR_OWNED_OUTSIDE] = N_("a user who is not mapped into this user namespace"),
        [XR_OWNED_OTHERS] = N_("another user"),
    };

    return texts[owned];
}

/* ---- whose it becomes ---- */

/* Of whom a new file is to be; false if it is root's, as it was made. A directory of root's gives it
 * the group that the system gives it. */
static bool heir(struct stat *out, int dir, const char *name)
{
    if (geteuid() != 0)
        return false;
    if (name != NULL && fstatat(dir, name, out, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    return fstatat(dir, ".", out, 0) == 0 && out->st_uid != 0;
}

/* Is it what was just made? By its descriptor, because who may write the directory may have put
 * something else of root's there. */
static bool is_new(int fd, const struct stat *st)
{
    struct xr_strings names = {0};
    bool empty = !S_ISDIR(st->st_mode) || xr_dir_names(&names, fd, 0);

    xr_strings_free(&names);
    return empty && st->st_uid == geteuid() && (S_ISDIR(st->st_mode) || st->st_nlink == 1);
}

void xr_owner_give(int fd, int dir, const char *name)
{
    struct stat to, now;

    /* Owners that this namespace does not map, and file systems without owners, refuse it. */
    if (heir(&to, dir, name) && fstat(fd, &now) == 0 && is_new(fd, &now) &&
        (now.st_uid != to.st_uid || now.st_gid != to.st_gid) &&
        fchownat(fd, "", to.st_uid, to.st_gid, AT_EMPTY_PATH) != 0)
        errno = 0;
}

void xr_owner_give_link(int dir, const char *link, const char *name)
{
    struct stat st;
    int fd = geteuid() == 0 ? openat(dir, link, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode))
        xr_owner_give(fd, dir, name);
    if (fd >= 0)
        (void)close(fd);
}

bool xr_mkdir_exact(int dir, const char *name, unsigned mode)
{
    struct stat st;

    if (mkdirat(dir, name, mode) != 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    return (st.st_mode & 0777) == mode || fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW) == 0;
}

bool xr_owner_mkdir(int dir, const char *name, unsigned mode)
{
    struct stat to;
    int fd = -1;
    bool ok = false;

    /* Its mode at once if it stays ours: an interruption must not leave it closed to its readers. */
    if (!xr_mkdir_exact(dir, name, heir(&to, dir, NULL) ? 0700 : mode))
        return false;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    xr_owner_give(fd, dir, NULL);
    ok = fchmod(fd, mode) == 0 && fsync(fd) == 0; /* else only root may enter after a power cut */
    (void)close(fd);
    return ok;
}
