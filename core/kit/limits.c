/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"

#include "der.h"

#include <stdlib.h>

#ifdef _WIN32
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#endif

#define NAME_MAX_LEN  253u
#define LABEL_MAX_LEN 63u
#define PERMITTED     0xa0u /* [0] permittedSubtrees */
#define DNS_NAME      0x82u /* [2] dNSName */
#define IP_ADDRESS    0x87u /* [7] iPAddress: the address, and a mask of the same length */

static const unsigned char oid[] = {0x06, 0x03, 0x55, 0x1d, 0x1e}; /* 2.5.29.30 */

void xr_limits_free(struct xr_limits *limits)
{
    xr_strings_free(&limits->dns);
    xr_strings_free(&limits->cidrs);
}

bool xr_limits_any(const struct xr_limits *limits)
{
    return limits->dns.count + limits->cidrs.count > 0;
}

static bool has(const struct xr_strings *strings, const char *text)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (strcmp(strings->items[i], text) == 0)
            return true;
    }
    return false;
}

static void add(struct xr_strings *strings, const char *text)
{
    if (!has(strings, text))
        xr_strings_add(strings, text);
}

static bool all_in(const struct xr_strings *some, const struct xr_strings *all)
{
    for (size_t i = 0; i < some->count; i++) {
        if (!has(all, some->items[i]))
            return false;
    }
    return true;
}

bool xr_limits_equal(const struct xr_limits *a, const struct xr_limits *b)
{
    return a->dns.count == b->dns.count && a->cidrs.count == b->cidrs.count &&
           all_in(&a->dns, &b->dns) && all_in(&a->cidrs, &b->cidrs);
}

bool xr_limits_cover(const struct xr_limits *wide, const struct xr_limits *narrow)
{
    bool names =
        wide->dns.count == 0 || (narrow->dns.count > 0 && all_in(&narrow->dns, &wide->dns));
    bool addresses =
        wide->cidrs.count == 0 || (narrow->cidrs.count > 0 && all_in(&narrow->cidrs, &wide->cidrs));

    return names && addresses;
}

/* ---- names ---- */

static bool label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool xr_limits_add_dns(struct xr_limits *out, const char *name)
{
    char text[NAME_MAX_LEN + 1];
    size_t len = strlen(name), label = 0;

    if (len > 1 && name[len - 1] == '.')
        len--;
    if (len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c == '.' ? label == 0 : !label_char(c) || ++label > LABEL_MAX_LEN)
            return false;
        if (c == '.')
            label = 0;
        text[i] = c;
    }
    text[len] = '\0';
    if (len > 0 && label == 0)
        return false;
    add(&out->dns, text);
    return true;
}

/* ---- addresses ---- */

static void mask(unsigned char *address, size_t len, unsigned bits)
{
    for (size_t i = 0; i < len; i++) {
        unsigned kept = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * (unsigned)i : 0;

        address[i] &= (unsigned char)(0xff00u >> kept);
    }
}

bool xr_limits_add_range(struct xr_limits *out, const unsigned char *address, size_t len,
                         unsigned bits)
{
    unsigned char base[16];
    char host[INET6_ADDRSTRLEN], *text = NULL;

    if ((len != 4 && len != 16) || bits > 8 * len)
        return false;
    memcpy(base, address, len);
    mask(base, len, bits);
    if (inet_ntop(len == 4 ? AF_INET : AF_INET6, base, host, sizeof(host)) == NULL)
        return false;
    text = xr_format("%s/%u", host, bits);
    add(&out->cidrs, text);
    free(text);
    return true;
}

size_t xr_limits_range(unsigned char address[16], unsigned *bits, const char *cidr)
{
    const char *slash = strchr(cidr, '/');
    size_t len = slash != NULL ? (size_t)(slash - cidr) : 0, bytes = 0;
    char host[INET6_ADDRSTRLEN];
    size_t digits = slash != NULL ? strspn(slash + 1, "0123456789") : 0;

    if (len == 0 || len >= sizeof(host) || digits == 0 || digits > 3 || slash[1 + digits] != '\0')
        return 0;
    memcpy(host, cidr, len);
    host[len] = '\0';
    *bits = (unsigned)strtoul(slash + 1, NULL, 10);
    if (inet_pton(AF_INET, host, address) == 1)
        bytes = 4;
    else if (inet_pton(AF_INET6, host, address) == 1)
        bytes = 16;
    return *bits <= 8 * bytes ? bytes : 0;
}

bool xr_limits_add_cidr(struct xr_limits *out, const char *text)
{
    unsigned char address[16];
    unsigned bits = 0;
    size_t len = xr_limits_range(address, &bits, text);

    return len > 0 && xr_limits_add_range(out, address, len, bits);
}

/* ---- for people ---- */

static const char *shown(const struct xr_strings *names, size_t i)
{
    return names->items[i][0] != '\0' ? names->items[i] : N_("any name");
}

/* All but the last. */
static char *before_last(const struct xr_strings *names)
{
    struct xr_buf list = {0};

    for (size_t i = 0; i + 1 < names->count; i++)
        xr_buf_fmt(&list, "%s%s", i > 0 ? ", " : "", shown(names, i));
    return list.data;
}

