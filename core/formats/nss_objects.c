/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of PKCS#11 as softoken keeps them: a table with a column for each attribute. */
#include "nss_private.h"

#include <assert.h>
#include <stdlib.h>

/* The columns of NSS 3.87 (sdb.c, known_attributes). Newer ones add theirs when they first write. */
static const uint32_t attributes[] = {
    0x0,        0x1,        0x2,        0x3,        0x10,       0x11,       0x12,       0x80,
    0x81,       0x82,       0x83,       0x84,       0x85,       0x86,       0x87,       0x88,
    0x89,       0x8a,       0x8b,       0x90,       0x100,      0x101,      0x102,      0x103,
    0x104,      0x105,      0x106,      0x107,      0x108,      0x109,      0x10a,      0x10b,
    0x10c,      0x110,      0x111,      0x120,      0x121,      0x122,      0x123,      0x124,
    0x125,      0x126,      0x127,      0x128,      0x129,      0x130,      0x131,      0x132,
    0x133,      0x134,      0x160,      0x161,      0x162,      0x163,      0x164,      0x165,
    0x166,      0x170,      0x180,      0x181,      0x200,      0x201,      0x202,      0x210,
    0x300,      0x301,      0x302,      0x400,      0x401,      0x402,      0x403,      0x404,
    0x405,      0x406,      0x480,      0x481,      0x482,      0x500,      0x501,      0x502,
    0x503,      0x40000211, 0x40000212, 0x80000001, 0xce534351, 0xce534352, 0xce534353, 0xce534354,
    0xce534355, 0xce534356, 0xce534357, 0xce534358, 0xce534364, 0xce534365, 0xce534366, 0xce534367,
    0xce534368, 0xce534369, 0xce534373, 0xce534374, 0xce536351, 0xce536352, 0xce536353, 0xce536354,
    0xce536355, 0xce536356, 0xce536357, 0xce536358, 0xce536359, 0xce53635a, 0xce53635b, 0xce53635c,
    0xce53635d, 0xce53635e, 0xce53635f, 0xce536360, 0xce5363b4, 0xce5363b5, 0xd5a0db00,
};
enum { ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0]) };

static const struct {
    const char *name;
    uint32_t type;
} indexed[XR_NSS_INDEXES - 1] = {
    {"issuer", XR_CKA_ISSUER},
    {"subject", XR_CKA_SUBJECT},
    {"label", XR_CKA_LABEL},
    {"ckaid", XR_CKA_ID},
};

static size_t column_of(uint32_t type)
{
    size_t i = 0;

    while (i < ATTRIBUTES && attributes[i] != type)
        i++;
    assert(i < ATTRIBUTES);
    return i + 1; /* after the handle */
}

void xr_nss_objects_start(struct xr_nss_objects *objects, const char *name)
{
    struct xr_buf sql = {0};

    *objects = (struct xr_nss_objects){.row = xr_new(ATTRIBUTES + 1, sizeof(*objects->row))};
    xr_buf_fmt(&sql, "CREATE TABLE %s (id PRIMARY KEY UNIQUE ON CONFLICT ABORT", name);
    for (size_t i = 0; i < ATTRIBUTES; i++)
        xr_buf_fmt(&sql, ", a%x", attributes[i]);
    xr_buf_str(&sql, ")");
    objects->sql[0] = sql.data;
    objects->own_name = xr_format("sqlite_autoindex_%s_1", name);
    objects->indexes[0].name = objects->own_name;
    for (size_t i = 1; i < XR_NSS_INDEXES; i++) {
        objects->sql[i] = xr_format("CREATE INDEX %s ON %s (a%x)", indexed[i - 1].name, name,
                                    indexed[i - 1].type);
        objects->indexes[i] = (struct xr_sqlite_index){.name = indexed[i - 1].name,
                                                       .sql = objects->sql[i],
                                                       .column = column_of(indexed[i - 1].type)};
    }
    objects->table = (struct xr_sqlite_table){.name = name,
                                              .sql = objects->sql[0],
                                              .columns = ATTRIBUTES + 1,
                                              .indexes = objects->indexes,
                                              .index_count = XR_NSS_INDEXES};
}

void xr_nss_objects_set(struct xr_nss_objects *objects, uint32_t type, struct xr_bytes value)
{
    /* How softoken keeps an attribute that is there, but empty. */
    static const unsigned char empty[] = {0xa5, 0x00, 0x5a};

    objects->row[column_of(type)] = (struct xr_sqlite_value){
        .kind = XR_SQLITE_BLOB,
        .bytes = value.len > 0 ? value : (struct xr_bytes){empty, sizeof(empty)}};
}

uint32_t xr_nss_objects_add(struct xr_nss_objects *objects)
{
    uint32_t handle = (uint32_t)(objects->table.count + 1);

    objects->row[0] = (struct xr_sqlite_value){.kind = XR_SQLITE_INTEGER, .number = handle};
    xr_sqlite_add(&objects->table, objects->row);
    memset(objects->row, 0, (ATTRIBUTES + 1) * sizeof(*objects->row));
    return handle;
}

void xr_nss_objects_free(struct xr_nss_objects *objects)
{
    xr_sqlite_free(&objects->table);
    for (size_t i = 0; i < XR_NSS_INDEXES; i++)
        free(objects->sql[i]);
    free(objects->own_name);
    free(objects->row);
}
