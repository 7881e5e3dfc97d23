/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON document, schema 1: json.c writes it, json_rows.c, json_chain.c, json_diff.c and json_extract.c make
 * its rows from facts, json_parts.c is what rows have in common. Only these use jansson. A json_t that is
 * returned belongs to the caller. */
#ifndef XR_JSON_H
#define XR_JSON_H

#include "report.h"

#include <jansson.h>

/* ---- json_parts.c ---- */

/* Any bytes as a JSON string: what is not UTF-8 becomes \xXX. jansson escapes the rest. */
json_t *xr_json_string(const char *text);
void xr_json_set(json_t *object, const char *key, json_t *value);
void xr_json_add(json_t *array, json_t *value);
void xr_json_set_owned(json_t *object, const char *key, char *text);
json_t *xr_json_hex(const unsigned char *data, size_t len);
/* The certificate's or CRL's hash; null where the store has no more than issuer and serial, or a
 * key. */
json_t *xr_json_subject_hash(const struct xr_subject *subject);
json_t *xr_json_when(int64_t at);
json_t *xr_json_kind(const struct xr_report *report, size_t at);
json_t *xr_json_relatives(const struct xr_report *report, const struct xr_relatives *set_of);
json_t *xr_json_purposes(uint32_t bits);
json_t *xr_json_answer(enum xr_answer value);
void xr_json_set_names(json_t *out, const struct xr_cert *cert);
json_t *xr_json_path(const struct xr_verdict *verdict);
/* How other readers of the same store answer; a key only where there is one. */
void xr_json_set_also(json_t *out, const struct xr_verdict *verdict, bool of_distrust);
/* What names an entry without its certificate. */
void xr_json_set_issuer_serial(json_t *out, const struct xr_subject *subject,
                               const struct xr_entry *entry);
/* Extensions that the store attaches from outside, whole. */
json_t *xr_json_attached(const struct xr_entry *entry);
void xr_json_set_subject(json_t *out, const struct xr_report *report, size_t at);
json_t *xr_json_places_of(const struct xr_state *state);
/* What an anchor is limited to: a key only where there are limits. */
void xr_json_set_limits(json_t *out, const struct xr_limits *limits);

/* ---- json_chain.c ---- */

json_t *xr_json_chain_row(const struct xr_report *report, const struct xr_chain_row *row);
json_t *xr_json_chain_left(const struct xr_report *report, const struct xr_chain_left *left);
json_t *xr_json_chain_store(const struct xr_report *report, const struct xr_chain_store *store);

/* ---- json_rows.c ---- */

json_t *xr_json_certificate(const struct xr_report *report, const struct xr_input_item *item,
                            const struct xr_inspected *found);
json_t *xr_json_crl(const struct xr_input_item *item);
json_t *xr_json_rejected(const struct xr_report *report);
json_t *xr_json_store(const struct xr_run *run);
json_t *xr_json_list(const struct xr_report *report, size_t at);
json_t *xr_json_change(const struct xr_report *report, const struct xr_run *run);
json_t *xr_json_answer_row(const struct xr_report *report, const struct xr_answer_row *row);
json_t *xr_json_written(const struct xr_written *written);
json_t *xr_json_reader(const struct xr_report *report, const struct xr_reader_row *reader);
json_t *xr_json_transaction(const struct xr_report *report, const struct xr_transaction *t);
/* The stores that hold it, with their entries as in list. */
json_t *xr_json_holders(const struct xr_report *report, const struct xr_subject *subject);

/* ---- json_diff.c ---- */

json_t *xr_json_diff_row(const struct xr_report *report, const struct xr_diff_row *row);

#endif
