// SPDX-License-Identifier: Apache-2.0
/*
 * manual - the manual page of a configuration file, out of its key table.
 */
#ifndef COLDCHAIN_BASE_MANUAL_H
#define COLDCHAIN_BASE_MANUAL_H

#include <stdio.h>

#include "base/config.h"

/* PROGRAM.yaml(5): every key with its meaning, its range and its default. */
void manual_config(FILE *out, const char *program, const struct config_schema *schema);

#endif
