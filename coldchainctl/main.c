// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/commands.h"

int main(int argc, char **argv)
{
    const struct command commands[] = {
        freshness_command,
        {.name = NULL},
    };
    return command_dispatch(commands, "coldchainctl", argc, argv);
}
