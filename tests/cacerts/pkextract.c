/* SPDX-License-Identifier: Apache-2.0 */
/* xr-pkextract: `trust extract` by core/p11files/p11files.h, for extract.sh to compare with the real one.
 *
 *   xr-pkextract [--readdir] [--first-rdn] FORMAT FILTER PURPOSE COMMENT DESTINATION PATH...
 *   xr-pkextract --same KEYSTORE KEYSTORE
 *   xr-pkextract --bench PATH...
 *
 * --readdir takes directories as they come, as p11-kit before 0.25.6, --first-rdn labels as before
 * 0.26. PURPOSE and COMMENT may be "-"; a bundle's DESTINATION too, for standard output. */
#include "p11files/p11files.h"
#include "stores/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool as_they_come;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static struct xr_buf read_file(const char *path)
{
    struct xr_buf buf = {0};
    char chunk[1 << 16];
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        die(path);
    while ((got = read(fd, chunk, sizeof(chunk))) > 0)
        xr_buf_add(&buf, chunk, (size_t)got);
    (void)close(fd);
    return buf;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_directory(struct pf_store *store, size_t token, enum pf_area area,
                           const char *path)
{
    struct xr_strings names = {0};
    DIR *dir = opendir(path);
    struct dirent *entry = NULL;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL)
        xr_strings_add(&names, entry->d_name);
    (void)closedir(dir);
    if (!as_they_come && names.count > 0)
        qsort(names.items, names.count, sizeof(*names.items), by_name);
    for (size_t i = 0; i < names.count; i++) {
        char *file = xr_format("%s/%s", path, names.items[i]);
        struct stat st;

        if (stat(file, &st) == 0 && !S_ISDIR(st.st_mode)) {
            struct xr_buf buf = read_file(file);
            struct xr_error err = {0};

            if (pf_add(store, token, area, names.items[i],
                       (struct xr_bytes){(const unsigned char *)buf.data, buf.len},
                       &err) != XR_OK &&
                getenv("XR_VERBOSE") != NULL)
                (void)fprintf(stderr, "%s\n", err.text);
            xr_buf_free(&buf);
        }
        free(file);
    }
    xr_strings_free(&names);
}

static void read_token(struct pf_store *store, size_t token, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return;
    if (S_ISDIR(st.st_mode)) {
        char *anchors = xr_format("%s/anchors", path), *blocklist = xr_format("%s/blocklist", path);

        read_directory(store, token, PF_BASE, path);
        read_directory(store, token, PF_ANCHORS, anchors);
        read_directory(store, token, PF_BLOCKLIST, blocklist);
        free(anchors);
        free(blocklist);
    } else {
        struct xr_buf buf = read_file(path);

        (void)pf_add(store, token, PF_ANCHORS, path,
                     (struct xr_bytes){(const unsigned char *)buf.data, buf.len}, NULL);
        xr_buf_free(&buf);
    }
}

static const char *const formats[] = {
    [XR_FORMAT_PEM_BUNDLE] = "pem-bundle",
    [XR_FORMAT_OPENSSL_BUNDLE] = "openssl-bundle",
    [XR_FORMAT_JAVA] = "java-cacerts",
    [XR_FORMAT_EDK2] = "edk2-cacerts",
    [XR_FORMAT_PEM_DIRECTORY] = "pem-directory-hash",
    [XR_FORMAT_OPENSSL_DIRECTORY] = "openssl-directory",
};

static void write_outs(const struct xr_format_files *outs, const char *destination)
{
    if (outs->count != 1 || outs->items[0].name != NULL) {
        if (mkdir(destination, 0755) != 0)
            die(destination);
    }
    for (size_t i = 0; i < outs->count; i++) {
        const struct xr_format_file *out = &outs->items[i];
        char *path =
            out->name != NULL ? xr_format("%s/%s", destination, out->name) : xr_strdup(destination);

        if (out->target != NULL) {
            if (symlink(out->target, path) != 0)
                die(path);
        } else {
            FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wbx");

            if (file == NULL ||
                fwrite(out->content.data, 1, out->content.len, file) != out->content.len)
                die(path);
            (void)fclose(file);
        }
        free(path);
    }
}

