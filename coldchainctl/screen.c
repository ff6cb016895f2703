// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/screen.h"

#include <stdlib.h>
#include <string.h>
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

static bool is_terminal(FILE *out)
{
    int fd = fileno(out);
    return fd >= 0 && isatty(fd) == 1;
}

size_t screen_room(FILE *out)
{
    struct winsize size = {0};
    if (!is_terminal(out))
        return 0;
    const char *said = getenv("COLUMNS");
    if (said == NULL || said[0] == '\0')
        return side(ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0,
                    "COLUMNS", 80);
    return side(0, "COLUMNS", 80);
}

bool screen_has_cursor(FILE *out)
{
    const char *term = getenv("TERM");
    return is_terminal(out) && term != NULL && term[0] != '\0' &&
           strcmp(term, "dumb") != 0;
}

bool screen_has_color(FILE *out)
{
    const char *refused = getenv("NO_COLOR");
    return screen_has_cursor(out) && (refused == NULL || refused[0] == '\0');
}
