/* SPDX-License-Identifier: Apache-2.0 */
/* view ROOT DIR: what policy_load makes of it, a line each; ROOT is "-" for this machine. */
#include "policy/policy.h"

#include "certs/x509.h"

#include <stdlib.h>

static const char *const trusts[] = {
    [XR_BROWSER_HINT] = "hint",
    [XR_BROWSER_ANCHOR] = "anchor",
    [XR_BROWSER_DISTRUST_KEY] = "distrust-key",
};

static void put_list(const char *what, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i == 0 ? what : ",", items[i]);
}

int main(int argc, char **argv)
{
    struct policy_view view;
    struct xr_error err = {.size = sizeof(err)};

    if (argc != 3)
        return 2;
    if (policy_load(&view, strcmp(argv[1], "-") == 0 ? NULL : argv[1], argv[2], &err) != XR_OK) {
        printf("error: %s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < view.count; i++) {
        const struct xr_browser_cert *item = &view.items[i];
        unsigned char id[XR_SHA256_LEN];
        char hex[2 * XR_SHA256_LEN + 1];

        xr_x509_sha256(id, item->der);
        xr_hex(hex, id, sizeof(id));
        printf("%s %s", trusts[item->trust], hex);
        put_list(" dns=", item->permitted_dns, item->permitted_dns_count);
        put_list(" cidrs=", item->permitted_cidrs, item->permitted_cidrs_count);
        printf(" %s\n", item->source);
    }
    if (view.platform_off)
        printf("platform off %s\n", view.platform_file);
    for (size_t i = 0; i < POLICY_KEYS; i++) {
        if (view.decides[i] != NULL)
            printf("decides %s %s\n", policy_names[i], view.decides[i]);
    }
    for (size_t i = 0; i < view.problems.count; i++)
        printf("problem %s\n", view.problems.items[i]);
    if (view.incomplete)
        puts("incomplete");
    policy_view_free(&view);
    return 0;
}
