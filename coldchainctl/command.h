// SPDX-License-Identifier: Apache-2.0
/*
 * command - a table of commands, their help, and what they give back to the shell.
 *
 * One `const struct command` describes a command to everybody who asks: --help, the
 * manual (man.h), completion in the shell (completion.h) and docs/coldchainctl.md are
 * made of it. To add one: write coldchainctl/<name>_cmd.c, declare it in commands.h, add
 * one line to the table in commands.c. A command that has commands of its own calls
 * command_dispatch() with its own table.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_COMMAND_H
#define COLDCHAIN_COLDCHAINCTL_COMMAND_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "coldchainctl/options.h"

/* Exit statuses, the same for every command; documented by `coldchainctl --help`. */
enum command_status {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1, /* asked rightly, but it could not be done or the answer is no */
    COMMAND_USAGE = 2,  /* asked wrongly */
};

/* Texts are wrapped when they are printed: a line here is a paragraph. */
struct command {
    const char *name;
    const char *summary;          /* one line, lower case, no full stop */
    const char *verbs;            /* the words it knows first, by spaces; NULL: none */
    const char *usage;            /* one form a line, without "coldchainctl NAME " */
    const char *about;            /* what it does; a paragraph a line */
    const struct option *options; /* with arg and help; NULL: none */
    const char *examples;         /* a line each, as typed */
    const char *statuses;         /* a line each: "0 shown" */
    const char *help;             /* instead of the five above, as it is printed */
    /* argv[0] is the command's name; returns a command_status. */
    int (*run)(int argc, char **argv);
};

/*
 * Runs the command that argv[1] names. `--help`, `-h`, `help` and `help NAME` print help;
 * an unknown name says which one was perhaps meant. `parent` is "coldchainctl" or
 * "coldchainctl journal". The table ends with NULL.
 */
int command_dispatch(const struct command *const *table, const char *parent, int argc,
                     char **argv);

/* NULL when there is none. */
const struct command *command_find(const struct command *const *table, const char *name);

/* The name in the table nearest to `name`, or NULL when none is near. */
const char *command_nearest(const struct command *const *table, const char *name);

/* Usage, what it does, options, examples, statuses. */
void command_print_help(FILE *out, const char *parent, const struct command *command);

/* Prints "coldchainctl NAME: why" to stderr and returns the status that fits err. */
int command_fail(const char *name, enum err err, const struct err_text *why);

/* The same with COMMAND_USAGE, and where to find the help. */
int command_usage(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
