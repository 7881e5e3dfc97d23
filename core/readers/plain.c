/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths about which programs agree. GnuTLS, Go and Java decide some of the cases of tests/nss otherwise
 * than OpenSSL: where a certificate has something rare in it, is limited, or is left out of what the
 * server sends. Of a path without any of that, a yes of OpenSSL's was a yes of all of them
 * (docs/readers.md).
 */
#include "trusts.h"

#include "certs/x509.h"

#define OID_KEY_USAGE   "\x55\x1d\x0f"
#define OID_SAN         "\x55\x1d\x11"
#define OID_CONSTRAINTS "\x55\x1d\x13"

/* What every TLS library of the last ten years has. */
static const struct {
    const char *oid;
    size_t len;
    bool rsa;
} signatures[] = {
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9, true}, /* sha256WithRSAEncryption */
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 9, true}, /* sha384WithRSAEncryption */
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", 9, true}, /* sha512WithRSAEncryption */
    {"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8, false},    /* ecdsa-with-SHA256 */
    {"\x2a\x86\x48\xce\x3d\x04\x03\x03", 8, false},    /* ecdsa-with-SHA384 */
};
static const char rsa[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"; /* rsaEncryption */
static const char ec[] = "\x2a\x86\x48\xce\x3d\x02\x01";          /* id-ecPublicKey */

static bool is_oid(const struct xr_der_item *item, const char *oid, size_t len)
{
    return item->content.len == len && memcmp(item->content.data, oid, len) == 0;
}

/* An AlgorithmIdentifier, and what follows its OBJECT IDENTIFIER. */
static bool algorithm(struct xr_der_item *out, struct xr_bytes *parameters, struct xr_bytes der)
{
    struct xr_der_item outer;

    if (!xr_der_expect(&outer, &der, XR_DER_SEQUENCE) ||
        !xr_der_expect(out, &outer.content, XR_DER_OID))
        return false;
    *parameters = outer.content;
    return true;
}

/* RSA's parameters are NULL, and those of signatures with ECDSA absent. */
static bool is_null(struct xr_bytes parameters)
{
    return parameters.len == 2 && memcmp(parameters.data, "\x05\x00", 2) == 0;
}

static bool is_true(const struct xr_der_item *item)
{
    return item->tag == XR_DER_BOOLEAN && item->content.len == 1 && item->content.data[0] == 0xff;
}

struct extension {
    bool critical;
    struct xr_bytes value; /* inside its OCTET STRING; empty: there is no such extension */
};

static bool next_extension(struct xr_der_item *id, struct extension *out, struct xr_bytes *list)
{
    struct xr_der_item one, value;

    *out = (struct extension){0};
    if (!xr_der_expect(&one, list, XR_DER_SEQUENCE) ||
        !xr_der_expect(id, &one.content, XR_DER_OID) || !xr_der_next(&value, &one.content))
        return false;
    if (value.tag == XR_DER_BOOLEAN) {
        out->critical = is_true(&value);
        if (!out->critical || !xr_der_next(&value, &one.content))
            return false;
    }
    out->value = value.content;
    return value.tag == XR_DER_OCTET_STRING && one.content.len == 0;
}

/* tbs is a certificate's: its extensions are in the element with the tag [3]. */
static bool extensions_of(struct xr_bytes *out, struct xr_bytes tbs)
{
    struct xr_der_item outer, item, list;

    if (!xr_der_expect(&outer, &tbs, XR_DER_SEQUENCE))
        return false;
    while (xr_der_next(&item, &outer.content)) {
        if (item.tag != 0xa3)
            continue;
        if (!xr_der_expect(&list, &item.content, XR_DER_SEQUENCE))
            return false;
        *out = list.content;
        return true;
    }
    return false;
}

static struct extension extension_of(struct xr_bytes tbs, const char *oid)
{
    struct extension found = {0};
    struct xr_der_item id;
    struct xr_bytes list = {0};

    if (!extensions_of(&list, tbs))
        return found;
    while (list.len > 0 && next_extension(&id, &found, &list)) {
        if (is_oid(&id, oid, 3))
            return found;
    }
    return (struct extension){0};
}

/* A list of structures that begin with an OBJECT IDENTIFIER, as policies and authorityInfoAccess are. */
static bool is_list_of_oids(struct xr_bytes value)
{
    struct xr_der_item list, one, id;

    if (!xr_der_expect(&list, &value, XR_DER_SEQUENCE) || value.len > 0 || list.content.len == 0)
        return false;
    while (list.content.len > 0) {
        if (!xr_der_expect(&one, &list.content, XR_DER_SEQUENCE) ||
            !xr_der_expect(&id, &one.content, XR_DER_OID))
            return false;
    }
    return true;
}

static bool is_der(struct xr_bytes value)
{
    struct xr_der_item item;

    while (value.len > 0) {
        if (!xr_der_next(&item, &value))
            return false;
    }
    return true;
}

/* What nearly every certificate has, as it should be: every one once, and critical only where programs
 * expect it. */
static const char *odd_extensions(const struct xr_der_cert *d)
{
    enum { BASIC, LIST, ANY };
    static const struct {
        const char *oid;
        size_t len;
        bool may_be_critical;
        int form;
    } usual[] = {
        {"\x55\x1d\x0e", 3, false, BASIC}, /* subjectKeyIdentifier */
        {OID_KEY_USAGE, 3, true, BASIC},
        {OID_SAN, 3, false, BASIC},
        {OID_CONSTRAINTS, 3, true, BASIC},
        {"\x55\x1d\x1f", 3, false, ANY},                              /* cRLDistributionPoints */
        {"\x55\x1d\x20", 3, false, LIST},                             /* certificatePolicies */
        {"\x55\x1d\x23", 3, false, BASIC},                            /* authorityKeyIdentifier */
        {"\x55\x1d\x25", 3, false, BASIC},                            /* extKeyUsage */
        {"\x2b\x06\x01\x05\x05\x07\x01\x01", 8, false, LIST},         /* authorityInfoAccess */
        {"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02", 10, false, ANY}, /* signed timestamps */
    };
    unsigned seen = 0;
    struct xr_bytes list = {0};
    struct extension one;
    struct xr_der_item id;

    if (!extensions_of(&list, d->slices.tbs))
        return N_("a certificate in it has no extensions");
    while (list.len > 0) {
        size_t i = 0, count = sizeof(usual) / sizeof(usual[0]);

        if (!next_extension(&id, &one, &list))
            return N_("an extension in it cannot be read");
        while (i < count && !is_oid(&id, usual[i].oid, usual[i].len))
            i++;
        if (i == count || (seen & 1u << i) != 0 || (one.critical && !usual[i].may_be_critical))
            return N_("an extension in it is rare, or is there twice");
        seen |= 1u << i;
        if ((usual[i].form == LIST && !is_list_of_oids(one.value)) || !is_der(one.value))
            return N_("an extension in it cannot be read");
    }
    return NULL;
}

/* Points of the two curves that all know, not compressed. */
static bool is_usual_curve(struct xr_bytes spki)
{
    static const char p256[] = "\x2a\x86\x48\xce\x3d\x03\x01\x07", p384[] = "\x2b\x81\x04\x00\x22";
    struct xr_der_item outer, alg, id, curve, point;

    return xr_der_expect(&outer, &spki, XR_DER_SEQUENCE) &&
           xr_der_expect(&alg, &outer.content, XR_DER_SEQUENCE) &&
           xr_der_expect(&id, &alg.content, XR_DER_OID) &&
           xr_der_expect(&curve, &alg.content, XR_DER_OID) &&
           (is_oid(&curve, p256, sizeof(p256) - 1) || is_oid(&curve, p384, sizeof(p384) - 1)) &&
           xr_der_expect(&point, &outer.content, XR_DER_BIT_STRING) && point.content.len > 2 &&
           point.content.data[0] == 0 && point.content.data[1] == 0x04;
}

static const char *odd_algorithms(const struct xr_der_cert *d)
{
    struct xr_der_item signature, key, outer;
    struct xr_bytes spki = d->slices.spki, with = {0}, curve = {0};
    bool known = false;

    if (!algorithm(&signature, &with, d->signature_alg) ||
        !xr_der_expect(&outer, &spki, XR_DER_SEQUENCE) || !algorithm(&key, &curve, outer.content))
        return N_("an algorithm in it is not plain");
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
        known = known || (is_oid(&signature, signatures[i].oid, signatures[i].len) &&
                          (signatures[i].rsa ? is_null(with) : with.len == 0));
    if (!known)
        return N_("a signature in it is of a rare kind");
    if (is_oid(&key, rsa, sizeof(rsa) - 1)
            ? !is_null(curve)
            : !is_oid(&key, ec, sizeof(ec) - 1) || !is_usual_curve(d->slices.spki))
        return N_("a key in it is of a rare kind");
    return NULL;
}

/* A name of attributes with one value each, in the usual kinds of strings. */
static bool is_usual_text(const struct xr_der_item *value)
{
    static const char more[] = " '()+,-./:=?";

    if (value->tag != XR_DER_UTF8 && value->tag != 0x13 && value->tag != 0x16)
        return false;
    for (size_t i = 0; i < value->content.len;) {
        unsigned char c = value->content.data[i];
        uint32_t point = 0;
        size_t len = xr_utf8_next(&point, value->content.data + i, value->content.len - i);
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (len == 0 || point < 0x20 || (value->tag != XR_DER_UTF8 && c >= 0x7f) ||
            (value->tag == 0x13 && !letter && memchr(more, c, sizeof(more) - 1) == NULL))
            return false;
        i += len;
    }
    return value->content.len > 0;
}

static const char *odd_name(struct xr_bytes name)
{
    struct xr_der_item outer, set, one, id, value;

    if (!xr_der_expect(&outer, &name, XR_DER_SEQUENCE) || outer.content.len == 0)
        return N_("a certificate in it names nobody");
    while (outer.content.len > 0) {
        if (!xr_der_expect(&set, &outer.content, XR_DER_SET) ||
            !xr_der_expect(&one, &set.content, XR_DER_SEQUENCE) || set.content.len > 0 ||
            !xr_der_expect(&id, &one.content, XR_DER_OID) || !xr_der_next(&value, &one.content) ||
            !is_usual_text(&value))
            return N_("a name in it is written in a rare way");
    }
    return NULL;
}

/* SEQUENCE { cA, pathLen }, as DER has it. */
static bool is_ca_in_der(const struct xr_der_cert *d)
{
    struct xr_bytes value = extension_of(d->slices.tbs, OID_CONSTRAINTS).value;
    struct xr_der_item outer, flag;

    return xr_der_expect(&outer, &value, XR_DER_SEQUENCE) && xr_der_next(&flag, &outer.content) &&
           is_true(&flag);
}

static const char *odd_ca(const struct xr_der_cert *d, bool strict)
{
    if (!d->has_basic_constraints || !d->ca || d->pathlen >= 0)
        return d->pathlen >= 0 ? N_("a CA in it has a limit of its path length")
                               : N_("a CA in it does not say that it is one");
    if (!is_ca_in_der(d))
        return N_("a CA in it says so in a rare way");
    if (d->has_key_usage && (d->key_usage & XR_KU_CERT_SIGN) == 0)
        return N_("a CA in it may not sign certificates");
    if (d->has_eku && (d->eku & XR_SERVER) == 0)
        return N_("a CA in it is limited to other purposes");
    if (strict && (!d->has_key_usage || d->skid.len == 0 ||
                   !extension_of(d->slices.tbs, OID_CONSTRAINTS).critical))
        return N_("a CA in it is not as RFC 5280 wants it, and this program is strict");
    return NULL;
}

static bool is_plain_host(const char *host, size_t len)
{
    bool letter = false;

    for (size_t i = 0; i < len; i++) {
        char c = host[i];

        letter = letter || (c >= 'a' && c <= 'z');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.') ||
            (c == '.' && (i == 0 || i + 1 == len || host[i - 1] == '.')))
            return false;
    }
    return letter; /* without one it may be an address, which few programs compare alike */
}

