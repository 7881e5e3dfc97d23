/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CLI_PASSWORD_H
#define XR_CLI_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/* Reads from a descriptor up to the first newline or the end; false with *why (allocated). Reads
 * nothing after the newline. */
bool password_read(char *out, size_t size, size_t *len, int fd, char **why);
/* Asks on the controlling terminal without echo. False without a terminal, at the end of input, or
 * when stopped() is true. */
bool password_ask(char *out, size_t size, size_t *len, const char *store, bool again,
                  bool (*stopped)(void));

#endif
