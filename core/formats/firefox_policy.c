/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policies.json for Firefox, and the files that its Certificates.Install names: one certificate each, in
 * PEM without other text. Firefox looks for these in the directory certificates of its own distribution/
 * and of /usr/lib/mozilla. It trusts each for servers, clients and e-mail, whatever was asked.
 */
#include "outputs_private.h"

#include <stdlib.h>

void xr_output_firefox_policy(struct xr_format_files *out, struct xr_format_cert *const *certs,
                              size_t count, const struct xr_output_options *options)
{
    struct xr_format_names names = {.host = options->host};
    struct xr_buf label = {0}, spelt = {0}, policy = {0};

    xr_buf_str(&policy, "{\n  \"policies\": {\n    \"Certificates\": {\n      \"Install\": [");
    for (size_t i = 0; i < count; i++) {
        struct xr_format_cert named = *certs[i];
        char *bare = NULL;

        label.len = 0;
        xr_output_label(&label, certs[i]);
        named.label = label.data;
        named.label_len = label.len;
        bare = xr_format_bare_name(&named);
        xr_format_names_take(&names, &spelt, bare, strlen(bare), xr_format_spell_file);
        free(bare);
        xr_buf_fmt(&policy, "%s\n        \"%s\"", i > 0 ? "," : "", spelt.data);
        xr_format_put_pem(xr_output_file(out, xr_format("certificates/%s", spelt.data)), certs[i]);
    }
    xr_buf_fmt(&policy, "%s]\n    }\n  }\n}\n", count > 0 ? "\n      " : "");
    *xr_output_file(out, xr_strdup("policies.json")) = policy;
    xr_format_names_free(&names);
    xr_buf_free(&label);
    xr_buf_free(&spelt);
}
