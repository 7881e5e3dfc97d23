/* SPDX-License-Identifier: Apache-2.0 */
#include "faulty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct fault fault;
static struct xr_backend inner_table;
static struct xr_host host;
static bool unwritable;

void fault_arm(struct fault what)
{
    fault = what;
    fault.count = 0;
}

bool fault_disarm(void)
{
    bool reached = fault.kind != FAULT_NONE && fault.count >= fault.at;

    fault.kind = FAULT_NONE;
    return reached;
}

/* Counts one event; true if it is the one. Kills where that is asked before the event. */
static bool strikes(enum fault_kind kind)
{
    bool hit = false;

    if (fault.kind != kind)
        return false;
    fault.count++;
    hit = fault.count == fault.at || (fault.lasting && fault.count > fault.at);
    if (hit && fault.how == FAULT_KILL && !fault.after)
        (void)raise(SIGKILL);
    return hit;
}

static void kill_after(void)
{
    if (fault.how == FAULT_KILL)
        (void)raise(SIGKILL);
}

/* ---- the table ---- */

static enum xr_status faulty_open(struct xr_session **out, struct xr_caps *caps,
                                  const struct xr_host *lent, const struct xr_target *target,
                                  enum xr_mode mode, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    (void)lent;
    status = inner_table.open(out, caps, &host, target, mode, err);
    if (status == XR_OK && unwritable) {
        caps->writable = false;
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "the decorator says so");
    }
    return status;
}

static enum xr_status faulty_swap(struct xr_session *session, const struct xr_state *expect,
                                  const struct xr_state *want, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!strikes(FAULT_CALL))
        return inner_table.swap(session, expect, want, err);
    if (fault.after) {
        status = inner_table.swap(session, expect, want, err);
        kill_after();
        if (status != XR_OK)
            return status;
    }
    return xr_error_set(err, XR_FAILED, "fault", EIO, "swap was made to fail");
}

static enum xr_status faulty_flush(struct xr_session *session, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!strikes(FAULT_CALL))
        return inner_table.flush(session, err);
    if (fault.after) {
        status = inner_table.flush(session, err);
        kill_after();
        if (status != XR_OK)
            return status;
    }
    return xr_error_set(err, XR_FAILED, "fault", EIO, "flush was made to fail");
}

static enum xr_status faulty_write(int dirfd, const char *name, struct xr_bytes data, unsigned mode,
                                   struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!strikes(FAULT_WRITE))
        return xr_host.write_atomic(dirfd, name, data, mode, err);
    if (fault.how == FAULT_LIE)
        return XR_OK;
    if (fault.after) {
        status = xr_host.write_atomic(dirfd, name, data, mode, err);
        kill_after();
        if (status != XR_OK)
            return status;
    }
    return xr_error_set(err, XR_FAILED, "errno", ENOSPC, "cannot write %s: No space left", name);
}

void faulty_wrap(struct xr_loaded *out, const struct xr_loaded *inner)
{
    inner_table = inner->table;
    host = xr_host;
    host.write_atomic = faulty_write;
    unwritable = false;
    *out = *inner;
    out->table.open = faulty_open;
    out->table.swap = faulty_swap;
    if (inner_table.flush != NULL)
        out->table.flush = faulty_flush;
}

void faulty_unwritable(void)
{
    unwritable = true;
}

/* ---- the system: the linker sends these calls here (--wrap) ---- */

#define WRAP(name, parameters, arguments) \
    int __real_##name parameters;         \
    int __wrap_##name parameters;         \
    int __wrap_##name parameters          \
    {                                     \
        if (strikes(FAULT_SYSTEM)) {      \
            errno = EIO;                  \
            return -1;                    \
        }                                 \
        return __real_##name arguments;   \
    }

WRAP(renameat, (int from_dir, const char *from, int to_dir, const char *to),
     (from_dir, from, to_dir, to))
WRAP(renameat2, (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
     (from_dir, from, to_dir, to, flags))
WRAP(linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags),
     (from_dir, from, to_dir, to, flags))
WRAP(unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
WRAP(symlinkat, (const char *target, int dir, const char *name), (target, dir, name))
WRAP(mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))
WRAP(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(fsync, (int fd), (fd))
WRAP(syncfs, (int fd), (fd))
WRAP(fchmodat, (int dir, const char *name, mode_t mode, int flags), (dir, name, mode, flags))

/* Only the journal uses this one. */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    if (strikes(FAULT_SYSTEM) || strikes(FAULT_JOURNAL)) {
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(fd);
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (strikes(FAULT_SYSTEM)) {
        /* A full disk takes some of it. */
        ssize_t some = len > 1 && !fault.lasting ? __real_write(fd, data, len / 2) : -1;

        (void)some;
        errno = ENOSPC;
        return -1;
    }
    return __real_write(fd, data, len);
}
