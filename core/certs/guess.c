/* SPDX-License-Identifier: Apache-2.0 */
#include "guess.h"

#include "kit/pem.h"

#define LOOK_AT 65536u /* bytes of a text in which marks are looked for */

static bool holds(struct xr_bytes data, const char *text, size_t len)
{
    return xr_memmem(data.data, data.len < LOOK_AT ? data.len : LOOK_AT, text, len) != NULL;
}

/* ---- bytes at a place ---- */

static const char utf16[] = N_("UTF-16 text: save it as UTF-8");
static const char utf32[] = N_("UTF-32 text: save it as UTF-8");

static const char *by_magic(struct xr_bytes data)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *name;
    } magics[] = {
        {"\xff\xfe\0\0", 4, utf32},
        {"\0\0\xfe\xff", 4, utf32},
        {"\xff\xfe", 2, utf16},
        {"\xfe\xff", 2, utf16},
        {"-\0\0\0-\0\0\0", 8, utf32},
        {"\0\0\0-\0\0\0-", 8, utf32},
        {"-\0-\0-\0", 6, utf16},
        {"\0-\0-\0-", 6, utf16},
        {"SQLite format 3", 16,
         N_("an SQLite database: of NSS (cert9.db), its directory is a store "
            "(--store nss:DIR)")},
        {"\0\x06\x15\x61", 4, N_("a Berkeley database, as NSS once had it (cert8.db)")},
        {"\0\0\0\x02\0\0\0\x14", 8, N_("a keystore of Bouncy Castle (BKS)")},
        {"\0\0\0\x01\0\0\0\x14", 8, N_("a keystore of Bouncy Castle (BKS)")},
        {"\x28\xb5\x2f\xfd", 4, N_("zstd-compressed: unpack it first")},
        {"7z\xbc\xaf\x27\x1c", 6, N_("a 7-Zip archive: unpack it first")},
        {"Rar!", 4, N_("a RAR archive: unpack it first")},
        {"MSCF", 4, N_("a Windows cabinet: unpack it first")},
        {"\x7f"
         "ELF",
         4, N_("a program")},
        {"MZ", 2, N_("a Windows program")},
        {"\x89PNG", 4, N_("a picture")},
        {"\xff\xd8\xff", 3, N_("a picture")},
        {"GIF8", 4, N_("a picture")},
        {"{\\rtf", 5, N_("a word processor's document (RTF): save it as plain text")},
        {"\xd0\xcf\x11\xe0", 4, N_("an old document of Microsoft Office")},
        {"ssh-", 4, N_("an SSH key, not a certificate")},
        {"ecdsa-sha2-", 11, N_("an SSH key, not a certificate")},
        {"PuTTY-User-Key-File", 19, N_("a private key of PuTTY: never read")},
        {"version https://git-lfs", 23, N_("a pointer to a file in Git LFS, not the file")},
        {"REGEDIT4", 8, N_("an export of the Windows registry")},
    };

    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        if (data.len >= magics[i].len && memcmp(data.data, magics[i].bytes, magics[i].len) == 0)
            return magics[i].name;
    }
    return NULL;
}

static const char *by_uniformity(struct xr_bytes data)
{
    size_t spaces = 0, zeros = 0;

    for (size_t i = 0; i < data.len; i++) {
        spaces += xr_pem_space(data.data[i]);
        zeros += data.data[i] == 0;
    }
    if (spaces == data.len)
        return N_("nothing but white space: no certificate in it");
    return zeros == data.len ? N_("nothing but zeros: no certificate in it") : NULL;
}

/* ---- words in a text ---- */

