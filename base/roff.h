// SPDX-License-Identifier: Apache-2.0
/*
 * roff - text for manual pages, with what roff(7) would take for its own escaped.
 */
#ifndef COLDCHAIN_BASE_ROFF_H
#define COLDCHAIN_BASE_ROFF_H

#include <stddef.h>
#include <stdio.h>

void roff_text(FILE *out, const char *text, size_t len);
/* The same of a whole text. */
void roff_put(FILE *out, const char *text);

/* The head of a page: "coldchain-agent", 1, and what it is in one line. */
void roff_begin(FILE *out, const char *name, int section, const char *summary);

#endif
