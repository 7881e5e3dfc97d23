/* SPDX-License-Identifier: Apache-2.0 */
/* Measured with Firefox ESR 153 and Chromium 156 (docs/browsers.md, tests/nss/opinions.sh). What was
 * not measured is a doubt, which makes "cannot tell" of an answer. */
#include "browser_rules.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdlib.h>

enum { RSA_BITS_LEAST = 1024, RSA_BITS_USUAL = 8192, SERIAL_MOST = 20 };

static const struct xr_browser_rules all_rules[] = {
    [XR_FIREFOX] = {.name = "Firefox", .exact_names = true},
    [XR_CHROMIUM] = {.name = "Chromium", .peers = true},
};

const struct xr_browser_rules *xr_browser_rules(enum xr_browser browser)
{
    return browser == XR_CHROMIUM ? &all_rules[XR_CHROMIUM] : &all_rules[XR_FIREFOX];
}

void xr_find(struct xr_finding *f, enum xr_finding_level level, const char *format, ...)
{
    va_list args;

    if (level <= f->level)
        return;
    f->level = level;
    va_start(args, format);
    (void)vsnprintf(f->why, sizeof(f->why), format, args);
    va_end(args);
}

/* One finding about a certificate, which is named. */
XR_PRINTF(4, 5)
static void find_at(struct xr_finding *f, enum xr_finding_level level,
                    const struct xr_browser_item *item, const char *format, ...)
{
    char *name = NULL, text[160];
    va_list args;

    if (level <= f->level)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    name = xr_x509_name_short(item->cert->d.slices.subject);
    xr_find(f, level, "\"%.80s\" %s", name, text);
    free(name);
}

static enum xr_finding_level level_of(enum xr_take take)
{
    return take == XR_TAKES ? XR_FINE : take == XR_REFUSES ? XR_BAD : XR_DOUBT;
}

/* ---- keys and signatures ---- */

static void check_curve(struct xr_finding *f, const struct xr_browser_rules *rules,
                        const struct xr_browser_item *item, EVP_PKEY *key,
                        enum xr_browser_role role)
{
    char name[64] = "";
    size_t len = 0;

    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
        find_at(f, XR_DOUBT, item, "has a key on a curve without a name");
    else if (strcmp(name, "secp521r1") == 0 && role == XR_ROLE_SERVER)
        find_at(f, level_of(rules->p521_leaf), item, "has a key on the curve P-521");
    else if (strcmp(name, "prime256v1") != 0 && strcmp(name, "secp384r1") != 0 &&
             strcmp(name, "secp521r1") != 0)
        find_at(f, XR_BAD, item, "has a key on the curve %.40s", name);
}

static void check_key(struct xr_finding *f, const struct xr_browser_rules *rules,
                      const struct xr_browser_item *item, enum xr_browser_role role)
{
    EVP_PKEY *key = xr_crypto_key(item->cert);
    int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

    if (key == NULL) {
        find_at(f, XR_DOUBT, item, "has a key of an unknown kind");
        return;
    }
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        if (bits < RSA_BITS_LEAST)
            find_at(f, XR_BAD, item, "has an RSA key of %d bits", bits);
        else if (bits > RSA_BITS_USUAL)
            find_at(f, XR_DOUBT, item, "has an RSA key of %d bits", bits);
        break;
    case EVP_PKEY_EC:
        check_curve(f, rules, item, key, role);
        break;
    case EVP_PKEY_DSA:
        find_at(f, XR_BAD, item, "has a DSA key");
        break;
    default:
        find_at(f, XR_DOUBT, item, "has a key of a rare kind");
    }
}

static void check_signature(struct xr_finding *f, const struct xr_browser_item *item)
{
    int md = NID_undef, key = NID_undef;

    if (X509_get_signature_info(item->x, &md, &key, NULL, NULL) != 1 || md == NID_undef)
        find_at(f, XR_DOUBT, item, "is signed with a rare algorithm");
    else if (md == NID_sha1 || md == NID_md5 || md == NID_md5_sha1)
        find_at(f, XR_BAD, item, "is signed with %s", md == NID_sha1 ? "SHA-1" : "MD5");
    else if (key == NID_dsa)
        find_at(f, XR_BAD, item, "is signed with DSA");
    else if ((md != NID_sha256 && md != NID_sha384 && md != NID_sha512) ||
             (key != NID_rsaEncryption && key != NID_X9_62_id_ecPublicKey))
        find_at(f, XR_DOUBT, item, "is signed with a rare algorithm");
}

/* ---- validity and form ---- */

static bool usual_time(const ASN1_TIME *time)
{
    size_t want = time->type == V_ASN1_UTCTIME ? 13 : 15;

    return (size_t)time->length == want && time->data[want - 1] == 'Z';
}

