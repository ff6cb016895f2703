// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/crypto.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"

int main(int argc, char **argv)
{
    struct err_text why;
    crypto_init();
    if (say_take_options(&argc, argv, &why) != ERR_OK) {
        fprintf(stderr, "coldchainctl: %s\n", why.text);
        return COMMAND_USAGE;
    }
    return command_dispatch(commands, "coldchainctl", argc, argv);
}
