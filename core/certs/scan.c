/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include "containers.h"
#include "guess.h"
#include "kit/pem.h"
#include "sys/sys.h"

#include <stdlib.h>

static void reject(struct xr_scan *sink, bool note, const char *reason)
{
    char numbered[256];

    sink->rejected += !note;
    if (sink->reject == NULL)
        return;
    (void)snprintf(numbered, sizeof(numbered), N_("block %zu: %s"), sink->block, reason);
    sink->reject(sink->ctx, note, sink->block > 0 && !note ? numbered : reason);
}

/* Is this the beginning of one long DER element? Then how many bytes it should have, else 0. */
static size_t full_length(struct xr_bytes data)
{
    size_t len = 0, octets = data.len > 1 ? data.data[1] & 0x7fu : 0;

    if (data.len < 6 || data.data[0] != XR_DER_SEQUENCE || (data.data[1] & 0x80u) == 0 ||
        octets == 0 || octets > 4)
        return 0;
    for (size_t i = 0; i < octets; i++)
        len = len << 8 | data.data[2 + i];
    return len + 2 + octets;
}

static void reject_bytes(struct xr_scan *sink, struct xr_bytes data, const char *reason)
{
    size_t full = full_length(data);
    char text[96];

    if (full > data.len && full <= XR_INPUT_CERT_MAX) {
        (void)snprintf(text, sizeof(text), N_("cut off: %zu of its %zu bytes are there"), data.len,
                       full);
        reason = text;
    }
    reject(sink, false, reason);
}

static enum xr_status found(struct xr_scan *sink, enum xr_item_kind kind, struct xr_bytes der,
                            struct xr_bytes aux)
{
    sink->found++;
    return sink->item(sink->ctx, kind, der, aux);
}

enum label_kind {
    LABEL_OTHER,
    LABEL_CERT,
    LABEL_TRUSTED,
    LABEL_CRL,
    LABEL_PKCS7,
    LABEL_PKCS12,
    LABEL_KEY
};

static enum label_kind label_kind(struct xr_bytes label)
{
    static const struct {
        const char *name;
        enum label_kind kind;
    } names[] = {
        {"CERTIFICATE", LABEL_CERT},
        {"X509 CERTIFICATE", LABEL_CERT},
        {"TRUSTED CERTIFICATE", LABEL_TRUSTED},
        {"X509 CRL", LABEL_CRL},
        {"PKCS7", LABEL_PKCS7},
        {"PKCS #7 SIGNED DATA", LABEL_PKCS7},
        {"CMS", LABEL_PKCS7},
        {"PKCS12", LABEL_PKCS12},
    };
    static const char key[] = "PRIVATE KEY";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (label.len == strlen(names[i].name) && memcmp(label.data, names[i].name, label.len) == 0)
            return names[i].kind;
    }
    return xr_memmem(label.data, label.len, key, sizeof(key) - 1) != NULL ? LABEL_KEY : LABEL_OTHER;
}

static bool too_large(struct xr_scan *sink, struct xr_bytes der)
{
    if (der.len > XR_INPUT_CERT_MAX)
        reject(sink, false, "a certificate larger than 1 MiB");
    return der.len > XR_INPUT_CERT_MAX;
}

static enum xr_status scan_cert(struct xr_scan *sink, struct xr_bytes der, bool trusted)
{
    struct xr_der_cert parsed;
    struct xr_der_item outer;
    struct xr_bytes rest = der;
    struct xr_error err = {0};

    if (too_large(sink, der))
        return XR_OK;
    if (trusted && xr_der_next(&outer, &rest))
        der = outer.whole;
    else
        rest.len = 0;
    if (xr_der_cert(&parsed, der, &err) != XR_OK) {
        const char *guess = xr_guess_der(der);

        reject_bytes(sink, der, guess != NULL ? guess : err.text);
        return XR_OK;
    }
    return found(sink, XR_ITEM_CERT, der, rest);
}

static enum xr_status scan_crl(struct xr_scan *sink, struct xr_bytes der)
{
    struct xr_bytes issuer;
    struct xr_error err = {0};

    if (xr_der_crl_issuer(&issuer, der, &err) != XR_OK) {
        reject(sink, false, err.text);
        return XR_OK;
    }
    return found(sink, XR_ITEM_CRL, der, (struct xr_bytes){0});
}

