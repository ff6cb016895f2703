// SPDX-License-Identifier: Apache-2.0
/*
 * screen - how large the terminal is.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_SCREEN_H
#define COLDCHAIN_COLDCHAINCTL_SCREEN_H

#include <stddef.h>

/* Of the terminal at stdout, else COLUMNS and LINES of the environment, else 80 and 24.
 */
size_t screen_columns(void);
size_t screen_lines(void);

#endif