char *xr_limits_text(const struct xr_limits *limits)
{
    const struct xr_strings *dns = &limits->dns, *cidrs = &limits->cidrs;
    const char *name = dns->count > 0 ? shown(dns, dns->count - 1) : NULL;
    const char *range = cidrs->count > 0 ? shown(cidrs, cidrs->count - 1) : NULL;
    char *names = before_last(dns), *ranges = before_last(cidrs), *text = NULL;

    if (names != NULL && ranges != NULL)
        text = xr_format(N_("names below %s and %s, and addresses in %s and %s"), names, name,
                         ranges, range);
    else if (names != NULL && range != NULL)
        text = xr_format(N_("names below %s and %s, and addresses in %s"), names, name, range);
    else if (names != NULL)
        text = xr_format(N_("names below %s and %s"), names, name);
    else if (name != NULL && ranges != NULL)
        text = xr_format(N_("names below %s, and addresses in %s and %s"), name, ranges, range);
    else if (name != NULL && range != NULL)
        text = xr_format(N_("names below %s, and addresses in %s"), name, range);
    else if (name != NULL)
        text = xr_format(N_("names below %s"), name);
    else if (ranges != NULL)
        text = xr_format(N_("addresses in %s and %s"), ranges, range);
    else if (range != NULL)
        text = xr_format(N_("addresses in %s"), range);
    free(names);
    free(ranges);
    return text;
}

/* ---- as an extension ---- */

static void put_subtree(struct xr_buf *out, unsigned tag, const void *name, size_t len)
{
    struct xr_buf base = {0};

    xr_der_put(&base, tag, name, len);
    xr_der_put(out, XR_DER_SEQUENCE, base.data, base.len);
    xr_buf_free(&base);
}

static void put_range(struct xr_buf *out, const char *cidr)
{
    unsigned char range[32];
    unsigned bits = 0;
    size_t len = xr_limits_range(range, &bits, cidr);

    memset(range + len, 0xff, len);
    mask(range + len, len, bits);
    put_subtree(out, IP_ADDRESS, range, 2 * len);
}

/* Puts *inner into one element, and that into *inner. */
static void wrap(struct xr_buf *inner, unsigned tag)
{
    struct xr_buf outer = {0};

    xr_der_put(&outer, tag, inner->data, inner->len);
    xr_buf_free(inner);
    *inner = outer;
}

void xr_limits_attach(struct xr_attached *out, struct xr_buf *memory,
                      const struct xr_limits *limits)
{
    static const unsigned char yes = 0xff;
    struct xr_buf value = {0}, fields = {0};

    for (size_t i = 0; i < limits->dns.count; i++)
        put_subtree(&value, DNS_NAME, limits->dns.items[i], strlen(limits->dns.items[i]));
    for (size_t i = 0; i < limits->cidrs.count; i++)
        put_range(&value, limits->cidrs.items[i]);
    wrap(&value, PERMITTED);
    wrap(&value, XR_DER_SEQUENCE);
    xr_buf_add(&fields, oid, sizeof(oid));
    xr_der_put(&fields, XR_DER_BOOLEAN, &yes, 1);
    xr_der_put(&fields, XR_DER_OCTET_STRING, value.data, value.len);
    xr_buf_free(&value);
    memory->len = 0;
    xr_der_put(memory, XR_DER_SEQUENCE, fields.data, fields.len);
    xr_buf_free(&fields);
    *out = (struct xr_attached){.size = sizeof(*out),
                                .oid = {oid, sizeof(oid)},
                                .value = {(const unsigned char *)memory->data, memory->len}};
}

/* A mask is ones and then zeros. */
static bool mask_bits(unsigned *bits, const unsigned char *bytes, size_t len)
{
    unsigned char whole[16];

    memset(whole, 0xff, sizeof(whole));
    for (*bits = 0; *bits < 8 * len; (*bits)++) {
        if ((bytes[*bits / 8] & (0x80u >> *bits % 8)) == 0)
            break;
    }
    mask(whole, len, *bits);
    return memcmp(whole, bytes, len) == 0;
}

static bool read_name(struct xr_limits *out, const struct xr_der_item *base)
{
    struct xr_bytes name = base->content;
    unsigned bits = 0;
    char *text = NULL;
    bool ok = false;

    if (base->tag == IP_ADDRESS)
        return (name.len == 8 || name.len == 32) &&
               mask_bits(&bits, name.data + name.len / 2, name.len / 2) &&
               xr_limits_add_range(out, name.data, name.len / 2, bits);
    if (base->tag != DNS_NAME || memchr(name.data, '\0', name.len) != NULL)
        return false;
    text = xr_memdup(name.data, name.len);
    ok = xr_limits_add_dns(out, text);
    free(text);
    return ok;
}

static bool read_extension(struct xr_limits *out, struct xr_bytes rest)
{
    struct xr_der_item item, base;

    if (!xr_der_expect(&item, &rest, XR_DER_SEQUENCE) || rest.len > 0)
        return false;
    rest = item.content;
    if (!xr_der_expect(&item, &rest, XR_DER_OID) || item.whole.len != sizeof(oid) ||
        memcmp(item.whole.data, oid, sizeof(oid)) != 0)
        return false;
    (void)xr_der_expect(&item, &rest, XR_DER_BOOLEAN);
    if (!xr_der_expect(&item, &rest, XR_DER_OCTET_STRING) || rest.len > 0)
        return false;
    rest = item.content;
    if (!xr_der_expect(&item, &rest, XR_DER_SEQUENCE) || rest.len > 0)
        return false;
    rest = item.content;
    if (!xr_der_expect(&item, &rest, PERMITTED) || rest.len > 0)
        return false;
    rest = item.content;
    while (rest.len > 0) {
        if (!xr_der_expect(&item, &rest, XR_DER_SEQUENCE) || !xr_der_next(&base, &item.content) ||
            item.content.len > 0 || !read_name(out, &base))
            return false;
    }
    return xr_limits_any(out);
}

bool xr_limits_of(struct xr_limits *out, const struct xr_entry *entry)
{
    return entry->attached_count == 0 ||
           (entry->attached_count == 1 && read_extension(out, xr_attached_at(entry, 0)->value));
}
