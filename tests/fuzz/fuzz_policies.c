/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers' managed policies (policy.h): as strict JSON they have the same values again, and what a view
 * holds are certificates. An input is files, each with two bytes of length before it. */
#include "../../backends/policy/policy.h"

#include "fuzz.h"
#include "kit/der.h"
#include "kit/pem.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 4u

static char *root, *paths[FILES];

static void prepare(void)
{
    static const char *const dirs[] = {"", "/etc", "/etc/managed", "/etc/recommended"};
    static const char *const files[FILES] = {"etc/managed/a.json", "etc/managed/b",
                                             "etc/recommended/a.json", "policies.json"};

    root = xr_format("%s/root", fuzz_directory());
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        char *dir = xr_format("%s%s", root, dirs[i]);

        CHECK(mkdir(dir, 0755) == 0);
        free(dir);
    }
    for (size_t i = 0; i < FILES; i++)
        paths[i] = xr_format("%s/%s", root, files[i]);
}

/* The value, or NULL. */
static json_t *strict(struct xr_buf *out, struct xr_bytes text)
{
    return policy_strict_json(out, text) && out->len > 0
               ? json_loadb(out->data, out->len, JSON_DECODE_INT_AS_REAL, NULL)
               : NULL;
}

static void check_strict(struct xr_bytes text)
{
    struct xr_buf once = {0}, twice = {0};
    json_t *value = strict(&once, text), *again = strict(&twice, fuzz_buf_bytes(&once));

    /* Strict JSON is Chromium's, too. */
    CHECK(value == NULL || (again != NULL && json_equal(value, again)));
    json_decref(value);
    json_decref(again);
    xr_buf_free(&once);
    xr_buf_free(&twice);
}

static void check_view(const struct policy_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct xr_browser_cert *item = &view->items[i];
        struct xr_der_cert cert;

        CHECK(xr_der_cert(&cert, item->der, NULL) == XR_OK && item->source != NULL);
        CHECK(item->trust == XR_BROWSER_ANCHOR || item->trust == XR_BROWSER_HINT ||
              item->trust == XR_BROWSER_DISTRUST_KEY);
    }
    for (size_t i = 0; i < view->problems.count; i++)
        CHECK(fuzz_printable(view->problems.items[i]));
    CHECK(!view->incomplete || view->problems.count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_bytes rest = {data, size}, text = {0};
    struct policy_view view = {0};
    struct policy_firefox firefox = {0};
    struct policy_root at = {.fd = -1};

    if (root == NULL)
        prepare();
    for (size_t i = 0; i < FILES; i++) {
        if (fuzz_part(&text, &rest)) {
            check_strict(text);
            fuzz_write(paths[i], text);
        } else {
            (void)unlink(paths[i]);
        }
    }
    if (policy_load(&view, root, "/etc", NULL) == XR_OK)
        check_view(&view);
    policy_view_free(&view);
    CHECK(policy_root_open(&at, root, NULL) == XR_OK);
    policy_firefox_read(&firefox, &at, "/policies.json", NULL);
    for (size_t i = 0; i < firefox.count; i++)
        CHECK(firefox.items[i].der.len > 0);
    policy_firefox_free(&firefox);
    policy_root_close(&at);
    return 0;
}

static void put_base64(struct xr_buf *out, const struct pki_blob *cert)
{
    char *lines = malloc(xr_base64_size(cert->len) + 1);
    size_t len = xr_base64_lines(lines, fuzz_bytes(cert));

    for (size_t i = 0; i < len; i++) {
        if (lines[i] != '\n')
            xr_buf_add(out, &lines[i], 1);
    }
    free(lines);
}

static struct xr_buf chromium_policy(void)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_buf out = {0};

    xr_buf_str(&out, "// a comment\n{\"CACertificates\": [\"");
    put_base64(&out, &f->certs[FUZZ_ROOT]);
    xr_buf_str(&out, "\",],\n\"CACertificatesWithConstraints\": [{\"certificate\": \"");
    put_base64(&out, &f->certs[FUZZ_ROOT2]);
    xr_buf_str(&out, "\", \"constraints\": {\"permitted_dns_names\": [\"example.org\"], "
                     "\"permitted_cidrs\": [\"10.0.0.0/8\", \"2001:db8::/32\"]}}],\n"
                     "\"CADistrustedCertificates\": [\"");
    put_base64(&out, &f->certs[FUZZ_CROSS]);
    xr_buf_str(&out,
               "\"], /* more */ \"CAPlatformIntegrationEnabled\": false, \"x\": \"\\x41\\u0000\","
               "\n\"PolicyListMultipleSourceMergeList\": [\"CACertificates\", \"*\"], \"n\": 1e5}");
    return out;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char firefox[] =
        "{\"policies\": {\"Certificates\": {\"ImportEnterpriseRoots\": true, "
        "\"Install\": [\"/etc/root.pem\", \"root.der\"]}}}";
    static const char other[] =
        "\xef\xbb\xbf{\"CAHintCertificates\": [1, \"AAAA\"], \"a\": \"\n\"}";
    struct xr_buf chromium = chromium_policy(), out = {0};

    fuzz_put_part(&out, chromium.data, chromium.len);
    fuzz_put_part(&out, other, sizeof(other) - 1);
    fuzz_put_part(&out, "{}", 2);
    fuzz_put_part(&out, firefox, sizeof(firefox) - 1);
    fuzz_seed_buf(corpus, &out);
    fuzz_put_part(&out, other, sizeof(other) - 1);
    fuzz_put_part(&out, "[[[]]]", 6);
    fuzz_put_part(&out, chromium.data, chromium.len);
    fuzz_seed_buf(corpus, &out);
    xr_buf_free(&chromium);
}
