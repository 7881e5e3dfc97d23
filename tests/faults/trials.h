/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever fails and wherever the process is killed: a store is as it was or as it was to be, and
 * nothing else. Every N is tried until one is not reached any more.
 */
#ifndef FAULTS_TRIALS_H
#define FAULTS_TRIALS_H

#include "faulty.h"
#include "pki.h"
#include "running.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

enum { OLD, CROSS, NEW, TWIN_A, TWIN_B, TWIN_C, SHIPPED, OUT, CERTS };

struct wanted {
    enum xr_wish_kind what;
    size_t cert;
};

/* A store before one command, and what that wants. */
struct scene {
    const char *name;
    const char *backend;
    void (*prepare)(const char *place); /* makes PLACE/store */
    struct wanted wanted[4];
    size_t count;
    const char *bundle; /* below the store: readers find the old or the new one, always; or NULL */
};

struct trial {
    const struct scene *scene;
    char *template, *place;
    char *before, *after;          /* images */
    char *old_bundle, *new_bundle; /* texts */
    struct xr_buf wrong;           /* what was found, one line each */
    size_t wrongs;
};

extern struct pki_blob trials_certs[CERTS];
extern struct xr_loaded trials_backend; /* the decorated one */
extern char *trials_dir;                /* of this test */
extern struct xr_error trials_err;
extern const size_t trials_faults; /* kinds of faults */

void trials_begin(void); /* of a test suite */
void trials_end(void);
void trials_use(const char *backend);
struct xr_bytes trials_der(size_t cert);
void trials_put_pem(const char *at, const char *name, size_t cert);
/* One command over PLACE/store with its journal in PLACE/state; false if it never got to apply. */
bool trials_command(struct running *r, const char *place, const struct wanted *wanted,
                    size_t count);
void trials_must(const char *place, const struct wanted *wanted, size_t count);
/* Recovers what is pending; with a yes, trust may come back that was about to go. */
void trials_recover(struct trial *t, size_t at, size_t *count);
void trials_recover_with(struct trial *t, size_t at, size_t *count, bool yes);
void trials_start(struct trial *t, const struct scene *scene);

/* One kind of fault, at every place of a scene. */
void trials_every(const struct scene *scene, size_t kind);
/* Killed, and killed again while recovering. */
void trials_again(const struct scene *scene);
/* Parameters 0 to count - 1. */
struct criterion_test_params trials_indexes(size_t count);

#endif
