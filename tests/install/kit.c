/* SPDX-License-Identifier: Apache-2.0 */
/* A use of the kit as somebody else's backend makes it. */
#include <crossroot/kit/base.h>
#include <crossroot/kit/der.h>

int main(void)
{
    char hex[2 * 5 + 1];
    struct xr_bytes rest = {0};
    struct xr_der_item item;

    xr_hex(hex, (const unsigned char *)"hello", 5);
    if (xr_der_next(&item, &rest))
        return 1;
    return printf("%s %s\n", hex, xr_place_name(XR_ANCHOR)) < 0;
}
