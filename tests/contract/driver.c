/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the contract's cases against one backend, in this process or in the helper, each in a
 * scratch directory of its own. */
#include "cases.h"
#include "helpers/client.h"
#include "hive.h"
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
     .location = fixed_location,
     .image = tree_image,
     .stock = fixed_stock},
    {.backend = "p11-kit",
     .variant = "softhsm",
     .location = softhsm_location,
     .password = "officer"},
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

/* ---- one case ---- */

/* Stores that cannot be written have cases of their own. */
static const char *run_on(struct contract *ctx, const struct contract_case *c)
{
    bool fixed = c >= contract_fixed_cases && c < contract_fixed_cases + contract_fixed_case_count;

    if (ctx->caps.writable == fixed)
        return contract_skip(ctx, fixed ? "the store can be written" : "it cannot be written");
    return c->run(ctx);
}

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
        failed = run_on(&ctx, c);
    text = failed != NULL ? xr_strdup(failed) : NULL;
    contract_end(&ctx);
    xr_registry_free(&registry);
    tree_remove(scratch);
    free(scratch);
    if (text != NULL)
        cr_log_error("%s\n%s", c->name, text);
    free(text);
    if (failed == NULL && ctx.skipped != NULL)
        cr_skip_test("%s", ctx.skipped);
    cr_assert(failed == NULL, "%s", c->name);
}

/* Parameters are indexes: pointers would not survive the exec of a position-independent program. */
static void free_indexes(struct criterion_test_params *params)
{
    cr_free(params->params);
}

static struct criterion_test_params indexes(size_t count)
{
    size_t *numbers = cr_malloc(count * sizeof(*numbers));

    for (size_t i = 0; i < count; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, count, free_indexes);
}

ParameterizedTestParameters(contract, everywhere)
{
    return indexes(contract_case_count);
}

ParameterizedTest(size_t *at, contract, everywhere)
{
    run_case(&contract_cases[*at]);
}

ParameterizedTestParameters(contract, posix)
{
    return indexes(contract_posix_case_count);
}

ParameterizedTest(size_t *at, contract, posix)
{
    run_case(&contract_posix_cases[*at]);
}

ParameterizedTestParameters(contract, fixed)
{
    return indexes(contract_fixed_case_count);
}

ParameterizedTest(size_t *at, contract, fixed)
{
    run_case(&contract_fixed_cases[*at]);
}

ParameterizedTestParameters(contract, directory)
{
    return indexes(contract_directory_case_count);
}

ParameterizedTest(size_t *at, contract, directory)
{
    if (!kind()->directory)
        cr_skip_test("the store is no directory in OpenSSL's layout");
    run_case(&contract_directory_cases[*at]);
}

ParameterizedTestParameters(contract, cacerts)
{
    return indexes(contract_cacerts_case_count);
}

ParameterizedTest(size_t *at, contract, cacerts)
{
    if (kind()->layout == NULL)
        cr_skip_test("the store is no distribution's");
    run_case(&contract_cacerts_cases[*at]);
}

ParameterizedTestParameters(contract, live)
{
    return indexes(contract_live_case_count);
}

ParameterizedTest(size_t *at, contract, live)
{
    if (kind()->layout == NULL)
        cr_skip_test("the store is no distribution's");
    run_case(&contract_live_cases[*at]);
}
