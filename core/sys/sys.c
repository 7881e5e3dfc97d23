/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same on every system; linux/ and windows/ have the rest. */
#include "sys.h"

#include <errno.h>
#include <stdlib.h>

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

void xr_sys_time_text(char out[XR_TIME_TEXT_MAX], int64_t at)
{
    int64_t days = (at >= 0 ? at : at - 86399) / 86400;
    int64_t seconds = at - days * 86400;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * shifted + 2) / 5 + 1;
    int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    int64_t year = years + era * 400 + (month <= 2);

    (void)snprintf(out, XR_TIME_TEXT_MAX, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lldZ",
                   (long long)year, (long long)month, (long long)day, (long long)(seconds / 3600),
                   (long long)(seconds / 60 % 60), (long long)(seconds % 60));
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
