/* SPDX-License-Identifier: Apache-2.0 */
/* xr-mkhive DIR NAME: an empty registry hive. */
#include "hive.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fputs("usage: xr-mkhive DIR NAME\n", stderr);
        return 2;
    }
    hive_make(argv[1], argv[2]);
    return 0;
}
