// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/help.h"

#include <stdbool.h>
#include <string.h>

#include "coldchainctl/say.h"
#include "coldchainctl/width.h"

/* Wide enough for a sentence, narrow enough for a terminal of 90 columns. */
#define LINE_COLUMNS   88
#define OPTION_COLUMNS 22

/* Puts words until the line is full; `column` is where the cursor stands. */
static void wrap_line(FILE *out, const char *text, size_t len, size_t indent,
                      size_t column, size_t most)
{
    bool is_first = true;
    while (len > 0) {
        size_t word = 0;
        while (word < len && text[word] != ' ')
            word++;
        size_t columns = width_of(text, word);
        if (!is_first && column + 1 + columns > most) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            is_first = true;
        }
        fprintf(out, "%s%.*s", is_first ? "" : " ", (int)word, text);
        column += columns + !is_first;
        is_first = false;
        text += word;
        len -= word;
        while (len > 0 && *text == ' ') {
            text++;
            len--;
        }
    }
    fputc('\n', out);
}

void help_wrap_to(FILE *out, const char *text, size_t indent, size_t column, size_t most)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (column < indent)
            fprintf(out, "%*s", (int)(indent - column), "");
        wrap_line(out, text, len, indent, column > indent ? column : indent, most);
        text += len + (text[len] == '\n');
        column = 0;
    }
}

void help_wrap(FILE *out, const char *text, size_t indent, size_t column)
{
    help_wrap_to(out, text, indent, column, LINE_COLUMNS);
}

const char *help_line(const char **text, int *len)
{
    const char *line = *text;
    if (line == NULL || *line == '\0')
        return NULL;
    *len = (int)strcspn(line, "\n");
    *text = line + *len + (line[*len] == '\n');
    return line;
}

static void print_usage(FILE *out, const char *parent, const struct command *command)
{
    const char *rest = command->usage;
    const char *lead = say("usage:");
    const char *line;
    int len;
    while ((line = help_line(&rest, &len)) != NULL) {
        int used =
            fprintf(out, "%s %s %s%s", lead, parent, command->name, len > 0 ? " " : "");
        wrap_line(out, line, (size_t)len, (size_t)used, (size_t)used, LINE_COLUMNS);
        lead = "      ";
    }
}

static void print_options(FILE *out, const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        int used =
            fprintf(out, "  --%s%s%s", options->name, options->arg != NULL ? " " : "",
                    options->arg != NULL ? options->arg : "");
        if (options->help == NULL || options->help[0] == '\0') {
            fputc('\n', out);
            continue;
        }
        if (used + 2 > OPTION_COLUMNS) {
            fputc('\n', out);
            used = 0;
        }
        help_wrap(out, options->help, OPTION_COLUMNS, (size_t)used);
    }
}

static void print_lines(FILE *out, const char *text)
{
    const char *line;
    int len;
    while ((line = help_line(&text, &len)) != NULL)
        fprintf(out, "  %.*s\n", len, line);
}

void command_print_help(FILE *out, const char *parent, const struct command *command)
{
    if (command->help != NULL) {
        fputs(command->help, out);
        return;
    }
    if (say_language() != SAY_EN) /* what follows is not in the dictionary */
        fprintf(out, "%s\n\n", say_word(command->summary));
    print_usage(out, parent, command);
    fputc('\n', out);
    help_wrap(out, command->about, 0, 0);
    if (command->options != NULL)
        fputs(say("\noptions:\n"), out);
    print_options(out, command->options);
    fputs(say("\nexamples:\n"), out);
    print_lines(out, command->examples);
    fputs(say("\nexit status:\n"), out);
    print_lines(out, command->statuses);
}