static const char *by_words(struct xr_bytes data)
{
    static const char page[] =
        N_("a web page, not a certificate: what was saved is perhaps an error or a login");
    static const char certdata[] =
        N_("Mozilla's certdata.txt, a root list: extract, diff and chain --from read it");
    static const char inside[] =
        N_("text that has certificates inside it (XML, JSON): take them out of it first");
    static const struct {
        const char *mark, *name;
    } marks[] = {
        {"X509Certificate>", inside},
        {"\"x5c\"", inside},
        {"<plist",
         N_("a profile of Apple's (.mobileconfig): take the certificates out of it first")},
        {"<html", page},
        {"<HTML", page},
        {"<!DOCTYPE", page},
        {"<!doctype", page},
        {"CKA_NSS_BUILTIN", certdata},
        {"CKA_CLASS", certdata},
        {"LS0tLS1CRUdJTi", N_("base64 of a PEM file inside other text: take that out and decode it "
                              "(base64 -d)")},
        {"Content-Transfer-Encoding:", N_("a mail: save the certificate that is attached to it")},
        {"Certificate:\n    Data:",
         N_("a certificate described in words: the certificate itself is "
            "not there (openssl x509 without -text writes it)")},
        {"Certificate:\r\n    Data:", N_("a certificate described in words: the certificate itself "
                                         "is not there (openssl x509 without -text writes it)")},
        {"{\"error", N_("an error message in JSON: what was fetched is not the file")},
    };

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (holds(data, marks[i].mark, strlen(marks[i].mark)))
            return marks[i].name;
    }
    return NULL;
}

static bool is_hex(struct xr_bytes data)
{
    size_t digits = 0;

    for (size_t i = 0; i < data.len; i++) {
        if (xr_hex_digit(data.data[i]) >= 0)
            digits++;
        else if (!xr_pem_space(data.data[i]) && data.data[i] != ':')
            return false;
    }
    return digits > 64;
}

/* ---- DER ---- */

/* Steps into a SEQUENCE. */
static bool enter(struct xr_bytes *at)
{
    struct xr_der_item item;

    if (!xr_der_expect(&item, at, XR_DER_SEQUENCE))
        return false;
    *at = item.content;
    return true;
}

/* Into what a signature is made over: the first SEQUENCE in a SEQUENCE. */
static bool enter_signed(struct xr_bytes *at)
{
    bool outer = enter(at);

    return outer && enter(at);
}

static bool next_is(struct xr_bytes *at, unsigned tag)
{
    struct xr_der_item item;

    return xr_der_expect(&item, at, tag);
}

/* PKCS#10 (RFC 2986): version 0, a name, a key, attributes. */
static bool is_request(struct xr_bytes at)
{
    return enter_signed(&at) && next_is(&at, XR_DER_INTEGER) && next_is(&at, XR_DER_SEQUENCE) &&
           next_is(&at, XR_DER_SEQUENCE) && next_is(&at, 0xa0) && at.len == 0;
}

/* RFC 5755: version 1, a holder in [0], [1] or [2], an issuer in [0]. */
static bool is_attribute_certificate(struct xr_bytes at)
{
    struct xr_der_item holder;

    return enter_signed(&at) && next_is(&at, XR_DER_INTEGER) &&
           xr_der_expect(&holder, &at, XR_DER_SEQUENCE) && holder.content.len > 0 &&
           holder.content.data[0] >= 0xa0 && holder.content.data[0] <= 0xa2 && next_is(&at, 0xa0);
}

static bool is_public_key(struct xr_bytes at)
{
    struct xr_der_item algorithm;

    return enter(&at) && xr_der_expect(&algorithm, &at, XR_DER_SEQUENCE) &&
           algorithm.content.len > 0 && algorithm.content.data[0] == XR_DER_OID &&
           next_is(&at, XR_DER_BIT_STRING) && at.len == 0;
}

/* RFC 6960: a status, then the response in [0]. */
static bool is_ocsp(struct xr_bytes at)
{
    return enter(&at) && next_is(&at, 0x0a) && next_is(&at, 0xa0) && at.len == 0;
}

const char *xr_guess_der(struct xr_bytes der)
{
    static const struct {
        bool (*is)(struct xr_bytes at);
        const char *name;
    } shapes[] = {
        {is_request, N_("a certificate request (CSR), which no CA has signed yet")},
        {is_attribute_certificate,
         N_("an attribute certificate, which has no key: no store takes one")},
        {is_public_key, N_("a public key, not a certificate")},
        {is_ocsp, N_("an OCSP response, not a certificate")},
    };
    bool key = false;

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (shapes[i].is(der))
            return shapes[i].name;
    }
    return xr_der_guess(der, &key);
}