static void check_time(struct xr_finding *f, const struct xr_browser_rules *rules,
                       const struct xr_browser_item *item, enum xr_browser_role role, int64_t at)
{
    const struct xr_der_cert *d = &item->cert->d;
    enum xr_finding_level level = role == XR_ROLE_ANCHOR ? level_of(rules->expired_anchor) : XR_BAD;

    if (!usual_time(X509_get0_notBefore(item->x)) || !usual_time(X509_get0_notAfter(item->x)))
        find_at(f, XR_DOUBT, item, "has a date in a rare form");
    if (at < d->not_before)
        find_at(f, level, item, "is not valid yet");
    else if (at > d->not_after)
        find_at(f, level, item, "has expired");
}

static void check_serial(struct xr_finding *f, const struct xr_browser_item *item)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(item->x);

    if (serial->length > SERIAL_MOST || serial->type == V_ASN1_NEG_INTEGER)
        find_at(f, XR_DOUBT, item, "has a serial number that is negative or too long");
}

/* ---- extensions ---- */

/* Both browsers process these. */
static const int known_critical[] = {NID_basic_constraints, NID_key_usage,
                                     NID_ext_key_usage,     NID_subject_alt_name,
                                     NID_name_constraints,  NID_certificate_policies};
/* They know these too, but nobody here asked what they do if one is critical. */
static const int rare_critical[] = {NID_authority_key_identifier,
                                    NID_subject_key_identifier,
                                    NID_info_access,
                                    NID_sinfo_access,
                                    NID_crl_distribution_points,
                                    NID_freshest_crl,
                                    NID_issuer_alt_name,
                                    NID_policy_mappings,
                                    NID_policy_constraints,
                                    NID_inhibit_any_policy,
                                    NID_netscape_cert_type,
                                    NID_tlsfeature,
                                    NID_id_pkix_OCSP_noCheck,
                                    NID_private_key_usage_period};

static bool among(const int *nids, size_t count, int nid)
{
    for (size_t i = 0; i < count; i++) {
        if (nids[i] == nid)
            return true;
    }
    return false;
}
#define AMONG(nids, nid) among(nids, sizeof(nids) / sizeof((nids)[0]), nid)

static void check_critical(struct xr_finding *f, const struct xr_browser_item *item)
{
    for (int i = 0; i < X509_get_ext_count(item->x); i++) {
        X509_EXTENSION *extension = X509_get_ext(item->x, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        char oid[64] = "";

        if (!X509_EXTENSION_get_critical(extension) || AMONG(known_critical, nid))
            continue;
        (void)OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(extension), 1);
        find_at(f, AMONG(rare_critical, nid) ? XR_DOUBT : XR_BAD, item,
                "has the critical extension %.40s", oid);
    }
}

static void check_usage(struct xr_finding *f, const struct xr_browser_rules *rules,
                        const struct xr_browser_item *item, enum xr_browser_role role)
{
    const struct xr_der_cert *d = &item->cert->d;
    uint32_t usage = X509_get_key_usage(item->x);
    bool server = role == XR_ROLE_SERVER;

    if (d->has_key_usage && !server && (usage & KU_KEY_CERT_SIGN) == 0)
        find_at(f, XR_BAD, item, "may not sign certificates");
    if (d->has_key_usage && server && (usage & KU_DIGITAL_SIGNATURE) == 0)
        find_at(f,
                (usage & KU_KEY_ENCIPHERMENT) != 0 ? level_of(rules->key_encipherment) : XR_DOUBT,
                item, "has a key that may not sign");
    if (!d->has_eku || (d->eku & XR_SERVER) != 0)
        return;
    if ((d->eku & XR_ANY_PURPOSE) != 0)
        find_at(f, level_of(server ? rules->any_eku_leaf : rules->any_eku_issuer), item,
                "is for any purpose, but not named for servers");
    else if ((X509_get_extended_key_usage(item->x) & XKU_SGC) != 0)
        find_at(f, XR_DOUBT, item, "is for servers only by an old extended key usage");
    else
        find_at(f, XR_BAD, item, "is not for servers");
}

static void check_ca(struct xr_finding *f, const struct xr_browser_rules *rules,
                     const struct xr_browser_item *item, enum xr_browser_role role)
{
    const struct xr_der_cert *d = &item->cert->d;
    enum xr_finding_level level = XR_BAD;

    if (role == XR_ROLE_SERVER) {
        if (d->has_basic_constraints && d->ca)
            find_at(f, level_of(rules->ca_leaf), item, "is a CA and no server");
        return;
    }
    if (d->has_basic_constraints) {
        if (!d->ca)
            find_at(f, XR_BAD, item, "is not a CA");
        return;
    }
    if (role == XR_ROLE_ANCHOR)
        level = level_of(d->version < 3 ? rules->version1_anchor : rules->plain_anchor);
    find_at(f, level, item, "does not say that it is a CA");
}

