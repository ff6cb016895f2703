// SPDX-License-Identifier: Apache-2.0
/*
 * man - manual pages in roff (man(7)) out of the command table.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_MAN_H
#define COLDCHAIN_COLDCHAINCTL_MAN_H

#include <stdio.h>

#include "coldchainctl/command.h"

/* coldchainctl(1): all commands, environment, exit statuses. */
void man_program(FILE *out, const struct command *const *table);
/* coldchainctl-NAME(1) */
void man_command(FILE *out, const struct command *command);

#endif
