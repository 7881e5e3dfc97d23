/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Browsers that keep certificates in memory only. With the preference security.nocertdb, Firefox ESR
 * 153 does not read cert9.db at all (measured); Tor Browser and Mullvad Browser are made with it, and
 * their users may turn it off. A profile says so in prefs.js, and in user.js, which wins.
 */
#include "nss.h"
#include "places.h"

#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <sys/stat.h>
#include <unistd.h>

#define PREFS_MAX ((size_t)4 << 20)

static bool take(struct xr_bytes *line, const char *word)
{
    size_t len = strlen(word);

    while (line->len > 0 && (line->data[0] == ' ' || line->data[0] == '\t')) {
        line->data++;
        line->len--;
    }
    if (line->len < len || memcmp(line->data, word, len) != 0)
        return false;
    line->data += len;
    line->len -= len;
    return true;
}

/* Sets *yes if the line sets the preference. */
static void read_line(bool *yes, struct xr_bytes line)
{
    bool ours = take(&line, "user_pref") && take(&line, "(") &&
                (take(&line, "\"security.nocertdb\"") || take(&line, "'security.nocertdb'")) &&
                take(&line, ",");

    if (ours && take(&line, "true"))
        *yes = true;
    else if (ours && take(&line, "false"))
        *yes = false;
}

static void read_prefs(bool *yes, int dir, const char *name)
{
    struct xr_buf text = {0};
    struct stat st;
    int fd = xr_open_regular(dir, name, &st);

    if (fd >= 0 && xr_read_whole(&text, fd, PREFS_MAX)) {
        struct xr_bytes rest = {(const unsigned char *)text.data, text.len};

        while (rest.len > 0) {
            const unsigned char *end = memchr(rest.data, '\n', rest.len);
            size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;

            read_line(yes, (struct xr_bytes){rest.data, len});
            len += end != NULL ? 1 : 0;
            rest.data += len;
            rest.len -= len;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    xr_buf_free(&text);
}

const char *nss_forgets(int dir, const char *path)
{
    const struct nss_profiles *at = nss_profiles_of(path);
    bool yes = at != NULL && at->forgets;

    read_prefs(&yes, dir, "prefs.js");
    read_prefs(&yes, dir, "user.js");
    return !yes ? NULL : at != NULL ? at->program : N_("its browser");
}
