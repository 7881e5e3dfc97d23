/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include <string.h>

#define SERVER_ANCHORS(f)                                            \
    {                                                                \
        .format = (f), .filter = PF_CA_ANCHORS, .purpose = XR_SERVER \
    }
#define COMMENTED(p)                                                                              \
    {                                                                                             \
        .format = XR_FORMAT_PEM_BUNDLE, .filter = PF_CA_ANCHORS, .purpose = (p), .comments = true \
    }
#define TRUSTED_BUNDLE                                                                  \
    {                                                                                   \
        .format = XR_FORMAT_OPENSSL_BUNDLE, .filter = PF_CERTIFICATES, .comments = true \
    }

static const char suse_head[] =
    "#\n"
    "# automatically created by /usr/lib/ca-certificates/update.d/99certbundle.run. Do not edit!\n"
    "#\n"
    "# Use of this file is deprecated and should only be used as last\n"
    "# resort by applications that do not support p11-kit or reading /etc/ssl/certs.\n"
    "# You should avoid hardcoding any paths in applications anyways though. Use\n"
    "# functions that know the operating system defaults instead:\n"
    "#\n"
    "# - openssl: SSL_CTX_set_default_verify_paths()\n"
    "# - gnutls: gnutls_certificate_set_x509_system_trust(cred)\n"
    "#\n";

#define DEBIAN_FAMILY                                                                    \
    .family = CA_LIST, .lock = "etc/ssl/certs",                                          \
    .published = {"etc/ssl/certs/ca-certificates.crt"},                                  \
    .anchors = "usr/local/share/ca-certificates", .extension = ".crt",                   \
    .vendor = "usr/share/ca-certificates", .conf = "etc/ca-certificates.conf",           \
    .directory = "etc/ssl/certs", .updater = {"/usr/sbin/update-ca-certificates", NULL}, \
    .hooks = {"etc/ca-certificates/update.d"}, .hooks_cwd = "/etc/ssl/certs"

