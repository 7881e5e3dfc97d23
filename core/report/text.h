/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people: text.c dispatches, text_chain.c, text_inspect.c, text_list.c, text_read.c, text_readers.c,
 * text_extract.c, text_diff.c and text_change.c write, text_parts.c and text_cells.c
 * are what they share. Only text.c sees a caller's struct xr_text_style; the others get it whole.
 * Here everything is said in the language of the style's catalogue: own words by xr_tr and xr_tr_n, what
 * others said by xr_text_said. Data stays as it is. */
#ifndef XR_TEXT_H
#define XR_TEXT_H

#include "report.h"

#include "kit/limits.h"

/* ---- parts ---- */

#define BOLD(style)   xr_text_paint(style, "\033[1m")
#define RED(style)    xr_text_paint(style, "\033[31m")
#define GREEN(style)  xr_text_paint(style, "\033[32m")
#define YELLOW(style) xr_text_paint(style, "\033[33m")
#define PLAIN(style)  xr_text_paint(style, "\033[0m")

const char *xr_text_paint(const struct xr_text_style *style, const char *code);
void xr_text_visible(FILE *out, const char *text);
/* Terminal cells of visible text: East Asian wide characters take two. */
int xr_text_cells(const char *text);
void xr_text_padded(FILE *out, const char *text, int width);
/* Visible text in at most that many cells, the last one "…" if it is cut; one cell at least. Gives the
 * cells that it took. */
int xr_text_cut(FILE *out, const char *text, int cells);
/* The same, padded to a column. */
void xr_text_column(FILE *out, const char *text, int cells);
/* Visible text and a line end. On a terminal it is broken at words and beside wide characters (but not
 * before closing and behind opening ones), and in the middle of a word that no line can hold, so that
 * lines stay within its width: used cells of the first line are taken
 * already, and the others begin with indent blanks. */
void xr_text_wrap(const struct xr_text_style *style, FILE *out, int used, int indent,
                  const char *text);
/* The same for hostile text. */
void xr_text_wrap_visible(const struct xr_text_style *style, FILE *out, int used, int indent,
                          const char *text);
/* Finished English of others, in the style's language; allocated. */
char *xr_text_said(const struct xr_text_style *style, const char *said);
/* The same, made visible and wrapped. */
void xr_text_wrap_said(const struct xr_text_style *style, FILE *out, int used, int indent,
                       const char *said);
/* Cells of the widest translation of those words, but that many at least. */
int xr_text_widest(const struct xr_text_style *style, const char *const *words, size_t count,
                   int least);
/* What stands between the elements of a list. */
const char *xr_text_between(const struct xr_text_style *style);
/* As xr_purposes_text, allocated. */
char *xr_text_purposes(const struct xr_text_style *style, uint32_t purposes);
/* As xr_limits_text. */
char *xr_text_limits(const struct xr_text_style *style, const struct xr_limits *limits);
void xr_text_hex(FILE *out, const unsigned char *data, size_t len);
/* In UTC, as a certificate or CRL has it. */
void xr_text_time(FILE *out, int64_t at);
/* When something was done: in local time where the caller knows it. */
void xr_text_when(const struct xr_text_style *style, FILE *out, int64_t at);
/* Both times, in local time with seconds: "2025-04-09 14:28:15 +0900 to …". NULL where the caller does not
 * know it, or it is UTC at both times. */
char *xr_text_local_times(const struct xr_text_style *style, int64_t from, int64_t to);
/* As xr_report_name and xr_report_store_name. */
char *xr_text_name(const struct xr_text_style *style, const struct xr_report *report, size_t at);
char *xr_text_store_name(const struct xr_text_style *style, const struct xr_report *report,
                         const struct xr_run *run);
/* A store as people know it, or its address if verbose. Gives the cells it took. */
int xr_text_title(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                  const struct xr_run *run);
#define XR_TEXT_ID_DIGITS 16 /* of an ID on a terminal */
/* The ID of an entry, a hash of the certificate or of what is known instead: 16 digits on a terminal
 * unless verbose, else all 64. */
void xr_text_id_digits(const struct xr_text_style *style, FILE *out,
                       const struct xr_subject *subject);
/* The same, and what it is a hash of if not of a certificate or CRL. */
void xr_text_id(const struct xr_text_style *style, FILE *out, const struct xr_subject *subject);
/* The same as a line of its own. */
void xr_text_store_line(const struct xr_text_style *style, FILE *out, const char *address);
/* An entry whose certificate the store does not hold. */
void xr_text_issuer_serial(const struct xr_text_style *style, FILE *out,
                           const struct xr_entry *entry, int indent);

/* ---- whole results ---- */

void xr_text_inspection(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report);
void xr_text_stores(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_list(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_shown(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_history(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_changes(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_written(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_readers(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_diff(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
void xr_text_answers(const struct xr_text_style *style, FILE *out, const struct xr_report *report);
/* The file itself, also for a quiet report. */
void xr_text_chain(FILE *out, const struct xr_report *report);

#endif
