/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that check certificates: which of them this machine has (find.c, library.c), what each reads
 * (reads.c), and what it would say of a chain (judge.c). table.c is what is known of each, with the
 * version that it was measured with. No program is run. The wing readers may use formats, certs, sys,
 * kit.
 */
#ifndef XR_READERS_H
#define XR_READERS_H

#include "kit/base.h"

/* ---- table.c ---- */

/* Where a program has its trust from; reads.c has a function for each. */
enum xr_habit {
    XR_HABIT_OPENSSL, /* OPENSSLDIR of its libcrypto, or SSL_CERT_FILE and SSL_CERT_DIR */
    XR_HABIT_CURL,    /* the bundle and the directory that its libcurl was built with */
    XR_HABIT_GIT,     /* the same, and all files of the directory if libcurl uses GnuTLS */
    XR_HABIT_GNUTLS,  /* the system's trust of GnuTLS */
    XR_HABIT_GO,      /* files and directories listed in Go's library */
    XR_HABIT_JAVA,    /* the keystore of its runtime */
    XR_HABIT_NODE,    /* roots in the program itself */
    XR_HABIT_CERTIFI, /* cacert.pem of the Python package certifi, or the file Debian puts there */
    XR_HABIT_PERL,    /* Debian's bundle, by IO::Socket::SSL */
    XR_HABIT_CARGO, /* OpenSSL in the program itself, told by its probe where the system's files are */
    XR_HABIT_FIREFOX, /* NSS database of each profile, managed policies, its own roots */
    XR_HABIT_CHROMIUM, /* NSS database of the user, its own database, managed policies, its own roots */
};

/* How a CA that is not self-signed counts in what a program reads. */
enum xr_counts { XR_COUNTS_AS_ANCHOR, XR_COUNTS_FOR_PATHS, XR_COUNTS_NOT };

/* Whose path validation it is. */
enum xr_engine_kind {
    XR_ENGINE_OPENSSL, /* the library's own, asked here as the program asks it */
    XR_ENGINE_OTHER,   /* another one: answered only where no engine could decide otherwise */
    XR_ENGINE_BROWSER, /* opinions of the store nss */
};

struct xr_program {
    const char *name; /* for people */
    const char
        *files; /* names of its executable, separated by blanks; @ stands for any digits and dots */
    enum xr_habit habit;
    enum xr_engine_kind engine;
    enum xr_counts cross;
    bool strict;          /* it sets X509_V_FLAG_X509_STRICT */
    const char *measured; /* versions that were measured, for people */
    const char *series;   /* "7.88 8.5": beginnings of the versions that this stands for */
    const char *packages; /* names of its package; @ as in files: the name of the executable */
    const char
        *mark_in; /* file with its version: "." itself, "lib" its TLS library, or a path from its
                           * directory */
    const char *mark; /* what stands before the version there */
    const char *part; /* file that it checks certificates with, if that is not itself: from its
                           * directory, alternatives separated by blanks, "*" for one component */
    const char *word; /* of a browser, in the capability serves of a store */
};
extern const struct xr_program xr_programs[];
extern const size_t xr_program_count;

/* ---- what was found ---- */

enum xr_read_kind {
    XR_READ_IS_BUNDLE,   /* a file of certificates */
    XR_READ_IS_HASHED,   /* a directory with HASH.N */
    XR_READ_IS_FILES,    /* a directory, all files of it */
    XR_READ_IS_KEYSTORE, /* JKS or PKCS#12 */
    XR_READ_IS_ELF,      /* PEM blocks in the program itself */
    XR_READ_IS_STORE,    /* a store of crossroot's, asked by its verifier */
};

struct xr_read {
    enum xr_read_kind kind;
    char *path;  /* without links; NULL: store is all there is to say */
    char *store; /* address, or NULL: no store of the request is this */
    char *by;    /* what told the program to read it, such as a variable's name, or NULL */
    bool own;    /* the program's own copy: no store changes it */
    bool
        only_paths; /* adds no anchor of its own: self-signed ones count, others are path elements */
};

struct xr_reader_row {
    const struct xr_program *program;
    char *name;    /* as found: the program's, with what tells it from others of that name */
    char *path;    /* without links; NULL: not found, only its store */
    char *version; /* NULL: not known */
    bool measured; /* the version is one of those that were measured */
    char *user;    /* whose profile, or NULL */
    struct {
        struct xr_read *items;
        size_t count, capacity;
    } reads;
    char *cannot; /* why no answer of it can be given, or NULL */
    enum xr_answer answer;
    char *engine;  /* what was asked */
    char *decides; /* address of the store, or path, that the answer comes from; NULL: none alone */
    char *why;
};

struct xr_readers {
    struct xr_reader_row *items;
    size_t count, capacity;
};
void xr_readers_free(struct xr_readers *readers);

/* Where programs are looked for. */
struct xr_readers_at {
    const char *root, *home, *config_home; /* as in struct xr_site */
    struct xr_words environment;           /* "NAME=value"; empty in an image */
};
/* find.c: adds what is found of all programs but browsers' profiles, with what each reads. */
void xr_readers_find(struct xr_readers *out, const struct xr_readers_at *at);
/* One browser by its word; NULL: none of that word. */
const struct xr_program *xr_program_browser(const char *word);

/* version.c */
char *xr_readers_version(const struct xr_readers_at *at, const struct xr_program *program,
                         const char *real, const char *library);
bool xr_readers_measured(const struct xr_program *program, const char *version);

/* library.c: shared libraries that an ELF file needs. */
struct xr_elf {
    struct xr_strings needed, runpath;
};
/* Pure. False: the bytes are no ELF file with a dynamic section. */
bool xr_elf_read(struct xr_elf *out, struct xr_bytes file);
void xr_elf_free(struct xr_elf *elf);
/* Value of a variable, NULL if it is not set, or empty. */
const char *xr_readers_variable(const struct xr_readers_at *at, const char *name);
/* Path of the first library whose name begins with prefix, among those that file needs, and those that
 * these need; NULL: none. */
char *xr_readers_library(const struct xr_readers_at *at, const char *file, const char *prefix);
/* Does the file have these bytes? */
bool xr_readers_mentions(const struct xr_readers_at *at, const char *file, const char *text);
/* The text after mark in a file, up to a byte that end has, allocated; NULL: there is none. */
char *xr_readers_after(const struct xr_readers_at *at, const char *file, const char *mark,
                       const char *end);

/* reads.c: fills what the reader reads, or cannot. */
void xr_readers_reads(struct xr_reader_row *reader, const struct xr_readers_at *at);
struct xr_read *xr_readers_add(struct xr_reader_row *reader, enum xr_read_kind kind,
                               const char *path, const char *by);

/* judge.c: fills the answer of a reader whose engine is no browser. probe->purpose is XR_SERVER. */
void xr_readers_judge(struct xr_reader_row *reader, const char *root, const struct xr_probe *probe);

#endif
