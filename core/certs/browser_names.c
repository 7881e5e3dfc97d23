/* SPDX-License-Identifier: Apache-2.0 */
/* Names of servers, and what limits them: name constraints, path lengths, limits of a source. */
#include "browser_rules.h"

#include <openssl/x509v3.h>
#include <stdlib.h>

/* ---- names ---- */

static bool without_dot(struct xr_bytes *name)
{
    bool dot = name->len > 0 && name->data[name->len - 1] == '.';

    if (dot)
        name->len--;
    return dot;
}

static bool same_dns(struct xr_bytes a, struct xr_bytes b)
{
    return a.len == b.len &&
           OPENSSL_strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

static struct xr_bytes after_dot(struct xr_bytes name)
{
    const unsigned char *dot = name.len > 0 ? memchr(name.data, '.', name.len) : NULL;
    size_t skip = dot != NULL ? (size_t)(dot + 1 - name.data) : name.len;

    return (struct xr_bytes){name.data + skip, name.len - skip};
}

/* Two labels, the second of two letters and the first short, may be a public suffix: co.uk, ac.jp. */
static bool maybe_suffix(struct xr_bytes name)
{
    struct xr_bytes top = after_dot(name);

    return top.len == 0 || (top.len == 2 && name.len <= top.len + 4);
}

/* XR_BAD: another name; XR_DOUBT: browsers disagree. */
static enum xr_finding_level match_dns(const struct xr_browser_rules *rules, struct xr_bytes name,
                                       struct xr_bytes host)
{
    bool dots = without_dot(&host), name_dots = without_dot(&name);
    struct xr_bytes parent = after_dot(host), label = host;
    bool odd = dots || name_dots;

    label.len -= parent.len > 0 ? parent.len + 1 : 0;
    odd = odd || label.len == 0 || label.data[0] == '-' || label.data[label.len - 1] == '-';
    if (same_dns(name, host))
        return odd ? XR_DOUBT : XR_FINE;
    if (name.len < 3 || name.data[0] != '*' || name.data[1] != '.' ||
        !same_dns(after_dot(name), parent))
        return XR_BAD;
    odd = odd || after_dot(parent).len == 0 || (rules->unknown_suffixes && maybe_suffix(parent));
    return odd ? XR_DOUBT : XR_FINE;
}

static enum xr_finding_level match_names(const struct xr_browser_rules *rules,
                                         const GENERAL_NAMES *names, const char *host)
{
    char *bare = host[0] == '[' ? xr_memdup(host + 1, strcspn(host + 1, "]")) : xr_strdup(host);
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(bare);
    struct xr_bytes wanted = {(const unsigned char *)bare, strlen(bare)};
    enum xr_finding_level best = XR_BAD;

    for (int i = 0; best != XR_FINE && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        enum xr_finding_level one = XR_BAD;

        if (address != NULL && name->type == GEN_IPADD)
            one = ASN1_OCTET_STRING_cmp(name->d.iPAddress, address) == 0 ? XR_FINE : XR_BAD;
        else if (address == NULL && name->type == GEN_DNS)
            one = match_dns(
                rules, (struct xr_bytes){name->d.dNSName->data, (size_t)name->d.dNSName->length},
                wanted);
        if (one < best)
            best = one;
    }
    ASN1_OCTET_STRING_free(address);
    free(bare);
    return best;
}

void xr_browser_names_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                            const struct xr_browser_item *server, const char *host)
{
    GENERAL_NAMES *names = NULL;
    int critical = 0;

    if (server->x == NULL)
        return;
    names = X509_get_ext_d2i(server->x, NID_subject_alt_name, &critical, NULL);
    if (!xr_browser_has(server, NID_subject_alt_name))
        xr_find(f, XR_BAD, "\"%s\" has no subjectAltName, and %s reads no names elsewhere",
                NAME_OF(server), rules->name);
    else if (names == NULL || (server->cert->d.slices.subject.len <= 2 && critical != 1))
        xr_find(f, XR_DOUBT, "\"%s\" has names in a rare form", NAME_OF(server));
    if (host != NULL && names != NULL)
        xr_find(f, match_names(rules, names, host), "\"%s\" is for another host", NAME_OF(server));
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

/* ---- name constraints (RFC 5280, 4.2.1.10) ---- */

/* Address and mask, the mask's bits without a gap. */
static bool usual_range(const ASN1_STRING *range)
{
    int half = range->length / 2;
    bool ended = false;

    if (range->length != 8 && range->length != 32)
        return false;
    for (int bit = 0; bit < half * 8; bit++) {
        bool set = (range->data[half + bit / 8] & (0x80u >> (unsigned)(bit % 8))) != 0;

        if (set && ended)
            return false;
        ended = ended || !set;
    }
    return true;
}

/* Names of a certificate, by what makes its constraints doubtful. */
struct named {
    uint32_t types; /* bits 1 << GEN_*, emailAddress in the subject as GEN_EMAIL */
    bool wildcard;
};

static struct named names_of(const struct xr_browser_item *item)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(item->x, NID_subject_alt_name, NULL, NULL);
    struct named out = {0};

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        out.types |= 1u << (unsigned)name->type;
        if (name->type == GEN_DNS && name->d.dNSName->length > 0)
            out.wildcard = out.wildcard || name->d.dNSName->data[0] == '*';
    }
    GENERAL_NAMES_free(names);
    if (X509_NAME_get_index_by_NID(X509_get_subject_name(item->x), NID_pkcs9_emailAddress, -1) >= 0)
        out.types |= 1u << GEN_EMAIL;
    return out;
}

