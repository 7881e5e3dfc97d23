/* SPDX-License-Identifier: Apache-2.0 */
/* What each program reads, in the order in which it reads: from what its files say, from variables and
 * from its configuration. A configuration that changes it in a way that is not followed here is named,
 * and then no answer is given. */
#include "readers.h"

#include "sys/tree.h"

#include <ctype.h>
#include <stdlib.h>

#define TEXT_MAX      ((size_t)4 << 20)
#define DEBIAN_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

struct xr_read *xr_readers_add(struct xr_reader_row *reader, enum xr_read_kind kind,
                               const char *path, const char *by)
{
    struct xr_read *read = XR_PUSH(&reader->reads);

    read->kind = kind;
    read->path = path != NULL ? xr_strdup(path) : NULL;
    read->by = by != NULL ? xr_strdup(by) : NULL;
    return read;
}

/* A reason is kept; the first one counts. */
XR_PRINTF(2, 3) static void cannot(struct xr_reader_row *reader, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (reader->cannot == NULL)
        reader->cannot = xr_strdup(text);
}

/* A file, under its name without links; what does not exist stays as it is written. */
static void add_file(struct xr_reader_row *reader, const struct xr_readers_at *at,
                     enum xr_read_kind kind, const char *path, const char *by)
{
    struct xr_tree_file file = {0};
    struct xr_error err = {0};
    enum xr_status status = xr_tree_file(&file, at->root, path, &err);

    (void)xr_readers_add(reader, kind, status == XR_OK ? file.real : path, by);
    if (status != XR_OK && status != XR_ABSENT)
        cannot(reader, "it reads what cannot be read here: %s", err.text);
    xr_tree_file_free(&file);
}

/* A list of directories as in SSL_CERT_DIR. */
static void add_dirs(struct xr_reader_row *reader, const struct xr_readers_at *at,
                     enum xr_read_kind kind, const char *list, const char *by)
{
    for (const char *dir = list; *dir != '\0'; dir += *dir == ':') {
        size_t len = strcspn(dir, ":");
        char *whole = xr_format("%.*s", (int)len, dir);
        char *real = len > 0 ? xr_tree_dir(at->root, whole) : NULL;

        if (real != NULL)
            (void)xr_readers_add(reader, kind, real, by);
        free(real);
        free(whole);
        dir += len;
    }
}

static bool there(const struct xr_readers_at *at, const char *path)
{
    struct xr_tree_file file = {0};
    bool is = xr_tree_file(&file, at->root, path, NULL) == XR_OK;

    xr_tree_file_free(&file);
    return is;
}

/* Path of the directory that the program lies in, and what follows it. */
static char *beside(const char *path, const char *rest)
{
    const char *slash = strrchr(path, '/');

    return xr_format("%.*s/%s", slash != NULL ? (int)(slash - path) : 0, path, rest);
}

/* The program's part: the first alternative that is there. "@" in it stands for the digits in the name
 * of the program, "*" at its end for any ending. */
static char *part_of(const struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    const char *base = strrchr(reader->path, '/') + 1;
    const char *digits = strchr(base, '.') != NULL ? strchr(base, '.') + 1 : "";
    char *found = NULL;

    for (const char *word = reader->program->part; found == NULL && word != NULL && *word != '\0';
         word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");
        struct xr_buf text = {0};
        char *path = NULL;

        for (size_t i = 0; i < len; i++) {
            if (word[i] == '@')
                xr_buf_str(&text, digits);
            else
                xr_buf_add(&text, word + i, 1);
        }
        word += len;
        path = beside(reader->path, text.data);
        if (path[strlen(path) - 1] == '*') {
            char *slash = strrchr(path, '/');
            struct xr_strings names = {0};

            path[strlen(path) - 1] = '\0';
            *slash = '\0';
            (void)xr_tree_names(&names, at->root, path, NULL);
            for (size_t i = 0; found == NULL && i < names.count; i++) {
                if (strstr(names.items[i], slash + 1) == names.items[i])
                    found = xr_format("%s/%s", path, names.items[i]);
            }
            xr_strings_free(&names);
        } else if (there(at, path)) {
            found = xr_strdup(path);
        }
        free(path);
        xr_buf_free(&text);
    }
    return found;
}

