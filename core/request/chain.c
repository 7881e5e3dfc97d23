/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a server must send. */
#include "request.h"

void xr_verb_chain(struct xr_engine *engine)
{
    (void)engine;
}
