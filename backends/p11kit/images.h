/* SPDX-License-Identifier: Apache-2.0 */
/* What p11-kit's trust module would read in an image, by the configuration there (pkcs11.conf(5)):
 * nothing of an image is loaded. */
#ifndef XR_P11KIT_IMAGES_H
#define XR_P11KIT_IMAGES_H

#include "kit/base.h"

/* Full paths inside the image; of the system's configuration, not of its users'. */
void pt_image_paths(struct xr_strings *out, const struct xr_host *host, const char *root);

#endif
