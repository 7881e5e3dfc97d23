/* SPDX-License-Identifier: Apache-2.0 */
/* The system's log on Linux. Not by syslog(3), which waits for a log that is full for as long as nobody
 * reads it, and changes are made under locks. */
#include "platform.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define TAG     "crossroot"
#define WAIT_MS 200

/* As syslog(3) of glibc writes it, in the form of RFC 3164. Lines name paths in homes, which are not
 * for everybody: authpriv. */
static char *message(const char *line)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm tm = {.tm_mday = 1};

    (void)localtime_r(&now, &tm);
    return platform_text("<%d>%s %2d %02d:%02d:%02d %s[%ld]: %s", LOG_AUTHPRIV | LOG_NOTICE,
                         months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, TAG,
                         (long)getpid(), line);
}

bool platform_log(const char *line)
{
    static atomic_bool full; /* it had its time: no line waits again */
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    char *text = message(line);
    size_t len = strlen(text);
    bool lost = false;

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        lost = send(fd, text, len, MSG_NOSIGNAL) < 0;
        if (lost && !full && poll(&ready, 1, WAIT_MS) > 0)
            lost = send(fd, text, len, MSG_NOSIGNAL) < 0;
        full = full || lost;
    }
    if (fd >= 0)
        (void)close(fd);
    free(text);
    return !lost;
}