/* Do the RDNs of a constraint begin the subject byte for byte? */
static bool begins_subject(X509_NAME *limit, struct xr_bytes subject)
{
    const unsigned char *der = NULL;
    size_t len = 0;
    struct xr_bytes whole;
    struct xr_der_item a, b;

    if (X509_NAME_get0_der(limit, &der, &len) != 1)
        return false;
    whole = (struct xr_bytes){der, len};
    return xr_der_expect(&a, &whole, XR_DER_SEQUENCE) &&
           xr_der_expect(&b, &subject, XR_DER_SEQUENCE) && a.content.len <= b.content.len &&
           memcmp(a.content.data, b.content.data, a.content.len) == 0;
}

/* Is one constraint such that all verifiers read it alike for a certificate with these names? */
static bool usual_tree(const struct xr_browser_rules *rules, const GENERAL_SUBTREE *tree,
                       bool excludes, const struct named *named)
{
    const GENERAL_NAME *name = tree->base;

    if (tree->minimum != NULL || tree->maximum != NULL)
        return false;
    switch (name->type) {
    case GEN_DNS:
        return (name->d.dNSName->length == 0 ||
                name->d.dNSName->data[name->d.dNSName->length - 1] != '.') &&
               !(excludes && named->wildcard);
    case GEN_IPADD:
        return usual_range(name->d.iPAddress);
    case GEN_DIRNAME:
        return !(excludes && rules->exact_directory);
    default: /* only a name of that type can be outside */
        return (named->types & 1u << (unsigned)name->type) == 0;
    }
}

/* outside: libcrypto says that a name is; then what a wildcard might still reach does not count. */
static bool usual_limits(const struct xr_browser_rules *rules, const NAME_CONSTRAINTS *limits,
                         const struct xr_browser_item *below, bool outside)
{
    const STACK_OF(GENERAL_SUBTREE) *const lists[] = {limits->permittedSubtrees,
                                                      limits->excludedSubtrees};
    struct named named = names_of(below);
    bool directory = false, begins = false;

    named.wildcard = named.wildcard && !outside;
    if (sk_GENERAL_SUBTREE_num(lists[0]) <= 0 && sk_GENERAL_SUBTREE_num(lists[1]) <= 0)
        return false;
    for (int list = 0; list < 2; list++) {
        if (lists[list] != NULL && sk_GENERAL_SUBTREE_num(lists[list]) == 0)
            return false;
        for (int i = 0; i < sk_GENERAL_SUBTREE_num(lists[list]); i++) {
            const GENERAL_SUBTREE *tree = sk_GENERAL_SUBTREE_value(lists[list], i);

            if (!usual_tree(rules, tree, list == 1, &named))
                return false;
            if (list == 0 && tree->base->type == GEN_DIRNAME) {
                directory = true;
                begins = begins ||
                         begins_subject(tree->base->d.directoryName, below->cert->d.slices.subject);
            }
        }
    }
    return !directory || begins || !rules->exact_directory;
}

