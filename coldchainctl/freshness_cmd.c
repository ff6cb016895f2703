// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/commands.h"

static int freshness_run(int argc, char **argv)
{
    (void)argc;
    return command_usage("freshness", "'%s' is not available in this build", argv[0]);
}

const struct command freshness_command = {
    .name = "freshness",
    .summary = "shelf life of produce at a temperature or along a record",
    .help = "usage: coldchainctl freshness\n",
    .run = freshness_run,
};
