// SPDX-License-Identifier: Apache-2.0
/*
 * prompt - asks the person at the terminal; without a terminal the answers are the lines
 * of standard input, for scripts. Questions go to stderr. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_PROMPT_H
#define COLDCHAIN_COLDCHAINCTL_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PROMPT_SIZE 256

/* The line without its end; INVALID: none came, or it is too long. */
MUST_CHECK enum err prompt_line(char answer[PROMPT_SIZE], const char *question,
                                struct err_text *why);
/* The same, and the terminal does not show it. Wipe the answer after use. */
MUST_CHECK enum err prompt_secret(char answer[PROMPT_SIZE], const char *question,
                                  struct err_text *why);
/* A new one: a terminal is asked twice. INVALID: they differ. */
MUST_CHECK enum err prompt_new_secret(char answer[PROMPT_SIZE], const char *question,
                                      struct err_text *why);
/* Whether the answer begins with 'y'; without a terminal false. */
bool prompt_yes(const char *question);

#endif
