/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the contract's cases against one backend, in this process or in the helper, each in a
 * scratch directory of its own. */
#include "cases.h"
#include "helpers/client.h"
#include "hive.h"
#include "kit/pem.h"
#include "stock.h"
#include "tree.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

/* ---- kinds of stores ---- */

static char *directory_location(const char *scratch)
{
    return tree_path(scratch, "store");
}

static char *profile_location(const char *scratch)
{
    tree_dir(scratch, "profile");
    return tree_path(scratch, "profile");
}

static char *token_location(const char *scratch)
{
    tree_dir(scratch, "token");
    return tree_path(scratch, "token");
}

/* A token that is one file. */
static char *fixed_location(const char *scratch)
{
    return tree_path(scratch, "token.p11-kit");
}

static void fixed_stock(const struct contract *ctx)
{
    const enum contract_cert certs[] = {CERT_SHIPPED, CERT_BESIDE};
    struct xr_buf text = {0};

    for (size_t i = 0; i < 2; i++) {
        size_t len = 0;
        char *pem = xr_host.pem("CERTIFICATE", contract_der(ctx, certs[i]), &len);

        xr_buf_fmt(&text, "[p11-kit-object-v1]\ntrusted: true\n%s", pem);
        free(pem);
    }
    tree_text(ctx->scratch, "token.p11-kit", text.data);
    xr_buf_free(&text);
}

/* Chromium's policies. */
static char *policies_location(const char *scratch)
{
    tree_dirs(scratch, "policies/managed");
    return tree_path(scratch, "policies");
}

/* The file has the name of crossroot's own, and was written by somebody else: then nothing is. */
static void policies_stock(const struct contract *ctx)
{
    const enum contract_cert certs[] = {CERT_SHIPPED, CERT_BESIDE};
    struct xr_buf text = {0};

    for (size_t i = 0; i < 2; i++) {
        struct xr_bytes der = contract_der(ctx, certs[i]);
        char *lines = xr_new(xr_base64_size(der.len) + 1, 1), *digits = lines;
        size_t len = xr_base64_lines(lines, der);

        for (size_t k = 0; k < len; k++) {
            if (lines[k] != '\n')
                *digits++ = lines[k];
        }
        *digits = '\0';
        xr_buf_fmt(&text, "%s\"%s\"", i == 0 ? "{\"CACertificates\":[" : ",", lines);
        free(lines);
    }
    xr_buf_str(&text, "]}\n");
    tree_text(ctx->scratch, "policies/managed/crossroot.json", text.data);
    xr_buf_free(&text);
}

/* Firefox's, with other settings in it. */
static char *installs_location(const char *scratch)
{
    tree_dirs(scratch, "firefox");
    tree_text(scratch, "firefox/policies.json",
              "{\n\t\"policies\": {\n\t\t\"DisableTelemetry\": true\n\t}\n}\n");
    return tree_path(scratch, "firefox/policies.json");
}

/* A profile of Chromium's that has no database yet. */
static char *chromium_location(const char *scratch)
{
    char *profile = profile_location(scratch);

    tree_text(profile, "Preferences", "{}\n");
    return profile;
}

/* Its rows: what else SQLite keeps in the file differs when they come and go. */
static char *chromium_image(const char *scratch, bool times)
{
    char *command = xr_format("/usr/bin/python3 '%s' '%s/profile/ServerCertificate' --show",
                              CONTRACT_MKDB, scratch);
    struct xr_buf text = {0};
    char block[4096];
    size_t got = 0;
    FILE *rows = times ? NULL : popen(command, "re"); /* NOLINT(cert-env33-c) */

    xr_buf_str(&text, "");
    while (rows != NULL && (got = fread(block, 1, sizeof(block), rows)) > 0)
        xr_buf_add(&text, block, got);
    cr_assert(times || (rows != NULL && pclose(rows) == 0), "%s", command);
    free(command);
    if (!times)
        return text.data;
    xr_buf_free(&text);
    return tree_image(scratch, true);
}

