// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/man.h"

#include <string.h>

#include "base/roff.h"
#include "coldchainctl/client.h"
#include "coldchainctl/help.h"

static void put_paragraphs(FILE *out, const char *text)
{
    const char *line;
    int len;
    for (int count = 0; (line = help_line(&text, &len)) != NULL; count++) {
        fputs(count > 0 ? ".PP\n" : "", out);
        roff_text(out, line, (size_t)len);
        fputc('\n', out);
    }
}

/* Lines as they are typed. */
static void put_verbatim(FILE *out, const char *text)
{
    const char *line;
    int len;
    fputs(".nf\n", out);
    while ((line = help_line(&text, &len)) != NULL) {
        roff_text(out, line, (size_t)len);
        fputc('\n', out);
    }
    fputs(".fi\n", out);
}

static void put_synopsis(FILE *out, const struct command *command)
{
    const char *rest = command->usage;
    const char *line;
    int len;
    fputs(".SH SYNOPSIS\n", out);
    for (int count = 0; (line = help_line(&rest, &len)) != NULL; count++) {
        fprintf(out, "%s.B coldchainctl ", count > 0 ? ".br\n" : "");
        roff_put(out, command->name);
        fputc('\n', out);
        if (len == 0)
            continue;
        roff_text(out, line, (size_t)len);
        fputc('\n', out);
    }
}

static void put_options(FILE *out, const struct option *options)
{
    if (options == NULL)
        return;
    fputs(".SH OPTIONS\n", out);
    for (; options->name != NULL; options++) {
        fputs(".TP\n\\fB\\-\\-", out);
        roff_put(out, options->name);
        fputs("\\fR", out);
        if (options->arg != NULL) {
            fputs(" \\fI", out);
            roff_put(out, options->arg);
            fputs("\\fR", out);
        }
        fputc('\n', out);
        roff_put(out, options->help != NULL ? options->help : "");
        fputc('\n', out);
    }
}

static void put_statuses(FILE *out, const char *text)
{
    const char *line;
    int len;
    fputs(".SH EXIT STATUS\n", out);
    while ((line = help_line(&text, &len)) != NULL) {
        int digits = (int)strcspn(line, " ");
        fprintf(out, ".TP\n%.*s\n", digits, line);
        int skip = digits < len ? digits + 1 : len;
        roff_text(out, line + skip, (size_t)(len - skip));
        fputc('\n', out);
    }
}

void man_command(FILE *out, const struct command *command)
{
    char name[64];
    snprintf(name, sizeof name, "coldchainctl-%s", command->name);
    roff_begin(out, name, 1, command->summary);
    if (command->help != NULL) {
        fputs(".SH DESCRIPTION\n", out);
        put_verbatim(out, command->help);
        return;
    }
    put_synopsis(out, command);
    fputs(".SH DESCRIPTION\n", out);
    put_paragraphs(out, command->about);
    put_options(out, command->options);
    fputs(".SH EXAMPLES\n", out);
    put_verbatim(out, command->examples);
    put_statuses(out, command->statuses);
    fputs(".SH SEE ALSO\n.BR coldchainctl (1)\n", out);
}

static void put_environment(FILE *out)
{
    static const char *const rows[][2] = {
        {"COLDCHAIN_API", "where the collector's API is (" CLIENT_API_DEFAULT ")"},
        {"COLDCHAIN_CA_FILE", "certificates to trust for https"},
        {"COLDCHAIN_TOKEN_FILE", "holds the token (" CLIENT_TOKEN_DEFAULT ")"},
        {"COLDCHAIN_LANG",
         "zh or en; else LC_ALL, LC_MESSAGES or LANG say which (--lang says it for once)"},
        {"NO_COLOR", "set to anything: no colours (--no-color says it for once)"},
    };
    fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fprintf(out, ".TP\n\\fB%s\\fR\n", rows[i][0]);
        roff_put(out, rows[i][1]);
        fputc('\n', out);
    }
}

void man_program(FILE *out, const struct command *const *table)
{
    roff_begin(out, "coldchainctl", 1,
               "ask and command a cold chain from the command line");
    fputs(".SH SYNOPSIS\n.B coldchainctl\n\\fICOMMAND\\fR [options]\n.SH DESCRIPTION\n"
          "Results go to standard output, everything else to standard error. "
          "\\fB\\-\\-json\\fR is for scripts: members may be added, none changes its "
          "meaning, and it is English whatever the language.\n.SH COMMANDS\n",
          out);
    for (size_t i = 0; table[i] != NULL; i++) {
        fputs(".TP\n.BR coldchainctl\\-", out);
        roff_put(out, table[i]->name);
        fputs(" (1)\n", out);
        roff_put(out, table[i]->summary);
        fputc('\n', out);
    }
    put_environment(out);
    put_statuses(out, "0 done\n1 failed, or the answer is no\n2 wrong usage\n");
    fputs(".SH SEE ALSO\n.BR coldchain\\-agent (1),\n.BR coldchain\\-collector (1),\n"
          ".BR coldchain\\-agent.yaml (5),\n.BR coldchain\\-collector.yaml (5)\n",
          out);
}
