/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program: one session of one backend, on the socket it finds as descriptor 3. */
#include "client.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef XR_SANITIZE /* a sanitizer's shadow is larger than any limit */
/* Address space of a helper. To list or verify in a database of 5,000 certificates takes less than
 * 96 MiB, a CRL of 64 MiB a few times its size; a certificate of 80 KB can make libnss3 want 24 GiB.
 * What came near to the limit is no answer, see server.c. */
#define SPACE_MAX ((rlim_t)1 << 30)

static void limit_space(void)
{
    struct rlimit now;

    if (getrlimit(RLIMIT_AS, &now) != 0 || now.rlim_max <= SPACE_MAX)
        return;
    now.rlim_cur = now.rlim_max = SPACE_MAX;
    (void)setrlimit(RLIMIT_AS, &now);
}
#endif

int main(void)
{
    struct stat st;
    int code = 0;

    if (fstat(3, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        (void)fputs("crossroot starts this program itself; run crossroot instead\n", stderr);
        return 2;
    }
#ifndef XR_SANITIZE
    limit_space();
#endif
    code = xr_worker_serve(3);
#ifndef XR_SANITIZE
    /* Sessions are closed by now. What libraries would tidy up at exit (libcrypto alone frees
     * thousands of pieces) goes with the process; only a sanitizer wants to look at it first. */
    _exit(code);
#endif
    return code;
}
