/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nss-looks LIBS DATABASE…: is what crossroot finds in the files of each database what softoken lists?
 * One word a database: "same", "unknown" (then softoken is asked), or "DIFFERENT". LIBS is a directory
 * of NSS libraries or "system".
 *
 * nss-looks LIBS -b SCRATCH STEP DATABASE: the same with every STEP-th byte of its files changed, each to
 * two other values, one after the other. Prints how many were the same and how many unknown.
 *
 * Ends with 1 if any was different, and says which.
 */
#include "../../backends/nss/store.h"
#include "stores/registry.h"
#include "sys/sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct nss_libs libs;

static void put(struct xr_buf *out, const void *data, size_t len)
{
    xr_buf_put32(out, (uint32_t)len);
    xr_buf_add(out, data, len);
}

static enum xr_status note(void *ctx, const struct xr_entry *entry)
{
    struct xr_buf *out = ctx;

    put(out, entry->subject.id, sizeof(entry->subject.id));
    xr_buf_put32(out, (uint32_t)entry->subject.type);
    xr_buf_put32(out, (uint32_t)entry->place);
    xr_buf_put32(out, entry->purposes);
    put(out, entry->der.data, entry->der.len);
    put(out, entry->native.data, entry->native.len);
    put(out, entry->issuer.data, entry->issuer.len);
    put(out, entry->serial.data, entry->serial.len);
    put(out, entry->about.data, entry->about.len);
    put(out, entry->label, entry->label != NULL ? strlen(entry->label) : 0);
    put(out, entry->remark, entry->remark != NULL ? strlen(entry->remark) : 0);
    return XR_OK;
}

/* All entries as bytes. */
static bool list(struct xr_buf *out, struct xr_session *session)
{
    struct nss_view view = {.host = session->host};
    bool good = nss_view_load(&view, session, NSS_CERTS | NSS_CRLS, NULL, NULL) == XR_OK &&
                nss_view_emit(&view, NULL, note, out) == XR_OK;

    nss_view_free(&view);
    return good;
}

static bool by_softoken(struct xr_buf *out, int dir)
{
    struct xr_session session = {.host = &xr_host, .libs = libs, .dir = dir};
    bool good = nss_token_open(&session.token, &libs, dir, false, NULL) == XR_OK;

    good = good && !session.token.password && list(out, &session);
    nss_token_close(&session.token);
    return good;
}

enum answer { SAME, UNKNOWN, DIFFERENT };

/* Takes what is in look. */
static enum answer compare(struct nss_look *look, int dir)
{
    struct xr_session session = {.host = &xr_host, .looked = true, .look = *look};
    struct xr_buf ours = {0}, theirs = {0};
    bool same = list(&ours, &session) && by_softoken(&theirs, dir) && ours.len == theirs.len &&
                (ours.len == 0 || memcmp(ours.data, theirs.data, ours.len) == 0);

    nss_look_free(&session.look);
    xr_buf_free(&ours);
    xr_buf_free(&theirs);
    return same ? SAME : DIFFERENT;
}

static enum answer ask(int dir)
{
    struct nss_look look;

    return nss_look_open(&look, &xr_host, dir) ? compare(&look, dir) : UNKNOWN;
}

/* ---- every byte ---- */

static const char *const names[] = {"cert9.db", "key4.db"};

static bool from_memory(const struct xr_buf files[2])
{
    struct btree_file pages[2];
    struct p11_objects objects = {0};
    bool good = true, keyless = files[1].len == 0;

    for (size_t i = 0; i < 2; i++)
        good = (btree_open(&pages[i], (unsigned char *)files[i].data, files[i].len, -1) ||
                (i == 1 && keyless)) &&
               good;
    good = good && nss_look_read(&objects, &xr_host, &pages[0], keyless ? NULL : &pages[1]);
    p11_objects_free(&objects);
    for (size_t i = 0; i < 2; i++)
        btree_close(&pages[i]);
    return good;
}

static void poke(int dir, const char *name, size_t at, unsigned char value)
{
    int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || pwrite(fd, &value, 1, (off_t)at) != 1 || close(fd) != 0) {
        perror(name);
        exit(2);
    }
}

static int every_byte(int from, int scratch, size_t step)
{
    struct xr_buf files[2] = {{0}, {0}};
    size_t counts[3] = {0};

    for (size_t i = 0; i < 2; i++) {
        int fd = openat(scratch, names[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        (void)xr_sys_read_at(&files[i], from, names[i], (size_t)64 << 20, NULL);
        if (fd < 0 || write(fd, files[i].data, files[i].len) != (ssize_t)files[i].len ||
            close(fd) != 0) {
            perror(names[i]);
            return 2;
        }
    }
    if (ask(scratch) != SAME) {
        (void)printf("it is not known, or different, to begin with\n");
        return 1;
    }
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 0; at < files[i].len; at += step) {
            unsigned char was = (unsigned char)files[i].data[at];
            const unsigned char others[] = {was ^ 1U, was == 0 ? 0xff : 0};

            for (size_t k = 0; k < sizeof(others); k++) {
                enum answer answer = UNKNOWN;

                files[i].data[at] = (char)others[k];
                if (from_memory(files)) {
                    poke(scratch, names[i], at, others[k]);
                    answer = ask(scratch);
                    poke(scratch, names[i], at, was);
                }
                counts[answer]++;
                if (answer == DIFFERENT)
                    (void)printf("DIFFERENT: %s, byte %zu, %02x instead of %02x\n", names[i], at,
                                 others[k], was);
            }
            files[i].data[at] = (char)was;
        }
    }
    (void)printf("%zu same, %zu unknown, %zu different\n", counts[SAME], counts[UNKNOWN],
                 counts[DIFFERENT]);
    for (size_t i = 0; i < 2; i++)
        xr_buf_free(&files[i]);
    return counts[DIFFERENT] > 0;
}

static int open_dir(const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0) {
        perror(path);
        exit(2);
    }
    return dir;
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"same", "unknown", "DIFFERENT"};
    struct xr_error err = {.size = sizeof(err)};
    struct xr_site site = {.size = sizeof(site)};
    int result = 0;

    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "system") != 0)
        site.nss = argv[1];
    if (nss_libs_find(&libs, &site, &err) != XR_OK || !nss_token_known(&libs)) {
        (void)fprintf(stderr, "no NSS that is known: %s\n", err.text);
        return 2;
    }
    if (argc == 6 && strcmp(argv[2], "-b") == 0)
        return every_byte(open_dir(argv[5]), open_dir(argv[3]), strtoul(argv[4], NULL, 10));
    for (int i = 2; i < argc; i++) {
        int dir = open_dir(argv[i]);
        enum answer answer = ask(dir);

        (void)printf("%s %s\n", words[answer], argv[i]);
        result |= answer == DIFFERENT;
        (void)close(dir);
    }
    return result;
}
