// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/commands.h"

/* Words of shells are cut at these; a summary or a help text is shown, never run. */
static void put_quoted(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (*text != '\n')
            putchar(*text);
    putchar('\'');
}

static bool wants_file(const struct option *option)
{
    return option->arg != NULL &&
           (strcmp(option->arg, "FILE") == 0 || strcmp(option->arg, "DIR") == 0);
}

static const struct option *first_option(const struct command *command)
{
    static const struct option none = {.name = NULL};
    return command->options != NULL ? command->options : &none;
}

/* What say_take_options takes out of every command. */
static const struct option everywhere[] = {
    {.name = "lang",
     .type = OPTION_TEXT,
     .arg = "LANGUAGE",
     .help = "zh or en; else that of the environment",
     .words = "zh en"},
    {.name = "no-color", .type = OPTION_FLAG, .help = "no colours"},
    {.name = NULL},
};

/* ---- bash -------------------------------------------------------------------------- */

static void bash_names(const struct option *option)
{
    for (; option->name != NULL; option++)
        printf(" --%s", option->name);
}

static void bash_values(const struct option *option)
{
    for (; option->name != NULL; option++) {
        if (option->type == OPTION_FLAG)
            continue;
        printf("        --%s) ", option->name);
        if (option->words != NULL)
            printf("words='%s' ;;\n", option->words);
        else
            puts(wants_file(option) ? "kind=file ;;" : "kind=none ;;");
    }
}

static void bash_command(const struct command *command)
{
    printf("    %s)\n        verbs='%s'\n        opts='--help", command->name,
           command->verbs != NULL ? command->verbs : "");
    bash_names(first_option(command));
    bash_names(everywhere);
    puts("'\n        case $prev in");
    bash_values(first_option(command));
    bash_values(everywhere);
    puts("        esac\n        ;;");
}

static void print_bash(void)
{
    puts("# bash completion of coldchainctl, made by 'coldchainctl completion bash'\n"
         "_coldchainctl() {\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "    local verbs='' opts='' words='' kind=''\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        COMPREPLY=($(compgen -W 'help", stdout);
    for (size_t i = 0; commands[i] != NULL; i++)
        printf(" %s", commands[i]->name);
    puts(" --help --version' -- \"$cur\"))\n"
         "        return\n"
         "    fi\n"
         "    case ${COMP_WORDS[1]} in");
    for (size_t i = 0; commands[i] != NULL; i++)
        bash_command(commands[i]);
    puts(
        "    esac\n"
        "    if [ \"$kind\" = none ]; then\n"
        "        return\n"
        "    elif [ -n \"$words\" ]; then\n"
        "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
        "    elif [[ $cur == -* && -z $kind ]]; then\n"
        "        COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n"
        "    elif [ \"$COMP_CWORD\" -eq 2 ] && [ -n \"$verbs\" ] && [ -z \"$kind\" ]; then\n"
        "        COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\"))\n"
        "    else\n"
        "        compopt -o filenames 2>/dev/null\n"
        "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
        "    fi\n"
        "}\n"
        "complete -F _coldchainctl coldchainctl");
}

/* ---- zsh --------------------------------------------------------------------------- */

/* Colons and brackets have a meaning in the specifications of _arguments. */
static void zsh_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr(":[]\\", *text) != NULL)
            putchar('\\');
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stdout);
    }
}

static void zsh_option(const struct option *option)
{
    printf(" \\\n            '--%s[", option->name);
    zsh_text(option->help != NULL ? option->help : "");
    putchar(']');
    if (option->type != OPTION_FLAG) {
        putchar(':');
        zsh_text(option->arg != NULL ? option->arg : "value");
        putchar(':');
        if (option->words != NULL)
            printf("(%s)", option->words);
        else if (wants_file(option))
            fputs("_files", stdout);
    }
    putchar('\'');
}