/* One that has a certificate of the user's, and another. */
static void chromium_stock(const struct contract *ctx)
{
    const enum contract_cert certs[] = {CERT_SHIPPED, CERT_BESIDE};
    char *profile = tree_path(ctx->scratch, "profile"), *command = NULL;
    struct xr_buf rows = {0};

    for (size_t i = 0; i < 2; i++) {
        size_t len = 0;
        char *pem = xr_host.pem("CERTIFICATE", contract_der(ctx, certs[i]), &len);
        char *name = xr_format("%zu.pem", i);

        tree_text(ctx->scratch, name, pem);
        xr_buf_fmt(&rows, " '%s/%s' trust", ctx->scratch, name);
        free(name);
        free(pem);
    }
    command = xr_format("/usr/bin/python3 '%s' '%s/ServerCertificate'%s", CONTRACT_MKDB, profile,
                        rows.data);
    cr_assert(system(command) == 0, "%s", command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
    xr_buf_free(&rows);
    free(command);
    free(profile);
}

/* A token of SoftHSM's, in a home of its own. p11-kit takes no configuration of root's home: as root
 * these tests run where the system's is exchanged. */
static char *softhsm_location(const char *scratch)
{
    char *tokens = tree_path(scratch, "tokens");
    char *conf = xr_format("directories.tokendir = %s\nobjectstore.backend = file\n"
                           "log.level = ERROR\n",
                           tokens);
    char *command =
        xr_format("HOME='%s' softhsm2-util --init-token --free --label contract --so-pin "
                  "officer --pin secret >'%s/said' 2>&1",
                  scratch, scratch);

    tree_dirs(scratch, "tokens");
    tree_dirs(scratch, ".config/softhsm2");
    tree_dirs(scratch, ".config/pkcs11/modules");
    tree_text(scratch, ".config/softhsm2/softhsm2.conf", conf);
    tree_text(scratch, ".config/pkcs11/pkcs11.conf", "user-config: only\n");
    tree_text(scratch, ".config/pkcs11/modules/softhsm2.module",
              "module: /usr/lib/softhsm/libsofthsm2.so\ntrust-policy: yes\n");
    cr_assert(system(command) == 0, "%s", command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
    free(command);
    free(conf);
    free(tokens);
    return xr_strdup("pkcs11:token=contract");
}

/* The registry of an empty Windows. */
static char *hive_location(const char *scratch)
{
    char *path = tree_path(scratch, "config/SOFTWARE");
    char *location = xr_format("hive=%s", path);

    tree_dirs(scratch, "config");
    hive_make(scratch, "config/SOFTWARE");
    free(path);
    return location;
}

/* Policies of a browser in it. */
static char *registry_location(const char *scratch)
{
    char *hive = hive_location(scratch), *location = xr_format("chrome,%s", hive);

    free(hive);
    return location;
}

static char *root_location(const char *scratch)
{
    tree_dir(scratch, "root");
    return tree_path(scratch, "root");
}

static void stock(const struct contract *ctx)
{
    const struct stock_cert certs[] = {
        {"Contract_Shipped", contract_der(ctx, CERT_SHIPPED)},
        {"Contract_Beside", contract_der(ctx, CERT_BESIDE)},
        {"Contract_Out", contract_der(ctx, CERT_OUT)},
    };

    stock_make(stock_find(ctx->kind->layout), ctx->location, certs, 3);
}

/* Which of several certificates of one name has which number is the history's, as with openssl
 * rehash, and no reader's business. Lines of links HASH.N get an N that does not tell. */
static int by_line(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_hash_link(const char *line, size_t *number)
{
    const char *arrow = strstr(line, " -> ");
    const char *dot = arrow != NULL ? arrow - 1 : line;

    while (dot > line && *dot >= '0' && *dot <= '9')
        dot--;
    *number = (size_t)(dot - line) + 1;
    return arrow != NULL && dot - line > 8 && *dot == '.' && dot + 1 < arrow &&
           strspn(dot - 8, "0123456789abcdef") == 8 && dot[-9] == '/';
}

static char *root_image(const char *scratch, bool times)
{
    char *text = tree_image(scratch, times), *rest = text;
    struct xr_strings lines = {0};
    struct xr_buf out = {0};

    while (*rest != '\0') {
        char *line = rest;
        size_t number = 0;

        rest += strcspn(rest, "\n");
        *rest++ = '\0';
        if (!times && is_hash_link(line, &number)) {
            for (char *at = line + number; *at != ' '; at++)
                *at = 'N';
        }
        xr_strings_add(&lines, line);
    }
    if (lines.count > 1)
        qsort(lines.items, lines.count, sizeof(*lines.items), by_line);
    xr_buf_str(&out, "");
    for (size_t i = 0; i < lines.count; i++)
        xr_buf_fmt(&out, "%s\n", lines.items[i]);
    xr_strings_free(&lines);
    free(text);
    return out.data;
}

#define ROOT_OF(name)                                                              \
    {                                                                              \
        .backend = "ca-certificates", .layout = (name), .location = root_location, \
        .image = root_image, .stock = stock                                        \
    }

static const struct contract_kind kinds[] = {
    {.backend = "openssl", .location = directory_location, .image = tree_image, .directory = true},
    ROOT_OF("debian"),
    ROOT_OF("alpine"),
    ROOT_OF("fedora"),
    ROOT_OF("suse"),
    ROOT_OF("arch"),
    {.backend = "p11-kit", .location = token_location, .image = tree_image},
    {.backend = "p11-kit",
     .variant = "fixed",
     .fixed = true,
     .location = fixed_location,
     .image = tree_image,
     .stock = fixed_stock},
    {.backend = "p11-kit",
     .variant = "softhsm",
     .location = softhsm_location,
     .password = "officer"},
    {.backend = "policy",
     .variant = "fixed",
     .fixed = true,
     .location = policies_location,
     .image = tree_image,
     .stock = policies_stock},
    {.backend = "policy",
     .variant = "chromium",
     .location = policies_location,
     .image = tree_image},
    {.backend = "policy", .variant = "firefox", .location = installs_location, .image = tree_image},
    {.backend = "chromium", .location = chromium_location, .image = chromium_image},
    {.backend = "policy", .variant = "registry", .location = registry_location},
    {.backend = "chromium",
     .variant = "used",
     .location = chromium_location,
     .image = chromium_image,
     .stock = chromium_stock},
    {.backend = "windows", .location = hive_location},
    {.backend = "nss", .location = profile_location},
    {.backend = "nss", .location = profile_location, .nss = "/usr/lib/firefox-esr"},
};

static const struct contract_kind *kind(void)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *variant = kinds[i].layout ? kinds[i].layout
                              : kinds[i].nss  ? kinds[i].nss
                                              : kinds[i].variant;

        if (strcmp(kinds[i].backend, CONTRACT_BACKEND) == 0 &&
            strcmp(variant ? variant : "", CONTRACT_VARIANT) == 0)
            return &kinds[i];
    }
    return NULL;
}

/* ---- the cases of a kind ---- */

static bool written(const struct contract_kind *k)
{
    return !k->fixed;
}

static bool fixed(const struct contract_kind *k)
{
    return k->fixed;
}

static bool directory(const struct contract_kind *k)
{
    return k->directory;
}

static bool distribution(const struct contract_kind *k)
{
    return k->layout != NULL;
}

static const struct {
    const struct contract_case *cases;
    const size_t *count;
    bool (*apply)(const struct contract_kind *k);
} sets[] = {
    {contract_cases, &contract_case_count, written},
    {contract_posix_cases, &contract_posix_case_count, written},
    {contract_directory_cases, &contract_directory_case_count, directory},
    {contract_cacerts_cases, &contract_cacerts_case_count, distribution},
    {contract_live_cases, &contract_live_case_count, distribution},
    {contract_fixed_cases, &contract_fixed_case_count, fixed},
};

/* By its number among those of this kind; NULL: there are no more. */
static const struct contract_case *case_at(size_t at)
{
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        if (!sets[i].apply(kind()))
            continue;
        if (at < *sets[i].count)
            return &sets[i].cases[at];
        at -= *sets[i].count;
    }
    return NULL;
}

