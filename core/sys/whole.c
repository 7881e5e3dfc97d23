/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/whole.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Windows' calls take an unsigned int. */
static unsigned at_once(size_t len)
{
    return len < (1u << 30) ? (unsigned)len : 1u << 30;
}

/* chunk bytes, and then until there are no more. A file of that size has ended when all of it was read and
 * a read gave less than it was asked for; not earlier: some file systems give less at any time. */
static bool read_on(struct xr_buf *out, int fd, size_t chunk, size_t size, size_t limit)
{
    size_t before = out->len;

    for (;;) {
        ssize_t got = 0;
        size_t asked = at_once(chunk);

        out->data = xr_grow_raw(out->data, &out->capacity, out->len + chunk + 1, 1);
        out->data[out->len] = '\0';
        got = read(fd, out->data + out->len, (unsigned)asked);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        out->len += (size_t)got;
        out->data[out->len] = '\0';
        if (got == 0)
            return true;
        if (out->len > limit) {
            errno = EFBIG;
            return false;
        }
        if (out->len - before >= size && (size_t)got < asked)
            return true;
        /* Room that is left is enough to see the end; more is only for what has no size. */
        chunk = out->capacity - out->len - 1;
        if (chunk == 0)
            chunk = 65536;
    }
}

bool xr_read_whole(struct xr_buf *out, int fd, size_t limit)
{
    struct stat st;
    size_t chunk = 4096;

    /* One read of the right size for a regular file; the size is only a hint. */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (uintmax_t)st.st_size <= limit)
        chunk = (size_t)st.st_size + 1;
    return read_on(out, fd, chunk, SIZE_MAX, limit);
}

bool xr_read_file(struct xr_buf *out, int fd, uintmax_t size, size_t limit)
{
    if (size == 0 || size > limit) /* of files in /proc too, whose reads end early */
        return read_on(out, fd, 4096, SIZE_MAX, limit);
    xr_buf_reserve(out, (size_t)size + 1); /* exactly that: stores keep thousands of them */
    return read_on(out, fd, (size_t)size + 1, (size_t)size, limit);
}

bool xr_sys_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t put = write(fd, at, at_once(len));

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        at += put;
        len -= (size_t)put;
    }
    return true;
}
