/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nss-probe [-l LIBS] [-p PURPOSE] [-n HOST] [-t SECONDS] DATABASE FILE… [+ FILE…]…: what nss_verify
 * says of each chain, a line each: "ANSWER | FILES OF THE PATH | BY | WHY". FILE is the bytes as
 * they are, or by its name (*.pem) the certificates in it. The last line says whether NSS could end.
 */
#include "../../backends/nss/nss.h"
#include "stores/registry.h"
#include "sys/sys.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct chain {
    struct xr_bytes *items;
    char **names;
    size_t count, capacity, names_capacity;
    const char *file;
};

static enum xr_status add(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct chain *chain = ctx;

    (void)kind;
    chain->items =
        xr_grow(chain->items, &chain->capacity, chain->count + 1, sizeof(chain->items[0]));
    chain->names =
        xr_grow(chain->names, &chain->names_capacity, chain->count + 1, sizeof(chain->names[0]));
    chain->names[chain->count] = xr_strdup(chain->file);
    chain->items[chain->count++] = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    return XR_OK;
}

static void read_file(struct chain *chain, const char *path)
{
    struct xr_buf file = {0};
    struct xr_error err = {0};
    const char *dot = strrchr(path, '.');
    enum xr_status status = xr_sys_read_at(&file, AT_FDCWD, path, (size_t)4 << 20, &err);
    struct xr_bytes bytes = {(const unsigned char *)file.data, file.len};

    chain->file = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    if (status == XR_OK && dot != NULL && strcmp(dot, ".pem") == 0)
        status = xr_host.items(bytes, add, chain, &err);
    else if (status == XR_OK)
        status = add(chain, XR_ITEM_CERT, bytes);
    if (status != XR_OK) {
        (void)fprintf(stderr, "%s: %s\n", path, err.text);
        exit(2);
    }
    xr_buf_free(&file);
}

static void print_path(const struct xr_verdict *verdict, const struct chain *chain)
{
    for (size_t i = 0; i < verdict->path_len; i++) {
        const char *name = "(store)";

        for (size_t k = 0; k < chain->count; k++) {
            unsigned char id[XR_SHA256_LEN];

            xr_host.sha256(id, chain->items[k]);
            if (memcmp(id, verdict->path[i], sizeof(id)) == 0)
                name = chain->names[k];
        }
        (void)printf(" %s", name);
    }
}

static void chain_free(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        free((void *)(uintptr_t)chain->items[i].data);
        free(chain->names[i]);
    }
    free(chain->items);
    free(chain->names);
    *chain = (struct chain){0};
}

/* A certificate still held makes NSS_Shutdown fail; its error code stays. */
static bool ended(const struct nss_libs *libs)
{
    void *handle = nss_libs_load(libs, "libnss3.so", NULL);
    void *symbol = handle != NULL ? dlsym(handle, "PR_SetError") : NULL;
    void (*set_error)(int, int) = NULL;
    int (*get_error)(void) = NULL;

    if (symbol == NULL)
        return false;
    memcpy(&set_error, &symbol, sizeof(symbol));
    symbol = dlsym(handle, "PR_GetError");
    if (symbol == NULL)
        return false;
    memcpy(&get_error, &symbol, sizeof(symbol));
    set_error(0, 0);
    nss_verify_end();
    return get_error() == 0;
}

static int ask(const struct nss_libs *libs, struct xr_probe *probe, struct chain *chain)
{
    static const char *const answers[] = {"unknown", "yes", "no"};
    struct xr_verdict verdict;
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    probe->chain = chain->items;
    probe->count = chain->count;
    status = nss_verify(&verdict, libs, &xr_host, probe, NULL, &err);
    if (status != XR_OK) {
        (void)printf("failed %d | | | %s\n", (int)status, err.text);
        return 1;
    }
    (void)printf("%s |", answers[verdict.answer]);
    print_path(&verdict, chain);
    (void)printf(" | %s | %s\n", verdict.by, verdict.why);
    return 0;
}

static uint32_t purpose_of(const char *name)
{
    for (uint32_t bit = 1; xr_purpose_name(bit) != NULL; bit <<= 1) {
        if (strcmp(xr_purpose_name(bit), name) == 0)
            return bit;
    }
    return XR_ANY_PURPOSE;
}

static void options(struct xr_probe *probe, struct nss_libs *libs, int argc, char **argv)
{
    int option = 0;

    while ((option = getopt(argc, argv, "+l:p:n:t:")) != -1) {
        if (option == 'l')
            (void)snprintf(libs->dir, sizeof(libs->dir), "%s", optarg);
        else if (option == 'p')
            probe->purpose = purpose_of(optarg);
        else if (option == 'n')
            probe->host = optarg;
        else if (option == 't')
            probe->at = strtoll(optarg, NULL, 10);
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    struct xr_probe probe = {.size = sizeof(probe), .purpose = XR_SERVER, .at = time(NULL)};
    struct nss_libs libs = {.dir = ""};
    struct chain chain = {0};
    char here[4096];
    int failed = 0;

    options(&probe, &libs, argc, argv);
    if (argc - optind < 2 || getcwd(here, sizeof(here)) == NULL || chdir(argv[optind]) != 0)
        return 2;
    for (int i = optind + 1; i <= argc; i++) {
        char path[8192];

        if (i == argc || strcmp(argv[i], "+") == 0) {
            failed |= ask(&libs, &probe, &chain);
            chain_free(&chain);
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", argv[i][0] == '/' ? "" : here, argv[i]);
        chain.file = NULL;
        read_file(&chain, path);
    }
    (void)printf("%s\n", failed != 0 || ended(&libs) ? "ended" : "busy");
    return failed;
}