static int same(const char *a, const char *b)
{
    struct xr_buf one = read_file(a), two = read_file(b);
    bool equal =
        xr_format_same_jks((struct xr_bytes){(const unsigned char *)one.data, one.len},
                           (struct xr_bytes){(const unsigned char *)two.data, two.len}, &xr_host);

    xr_buf_free(&one);
    xr_buf_free(&two);
    return equal ? 0 : 1;
}

static double milliseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Fedora's set; CPU time with and without reading the files. */
static void bench(struct pf_store *store)
{
    static const struct pf_request fedora[] = {
        {XR_FORMAT_OPENSSL_BUNDLE, PF_CERTIFICATES, 0, true},
        {XR_FORMAT_PEM_BUNDLE, PF_CA_ANCHORS, XR_SERVER, true},
        {XR_FORMAT_PEM_BUNDLE, PF_CA_ANCHORS, XR_EMAIL, true},
        {XR_FORMAT_PEM_BUNDLE, PF_CA_ANCHORS, XR_CODE, true},
        {XR_FORMAT_JAVA, PF_CA_ANCHORS, XR_SERVER, false},
        {XR_FORMAT_EDK2, PF_CA_ANCHORS, XR_SERVER, false},
        {XR_FORMAT_PEM_DIRECTORY, PF_CA_ANCHORS, XR_SERVER, false},
    };
    double start = milliseconds(), total = 0;

    printf("%zu certificates, %.1f ms until read", store->certs.count, start);
    for (size_t i = 0; i < sizeof(fedora) / sizeof(fedora[0]); i++) {
        struct xr_format_files outs = {0};
        double before = milliseconds(), took = 0;

        pf_extract(&outs, store, &fedora[i]);
        took = milliseconds() - before;
        printf(", %s %.1f", formats[fedora[i].format], took);
        total += took;
        xr_format_files_free(&outs);
    }
    printf(", all %.1f\n", total);
}

int main(int argc, char **argv)
{
    struct pf_store store = {.host = &xr_host};
    struct xr_format_files outs = {0};
    struct pf_request request = {0};
    bool measure = false;

    if (argc == 4 && strcmp(argv[1], "--same") == 0)
        return same(argv[2], argv[3]);
    for (; argc > 1 && argv[1][0] == '-' && argv[1][1] == '-'; argc--, argv++) {
        as_they_come = as_they_come || strcmp(argv[1], "--readdir") == 0;
        store.first_rdn = store.first_rdn || strcmp(argv[1], "--first-rdn") == 0;
        measure = measure || strcmp(argv[1], "--bench") == 0;
    }
    if (argc < (measure ? 2 : 7)) {
        (void)fputs("usage: see the source\n", stderr);
        return 2;
    }
    for (int i = measure ? 1 : 6; i < argc; i++)
        read_token(&store, (size_t)i, argv[i]);
    if (measure) {
        bench(&store);
    } else {
        while (strcmp(formats[request.format], argv[1]) != 0)
            request.format++;
        request.filter = strcmp(argv[2], "ca-anchors") == 0 ? PF_CA_ANCHORS : PF_CERTIFICATES;
        request.purpose = strcmp(argv[3], "server-auth") == 0    ? XR_SERVER
                          : strcmp(argv[3], "email") == 0        ? XR_EMAIL
                          : strcmp(argv[3], "code-signing") == 0 ? XR_CODE
                                                                 : 0;
        request.comments = strcmp(argv[4], "--comment") == 0;
        pf_extract(&outs, &store, &request);
        write_outs(&outs, argv[5]);
    }
    xr_format_files_free(&outs);
    pf_free(&store);
    return 0;
}