/* DNS names, without wildcards, so that no program looks at the subject. */
static const char *odd_names(const struct xr_der_cert *d, const char *host)
{
    struct xr_bytes san = extension_of(d->slices.tbs, OID_SAN).value;
    struct xr_der_item list, name;
    bool any = false;

    if (!is_plain_host(host, strlen(host)))
        return N_("the host's name is not plain");
    if (!xr_der_expect(&list, &san, XR_DER_SEQUENCE))
        return N_("it has no subjectAltName");
    while (list.content.len > 0) {
        if (!xr_der_next(&name, &list.content))
            return N_("its subjectAltName is odd");
        if (name.tag == 0x87 && (name.content.len == 4 || name.content.len == 16))
            continue;
        if (name.tag != 0x82 || !is_plain_host((const char *)name.content.data, name.content.len))
            return N_("it has a wildcard, or names of a rare kind");
        any = true;
    }
    return any ? NULL : N_("it has no DNS name");
}

static const char *odd_leaf(const struct xr_der_cert *d, const char *host)
{
    struct extension usage = extension_of(d->slices.tbs, OID_KEY_USAGE);
    struct xr_der_item bits;

    if (d->has_basic_constraints && d->ca)
        return N_("it is a CA itself");
    if (d->has_eku && (d->eku & (XR_SERVER | XR_ANY_PURPOSE)) == 0)
        return N_("it is limited to other purposes");
    if (usage.value.len > 0 &&
        (!xr_der_expect(&bits, &usage.value, XR_DER_BIT_STRING) || bits.content.len != 2 ||
         bits.content.data[0] > 7 || (bits.content.data[1] & 0x80) == 0 ||
         (bits.content.data[1] & ((1u << bits.content.data[0]) - 1)) != 0))
        return N_("its key may not sign handshakes");
    return host != NULL ? odd_names(d, host) : NULL;
}

