/* SPDX-License-Identifier: Apache-2.0 */
/* Names and addresses that an anchor is limited to, in words and as an extension. */
#include "kit/limits.h"

#include <criterion/criterion.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static const char *dns_of(const char *name)
{
    static char kept[300];
    struct xr_limits limits = {0};
    bool good = xr_limits_add_dns(&limits, name);

    (void)snprintf(kept, sizeof(kept), "%s", good ? limits.dns.items[0] : "(refused)");
    xr_limits_free(&limits);
    return kept;
}

static const char *cidr_of(const char *text)
{
    static char kept[100];
    struct xr_limits limits = {0};
    bool good = xr_limits_add_cidr(&limits, text);

    (void)snprintf(kept, sizeof(kept), "%s", good ? limits.cidrs.items[0] : "(refused)");
    xr_limits_free(&limits);
    return kept;
}

Test(limits, a_name_is_kept_in_lower_case_without_its_final_dot)
{
    cr_assert_str_eq(dns_of("Example.COM."), "example.com");
    cr_assert_str_eq(dns_of("a_b-1.example"), "a_b-1.example");
    cr_assert_str_eq(dns_of("localhost"), "localhost");
    cr_assert_str_eq(dns_of(""), "");
}

Test(limits, what_is_no_name_is_refused)
{
    static const char *const bad[] = {".",     ".example.com", "a..b",          "*.example.com",
                                      "a b",   "a/b",          "ex\xc3\xa4.de", "example.com..",
                                      "a\nb.c"};
    char longer[300];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_str_eq(dns_of(bad[i]), "(refused)", "%s", bad[i]);
    memset(longer, 'a', 64);
    (void)snprintf(longer + 64, sizeof(longer) - 64, ".example");
    cr_assert_str_eq(dns_of(longer), "(refused)");
    for (size_t i = 0; i < 254; i++)
        longer[i] = i % 50 == 49 ? '.' : 'a';
    longer[254] = '\0';
    cr_assert_str_eq(dns_of(longer), "(refused)");
    longer[253] = '\0';
    cr_assert_str_eq(dns_of(longer), longer);
}

Test(limits, a_range_is_kept_without_host_bits)
{
    cr_assert_str_eq(cidr_of("192.0.2.77/24"), "192.0.2.0/24");
    cr_assert_str_eq(cidr_of("10.255.255.255/9"), "10.128.0.0/9");
    cr_assert_str_eq(cidr_of("0.0.0.0/0"), "0.0.0.0/0");
    cr_assert_str_eq(cidr_of("127.0.0.1/32"), "127.0.0.1/32");
    cr_assert_str_eq(cidr_of("2001:DB8:0::1/32"), "2001:db8::/32");
    cr_assert_str_eq(cidr_of("::1/128"), "::1/128");
}

