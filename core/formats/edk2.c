/* SPDX-License-Identifier: Apache-2.0 */
/* EFI_SIGNATURE_LIST (UEFI 2.7, 31.4.1): one list for each certificate, owned by EDK II's GUID. */
#include "private.h"

void xr_format_edk2(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                    const struct xr_format_options *options)
{
    static const unsigned char x509[16] = {0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
                                           0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72};
    static const unsigned char owner[16] = {0x50, 0x3b, 0xdd, 0xdc, 0x05, 0xf4, 0xfd, 0x43,
                                            0x96, 0xbe, 0xbd, 0x33, 0xb1, 0x73, 0x47, 0x76};
    struct xr_buf *content = xr_format_bundle(out, certs, count);

    (void)options;
    for (size_t i = 0; i < count; i++) {
        struct xr_bytes der = certs[i]->der;

        xr_buf_add(content, x509, sizeof(x509));
        xr_buf_put32(content, (uint32_t)(sizeof(x509) + 12 + sizeof(owner) + der.len));
        xr_buf_put32(content, 0);
        xr_buf_put32(content, (uint32_t)(sizeof(owner) + der.len));
        xr_buf_add(content, owner, sizeof(owner));
        xr_buf_add(content, der.data, der.len);
    }
}
