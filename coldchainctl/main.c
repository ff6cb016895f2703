// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"
#include "coldchainctl/commands.h"

int main(int argc, char **argv)
{
    crypto_init();
    return command_dispatch(commands, "coldchainctl", argc, argv);
}
