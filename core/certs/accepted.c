/* SPDX-License-Identifier: Apache-2.0 */
/* What libcrypto does not take, in words for people. */
#include "openssl.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static bool padded(struct xr_bytes serial)
{
    struct xr_der_item number;
    const unsigned char *at = NULL;

    if (!xr_der_expect(&number, &serial, XR_DER_INTEGER) || number.content.len < 2)
        return false;
    at = number.content.data;
    return (at[0] == 0 && at[1] < 0x80) || (at[0] == 0xff && at[1] >= 0x80);
}

static bool name_read(struct xr_bytes name)
{
    X509_NAME *parsed = xr_crypto_name(name);

    X509_NAME_free(parsed);
    return parsed != NULL;
}

static bool key_parsed(struct xr_bytes spki)
{
    const unsigned char *at = spki.data;
    X509_PUBKEY *parsed = d2i_X509_PUBKEY(NULL, &at, (long)spki.len);

    X509_PUBKEY_free(parsed);
    return parsed != NULL;
}

/* What makes libcrypto refuse to parse the certificate; NULL: something else. */
static const char *unparsed(const struct xr_cert *cert)
{
    if (padded(cert->d.slices.serial))
        return N_("its serial number is not in the shortest form");
    if (!name_read(cert->d.slices.subject))
        return N_("its subject name cannot be decoded");
    if (!name_read(cert->d.slices.issuer))
        return N_("its issuer name cannot be decoded");
    if (!key_parsed(cert->d.slices.spki))
        return N_("its public key cannot be read");
    return NULL;
}

/* RFC 5280, 4.1.2.5: seconds and Z, and neither a zone nor fractions. */
static const char *date_complaint(const ASN1_TIME *date)
{
    const char *text = (const char *)ASN1_STRING_get0_data(date);
    size_t len = (size_t)ASN1_STRING_length(date);
    bool utc_time = ASN1_STRING_type(date) == V_ASN1_UTCTIME;
    time_t some = 0;

    if (X509_cmp_time(date, &some) != 0)
        return NULL;
    if (len == (utc_time ? 11u : 13u) && text[len - 1] == 'Z')
        return N_("its date has no seconds");
    if (len > 5 && (text[len - 5] == '+' || text[len - 5] == '-'))
        return N_("its date has a time zone instead of Z");
    return N_("its date is not of the form that RFC 5280 allows");
}

/* Fills text with what is wrong with an extension. */
static void extension_complaint(char *text, size_t size, X509 *x)
{
    (void)snprintf(text, size, N_("a value in its extensions is impossible"));
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *ext = X509_get_ext(x, i);
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(ext);
        const X509V3_EXT_METHOD *method = X509V3_EXT_get(ext);
        bool twice = X509_get_ext_by_OBJ(x, object, i) >= 0;
        void *value = method != NULL ? X509V3_EXT_d2i(ext) : NULL;
        char name[96];

        if (value != NULL && method->it != NULL)
            ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
        else if (value != NULL)
            method->ext_free(value);
        if (method == NULL || (value != NULL && !twice))
            continue;
        (void)OBJ_obj2txt(name, sizeof(name), object, 0);
        (void)snprintf(text, size,
                       twice ? N_("its extension %s occurs twice")
                             : N_("its extension %s cannot be read"),
                       name);
        return;
    }
}

static bool takes(struct xr_cert *cert, X509 *x, struct xr_error *err)
{
    const char *why = NULL;
    char text[160];

    if (x == NULL) {
        why = unparsed(cert);
        if (why == NULL)
            (void)xr_crypto_fail(err, XR_INVALID, "OpenSSL does not accept this certificate");
    } else if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0) {
        extension_complaint(text, sizeof(text), x);
        why = text;
    } else if ((why = date_complaint(X509_get0_notBefore(x))) == NULL &&
               (why = date_complaint(X509_get0_notAfter(x))) == NULL) {
        /* A key of an unknown type stops no program from reading the certificate. */
        if (xr_crypto_key(cert) != NULL || !xr_crypto_key_type_known(cert))
            return true;
        why = N_("its public key cannot be read");
    }
    if (why != NULL)
        (void)xr_fail(err, XR_INVALID, "%s, which OpenSSL does not accept", why);
    return false;
}

/* ---- without libcrypto ---- */

static int two_digits(const char *at)
{
    return (at[0] - '0') * 10 + at[1] - '0';
}

static bool plain_date(struct xr_bytes *validity)
{
    static const char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct xr_der_item date;
    const char *text = NULL;
    size_t len = 0;
    int month = 0;

    if (!xr_der_next(&date, validity))
        return false;
    text = (const char *)date.content.data;
    len = date.content.len;
    /* xr_der_time has looked at the digits, but not at their number. */
    if (len != (date.tag == XR_DER_UTC_TIME ? 13u : 15u) || text[len - 1] != 'Z')
        return false;
    month = two_digits(text + len - 11);
    /* Leap days and leap seconds are for libcrypto. */
    return month >= 1 && month <= 12 && two_digits(text + len - 9) <= days[month - 1] &&
           text[len - 3] < '6';
}

static bool plain_dates(const struct xr_slices *slices)
{
    struct xr_bytes rest = {slices->issuer.data + slices->issuer.len, 0};
    struct xr_der_item validity;

    rest.len = (size_t)(slices->subject.data - rest.data);
    return xr_der_expect(&validity, &rest, XR_DER_SEQUENCE) && plain_date(&validity.content) &&
           plain_date(&validity.content);
}

/* An algorithm with a name, and no parameters but NULL. */
static bool plain_algorithm(struct xr_bytes algorithm)
{
    struct xr_der_item seq, oid, null;

    if (!xr_der_expect(&seq, &algorithm, XR_DER_SEQUENCE) ||
        !xr_der_expect(&oid, &seq.content, XR_DER_OID) || xr_crypto_nid(oid.whole) == NID_undef)
        return false;
    return seq.content.len == 0 || (xr_der_expect(&null, &seq.content, 0x05) &&
                                    null.content.len == 0 && seq.content.len == 0);
}

/* After the key: nothing, or in version 3 the extensions alone. */
static bool plain_end(const struct xr_der_cert *d)
{
    const struct xr_bytes *spki = &d->slices.spki, *tbs = &d->slices.tbs;
    struct xr_bytes rest = {spki->data + spki->len, 0};
    struct xr_der_item extensions;

    rest.len = (size_t)(tbs->data + tbs->len - rest.data);
    return rest.len == 0 ||
           (d->version == 3 && xr_der_expect(&extensions, &rest, 0xa3) && rest.len == 0);
}

/* Is everything in it of the common forms, which libcrypto takes? Parsing takes it ten times as long.
 * False: it must be asked. */
static bool plainly_taken(struct xr_cert *cert)
{
    const struct xr_der_cert *d = &cert->d;

    return !d->malformed && !d->doubtful && !d->alg_mismatch && !padded(d->slices.serial) &&
           plain_algorithm(d->signature_alg) && plain_dates(&d->slices) && plain_end(d) &&
           xr_crypto_name_plain(d->slices.subject) && xr_crypto_name_plain(d->slices.issuer) &&
           xr_crypto_key(cert) != NULL;
}

bool xr_cert_accepted(struct xr_cert *cert, struct xr_error *err)
{
    X509 *x = NULL;

    if (cert->accepted || plainly_taken(cert))
        return cert->accepted = true;
    x = xr_crypto_cert(cert->der);
    cert->accepted = takes(cert, x, err);
    ERR_clear_error();
    X509_free(x);
    return cert->accepted;
}
