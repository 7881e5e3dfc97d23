/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a server must send, and nothing else: it is redirected to where servers read it. */
#include "text.h"

#include "kit/pem.h"

#include <stdlib.h>

void xr_text_chain(FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->chain.rows.count; i++) {
        size_t len = 0;
        char *text = xr_pem("CERTIFICATE",
                            report->pool.items[report->chain.rows.items[i].at].cert->der, &len);

        (void)fwrite(text, 1, len, out);
        free(text);
    }
}
