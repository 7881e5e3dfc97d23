/* SPDX-License-Identifier: Apache-2.0 */
/* Root lists in text (lists.h): CCADB's CSV, and documents of list --json where the input begins with a
 * brace. Is what was read whole and within bounds, and is a CSV that was cut inside of a row an error? */
#include "lists/diff.h"

#include "fuzz.h"
#include "kit/pem.h"

#include <stdlib.h>

static void check(const struct xr_list *list, bool csv)
{
    for (size_t i = 0; i < list->roots.count; i++) {
        const struct xr_root *root = &list->roots.items[i];
        const struct xr_format_date *dates[] = {&root->server_after, &root->email_after};
        char *name = xr_root_name(root);

        CHECK(fuzz_printable(name));
        free(name);
        CHECK((root->trusted & root->distrusted) == 0);
        CHECK(root->has_sha256 || root->has_id);
        if (!csv)
            continue;
        CHECK(root->cert != NULL && xr_list_find(list, root->cert->sha256) == root);
        CHECK((root->trusted & ~(uint32_t)(XR_SERVER | XR_EMAIL | XR_CODE)) == 0 &&
              root->distrusted == 0);
        for (size_t k = 0; k < 2; k++)
            CHECK(!dates[k]->known || dates[k]->at % 86400 == 86399 || dates[k]->at % 86400 == -1);
    }
}

static bool reads(struct xr_bytes data)
{
    struct xr_list list = {0};
    struct xr_error err = {0};
    bool good = xr_list_ccadb(&list, data, &err) == XR_OK;

    CHECK(good || err.text[0] != '\0');
    if (good) {
        CHECK(list.roots.count > 0);
        check(&list, true);
    }
    xr_list_free(&list);
    return good;
}

/* A list has no differences to itself. */
static void document(struct xr_bytes data)
{
    struct xr_list list = {0};
    struct xr_error err = {0};
    struct xr_diff diff = {0};
    const struct xr_diff_options options = {0};

    if (xr_list_json(&list, data, &err) == XR_OK) {
        check(&list, false);
        xr_diff_lists(&diff, &list, &list, &options);
        CHECK(diff.count == 0);
        xr_diff_free(&diff);
    }
    xr_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == '{') {
        document((struct xr_bytes){data, size});
        return 0;
    }
    if (!reads((struct xr_bytes){data, size}))
        return 0;
    /* A cut that is read leaves off whole rows, or nothing but white space and the quote around the last
     * certificate. */
    for (size_t len = size > 300 ? size - 300 : 0; len < size; len++) {
        if (reads((struct xr_bytes){data, len}))
            CHECK(data[len - 1] == '\n' || xr_pem_space(data[len]) || data[len] == '\'');
    }
    return 0;
}

static void put_row(struct xr_buf *out, const char *name, enum fuzz_cert which, const char *values)
{
    const struct pki_blob *cert = &fuzz_fixtures()->certs[which];
    char hex[80];

    CHECK(pki_fingerprint(hex, sizeof(hex), "SHA256", cert) == 0);
    xr_buf_fmt(out, "\"%s\",\"%s\",%s,\"'", name, hex, values);
    fuzz_put_pem(out, "CERTIFICATE", cert);
    xr_buf_str(out, "'\"\r\n");
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char header[] =
        "\"Common Name or Certificate Name\",\"SHA-256 Fingerprint\",\"Trust Bits\",\"Distrust for "
        "TLS After Date\",\"Distrust for S/MIME After Date\",\"Mozilla Applied "
        "Constraints\",\"PEM Info\"\r\n";
    static const char json[] =
        "{\"schema\": 1, \"command\": \"list\", \"stores\": [{\"store\": \"nss:/x\", \"entries\": "
        "[{\"sha256\": \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\", "
        "\"place\": \"anchor\", \"purposes\": [\"server\", \"any\"], \"label\": \"L\", \"limits\": "
        "{\"dns_names\": [\"tr\"], \"cidrs\": [\"192.0.2.0/24\"]}}, {\"sha256\": null, \"id\": "
        "\"1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\", \"issuer\": "
        "\"CN=I\", \"serial\": \"7\", \"place\": \"distrust\", \"purposes\": [\"server\"]}]}]}";
    struct xr_buf file = {0};

    xr_buf_str(&file, header);
    put_row(&file, "Root", FUZZ_ROOT, "\"Websites;Email\",\"2024.11.30\",\"\",\"\"");
    fuzz_seed_buf(corpus, &file);
    xr_buf_str(&file, "\xef\xbb\xbf");
    xr_buf_str(&file, header);
    put_row(&file, "a \"\"b\"\"\nc", FUZZ_ED25519, "Websites,,2025-01-31,\"*.tr, .example\"");
    put_row(&file, "", FUZZ_V1, ",,,");
    fuzz_seed_buf(corpus, &file);
    fuzz_seed(corpus, json, strlen(json));
}
