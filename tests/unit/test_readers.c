/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and what they read, as far as no program is needed: files of programs, versions, keystores,
 * and which paths are plain. */
#include "formats/formats.h"
#include "pki.h"
#include "readers/trusts.h"
#include "stores/registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

/* This program itself: an ELF file that needs libcriterion. */
static struct xr_buf own(void)
{
    struct xr_buf file = {0};
    FILE *in = fopen("/proc/self/exe", "rbe");
    char part[4096];
    size_t len = 0;

    cr_assert_not_null(in);
    while ((len = fread(part, 1, sizeof(part), in)) > 0)
        xr_buf_add(&file, part, len);
    (void)fclose(in);
    return file;
}

static struct xr_bytes bytes_of(const struct xr_buf *buf, size_t len)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, len};
}

Test(readers, the_libraries_of_a_program_are_found)
{
    struct xr_buf file = own();
    struct xr_elf elf;
    bool found = false;

    cr_assert(xr_elf_read(&elf, bytes_of(&file, file.len)));
    for (size_t i = 0; i < elf.needed.count; i++)
        found = found || strncmp(elf.needed.items[i], "libcriterion.so", 15) == 0;
    cr_expect(found);
    xr_elf_free(&elf);
    xr_buf_free(&file);
}

Test(readers, a_program_that_is_cut_off_or_damaged_harms_nobody)
{
    struct xr_buf file = own();
    struct xr_elf elf;

    for (size_t len = 0; len < 1024; len++) {
        char *copy = xr_memdup(file.data, len); /* so that a step beyond it shows */

        (void)xr_elf_read(&elf, (struct xr_bytes){(const unsigned char *)copy, len});
        xr_elf_free(&elf);
        free(copy);
    }
    for (size_t at = 4; at < 1024; at++) {
        char was = file.data[at];

        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            file.data[at] = (char)(was ^ (char)flip);
            (void)xr_elf_read(&elf, bytes_of(&file, file.len));
            xr_elf_free(&elf);
        }
        file.data[at] = was;
    }
    xr_buf_free(&file);
}

Test(readers, a_measurement_stands_for_the_versions_of_its_series)
{
    const struct xr_program program = {.series = "7.88 3.1"};

    cr_expect(xr_readers_measured(&program, "7.88.1"));
    cr_expect(xr_readers_measured(&program, "7.88"));
    cr_expect(xr_readers_measured(&program, "3.1.2"));
    cr_expect_not(xr_readers_measured(&program, "3.11"));
    cr_expect_not(xr_readers_measured(&program, "7.880"));
    cr_expect_not(xr_readers_measured(&program, "8.0"));
    cr_expect_not(xr_readers_measured(&program, NULL));
    cr_expect_not(xr_readers_measured(&(struct xr_program){0}, "1.0"));
}

Test(readers, a_version_is_found_without_running_anything)
{
    char dir[] = "/tmp/xr-readers.XXXXXX";
    struct xr_program program = {.packages = "@ thing", .mark_in = "VERSION", .mark = "go"};
    struct xr_readers_at at = {0};
    char *path = NULL, *version = NULL;
    FILE *file = NULL;

    cr_assert_not_null(mkdtemp(dir));
    path = xr_format("%s/VERSION", dir);
    file = fopen(path, "we");
    (void)fputs("go1.19.8-rc1\n", file);
    (void)fclose(file);
    free(path);
    path = xr_format("%s/thing", dir);
    version = xr_readers_version(&at, &program, path, NULL);
    cr_expect_str_eq(version, "1.19.8");
    free(version);
    program.mark = "no such mark";
    cr_expect_null(xr_readers_version(&at, &program, path, NULL),
                   "what lies outside of a package's directories is of no package");
    version =
        xr_readers_version(&at, &program, "/home/a/.pyenv/versions/3.12.1/bin/python3.12", NULL);
    cr_expect_str_eq(version, "3.12.1");
    free(version);
    free(path);
    path = xr_format("%s/VERSION", dir);
    (void)unlink(path);
    (void)rmdir(dir);
    free(path);
}

Test(readers, every_row_of_the_table_says_what_it_was_measured_with)
{
    for (size_t i = 0; i < xr_program_count; i++) {
        const struct xr_program *p = &xr_programs[i];

        cr_expect_not_null(p->measured, "%s", p->name);
        cr_expect(p->files != NULL && p->files[0] != '\0', "%s", p->name);
        cr_expect_eq(p->word != NULL, p->engine == XR_ENGINE_BROWSER, "%s", p->name);
        cr_expect_eq(p->mark == NULL, p->mark_in == NULL, "%s", p->name);
        cr_expect(p->series != NULL || p->engine == XR_ENGINE_BROWSER, "%s", p->name);
    }
    cr_expect_str_eq(xr_program_browser("firefox")->name, "Firefox");
    cr_expect_null(xr_program_browser("curl"));
}

Test(readers, a_variable_counts_if_it_has_a_value)
{
    const char *const items[] = {"SSL_CERT_FILE=/a", "SSL_CERT_DIR=", "X"};
    const struct xr_readers_at at = {.environment = {items, 3}};

    cr_expect_str_eq(xr_readers_variable(&at, "SSL_CERT_FILE"), "/a");
    cr_expect_null(xr_readers_variable(&at, "SSL_CERT_DIR"));
    cr_expect_null(xr_readers_variable(&at, "SSL_CERT"));
    cr_expect_null(xr_readers_variable(&at, "X"));
}

static enum xr_status count_one(void *ctx, struct xr_bytes der)
{
    ++*(size_t *)ctx;
    return der.len > 0 ? XR_OK : XR_INVALID;
}

Test(readers, a_java_keystore_is_read_whole_or_not_at_all)
{
    static unsigned char der[2][3] = {{0x30, 1, 1}, {0x30, 1, 2}};
    struct xr_format_cert certs[2] = {{.der = {der[0], 3}, .label = "a", .label_len = 1},
                                      {.der = {der[1], 3}, .label = "b", .label_len = 1}};
    struct xr_format_cert *list[2] = {&certs[0], &certs[1]};
    struct xr_format_files files = {0};
    struct xr_format_options options = {.host = &xr_host};
    struct xr_bytes whole;
    size_t count = 0;

    xr_format_write(&files, XR_FORMAT_JAVA, list, 2, &options);
    whole = bytes_of(&files.items[0].content, files.items[0].content.len);
    cr_expect(xr_format_jks_read(whole, &xr_host, count_one, &count));
    cr_expect_eq(count, 2);
    for (size_t len = 0; len < whole.len; len++)
        cr_expect_not(
            xr_format_jks_read((struct xr_bytes){whole.data, len}, &xr_host, count_one, &count));
    xr_format_files_free(&files);
    for (size_t i = 0; i < 2; i++)
        free(certs[i].base64);
}