/* ---- a PEM block ---- */

const char *xr_guess_body(struct xr_bytes body)
{
    static const struct {
        const char *mark, *name;
    } marks[] = {
        {"Proc-Type:", N_("it has headers, as an encrypted block")},
        {"&#", N_("it is HTML")},
        {"&amp;", N_("it is HTML")},
        {"<", N_("it is HTML")},
        {"\xc2\xa0", N_("it has blanks that are not ASCII")},
        {"=3D", N_("it is quoted-printable, as in mail")},
        {"=\n", N_("it is quoted-printable, as in mail, or has a \"=\" in its middle")},
        {"-", N_("it is base64url")},
        {"_", N_("it is base64url")},
    };

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (holds(body, marks[i].mark, strlen(marks[i].mark)))
            return marks[i].name;
    }
    return NULL;
}

/* ---- what is beside blocks ---- */

/* Only blanks and dashes, of whatever kind, between the beginning of the line and at. */
static bool only_dashes_before(const unsigned char *start, const unsigned char *at)
{
    for (; at > start && at[-1] != '\n' && at[-1] != '\r'; at--) {
        unsigned char c = at[-1];

        /* U+2010 to U+2015, U+2212, and a byte order mark */
        if (c != ' ' && c != '\t' && c != '-' && c < 0x80)
            return false;
    }
    return true;
}

static enum xr_lost lost_begin(const unsigned char *start, struct xr_bytes beside)
{
    static const char *const labels[] = {"BEGIN CERTIFICATE",
                                         "BEGIN TRUSTED CERTIFICATE",
                                         "BEGIN X509 CERTIFICATE",
                                         "BEGIN X509 CRL",
                                         "BEGIN PKCS7",
                                         "BEGIN CMS",
                                         "begin certificate",
                                         "BEGIN  CERTIFICATE"};
    enum xr_lost lost = XR_LOST_NONE;

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        size_t len = strlen(labels[i]);
        const unsigned char *end = beside.data + beside.len, *at = beside.data;

        while ((at = xr_memmem(at, (size_t)(end - at), labels[i], len)) != NULL) {
            if (only_dashes_before(start, at))
                return XR_LOST_DASHES;
            lost = XR_LOST_QUOTED;
            at += len;
        }
    }
    return lost;
}

enum xr_lost xr_guess_lost(const unsigned char *start, struct xr_bytes beside)
{
    struct xr_der_item item;
    struct xr_bytes at = beside;

    while (at.len > 0 && xr_pem_space(at.data[0])) {
        at.data++;
        at.len--;
    }
    if (xr_der_expect(&item, &at, XR_DER_SEQUENCE) && item.content.len > 64 &&
        item.content.data[0] == XR_DER_SEQUENCE)
        return XR_LOST_DER;
    return lost_begin(start, beside);
}

/* ---- a file ---- */

static const char *by_begin(struct xr_bytes data)
{
    enum xr_lost lost = lost_begin(data.data, data);

    if (lost == XR_LOST_NONE)
        return NULL;
    if (holds(data, "-----\\n", 7))
        return N_(
            "its line ends are written out as \\n, as in JSON: printf %b turns them into lines");
    if (lost == XR_LOST_DASHES)
        return N_(
            "damaged PEM: the BEGIN line is not \"-----BEGIN CERTIFICATE-----\" with five ASCII "
            "dashes");
    return N_("text with a PEM block inside its lines: copy that, from BEGIN to END, into a file");
}

const char *xr_guess_file(struct xr_bytes data)
{
    const char *name = by_magic(data);

    if (name == NULL)
        name = xr_guess_der(data);
    if (name == NULL)
        name = by_begin(data);
    if (name == NULL)
        name = by_words(data);
    if (name == NULL)
        name = by_uniformity(data);
    if (name == NULL && is_hex(data))
        name = N_("hex digits: xxd -r -p turns them into bytes");
    return name;
}
