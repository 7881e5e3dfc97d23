/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program: one session of one backend, on the socket it finds as descriptor 3. */
#include "worker.h"

#include <sys/socket.h>
#include <sys/stat.h>

int main(void)
{
    struct stat st;

    if (fstat(3, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        (void)fputs("crossroot starts this program itself; run crossroot instead\n", stderr);
        return 2;
    }
    return xr_worker_serve(3);
}
