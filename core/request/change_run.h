/* SPDX-License-Identifier: Apache-2.0 */
/* One change under way, shared by change_verbs.c, wishes.c, plan_stores.c, consent.c and apply.c. */
#ifndef XR_CHANGE_RUN_H
#define XR_CHANGE_RUN_H

#include "change/recover.h"
#include "request.h"

struct xr_wishes {
    struct xr_wish *items;
    size_t count, capacity;
};

struct xr_change_run {
    struct xr_engine *engine;
    struct xr_wishes wishes;
    struct xr_idmap wished; /* by subject: which of them */
    struct xr_pins pins;
    struct xr_strings texts; /* owns texts that wishes point to */
    struct xr_limits limits; /* --permit-dns, --permit-cidr */
    struct {
        struct xr_buf *items; /* DER of --serial */
        size_t count, capacity;
    } serials;
    struct xr_journal journal;
    bool journal_open;
    struct xr_chosen chosen; /* stores of undo and recover */
    bool finished_undo;      /* recovery finished an interrupted undo */
    bool took_back;          /* recovery rolled something back */
    bool previewed;          /* somebody was shown what had to be confirmed */
    size_t transaction;      /* XR_NONE before the first record */
    unsigned shadow_checks;
    bool near;                      /* a fingerprint was a near miss */
    struct xr_secret last_password; /* last typed password that opened a store */
    const char *undoes;             /* ID of the transaction that this one undoes, or NULL */
};

/* consent.c. False: the reason is reported, the exit code is set, and nothing may be changed. */
bool xr_change_read_pins(struct xr_change_run *c);
bool xr_change_check_pins(struct xr_change_run *c);
bool xr_change_confirmed(struct xr_change_run *c);
/* After an installation without pins: shows what could have been compared. */
void xr_change_say_unpinned(struct xr_change_run *c);
/* For a dry run: what would have to be confirmed, and what else would be published. */
void xr_change_preview(struct xr_change_run *c);

/* unlock.c. Finds the password of every store whose plan needs it; without it, the run ends as
 * refused. */
void xr_change_unlock(struct xr_change_run *c);
/* The same for a part that a crash left; false: the run has ended. */
bool xr_change_unlock_part(struct xr_change_run *c, struct xr_run *run, size_t t, size_t p);

/* wishes.c. Is an operand the beginning of a SHA-256, and not a file? */
bool xr_change_is_id(const char *text);
bool xr_change_wishes(struct xr_change_run *c);
/* Makes a plan for every run that can have one. */
void xr_change_plan(struct xr_change_run *c);

/* served.c. Leaves to a store that serves all users what it does for the readers of others. */
void xr_change_serve(struct xr_change_run *c);
/* After the change: notes what was left to a store that failed. */
void xr_change_check_served(struct xr_change_run *c);
/* After the change: asks users' stores where what was changed decides only together with them. */
void xr_change_ask_users(struct xr_change_run *c);

/* apply.c */
bool xr_change_open_journal(struct xr_change_run *c);
/* Fills every run's leaving from the journal. */
void xr_change_recall(struct xr_change_run *c);
/* Recovers what a crash left in the stores of this command. */
bool xr_change_recover_first(struct xr_change_run *c);
/* Says which stores of an interrupted --all-or-nothing were not recovered with the others. */
void xr_change_say_waiting(struct xr_change_run *c, size_t transaction);
struct xr_txn xr_change_txn(struct xr_change_run *c);
/* The end of every change, once runs have plans: confirm, apply, grade. */
void xr_change_carry_out(struct xr_change_run *c);
void xr_change_free(struct xr_change_run *c);

#endif
