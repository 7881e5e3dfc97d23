/* SPDX-License-Identifier: Apache-2.0 */
/* Windows' serialized store: a header, then elements of {id, encoding, length, bytes} in little-endian.
 * The properties of a certificate come before it; an element of zeros is the end. */
#include "containers.h"

enum { ID_END = 0, ID_USAGE = 9, ID_CERT = 32, ID_CRL = 33, ID_CTL = 34 };
enum { ENCODING_X509 = 1 };
#define HEAD 12u

static const unsigned char magic[] = {0, 0, 0, 0, 'C', 'E', 'R', 'T'};

struct element {
    uint32_t id, encoding;
    struct xr_bytes content;
};

static uint32_t number(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool next(struct element *out, struct xr_bytes *rest)
{
    uint32_t len = 0;

    if (rest->len < HEAD)
        return false;
    out->id = number(rest->data);
    out->encoding = number(rest->data + 4);
    len = number(rest->data + 8);
    if (len > rest->len - HEAD)
        return false;
    out->content = (struct xr_bytes){rest->data + HEAD, len};
    rest->data += HEAD + len;
    rest->len -= HEAD + len;
    return true;
}

/* CERT_ENHKEY_USAGE_PROP_ID holds the OIDs of what the certificate is trusted for, in a SEQUENCE;
 * OpenSSL's settings (X509_CERT_AUX) are that in one more. */
static enum xr_status emit_limited(const struct element *cert, struct xr_bytes usage,
                                   xr_item_fn emit, void *ctx)
{
    struct xr_buf both = {0};
    enum xr_status status = XR_OK;

    xr_buf_add(&both, cert->content.data, cert->content.len);
    xr_der_put(&both, XR_DER_SEQUENCE, usage.data, usage.len);
    status = emit(ctx, XR_ITEM_TRUSTED_CERT,
                  (struct xr_bytes){(const unsigned char *)both.data, both.len});
    xr_buf_free(&both);
    return status;
}

bool xr_sst_begins(struct xr_bytes data)
{
    return data.len >= sizeof(magic) && memcmp(data.data, magic, sizeof(magic)) == 0;
}

enum xr_status xr_sst(unsigned *left, struct xr_bytes data, xr_item_fn emit, void *ctx,
                      struct xr_error *err)
{
    struct xr_bytes rest = {data.data + sizeof(magic), data.len - sizeof(magic)};
    struct xr_bytes usage = {0}; /* of the certificate that comes */
    struct element element = {0};
    enum xr_status status = XR_OK;

    while (status == XR_OK) {
        if (!next(&element, &rest))
            return xr_fail(err, XR_INVALID, "a Windows serialized store that is cut off");
        if (element.id == ID_END)
            break;
        if ((element.encoding & 0xffffu) != ENCODING_X509)
            return xr_fail(err, XR_INVALID, "a damaged Windows serialized store");
        switch (element.id) {
        case ID_USAGE:
            usage = element.content;
            break;
        case ID_CERT:
            status = usage.data != NULL ? emit_limited(&element, usage, emit, ctx)
                                        : emit(ctx, XR_ITEM_CERT, element.content);
            break;
        case ID_CRL:
            status = emit(ctx, XR_ITEM_CRL, element.content);
            break;
        case ID_CTL:
            *left |= XR_LEFT_OTHER;
            break;
        default: /* a property, such as a friendly name */
            break;
        }
        if (element.id >= ID_CERT && element.id <= ID_CTL)
            usage = (struct xr_bytes){0};
    }
    if (status == XR_OK && rest.len > 0)
        return xr_fail(err, XR_INVALID, "bytes follow the end of this Windows serialized store");
    return status;
}
