/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a cert8.db whole? It is a hash table of Berkeley DB 1.85, whose readers take a page that is
 * missing for an empty one: of a file that was cut off, certificates would be missing without a word.
 *
 * Its header is numbers of 4 bytes: magic, version, byte order, size of a page, 4 others, the last
 * split point, another, the last bucket, 4 others, pages of the header, another, and for each split
 * point how many overflow pages there are up to it. Pages of buckets are in their order, with the
 * overflow pages of a split point after the buckets that were there then. The first has one of these
 * (a bitmap), although two are counted. The rest was measured: files of 0, 1, 3, 40 and 200 certificates have
 * exactly the pages that this computes.
 */
#include "store.h"

#include "sys/linux/walk.h"

#include <unistd.h>

enum { MAGIC = 0x061561, POINTS = 32, HEAD = 17 + POINTS };
enum { PAGE_SIZE_AT = 3, POINT_AT = 8, LAST_AT = 10, HEADER_AT = 15, OVERFLOW_AT = 17 };

static uint32_t number(const unsigned char *b, bool big)
{
    return big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
               : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static uint64_t page_of(const uint32_t head[HEAD], uint64_t bucket)
{
    unsigned point = 0;

    while (((uint64_t)1 << point) < bucket + 1)
        point++;
    return head[HEADER_AT] + bucket + (point > 0 ? head[OVERFLOW_AT + point - 1] : 0);
}

/* Pages that there must be; 0: that is no such header. */
static uint64_t pages_of(const uint32_t head[HEAD])
{
    uint64_t last = 0;

    if (head[POINT_AT] >= POINTS || head[LAST_AT] >= (uint32_t)1 << (POINTS - 1))
        return 0;
    last = page_of(head, head[LAST_AT]);
    for (uint32_t point = 1; point <= head[POINT_AT]; point++) {
        uint32_t now = head[OVERFLOW_AT + point], before = head[OVERFLOW_AT + point - 1];
        uint64_t end = page_of(head, ((uint64_t)1 << point) - 1) + (point == 1 ? 1 : now - before);

        if (now < before)
            return 0;
        if (now > before && end > last)
            last = end;
    }
    return last + 1;
}

enum xr_status nss_cert8_whole(int dir, struct xr_error *err)
{
    unsigned char bytes[4 * HEAD] = {0};
    uint32_t head[HEAD];
    struct stat st;
    int fd = xr_open_regular(dir, "cert8.db", &st);
    uint64_t pages = 0;
    bool good = false;

    if (fd < 0)
        return xr_fail_errno(err, "cannot open cert8.db");
    good = read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes);
    (void)close(fd);
    for (size_t i = 0; i < HEAD; i++)
        head[i] = number(bytes + 4 * i, number(bytes, true) == MAGIC);
    pages = good && head[0] == MAGIC ? pages_of(head) : 0;
    if (pages == 0 || head[PAGE_SIZE_AT] == 0 ||
        pages > (uint64_t)st.st_size / head[PAGE_SIZE_AT] ||
        (uint64_t)st.st_size % head[PAGE_SIZE_AT] != 0)
        return xr_fail(err, XR_FAILED,
                       "cannot read cert8.db: it is damaged, cut off or something "
                       "else");
    return XR_OK;
}