static void check_constraints(struct xr_finding *f, const struct xr_browser_rules *rules,
                              const struct xr_browser_item *issuer,
                              const struct xr_browser_item *below)
{
    NAME_CONSTRAINTS *limits = NULL;
    int error = X509_V_OK;
    bool outside = false;

    if (!issuer->cert->d.name_constraints || issuer->x == NULL || below->x == NULL)
        return;
    limits = X509_get_ext_d2i(issuer->x, NID_name_constraints, NULL, NULL);
    error = limits != NULL ? NAME_CONSTRAINTS_check(below->x, limits) : X509_V_ERR_UNSPECIFIED;
    outside = error == X509_V_ERR_PERMITTED_VIOLATION || error == X509_V_ERR_EXCLUDED_VIOLATION;
    if (limits == NULL || !usual_limits(rules, limits, below, outside) ||
        below->cert->d.slices.subject.len <= 2)
        xr_find(f, XR_DOUBT, "\"%s\" has name constraints of a rare kind", NAME_OF(issuer));
    else if (outside)
        xr_find(f, XR_BAD, "\"%s\" is limited to other names", NAME_OF(issuer));
    else if (error != X509_V_OK)
        xr_find(f, XR_DOUBT, "\"%s\" has name constraints that cannot be checked", NAME_OF(issuer));
    NAME_CONSTRAINTS_free(limits);
    ERR_clear_error();
}

void xr_browser_path_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *const *items, size_t count, bool as_ca)
{
    int between = 0, counted = 0; /* CAs below; counted: without self-issued ones */

    for (size_t i = as_ca ? 0 : 1; i < count; i++) {
        int most = items[i]->cert->d.has_basic_constraints ? items[i]->cert->d.pathlen : -1;

        if (most >= 0 && between > most)
            xr_find(f, counted > most ? XR_BAD : XR_DOUBT,
                    "\"%s\" allows fewer CAs below it (pathlen %d)", NAME_OF(items[i]), most);
        between++;
        counted += !xr_browser_self_issued(items[i]);
        for (size_t below = 0; below < i; below++)
            check_constraints(f, rules, items[i], items[below]);
    }
}

/* ---- limits that a source sets ---- */

static bool dns_within(struct xr_bytes name, const struct xr_browser_cert *anchor)
{
    for (size_t i = 0; i < anchor->permitted_dns_count; i++) {
        const char *limit = anchor->permitted_dns[i];
        size_t len = strlen(limit), skip = 0;

        if (len > name.len)
            continue;
        skip = name.len - len;
        if (OPENSSL_strncasecmp((const char *)name.data + skip, limit, len) == 0 &&
            (skip == 0 || len == 0 || name.data[skip - 1] == '.' || limit[0] == '.'))
            return true;
    }
    return false;
}

/* Address and mask in one string, as in name constraints (RFC 5280, 4.2.1.10). */
static bool address_within(struct xr_bytes address, const struct xr_browser_cert *anchor)
{
    for (size_t i = 0; i < anchor->permitted_cidrs_count; i++) {
        const char *cidr = anchor->permitted_cidrs[i], *slash = strchr(cidr, '/');
        char *text = slash != NULL ? xr_memdup(cidr, (size_t)(slash - cidr)) : xr_strdup(cidr);
        ASN1_OCTET_STRING *base = a2i_IPADDRESS(text);
        size_t bits = slash != NULL ? (size_t)strtoul(slash + 1, NULL, 10) : address.len * 8;
        bool within =
            base != NULL && (size_t)base->length == address.len && bits <= address.len * 8;

        for (size_t bit = 0; within && bit < bits; bit++)
            within = ((base->data[bit / 8] ^ address.data[bit / 8]) & (0x80u >> (bit % 8))) == 0;
        ASN1_OCTET_STRING_free(base);
        free(text);
        if (within)
            return true;
    }
    return false;
}

/* Limits of one kind leave names of the other kind free. */
static bool outside(const GENERAL_NAME *name, const struct xr_browser_cert *anchor)
{
    const ASN1_STRING *text = name->type == GEN_DNS     ? name->d.dNSName
                              : name->type == GEN_IPADD ? name->d.iPAddress
                                                        : NULL;
    struct xr_bytes bytes = {0};

    if (text == NULL)
        return false;
    bytes = (struct xr_bytes){text->data, (size_t)text->length};
    if (name->type == GEN_DNS)
        return anchor->permitted_dns_count > 0 && !dns_within(bytes, anchor);
    return anchor->permitted_cidrs_count > 0 && !address_within(bytes, anchor);
}

void xr_browser_limits_check(struct xr_finding *f, const struct xr_browser_cert *anchor,
                             const struct xr_browser_item *server)
{
    GENERAL_NAMES *names = NULL;

    if (anchor->permitted_dns_count + anchor->permitted_cidrs_count == 0 || server->x == NULL)
        return;
    names = X509_get_ext_d2i(server->x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (outside(sk_GENERAL_NAME_value(names, i), anchor))
            xr_find(f, XR_BAD, "%.120s limits the anchor to other names",
                    anchor->source != NULL ? anchor->source : N_("a source"));
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}
