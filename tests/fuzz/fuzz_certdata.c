/* SPDX-License-Identifier: Apache-2.0 */
/* Mozilla's certdata.txt (lists.h), then every format of what was read. Nothing in it is both trusted and
 * distrusted, nothing is trusted without its certificate, and a list that ends in the middle of a line is
 * none. */
#include "fuzz.h"

#include "formats/outputs.h"
#include "lists/lists.h"
#include "stores/registry.h"

#include <stdlib.h>

static void write_all(const struct xr_list *list)
{
    const struct xr_output_source source = {.name = "list"};
    const struct xr_output_options options = {
        .host = &xr_host, .purpose = XR_SERVER, .source = &source};
    struct xr_told *told = xr_new(list->roots.count + 1, sizeof(*told));
    struct xr_format_cert **certs = xr_new(list->roots.count + 1, sizeof(*certs));
    size_t count = 0;

    for (size_t i = 0; i < list->roots.count; i++) {
        const struct xr_root *root = &list->roots.items[i];

        if (root->cert == NULL)
            continue;
        xr_told_init(&told[count], root, root->trusted, root->distrusted, true, &xr_host);
        certs[count] = &told[count].cert;
        count++;
    }
    for (size_t i = 0; i < xr_output_format_count; i++) {
        struct xr_format_files files = {0};

        xr_output_formats[i].write(&files, certs, count, &options);
        CHECK(xr_output_formats[i].directory || files.count == 1);
        xr_format_files_free(&files);
    }
    for (size_t i = 0; i < count; i++)
        xr_told_free(&told[i]);
    free(told);
    free((void *)certs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_list list = {0};
    struct xr_error err = {0};
    bool good = xr_list_certdata(&list, (struct xr_bytes){data, size}, &err) == XR_OK;

    CHECK(good || err.text[0] != '\0');
    CHECK(!good || data[size - 1] == '\n');
    for (size_t i = 0; good && i < list.roots.count; i++) {
        const struct xr_root *root = &list.roots.items[i];

        CHECK((root->trusted & root->distrusted) == 0);
        CHECK((root->trusted | root->distrusted | XR_ALL_PURPOSES) == XR_ALL_PURPOSES);
        CHECK(root->cert != NULL || (root->trusted == 0 && root->issuer.len > 0));
    }
    if (good)
        write_all(&list);
    xr_list_free(&list);
    return 0;
}

/* ---- seeds ---- */

static void put_octal(struct xr_buf *out, const char *name, struct xr_bytes bytes)
{
    xr_buf_fmt(out, "%s MULTILINE_OCTAL\n", name);
    for (size_t i = 0; i < bytes.len; i++)
        xr_buf_fmt(out, "\\%03o%s", bytes.data[i], i % 16 == 15 || i + 1 == bytes.len ? "\n" : "");
    xr_buf_str(out, "END\n");
}

static void put_root(struct xr_buf *out, const struct pki_blob *blob, const char *word, bool bare)
{
    static const char *const purposes[] = {"SERVER_AUTH", "EMAIL_PROTECTION", "CODE_SIGNING"};
    struct xr_der_cert d;
    struct xr_bytes der = fuzz_bytes(blob);

    CHECK(xr_der_cert(&d, der, NULL) == XR_OK);
    if (!bare) {
        xr_buf_str(out, "\n# Certificate\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\n"
                        "CKA_LABEL UTF8 \"A \\\"root\\\" \\xc3\\xa9\"\n");
        put_octal(out, "CKA_SUBJECT", d.slices.subject);
        put_octal(out, "CKA_ISSUER", d.slices.issuer);
        put_octal(out, "CKA_SERIAL_NUMBER", d.slices.serial);
        put_octal(out, "CKA_VALUE", der);
        put_octal(out, "CKA_NSS_SERVER_DISTRUST_AFTER",
                  (struct xr_bytes){(const unsigned char *)"241130235959Z", 13});
    }
    xr_buf_str(out, "\n# Trust\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\n");
    put_octal(out, "CKA_ISSUER", d.slices.issuer);
    put_octal(out, "CKA_SERIAL_NUMBER", d.slices.serial);
    for (size_t i = 0; i < 3; i++)
        xr_buf_fmt(out, "CKA_TRUST_%s CK_TRUST CKT_NSS_%s\n", purposes[i], word);
    xr_buf_str(out, "CKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE\n");
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_buf all = {0}, one = {0};

    xr_buf_str(&one, "BEGINDATA\n");
    put_root(&one, &f->certs[FUZZ_ED25519], "TRUSTED_DELEGATOR", false);
    fuzz_seed_buf(corpus, &one);
    xr_buf_str(&one, "BEGINDATA\nCKA_CLASS MULTILINE_OCTAL\nEND\n");
    fuzz_seed_buf(corpus, &one);
    xr_buf_str(&all, "# a list\nBEGINDATA\n");
    put_root(&all, &f->certs[FUZZ_ROOT], "TRUSTED_DELEGATOR", false);
    put_root(&all, &f->certs[FUZZ_ROOT2], "MUST_VERIFY_TRUST", false);
    put_root(&all, &f->certs[FUZZ_V1], "NOT_TRUSTED", false);
    put_root(&all, &f->certs[FUZZ_SUB], "NOT_TRUSTED", true);
    fuzz_seed_buf(corpus, &all);
}
