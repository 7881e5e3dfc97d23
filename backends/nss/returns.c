/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of Firefox's family install certificates in each profile whenever the program starts, also
 * those that somebody removed or distrusted there (measured with Firefox ESR 153). */
#include "returns.h"

#include "places.h"

#include <stdlib.h>

struct whose {
    const struct policy_product *product;
    char *home; /* NULL: not by its place */
};

/* Where a profile is says whose it is. Snaps and flatpaks do not see the system's files as they are. */
static struct whose whose_is(const char *path)
{
    const struct nss_profiles *profiles = nss_profiles_of(path);
    struct whose whose = {NULL, NULL};
    const char *at = NULL;
    char *below = NULL;

    if (profiles == NULL || profiles->packing[0] != '\0')
        return whose;
    for (const struct policy_product *p = policy_products; p->name != NULL; p++) {
        if (p->family == POLICY_FIREFOX && strcmp(p->title, profiles->program) == 0)
            whose.product = p;
    }
    below = xr_format("/%s%s/", profiles->base == NSS_CONFIG ? ".config/" : "", profiles->dir);
    at = strstr(path, below);
    if (at != NULL)
        whose.home = xr_memdup(path, (size_t)(at - path));
    free(below);
    return whose;
}

void nss_returns_load(struct nss_returns *out, const struct xr_site *site, const char *path)
{
    size_t len = site->root != NULL ? strlen(site->root) : 0;
    struct policy_root root = {.fd = -1};
    struct xr_strings files = {0};
    struct whose whose = {NULL, NULL};

    /* The location of a store in an image may begin with the image. */
    if (len > 1 && strncmp(path, site->root, len) == 0 && path[len] == '/')
        path += len;
    whose = whose_is(path);
    *out = (struct nss_returns){0};
    if (whose.product != NULL && policy_root_open(&root, site->root, NULL) == XR_OK) {
        out->program = whose.product->title;
        policy_firefox_files(&files, &root, whose.product);
        for (size_t i = 0; i < files.count; i++)
            policy_firefox_read(&out->firefox, &root, files.items[i],
                                whose.home != NULL ? whose.home : site->home);
        xr_strings_free(&files);
        policy_root_close(&root);
    }
    free(whose.home);
}

void nss_returns_free(struct nss_returns *returns)
{
    policy_firefox_free(&returns->firefox);
}

char *nss_returns_of(const struct nss_returns *returns, struct xr_bytes der)
{
    for (size_t i = 0; i < returns->firefox.count; i++) {
        const struct policy_install *item = &returns->firefox.items[i];

        if (xr_bytes_equal((struct xr_bytes){(const unsigned char *)item->der.data, item->der.len},
                           der))
            return xr_format(N_("%s makes it an anchor again whenever %s starts with this profile"),
                             item->policy, returns->program);
    }
    return NULL;
}
