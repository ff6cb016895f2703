// SPDX-License-Identifier: Apache-2.0
/*
 * screen - how large the terminal is, and what the one behind a stream can do.
 *
 * A file or a pipe has no room to keep to, no colour and no cursor: what goes there is
 * whole and plain. Asks the environment: COLUMNS, LINES, TERM, NO_COLOR
 * (https://no-color.org). Any thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_SCREEN_H
#define COLDCHAIN_COLDCHAINCTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Of stdout's terminal, else of COLUMNS and LINES, else 80 and 24. */
size_t screen_columns(void);
size_t screen_lines(void);

/* The columns that a line may take: COLUMNS, else what the terminal says, else 80. 0: it
 * is no terminal. */
size_t screen_room(FILE *out);

/* A terminal that is not dumb: a line can be drawn again. */
bool screen_has_cursor(FILE *out);
/* The same, and nobody asked for no colour. */
bool screen_has_color(FILE *out);

#endif
