/* SPDX-License-Identifier: Apache-2.0 */
#include "stock.h"

#include "stores/registry.h"
#include "tree.h"

#include <stdlib.h>

static const struct stock stocks[] = {
    {
        .layout = "debian",
        .anchors = "usr/local/share/ca-certificates",
        .extension = ".crt",
        .bundle = "etc/ssl/certs/ca-certificates.crt",
        .links = "etc/ssl/certs",
        .conf = "etc/ca-certificates.conf",
        .vendor = "usr/share/ca-certificates",
        .dirs = {"etc/ssl/certs", "etc/ca-certificates/update.d", "usr/local/share/ca-certificates",
                 "usr/share/ca-certificates/mozilla", "usr/sbin"},
        .files = {"usr/sbin/update-ca-certificates"},
    },
    {
        .layout = "alpine",
        .anchors = "usr/local/share/ca-certificates",
        .extension = ".crt",
        .bundle = "etc/ssl/certs/ca-certificates.crt",
        .links = "etc/ssl/certs",
        .conf = "etc/ca-certificates.conf",
        .vendor = "usr/share/ca-certificates",
        .dirs = {"etc/ssl/certs", "etc/ca-certificates/update.d", "usr/local/share/ca-certificates",
                 "usr/share/ca-certificates/mozilla", "usr/sbin"},
        .files = {"etc/alpine-release", "etc/ca-certificates/update.d/certhash",
                  "usr/sbin/update-ca-certificates"},
        .made = {{"etc/ssl/cert.pem", "certs/ca-certificates.crt"}},
    },
    {
        .layout = "fedora",
        .anchors = "etc/pki/ca-trust/source/anchors",
        .blocklist = "etc/pki/ca-trust/source/blocklist",
        .extension = ".pem",
        .bundle = "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        .links = "etc/pki/ca-trust/extracted/pem/directory-hash",
        .vendor = "usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit",
        .dirs = {"etc/pki/ca-trust/source/anchors", "etc/pki/ca-trust/source/blocklist",
                 "etc/pki/ca-trust/extracted/pem/directory-hash",
                 "etc/pki/ca-trust/extracted/openssl", "etc/pki/ca-trust/extracted/java",
                 "etc/pki/ca-trust/extracted/edk2", "etc/pki/tls/certs",
                 "usr/share/pki/ca-trust-source/anchors",
                 "usr/share/pki/ca-trust-source/blocklist"},
        .files = {"etc/pki/ca-trust/source/README"},
        .made = {{"etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"},
                 {"etc/pki/tls/certs/ca-bundle.crt",
                  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"},
                 {"etc/pki/ca-trust/extracted/pem/directory-hash/ca-bundle.crt",
                  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"}},
    },
    {
        .layout = "suse",
        .anchors = "etc/pki/trust/anchors",
        .blocklist = "etc/pki/trust/blocklist",
        .extension = ".pem",
        .bundle = "var/lib/ca-certificates/ca-bundle.pem",
        .links = "var/lib/ca-certificates/openssl",
        .vendor = "usr/share/pki/trust/ca-certificates-mozilla.trust.p11-kit",
        .dirs = {"etc/pki/trust/anchors", "etc/pki/trust/blocklist", "etc/ssl",
                 "usr/share/pki/trust/anchors", "usr/share/pki/trust/blocklist",
                 "usr/lib/ca-certificates/update.d", "var/lib/ca-certificates/pem",
                 "var/lib/ca-certificates/openssl"},
        .files = {"usr/lib/ca-certificates/update.d/99certbundle.run"},
        .made = {{"etc/ssl/certs", "../../var/lib/ca-certificates/pem"},
                 {"etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem"}},
    },
    {
        .layout = "arch",
        .anchors = "etc/ca-certificates/trust-source/anchors",
        .blocklist = "etc/ca-certificates/trust-source/blocklist",
        .extension = ".pem",
        .bundle = "etc/ca-certificates/extracted/tls-ca-bundle.pem",
        .links = "etc/ca-certificates/extracted/cadir",
        .vendor = "usr/share/ca-certificates/trust-source/mozilla.trust.p11-kit",
        .dirs = {"etc/ca-certificates/trust-source/anchors",
                 "etc/ca-certificates/trust-source/blocklist",
                 "etc/ca-certificates/extracted/cadir", "etc/ssl/certs/java",
                 "usr/share/ca-certificates/trust-source/anchors",
                 "usr/share/ca-certificates/trust-source/blocklist"},
        .made = {{"etc/ssl/cert.pem", "../ca-certificates/extracted/tls-ca-bundle.pem"},
                 {"etc/ssl/certs/ca-certificates.crt",
                  "../../ca-certificates/extracted/tls-ca-bundle.pem"},
                 {"etc/ssl/certs/java/cacerts",
                  "../../../ca-certificates/extracted/java-cacerts.jks"}},
    },
};

const struct stock *stock_find(const char *layout)
{
    for (size_t i = 0; i < sizeof(stocks) / sizeof(stocks[0]); i++) {
        if (layout != NULL && strcmp(stocks[i].layout, layout) == 0)
            return &stocks[i];
    }
    return NULL;
}

static void add_pem(struct xr_buf *out, struct xr_bytes der)
{
    size_t len = 0;
    char *pem = xr_host.pem("CERTIFICATE", der, &len);

    xr_buf_add(out, pem, len);
    free(pem);
}

/* A file for each, and a list. */
static void make_list(const struct stock *stock, const char *root, const struct stock_cert *certs,
                      size_t count)
{
    struct xr_buf list = {0};

    xr_buf_str(&list, "# Automatically generated by dpkg-reconfigure ca-certificates\n#\n");
    for (size_t i = 0; i < count; i++) {
        char *path = xr_format("%s/mozilla/%s.crt", stock->vendor, certs[i].name);
        struct xr_buf pem = {0};

        add_pem(&pem, certs[i].der);
        tree_text(root, path, pem.data);
        xr_buf_fmt(&list, "%smozilla/%s.crt\n", i + 1 == count ? "!" : "", certs[i].name);
        xr_buf_free(&pem);
        free(path);
    }
    tree_text(root, stock->conf, list.data);
    xr_buf_free(&list);
}

/* One file for all, and a certificate in the administrator's blocklist. */
static void make_token(const struct stock *stock, const char *root, const struct stock_cert *certs,
                       size_t count)
{
    struct xr_buf text = {0}, blocked = {0};
    char *path = xr_format("%s/%s.pem", stock->blocklist, certs[count - 1].name);

    xr_buf_str(&text, "# This is a bundle of X.509 certificates of public CAs.\n");
    for (size_t i = 0; i < count; i++) {
        xr_buf_fmt(&text,
                   "\n[p11-kit-object-v1]\nlabel: \"%s\"\ntrusted: true\n"
                   "nss-mozilla-ca-policy: true\nmodifiable: false\n",
                   certs[i].name);
        add_pem(&text, certs[i].der);
    }
    tree_text(root, stock->vendor, text.data);
    add_pem(&blocked, certs[count - 1].der);
    tree_text(root, path, blocked.data);
    xr_buf_free(&text);
    xr_buf_free(&blocked);
    free(path);
}

void stock_make(const struct stock *stock, const char *root, const struct stock_cert *certs,
                size_t count)
{
    for (size_t i = 0; i < sizeof(stock->dirs) / sizeof(stock->dirs[0]) && stock->dirs[i]; i++)
        tree_dirs(root, stock->dirs[i]);
    for (size_t i = 0; i < sizeof(stock->files) / sizeof(stock->files[0]) && stock->files[i]; i++)
        tree_write(root, stock->files[i], "stock\n", 6, 0755);
    for (size_t i = 0; i < sizeof(stock->made) / sizeof(stock->made[0]) && stock->made[i].path; i++)
        tree_link(root, stock->made[i].path, stock->made[i].target);
    if (stock->conf != NULL)
        make_list(stock, root, certs, count);
    else
        make_token(stock, root, certs, count);
}
