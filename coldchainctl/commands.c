// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/commands.h"

/* One a line, so that two changes meet less often. */
// clang-format off
const struct command *const commands[] = {
    &status_command,
    &doctor_command,
    &who_rings_command,
    &top_command,
    &tail_command,
    &zones_command,
    &readings_command,
    &incidents_command,
    &rules_command,
    &suppressions_command,
    &devices_command,
    &channels_command,
    &channel_command,
    &get_command,
    &do_command,
    &config_command,
    &audit_command,
    &login_command,
    &logout_command,
    &people_command,
    &token_command,
    &grant_command,
    &reset_password_command,
    &quarantine_command,
    &journal_command,
    &backup_command,
    &restore_command,
    &backtest_command,
    &import_command,
    &broker_command,
    &freshness_command,
    &completion_command,
    &man_page_command,
    NULL,
};
// clang-format on
