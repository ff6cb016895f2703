// SPDX-License-Identifier: Apache-2.0
/*
 * help - texts of the command table, wrapped for a terminal.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_HELP_H
#define COLDCHAIN_COLDCHAINCTL_HELP_H

#include <stddef.h>
#include <stdio.h>

#include "coldchainctl/command.h"

/* Each line of the text wrapped, from column `indent`; the cursor stands at `column`. */
void help_wrap(FILE *out, const char *text, size_t indent, size_t column);

/* The same for another width than that of help; SIZE_MAX: nothing is wrapped. */
void help_wrap_to(FILE *out, const char *text, size_t indent, size_t column, size_t most);

/* The next line of *text, which moves on; NULL at its end or when it is NULL. */
const char *help_line(const char **text, int *len);

#endif
