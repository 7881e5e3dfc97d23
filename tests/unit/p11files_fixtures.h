/* SPDX-License-Identifier: Apache-2.0 */
/* What test_pk.c and test_pk_extract.c have in common. */
#ifndef XR_P11FILES_FIXTURES_H
#define XR_P11FILES_FIXTURES_H

#include "p11files/p11files.h"
#include "pki.h"
#include "stores/registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW    INT64_C(1800000000)
#define HEADER "[p11-kit-object-v1]\n"

#define EKU_SERVER "%30%13%06%03%55%1d%25%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%01"
#define EKU_EMAIL  "%30%13%06%03%55%1d%25%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%04"
#define EKU_PIECES "%30%15%06%03%55%1d%25%24%0e%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%01"
#define BASIC_NOT  "%30%09%06%03%55%1d%13%04%02%30%00"
#define BASIC_CA   "%30%0c%06%03%55%1d%13%04%05%30%03%01%01%ff"

static inline struct pki_key *key_of(size_t number)
{
    static struct pki_key *keys[4];

    if (keys[number] == NULL)
        keys[number] = pki_key_new(PKI_EC);
    cr_assert(keys[number] != NULL);
    return keys[number];
}

static inline struct pki_blob root(const char *cn, size_t key)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct pki_blob cert;

    cr_assert_eq(pki_issue(&cert, key_of(key), NULL, NULL, &spec), 0);
    return cert;
}

static inline struct xr_bytes bytes(const struct pki_blob *blob)
{
    return (struct xr_bytes){blob->data, blob->len};
}

static inline void put_pem(struct xr_buf *out, const char *label, const struct pki_blob *der)
{
    size_t len = 0;
    char *text = xr_host.pem(label, bytes(der), &len);

    xr_buf_add(out, text, len);
    free(text);
}

static inline void put_key(struct xr_buf *out, size_t key)
{
    struct pki_blob spki;

    cr_assert_eq(pki_key_spki(&spki, key_of(key)), 0);
    put_pem(out, "PUBLIC KEY", &spki);
    pki_blob_free(&spki);
}

static inline struct pf_store new_store(void)
{
    return (struct pf_store){.host = &xr_host};
}

/* Adds a copy of exactly that size, so that the sanitizer guards its end. */
static inline enum xr_status add_bytes(struct pf_store *store, size_t token, enum pf_area area,
                                       const void *data, size_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    cr_assert(exact != NULL);
    if (len > 0)
        memcpy(exact, data, len);
    status = pf_add(store, token, area, "file", (struct xr_bytes){exact, len}, &err);
    cr_assert(status == XR_OK || (status == XR_INVALID && err.text[0] != '\0'));
    free(exact);
    return status;
}

static inline enum xr_status add_text(struct pf_store *store, enum pf_area area,
                                      const struct xr_buf *text)
{
    return add_bytes(store, 0, area, text->data, text->len);
}

static inline void add_cert(struct pf_store *store, size_t token, enum pf_area area,
                            const struct pki_blob *der)
{
    cr_assert_eq(add_bytes(store, token, area, der->data, der->len), XR_OK);
}

static inline void attach(struct pf_store *store, size_t token, size_t key, const char *value)
{
    struct xr_buf text = {0};

    xr_buf_str(&text, HEADER "class: x-certificate-extension\nvalue: \"");
    xr_buf_str(&text, value);
    xr_buf_str(&text, "\"\n");
    put_key(&text, key);
    cr_assert_eq(add_bytes(store, token, PF_BASE, text.data, text.len), XR_OK);
    xr_buf_free(&text);
}

/* How many certificates an output of that filter and purpose has. */
static inline size_t extracted(struct pf_store *store, enum pf_filter filter, uint32_t purpose)
{
    struct xr_format_files outs = {0};
    size_t count = 0;

    pf_extract(&outs, store, &(struct pf_request){XR_FORMAT_EDK2, filter, purpose, false});
    cr_assert_eq(outs.count, 1);
    for (size_t at = 0; at < outs.items[0].content.len; count++) {
        uint32_t size = 0;

        memcpy(&size, outs.items[0].content.data + at + 16, 4);
        at += size;
    }
    xr_format_files_free(&outs);
    return count;
}

static inline size_t anchors(struct pf_store *store)
{
    return extracted(store, PF_CA_ANCHORS, XR_SERVER);
}

#endif
