/* SPDX-License-Identifier: Apache-2.0 */
/* Java's PKCS#12: certificates in plain bags, each with the attribute that makes it a trusted entry
 * (sun.security.pkcs12.PKCS12KeyStore). Without encryption every JDK reads them with any password and with
 * none, as it does its own cacerts since JDK 18. */
#include "java.h"

#include "certs/keystore.h"
#include "kit/der.h"

#include <stdlib.h>

enum { CONTEXT_0 = 0xa0, BMP_STRING = 0x1e, SALT = 20, ROUNDS = 10000 };

#define BYTES(octets)                                       \
    {                                                       \
        (const unsigned char *)(octets), sizeof(octets) - 1 \
    }
#define PKCS "\x2a\x86\x48\x86\xf7\x0d\x01"
const struct xr_bytes xr_p12_data = BYTES("\x06\x09" PKCS "\x07\x01");
const struct xr_bytes xr_p12_encrypted = BYTES("\x06\x09" PKCS "\x07\x06");
const struct xr_bytes xr_p12_cert_bag = BYTES("\x06\x0b" PKCS "\x0c\x0a\x01\x03");
const struct xr_bytes xr_p12_x509 = BYTES("\x06\x0a" PKCS "\x09\x16\x01");
const struct xr_bytes xr_p12_friendly_name = BYTES("\x06\x09" PKCS "\x09\x14");
#define TRUSTED "\x06\x0c\x60\x86\x48\x01\x86\xf9\x66\xad\xca\x7b\x01\x01"
/* 2.16.840.1.113894.746875.1.1, of Oracle; its value is a set of key purposes. */
const struct xr_bytes xr_p12_trusted = BYTES(TRUSTED);
/* The whole attribute, with anyExtendedKeyUsage. */
static const struct xr_bytes trusted_for_all =
    BYTES("\x30\x16" TRUSTED "\x31\x06\x06\x04\x55\x1d\x25\x00");
/* AlgorithmIdentifier of SHA-256, for the MAC that keytool makes since JDK 16. */
static const struct xr_bytes sha256 =
    BYTES("\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00");

