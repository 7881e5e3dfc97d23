/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decorator over any backend's table: the same store, until the N-th counted event fails or
 * kills the process. Events are counted only while a fault is armed.
 */
#ifndef FAULTS_FAULTY_H
#define FAULTS_FAULTY_H

#include "stores/registry.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_CALL,    /* swap and flush of the wrapped table */
    FAULT_WRITE,   /* write_atomic of the host it is lent */
    FAULT_JOURNAL, /* making a record durable: it may be there or not */
    FAULT_SYSTEM,  /* calls of the system that change something, of anything linked statically */
};
enum fault_how { FAULT_FAIL, FAULT_KILL, FAULT_LIE };

struct fault {
    enum fault_kind kind;
    enum fault_how how;
    bool after;   /* the real thing is done first */
    bool lasting; /* and so does every later one */
    size_t at;    /* 1: the first */
    size_t count; /* so far */
};
extern struct fault fault;

void fault_arm(struct fault what);
/* True if it was reached. */
bool fault_disarm(void);

/* out is a copy of inner whose table goes through here; one table at a time. */
void faulty_wrap(struct xr_loaded *out, const struct xr_loaded *inner);
/* What the wrapped session says of itself instead, until the next wrap: cannot be written. */
void faulty_unwritable(void);

#endif
