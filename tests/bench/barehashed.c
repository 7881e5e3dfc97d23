/* xr-barehashed DIR [OUT]: the least that a hashed directory can cost. Reads every file of DIR, parses
 * one PEM certificate and hashes it and its subject; with OUT, writes each there with its link HASH.N, as
 * `openssl rehash` names it, and syncs nothing. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { FILE_LIMIT = 64 * 1024 };

struct loop {
    int dir, out; /* out -1: none */
    EVP_MD *sha256;
    char text[FILE_LIMIT];
};

static ssize_t read_file(struct loop *loop, const char *name)
{
    int fd = openat(loop->dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t len = read(fd, loop->text, sizeof loop->text);
    close(fd);
    return len;
}

static bool write_both(const struct loop *loop, const unsigned char *sum, unsigned long hash,
                       size_t len)
{
    char name[2 * 32 + 5], link[32];
    for (int i = 0; i < 32; i++)
        snprintf(name + 2 * i, 3, "%02x", sum[i]);
    memcpy(name + 64, ".pem", 5);
    int fd = openat(loop->out, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool good = fd >= 0 && write(fd, loop->text, len) == (ssize_t)len;
    if (fd >= 0)
        close(fd);
    for (int n = 0; good; n++) {
        snprintf(link, sizeof link, "%08lx.%d", hash, n);
        if (symlinkat(name, loop->out, link) == 0)
            return true;
        if (faccessat(loop->out, link, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            return false;
    }
    return false;
}

static bool take(struct loop *loop, const char *name)
{
    ssize_t len = read_file(loop, name);
    BIO *in = len > 0 ? BIO_new_mem_buf(loop->text, (int)len) : NULL;
    X509 *cert = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    unsigned char sum[EVP_MAX_MD_SIZE];
    bool good = cert != NULL && X509_digest(cert, loop->sha256, sum, NULL) == 1;
    unsigned long hash = good ? X509_subject_name_hash(cert) : 0;
    if (good && loop->out >= 0)
        good = write_both(loop, sum, hash, (size_t)len);
    X509_free(cert);
    BIO_free(in);
    return good;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fputs("usage: xr-barehashed DIR [OUT]\n", stderr);
        return 2;
    }
    static struct loop loop;
    loop.dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    loop.out = argc == 3 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    loop.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    struct dirent **entries = NULL;
    int count = scandir(argv[1], &entries, visible, alphasort);
    int bad = loop.dir < 0 || (argc == 3 && loop.out < 0) || loop.sha256 == NULL || count < 0;
    for (int i = 0; i < count; i++) {
        if (bad == 0 && !take(&loop, entries[i]->d_name)) {
            fprintf(stderr, "xr-barehashed: %s/%s\n", argv[1], entries[i]->d_name);
            bad = 1;
        }
        free(entries[i]);
    }
    free(entries);
    EVP_MD_free(loop.sha256);
    if (loop.out >= 0)
        close(loop.out);
    if (loop.dir >= 0)
        close(loop.dir);
    if (bad == 0)
        printf("%d\n", count);
    return bad;
}
