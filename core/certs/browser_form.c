/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each parser takes some certificates that another one refuses, for reasons that only its bytes show.
 * What browsers do with a certificate is computed only if every parser reads the same in it: DER that
 * is the same when it is written again, dates that exist, names of the letters that their type has.
 */
#include "browser_rules.h"

#include <openssl/asn1t.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum { DEPTH_MAX = 32, PATHLEN_MAX = 127 };

/* Takes made, which was written again from what was read. */
static bool same_again(unsigned char *made, int len, struct xr_bytes was)
{
    bool same = len >= 0 && xr_bytes_equal((struct xr_bytes){made, (size_t)len}, was);

    OPENSSL_free(made);
    return same;
}

/* DER writes a BOOLEAN only where it is true, and then as 0xff: every default in a certificate is
 * false. */
static bool usual_booleans(struct xr_bytes der, unsigned depth) /* NOLINT(misc-no-recursion) */
{
    struct xr_der_item item;

    while (der.len > 0) {
        if (!xr_der_next(&item, &der))
            return false;
        if (item.tag == XR_DER_BOOLEAN && (item.content.len != 1 || item.content.data[0] != 0xff))
            return false;
        if ((item.tag & 0x20u) != 0 && (depth == 0 || !usual_booleans(item.content, depth - 1)))
            return false;
    }
    return true;
}

/* at: what was read from it */
static bool usual_time(const ASN1_TIME *time, int64_t at)
{
    ASN1_TIME *again = at >= 0 ? ASN1_TIME_set(NULL, (time_t)at) : NULL;
    bool usual = again != NULL && again->type == time->type && ASN1_STRING_cmp(again, time) == 0;

    ASN1_TIME_free(again);
    return usual;
}

static bool usual_text(const struct xr_der_item *value)
{
    int len = (int)value->content.len;
    size_t at = 0;
    uint32_t c = 0;

    switch (value->tag) {
    case V_ASN1_PRINTABLESTRING:
        return ASN1_PRINTABLE_type(value->content.data, len) == V_ASN1_PRINTABLESTRING;
    case V_ASN1_IA5STRING:
        return ASN1_PRINTABLE_type(value->content.data, len) != V_ASN1_T61STRING;
    case V_ASN1_UTF8STRING:
        while (at < value->content.len) {
            size_t used = xr_utf8_next(&c, value->content.data + at, value->content.len - at);

            if (used == 0)
                return false;
            at += used;
        }
        return true;
    default:
        return false;
    }
}

static bool usual_attribute(void *ctx, const struct xr_der_item *oid,
                            const struct xr_der_item *value)
{
    (void)ctx;
    (void)oid;
    return usual_text(value);
}

/* Every RDN has an attribute, every attribute a text of a usual type. */
static bool usual_name(struct xr_bytes name)
{
    return xr_x509_name_each(name, usual_attribute, NULL);
}

static bool usual_key(const X509 *x)
{
    X509_PUBKEY *key = X509_get_X509_PUBKEY(x);
    const unsigned char *bytes = NULL;
    X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *oid = NULL;
    int len = 0, parameters = V_ASN1_UNDEF;

    if (X509_PUBKEY_get0_param(NULL, &bytes, &len, &alg, key) != 1 || len < 1)
        return false;
    X509_ALGOR_get0(&oid, &parameters, NULL, alg);
    if (OBJ_obj2nid(oid) == NID_rsaEncryption)
        return parameters == V_ASN1_NULL;
    return OBJ_obj2nid(oid) != NID_X9_62_id_ecPublicKey || bytes[0] == 0x04; /* uncompressed */
}

static bool usual_policies(const CERTIFICATEPOLICIES *policies)
{
    for (int i = 0; i < sk_POLICYINFO_num(policies); i++) {
        for (int k = 0; k < i; k++) {
            if (OBJ_cmp(sk_POLICYINFO_value(policies, i)->policyid,
                        sk_POLICYINFO_value(policies, k)->policyid) == 0)
                return false;
        }
    }
    return true;
}