Test(limits, what_is_no_range_is_refused)
{
    static const char *const bad[] = {"",           "192.0.2.0",  "192.0.2.0/33", "192.0.2.0/",
                                      "/24",        "10/8",       "::1/129",      "192.0.2.0/2 4",
                                      "1.2.3.4/-1", "1.2.3.4//8", "example/8",    "1.2.3.4/0x8"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_str_eq(cidr_of(bad[i]), "(refused)", "%s", bad[i]);
}

static void fill(struct xr_limits *out)
{
    cr_assert(xr_limits_add_dns(out, "example.com"));
    cr_assert(xr_limits_add_dns(out, "Example.Com"));
    cr_assert(xr_limits_add_dns(out, ""));
    cr_assert(xr_limits_add_cidr(out, "192.0.2.0/25"));
    cr_assert(xr_limits_add_cidr(out, "2001:db8::/33"));
}

static struct xr_entry entry_with(const struct xr_attached *attached, size_t count)
{
    return (struct xr_entry){
        .size = sizeof(struct xr_entry), .attached = attached, .attached_count = count};
}

Test(limits, an_extension_has_them_all_and_is_read_back)
{
    struct xr_limits limits = {0}, back = {0};
    struct xr_attached attached;
    struct xr_buf memory = {0};
    struct xr_entry entry;
    char *text = NULL;

    fill(&limits);
    cr_assert_eq(limits.dns.count, 2, "the same name counts once");
    xr_limits_attach(&attached, &memory, &limits);
    entry = entry_with(&attached, 1);
    cr_assert(xr_limits_of(&back, &entry));
    cr_assert(xr_limits_equal(&limits, &back));
    text = xr_limits_text(&back);
    cr_assert_str_eq(text, "names below example.com and any name, and addresses in 192.0.2.0/25 "
                           "and 2001:db8::/33");
    free(text);
    xr_limits_free(&limits);
    xr_limits_free(&back);
    xr_buf_free(&memory);
}

Test(limits, libcrypto_reads_the_extension_as_it_is_meant)
{
    struct xr_limits limits = {0};
    struct xr_attached attached;
    struct xr_buf memory = {0};
    const unsigned char *at = NULL;
    X509_EXTENSION *extension = NULL;
    NAME_CONSTRAINTS *constraints = NULL;
    const GENERAL_SUBTREE *first = NULL, *last = NULL;

    fill(&limits);
    xr_limits_attach(&attached, &memory, &limits);
    at = attached.value.data;
    extension = d2i_X509_EXTENSION(NULL, &at, (long)attached.value.len);
    cr_assert_not_null(extension);
    cr_assert(X509_EXTENSION_get_critical(extension));
    constraints = X509V3_EXT_d2i(extension);
    cr_assert_not_null(constraints);
    cr_assert_null(constraints->excludedSubtrees);
    cr_assert_eq(sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees), 4);
    first = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, 0);
    cr_assert_eq(first->base->type, GEN_DNS);
    cr_assert_eq(ASN1_STRING_length(first->base->d.dNSName), (int)strlen("example.com"));
    last = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, 3);
    cr_assert_eq(last->base->type, GEN_IPADD);
    cr_assert_eq(ASN1_STRING_length(last->base->d.iPAddress), 32);
    cr_assert_eq(ASN1_STRING_get0_data(last->base->d.iPAddress)[20], 0x80);
    NAME_CONSTRAINTS_free(constraints);
    X509_EXTENSION_free(extension);
    xr_limits_free(&limits);
    xr_buf_free(&memory);
}

Test(limits, every_changed_byte_of_an_extension_gives_limits_or_a_refusal)
{
    struct xr_limits limits = {0};
    struct xr_attached attached;
    struct xr_buf memory = {0};

    fill(&limits);
    xr_limits_attach(&attached, &memory, &limits);
    for (size_t i = 0; i < 256 * memory.len; i++) {
        unsigned char *copy = xr_memdup(memory.data, memory.len);
        struct xr_attached changed = attached;
        struct xr_entry entry = entry_with(&changed, 1);
        struct xr_limits back = {0};

        copy[i / 256] = (unsigned char)i;
        changed.value.data = copy;
        if (xr_limits_of(&back, &entry))
            cr_assert(xr_limits_any(&back), "an extension never means no limits");
        xr_limits_free(&back);
        free(copy);
    }
    xr_limits_free(&limits);
    xr_buf_free(&memory);
}

Test(limits, two_extensions_are_not_understood_and_none_is_no_limit)
{
    struct xr_limits limits = {0}, back = {0};
    struct xr_attached attached[2];
    struct xr_buf memory[2] = {{0}, {0}};
    struct xr_entry entry;

    fill(&limits);
    for (size_t i = 0; i < 2; i++)
        xr_limits_attach(&attached[i], &memory[i], &limits);
    entry = entry_with(attached, 2);
    cr_assert_not(xr_limits_of(&back, &entry));
    entry = entry_with(NULL, 0);
    cr_assert(xr_limits_of(&back, &entry));
    cr_assert_not(xr_limits_any(&back));
    cr_assert_null(xr_limits_text(&back));
    xr_limits_free(&limits);
    for (size_t i = 0; i < 2; i++)
        xr_buf_free(&memory[i]);
}

Test(limits, more_names_cover_fewer_and_none_cover_all)
{
    struct xr_limits none = {0}, one = {0}, two = {0};

    cr_assert(xr_limits_add_dns(&one, "a.example"));
    cr_assert(xr_limits_add_dns(&two, "a.example"));
    cr_assert(xr_limits_add_dns(&two, "b.example"));
    cr_assert(xr_limits_cover(&two, &one));
    cr_assert_not(xr_limits_cover(&one, &two));
    cr_assert(xr_limits_cover(&none, &one));
    cr_assert_not(xr_limits_cover(&one, &none));
    xr_limits_free(&one);
    xr_limits_free(&two);
}
