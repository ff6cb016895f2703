// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/screen.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SIDE_MAX 10000

static size_t side(unsigned short seen, const char *variable, size_t fallback)
{
    if (seen > 0)
        return seen;
    const char *text = getenv(variable);
    unsigned long value = text != NULL ? strtoul(text, NULL, 10) : 0;
    return value > 0 && value < SIDE_MAX ? value : fallback;
}

size_t screen_columns(void)
{
    struct winsize size = {0};
    return side(ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0, "COLUMNS",
                80);
}

size_t screen_lines(void)
{
    struct winsize size = {0};
    return side(ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0, "LINES",
                24);
}
