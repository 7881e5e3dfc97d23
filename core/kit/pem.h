/* SPDX-License-Identifier: Apache-2.0 */
/* base64 and PEM (RFC 7468, lax in white space only). */
#ifndef XR_PEM_H
#define XR_PEM_H

#include "base.h"

static inline bool xr_pem_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
/* Decodes quartets of digits alone, up to the first that has anything else. Returns how many bytes of text
 * they are; to gets three for each four. */
size_t xr_base64_digits(unsigned char *restrict to, const unsigned char *text, size_t len);
/* Decodes whole quartets behind what out has; false on any other character, missing or surplus padding. */
bool xr_base64(struct xr_buf *out, const unsigned char *text, size_t len);
/* Encodes in lines of 64, without a final line end. out has room for xr_base64_size(data.len) bytes;
 * returns how many were used. No NUL is added. */
size_t xr_base64_lines(char *out, struct xr_bytes data);
size_t xr_base64_size(size_t len);
/* One PEM block in lines of 64, allocated. */
char *xr_pem(const char *label, struct xr_bytes der, size_t *len);

struct xr_pem_block {
    struct xr_bytes label, body; /* slices of the text */
};
enum xr_pem_found { XR_PEM_NONE, XR_PEM_BLOCK, XR_PEM_OPEN /* without its END */ };
/* The next "-----BEGIN LABEL-----" at the start of a line, and what stands before its END. A BEGIN
 * inside a line (a name in a text dump, say) does not count. With glued, a BEGIN right after an END
 * on the same line counts too: `cat` makes such lines from files without a final newline. Readers
 * of bundles such as OpenSSL's do not accept it. start is where the file begins. */
enum xr_pem_found xr_pem_next(struct xr_pem_block *out, struct xr_bytes *rest,
                              const unsigned char *start, bool glued);

#endif