/* ---- containers ---- */

static enum xr_status found_inside(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct xr_scan *sink = ctx;

    return kind == XR_ITEM_CRL ? scan_crl(sink, der)
                               : scan_cert(sink, der, kind == XR_ITEM_TRUSTED_CERT);
}

static const char a_key[] = N_("a private key: left unread and never copied");

/* What a container gave, and what it holds beside; none: what to say if that is nothing. A reason in err is
 * the container's own. */
static enum xr_status contained(struct xr_scan *sink, const char *none, size_t before,
                                unsigned left, enum xr_status status, const struct xr_error *err)
{
    if (left & XR_LEFT_KEY)
        reject(sink, true, a_key);
    if (left & XR_LEFT_SECRET)
        reject(sink, true, "a secret: left unread and never copied");
    if (left & XR_LEFT_OTHER)
        reject(sink, true, "something that is neither certificate nor CRL: passed over");
    if (err->text[0] != '\0') {
        reject(sink, false, err->text);
        return XR_OK;
    }
    if (status == XR_OK && sink->found + sink->rejected == before)
        reject(sink, false, none);
    return status;
}

static enum xr_status scan_pkcs7(struct xr_scan *sink, struct xr_bytes der)
{
    struct xr_error err = {0};
    size_t before = sink->found + sink->rejected;
    enum xr_status status = xr_x509_pkcs7(der, found_inside, sink, &err);

    return contained(sink, N_("PKCS#7 without certificates"), before, 0, status, &err);
}

static enum xr_status scan_pkcs12(struct xr_scan *sink, struct xr_bytes der)
{
    struct xr_error err = {0};
    unsigned left = 0;
    size_t before = sink->found + sink->rejected;
    enum xr_status status = xr_x509_pkcs12(&left, der, sink->password, found_inside, sink, &err);

    return contained(sink, N_("PKCS#12 without certificates"), before, left, status, &err);
}

static enum xr_status scan_sst(struct xr_scan *sink, struct xr_bytes data)
{
    struct xr_error err = {0};
    unsigned left = 0;
    size_t before = sink->found + sink->rejected;
    enum xr_status status = xr_sst(&left, data, found_inside, sink, &err);

    return contained(sink, N_("a Windows serialized store without certificates"), before, left,
                     status, &err);
}

/* ---- PEM ---- */

static void reject_body(struct xr_scan *sink, struct xr_bytes body)
{
    char reason[128];
    const char *guess = xr_guess_body(body);

    if (xr_memmem(body.data, body.len, "\\n", 2) != NULL) {
        reject(sink, false,
               "its line ends are written out as \\n, as in JSON: printf %b turns them into lines");
    } else if (guess != NULL) {
        (void)snprintf(reason, sizeof(reason), N_("damaged PEM: the block is not base64: %s"),
                       guess);
        reject(sink, false, reason);
    } else {
        reject(sink, false, "damaged PEM: the block is not base64");
    }
}

static enum xr_status scan_block(struct xr_scan *sink, const struct xr_pem_block *block)
{
    enum label_kind kind = label_kind(block->label);
    struct xr_buf der = {0};
    struct xr_bytes bytes;
    enum xr_status status = XR_OK;
    char reason[128];

    if (kind == LABEL_KEY) {
        reject(sink, true, a_key);
        return XR_OK;
    }
    if (kind == LABEL_OTHER || (kind == LABEL_PKCS12 && !sink->lenient)) {
        struct xr_buf label = {0};

        xr_buf_visible(&label, (const char *)block->label.data, block->label.len);
        (void)snprintf(reason, sizeof(reason), N_("a \"%s\" block is not a certificate"),
                       label.data);
        reject(sink, true, reason);
        xr_buf_free(&label);
        return XR_OK;
    }
    if (!xr_base64(&der, block->body.data, block->body.len)) {
        reject_body(sink, block->body);
        xr_sys_wipe(&der);
        return XR_OK;
    }
    bytes = (struct xr_bytes){(const unsigned char *)der.data, der.len};
    if (kind == LABEL_CRL)
        status = scan_crl(sink, bytes);
    else if (kind == LABEL_PKCS7 || (sink->lenient && xr_pkcs7_begins(bytes)))
        status = scan_pkcs7(sink, bytes);
    else if (kind == LABEL_PKCS12)
        status = scan_pkcs12(sink, bytes);
    else
        status = scan_cert(sink, bytes, kind == LABEL_TRUSTED);
    xr_sys_wipe(&der); /* under whatever label, it may have been a key */
    return status;
}