/* ---- what changes where a program looks ---- */

static bool holds_word(const char *line, size_t len, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= len; i++) {
        size_t same = 0;

        while (same < size && tolower((unsigned char)line[i + same]) == word[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

/* Configuration that may direct a program elsewhere, with the words that do, in lower case. "~" is the
 * home, "^" the configuration's home. */
static const struct {
    const char *program, *path, *words[5];
} configs[] = {
    {"curl", "~/.curlrc", {"cacert", "capath", "insecure", "ca-native", "-k"}},
    {"curl", "^/curlrc", {"cacert", "capath", "insecure", "ca-native", "-k"}},
    {"git", "/etc/gitconfig", {"sslcainfo", "sslcapath", "sslverify", "[include"}},
    {"git", "~/.gitconfig", {"sslcainfo", "sslcapath", "sslverify", "[include"}},
    {"git", "^/git/config", {"sslcainfo", "sslcapath", "sslverify", "[include"}},
    {"wget", "/etc/wgetrc", {"ca_cert", "ca_directory", "check_cert", "check-cert", "ca-cert"}},
    {"wget", "~/.wgetrc", {"ca_cert", "ca_directory", "check_cert", "check-cert", "ca-cert"}},
    {"apt", "/etc/apt/apt.conf", {"cainfo", "verify-peer", "verify-host"}},
    {"apt", "/etc/apt/apt.conf.d", {"cainfo", "verify-peer", "verify-host"}},
    {"pip (Python)", "/etc/pip.conf", {"cert", "trusted-host"}},
    {"pip (Python)", "~/.pip/pip.conf", {"cert", "trusted-host"}},
    {"pip (Python)", "^/pip/pip.conf", {"cert", "trusted-host"}},
    {"cargo", "~/.cargo/config.toml", {"cainfo", "ssl"}},
    {"cargo", "~/.cargo/config", {"cainfo", "ssl"}},
    {"gnutls-cli", "/etc/gnutls/config", {"override", "insecure", "disabled", "min-"}},
    {"wget", "/etc/gnutls/config", {"override", "insecure", "disabled", "min-"}},
    {"git", "/etc/gnutls/config", {"override", "insecure", "disabled", "min-"}},
    {"apt", "/etc/gnutls/config", {"override", "insecure", "disabled", "min-"}},
};

static void heed_file(struct xr_reader_row *reader, const struct xr_readers_at *at,
                      const char *path, const char *const words[5])
{
    struct xr_buf text = {0};
    struct xr_error err = {0};
    enum xr_status status = xr_tree_read(&text, at->root, path, TEXT_MAX, &err);

    if (status != XR_OK && status != XR_ABSENT)
        cannot(reader, "its configuration cannot be read: %s", err.text);
    for (const char *line = text.data; status == XR_OK && line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t blank = strspn(line, " \t");

        if (blank < len && strchr("#;/", line[blank]) == NULL) {
            for (size_t i = 0; i < 5 && words[i] != NULL; i++) {
                if (holds_word(line, len, words[i]))
                    cannot(reader, "%s has a line with \"%s\", which is not followed here", path,
                           words[i]);
            }
        }
        line += len;
        line += *line == '\n';
    }
    xr_buf_free(&text);
}

static void heed_configs(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        const char *base = configs[i].path[0] == '~'   ? at->home
                           : configs[i].path[0] == '^' ? at->config_home
                                                       : "";
        char *path = NULL, *dir = NULL;
        struct xr_strings names = {0};

        if (base == NULL || strcmp(configs[i].program, reader->program->name) != 0)
            continue;
        path = xr_format("%s%s", base, configs[i].path + (base[0] != '\0'));
        dir = xr_tree_dir(at->root, path);
        if (dir == NULL) {
            heed_file(reader, at, path, configs[i].words);
        } else {
            (void)xr_tree_names(&names, at->root, dir, NULL);
            for (size_t k = 0; k < names.count; k++) {
                char *file = xr_format("%s/%s", path, names.items[k]);

                heed_file(reader, at, file, configs[i].words);
                free(file);
            }
            xr_strings_free(&names);
        }
        free(dir);
        free(path);
    }
}

/* Variables of which any value means that the answer would be another. */
static const struct {
    const char *program, *name, *word; /* word: only if the value has it; NULL: any */
} diversions[] = {
    {"git", "GIT_SSL_NO_VERIFY", NULL},
    {"git", "GIT_CONFIG_COUNT", NULL},
    {"git", "GIT_CONFIG_GLOBAL", NULL},
    {"git", "GIT_CONFIG_SYSTEM", NULL},
    {"git", "GIT_EXEC_PATH", NULL},
    {"curl", "CURL_HOME", NULL},
    {"curl", "CURL_SSL_BACKEND", NULL},
    {"wget", "WGETRC", NULL},
    {"wget", "SYSTEM_WGETRC", NULL},
    {"apt", "APT_CONFIG", NULL},
    {"pip (Python)", "PIP_CONFIG_FILE", NULL},
    {"pip (Python)", "PIP_TRUSTED_HOST", NULL},
    {"Java", "JAVA_TOOL_OPTIONS", "trustStore"},
    {"Java", "JDK_JAVA_OPTIONS", "trustStore"},
    {"Java", "_JAVA_OPTIONS", "trustStore"},
    {"Node.js", "NODE_TLS_REJECT_UNAUTHORIZED", "0"},
    {"Node.js", "NODE_OPTIONS", "-system-ca"},
    {"Node.js", "NODE_USE_SYSTEM_CA", NULL},
    {"Perl (LWP)", "PERL_LWP_SSL_VERIFY_HOSTNAME", "0"},
    {"Perl (LWP)", "PERL_LWP_SSL_CA_PATH", NULL},
    {"Perl (LWP)", "HTTPS_CA_DIR", NULL},
    {"cargo", "CARGO_HTTP_CAINFO", NULL},
    {"cargo", "CARGO_HOME", NULL},
};

static void heed_diversions(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    for (size_t i = 0; i < sizeof(diversions) / sizeof(diversions[0]); i++) {
        const char *value = strcmp(diversions[i].program, reader->program->name) == 0
                                ? xr_readers_variable(at, diversions[i].name)
                                : NULL;

        if (value != NULL &&
            (diversions[i].word == NULL || strstr(value, diversions[i].word) != NULL))
            cannot(reader, "%s is set, which is not followed here", diversions[i].name);
    }
    if (reader->program->engine == XR_ENGINE_OPENSSL && xr_readers_variable(at, "OPENSSL_CONF"))
        cannot(reader, "OPENSSL_CONF is set, which is not followed here");
    if (reader->program->engine == XR_ENGINE_OTHER &&
        (xr_readers_variable(at, "GNUTLS_SYSTEM_PRIORITY_FILE") ||
         xr_readers_variable(at, "P11_KIT_STRICT")))
        cannot(reader, "a variable of GnuTLS or p11-kit is set, which is not followed here");
}

/* The first of these variables that is set, or NULL. */
static const char *first_set(const char **name, const struct xr_readers_at *at,
                             const char *const names[])
{
    const char *value = NULL;

    for (size_t i = 0; value == NULL && names[i] != NULL; i++) {
        value = xr_readers_variable(at, names[i]);
        *name = names[i];
    }
    return value;
}

/* ---- habits ---- */

static void openssl_paths(struct xr_reader_row *reader, const struct xr_readers_at *at,
                          const char *library)
{
    char *dir = xr_readers_after(at, library, "OPENSSLDIR: \"", "\"");
    const char *file = xr_readers_variable(at, "SSL_CERT_FILE");
    const char *dirs = xr_readers_variable(at, "SSL_CERT_DIR");
    char *usual_file = NULL, *usual_dir = NULL;

    if (dir == NULL || dir[0] != '/') {
        cannot(reader, "%s does not say where its OpenSSL looks", library);
        free(dir);
        return;
    }
    usual_file = xr_format("%s/cert.pem", dir);
    usual_dir = xr_format("%s/certs", dir);
    if (file != NULL)
        add_file(reader, at, XR_READ_IS_BUNDLE, file, "SSL_CERT_FILE");
    else if (there(at, usual_file))
        add_file(reader, at, XR_READ_IS_BUNDLE, usual_file, NULL);
    add_dirs(reader, at, XR_READ_IS_HASHED, dirs != NULL ? dirs : usual_dir,
             dirs != NULL ? "SSL_CERT_DIR" : NULL);
    free(usual_file);
    free(usual_dir);
    free(dir);
}

static char *system_library(const struct xr_readers_at *at, const char *file, const char *prefix)
{
    return file != NULL ? xr_readers_library(at, file, prefix) : NULL;
}

static void read_openssl(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    static const char *const usual[] = {
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/lib/aarch64-linux-gnu/libcrypto.so.3",
        "/usr/lib64/libcrypto.so.3", "/usr/lib/libcrypto.so.3", "/lib/libcrypto.so.3"};
    char *part = part_of(reader, at);
    char *library = system_library(at, part != NULL ? part : reader->path, "libcrypto.so");

    /* Extensions of Ruby and PHP lie in many places; they use the system's. */
    for (size_t i = 0; library == NULL && reader->program->part == NULL && i < 5; i++) {
        if (there(at, usual[i]))
            library = xr_strdup(usual[i]);
    }
    if (library == NULL)
        cannot(reader, "which OpenSSL it uses was not found");
    else
        openssl_paths(reader, at, library);
    free(library);
    free(part);
}

/* Paths that distributions build libcurl with; Debian's libcurl-gnutls has the directory alone. */
static const struct {
    const char *file, *dir;
} curl_paths[] = {
    {"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"},
    {"/etc/pki/tls/certs/ca-bundle.crt", NULL},
    {"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", NULL},
    {"/etc/ssl/cert.pem", NULL},
    {"/etc/ssl/ca-bundle.pem", "/etc/ssl/certs"},
    {NULL, "/etc/ssl/certs"},
};

static void curl_reads(struct xr_reader_row *reader, const struct xr_readers_at *at,
                       const char *library, const char *file, const char *file_by, const char *dir,
                       const char *dir_by, enum xr_read_kind dir_kind)
{
    size_t i = 0, count = sizeof(curl_paths) / sizeof(curl_paths[0]);

    while (i < count && !xr_readers_mentions(at, library,
                                             curl_paths[i].file != NULL ? curl_paths[i].file
                                                                        : curl_paths[i].dir))
        i++;
    if (i == count) {
        cannot(reader, "where its libcurl looks is not known");
        return;
    }
    if (file != NULL || curl_paths[i].file != NULL)
        add_file(reader, at, XR_READ_IS_BUNDLE, file != NULL ? file : curl_paths[i].file,
                 file != NULL ? file_by : NULL);
    if (dir != NULL)
        add_dirs(reader, at, dir_kind, dir, dir_by);
    else if (curl_paths[i].dir != NULL && xr_readers_mentions(at, library, curl_paths[i].dir))
        add_dirs(reader, at, dir_kind, curl_paths[i].dir, NULL);
}

static void read_curl(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    static const char *const files[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE", NULL};
    const char *by = NULL, *file = first_set(&by, at, files);
    const char *dir = xr_readers_variable(at, "CURL_CA_BUNDLE") == NULL
                          ? xr_readers_variable(at, "SSL_CERT_DIR")
                          : NULL;
    char *library = xr_readers_library(at, reader->path, "libcurl");
    char *openssl = system_library(at, library, "libssl.so.3");

    if (library == NULL || openssl == NULL)
        cannot(reader, "it does not use libcurl with OpenSSL 3, which alone was measured");
    else
        curl_reads(reader, at, library, file, by, dir, "SSL_CERT_DIR", XR_READ_IS_HASHED);
    if (library != NULL) {
        free(reader->version);
        reader->version = xr_readers_version(at, reader->program, reader->path, library);
    }
    free(openssl);
    free(library);
}

static void read_git(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    char *part = part_of(reader, at);
    char *library = system_library(at, part, "libcurl");
    char *gnutls = system_library(at, library, "libgnutls");

    if (library == NULL || gnutls == NULL)
        cannot(reader, part == NULL
                           ? N_("the part of it that talks to servers was not found")
                           : N_("it does not use libcurl with GnuTLS, which alone was measured"));
    else
        curl_reads(reader, at, library, xr_readers_variable(at, "GIT_SSL_CAINFO"), "GIT_SSL_CAINFO",
                   xr_readers_variable(at, "GIT_SSL_CAPATH"), "GIT_SSL_CAPATH", XR_READ_IS_FILES);
    free(gnutls);
    free(library);
    free(part);
}

/* GnuTLS asks p11-kit, whose trust module has a path built in; or it has the path itself. */
static void read_gnutls(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    char *part = part_of(reader, at);
    char *library = system_library(at, part != NULL ? part : reader->path, "libgnutls");
    char *module = NULL;

    if (library == NULL) {
        cannot(reader, "it does not use GnuTLS, with which alone it was measured");
    } else {
        module = beside(library, "pkcs11/p11-kit-trust.so");
        if (xr_readers_mentions(at, library, DEBIAN_BUNDLE) ||
            (xr_readers_mentions(at, library, "pkcs11:") &&
             xr_readers_mentions(at, module, DEBIAN_BUNDLE)))
            add_file(reader, at, XR_READ_IS_BUNDLE, DEBIAN_BUNDLE, NULL);
        else
            cannot(reader, "where its GnuTLS looks is not known");
    }
    free(module);
    free(library);
    free(part);
}

/* crypto/x509/root_linux.go: the first file that can be read, and all directories. */
static void read_go(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    static const char *const files[] = {DEBIAN_BUNDLE,
                                        "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem",
                                        "/etc/pki/tls/cacert.pem",
                                        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                        "/etc/ssl/cert.pem"};
    const char *file = xr_readers_variable(at, "SSL_CERT_FILE");
    const char *dirs = xr_readers_variable(at, "SSL_CERT_DIR");
    size_t i = 0;

    if (file != NULL) {
        add_file(reader, at, XR_READ_IS_BUNDLE, file, "SSL_CERT_FILE");
    } else {
        while (i < 6 && !there(at, files[i]))
            i++;
        if (i < 6)
            add_file(reader, at, XR_READ_IS_BUNDLE, files[i], NULL);
    }
    add_dirs(reader, at, XR_READ_IS_FILES,
             dirs != NULL ? dirs : "/etc/ssl/certs:/system/etc/security/cacerts:/etc/pki/tls/certs",
             dirs != NULL ? "SSL_CERT_DIR" : NULL);
}

static void read_java(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    char *first = beside(reader->path, "../lib/security/jssecacerts");
    char *second = beside(reader->path, "../lib/security/cacerts");

    if (there(at, first))
        add_file(reader, at, XR_READ_IS_KEYSTORE, first, NULL);
    else if (there(at, second))
        add_file(reader, at, XR_READ_IS_KEYSTORE, second, NULL);
    else
        cannot(reader, "its keystore was not found");
    free(first);
    free(second);
}

static void read_node(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    const char *options = xr_readers_variable(at, "NODE_OPTIONS");
    const char *extra = xr_readers_variable(at, "NODE_EXTRA_CA_CERTS");

    if (options != NULL && strstr(options, "--use-openssl-ca") != NULL) {
        openssl_paths(reader, at, reader->path);
        for (size_t i = 0; i < reader->reads.count; i++) {
            if (reader->reads.items[i].by == NULL)
                reader->reads.items[i].by = xr_strdup("NODE_OPTIONS");
        }
    } else {
        xr_readers_add(reader, XR_READ_IS_ELF, reader->path, NULL)->own = true;
    }
    if (extra != NULL)
        add_file(reader, at, XR_READ_IS_BUNDLE, extra, "NODE_EXTRA_CA_CERTS");
}

static void read_certifi(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    static const char *const pip[] = {"PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", NULL};
    bool is_pip = strncmp(reader->program->name, "pip", 3) == 0;
    const char *by = NULL, *file = first_set(&by, at, is_pip ? pip : pip + 1);
    const char *dir = is_pip ? "_vendor/certifi" : "../certifi";
    char *code = xr_format("%s/core.py", dir), *core = beside(reader->path, code);
    char *copy = xr_format("%s/cacert.pem", dir), *own = beside(reader->path, copy);

    if (file != NULL) {
        char *real = xr_tree_dir(at->root, file);

        if (real != NULL)
            cannot(reader, "%s is a directory, which is not followed here", by);
        else
            add_file(reader, at, XR_READ_IS_BUNDLE, file, by);
        free(real);
    } else {
        char *debian = xr_readers_after(at, core, "DEBIAN_CA_CERTS_PATH = '", "'");

        if (debian != NULL && debian[0] == '/')
            add_file(reader, at, XR_READ_IS_BUNDLE, debian, NULL);
        else if (there(at, own)) {
            add_file(reader, at, XR_READ_IS_BUNDLE, own, NULL);
            reader->reads.items[reader->reads.count - 1].own = true;
        } else
            cannot(reader, "its certifi was not found");
        free(debian);
    }
    free(own);
    free(copy);
    free(core);
    free(code);
}

static void read_perl(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    static const char *const files[] = {"PERL_LWP_SSL_CA_FILE", "HTTPS_CA_FILE", NULL};
    const char *by = NULL, *file = first_set(&by, at, files);
    char *part = part_of(reader, at);
    char *debian =
        part != NULL ? xr_readers_after(at, part, "$ssl_opts{SSL_ca_file} = '", "'") : NULL;

    if (file != NULL)
        add_file(reader, at, XR_READ_IS_BUNDLE, file, by);
    else if (debian != NULL && debian[0] == '/')
        add_file(reader, at, XR_READ_IS_BUNDLE, debian, NULL);
    else
        cannot(reader, part != NULL
                           ? N_("where its LWP looks is not known")
                           : N_("it has no LWP for https, with which alone it was measured"));
    free(debian);
    free(part);
}

/* The crate openssl-probe: it sets the variables for the OpenSSL in the program, if nobody did. */
static void read_cargo(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    static const char *const files[] = {DEBIAN_BUNDLE, "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/cert.pem"};
    const char *file = xr_readers_variable(at, "SSL_CERT_FILE");
    const char *dirs = xr_readers_variable(at, "SSL_CERT_DIR");
    size_t i = 0;

    while (i < 3 && !there(at, files[i]))
        i++;
    if (file != NULL)
        add_file(reader, at, XR_READ_IS_BUNDLE, file, "SSL_CERT_FILE");
    else if (i < 3)
        add_file(reader, at, XR_READ_IS_BUNDLE, files[i], NULL);
    add_dirs(reader, at, XR_READ_IS_HASHED, dirs != NULL ? dirs : "/etc/ssl/certs",
             dirs != NULL ? "SSL_CERT_DIR" : NULL);
}

void xr_readers_reads(struct xr_reader_row *reader, const struct xr_readers_at *at)
{
    static void (*const habits[])(struct xr_reader_row * reader, const struct xr_readers_at *at) = {
        [XR_HABIT_OPENSSL] = read_openssl, [XR_HABIT_CURL] = read_curl,
        [XR_HABIT_GIT] = read_git,         [XR_HABIT_GNUTLS] = read_gnutls,
        [XR_HABIT_GO] = read_go,           [XR_HABIT_JAVA] = read_java,
        [XR_HABIT_NODE] = read_node,       [XR_HABIT_CERTIFI] = read_certifi,
        [XR_HABIT_PERL] = read_perl,       [XR_HABIT_CARGO] = read_cargo,
        [XR_HABIT_FIREFOX] = NULL,         [XR_HABIT_CHROMIUM] = NULL,
    };

    if (habits[reader->program->habit] != NULL)
        habits[reader->program->habit](reader, at);
    reader->measured = xr_readers_measured(reader->program, reader->version);
    heed_configs(reader, at);
    heed_diversions(reader, at);
}
