/* SPDX-License-Identifier: Apache-2.0 */
/* A message of Chromium's ServerCertificate (metadata.h): does what was read, written again, read as the
 * same. */
#include "../../backends/chromium/metadata.h"

#include "fuzz.h"

#include <arpa/inet.h>
#include <stdlib.h>

static void put_varint(struct xr_buf *out, uint64_t value)
{
    do {
        unsigned char byte = (unsigned char)(value & 0x7f);

        value >>= 7;
        byte = (unsigned char)(byte | (value > 0 ? 0x80 : 0));
        xr_buf_add(out, &byte, 1);
    } while (value > 0);
}

static void put_field(struct xr_buf *out, unsigned number, const void *data, size_t len)
{
    put_varint(out, number << 3 | 2);
    put_varint(out, len);
    xr_buf_add(out, data, len);
}

static void put_cidr(struct xr_buf *out, const char *text)
{
    unsigned char address[16];
    char host[64];
    const char *slash = strchr(text, '/');
    struct xr_buf cidr = {0};
    bool v6 = strchr(text, ':') != NULL;

    CHECK(slash != NULL && (size_t)(slash - text) < sizeof(host));
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = '\0';
    CHECK(inet_pton(v6 ? AF_INET6 : AF_INET, host, address) == 1);
    put_field(&cidr, 1, address, v6 ? 16 : 4);
    put_varint(&cidr, 2 << 3);
    put_varint(&cidr, strtoul(slash + 1, NULL, 10));
    put_field(out, 3, cidr.data, cidr.len);
    xr_buf_free(&cidr);
}

static struct xr_buf write_again(const struct chromium_metadata *read)
{
    unsigned char trust[2] = {1 << 3, (unsigned char)read->trust};
    struct xr_buf out = {0}, limits = {0};

    put_field(&out, 1, trust, sizeof(trust));
    for (size_t i = 0; i < read->dns.count; i++)
        put_field(&limits, 1, read->dns.items[i], strlen(read->dns.items[i]));
    for (size_t i = 0; i < read->cidrs.count; i++)
        put_cidr(&limits, read->cidrs.items[i]);
    put_field(&out, 2, limits.data, limits.len);
    xr_buf_free(&limits);
    return out;
}

static void check_same(const struct xr_strings *a, const struct xr_strings *b)
{
    CHECK(a->count == b->count);
    for (size_t i = 0; i < a->count; i++)
        CHECK(strcmp(a->items[i], b->items[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chromium_metadata once = {0}, twice = {0};
    const char *why = chromium_metadata_read(&once, (struct xr_bytes){data, size});

    if (why == NULL) {
        struct xr_buf out = write_again(&once);

        CHECK(once.trust >= CHROMIUM_UNSPECIFIED && once.trust <= CHROMIUM_TRUSTED);
        for (size_t i = 0; i < once.dns.count; i++)
            CHECK(fuzz_printable(once.dns.items[i]));
        /* Written in full, a prefix of 0 bits is longer than it may have come. */
        if (out.len <= (size_t)32 << 10) {
            CHECK(chromium_metadata_read(&twice, fuzz_buf_bytes(&out)) == NULL);
            CHECK(once.trust == twice.trust);
            check_same(&once.dns, &twice.dns);
            check_same(&once.cidrs, &twice.cidrs);
        }
        xr_buf_free(&out);
    }
    chromium_metadata_free(&once);
    chromium_metadata_free(&twice);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    struct chromium_metadata metadata = {.trust = CHROMIUM_TRUSTED};
    struct xr_buf out = {0};

    xr_buf_add(&out, "\x0a\x02\x08\x02", 4);
    fuzz_seed_buf(corpus, &out);
    xr_strings_add(&metadata.dns, "example.org");
    xr_strings_add(&metadata.dns, ".example.com");
    xr_strings_add(&metadata.cidrs, "10.0.0.0/8");
    xr_strings_add(&metadata.cidrs, "2001:db8::/32");
    xr_strings_add(&metadata.cidrs, "0.0.0.0/0");
    out = write_again(&metadata);
    fuzz_seed_buf(corpus, &out);
    chromium_metadata_free(&metadata);
}
