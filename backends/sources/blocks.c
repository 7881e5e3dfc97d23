/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include "kit/pem.h"

#include <stdlib.h>

/* The line before an added certificate; the second one where the bundle did not end with a line end,
 * which then belongs to what was added. */
static const char *const marks[] = {"# added by crossroot: ",
                                    "# added by crossroot after a missing line end: "};

/* Moves from back to the beginning of our line, if it stands right before and names the block. */
static bool marked(size_t *from, struct xr_bytes text, const unsigned char sha256[])
{
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, sha256, XR_SHA256_LEN);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        char *line = xr_format("%s%s\n", marks[i], hex);
        size_t len = strlen(line);
        bool is = *from >= len + i && memcmp(text.data + *from - len, line, len) == 0;

        free(line);
        if (is) {
            *from -= len + i;
            return true;
        }
    }
    return false;
}

static bool is_label(struct xr_bytes label, const char *text)
{
    return label.len == strlen(text) && memcmp(label.data, text, label.len) == 0;
}

static bool decode(struct ca_block *out, const struct xr_pem_block *block,
                   const struct xr_host *host)
{
    bool trusted = is_label(block->label, "TRUSTED CERTIFICATE");
    struct xr_bytes der;

    if ((!trusted && !is_label(block->label, "CERTIFICATE")) ||
        !xr_base64(&out->der, block->body.data, block->body.len))
        return false;
    der = (struct xr_bytes){(const unsigned char *)out->der.data, out->der.len};
    out->len = der.len;
    if (trusted && host->trusted(&out->len, &(uint32_t){0}, der, NULL) != XR_OK)
        return false;
    der.len = out->len;
    host->sha256(out->sha256, der);
    return true;
}

void ca_blocks_read(struct ca_blocks *out, struct xr_bytes text, const struct xr_host *host)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END -----";
    struct xr_bytes rest = text;
    struct xr_pem_block block;
    enum xr_pem_found found = XR_PEM_NONE;

    while ((found = xr_pem_next(&block, &rest, text.data, false)) != XR_PEM_NONE) {
        struct ca_block made = {0};

        if (found == XR_PEM_OPEN || !decode(&made, &block, host)) {
            xr_buf_free(&made.der);
            continue;
        }
        made.from = (size_t)(block.label.data - text.data) - (sizeof(begin) - 1);
        made.to = (size_t)(block.body.data - text.data) + block.body.len + sizeof(end) - 1 +
                  block.label.len;
        if (made.to < text.len && text.data[made.to] == '\r')
            made.to++;
        if (made.to < text.len && text.data[made.to] == '\n')
            made.to++;
        made.added = marked(&made.from, text, made.sha256);
        *XR_PUSH(out) = made;
    }
}

void ca_blocks_free(struct ca_blocks *blocks)
{
    for (size_t i = 0; i < blocks->count; i++)
        xr_buf_free(&blocks->items[i].der);
    free(blocks->items);
    *blocks = (struct ca_blocks){0};
}

void ca_blocks_mark(struct xr_buf *bundle, const unsigned char sha256[XR_SHA256_LEN])
{
    bool missing = bundle->len > 0 && bundle->data[bundle->len - 1] != '\n';
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, sha256, XR_SHA256_LEN);
    xr_buf_fmt(bundle, "%s%s%s\n", missing ? "\n" : "", marks[missing], hex);
}
