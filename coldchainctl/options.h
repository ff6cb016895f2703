// SPDX-License-Identifier: Apache-2.0
/*
 * options - the long options of a command, from a table.
 *
 * --name VALUE and --name=VALUE; "--" ends them; what is no option is left in argv in its
 * order. Texts are borrowed from argv.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_OPTIONS_H
#define COLDCHAIN_COLDCHAINCTL_OPTIONS_H

#include <stddef.h>

#include "base/err.h"

enum option_type {
    OPTION_FLAG,   /* bool */
    OPTION_TEXT,   /* const char * */
    OPTION_NUMBER, /* double: finite, within least..most when they differ */
};

struct option {
    const char *name; /* without the dashes; NULL ends the table */
    enum option_type type;
    size_t offset; /* in the struct that options_take fills */
    double least;
    double most;
    const char *value; /* what messages call the value */
    const char *arg;   /* what help calls it: "FILE" and "DIR" are completed as files */
    const char *help;  /* wrapped when it is printed */
    const char *words; /* of which the value is one, by spaces; NULL: any */
};

/*
 * Fills `into` (defaults set by the caller) and reduces argc and argv to argv[0] and the
 * words that are no options. ERR_INVALID says which option is wrong and what it takes.
 */
MUST_CHECK enum err options_take(const struct option *table, void *into, int *argc,
                                 char **argv, struct err_text *why);

#endif
