/* SPDX-License-Identifier: Apache-2.0 */
/* A distribution's hook, static so that it runs in a root with nothing else in it: notes what it
 * was called, where it ran and what it was told, and fails where a file says so. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    FILE *log = fopen("/hook.log", "a");
    char directory[4096];
    int c = 0;

    if (log == NULL || getcwd(directory, sizeof(directory)) == NULL)
        return 9;
    (void)fprintf(log, "%s %d %s\n", argv[0], argc, directory);
    while ((c = getchar()) != EOF)
        (void)fputc(c, log);
    if (fclose(log) != 0)
        return 9;
    if (access("/hook.fails", F_OK) != 0)
        return 0;
    (void)fprintf(stderr, "the hook was made to fail\n");
    return 3;
}