static void zsh_options(const struct option *option)
{
    for (; option->name != NULL; option++)
        zsh_option(option);
}

static void print_zsh(void)
{
    puts("#compdef coldchainctl\n"
         "# zsh completion, made by 'coldchainctl completion zsh'\n"
         "_coldchainctl() {\n"
         "    if (( CURRENT == 2 )); then\n"
         "        local -a commands=(");
    for (size_t i = 0; commands[i] != NULL; i++) {
        printf("            '%s:", commands[i]->name);
        zsh_text(commands[i]->summary);
        puts("'");
    }
    puts("        )\n"
         "        _describe command commands\n"
         "        return\n"
         "    fi\n"
         "    local name=$words[2]\n"
         "    shift words; (( CURRENT-- ))\n"
         "    case $name in");
    for (size_t i = 0; commands[i] != NULL; i++) {
        printf("    %s)\n        _arguments '--help[shows help]'", commands[i]->name);
        zsh_options(first_option(commands[i]));
        zsh_options(everywhere);
        if (commands[i]->verbs != NULL)
            printf(" \\\n            '1:verb:(%s)'", commands[i]->verbs);
        puts(" \\\n            '*:file:_files'\n        ;;");
    }
    puts("    esac\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _coldchainctl ]; then\n"
         "    _coldchainctl \"$@\"\n"
         "else\n"
         "    compdef _coldchainctl coldchainctl\n"
         "fi");
}

/* ---- fish -------------------------------------------------------------------------- */

static void fish_option(const char *command, const struct option *option)
{
    printf("complete -c coldchainctl -n '__fish_seen_subcommand_from %s' -l %s", command,
           option->name);
    if (option->type != OPTION_FLAG)
        fputs(wants_file(option) ? " -r -F" : " -x", stdout);
    if (option->words != NULL)
        printf(" -a '%s'", option->words);
    fputs(" -d ", stdout);
    put_quoted(option->help != NULL ? option->help : "");
    putchar('\n');
}

static void print_fish(void)
{
    puts("# fish completion of coldchainctl, made by 'coldchainctl completion fish'");
    for (size_t i = 0; commands[i] != NULL; i++) {
        const struct command *command = commands[i];
        printf("complete -c coldchainctl -n __fish_use_subcommand -f -a %s -d ",
               command->name);
        put_quoted(command->summary);
        putchar('\n');
        if (command->verbs != NULL)
            printf("complete -c coldchainctl -n '__fish_seen_subcommand_from %s' -a "
                   "'%s'\n",
                   command->name, command->verbs);
        for (const struct option *option = first_option(command); option->name; option++)
            fish_option(command->name, option);
        for (const struct option *option = everywhere; option->name; option++)
            fish_option(command->name, option);
    }
}

static int completion_run(int argc, char **argv)
{
    if (argc != 2)
        return command_usage("completion", "name one shell: bash, zsh or fish");
    if (strcmp(argv[1], "bash") == 0)
        print_bash();
    else if (strcmp(argv[1], "zsh") == 0)
        print_zsh();
    else if (strcmp(argv[1], "fish") == 0)
        print_fish();
    else
        return command_usage("completion", "'%.40s' is not bash, zsh or fish", argv[1]);
    return COMMAND_OK;
}

const struct command completion_command = {
    .name = "completion",
    .summary = "what makes bash, zsh or fish complete commands and options",
    .verbs = "bash zsh fish",
    .usage = "bash|zsh|fish\n",
    .about = "Prints a script for the shell, made of the same table as --help.\n",
    .examples =
        "coldchainctl completion bash >/etc/bash_completion.d/coldchainctl\n"
        "coldchainctl completion zsh >/usr/local/share/zsh/site-functions/_coldchainctl\n"
        "coldchainctl completion fish >~/.config/fish/completions/coldchainctl.fish\n",
    .statuses = "0 printed\n"
                "2 no such shell\n",
    .run = completion_run,
};
