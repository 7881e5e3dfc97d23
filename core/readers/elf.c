/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic section of an ELF file (System V ABI, chapters 4 and 5), of either size and byte order.
 * The file may be anybody's: every number in it is checked. */
#include "readers.h"

#define PT_LOAD     1u
#define PT_DYNAMIC  2u
#define DT_NEEDED   1u
#define DT_STRTAB   5u
#define DT_STRSZ    10u
#define DT_RPATH    15u
#define DT_RUNPATH  29u
#define NEEDED_MAX  256u
#define HEADERS_MAX 256u
#define DYNAMIC_MAX 4096u

struct image {
    struct xr_bytes file;
    bool wide, big; /* 64 bits; most significant octet first */
};

/* An unsigned number of so many octets; false outside the file. */
static bool number(uint64_t *out, const struct image *e, uint64_t at, size_t octets)
{
    *out = 0;
    if (at > e->file.len || octets > e->file.len - at)
        return false;
    for (size_t i = 0; i < octets; i++)
        *out = *out << 8 | e->file.data[at + (e->big ? i : octets - 1 - i)];
    return true;
}

struct header {
    uint64_t type, offset, address, size;
};

static bool header_at(struct header *out, const struct image *e, size_t index)
{
    uint64_t table = 0, step = 0, count = 0, at = 0;
    size_t word = e->wide ? 8 : 4;

    if (!number(&table, e, e->wide ? 32 : 28, word) || !number(&step, e, e->wide ? 54 : 42, 2) ||
        !number(&count, e, e->wide ? 56 : 44, 2) || index >= count || index >= HEADERS_MAX ||
        table > e->file.len)
        return false;
    at = table + step * index;
    return number(&out->type, e, at, 4) && number(&out->offset, e, at + (e->wide ? 8 : 4), word) &&
           number(&out->address, e, at + (e->wide ? 16 : 8), word) &&
           number(&out->size, e, at + (e->wide ? 32 : 16), word);
}

/* Where in the file an address is. */
static bool offset_of(uint64_t *out, const struct image *e, uint64_t address)
{
    struct header h;

    for (size_t i = 0; header_at(&h, e, i); i++) {
        if (h.type != PT_LOAD || address < h.address || address - h.address >= h.size)
            continue;
        *out = h.offset + (address - h.address);
        return *out >= h.offset && *out <= e->file.len;
    }
    return false;
}

static bool dynamic_at(uint64_t *tag, uint64_t *value, const struct image *e,
                       const struct header *dynamic, size_t index)
{
    size_t word = e->wide ? 8 : 4;
    uint64_t at = dynamic->offset + (uint64_t)index * 2 * word;

    return index < DYNAMIC_MAX && ((uint64_t)index + 1) * 2 * word <= dynamic->size &&
           at >= dynamic->offset && number(tag, e, at, word) && number(value, e, at + word, word) &&
           *tag != 0;
}

static void add_text(struct xr_strings *out, struct xr_bytes table, uint64_t at)
{
    if (at < table.len && memchr(table.data + at, '\0', table.len - at) != NULL &&
        out->count < NEEDED_MAX)
        xr_strings_add(out, (const char *)table.data + at);
}

bool xr_elf_read(struct xr_elf *out, struct xr_bytes file)
{
    struct image e = {.file = file};
    struct header dynamic = {0};
    struct xr_bytes table = {0};
    uint64_t tag = 0, value = 0, strings = 0, size = 0, offset = 0;
    bool found = false;

    *out = (struct xr_elf){0};
    if (file.len < 52 || memcmp(file.data, "\177ELF", 4) != 0 || file.data[4] < 1 ||
        file.data[4] > 2 || file.data[5] < 1 || file.data[5] > 2)
        return false;
    e.wide = file.data[4] == 2;
    e.big = file.data[5] == 2;
    for (size_t i = 0; !found && header_at(&dynamic, &e, i); i++)
        found = dynamic.type == PT_DYNAMIC;
    if (!found || dynamic.offset > file.len)
        return false;
    for (size_t i = 0; dynamic_at(&tag, &value, &e, &dynamic, i); i++) {
        strings = tag == DT_STRTAB ? value : strings;
        size = tag == DT_STRSZ ? value : size;
    }
    if (!offset_of(&offset, &e, strings))
        return false;
    table = (struct xr_bytes){file.data + offset, file.len - (size_t)offset};
    if (size < table.len)
        table.len = (size_t)size;
    for (size_t i = 0; dynamic_at(&tag, &value, &e, &dynamic, i); i++) {
        if (tag == DT_NEEDED)
            add_text(&out->needed, table, value);
        else if (tag == DT_RPATH || tag == DT_RUNPATH)
            add_text(&out->runpath, table, value);
    }
    return true;
}

void xr_elf_free(struct xr_elf *elf)
{
    xr_strings_free(&elf->needed);
    xr_strings_free(&elf->runpath);
    *elf = (struct xr_elf){0};
}
