/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clock for tests: with this library preloaded, a program and its helpers take it to be XR_CLOCK
 * seconds after 1970 (before it, if negative), for good.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static int set_to(time_t *out)
{
    const char *text = getenv("XR_CLOCK");

    if (text == NULL)
        return 0;
    *out = (time_t)strtoll(text, NULL, 10);
    return 1;
}

EXPORT time_t time(time_t *out)
{
    time_t now = 0;

    if (!set_to(&now)) {
        struct timespec real = {0};
        (void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
        now = real.tv_sec;
    }
    if (out != NULL)
        *out = now;
    return now;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *out)
{
    if ((clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && set_to(&out->tv_sec)) {
        out->tv_nsec = 0;
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, clock, out);
}

EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    out->tv_usec = 0;
    out->tv_sec = time(NULL);
    return 0;
}