static enum xr_status scan_der(struct xr_scan *sink, struct xr_bytes data)
{
    struct xr_der_cert cert;
    struct xr_bytes issuer;
    struct xr_error err = {0};
    const char *guess = NULL;

    if (xr_der_cert(&cert, data, &err) == XR_OK)
        return too_large(sink, data) ? XR_OK
                                     : found(sink, XR_ITEM_CERT, data, (struct xr_bytes){0});
    if (xr_der_crl_issuer(&issuer, data, NULL) == XR_OK)
        return scan_crl(sink, data);
    if (xr_pkcs7_begins(data))
        return scan_pkcs7(sink, data);
    if (sink->lenient && xr_pkcs12_begins(data))
        return scan_pkcs12(sink, data);
    guess = xr_guess_der(data);
    if (guess != NULL)
        reject(sink, false, guess);
    else
        reject_bytes(sink, data, err.text);
    return XR_OK;
}

static const char begin[] = "-----BEGIN ";

static bool several_blocks(struct xr_bytes data)
{
    const unsigned char *end = data.data + data.len;
    const unsigned char *first = xr_memmem(data.data, data.len, begin, sizeof(begin) - 1);

    return first != NULL &&
           xr_memmem(first + 1, (size_t)(end - first - 1), begin, sizeof(begin) - 1) != NULL;
}

/* A container by its first bytes: it may be BER. False: the file is something else. */
static bool scan_container(enum xr_status *status, struct xr_scan *sink, struct xr_bytes data)
{
    if (!sink->lenient)
        return false;
    if (xr_sst_begins(data))
        *status = scan_sst(sink, data);
    else if (xr_pkcs7_begins(data))
        *status = scan_pkcs7(sink, data);
    else if (xr_pkcs12_begins(data))
        *status = scan_pkcs12(sink, data);
    else
        return false;
    return true;
}

/* Bytes that are no text and no whole element. */
static const char *damaged(struct xr_bytes data)
{
    struct xr_der_item item;

    if (data.data[0] != XR_DER_SEQUENCE)
        return N_("neither PEM nor DER: no certificate in it");
    if (data.len > 1 && data.data[1] == 0x80)
        return N_("BER of indefinite length, not DER");
    return xr_der_next(&item, &data)
               ? N_("DER, and bytes follow it: files joined? Give each by itself")
               : N_("damaged DER, or bytes follow it");
}

/* A file without a block. */
static enum xr_status scan_other(struct xr_scan *sink, struct xr_bytes data)
{
    struct xr_buf der = {0};
    struct xr_bytes bytes;
    enum xr_status status = XR_OK;
    const char *guess = NULL;

    if (xr_base64(&der, data.data, data.len)) { /* PEM without its lines */
        bytes = (struct xr_bytes){(const unsigned char *)der.data, der.len};
        if (der.len >= sizeof(begin) - 1 && memcmp(der.data, begin, sizeof(begin) - 1) == 0)
            reject(sink, false, "base64 of a PEM file: decode it first (base64 -d)");
        else if (!scan_container(&status, sink, bytes) && bytes.data[0] == XR_DER_SEQUENCE)
            status = scan_der(sink, bytes);
    }
    xr_sys_wipe(&der);
    if (status != XR_OK || sink->found + sink->rejected > 0)
        return status;
    guess = xr_guess_file(data);
    if (guess != NULL)
        reject(sink, false, guess);
    else
        reject_bytes(sink, data, damaged(data));
    return XR_OK;
}

