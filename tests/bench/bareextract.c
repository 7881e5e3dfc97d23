/* xr-bareextract LIST TAR DIR: the least that writing the outputs of a root list can cost. Reads and hashes
 * the list, and writes the files and links of TAR, which are those outputs, to DIR. Every file has its own
 * name from the start; there is no check, no temporary name and no fsync. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

enum { BLOCK = 512 };

/* The header of POSIX's ustar, which every member begins with. */
struct header {
    char name[100];
    char mode[8], uid[8], gid[8];
    char size[12];
    char mtime[12], chksum[8];
    char type;
    char target[100];
    char magic[8], owner[32], group[32], major[8], minor[8];
    char prefix[155];
    char rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

struct file {
    unsigned char *data;
    size_t len;
};

static bool read_file(struct file *out, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0;

    if (ok) {
        out->len = (size_t)st.st_size;
        out->data = malloc(out->len + 1);
        ok = out->data != NULL && read(fd, out->data, out->len) == (ssize_t)out->len;
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool write_file(int dir, const char *name, const unsigned char *data, size_t len)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write(fd, data, len) == (ssize_t)len;

    return fd >= 0 && close(fd) == 0 && ok;
}

/* Writes the member at data, and says how long it is; 0: it cannot. */
static size_t write_member(int dir, const unsigned char *data, size_t left)
{
    struct header header;
    char name[sizeof(header.prefix) + sizeof(header.name) + 2], target[sizeof(header.target) + 1];
    size_t len = 0, whole = 0;
    bool ok = false;

    memcpy(&header, data, sizeof(header));
    snprintf(name, sizeof(name), "%.*s%s%.*s", (int)sizeof(header.prefix), header.prefix,
             header.prefix[0] != '\0' ? "/" : "", (int)sizeof(header.name), header.name);
    snprintf(target, sizeof(target), "%.*s", (int)sizeof(header.target), header.target);
    len = strtoul(header.size, NULL, 8);
    whole = BLOCK + (len + BLOCK - 1) / BLOCK * BLOCK;
    if (whole > left)
        return 0;
    if (header.type == '5')
        ok = mkdirat(dir, name, 0777) == 0 || errno == EEXIST;
    else if (header.type == '2')
        ok = symlinkat(target, dir, name) == 0;
    else if (header.type == '0')
        ok = write_file(dir, name, data + BLOCK, len);
    return ok ? whole : 0;
}

int main(int argc, char **argv)
{
    struct file list = {0}, tar = {0};
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t at = 0, members = 0, len = 0;
    int dir = -1;
    bool ok = true;

    if (argc != 4) {
        fputs("usage: xr-bareextract LIST TAR DIR\n", stderr);
        return 2;
    }
    dir = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = dir >= 0 && read_file(&list, argv[1]) && read_file(&tar, argv[2]) &&
         EVP_Digest(list.data, list.len, hash, NULL, EVP_sha256(), NULL) == 1;
    for (; ok && at + BLOCK <= tar.len && tar.data[at] != '\0'; at += len, members++) {
        len = write_member(dir, tar.data + at, tar.len - at);
        ok = len > 0;
    }
    if (ok)
        printf("%02x%02x %zu\n", hash[0], hash[1], members);
    else
        fprintf(stderr, "xr-bareextract: cannot read, or write member %zu\n", members);
    free(list.data);
    free(tar.data);
    if (dir >= 0)
        close(dir);
    return ok ? 0 : 1;
}
