/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer over files from people (input.h) and pages (pins.h). clang alone builds it:
 *
 *   cmake --preset dev -B build/fuzz -DCMAKE_C_COMPILER=clang -DXR_FUZZ=ON
 *   cmake --build build/fuzz --target fuzz-input
 *   build/fuzz/tests/unit/fuzz-input -max_len=16384 CORPUS build/dev/tests …
 *
 * Any certificates, PKCS#7, PKCS#12 (with the password "secret" or none) and serialized stores will do as
 * a corpus. Beyond what sanitizers see it asks: is what was found what its kind says, does a file that
 * gives nothing give a reason, and is no reason harmful on a terminal. */
#include "certs/input.h"
#include "certs/pins.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_reason(const char *reason)
{
    for (; *reason != '\0'; reason++)
        check((unsigned char)*reason >= ' ' && *reason != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char password[] = "secret";
    struct xr_input input = {.password = {password, sizeof(password) - 1}};
    struct xr_pins pins = {0};

    xr_input_add_bytes(&input, "file", (struct xr_bytes){data, size});
    check(input.found.count + input.rejected.count > 0);
    for (size_t i = 0; i < input.found.count; i++) {
        const struct xr_input_item *item = &input.found.items[i];
        struct xr_der_cert cert;
        struct xr_bytes issuer;

        check((item->cert == NULL) != (item->crl == NULL));
        check(item->cert != NULL ? xr_der_cert(&cert, item->cert->der, NULL) == XR_OK
                                 : xr_der_crl_issuer(&issuer, item->crl->der, NULL) == XR_OK);
    }
    for (size_t i = 0; i < input.rejected.count; i++)
        check_reason(input.rejected.items[i].reason);
    xr_input_free(&input);
    xr_pins_page(&pins, (struct xr_bytes){data, size});
    for (size_t i = 0; i < pins.count; i++)
        check(strlen(pins.items[i].digits) >= XR_PIN_DIGITS_MIN);
    xr_pins_free(&pins);
    return 0;
}