/* Nothing in a file of people is passed over unsaid. *quoted: that was said. */
static void scan_beside(struct xr_scan *sink, bool *quoted, const unsigned char *start,
                        const unsigned char *from, const unsigned char *to)
{
    if (!sink->lenient || to <= from)
        return;
    sink->block = 0;
    switch (xr_guess_lost(start, (struct xr_bytes){from, (size_t)(to - from)})) {
    case XR_LOST_NONE:
        break;
    case XR_LOST_DER:
        reject(sink, false, "DER beside PEM: files joined? Give each by itself");
        break;
    case XR_LOST_DASHES:
        reject(sink, false, "damaged PEM: a BEGIN line that has not five ASCII dashes");
        break;
    case XR_LOST_QUOTED:
        if (!*quoted)
            reject(
                sink, true,
                "passed over: a BEGIN that is not at the beginning of its line, so that it counts "
                "as a quotation");
        *quoted = true;
        break;
    }
}

/* Is it one element from the first to the last byte, except white space? */
static bool is_whole_der(struct xr_bytes *data)
{
    struct xr_der_item item;
    struct xr_bytes rest = *data;

    if (!xr_der_expect(&item, &rest, XR_DER_SEQUENCE))
        return false;
    while (rest.len > 0 && xr_pem_space(rest.data[rest.len - 1]))
        rest.len--;
    if (rest.len > 0)
        return false;
    *data = item.whole;
    return true;
}

enum xr_status xr_scan(struct xr_scan *sink, struct xr_bytes data)
{
    struct xr_bytes rest = data;
    struct xr_pem_block block;
    enum xr_pem_found got = XR_PEM_NONE;
    bool glued = false; /* an END may stand before the next BEGIN */
    bool several = false, quoted = false;
    const unsigned char *behind = data.data; /* the last block */
    enum xr_status status = XR_OK;
    size_t blocks = 0;

    if (data.len == 0) {
        reject(sink, false, "the file is empty");
        return XR_OK;
    }
    if (is_whole_der(&rest))
        return scan_der(sink, rest);
    if (scan_container(&status, sink, data))
        return status;
    several = several_blocks(data);
    while (status == XR_OK && (got = xr_pem_next(&block, &rest, data.data, glued)) != XR_PEM_NONE) {
        scan_beside(sink, &quoted, data.data, behind, block.label.data - (sizeof(begin) - 1));
        behind = rest.data;
        blocks++;
        sink->block = several ? blocks : 0;
        glued = sink->lenient && got == XR_PEM_BLOCK;
        if (got == XR_PEM_OPEN)
            reject(sink, false, "damaged PEM: a BEGIN line without its END line (cut off?)");
        else
            status = scan_block(sink, &block);
    }
    sink->block = 0;
    if (blocks == 0)
        return scan_other(sink, data);
    scan_beside(sink, &quoted, data.data, behind, data.data + data.len);
    return status;
}

struct relay {
    xr_item_fn emit;
    void *ctx;
};

static enum xr_status relay_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der,
                                 struct xr_bytes aux)
{
    struct relay *relay = ctx;

    if (aux.len == 0)
        return relay->emit(relay->ctx, kind, der);
    /* They follow each other in the block. */
    return relay->emit(relay->ctx, XR_ITEM_TRUSTED_CERT,
                       (struct xr_bytes){der.data, der.len + aux.len});
}

enum xr_status xr_input_items(struct xr_bytes data, xr_item_fn emit, void *ctx,
                              struct xr_error *err)
{
    struct relay relay = {emit, ctx};
    struct xr_scan sink = {.item = relay_item, .ctx = &relay};
    enum xr_status status = xr_scan(&sink, data);

    if (status == XR_OK && sink.found == 0)
        return xr_fail(err, XR_INVALID, "no certificate in it");
    return status;
}

enum xr_status xr_input_trusted(size_t *len, uint32_t *purposes, struct xr_bytes bytes,
                                struct xr_error *err)
{
    const uint32_t all = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME;
    struct xr_der_aux settings = {0};
    struct xr_der_item cert;
    struct xr_bytes rest = bytes;
    enum xr_status status = XR_OK;

    if (!xr_der_expect(&cert, &rest, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "not a certificate");
    *len = cert.whole.len;
    *purposes = all;
    if (rest.len > 0)
        status = xr_der_aux(&settings, rest, err);
    if (settings.has_trust && !(settings.trust & XR_ANY_PURPOSE))
        *purposes = settings.trust & all;
    *purposes &= settings.reject & XR_ANY_PURPOSE ? 0 : ~settings.reject;
    return status;
}
