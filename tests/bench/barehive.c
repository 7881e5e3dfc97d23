/* SPDX-License-Identifier: Apache-2.0 */
/* xr-barehive add HIVE FILE.pem | list HIVE: the least that certificates in a registry hive can cost with
 * libhivex. Adds a key with a Blob for each certificate of a file below SystemCertificates\ROOT, and puts a
 * durable copy in the hive's place; or reads all Blobs that are there. Parses no certificate. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hivex.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum { PATH_LIMIT = 4096 };

static hive_node_h below_root(hive_h *h, bool make)
{
    static const char *const path[] = {"Microsoft", "SystemCertificates", "ROOT", "Certificates"};
    hive_node_h at = hivex_root(h);

    for (size_t i = 0; at != 0 && i < sizeof(path) / sizeof(path[0]); i++) {
        hive_node_h next = hivex_node_get_child(h, at, path[i]);

        at = next == 0 && make ? hivex_node_add_child(h, at, path[i]) : next;
    }
    return at;
}

/* ID, 1, length, data: as Windows serializes a property. */
static size_t put(unsigned char *to, uint32_t id, const unsigned char *data, uint32_t len)
{
    const uint32_t head[3] = {id, 1, len};

    memcpy(to, head, sizeof(head));
    memcpy(to + sizeof(head), data, len);
    return sizeof(head) + len;
}

static bool add(hive_h *h, hive_node_h parent, const unsigned char *der, size_t len)
{
    enum { SHA1_PROPERTY = 3, CERT_PROPERTY = 32, HEADS = 2 * 12 + 20 };
    unsigned char sha1[EVP_MAX_MD_SIZE];
    char name[41], key[] = "Blob";
    unsigned char *blob = malloc(len + HEADS);
    hive_set_value value = {.key = key, .t = hive_t_REG_BINARY};
    hive_node_h node = 0;

    if (blob == NULL || EVP_Digest(der, len, sha1, NULL, EVP_sha1(), NULL) != 1) {
        free(blob);
        return false;
    }
    for (int i = 0; i < 20; i++)
        (void)snprintf(name + (size_t)i * 2, 3, "%02X", sha1[i]);
    value.len = put(blob, SHA1_PROPERTY, sha1, 20);
    value.len += put(blob + value.len, CERT_PROPERTY, der, (uint32_t)len);
    value.value = (char *)blob;
    node = hivex_node_add_child(h, parent, name);
    bool good = node != 0 && hivex_node_set_value(h, node, &value, 0) == 0;
    free(blob);
    return good;
}

static bool publish(hive_h *h, const char *hive)
{
    char copy[PATH_LIMIT];
    bool good = (size_t)snprintf(copy, sizeof(copy), "%s.copy", hive) < sizeof(copy) &&
                hivex_commit(h, copy, 0) == 0;
    int fd = good ? open(copy, O_RDONLY | O_CLOEXEC) : -1;

    good = fd >= 0 && fsync(fd) == 0 && rename(copy, hive) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static bool add_all(const char *hive, const char *file)
{
    FILE *in = fopen(file, "r");
    hive_h *h = hivex_open(hive, HIVEX_OPEN_WRITE);
    hive_node_h parent = h != NULL ? below_root(h, true) : 0;
    bool good = in != NULL && parent != 0;
    char *label = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;

    while (good && PEM_read(in, &label, &header, &der, &len) == 1) {
        good = add(h, parent, der, (size_t)len);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    good = good && publish(h, hive);
    if (in != NULL)
        (void)fclose(in);
    if (h != NULL)
        hivex_close(h);
    return good;
}

static bool list_all(const char *hive)
{
    hive_h *h = hivex_open(hive, 0);
    hive_node_h parent = h != NULL ? below_root(h, false) : 0;
    hive_node_h *keys = parent != 0 ? hivex_node_children(h, parent) : NULL;
    size_t count = 0, bytes = 0;

    for (; keys != NULL && keys[count] != 0; count++) {
        hive_value_h value = hivex_node_get_value(h, keys[count], "Blob");
        hive_type type = hive_t_REG_NONE;
        size_t len = 0;
        char *data = value != 0 ? hivex_value_value(h, value, &type, &len) : NULL;

        bytes += data != NULL ? len : 0;
        free(data);
    }
    free(keys);
    if (h != NULL)
        hivex_close(h);
    printf("%zu keys, %zu bytes\n", count, bytes);
    return count > 0;
}

int main(int argc, char **argv)
{
    bool adds = argc == 4 && strcmp(argv[1], "add") == 0;

    if (!adds && (argc != 3 || strcmp(argv[1], "list") != 0)) {
        (void)fputs("usage: xr-barehive add HIVE FILE.pem | list HIVE\n", stderr);
        return 2;
    }
    if (adds ? add_all(argv[2], argv[3]) : list_all(argv[2]))
        return 0;
    (void)fprintf(stderr, "xr-barehive: %s: failed\n", argv[2]);
    return 1;
}
