/* SPDX-License-Identifier: Apache-2.0 */
/* The table of `crossroot extract`. Formats of p11-kit's family come from formats.h. */
#include "outputs_private.h"

static void family(struct xr_format_files *out, enum xr_format format,
                   struct xr_format_cert *const *certs, size_t count,
                   const struct xr_output_options *options)
{
    const struct xr_format_options told = {.host = options->host, .comments = options->comments};

    xr_format_write(out, format, certs, count, &told);
}

#define FAMILY(function, format)                                                           \
    static void function(struct xr_format_files *out, struct xr_format_cert *const *certs, \
                         size_t count, const struct xr_output_options *options)            \
    {                                                                                      \
        family(out, format, certs, count, options);                                        \
    }
FAMILY(pem, XR_FORMAT_PEM_BUNDLE)
FAMILY(pem_dir, XR_FORMAT_PEM_DIRECTORY)
FAMILY(openssl, XR_FORMAT_OPENSSL_BUNDLE)
FAMILY(openssl_dir, XR_FORMAT_OPENSSL_DIRECTORY)
FAMILY(edk2, XR_FORMAT_EDK2)

const struct xr_output_format xr_output_formats[] = {
    {.name = "pem", .what = N_("a bundle of PEM"), .write = pem},
    {.name = "pem-dir",
     .what = N_("a directory of PEM files"),
     .directory = true,
     .write = pem_dir},
    {.name = "pem-dir-hash",
     .what = N_("the same with links by hash"),
     .directory = true,
     .links = true,
     .write = pem_dir},
    {.name = "openssl-trusted",
     .what = N_("OpenSSL's TRUSTED CERTIFICATE bundle"),
     .tells_purposes = true,
     .tells_distrust = true,
     .neutral = XR_NEUTRAL_ROOTS,
     .write = openssl},
    {.name = "openssl-dir",
     .what = N_("a directory of these, with links by hash"),
     .directory = true,
     .links = true,
     .tells_purposes = true,
     .tells_distrust = true,
     .neutral = XR_NEUTRAL_ROOTS,
     .write = openssl_dir},
    {.name = "edk2", .what = N_("EDK II's signature lists"), .write = edk2},
    {.name = "java",
     .what = N_("Java's JKS"),
     .write = xr_output_java,
     .update = xr_output_java_update,
     .keeps = xr_output_java_keeps},
    {.name = "java-p12",
     .what = N_("Java's PKCS#12"),
     .write = xr_output_java_p12,
     .update = xr_output_java_p12_update,
     .keeps = xr_output_java_p12_keeps},
    {.name = "p11-kit",
     .what = N_("a source file of p11-kit"),
     .by_key = true,
     .tells_purposes = true,
     .tells_distrust = true,
     .tells_serials = true,
     .tells_dates = true,
     .tells_limits = true,
     .neutral = XR_NEUTRAL_ALL,
     .write = xr_output_p11kit},
    {.name = "debian",
     .what = N_("what a ca-certificates package ships"),
     .directory = true,
     .write = xr_output_debian},
    {.name = "curl-pem", .what = N_("curl's cacert.pem"), .write = xr_output_curl},
    {.name = "certifi", .what = N_("certifi's cacert.pem"), .write = xr_output_certifi},
    {.name = "nss",
     .what = N_("an NSS database: cert9.db and key4.db"),
     .directory = true,
     .precious = "key4.db",
     .tells_purposes = true,
     .tells_distrust = true,
     .tells_serials = true,
     .neutral = XR_NEUTRAL_ALL,
     .purposes = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE,
     .write = xr_output_nss},
    {.name = "chromium-policy",
     .what = N_("a managed policy for Chromium's family"),
     .tells_purposes = true,
     .purposes = XR_SERVER,
     .tells_distrust = true,
     .tells_limits = true,
     .neutral = XR_NEUTRAL_CAS,
     .write = xr_output_chromium_policy},
    {.name = "firefox-policy",
     .what = N_("policies.json for Firefox, and its files"),
     .note = N_("Firefox trusts what a policy installs for servers and e-mail, whatever was asked"),
     .purposes = XR_SERVER,
     .grants = XR_SERVER | XR_EMAIL,
     .directory = true,
     .write = xr_output_firefox_policy},
    {.name = "windows-reg",
     .what = N_("a .reg file for Windows"),
     .tells_purposes = true,
     .tells_distrust = true,
     .neutral = XR_NEUTRAL_ALL,
     .purposes = XR_ALL_PURPOSES,
     .write = xr_output_windows_reg},
    {.name = "mobileconfig",
     .what = N_("a configuration profile for Apple's systems"),
     .neutral = XR_NEUTRAL_CAS,
     .write = xr_output_mobileconfig},
    {.name = "cluster-trust-bundle",
     .what = N_("a ClusterTrustBundle of Kubernetes"),
     .refuses = xr_output_cluster_refuses,
     .write = xr_output_cluster_bundle},
};
const size_t xr_output_format_count = sizeof(xr_output_formats) / sizeof(xr_output_formats[0]);

const struct xr_output_format *xr_output_format(const char *name, size_t len)
{
    for (size_t i = 0; i < xr_output_format_count; i++) {
        if (strlen(xr_output_formats[i].name) == len &&
            strncmp(xr_output_formats[i].name, name, len) == 0)
            return &xr_output_formats[i];
    }
    return NULL;
}
