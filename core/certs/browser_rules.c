/* SPDX-License-Identifier: Apache-2.0 */
/* Measured with Firefox ESR 153 and Chromium 156 (docs/browsers.md, tests/nss/opinions.sh). What was
 * not measured is a doubt, which makes "cannot tell" of an answer. */
#include "browser_rules.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdlib.h>

enum { RSA_BITS_USUAL = 8192 };

static const int firefox_critical[] = {
    NID_basic_constraints,  NID_key_usage,          NID_ext_key_usage,
    NID_subject_alt_name,   NID_name_constraints,   NID_certificate_policies,
    NID_policy_constraints, NID_inhibit_any_policy, NID_id_pkix_OCSP_noCheck,
    NID_info_access,        NID_qcStatements,       0};
static const int chromium_critical[] = {NID_basic_constraints,  NID_key_usage,
                                        NID_ext_key_usage,      NID_subject_alt_name,
                                        NID_name_constraints,   NID_certificate_policies,
                                        NID_policy_constraints, NID_inhibit_any_policy,
                                        NID_policy_mappings,    0};

static const struct xr_browser_rules all_rules[] = {
    [XR_FIREFOX] = {.name = "Firefox",
                    .exact_names = true,
                    .least_rsa = 1017, /* it counts octets */
                    .most_issuers = 6,
                    .p521_server = true,
                    .server_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT,
                    .wants_staple = true,
                    .exact_directory = true,
                    .critical = firefox_critical},
    [XR_CHROMIUM] = {.name = "Chromium",
                     .empty_names = true,
                     .least_rsa = 1024,
                     .most_issuers = 19,
                     .any_eku = true,
                     .ocsp_server = true,
                     .server_usage = KU_DIGITAL_SIGNATURE,
                     .ca_server = true,
                     .plain_anchor = true,
                     .self_issued = true,
                     .peers = true,
                     .peer_issues = true,
                     .policies = true,
                     .unknown_suffixes = true,
                     .critical = chromium_critical},
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

const char *xr_browser_name(char out[XR_FINDING_NAME_MAX], const struct xr_browser_item *item)
{
    char *name = xr_x509_name_short(item->cert->d.slices.subject);

    (void)snprintf(out, XR_FINDING_NAME_MAX, "%s", name);
    free(name);
    return out;
}

static bool is_server(enum xr_browser_role role)
{
    return role == XR_ROLE_SERVER || role == XR_ROLE_PEER;
}

/* ---- keys and signatures ---- */

static void check_curve(struct xr_finding *f, const struct xr_browser_rules *rules,
                        const struct xr_browser_item *item, EVP_PKEY *key,
                        enum xr_browser_role role)
{
    char name[64] = "";
    size_t len = 0;

    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
        xr_find(f, XR_DOUBT, "\"%s\" has a key on a curve without a name", NAME_OF(item));
    else if (strcmp(name, "prime256v1") != 0 && strcmp(name, "secp384r1") != 0 &&
             (strcmp(name, "secp521r1") != 0 || (is_server(role) && !rules->p521_server)))
        xr_find(f, XR_BAD, "\"%s\" has a key on the curve %.40s", NAME_OF(item), name);
}

static void check_key(struct xr_finding *f, const struct xr_browser_rules *rules,
                      const struct xr_browser_item *item, enum xr_browser_role role)
{
    EVP_PKEY *key = xr_crypto_key(item->cert);
    int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

    if (key == NULL) {
        xr_find(f, XR_DOUBT, "\"%s\" has a key of an unknown kind", NAME_OF(item));
        return;
    }
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        if (bits < rules->least_rsa)
            xr_find(f, XR_BAD, "\"%s\" has an RSA key of %d bits", NAME_OF(item), bits);
        else if (bits > RSA_BITS_USUAL)
            xr_find(f, XR_DOUBT, "\"%s\" has an RSA key of %d bits", NAME_OF(item), bits);
        break;
    case EVP_PKEY_EC:
        check_curve(f, rules, item, key, role);
        break;
    case EVP_PKEY_DSA:
        xr_find(f, XR_BAD, "\"%s\" has a DSA key", NAME_OF(item));
        break;
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        xr_find(f, XR_BAD, "\"%s\" has an EdDSA key", NAME_OF(item));
        break;
    default:
        xr_find(f, XR_DOUBT, "\"%s\" has a key of a rare kind", NAME_OF(item));
    }
}

static void check_signature(struct xr_finding *f, const struct xr_browser_item *item)
{
    static const struct {
        int nid;
        const char *name;
    } refused[] = {{NID_md5, "MD5"}, {NID_sha1, "SHA-1"}, {NID_sha224, "SHA-224"}};
    int md = NID_undef, key = NID_undef;
    const X509_ALGOR *alg = NULL;
    int parameters = V_ASN1_UNDEF;

    if (X509_get_signature_info(item->x, &md, &key, NULL, NULL) != 1 || md == NID_undef) {
        xr_find(f, XR_DOUBT, "\"%s\" is signed with a rare algorithm", NAME_OF(item));
        return;
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (md == refused[i].nid)
            xr_find(f, XR_BAD, "\"%s\" is signed with %s", NAME_OF(item), refused[i].name);
    }
    X509_get0_signature(NULL, &alg, item->x);
    X509_ALGOR_get0(NULL, &parameters, NULL, alg);
    if (key == NID_dsa)
        xr_find(f, XR_BAD, "\"%s\" is signed with DSA", NAME_OF(item));
    else if ((md != NID_sha256 && md != NID_sha384 && md != NID_sha512) ||
             (key != NID_rsaEncryption && key != NID_rsassaPss &&
              key != NID_X9_62_id_ecPublicKey) ||
             (key == NID_X9_62_id_ecPublicKey && parameters != V_ASN1_UNDEF))
        xr_find(f, XR_DOUBT, "\"%s\" is signed with a rare algorithm", NAME_OF(item));
}

