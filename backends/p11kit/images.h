/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what p11-kit's trust module would read in an image, from the configuration in it
 * (pkcs11.conf(5)). Nothing from an image is loaded. */
#ifndef XR_P11KIT_IMAGES_H
#define XR_P11KIT_IMAGES_H

#include "kit/base.h"

/* Full paths inside the image, from the system's configuration and not from its users'. */
void pt_image_paths(struct xr_strings *out, const struct xr_host *host, const char *root);

#endif
