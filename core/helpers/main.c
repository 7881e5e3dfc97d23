/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program: one session of one backend, on the socket it finds as descriptor 3. */
#include "client.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef XR_SANITIZE /* a sanitizer's shadow is larger than any limit */
/* Most address space of a helper. Listing or verifying in a database of 5,000 certificates takes
 * less than 96 MiB, a CRL of 64 MiB a few times its size. For a certificate of 80 KB, libnss3 can
 * need 24 GiB. An answer that came near the limit is not used, see server.c. */
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
    /* Sessions are closed by now. Skips the clean-up of libraries at exit (libcrypto alone frees
     * thousands of blocks), except under a sanitizer, which checks it. */
    _exit(code);
#endif
    return code;
}
