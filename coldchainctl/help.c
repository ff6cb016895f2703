// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/help.h"

#include <stdbool.h>
#include <string.h>

#include "coldchainctl/say.h"
#include "coldchainctl/width.h"

/* Wide enough for a sentence, narrow enough for a terminal of 90 columns. */
#define LINE_COLUMNS   88
#define OPTION_COLUMNS 22

/* From U+3000 on: the bytes of what stands before begin below 0xE3. */
static bool is_chinese(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] >= 0xE3)
            return true;
    return false;
}

/* A line may begin here: not within a Latin word, and not with what closes one. */
static bool may_begin(const char *text, size_t at, size_t len)
{
    static const char *const closing[] = {"，", "。", "；", "：", "、", "）", "”"};
    for (size_t i = 0; i < sizeof closing / sizeof closing[0]; i++)
        if (len - at >= 3 && memcmp(text + at, closing[i], 3) == 0)
            return false;
    return ((unsigned char)text[at] | (unsigned char)text[at - 1]) >= 0x80;
}

/* Bytes of a Chinese text that end a line well; 0: it begins on the next one. */
static size_t chinese_fit(const char *text, size_t len, size_t columns)
{
    size_t fits = width_fit(text, len, columns);
    while (fits > 0 && fits < len && !may_begin(text, fits, len)) {
        fits--;
        while (fits > 0 && ((unsigned char)text[fits] & 0xC0) == 0x80)
            fits--; /* the middle of a character */
    }
    return fits;
}

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
        size_t taken = column + !is_first;
        size_t room = most > taken ? most - taken : 0;
        if (columns > room && is_chinese(text, word)) {
            /* Chinese has no blanks: as much as fits, and the rest as the next word. */
            size_t fits = chinese_fit(text, word, room);
            columns = fits > 0 ? width_of(text, fits) : columns;
            word = fits > 0 ? fits : word;
        }
        if (!is_first && columns > room) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            is_first = true;
            continue;
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
