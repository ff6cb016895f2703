// SPDX-License-Identifier: Apache-2.0
/*
 * commands - every command of coldchainctl, for the table in main.c.
 *
 * Each is defined at the end of its own <name>_cmd.c.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_COMMANDS_H
#define COLDCHAIN_COLDCHAINCTL_COMMANDS_H

#include "coldchainctl/command.h"

extern const struct command status_command;
extern const struct command zones_command;
extern const struct command readings_command;
extern const struct command incidents_command;
extern const struct command devices_command;
extern const struct command quarantine_command;
extern const struct command journal_command;
extern const struct command broker_command;
extern const struct command freshness_command;

#endif
