/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survive-flip UID PATH TARGET: as that user (0: as it is called), PATH is in turn what it was and a
 * symbolic link to TARGET, until it is ended.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char real[4096], link[4096], other[4096];
    unsigned uid = argc == 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;

    if (argc != 4 ||
        (uid != 0 && (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0)))
        return 2;
    (void)snprintf(real, sizeof(real), "%s.real", argv[2]);
    (void)snprintf(link, sizeof(link), "%s.link", argv[2]);
    (void)snprintf(other, sizeof(other), "%s.other", argv[2]);
    if (symlink(argv[3], link) != 0)
        return 1;
    for (;;) {
        /* What somebody made meanwhile, where there was nothing for a moment, is put aside. */
        if (rename(argv[2], real) != 0)
            (void)rename(argv[2], other);
        (void)rename(link, argv[2]);
        if (rename(argv[2], link) != 0)
            (void)rename(argv[2], other);
        (void)rename(real, argv[2]);
    }
}
