/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program: one session of one backend, on the socket it finds as descriptor 3. */
#include "worker.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    struct stat st;
    int code = 0;

    if (fstat(3, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        (void)fputs("crossroot starts this program itself; run crossroot instead\n", stderr);
        return 2;
    }
    code = xr_worker_serve(3);
#ifndef XR_SANITIZE
    /* Sessions are closed by now. What libraries would tidy up at exit (libcrypto alone frees
     * thousands of pieces) goes with the process; only a sanitizer wants to look at it first. */
    _exit(code);
#endif
    return code;
}
