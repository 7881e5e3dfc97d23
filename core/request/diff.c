/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two root lists, stores or machines. */
#include "request.h"

void xr_verb_diff(struct xr_engine *engine)
{
    (void)engine;
}