static const char *odd_cert(const struct xr_der_cert *d)
{
    const char *why = NULL;

    if (d->version != 3)
        return N_("a certificate in it is of an old version");
    if (d->malformed || d->unknown_critical || d->doubtful || d->alg_mismatch)
        return N_("a certificate in it has something rare");
    if (d->name_constraints)
        return N_("a CA in it has name constraints");
    why = odd_name(d->slices.subject);
    if (why == NULL)
        why = odd_name(d->slices.issuer);
    if (why == NULL)
        why = odd_algorithms(d);
    return why != NULL ? why : odd_extensions(d);
}

struct position {
    bool leaf, anchor;
};

static const char *odd(struct xr_bytes der, struct position at, const struct xr_probe *probe,
                       bool strict)
{
    struct xr_cert *cert = NULL;
    const char *why = NULL;

    if (xr_cert_new(&cert, der, NULL) != XR_OK)
        return N_("a certificate in it cannot be read");
    why = odd_cert(&cert->d);
    if (why == NULL && xr_cert_key_complaint(cert) != NULL)
        why = N_("a key in it is weak");
    if (why == NULL && !at.anchor && xr_cert_signature_complaint(cert) != NULL)
        why = N_("a signature in it is weak");
    if (why == NULL && (probe->at < cert->d.not_before || probe->at > cert->d.not_after))
        why = N_("a certificate in it is not valid then");
    if (why == NULL)
        why = !at.leaf || (probe->host == NULL && xr_cert_is_ca(cert))
                  ? odd_ca(&cert->d, strict)
                  : odd_leaf(&cert->d, probe->host);
    if (why == NULL && strict && !at.anchor && cert->d.akid.len == 0)
        why = N_("a certificate in it does not name its issuer's key, and this program is strict");
    xr_cert_free(cert);
    return why;
}

