// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"
#include "coldchainctl/commands.h"

int main(int argc, char **argv)
{
    const struct command commands[] = {
        status_command,    zones_command,      readings_command, incidents_command,
        devices_command,   quarantine_command, journal_command,  broker_command,
        freshness_command, {.name = NULL},
    };
    crypto_init();
    return command_dispatch(commands, "coldchainctl", argc, argv);
}
