/* SPDX-License-Identifier: Apache-2.0 */
/* A build without SQLite must not take a profile's database for an empty one. */
#include "../../backends/chromium/chromium.h"

#include "nss_home.h"

#include <fcntl.h>

TestSuite(chromium_none, .init = make_top, .fini = remove_top);

static enum xr_status load(struct chromium_view *view)
{
    char *path = at("p");
    int dir = open(path, O_PATH | O_DIRECTORY);
    enum xr_status status = XR_OK;

    *view = (struct chromium_view){0};
    status = chromium_load(view, NULL, dir, "/p", NULL);
    (void)close(dir);
    free(path);
    return status;
}

Test(chromium_none, a_profile_without_the_file_has_nothing)
{
    struct chromium_view view;

    make_dir("p");
    cr_assert_eq(load(&view), XR_OK);
    cr_assert(!view.there && !view.incomplete && !view.unread && view.count == 0);
    chromium_view_free(&view);
}

Test(chromium_none, one_with_it_may_have_anything)
{
    struct chromium_view view;

    make_file("p/ServerCertificate", "SQLite format 3");
    cr_assert_eq(load(&view), XR_OK);
    cr_assert(view.there && view.incomplete && view.unread && view.count == 0);
    cr_assert_not_null(strstr(view.problem,
                              "/p/ServerCertificate cannot be read: this crossroot was "
                              "built without SQLite"));
    chromium_view_free(&view);
}

Test(chromium_none, what_is_no_file_is_refused)
{
    struct chromium_view view;

    make_dir("p");
    make_link("p/ServerCertificate", "elsewhere");
    cr_assert_eq(load(&view), XR_REFUSED);
    chromium_view_free(&view);
}
