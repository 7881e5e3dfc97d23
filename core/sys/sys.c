/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same on every system; linux/ and windows/ have the rest. */
#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum xr_status xr_sys_read_fd(struct xr_buf *out, int fd, size_t limit, struct xr_error *err)
{
    if (xr_read_whole(out, fd, limit))
        return XR_OK;
    return errno == EFBIG ? xr_fail(err, XR_INVALID, "larger than %zu MiB", limit >> 20)
                          : xr_fail_errno(err, "cannot read");
}

void xr_sys_wipe(struct xr_buf *buf)
{
    if (buf->data != NULL)
        xr_wipe(buf->data, buf->capacity);
    xr_buf_free(buf);
}

bool xr_sys_modified(int64_t *out, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    *out = (int64_t)st.st_mtime;
    return true;
}

void xr_sys_time_text(char out[XR_TIME_TEXT_MAX], int64_t at)
{
    struct xr_date d;

    xr_date_of(&d, at);
    (void)snprintf(out, XR_TIME_TEXT_MAX, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)d.year,
                   d.month, d.day, d.hour, d.minute, d.second);
}

/* Fixed-width decimal fields need no strtol: every digit is checked. */
static bool digits(const char *text, size_t count, int *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

static int month_days(int year, int month)
{
    return (int)(xr_days(month == 12 ? year + 1 : year, month % 12 + 1, 1) -
                 xr_days(year, month, 1));
}

int64_t xr_sys_parse_time(const char *text, bool *ok)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;

    *ok = strlen(text) >= 10 && digits(text, 4, &year) && text[4] == '-' &&
          digits(text + 5, 2, &month) && text[7] == '-' && digits(text + 8, 2, &day);
    if (*ok && text[10] != '\0') {
        *ok = strlen(text) == 20 && (text[10] == 'T' || text[10] == ' ') &&
              digits(text + 11, 2, &hour) && text[13] == ':' && digits(text + 14, 2, &minute) &&
              text[16] == ':' && digits(text + 17, 2, &second) && text[19] == 'Z';
    }
    *ok = *ok && month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month) &&
          hour < 24 && minute < 60 && second < 61;
    return *ok ? xr_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second : 0;
}
