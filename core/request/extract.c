/* SPDX-License-Identifier: Apache-2.0 */
/* Root lists and stores into the files that others read. */
#include "request.h"

void xr_verb_extract(struct xr_engine *engine)
{
    (void)engine;
}
