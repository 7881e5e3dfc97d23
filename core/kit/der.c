/* SPDX-License-Identifier: Apache-2.0 */
#include "der.h"

bool xr_der_next(struct xr_der_item *out, struct xr_bytes *rest)
{
    const unsigned char *at = rest->data;
    size_t left = rest->len;
    size_t len = 0;
    size_t header = 2;

    if (left < 2 || (at[0] & 0x1f) == 0x1f)
        return false;
    len = at[1];
    if (len >= 0x80) {
        size_t octets = len & 0x7f;

        /* 4 octets name 4 GiB: no certificate or CRL is larger, and size_t may be 32 bits. */
        if (octets == 0 || octets > 4 || left < 2 + octets || at[2] == 0)
            return false;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | at[2 + i];
        if (len < 0x80)
            return false;
        header += octets;
    }
    if (len > left - header)
        return false;
    out->tag = at[0];
    out->content = (struct xr_bytes){at + header, len};
    out->whole = (struct xr_bytes){at, header + len};
    rest->data = at + header + len;
    rest->len = left - header - len;
    return true;
}

bool xr_der_expect(struct xr_der_item *out, struct xr_bytes *rest, unsigned tag)
{
    return rest->len > 0 && rest->data[0] == tag && xr_der_next(out, rest);
}

