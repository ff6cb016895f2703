// SPDX-License-Identifier: Apache-2.0
/*
 * commands - every command of coldchainctl, for the table in main.c.
 *
 * Each is defined at the end of its own <name>_cmd.c.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_COMMANDS_H
#define COLDCHAIN_COLDCHAINCTL_COMMANDS_H

#include "coldchainctl/command.h"

extern const struct command freshness_command;

#endif
