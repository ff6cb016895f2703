// SPDX-License-Identifier: Apache-2.0
/*
 * config_scalar - one value of a file, as a field of a verb takes it.
 *
 * For config_read.c. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_CONFIG_SCALAR_H
#define COLDCHAIN_COLDCHAINCTL_CONFIG_SCALAR_H

#include <jansson.h>

#include "base/tree.h"

#define SCALAR_WHY_SIZE 480

/*
 * The value, or one of a field's list, the caller's to release: times and durations in
 * milliseconds. NULL: `why` says what the field takes, and what stood there.
 */
json_t *scalar_take(const json_t *field, const struct tree *node,
                    char why[SCALAR_WHY_SIZE]);

#endif
