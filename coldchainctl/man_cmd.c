// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "coldchainctl/commands.h"
#include "coldchainctl/man.h"

static int man_run(int argc, char **argv)
{
    if (argc > 2)
        return command_usage("man", "one command at most is named");
    if (argc == 1) {
        man_program(stdout, commands);
        return COMMAND_OK;
    }
    const struct command *command = command_find(commands, argv[1]);
    if (command == NULL)
        return command_usage("man", "there is no command '%.40s'", argv[1]);
    man_command(stdout, command);
    return COMMAND_OK;
}

const struct command man_page_command = {
    .name = "man",
    .summary = "the manual page of coldchainctl or of a command, as roff",
    .usage = "[COMMAND]\n",
    .about =
        "Prints a manual page made of the same table as --help. Installed packages have "
        "them where man finds them: man coldchainctl-readings.\n",
    .examples = "coldchainctl man readings | man -l -\n"
                "coldchainctl man >coldchainctl.1\n",
    .statuses = "0 printed\n"
                "2 no such command\n",
    .run = man_run,
};