void xr_browser_item_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *item, enum xr_browser_role role,
                           int64_t at)
{
    const struct xr_der_cert *d = &item->cert->d;

    if (item->x == NULL) {
        find_at(f, XR_DOUBT, item, "cannot be read by libcrypto");
        return;
    }
    if (d->malformed)
        find_at(f, XR_DOUBT, item, "has an extension that cannot be read, or has it twice");
    if (d->alg_mismatch)
        find_at(f, XR_BAD, item, "names two signature algorithms");
    check_time(f, rules, item, role, at);
    check_serial(f, item);
    check_key(f, rules, item, role);
    if (role != XR_ROLE_ANCHOR)
        check_signature(f, item);
    check_ca(f, rules, item, role);
    check_usage(f, rules, item, role);
    check_critical(f, item);
    ERR_clear_error();
}

/* ---- names ---- */

void xr_browser_names_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                            const struct xr_browser_item *server, const char *host)
{
    GENERAL_NAMES *names = NULL;
    bool there = false;
    int found = 0;

    if (server->x == NULL)
        return;
    there = X509_get_ext_by_NID(server->x, NID_subject_alt_name, -1) >= 0;
    names = X509_get_ext_d2i(server->x, NID_subject_alt_name, NULL, NULL);
    if (!there)
        find_at(f, XR_BAD, server, "has no subjectAltName, and %s reads no names elsewhere",
                rules->name);
    else if (names == NULL)
        find_at(f, XR_DOUBT, server, "has a subjectAltName that cannot be read");
    if (host != NULL && names != NULL) {
        found = X509_check_ip_asc(server->x, host, 0);
        if (found == -2) /* no address */
            found = X509_check_host(
                server->x, host, 0,
                X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);
        if (found != 1)
            find_at(f, found == 0 ? XR_BAD : XR_DOUBT, server, "is for another host");
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

static void check_constraints(struct xr_finding *f, const struct xr_browser_item *issuer,
                              const struct xr_browser_item *below)
{
    NAME_CONSTRAINTS *limits = NULL;
    int error = X509_V_OK;

    if (!issuer->cert->d.name_constraints || issuer->x == NULL || below->x == NULL)
        return;
    limits = X509_get_ext_d2i(issuer->x, NID_name_constraints, NULL, NULL);
    error = limits != NULL ? NAME_CONSTRAINTS_check(below->x, limits) : X509_V_ERR_UNSPECIFIED;
    NAME_CONSTRAINTS_free(limits);
    ERR_clear_error();
    if (error == X509_V_ERR_PERMITTED_VIOLATION || error == X509_V_ERR_EXCLUDED_VIOLATION)
        find_at(f, XR_BAD, issuer, "is limited to other names");
    else if (error != X509_V_OK)
        find_at(f, XR_DOUBT, issuer, "has name constraints that cannot be checked");
}

static bool self_issued(const struct xr_browser_item *item)
{
    return xr_bytes_equal(item->cert->d.slices.subject, item->cert->d.slices.issuer);
}

void xr_browser_path_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *const *items, size_t count, bool as_ca)
{
    int between = 0, counted = 0; /* CAs below; counted: without self-issued ones */

    for (size_t i = as_ca ? 0 : 1; i < count; i++) {
        int most = items[i]->cert->d.has_basic_constraints ? items[i]->cert->d.pathlen : -1;

        if (most >= 0 && between > most)
            find_at(f, counted > most ? XR_BAD : XR_DOUBT, items[i],
                    "allows fewer CAs below it (pathlen %d)", most);
        between++;
        counted += !self_issued(items[i]);
        for (size_t below = 0; below < i; below++)
            check_constraints(f, items[i], items[below]);
    }
    if (rules->most_issuers > 0 && count > rules->most_issuers + 1)
        xr_find(f, XR_BAD, "the path is too long for %s", rules->name);
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
        unsigned long bits = slash != NULL ? strtoul(slash + 1, NULL, 10) : address.len * 8;
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

void xr_browser_limits_check(struct xr_finding *f, const struct xr_browser_cert *anchor,
                             const struct xr_browser_item *server)
{
    GENERAL_NAMES *names = NULL;
    int within = 0, outside = 0;

    if (anchor->permitted_dns_count + anchor->permitted_cidrs_count == 0 || server->x == NULL)
        return;
    names = X509_get_ext_d2i(server->x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *text = name->type == GEN_DNS     ? name->d.dNSName
                                  : name->type == GEN_IPADD ? name->d.iPAddress
                                                            : NULL;
        struct xr_bytes bytes = {0};

        if (text == NULL)
            continue;
        bytes = (struct xr_bytes){text->data, (size_t)text->length};
        if (name->type == GEN_DNS ? dns_within(bytes, anchor) : address_within(bytes, anchor))
            within++;
        else
            outside++;
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    if (outside > 0 || within == 0)
        xr_find(f, within > 0 ? XR_DOUBT : XR_BAD, "%.120s limits the anchor to other names",
                anchor->source != NULL ? anchor->source : "a source");
}
