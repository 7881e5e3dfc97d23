/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of Firefox's family install certificates in each profile whenever the program starts, also
 * those that somebody removed or distrusted there (measured with Firefox ESR 153). */
#include "returns.h"

#include <stdlib.h>

/* Where a profile is says whose it is. Snaps and flatpaks do not see the system's files as they are. */
static const struct {
    const char *place, *product;
    bool in_home; /* what stands before it is the home */
} places[] = {
    {"/.mozilla/firefox/", "firefox", true},
    {"/.config/mozilla/firefox/", "firefox", true},
    {"/mozilla/firefox/", "firefox", false}, /* $XDG_CONFIG_HOME may be anywhere */
    {"/.thunderbird/", "thunderbird", true},
    {"/.librewolf/", "librewolf", true},
    {"/.config/librewolf/librewolf/", "librewolf", true},
    {"/librewolf/librewolf/", "librewolf", false},
};
static const char *const packed[] = {"/snap/", "/.var/app/"};

struct whose {
    const struct policy_product *product;
    char *home; /* NULL: not by its place */
};

static struct whose whose_is(const char *path)
{
    struct whose whose = {NULL, NULL};
    const char *at = NULL, *name = NULL;

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        if (strstr(path, packed[i]) != NULL)
            return whose;
    }
    for (size_t i = 0; at == NULL && i < sizeof(places) / sizeof(places[0]); i++) {
        at = strstr(path, places[i].place);
        if (at == NULL)
            continue;
        name = places[i].product;
        if (places[i].in_home)
            whose.home = xr_memdup(path, (size_t)(at - path));
    }
    for (const struct policy_product *p = policy_products; at != NULL && p->name != NULL; p++) {
        if (strcmp(p->name, name) == 0)
            whose.product = p;
    }
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
            return xr_format("%s makes it an anchor again whenever %s starts with this profile",
                             item->policy, returns->program);
    }
    return NULL;
}
