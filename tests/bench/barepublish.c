/* xr-barepublish ROOT [CERT]: the least that publishing the certificates of a Debian root can cost. Reads and
 * hashes every source, reads every link and the bundle, and compares it with what the sources give. With
 * CERT it is added as a source, durably, and the bundle and its links are made: temporary name, fsync,
 * rename. There is no lock, no journal, no parsing and no verifier. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init: a fetch of EVP alone costs a millisecond */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

enum { BUNDLE_MAX = 64 << 20, NAME_SIZE = 512 };

static char *bundle, *published;
static size_t bundle_len;
static unsigned char sum;

static ssize_t read_at(int dir, const char *name, char *out, size_t room)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    ssize_t len = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size <= room)
        len = read(fd, out, (size_t)st.st_size);
    if (fd >= 0)
        close(fd);
    return len;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Each file of a directory of sources, by name, into the bundle. */
static bool take_sources(int root, const char *path)
{
    int dir = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent **entries = NULL;
    int count = dir >= 0 ? scandirat(dir, ".", &entries, visible, alphasort) : -1;
    bool ok = count >= 0;

    for (int i = 0; i < count; i++) {
        ssize_t len =
            ok ? read_at(dir, entries[i]->d_name, bundle + bundle_len, BUNDLE_MAX - bundle_len)
               : -1;
        unsigned char hash[SHA256_DIGEST_LENGTH];
        SHA256_CTX ctx;

        ok = len > 0;
        if (ok) {
            SHA256_Init(&ctx);
            SHA256_Update(&ctx, bundle + bundle_len, (size_t)len);
            SHA256_Final(hash, &ctx);
            sum ^= hash[0];
            bundle_len += (size_t)len;
        }
        free(entries[i]);
    }
    free(entries);
    if (dir >= 0)
        close(dir);
    return ok;
}

static size_t look_at_links(int fd)
{
    char target[4096];
    DIR *dir = fdopendir(dup(fd));
    const struct dirent *entry = NULL;
    size_t links = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        links +=
            entry->d_type == DT_LNK && readlinkat(fd, entry->d_name, target, sizeof(target)) > 0;
    if (dir != NULL)
        closedir(dir);
    return links;
}

static bool write_at(int dir, const char *name, const char *data, size_t len)
{
    int fd = openat(dir, ".new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && write(fd, data, len) == (ssize_t)len && fsync(fd) == 0;

    return fd >= 0 && close(fd) == 0 && ok && renameat(dir, ".new", dir, name) == 0;
}

static bool add_source(int root, const char *cert)
{
    char text[NAME_SIZE * 64];
    int dir = openat(root, "usr/local/share/ca-certificates", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t len = read_at(AT_FDCWD, cert, text, sizeof(text));
    bool ok = dir >= 0 && len > 0 && write_at(dir, "new.crt", text, (size_t)len) && fsync(dir) == 0;

    if (dir >= 0)
        close(dir);
    return ok;
}

int main(int argc, char **argv)
{
    int root = argc == 2 || argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int certs = root >= 0 ? openat(root, "etc/ssl/certs", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    ssize_t len = -1;
    size_t links = 0;
    bool ok = false;

    bundle = malloc(BUNDLE_MAX);
    published = malloc(BUNDLE_MAX);
    if (certs < 0 || bundle == NULL || published == NULL) {
        fputs("usage: xr-barepublish ROOT [CERT]\n", stderr);
        return 2;
    }
    ok = (argc == 2 || add_source(root, argv[2])) &&
         take_sources(root, "usr/share/ca-certificates") &&
         take_sources(root, "usr/local/share/ca-certificates");
    links = look_at_links(certs);
    len = read_at(certs, "ca-certificates.crt", published, BUNDLE_MAX);
    if (argc == 2)
        ok = ok && len == (ssize_t)bundle_len && memcmp(bundle, published, bundle_len) == 0;
    else
        ok = ok && write_at(certs, "ca-certificates.crt", bundle, bundle_len) &&
             symlinkat("/usr/local/share/ca-certificates/new.crt", certs, "new.pem") == 0 &&
             symlinkat("new.pem", certs, "ffffffff.0") == 0 && fsync(certs) == 0;
    if (ok)
        printf("%02x %zu\n", sum, links);
    else
        fputs("xr-barepublish: not published as the sources are\n", stderr);
    return ok ? 0 : 1;
}