/* ---- validity and extensions ---- */

static void check_time(struct xr_finding *f, const struct xr_browser_item *item, int64_t at)
{
    const struct xr_der_cert *d = &item->cert->d;

    if (at < d->not_before)
        xr_find(f, XR_BAD, "\"%s\" is not valid yet", NAME_OF(item));
    else if (at > d->not_after)
        xr_find(f, XR_BAD, "\"%s\" has expired", NAME_OF(item));
}

bool xr_browser_has(const struct xr_browser_item *item, int nid)
{
    return X509_get_ext_by_NID(item->x, nid, -1) >= 0;
}

static void check_critical(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *item)
{
    for (int i = 0; i < X509_get_ext_count(item->x); i++) {
        X509_EXTENSION *extension = X509_get_ext(item->x, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        const int *known = rules->critical;
        char oid[64] = "";

        while (*known != 0 && *known != nid)
            known++;
        if (!X509_EXTENSION_get_critical(extension) || *known != 0)
            continue;
        (void)OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(extension), 1);
        xr_find(f, XR_BAD, "\"%s\" has the critical extension %.40s", NAME_OF(item), oid);
    }
    if (rules->policies &&
        (xr_browser_has(item, NID_policy_constraints) ||
         xr_browser_has(item, NID_policy_mappings) || xr_browser_has(item, NID_inhibit_any_policy)))
        xr_find(f, XR_DOUBT, "\"%s\" restricts certificate policies", NAME_OF(item));
    if (rules->wants_staple && xr_browser_has(item, NID_tlsfeature))
        xr_find(f, XR_DOUBT, "\"%s\" promises OCSP stapling, which the server must then do",
                NAME_OF(item));
}

static void check_usage(struct xr_finding *f, const struct xr_browser_rules *rules,
                        const struct xr_browser_item *item, enum xr_browser_role role)
{
    const struct xr_der_cert *d = &item->cert->d;
    uint32_t usage = X509_get_key_usage(item->x), extended = X509_get_extended_key_usage(item->x);
    bool server = is_server(role);

    if (d->has_key_usage && !server && (usage & KU_KEY_CERT_SIGN) == 0)
        xr_find(f, XR_BAD, "\"%s\" may not sign certificates", NAME_OF(item));
    if (d->has_key_usage && server && (usage & rules->server_usage) == 0)
        xr_find(f, XR_BAD, "\"%s\" has a key usage that does not serve for TLS", NAME_OF(item));
    if (!d->has_eku)
        return;
    if ((d->eku & XR_SERVER) == 0 && !((d->eku & XR_ANY_PURPOSE) != 0 && rules->any_eku))
        xr_find(f, XR_BAD, "\"%s\" is not for servers", NAME_OF(item));
    if (server && !rules->ocsp_server && (extended & XKU_OCSP_SIGN) != 0)
        xr_find(f, XR_BAD, "\"%s\" may also sign OCSP answers", NAME_OF(item));
}

bool xr_browser_self_issued(const struct xr_browser_item *item)
{
    return xr_bytes_equal(item->cert->d.slices.subject, item->cert->d.slices.issuer);
}

static void check_ca(struct xr_finding *f, const struct xr_browser_rules *rules,
                     const struct xr_browser_item *item, enum xr_browser_role role)
{
    const struct xr_der_cert *d = &item->cert->d;

    if (is_server(role)) {
        if (d->has_basic_constraints && d->ca && !rules->ca_server)
            xr_find(f, XR_BAD, "\"%s\" is a CA and no server", NAME_OF(item));
        if (xr_browser_self_issued(item) && !rules->self_issued)
            xr_find(f, XR_DOUBT, "\"%s\" has the name of its issuer", NAME_OF(item));
    } else if (d->has_basic_constraints) {
        if (!d->ca)
            xr_find(f, XR_BAD, "\"%s\" is not a CA", NAME_OF(item));
    } else if (role != XR_ROLE_ANCHOR || (d->version != 1 && !rules->plain_anchor)) {
        xr_find(f, XR_BAD, "\"%s\" does not say that it is a CA", NAME_OF(item));
    }
    if (!is_server(role) && !rules->empty_names && d->slices.subject.len <= 2)
        xr_find(f, XR_BAD, "a CA of the path has an empty name");
}

void xr_browser_item_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *item, enum xr_browser_role role,
                           int64_t at)
{
    bool signature = role != XR_ROLE_ANCHOR && role != XR_ROLE_PEER;

    if (item->x == NULL || !xr_browser_usual_form(item)) {
        xr_find(f, XR_DOUBT, "\"%s\" has a form that not every program reads alike", NAME_OF(item));
        return;
    }
    if (item->cert->d.alg_mismatch && signature)
        xr_find(f, XR_BAD, "\"%s\" names two signature algorithms", NAME_OF(item));
    check_time(f, item, at);
    check_key(f, rules, item, role);
    if (signature)
        check_signature(f, item);
    check_ca(f, rules, item, role);
    check_usage(f, rules, item, role);
    check_critical(f, rules, item);
    ERR_clear_error();
}
