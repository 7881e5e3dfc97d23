/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration profile for Apple's systems: anchors that signed themselves are roots
 * (com.apple.security.root). All others are com.apple.security.pkcs1, which is never trusted by itself
 * and only builds paths: Apple has no trust for an anchor that another CA signed.
 */
#include "outputs_private.h"

#include "certs/x509.h"

#include <stdlib.h>

enum { UUID_LEN = 16, UUID_TEXT = 37, LINE = 52 };

/* Of names that are the SHA-256 of something in hex; chosen at random. */
static const unsigned char namespace[UUID_LEN] = {0x54, 0xec, 0x8b, 0x26, 0x85, 0xfe, 0x47, 0x9d,
                                                  0x97, 0x19, 0x03, 0x25, 0xe8, 0x21, 0x01, 0x39};

/* RFC 4122, 4.3, version 5. */
static void uuid_of(char out[UUID_TEXT], const unsigned char sha256[XR_SHA256_LEN],
                    const struct xr_host *host)
{
    unsigned char name[UUID_LEN + 2 * XR_SHA256_LEN + 1], sum[20];
    size_t at = 0;

    memcpy(name, namespace, UUID_LEN);
    xr_hex((char *)name + UUID_LEN, sha256, XR_SHA256_LEN);
    host->sha1(sum, (struct xr_bytes){name, sizeof(name) - 1});
    sum[6] = (unsigned char)((sum[6] & 0x0f) | 0x50);
    sum[8] = (unsigned char)((sum[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < UUID_LEN; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        at += (size_t)snprintf(out + at, UUID_TEXT - at, "%02X", sum[i]);
    }
}

/* XML 1.0 has no place for U+FFFE and U+FFFF; what else it has none for is not visible either. */
static void put_text(struct xr_buf *out, const char *text, size_t len)
{
    struct xr_buf safe = {0};

    xr_buf_visible(&safe, text, len);
    for (size_t i = 0; i < safe.len; i++) {
        const char *at = safe.data + i;

        if (*at == '&' || *at == '<' || *at == '>') {
            xr_buf_str(out, *at == '&' ? "&amp;" : *at == '<' ? "&lt;" : "&gt;");
        } else if (memcmp(at, "\xef\xbf", 2) == 0 && ((unsigned char)at[2] & 0xfe) == 0xbe) {
            xr_buf_str(out, "\xef\xbf\xbd");
            i += 2;
        } else {
            xr_buf_add(out, at, 1);
        }
    }
    xr_buf_free(&safe);
}

static void put_key(struct xr_buf *out, const char *indent, const char *key, const char *text)
{
    xr_buf_fmt(out, "%s<key>%s</key>\n%s<string>%s</string>\n", indent, key, indent, text);
}

static void put_payload(struct xr_buf *out, struct xr_format_cert *cert, const char *uuid,
                        bool root)
{
    static const char indent[] = "\t\t\t";
    struct xr_buf label = {0}, text = {0};

    xr_output_label(&label, cert);
    put_text(&text, label.data, label.len);
    xr_buf_str(out, "\t\t<dict>\n");
    xr_buf_fmt(out, "%s<key>PayloadCertificateFileName</key>\n%s<string>%s.cer</string>\n", indent,
               indent, uuid);
    xr_buf_fmt(out, "%s<key>PayloadContent</key>\n%s<data>\n", indent, indent);
    xr_output_base64(out, cert, LINE, indent);
    xr_buf_fmt(out, "\n%s</data>\n", indent);
    put_key(out, indent, "PayloadDisplayName", text.data);
    xr_buf_fmt(out, "%s<key>PayloadIdentifier</key>\n%s<string>crossroot.certificate.%s</string>\n",
               indent, indent, uuid);
    put_key(out, indent, "PayloadType",
            root ? "com.apple.security.root" : "com.apple.security.pkcs1");
    put_key(out, indent, "PayloadUUID", uuid);
    xr_buf_fmt(out, "%s<key>PayloadVersion</key>\n%s<integer>1</integer>\n", indent, indent);
    xr_buf_str(out, "\t\t</dict>\n");
    xr_buf_free(&label);
    xr_buf_free(&text);
}

/* Its own issuer, by its names and key identifiers: a check of its signature takes a hundred times
 * longer, and what is no anchor stays none. */
static bool is_own_issuer(const struct xr_format_cert *cert)
{
    const struct xr_der_cert *d = &cert->cert->d;

    return xr_bytes_equal(d->slices.subject, d->slices.issuer) &&
           (d->akid.len == 0 || d->skid.len == 0 || xr_bytes_equal(d->akid, d->skid));
}

void xr_output_mobileconfig(struct xr_format_files *out, struct xr_format_cert *const *certs,
                            size_t count, const struct xr_output_options *options)
{
    struct xr_buf *content = xr_format_bundle(out, certs, count);
    struct xr_buf all = {0};
    unsigned char sha256[XR_SHA256_LEN];
    char uuid[UUID_TEXT];

    xr_buf_str(content, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                        "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                        "<plist version=\"1.0\">\n<dict>\n"
                        "\t<key>PayloadContent</key>\n\t<array>\n");
    for (size_t i = 0; i < count; i++) {
        bool root = certs[i]->trusted != 0 && is_own_issuer(certs[i]);

        options->host->sha256(sha256, certs[i]->der);
        uuid_of(uuid, sha256, options->host);
        put_payload(content, certs[i], uuid, root);
        xr_buf_add(&all, sha256, sizeof(sha256));
        xr_buf_add(&all, root ? "1" : "0", 1);
    }
    options->host->sha256(sha256, (struct xr_bytes){(const unsigned char *)all.data, all.len});
    uuid_of(uuid, sha256, options->host);
    xr_buf_str(content, "\t</array>\n");
    put_key(content, "\t", "PayloadDisplayName", "CA certificates");
    put_key(content, "\t", "PayloadIdentifier", "crossroot.certificates");
    put_key(content, "\t", "PayloadScope", "System");
    put_key(content, "\t", "PayloadType", "Configuration");
    put_key(content, "\t", "PayloadUUID", uuid);
    xr_buf_str(content, "\t<key>PayloadVersion</key>\n\t<integer>1</integer>\n</dict>\n</plist>\n");
    xr_buf_free(&all);
}