static bool number(const unsigned char *text, size_t count, int *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

bool xr_der_time(int64_t *out, const struct xr_der_item *item)
{
    const unsigned char *at = item->content.data;
    size_t left = item->content.len;
    size_t year_digits = item->tag == XR_DER_UTC_TIME ? 2 : 4;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    int zone_hour = 0, zone_minute = 0;
    int64_t zone = 0;

    if (item->tag != XR_DER_UTC_TIME && item->tag != XR_DER_GENERALIZED_TIME)
        return false;
    if (left < year_digits + 9 || !number(at, year_digits, &year))
        return false;
    if (year_digits == 2)
        year += year < 50 ? 2000 : 1900;
    at += year_digits;
    left -= year_digits;
    if (!number(at, 2, &month) || !number(at + 2, 2, &day) || !number(at + 4, 2, &hour) ||
        !number(at + 6, 2, &minute))
        return false;
    at += 8;
    left -= 8;
    if (left >= 3 && number(at, 2, &second)) {
        at += 2;
        left -= 2;
    }
    if (left == 5 && (at[0] == '+' || at[0] == '-') && number(at + 1, 2, &zone_hour) &&
        number(at + 3, 2, &zone_minute))
        zone = (at[0] == '+' ? 1 : -1) * (zone_hour * 3600 + zone_minute * 60);
    else if (left != 1 || at[0] != 'Z')
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    *out = xr_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
    return true;
}

void xr_der_time_digits(char out[XR_TIME_DIGITS_MAX], int64_t at)
{
    struct xr_date d;
    bool utc = false;

    xr_date_of(&d, at);
    utc = d.year >= 1950 && d.year < 2050;
    (void)snprintf(out, XR_TIME_DIGITS_MAX,
                   utc ? "%02lld%02d%02d%02d%02d%02dZ" : "%04lld%02d%02d%02d%02d%02dZ",
                   (long long)(utc ? d.year % 100 : d.year), d.month, d.day, d.hour, d.minute,
                   d.second);
}

/* id-kp (RFC 5280, 4.2.1.12) is 1.3.6.1.5.5.7.3.N; anyExtendedKeyUsage is 2.5.29.37.0. */
static const unsigned char kp[] = {0x2b, 6, 1, 5, 5, 7, 3};
static const uint32_t by_arc[] = {0, XR_SERVER, XR_CLIENT, XR_CODE, XR_EMAIL, 0, 0, 0, XR_TIME};
#define ARCS (sizeof(by_arc) / sizeof(by_arc[0]))

void xr_der_put_purposes(struct xr_buf *out, uint32_t purposes)
{
    unsigned char oid[sizeof(kp) + 1];

    memcpy(oid, kp, sizeof(kp));
    for (size_t arc = 0; arc < ARCS; arc++) {
        oid[sizeof(kp)] = (unsigned char)arc;
        if ((purposes & by_arc[arc]) != 0)
            xr_der_put(out, XR_DER_OID, oid, sizeof(oid));
    }
}

static uint32_t purpose_of_oid(struct xr_bytes oid)
{
    static const unsigned char any[] = {0x55, 0x1d, 0x25, 0};

    if (oid.len == sizeof(any) && memcmp(oid.data, any, sizeof(any)) == 0)
        return XR_ANY_PURPOSE;
    if (oid.len == sizeof(kp) + 1 && memcmp(oid.data, kp, sizeof(kp)) == 0 &&
        oid.data[sizeof(kp)] < ARCS)
        return by_arc[oid.data[sizeof(kp)]];
    return 0;
}

/* X.690, 8.19: each number in the fewest octets, the last one complete. */
static bool is_oid(struct xr_bytes oid)
{
    bool begins = true;

    for (size_t i = 0; i < oid.len; i++) {
        if (begins && oid.data[i] == 0x80)
            return false;
        begins = oid.data[i] < 0x80;
    }
    return oid.len > 0 && begins;
}

bool xr_der_purpose(struct xr_der_item *out, uint32_t *purpose, struct xr_bytes *oids)
{
    *purpose = 0;
    if (!xr_der_expect(out, oids, XR_DER_OID) || !is_oid(out->content))
        return false;
    *purpose = purpose_of_oid(out->content);
    return true;
}

static bool purposes_of_oids(uint32_t *out, struct xr_bytes oids)
{
    struct xr_der_item oid;
    uint32_t purpose = 0;

    while (oids.len > 0) {
        if (!xr_der_purpose(&oid, &purpose, &oids))
            return false;
        *out |= purpose;
    }
    return true;
}

static bool basic_constraints(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item seq, item;

    if (!xr_der_expect(&seq, &value, XR_DER_SEQUENCE) || value.len > 0)
        return false;
    out->has_basic_constraints = true;
    if (seq.content.len > 0 && seq.content.data[0] == XR_DER_BOOLEAN) {
        if (!xr_der_next(&item, &seq.content) || item.content.len != 1)
            return false;
        out->ca = item.content.data[0] != 0;
    }
    if (seq.content.len > 0) {
        if (!xr_der_expect(&item, &seq.content, XR_DER_INTEGER) || seq.content.len > 0 ||
            item.content.len == 0 || (item.content.data[0] & 0x80) != 0)
            return false;
        out->doubtful = out->doubtful || !out->ca || item.content.len > 1;
        /* A length past two octets limits nothing that exists. */
        if (item.content.len == 1)
            out->pathlen = item.content.data[0];
        else if (item.content.len == 2)
            out->pathlen = item.content.data[0] << 8 | item.content.data[1];
    }
    return true;
}

static bool key_usage(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item bits;
    unsigned first = 0;

    if (!xr_der_expect(&bits, &value, XR_DER_BIT_STRING) || value.len > 0 || bits.content.len < 1)
        return false;
    out->has_key_usage = true;
    if (bits.content.len >= 2)
        first = bits.content.data[1];
    if (bits.content.len == 2) /* bits that are said to be unused do not count */
        first &= 0xffu << (bits.content.data[0] & 7u);
    out->key_usage |= first & 0x04 ? XR_KU_CERT_SIGN : 0u;
    out->key_usage |= first & 0x02 ? XR_KU_CRL_SIGN : 0u;
    out->doubtful = out->doubtful || bits.content.data[0] > 7 || first == 0;
    return true;
}

static bool extended_key_usage(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item seq;

    out->has_eku = true;
    return xr_der_expect(&seq, &value, XR_DER_SEQUENCE) && value.len == 0 &&
           purposes_of_oids(&out->eku, seq.content);
}

static bool subject_key_id(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item id;

    if (!xr_der_expect(&id, &value, XR_DER_OCTET_STRING) || value.len > 0)
        return false;
    out->skid = id.content;
    return true;
}

static bool authority_key_id(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item seq, item;

    if (!xr_der_expect(&seq, &value, XR_DER_SEQUENCE) || value.len > 0)
        return false;
    while (seq.content.len > 0) {
        if (!xr_der_next(&item, &seq.content))
            return false;
        if (item.tag == 0x80)
            out->akid = item.content;
        else
            out->doubtful = true;
    }
    return true;
}

/* GeneralNames of the kinds that hold bytes alone: mail, DNS, URI and IP. */
static bool plain_names(struct xr_bytes list)
{
    struct xr_der_item item;

    while (list.len > 0) {
        if (!xr_der_next(&item, &list) ||
            (item.tag != 0x81 && item.tag != 0x82 && item.tag != 0x86 && item.tag != 0x87))
            return false;
    }
    return true;
}

static bool alternative_names(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item seq;

    if (!xr_der_expect(&seq, &value, XR_DER_SEQUENCE) || value.len > 0 || !plain_names(seq.content))
        out->doubtful = true;
    return true;
}

/* Plain: each point is a full name and nothing else. */
static bool plain_points(struct xr_bytes list)
{
    struct xr_der_item point, name, full;

    while (list.len > 0) {
        if (!xr_der_expect(&point, &list, XR_DER_SEQUENCE) ||
            !xr_der_expect(&name, &point.content, 0xa0) || point.content.len > 0 ||
            !xr_der_expect(&full, &name.content, 0xa0) || name.content.len > 0 ||
            !plain_names(full.content))
            return false;
    }
    return true;
}

static bool crl_points(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item seq;

    if (!xr_der_expect(&seq, &value, XR_DER_SEQUENCE) || value.len > 0 ||
        !plain_points(seq.content))
        out->doubtful = true;
    return true;
}

static bool name_constraints(struct xr_der_cert *out, struct xr_bytes value)
{
    struct xr_der_item seq;

    out->name_constraints = true;
    out->doubtful = true;
    return xr_der_expect(&seq, &value, XR_DER_SEQUENCE) && value.len == 0;
}

static bool understood(struct xr_der_cert *out, struct xr_bytes value)
{
    (void)out;
    (void)value;
    return true;
}

/* id-ce is 2.5.29.N (RFC 5280, 4.2.1); those libcrypto processes may be critical. */
static const struct {
    unsigned char arc;
    bool (*parse)(struct xr_der_cert *out, struct xr_bytes value);
} extensions[] = {
    {14, subject_key_id},   {15, key_usage},         {17, alternative_names},
    {18, understood},       {19, basic_constraints}, {30, name_constraints},
    {31, crl_points},       {32, understood},        {33, understood},
    {35, authority_key_id}, {36, understood},        {37, extended_key_usage},
    {54, understood},
};
#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

/* nsCertType and the Netscape arc, id-pe (AIA, proxies, IP and AS blocks): libcrypto knows them. */
static void other_extension(struct xr_der_cert *out, struct xr_bytes oid, bool critical)
{
    static const unsigned char netscape[] = {0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01};
    static const unsigned char pe[] = {0x2b, 6, 1, 5, 5, 7, 1};
    bool of_netscape =
        oid.len > sizeof(netscape) && memcmp(oid.data, netscape, sizeof(netscape)) == 0;
    bool of_pe = oid.len > sizeof(pe) && memcmp(oid.data, pe, sizeof(pe)) == 0;

    /* AIA, 1, is parsed by nobody before it is needed. */
    out->doubtful = out->doubtful || of_netscape || (of_pe && oid.data[sizeof(pe)] != 1);
    out->unknown_critical = out->unknown_critical || (critical && !of_netscape && !of_pe);
}

static bool extension(struct xr_der_cert *out, struct xr_bytes whole, uint32_t *seen)
{
    struct xr_der_item seq, oid, item;
    bool critical = false;

    if (!xr_der_expect(&seq, &whole, XR_DER_SEQUENCE) ||
        !xr_der_expect(&oid, &seq.content, XR_DER_OID))
        return false;
    if (seq.content.len > 0 && seq.content.data[0] == XR_DER_BOOLEAN) {
        if (!xr_der_next(&item, &seq.content) || item.content.len != 1)
            return false;
        critical = item.content.data[0] != 0;
    }
    if (!xr_der_expect(&item, &seq.content, XR_DER_OCTET_STRING) || seq.content.len > 0)
        return false;
    out->doubtful = out->doubtful || !is_oid(oid.content);
    if (oid.content.len == 3 && oid.content.data[0] == 0x55 && oid.content.data[1] == 0x1d) {
        for (size_t i = 0; i < EXTENSIONS; i++) {
            if (extensions[i].arc != oid.content.data[2])
                continue;
            if ((*seen & 1u << i) != 0 || !extensions[i].parse(out, item.content))
                out->malformed = true;
            *seen |= 1u << i;
            return true;
        }
    }
    other_extension(out, oid.content, critical);
    return true;
}

static bool validity(struct xr_der_cert *out, struct xr_bytes *tbs)
{
    struct xr_der_item seq, before, after;

    return xr_der_expect(&seq, tbs, XR_DER_SEQUENCE) && xr_der_next(&before, &seq.content) &&
           xr_der_next(&after, &seq.content) && seq.content.len == 0 &&
           xr_der_time(&out->not_before, &before) && xr_der_time(&out->not_after, &after);
}

static bool version_of(struct xr_der_cert *out, struct xr_bytes *tbs)
{
    struct xr_der_item outer, item;

    out->version = 1;
    if (tbs->len == 0 || tbs->data[0] != 0xa0)
        return true;
    if (!xr_der_next(&outer, tbs) || !xr_der_expect(&item, &outer.content, XR_DER_INTEGER) ||
        outer.content.len > 0 || item.content.len != 1 || item.content.data[0] > 2)
        return false;
    out->version = item.content.data[0] + 1;
    return true;
}

static enum xr_status tbs_certificate(struct xr_der_cert *out, struct xr_bytes tbs,
                                      struct xr_error *err)
{
    struct xr_der_item item, inner_alg, list;
    uint32_t seen = 0;

    if (!version_of(out, &tbs))
        return xr_fail(err, XR_INVALID, "a certificate of an unknown version");
    if (!xr_der_expect(&item, &tbs, XR_DER_INTEGER) || item.content.len == 0)
        return xr_fail(err, XR_INVALID, "the certificate has no serial number");
    out->slices.serial = item.whole;
    if (!xr_der_expect(&inner_alg, &tbs, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "the certificate has no signature algorithm");
    out->alg_mismatch = !xr_bytes_equal(inner_alg.whole, out->signature_alg);
    if (!xr_der_expect(&item, &tbs, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "the certificate has no issuer name");
    out->slices.issuer = item.whole;
    if (!validity(out, &tbs))
        return xr_fail(err, XR_INVALID, "the certificate's validity is not two dates");
    if (!xr_der_expect(&item, &tbs, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "the certificate has no subject name");
    out->slices.subject = item.whole;
    if (!xr_der_expect(&item, &tbs, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "the certificate has no public key");
    out->slices.spki = item.whole;
    while (tbs.len > 0) {
        if (!xr_der_next(&item, &tbs))
            return xr_fail(err, XR_INVALID, "the certificate is damaged after its key");
        if (item.tag != 0xa3)
            continue; /* issuerUniqueID, subjectUniqueID */
        if (!xr_der_expect(&list, &item.content, XR_DER_SEQUENCE) || item.content.len > 0)
            return xr_fail(err, XR_INVALID, "the certificate's extensions are damaged");
        while (list.content.len > 0) {
            if (!xr_der_next(&item, &list.content) || !extension(out, item.whole, &seen))
                return xr_fail(err, XR_INVALID, "the certificate's extensions are damaged");
        }
    }
    return XR_OK;
}

enum xr_status xr_der_cert(struct xr_der_cert *out, struct xr_bytes der, struct xr_error *err)
{
    struct xr_der_item outer, tbs, item;
    struct xr_bytes rest = der;

    *out = (struct xr_der_cert){.pathlen = -1};
    out->slices.size = sizeof(out->slices);
    if (!xr_der_expect(&outer, &rest, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "not DER: no complete SEQUENCE of definite length");
    if (rest.len > 0)
        return xr_fail(err, XR_INVALID, "%zu bytes follow the certificate", rest.len);
    if (!xr_der_expect(&tbs, &outer.content, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "not a certificate");
    out->slices.tbs = tbs.whole;
    if (!xr_der_expect(&item, &outer.content, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "not a certificate");
    out->signature_alg = item.whole;
    if (!xr_der_expect(&item, &outer.content, XR_DER_BIT_STRING) || outer.content.len > 0 ||
        item.content.len < 2 || item.content.data[0] != 0)
        return xr_fail(err, XR_INVALID, "not a certificate: it has no signature");
    out->signature = (struct xr_bytes){item.content.data + 1, item.content.len - 1};
    return tbs_certificate(out, tbs.content, err);
}

/* SHA-1 and MD5 in signatures, which TLS programs refuse. */
static bool weak_digest(struct xr_bytes algorithm)
{
    static const unsigned char rsa_md5[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4};
    static const unsigned char rsa_sha1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5};
    static const unsigned char ecdsa_sha1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
    static const struct xr_bytes weak[] = {
        {rsa_md5, sizeof(rsa_md5)}, {rsa_sha1, sizeof(rsa_sha1)}, {ecdsa_sha1, sizeof(ecdsa_sha1)}};
    struct xr_der_item outer, oid;

    if (!xr_der_expect(&outer, &algorithm, XR_DER_SEQUENCE) ||
        !xr_der_expect(&oid, &outer.content, XR_DER_OID))
        return false;
    for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        if (xr_bytes_equal(oid.content, weak[i]))
            return true;
    }
    return false;
}

static unsigned limits_of(const struct xr_der_cert *cert)
{
    bool any = !cert->has_eku || (cert->eku & XR_ANY_PURPOSE) != 0;

    return (cert->malformed || cert->unknown_critical ? 32u : 0) +
           (weak_digest(cert->signature_alg) ? 16u : 0) +
           (!any && (cert->eku & XR_SERVER) == 0 ? 8u : 0) + (cert->name_constraints ? 4u : 0) +
           (any ? 0 : 2u) + (cert->pathlen >= 0 ? 1u : 0);
}

int xr_der_cert_order(const struct xr_der_cert *a, const struct xr_der_cert *b)
{
    unsigned of_a = limits_of(a), of_b = limits_of(b);

    if (of_a != of_b)
        return of_a < of_b ? -1 : 1;
    if (a->pathlen != b->pathlen) /* both have one */
        return a->pathlen > b->pathlen ? -1 : 1;
    return a->not_after > b->not_after ? -1 : a->not_after < b->not_after;
}

enum xr_status xr_der_aux(struct xr_der_aux *out, struct xr_bytes der, struct xr_error *err)
{
    struct xr_der_item seq, item;

    *out = (struct xr_der_aux){0};
    if (!xr_der_expect(&seq, &der, XR_DER_SEQUENCE) || der.len > 0)
        goto bad;
    while (seq.content.len > 0) {
        if (!xr_der_next(&item, &seq.content))
            goto bad;
        if (item.tag == XR_DER_SEQUENCE) {
            out->has_trust = true;
            out->trust_oids = item.content;
            if (!purposes_of_oids(&out->trust, item.content))
                goto bad;
        } else if (item.tag == 0xa0) {
            out->reject_oids = item.content;
            if (!purposes_of_oids(&out->reject, item.content))
                goto bad;
        } else if (item.tag == XR_DER_UTF8) {
            out->alias = item.content;
        }
    }
    return XR_OK;
bad:
    return xr_fail(err, XR_INVALID, "the trust settings after the certificate are damaged");
}

enum xr_status xr_der_crl_issuer(struct xr_bytes *out, struct xr_bytes der, struct xr_error *err)
{
    struct xr_der_item outer, tbs, item;

    if (xr_der_expect(&outer, &der, XR_DER_SEQUENCE) && der.len == 0 &&
        xr_der_expect(&tbs, &outer.content, XR_DER_SEQUENCE) && tbs.content.len > 0 &&
        (tbs.content.data[0] != XR_DER_INTEGER || xr_der_next(&item, &tbs.content)) &&
        xr_der_expect(&item, &tbs.content, XR_DER_SEQUENCE) &&
        xr_der_expect(&item, &tbs.content, XR_DER_SEQUENCE) && tbs.content.len > 0 &&
        (tbs.content.data[0] == XR_DER_UTC_TIME ||
         tbs.content.data[0] == XR_DER_GENERALIZED_TIME)) {
        *out = item.whole;
        return XR_OK;
    }
    return xr_fail(err, XR_INVALID, "not a CRL");
}

const char *xr_der_guess(struct xr_bytes data, bool *private_key)
{
    static const struct {
        const char *magic;
        size_t len, offset;
        const char *name;
    } formats[] = {
        {"\x1f\x8b", 2, 0, N_("gzip-compressed: unpack it first")},
        {"PK\x03\x04", 4, 0, N_("a ZIP archive: unpack it first")},
        {"ustar", 5, 257, N_("a tar archive: unpack it first")},
        {"BZh", 3, 0, N_("bzip2-compressed: unpack it first")},
        {"\xfd"
         "7zXZ",
         5, 0, N_("xz-compressed: unpack it first")},
        {"%PDF", 4, 0, N_("a PDF document")},
        {"\xfe\xed\xfe\xed", 4, 0,
         N_("a Java keystore (JKS): keytool -exportcert -rfc takes one out")},
        {"\xce\xce\xce\xce", 4, 0,
         N_("a Java keystore (JCEKS): keytool -exportcert -rfc takes one out")},
        {"\0\0\0\0CERT", 8, 0,
         N_("a Windows serialized store (.sst): certutil -split -dump takes them out")},
    };
    struct xr_der_item seq, item, inner;
    struct xr_bytes rest = data;

    *private_key = false;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (data.len >= formats[i].offset + formats[i].len &&
            memcmp(data.data + formats[i].offset, formats[i].magic, formats[i].len) == 0)
            return formats[i].name;
    }
    if (!xr_der_expect(&seq, &rest, XR_DER_SEQUENCE))
        return NULL;
    if (seq.content.len > 0 && seq.content.data[0] == XR_DER_SEQUENCE) {
        /* EncryptedPrivateKeyInfo (RFC 5958): AlgorithmIdentifier of PKCS#5 or PKCS#12, octets. */
        if (xr_der_next(&item, &seq.content) && xr_der_expect(&inner, &item.content, XR_DER_OID) &&
            inner.content.len > 7 &&
            memcmp(inner.content.data, "\x2a\x86\x48\x86\xf7\x0d\x01", 7) == 0 &&
            seq.content.len > 0 && seq.content.data[0] == XR_DER_OCTET_STRING) {
            *private_key = true;
            return N_("an encrypted private key: never read");
        }
        return NULL;
    }
    if (!xr_der_expect(&item, &seq.content, XR_DER_INTEGER) || item.content.len != 1)
        return NULL;
    if (item.content.data[0] == 3 && seq.content.len > 0 && seq.content.data[0] == XR_DER_SEQUENCE)
        return N_("PKCS#12, which needs a password: take the certificates out with openssl pkcs12 "
                  "-nokeys");
    if (item.content.data[0] <= 1 && seq.content.len > 0) {
        /* PKCS#8, PKCS#1 and SEC 1 private keys begin with a version of 0 or 1. */
        *private_key = true;
        return N_("a private key: never read");
    }
    return NULL;
}

void xr_der_put(struct xr_buf *out, unsigned tag, const void *content, size_t len)
{
    unsigned char head[2 + sizeof(len)] = {(unsigned char)tag, (unsigned char)len};
    size_t used = 2;

    if (len >= 0x80) {
        size_t octets = 1;

        while (octets < sizeof(len) && len >> (8 * octets) != 0)
            octets++;
        head[1] = (unsigned char)(0x80 | octets);
        for (size_t i = 0; i < octets; i++)
            head[used++] = (unsigned char)(len >> (8 * (octets - 1 - i)));
    }
    xr_buf_add(out, head, used);
    xr_buf_add(out, content, len);
}
