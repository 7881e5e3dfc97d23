/* xr-bareloop DIR: the least that inspecting the certificates of xr-mkcerts can cost. Reads every
 * file, decodes one PEM certificate, parses it, hashes it and checks its signature. */
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
    int dir;
    EVP_MD *sha256;
    X509 *root; /* xr-mkcerts: whoever is not self-signed was signed by the root before it */
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

static X509 *load(struct loop *loop, const char *name, unsigned char hash[EVP_MAX_MD_SIZE])
{
    X509 *cert = NULL;
    char *label = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    BIO *in = NULL;
    ssize_t size = read_file(loop, name);
    if (size <= 0)
        goto out;
    in = BIO_new_mem_buf(loop->text, (int)size);
    if (in == NULL || PEM_read_bio(in, &label, &header, &der, &len) != 1 ||
        strcmp(label, PEM_STRING_X509) != 0 ||
        EVP_Digest(der, (size_t)len, hash, NULL, loop->sha256, NULL) != 1)
        goto out;
    const unsigned char *p = der;
    cert = d2i_X509(NULL, &p, len);
out:
    BIO_free(in);
    OPENSSL_free(der);
    OPENSSL_free(header);
    OPENSSL_free(label);
    return cert;
}

static bool check(struct loop *loop, const char *name)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    X509 *cert = load(loop, name, hash);
    if (cert == NULL)
        return false;
    bool is_root = X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
    const X509 *issuer = is_root ? cert : loop->root;
    bool good = issuer != NULL && X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
    if (is_root) {
        X509_free(loop->root);
        loop->root = cert;
    } else {
        X509_free(cert);
    }
    return good;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: xr-bareloop DIR\n", stderr);
        return 2;
    }
    static struct loop loop;
    loop.dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    loop.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    struct dirent **entries = NULL;
    int count = scandir(argv[1], &entries, visible, alphasort);
    int bad = loop.dir < 0 || loop.sha256 == NULL || count < 0;
    for (int i = 0; i < count; i++) {
        if (bad == 0 && !check(&loop, entries[i]->d_name)) {
            fprintf(stderr, "xr-bareloop: %s/%s is not as xr-mkcerts wrote it\n", argv[1],
                    entries[i]->d_name);
            bad = 1;
        }
        free(entries[i]);
    }
    free(entries);
    X509_free(loop.root);
    EVP_MD_free(loop.sha256);
    if (loop.dir >= 0)
        close(loop.dir);
    if (bad == 0)
        printf("%d\n", count);
    return bad;
}
