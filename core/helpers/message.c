/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

int64_t xr_talk_now(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool xr_talk_wait(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = deadline < 0 ? -1 : deadline - xr_talk_now();
        int got = 0;

        if (deadline >= 0 && left <= 0)
            return false;
        got = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (got > 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
    }
}

static bool move_all(int fd, bool out, char *data, size_t len, int64_t deadline)
{
    while (len > 0) {
        ssize_t moved = out ? send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                            : recv(fd, data, len, MSG_DONTWAIT);

        if (moved < 0 && (errno == EINTR || errno == EAGAIN)) {
            if (!xr_talk_wait(fd, out ? POLLOUT : POLLIN, deadline))
                return false;
            continue;
        }
        if (moved <= 0)
            return false;
        data += moved;
        len -= (size_t)moved;
    }
    return true;
}

bool xr_talk_add(struct xr_buf *messages, const struct xr_buf *payload)
{
    if (payload->len > XR_MESSAGE_MAX)
        return false;
    xr_put_number(messages, payload->len);
    xr_buf_add(messages, payload->data, payload->len);
    return true;
}

bool xr_talk_send_all(int fd, struct xr_buf *messages, int64_t deadline)
{
    bool ok = move_all(fd, true, messages->data, messages->len, deadline);

    xr_talk_forget(messages);
    messages->len = 0;
    return ok;
}

bool xr_talk_send(int fd, const struct xr_buf *payload, int64_t deadline)
{
    struct xr_buf message = {0};
    bool ok = xr_talk_add(&message, payload) && xr_talk_send_all(fd, &message, deadline);

    xr_buf_free(&message);
    return ok;
}

bool xr_talk_receive(int fd, struct xr_buf *payload, int64_t deadline)
{
    char head[8];
    struct xr_reader in = {{(const unsigned char *)head, sizeof(head)}, false};
    size_t len = 0;

    payload->len = 0;
    if (!move_all(fd, false, head, sizeof(head), deadline))
        return false;
    len = (size_t)xr_get_number(&in, XR_MESSAGE_MAX);
    if (in.failed || len == 0)
        return false;
    payload->data = xr_grow_raw(payload->data, &payload->capacity, len, 1);
    if (!move_all(fd, false, payload->data, len, deadline))
        return false;
    payload->len = len;
    return true;
}

void xr_talk_forget(struct xr_buf *message)
{
    if (message->data != NULL)
        explicit_bzero(message->data, message->len);
}

struct xr_reader xr_talk_reader(const struct xr_buf *buf)
{
    return (struct xr_reader){{(const unsigned char *)buf->data, buf->len}, false};
}

void xr_put_site(struct xr_buf *out, const struct xr_site *site)
{
    xr_put_text(out, site->root);
    xr_put_text(out, site->home);
    xr_put_text(out, site->data_home);
    xr_put_number(out, site->uid);
    xr_put_text(out, site->layout);
    xr_put_number(out, site->updater_distro);
    xr_put_text(out, site->config_home);
    xr_put_text(out, site->nss);
    xr_put_number(out, site->rebuild);
}

void xr_get_site(struct xr_sent_site *out, struct xr_reader *in)
{
    *out = (struct xr_sent_site){.site = {.size = sizeof(out->site)}};
    for (unsigned i = 0; i < 3; i++)
        out->texts[i] = xr_get_text(in);
    out->site.uid = (unsigned long)xr_get_number(in, UINT64_MAX);
    out->texts[3] = xr_get_text(in);
    out->site.updater_distro = xr_get_number(in, 1) != 0;
    for (unsigned i = 4; i < 6; i++)
        out->texts[i] = xr_get_text(in);
    out->site.rebuild = xr_get_number(in, 1) != 0;
    out->site.root = out->texts[0];
    out->site.home = out->texts[1];
    out->site.data_home = out->texts[2];
    out->site.layout = out->texts[3];
    out->site.config_home = out->texts[4];
    out->site.nss = out->texts[5];
}

void xr_sent_site_free(struct xr_sent_site *sent)
{
    for (unsigned i = 0; i < sizeof(sent->texts) / sizeof(sent->texts[0]); i++)
        free(sent->texts[i]);
}