static struct xr_bytes bytes_of(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

static void put_bytes(struct xr_buf *out, struct xr_bytes bytes)
{
    xr_buf_add(out, bytes.data, bytes.len);
}

/* What was put since start becomes the content of an element. */
static void wrap(struct xr_buf *out, size_t start, unsigned tag)
{
    void *content = xr_memdup(out->data + start, out->len - start);
    size_t len = out->len - start;

    out->len = start;
    xr_der_put(out, tag, content, len);
    free(content);
}

static void put_number(struct xr_buf *out, uint64_t number)
{
    unsigned char octets[9] = {0};
    size_t at = 0;

    for (size_t i = 0; i < 8; i++)
        octets[1 + i] = (unsigned char)(number >> (8 * (7 - i)));
    while (at < 8 && octets[at] == 0 && octets[at + 1] < 0x80)
        at++;
    xr_der_put(out, XR_DER_INTEGER, octets + at, sizeof(octets) - at);
}

static void put_name(struct xr_buf *out, const struct xr_buf *alias)
{
    size_t start = out->len, values = 0, text = 0;

    put_bytes(out, xr_p12_friendly_name);
    values = text = out->len;
    for (size_t i = 0; i < alias->len; i++) {
        const char character[2] = {0, alias->data[i]}; /* aliases are ASCII */

        xr_buf_add(out, character, sizeof(character));
    }
    wrap(out, text, BMP_STRING);
    wrap(out, values, XR_DER_SET);
    wrap(out, start, XR_DER_SEQUENCE);
}

static void put_attributes(struct xr_buf *out, const struct xr_buf *alias)
{
    struct xr_buf name = {0};
    bool name_first = false;
    size_t start = out->len;

    put_name(&name, alias);
    /* A set of DER is in the order of its bytes, where lengths are the first that differ. */
    name_first = name.len < trusted_for_all.len;
    if (name_first)
        put_bytes(out, bytes_of(&name));
    put_bytes(out, trusted_for_all);
    if (!name_first)
        put_bytes(out, bytes_of(&name));
    wrap(out, start, XR_DER_SET);
    xr_buf_free(&name);
}

static void put_bag(struct xr_buf *out, const struct xr_buf *alias, struct xr_bytes der)
{
    size_t start = out->len, value = 0, cert = 0, octets = 0;

    put_bytes(out, xr_p12_cert_bag);
    value = cert = out->len;
    put_bytes(out, xr_p12_x509);
    octets = out->len;
    xr_der_put(out, XR_DER_OCTET_STRING, der.data, der.len);
    wrap(out, octets, CONTEXT_0);
    wrap(out, cert, XR_DER_SEQUENCE);
    wrap(out, value, CONTEXT_0);
    put_attributes(out, alias);
    wrap(out, start, XR_DER_SEQUENCE);
}

void xr_p12_put_bags(struct xr_buf *out, struct xr_format_cert *const *certs, size_t count,
                     struct xr_format_names *names, const char *prefix)
{
    struct xr_buf alias = {0};

    for (size_t i = 0; i < count; i++) {
        xr_format_java_alias(names, &alias, prefix, certs[i]);
        put_bag(out, &alias, certs[i]->der);
    }
    xr_buf_free(&alias);
}

/* A ContentInfo of plain data. */
static void put_content(struct xr_buf *out, struct xr_bytes data)
{
    size_t start = out->len, octets = 0;

    put_bytes(out, xr_p12_data);
    octets = out->len;
    xr_der_put(out, XR_DER_OCTET_STRING, data.data, data.len);
    wrap(out, octets, CONTEXT_0);
    wrap(out, start, XR_DER_SEQUENCE);
}

void xr_p12_put_safe(struct xr_buf *out, struct xr_bytes bags)
{
    struct xr_buf contents = {0};

    xr_der_put(&contents, XR_DER_SEQUENCE, bags.data, bags.len);
    put_content(out, bytes_of(&contents));
    xr_buf_free(&contents);
}

void xr_p12_derive(unsigned char *out, size_t len, struct xr_bytes seed, const char *use,
                   const struct xr_host *host)
{
    unsigned char hash[XR_SHA256_LEN], block[XR_SHA256_LEN];

    host->sha256(hash, seed);
    for (size_t i = 0; i < len; i++) {
        if (i % sizeof(block) == 0) {
            struct xr_buf text = {0};

            xr_buf_fmt(&text, "crossroot %s %zu ", use, i);
            xr_buf_add(&text, hash, sizeof(hash));
            host->sha256(block, bytes_of(&text));
            xr_buf_free(&text);
        }
        out[i] = block[i % sizeof(block)];
    }
}

static enum xr_status put_mac(struct xr_buf *out, struct xr_bytes content,
                              const struct xr_p12_mac *mac, struct xr_bytes password,
                              const struct xr_host *host, struct xr_error *err)
{
    unsigned char digest[XR_P12_MAC_MAX];
    struct xr_buf salt = {0};
    size_t len = 0, start = out->len;
    uint64_t spent = 0;
    enum xr_status status = XR_OK;

    salt.data = xr_new(mac->salt_len + 1, 1);
    salt.len = mac->salt_len;
    xr_p12_derive((unsigned char *)salt.data, salt.len, content, "MAC", host);
    status = xr_p12_mac(digest, &len, &spent, mac->algorithm, bytes_of(&salt), mac->rounds,
                        password, content, err);
    if (status == XR_OK) {
        put_bytes(out, mac->algorithm);
        xr_der_put(out, XR_DER_OCTET_STRING, digest, len);
        wrap(out, start, XR_DER_SEQUENCE);
        xr_der_put(out, XR_DER_OCTET_STRING, salt.data, salt.len);
        put_number(out, mac->rounds);
        wrap(out, start, XR_DER_SEQUENCE);
    }
    xr_buf_free(&salt);
    return status;
}

enum xr_status xr_p12_put_file(struct xr_buf *out, struct xr_bytes safes,
                               const struct xr_p12_mac *mac, struct xr_bytes password,
                               const struct xr_host *host, struct xr_error *err)
{
    struct xr_buf content = {0}, file = {0};
    enum xr_status status = XR_OK;

    xr_der_put(&content, XR_DER_SEQUENCE, safes.data, safes.len);
    put_number(&file, 3);
    put_content(&file, bytes_of(&content));
    if (mac->algorithm.len > 0)
        status = put_mac(&file, bytes_of(&content), mac, password, host, err);
    if (status == XR_OK)
        xr_der_put(out, XR_DER_SEQUENCE, file.data, file.len);
    xr_buf_free(&content);
    xr_buf_free(&file);
    return status;
}

struct xr_p12_mac xr_p12_new_mac(const struct xr_output_options *options)
{
    struct xr_p12_mac mac = {.algorithm = sha256, .salt_len = SALT, .rounds = ROUNDS};

    return options->password.data != NULL ? mac : (struct xr_p12_mac){0};
}

void xr_output_java_p12(struct xr_format_files *out, struct xr_format_cert *const *certs,
                        size_t count, const struct xr_output_options *options)
{
    struct xr_format_names names = {.host = options->host};
    struct xr_buf bags = {0}, safe = {0};
    struct xr_p12_mac mac = xr_p12_new_mac(options);
    struct xr_buf *content = &XR_PUSH(out)->content;

    xr_p12_put_bags(&bags, certs, count, &names, "");
    xr_p12_put_safe(&safe, bytes_of(&bags));
    /* SHA-256 with these numbers always can: libcrypto ends the program when it has no memory. */
    (void)xr_p12_put_file(content, bytes_of(&safe), &mac, options->password, options->host, NULL);
    xr_format_names_free(&names);
    xr_buf_free(&bags);
    xr_buf_free(&safe);
}
