/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A managed policy for Chromium and its relatives, in the bytes that crossroot's own policy file has: a
 * list a policy, each in the order of SHA-256. Chromium distrusts every certificate of a distrusted
 * key. Base64, and names and addresses as limits.h has them, need no escapes in JSON.
 */
#include "outputs_private.h"

#include "kit/limits.h"

#include <stdlib.h>

enum list { ANCHORS, LIMITED, HINTS, DISTRUSTED, LISTS };

static const char *const names[LISTS] = {"CACertificates", "CACertificatesWithConstraints",
                                         "CAHintCertificates", "CADistrustedCertificates"};

struct element {
    enum list list;
    unsigned char sha256[XR_SHA256_LEN];
    struct xr_format_cert *cert;
};

/* Chromium asks these lists for servers alone. */
static enum list list_of(const struct xr_format_cert *cert)
{
    if ((cert->distrusted & XR_SERVER) != 0)
        return DISTRUSTED;
    if ((cert->trusted & XR_SERVER) == 0)
        return HINTS;
    return cert->limits != NULL && xr_limits_any(cert->limits) ? LIMITED : ANCHORS;
}

static int in_order(const void *a, const void *b)
{
    const struct element *x = a, *y = b;

    if (x->list != y->list)
        return x->list < y->list ? -1 : 1;
    return memcmp(x->sha256, y->sha256, XR_SHA256_LEN);
}

static void put_texts(struct xr_buf *out, const char *name, const struct xr_strings *texts,
                      bool first)
{
    if (texts->count == 0)
        return;
    xr_buf_fmt(out, "%s\n        \"%s\": [", first ? "" : ",", name);
    for (size_t i = 0; i < texts->count; i++)
        xr_buf_fmt(out, "%s\n          \"%s\"", i > 0 ? "," : "", texts->items[i]);
    xr_buf_str(out, "\n        ]");
}

static void put_element(struct xr_buf *out, const struct element *element)
{
    const struct xr_limits *limits = element->cert->limits;

    if (element->list != LIMITED) {
        xr_output_base64(out, element->cert, 0, "\n    \"");
        xr_buf_str(out, "\"");
        return;
    }
    xr_output_base64(out, element->cert, 0, "\n    {\n      \"certificate\": \"");
    xr_buf_str(out, "\",\n      \"constraints\": {");
    put_texts(out, "permitted_dns_names", &limits->dns, true);
    put_texts(out, "permitted_cidrs", &limits->cidrs, limits->dns.count == 0);
    xr_buf_str(out, "\n      }\n    }");
}

void xr_output_chromium_policy(struct xr_format_files *out, struct xr_format_cert *const *certs,
                               size_t count, const struct xr_output_options *options)
{
    struct xr_buf *content = xr_format_bundle(out, certs, count);
    struct element *elements = xr_new(count + 1, sizeof(*elements));

    for (size_t i = 0; i < count; i++) {
        elements[i] = (struct element){.list = list_of(certs[i]), .cert = certs[i]};
        options->host->sha256(elements[i].sha256, certs[i]->der);
    }
    qsort(elements, count, sizeof(*elements), in_order);
    xr_buf_str(content, "{");
    for (size_t i = 0; i < count; i++) {
        bool opens = i == 0 || elements[i].list != elements[i - 1].list;

        if (opens)
            xr_buf_fmt(content, "%s\n  \"%s\": [", i > 0 ? "\n  ]," : "", names[elements[i].list]);
        else
            xr_buf_str(content, ",");
        put_element(content, &elements[i]);
    }
    xr_buf_str(content, count > 0 ? "\n  ]\n}\n" : "}\n");
    free(elements);
}
