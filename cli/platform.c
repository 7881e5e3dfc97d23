/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same on every system. */
#include "platform.h"

#include <stdlib.h>

void platform_free(struct here *here)
{
    free(here->home);
    free(here->data_home);
    free(here->config_home);
    free(here->state);
    free(here->user);
}
