// SPDX-License-Identifier: Apache-2.0
/*
 * commands - every command of coldchainctl.
 *
 * Each is defined at the end of its own <name>_cmd.c; the table is in commands.c.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_COMMANDS_H
#define COLDCHAIN_COLDCHAINCTL_COMMANDS_H

#include "coldchainctl/command.h"

extern const struct command status_command;
extern const struct command doctor_command;
extern const struct command who_rings_command;
extern const struct command top_command;
extern const struct command tail_command;
extern const struct command zones_command;
extern const struct command readings_command;
extern const struct command incidents_command;
extern const struct command rules_command;
extern const struct command suppressions_command;
extern const struct command devices_command;
extern const struct command channels_command;
extern const struct command channel_command;
extern const struct command get_command;
extern const struct command do_command;
extern const struct command audit_command;
extern const struct command login_command;
extern const struct command logout_command;
extern const struct command people_command;
extern const struct command token_command;
extern const struct command grant_command;
extern const struct command reset_password_command;
extern const struct command quarantine_command;
extern const struct command journal_command;
extern const struct command broker_command;
extern const struct command freshness_command;
extern const struct command backup_command;
extern const struct command restore_command;
extern const struct command config_command;
extern const struct command backtest_command;
extern const struct command import_command;
extern const struct command completion_command;
extern const struct command man_page_command;

/* In the order in which help lists them; NULL ends it. */
extern const struct command *const commands[];

#endif
