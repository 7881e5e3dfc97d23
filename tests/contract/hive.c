/* SPDX-License-Identifier: Apache-2.0 */
/* The format: github.com/msuhanov/regf, "Windows registry file format specification". */
#include "hive.h"

#include "tree.h"

#include <stdint.h>
#include <string.h>

#define PAGE 4096u

static void put16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

static void put32(unsigned char *at, uint32_t value)
{
    put16(at, value & 0xffff);
    put16(at + 2, value >> 16);
}

static void put_letters(unsigned char *at, const char *letters)
{
    while (*letters != '\0')
        *at++ = (unsigned char)*letters++;
}

void hive_make(const char *dir, const char *name)
{
    enum { ROOT = 0x20, ROOT_SIZE = 0x58, SECURITY = ROOT + ROOT_SIZE, SECURITY_SIZE = 0x30 };
    static const unsigned char descriptor[20] = {1, 0, 0, 0x80}; /* self-relative, nothing in it */
    unsigned char hive[2 * PAGE] = "regf";
    unsigned char *bin = hive + PAGE, *key = bin + ROOT, *security = bin + SECURITY;
    uint32_t checksum = 0;

    put32(hive + 4, 1); /* both sequence numbers */
    put32(hive + 8, 1);
    put32(hive + 20, 1); /* version 1.5 */
    put32(hive + 24, 5);
    put32(hive + 32, 1); /* format */
    put32(hive + 36, ROOT);
    put32(hive + 40, PAGE);
    put32(hive + 44, 1);
    for (unsigned i = 0; i < 508; i += 4)
        checksum ^= (uint32_t)hive[i] | (uint32_t)hive[i + 1] << 8 | (uint32_t)hive[i + 2] << 16 |
                    (uint32_t)hive[i + 3] << 24;
    put32(hive + 508, checksum);

    put_letters(bin, "hbin");
    put32(bin + 8, PAGE);

    put32(key, (uint32_t)-ROOT_SIZE);
    put_letters(key + 4, "nk");
    put16(key + 6, 0x2c); /* root of a hive, not to be deleted, name in ASCII */
    put32(key + 20, 0xffffffff);
    put32(key + 32, 0xffffffff); /* no subkeys, no values, no class */
    put32(key + 36, 0xffffffff);
    put32(key + 44, 0xffffffff);
    put32(key + 48, SECURITY);
    put32(key + 52, 0xffffffff);
    put16(key + 76, 4);
    put_letters(key + 80, "ROOT");

    put32(security, (uint32_t)-SECURITY_SIZE);
    put_letters(security + 4, "sk");
    put32(security + 8, SECURITY);
    put32(security + 12, SECURITY);
    put32(security + 16, 1);
    put32(security + 20, sizeof(descriptor));
    memcpy(security + 24, descriptor, sizeof(descriptor));

    put32(security + SECURITY_SIZE, PAGE - SECURITY - SECURITY_SIZE); /* free */
    tree_write(dir, name, hive, sizeof(hive), 0644);
}
