// SPDX-License-Identifier: Apache-2.0
/*
 * command - a table of commands, their help, and what they give back to the shell.
 *
 * A command that has commands of its own calls command_dispatch() with its own table.
 * To add one: write coldchainctl/<name>_cmd.c, declare its `const struct command` in
 * commands.h, add one line to the table in main.c.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_COMMAND_H
#define COLDCHAIN_COLDCHAINCTL_COMMAND_H

#include <stddef.h>

#include "base/err.h"

/* Exit statuses, the same for every command; documented by `coldchainctl --help`. */
enum command_status {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1, /* asked rightly, but it could not be done or the answer is no */
    COMMAND_USAGE = 2,  /* asked wrongly */
};

struct command {
    const char *name;
    const char *summary; /* one line, lower case, no full stop */
    const char *help;    /* usage, what it does, examples; several lines, ends with \n */
    /* argv[0] is the command's name; returns a command_status. */
    int (*run)(int argc, char **argv);
};

/*
 * Runs the command that argv[1] names. `--help`, `-h`, `help` and `help NAME` print help;
 * an unknown name says which one was perhaps meant. `parent` is "coldchainctl" or
 * "coldchainctl journal". The table ends with a NULL name.
 */
int command_dispatch(const struct command *table, const char *parent, int argc,
                     char **argv);

/* The name in the table nearest to `name`, or NULL when none is near. */
const char *command_nearest(const struct command *table, const char *name);

/* Prints "coldchainctl NAME: why" to stderr and returns the status that fits err. */
int command_fail(const char *name, enum err err, const struct err_text *why);

/* The same with COMMAND_USAGE, and where to find the help. */
int command_usage(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
