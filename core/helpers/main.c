/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program: one session of one backend, on the socket it finds as descriptor 3. */
#include "client.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef XR_SANITIZE /* a sanitizer's shadow is larger than any limit */
#define SPACE_MAX RLIM_INFINITY
#else
#define SPACE_MAX ((rlim_t)1 << 30)
#endif

/* Nothing is raised that the caller limits already. */
static struct rlimit lowered(struct rlimit now, rlim_t most)
{
    now.rlim_cur = now.rlim_cur < most ? now.rlim_cur : most;
    now.rlim_max = now.rlim_cur;
    return now;
}

/* The type of the first argument of setrlimit differs between C libraries, so this is a macro. */
#define LIMIT(what, most)                   \
    do {                                    \
        struct rlimit now;                  \
                                            \
        if (getrlimit((what), &now) == 0) { \
            now = lowered(now, (most));     \
            (void)setrlimit((what), &now);  \
        }                                   \
    } while (0)

/* What a helper may use, whatever the code of others in it does. */
static void limit(void)
{
    struct rlimit cpu;

    /* A database of 5,000 certificates takes 38 MiB, with Firefox's libraries too, and a CRL of
     * 64 MiB a few times its size. For a certificate of 80 KB, libnss3 can need 24 GiB. An answer that
     * came near the limit is not used, see server.c. */
    LIMIT(RLIMIT_AS, SPACE_MAX);
    LIMIT(RLIMIT_FSIZE, (rlim_t)4 << 30); /* that database has 7 MiB */
    LIMIT(RLIMIT_NOFILE, (rlim_t)256);    /* and needs 12 */
    LIMIT(RLIMIT_CORE, (rlim_t)0);        /* it may hold a password */
    /* The processor time is lowered for each call, see server.c. At the hard limit the kernel would
     * not say why it ends the helper. */
    if (getrlimit(RLIMIT_CPU, &cpu) == 0 && cpu.rlim_cur < cpu.rlim_max) {
        cpu.rlim_max = cpu.rlim_cur + 1;
        (void)setrlimit(RLIMIT_CPU, &cpu);
    }
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is then an error like others */
}

int main(void)
{
    struct stat st;
    int code = 0;

    if (fstat(3, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        (void)fputs("crossroot starts this program itself; run crossroot instead\n", stderr);
        return 2;
    }
    limit();
    code = xr_worker_serve(3);
#ifndef XR_SANITIZE
    /* Sessions are closed by now. Skips the clean-up of libraries at exit (libcrypto alone frees
     * thousands of blocks), except under a sanitizer, which checks it. */
    _exit(code);
#endif
    return code;
}