static bool usual_ca(const BASIC_CONSTRAINTS *ca)
{
    return ca->pathlen == NULL || (ca->pathlen->length == 1 && ca->pathlen->data[0] <= PATHLEN_MAX);
}

/* Version 1 is written by its absence. */
static bool usual_version(const struct xr_der_cert *d)
{
    struct xr_bytes rest = d->slices.tbs;
    struct xr_der_item tbs, first;

    return xr_der_expect(&tbs, &rest, XR_DER_SEQUENCE) && xr_der_next(&first, &tbs.content) &&
           (first.tag == XR_DER_INTEGER) == (d->version == 1);
}

/* Many CAs write cA as FALSE although that is the default; every browser takes it. */
static bool plain_false(const X509V3_EXT_METHOD *method, struct xr_bytes der)
{
    static const unsigned char no_ca[] = {0x30, 0x03, 0x01, 0x01, 0x00};

    return method->ext_nid == NID_basic_constraints &&
           xr_bytes_equal(der, (struct xr_bytes){no_ca, sizeof(no_ca)});
}

static bool usual_value(X509_EXTENSION *extension, const X509V3_EXT_METHOD *method,
                        struct xr_bytes der)
{
    void *value = X509V3_EXT_d2i(extension);
    unsigned char *made = NULL;
    bool usual = value != NULL && usual_booleans(der, DEPTH_MAX);
    int len = -1;

    if (plain_false(method, der)) {
        BASIC_CONSTRAINTS_free(value);
        return true;
    }
    if (value == NULL)
        return false;
    if (method->ext_nid == NID_certificate_policies)
        usual = usual && usual_policies(value);
    if (method->ext_nid == NID_basic_constraints)
        usual = usual && usual_ca(value);
    if (method->it != NULL) {
        len = ASN1_item_i2d(value, &made, ASN1_ITEM_ptr(method->it));
        ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
    } else {
        len = method->i2d(value, &made);
        method->ext_free(value);
    }
    return same_again(made, len, der) && usual;
}

/* No extension twice, and each that libcrypto knows is the same when it is written again. */
static bool usual_extensions(const X509 *x)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *extension = X509_get_ext(x, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
        const ASN1_OCTET_STRING *octets = X509_EXTENSION_get_data(extension);
        const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);

        if (X509_get_ext_by_OBJ(x, oid, i) >= 0 ||
            (method != NULL && !usual_value(extension, method,
                                            (struct xr_bytes){ASN1_STRING_get0_data(octets),
                                                              (size_t)ASN1_STRING_length(octets)})))
            return false;
    }
    return true;
}

static bool ascii(const ASN1_STRING *text)
{
    return ASN1_PRINTABLE_type(ASN1_STRING_get0_data(text), ASN1_STRING_length(text)) !=
           V_ASN1_T61STRING;
}

static bool usual_names(X509 *x)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool usual = true;

    for (int i = 0; usual && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS || name->type == GEN_EMAIL || name->type == GEN_URI)
            usual = ascii(name->d.ia5);
        else if (name->type == GEN_IPADD)
            usual = name->d.iPAddress->length == 4 || name->d.iPAddress->length == 16;
    }
    GENERAL_NAMES_free(names);
    return usual;
}

bool xr_browser_usual_form(const struct xr_browser_item *item)
{
    const struct xr_der_cert *d = &item->cert->d;
    unsigned char *made = NULL;
    int len = i2d_re_X509_tbs(item->x, &made);
    bool usual = same_again(made, len, d->slices.tbs) && !d->malformed &&
                 (X509_get_ext_count(item->x) > 0 ? d->version == 3
                                                  : X509_get0_extensions(item->x) == NULL) &&
                 usual_version(d) && usual_booleans(d->slices.tbs, DEPTH_MAX) &&
                 usual_time(X509_get0_notBefore(item->x), d->not_before) &&
                 usual_time(X509_get0_notAfter(item->x), d->not_after) &&
                 usual_name(d->slices.subject) && usual_name(d->slices.issuer) &&
                 usual_key(item->x) && usual_extensions(item->x) && usual_names(item->x);

    ERR_clear_error();
    return usual;
}
