/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the helper program and breaks its protocol. What it does is its own file name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void put(const void *data, size_t len)
{
    if (write(3, data, len) != (ssize_t)len)
        exit(0);
}

static void number(uint64_t value)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    put(bytes, sizeof(bytes));
}

static void wait_for_request(void)
{
    char block[4096];

    (void)!read(3, block, sizeof(block));
}

static void stay(void)
{
    char byte = 0;

    while (read(3, &byte, 1) > 0)
        continue;
}

/* A store found, of which only the location is said. */
static void found(uint64_t len)
{
    number(8 + 8 + len + 24);
    number(3);
    number(len);
    for (uint64_t i = 0; i < len; i++)
        put(i == 0 ? "/" : "x", 1);
    number(UINT64_MAX);
    number(UINT64_MAX);
    number(0);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *what = slash != NULL ? slash + 1 : argv[0];

    (void)argc;
    if (strcmp(what, "deaf") == 0) { /* never reads, never answers, never leaves */
        for (;;)
            (void)sleep(3600);
    }
    wait_for_request();
    if (strcmp(what, "garbage") == 0) {
        unsigned char block[4096];

        memset(block, 0xa5, sizeof(block));
        put(block, sizeof(block));
        stay();
    } else if (strcmp(what, "oversized") == 0) {
        number((uint64_t)1 << 60);
        stay();
    } else if (strcmp(what, "promising") == 0) { /* as much as is allowed, and sends nothing */
        number((uint64_t)80 << 20);
    } else if (strcmp(what, "empty") == 0) {
        number(0);
        stay();
    } else if (strcmp(what, "kind") == 0) {
        number(8);
        number(99);
        stay();
    } else if (strcmp(what, "unasked") == 0) { /* an entry as the answer to open */
        number(8);
        number(2);
        stay();
    } else if (strcmp(what, "status") == 0) { /* a result whose status does not exist */
        number(40);
        number(1);
        number(200);
        number(0);
        number(0);
        number(0);
        stay();
    } else if (strcmp(what, "lengths") == 0) { /* a result whose text is longer than the message */
        number(24);
        number(1);
        number(0);
        number((uint64_t)1 << 62);
        stay();
    } else if (strcmp(what, "nocaps") == 0) { /* a good result, and no capabilities behind it */
        number(40);
        number(1);
        number(0);
        number(0);
        number(0);
        number(0);
        stay();
    } else if (strcmp(what, "finds") == 0) { /* more than there can be */
        for (int i = 0; i < 100000; i++)
            found(5);
        stay();
    } else if (strcmp(what, "finds-long") == 0) { /* no path is that long */
        found(5000);
        stay();
    } else if (strcmp(what, "finds-nothing") == 0) { /* a store without a location */
        number(40);
        number(3);
        number(UINT64_MAX);
        number(UINT64_MAX);
        number(UINT64_MAX);
        number(0);
        stay();
    } else if (strcmp(what, "half") == 0) {
        number(1000);
        put("abc", 3);
    } else if (strcmp(what, "drip") == 0) { /* a byte now and then: every one in time */
        number(1000);
        for (int i = 0; i < 900; i++) {
            const struct timespec pause = {.tv_nsec = 50000000};

            put("x", 1);
            (void)nanosleep(&pause, NULL);
        }
    }
    return 0;
}