/* XR_CASE is the sentence of the one case to run; without it all are. */
static bool chosen(const struct contract_case *c)
{
    const char *only = getenv("XR_CASE"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */

    return only == NULL || strcmp(only, c->name) == 0;
}

/* ---- one case ---- */

static void run_case(const struct contract_case *c)
{
    const struct xr_worker_config worker = {.remote = xr_helpers,
                                            .program = XR_TEST_BIN_DIR "/core/worker"};
    struct xr_registry registry;
    struct xr_loaded loaded = {0};
    struct contract ctx = {.kind = kind(), .backend = &loaded, .worker = &worker};
    char *scratch = tree_new("contract");
    const char *failed = NULL;
    char *text = NULL;
#ifdef CONTRACT_PLUGIN
    struct xr_error err = {0};
#endif

    xr_registry_init(&registry);
#ifdef CONTRACT_PLUGIN
    if (xr_registry_plugin(&registry, CONTRACT_PLUGIN, &err) != XR_OK)
        cr_assert_fail("%s", err.text);
#endif
    if (xr_registry_find(&registry, CONTRACT_BACKEND) == NULL)
        cr_assert_fail("there is no backend " CONTRACT_BACKEND);
    loaded = *xr_registry_find(&registry, CONTRACT_BACKEND);
    loaded.table.flags = CONTRACT_WORKER ? loaded.table.flags | XR_BACKEND_WORKER
                                         : loaded.table.flags & ~(uint32_t)XR_BACKEND_WORKER;
    ctx.scratch = scratch;
    failed = contract_begin(&ctx);
    if (failed == NULL)
        failed = ctx.caps.writable != ctx.kind->fixed ? c->run(&ctx)
                 : ctx.kind->fixed                    ? "the store can be written"
                                                      : "the store cannot be written";
    text = failed != NULL ? xr_strdup(failed) : NULL;
    contract_end(&ctx);
    xr_registry_free(&registry);
    tree_remove(scratch);
    free(scratch);
    if (text != NULL)
        cr_log_error("%s\n%s", c->name, text);
    free(text);
    if (failed == NULL && ctx.skipped != NULL)
        cr_skip_test("%s (%s)", ctx.skipped, c->name);
    cr_assert(failed == NULL, "%s", c->name);
}

/* Parameters are indexes: pointers would not survive the exec of a position-independent program. */
static void free_indexes(struct criterion_test_params *params)
{
    cr_free(params->params);
}

ParameterizedTestParameters(contract, cases)
{
    size_t count = 0, kept = 0;
    size_t *numbers = NULL;

    while (case_at(count) != NULL)
        count++;
    numbers = cr_malloc((count + 1) * sizeof(*numbers));
    for (size_t i = 0; i < count; i++) {
        if (chosen(case_at(i)))
            numbers[kept++] = i;
    }
    return cr_make_param_array(size_t, numbers, kept, free_indexes);
}

ParameterizedTest(size_t *at, contract, cases)
{
    run_case(case_at(*at));
}

/* --cases lists the sentences; all else is Criterion's. What runs a test looks main up by its name. */
__attribute__((visibility("default"))) int main(int argc, char **argv)
{
    bool list = argc == 2 && strcmp(argv[1], "--cases") == 0, any = false;
    struct criterion_test_set *tests = NULL;
    int code = 0;

    for (size_t i = 0; case_at(i) != NULL; i++) {
        any = any || chosen(case_at(i));
        if (list)
            (void)puts(case_at(i)->name);
    }
    if (list)
        return 0;
    if (!any) {
        (void)fprintf(stderr, "%s: no case has the sentence in XR_CASE; --cases lists them\n",
                      argv[0]);
        return 2;
    }
    tests = criterion_initialize();
    if (criterion_handle_args(argc, argv, true))
        code = criterion_run_all_tests(tests) ? 0 : 1;
    criterion_finalize(tests);
    return code;
}