const char *xr_plain_not_ca(struct xr_bytes der, const struct xr_probe *probe, bool strict)
{
    return odd(der, (struct position){false, true}, probe, strict);
}

/* Programs differ in which names are equal that are not the same bytes. */
static bool is_issued_in_letters(struct xr_bytes der, struct xr_bytes issuer)
{
    struct xr_der_cert one, other;

    return xr_der_cert(&one, der, NULL) == XR_OK && xr_der_cert(&other, issuer, NULL) == XR_OK &&
           xr_bytes_equal(one.slices.issuer, other.slices.subject);
}

const char *xr_plain_not(const struct xr_bytes *path, size_t count, const struct xr_probe *probe,
                         bool strict)
{
    const char *why = NULL;

    if (count < 2)
        return N_("it is itself what the program reads");
    for (size_t i = 0; why == NULL && i < count; i++) {
        why = odd(path[i], (struct position){i == 0, i + 1 == count}, probe, strict);
        if (why == NULL && i + 1 < count && !is_issued_in_letters(path[i], path[i + 1]))
            why = N_("a name in it is written in two ways");
    }
    /* What the server leaves out, or sends in another order, not every program finds. */
    for (size_t i = 0; why == NULL && i + 1 < count; i++) {
        if (i >= probe->count || !xr_bytes_equal(path[i], probe->chain[i]))
            why = N_("the certificates sent are not this path in its order");
    }
    /* And what it sends beside them, some programs follow. */
    for (size_t i = count - 1; why == NULL && i < probe->count; i++)
        why = xr_plain_not_ca(probe->chain[i], probe, strict);
    return why;
}