/* Special layouts come first, because each of these also has the signs of a more general one. */
const struct ca_layout ca_layouts[] = {
    {
        .name = "nixos",
        .title = "NixOS",
        .family = CA_FIXED,
        .signs = {"etc/NIXOS", "etc/static/ssl/certs/ca-certificates.crt"},
        .lock = "etc/ssl/certs",
        .published = {"etc/ssl/certs/ca-certificates.crt"},
        .anchors = "etc/ssl/certs",
        .why_fixed = N_("NixOS makes this store from its configuration: add the file to "
                        "security.pki.certificateFiles and run nixos-rebuild switch"),
    },
    {
        .name = "suse",
        .title = N_("openSUSE and SLE (update-ca-certificates)"),
        .family = CA_P11,
        .signs = {"usr/lib/ca-certificates/update.d/99certbundle.run", "etc/pki/trust/anchors",
                  "usr/share/pki/trust"},
        .lock = "var/lib/ca-certificates",
        .published = {"var/lib/ca-certificates/ca-bundle.pem"},
        .anchors = "etc/pki/trust/anchors",
        .blocklist = "etc/pki/trust",
        .extension = ".pem",
        .tokens = {{"etc/pki/trust", false}, {"usr/share/pki/trust", true}},
        .outputs =
            {
                {"var/lib/ca-certificates/pem", SERVER_ANCHORS(XR_FORMAT_PEM_DIRECTORY), NULL,
                 0444},
                {"var/lib/ca-certificates/openssl",
                 {.format = XR_FORMAT_OPENSSL_DIRECTORY, .filter = PF_CA_ANCHORS},
                 NULL,
                 0444},
                {"var/lib/ca-certificates/java-cacerts", SERVER_ANCHORS(XR_FORMAT_JAVA), NULL,
                 0444},
                {"var/lib/ca-certificates/ca-bundle.pem", SERVER_ANCHORS(XR_FORMAT_PEM_BUNDLE),
                 suse_head, 0444},
            },
        .updater = {"/usr/sbin/update-ca-certificates", NULL},
        .hooks = {"etc/ca-certificates/update.d", "usr/lib/ca-certificates/update.d"},
        .hooks_dot_run = true,
        .hooks_env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "destdir=/", "statedir=/var/lib/ca-certificates", "_CA_CERTIFICATES_LOCKED=1",
                      NULL},
        .links = {{"etc/ssl/certs", "../../var/lib/ca-certificates/pem"},
                  {"etc/ssl/ca-bundle.pem", "../../var/lib/ca-certificates/ca-bundle.pem"}},
        .own_hooks = {"50java.run", "70openssl.run", "80etc_ssl.run", "99certbundle.run"},
    },
    {
        .name = "fedora",
        .title = N_("Fedora, RHEL and relatives (update-ca-trust)"),
        .family = CA_P11,
        .signs = {"etc/pki/ca-trust/source", "usr/share/pki/ca-trust-source"},
        .lock = "etc/pki/ca-trust",
        .published = {"etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                      "etc/pki/ca-trust/extracted/pem/email-ca-bundle.pem",
                      "etc/pki/ca-trust/extracted/pem/objsign-ca-bundle.pem"},
        .anchors = "etc/pki/ca-trust/source/anchors",
        .blocklist = "etc/pki/ca-trust/source",
        .extension = ".pem",
        .tokens = {{"etc/pki/ca-trust/source", false}, {"usr/share/pki/ca-trust-source", true}},
        .outputs =
            {
                {"etc/pki/ca-trust/extracted/openssl/ca-bundle.trust.crt", TRUSTED_BUNDLE, NULL,
                 0444},
                {"etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", COMMENTED(XR_SERVER), NULL,
                 0444},
                {"etc/pki/ca-trust/extracted/pem/email-ca-bundle.pem", COMMENTED(XR_EMAIL), NULL,
                 0444},
                {"etc/pki/ca-trust/extracted/pem/objsign-ca-bundle.pem", COMMENTED(XR_CODE), NULL,
                 0444},
                {"etc/pki/ca-trust/extracted/java/cacerts", SERVER_ANCHORS(XR_FORMAT_JAVA), NULL,
                 0444},
                {"etc/pki/ca-trust/extracted/edk2/cacerts.bin", SERVER_ANCHORS(XR_FORMAT_EDK2),
                 NULL, 0444},
                {"etc/pki/ca-trust/extracted/pem/directory-hash",
                 SERVER_ANCHORS(XR_FORMAT_PEM_DIRECTORY), NULL, 0444},
            },
        .kept = {"ca-certificates.crt", "ca-bundle.crt"},
        .copies = {"/etc/pki/ca-trust/extracted/pem/directory-hash/", "etc/pki/tls/certs", false},
        .known = {{"etc/pki/tls/cert.pem", N_("OpenSSL's default file")},
                  {"etc/pki/tls/certs/ca-bundle.crt", N_("curl of RHEL and of Fedora before 44")},
                  {"etc/ssl/certs/ca-certificates.crt", N_("programs built on Debian")}},
        .updater = {"/usr/bin/update-ca-trust", "extract", NULL},
    },
    {
        .name = "arch",
        .title = N_("Arch Linux and relatives (update-ca-trust)"),
        .family = CA_P11,
        .signs = {"etc/ca-certificates/extracted", "etc/ca-certificates/trust-source",
                  "usr/share/ca-certificates/trust-source"},
        .lock = "etc/ca-certificates",
        .published = {"etc/ca-certificates/extracted/tls-ca-bundle.pem",
                      "etc/ca-certificates/extracted/email-ca-bundle.pem",
                      "etc/ca-certificates/extracted/objsign-ca-bundle.pem"},
        .anchors = "etc/ca-certificates/trust-source/anchors",
        .blocklist = "etc/ca-certificates/trust-source",
        .extension = ".pem",
        .tokens = {{"etc/ca-certificates/trust-source", false},
                   {"usr/share/ca-certificates/trust-source", true}},
        .outputs =
            {
                {"etc/ca-certificates/extracted/ca-bundle.trust.crt", TRUSTED_BUNDLE, NULL, 0444},
                {"etc/ca-certificates/extracted/tls-ca-bundle.pem", COMMENTED(XR_SERVER), NULL,
                 0444},
                {"etc/ca-certificates/extracted/email-ca-bundle.pem", COMMENTED(XR_EMAIL), NULL,
                 0444},
                {"etc/ca-certificates/extracted/objsign-ca-bundle.pem", COMMENTED(XR_CODE), NULL,
                 0444},
                {"etc/ca-certificates/extracted/java-cacerts.jks", SERVER_ANCHORS(XR_FORMAT_JAVA),
                 NULL, 0444},
                {"etc/ca-certificates/extracted/edk2-cacerts.bin", SERVER_ANCHORS(XR_FORMAT_EDK2),
                 NULL, 0444},
                {"etc/ca-certificates/extracted/cadir", SERVER_ANCHORS(XR_FORMAT_PEM_DIRECTORY),
                 NULL, 0444},
            },
        .copies = {"../../ca-certificates/extracted/cadir/", "etc/ssl/certs", true},
        .links = {{"etc/ssl/certs/java/cacerts",
                   "../../../ca-certificates/extracted/java-cacerts.jks"}},
        .updater = {"/usr/bin/update-ca-trust", NULL},
    },
    {
        /* its update-ca-certificates joins the *.pem files beside the bundle */
        .name = "flatcar",
        .title = "Flatcar Container Linux",
        .family = CA_LIST,
        .signs = {"etc/flatcar", "usr/share/flatcar"},
        .lock = "etc/ssl/certs",
        .published = {"etc/ssl/certs/ca-certificates.crt"},
        .anchors = "etc/ssl/certs",
        .extension = ".pem",
        .vendor = "usr/share/ca-certificates",
        .conf = "etc/ca-certificates.conf",
        .directory = "etc/ssl/certs",
        .link_prefix = "",
        .updater = {"/usr/sbin/update-ca-certificates", NULL},
    },
    {
        .name = "alpine",
        .title = N_("Alpine Linux (update-ca-certificates)"),
        .signs = {"etc/alpine-release", "etc/ca-certificates/update.d/certhash",
                  "etc/apk/protected_paths.d/ca-certificates.list"},
        DEBIAN_FAMILY,
        .any_extension = true,
        .link_prefix = "ca-cert-",
        .drops_unlisted = true,
        .blank_between = true,
        .own_hooks = {"certhash"},
    },
    {
        .name = "debian",
        .title = N_("Debian, Ubuntu, Gentoo, Void (update-ca-certificates)"),
        .signs = {"etc/ca-certificates.conf", "usr/sbin/update-ca-certificates",
                  "usr/bin/update-ca-certificates"},
        DEBIAN_FAMILY,
        .recursive = true,
        .link_prefix = "",
    },
    {
        .name = "bundle",
        .title = N_("distroless, scratch and other small images"),
        .signs = {"etc/ssl/certs/ca-certificates.crt"},
        DEBIAN_FAMILY,
        .recursive = true,
        .link_prefix = "",
    },
};

const size_t ca_layout_count = sizeof(ca_layouts) / sizeof(ca_layouts[0]);

bool ca_name_counts(const struct ca_layout *layout, const char *name)
{
    size_t len = strlen(name), ext = strlen(layout->extension);

    return layout->any_extension ||
           (len >= ext && strcmp(name + len - ext, layout->extension) == 0);
}
