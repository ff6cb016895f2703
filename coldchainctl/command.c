// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/command.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "coldchainctl/say.h"

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
           strcmp(word, "help") == 0;
}

const struct command *command_find(const struct command *const *table, const char *name)
{
    for (; *table != NULL; table++)
        if (strcmp((*table)->name, name) == 0)
            return *table;
    return NULL;
}

static void print_table(FILE *out, const struct command *const *table, const char *parent)
{
    fprintf(out, say("usage: %s COMMAND [options]\n\ncommands:\n"), parent);
    for (; *table != NULL; table++)
        fprintf(out, "  %-12s %s\n", (*table)->name, say_word((*table)->summary));
    fprintf(
        out,
        say("\n'%s COMMAND --help' shows a command's options and examples.\n"
            "everywhere: --lang zh|en (else COLDCHAIN_LANG, LC_ALL, LC_MESSAGES, LANG), "
            "--no-color\n"
            "exit status: 0 done, 1 failed or the answer is no, 2 wrong usage\n"),
        parent);
}

const char *command_nearest(const struct command *const *table, const char *name)
{
    struct names_near near;
    names_near_init(&near, name);
    for (; *table != NULL; table++) {
        const char *known = (*table)->name;
        bool is_begun = strlen(name) >= 3 && strncmp(known, name, strlen(name)) == 0;
        if (is_begun)
            return known;
        names_near_offer(&near, known, strlen(known));
    }
    return near.best;
}

static int unknown(const struct command *const *table, const char *parent,
                   const char *name)
{
    const char *nearest = command_nearest(table, name);
    if (nearest != NULL)
        fprintf(
            stderr,
            say("%s: there is no command '%s' (did you mean '%s'?); '%s --help' lists "
                "them\n"),
            parent, name, nearest, parent);
    else
        fprintf(stderr, say("%s: there is no command '%s'; '%s --help' lists them\n"),
                parent, name, parent);
    return COMMAND_USAGE;
}

/* Behind the command: wherever a person happens to think of it. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int command_dispatch(const struct command *const *table, const char *parent, int argc,
                     char **argv)
{
    assert(table != NULL && parent != NULL);
    if (argc < 2) {
        print_table(stderr, table, parent);
        return COMMAND_USAGE;
    }
    bool wants_help = is_help(argv[1]);
    if (wants_help && argc < 3) {
        print_table(stdout, table, parent);
        return COMMAND_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", parent, COLDCHAIN_VERSION);
        return COMMAND_OK;
    }
    const char *name = argv[wants_help ? 2 : 1];
    const struct command *command = command_find(table, name);
    if (command == NULL)
        return unknown(table, parent, name);
    if (!wants_help && !asks_for_help(argc, argv))
        return command->run(argc - 1, argv + 1);
    command_print_help(stdout, parent, command);
    return COMMAND_OK;
}

int command_fail(const char *name, enum err err, const struct err_text *why)
{
    assert(err != ERR_OK);
    struct err_text shown;
    say_reason(&shown, err, why);
    fprintf(stderr, "coldchainctl %s: %s\n", name, shown.text);
    return COMMAND_FAILED;
}

int command_usage(const char *name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "coldchainctl %s: ", name);
    vfprintf(stderr, say(fmt), args);
    fprintf(stderr, say("; see 'coldchainctl %s --help'\n"), name);
    va_end(args);
    return COMMAND_USAGE;
}
