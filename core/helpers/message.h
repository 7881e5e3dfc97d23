/* SPDX-License-Identifier: Apache-2.0 */
/* The messages between client.c and the helper's side, server.c: calls, replies, framing. */
#ifndef XR_MESSAGE_H
#define XR_MESSAGE_H

#include "stores/wire.h"

enum xr_call {
    XR_CALL_OPEN = 1,
    XR_CALL_LIST,
    XR_CALL_SWAP,
    XR_CALL_FLUSH,
    XR_CALL_PROBE,
    XR_CALL_UNLOCK,
    XR_CALL_DISCOVER,
    XR_CALL_PRELOAD,
    XR_CALL_CLOSE, /* the session, to open another one */
    XR_CALL_CONTENT,
    XR_CALL_LAST = XR_CALL_CONTENT
};
enum xr_said { XR_SAID_RESULT = 1, XR_SAID_ENTRY, XR_SAID_FOUND };

/* A message: length (8 bytes), payload. */
#define XR_MESSAGE_MAX ((size_t)80 << 20)

/* Milliseconds of a monotonic clock. */
int64_t xr_talk_now(void);
/* deadline by that clock; negative: no limit (a helper waits as long as its parent lives). */
bool xr_talk_wait(int fd, short events, int64_t deadline);
/* False if the deadline passed or the peer is gone. */
bool xr_talk_send(int fd, const struct xr_buf *payload, int64_t deadline);
/* The same in two steps, to send many at once: each send wakes the peer up. */
bool xr_talk_add(struct xr_buf *messages, const struct xr_buf *payload);
bool xr_talk_send_all(int fd, struct xr_buf *messages, int64_t deadline);
bool xr_talk_receive(int fd, struct xr_buf *payload, int64_t deadline);
/* Wipes a message, which may hold a password. */
void xr_talk_forget(struct xr_buf *message);
struct xr_reader xr_talk_reader(const struct xr_buf *message);

void xr_put_site(struct xr_buf *out, const struct xr_site *site);
/* A site that was received over the socket; owns its strings. */
struct xr_sent_site {
    struct xr_site site;
    char *texts[6];
};
void xr_get_site(struct xr_sent_site *out, struct xr_reader *in);
void xr_sent_site_free(struct xr_sent_site *sent);

#endif
