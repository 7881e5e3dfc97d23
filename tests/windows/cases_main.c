/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the contract's cases on a live store of this Windows, one for each process:
 *   xr-contract LOCATION list      numbers and names
 *   xr-contract LOCATION NUMBER    0: passed, 77: does not apply (with the reason), 1: failed
 * LOCATION is of the backend windows, or BACKEND:LOCATION. What the store held before is its stock.
 * Its image is what the registry has, beside what a process of Wine puts there itself.
 */
#include "cases.h"

#include <windows.h>

#include <wincrypt.h>

#include <stdlib.h>

/* ---- the registry as text ---- */

static void add_key(struct xr_strings *lines, HKEY key, const wchar_t *path)
{
    for (DWORD i = 0;; i++) {
        wchar_t name[256], below[1024];
        DWORD len = 256;
        HKEY child = NULL;

        if (RegEnumKeyExW(key, i, name, &len, NULL, NULL, NULL, NULL) != ERROR_SUCCESS)
            break;
        (void)swprintf(below, 1024, L"%ls/%ls", path, name);
        if (RegOpenKeyExW(key, name, 0, KEY_READ, &child) == ERROR_SUCCESS) {
            add_key(lines, child, below);
            (void)RegCloseKey(child);
        }
    }
    for (DWORD i = 0;; i++) {
        static BYTE data[1 << 20];
        wchar_t name[256];
        DWORD len = 256, size = sizeof(data), type = 0;
        unsigned char sum[XR_SHA256_LEN];
        char hex[2 * XR_SHA256_LEN + 1], *line = NULL;

        if (RegEnumValueW(key, i, name, &len, NULL, &type, data, &size) != ERROR_SUCCESS)
            break;
        xr_host.sha256(sum, (struct xr_bytes){data, size});
        xr_hex(hex, sum, sizeof(sum));
        line = xr_format("%ls %ls %lu %s", path, name, (unsigned long)type, hex);
        xr_strings_add(lines, line);
        free(line);
    }
}

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *image(const char *scratch, bool times)
{
    static const wchar_t certs[] = L"Software\\Microsoft\\SystemCertificates";
    static const struct {
        HKEY hive;
        const wchar_t *path, *name;
    } roots[] = {{HKEY_LOCAL_MACHINE, certs, L"machine"},
                 {HKEY_CURRENT_USER, certs, L"user"},
                 {HKEY_LOCAL_MACHINE, L"Software\\Policies", L"policies"}};
    struct xr_strings lines = {0};
    struct xr_buf out = {0};

    (void)scratch;
    (void)times;
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        HKEY key = NULL;

        if (RegOpenKeyExW(roots[i].hive, roots[i].path, 0, KEY_READ, &key) != ERROR_SUCCESS)
            continue;
        add_key(&lines, key, roots[i].name);
        (void)RegCloseKey(key);
    }
    if (lines.count > 1)
        qsort(lines.items, lines.count, sizeof(*lines.items), by_line);
    xr_buf_str(&out, "");
    for (size_t i = 0; i < lines.count; i++)
        xr_buf_fmt(&out, "%s\n", lines.items[i]);
    xr_strings_free(&lines);
    return out.data;
}

/* ---- one case ---- */

static const char *backend = "windows", *location;

static char *where(const char *scratch)
{
    (void)scratch;
    return xr_strdup(location);
}

static void as_it_is(const struct contract *ctx)
{
    (void)ctx;
}

static bool is_wine(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");

    return ntdll != NULL && GetProcAddress(ntdll, "wine_get_version") != NULL;
}

/* Wine's chain engine looks at neither the Disallowed store nor the EKU property of a context, and
 * tries one issuer of several that have one name. */
static const char *const beyond_wine[] = {
    "An enforced distrust wins over the anchor.",
};

static int run(const struct contract_case *c)
{
    const struct contract_kind kind = {
        .backend = backend, .location = where, .image = image, .stock = as_it_is};
    struct xr_registry registry;
    struct contract ctx = {.kind = &kind, .scratch = "C:\\"};
    const char *failed = NULL;
    int code = 0;

    for (size_t i = 0; is_wine() && i < sizeof(beyond_wine) / sizeof(beyond_wine[0]); i++) {
        if (strcmp(beyond_wine[i], c->name) == 0) {
            (void)printf("skip  Wine cannot show it (%s)\n", c->name);
            return 77;
        }
    }
    /* Wine fills it when a process opens it for the first time. */
    (void)CertCloseStore(CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                       CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG,
                                       L"ROOT"),
                         0);
    xr_registry_init(&registry);
    ctx.backend = xr_registry_find(&registry, backend);
    failed = contract_begin(&ctx);
    if (failed == NULL)
        failed = ctx.caps.writable ? c->run(&ctx) : "the store cannot be written";
    if (failed != NULL) {
        (void)printf("FAILED: %s\n%s\n", c->name, failed);
        code = 1;
    } else if (ctx.skipped != NULL) {
        (void)printf("skip  %s (%s)\n", ctx.skipped, c->name);
        code = 77;
    } else {
        (void)printf("ok: %s\n", c->name);
    }
    contract_end(&ctx);
    xr_registry_free(&registry);
    return code;
}

int main(int argc, char **argv)
{
    size_t at = 0;
    char *colon = NULL;

    if (argc != 3)
        return 2;
    location = argv[1];
    colon = strchr(argv[1], ':');
    if (colon != NULL) {
        *colon = '\0';
        backend = argv[1];
        location = colon + 1;
    }
    if (strcmp(argv[2], "list") == 0) {
        for (size_t i = 0; i < contract_case_count; i++)
            (void)printf("%zu %s\n", i, contract_cases[i].name);
        return 0;
    }
    at = strtoul(argv[2], NULL, 10);
    return at < contract_case_count ? run(&contract_cases[at]) : 2;
}
