// SPDX-License-Identifier: Apache-2.0
#include "base/roff.h"

#include <ctype.h>
#include <string.h>

/* NULL: the character stands for itself. */
static const char *escape(char character)
{
    switch (character) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '`':
        return "\\(ga";
    default:
        return NULL;
    }
}

void roff_text(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char *other = escape(text[i]);
        if (i == 0 && text[i] == '.')
            fputs("\\&", out); /* a line that begins with a dot is a request */
        if (other != NULL)
            fputs(other, out);
        else
            fputc(text[i], out);
    }
}

void roff_put(FILE *out, const char *text)
{
    roff_text(out, text, strlen(text));
}

void roff_begin(FILE *out, const char *name, int section, const char *summary)
{
    fputs(".TH ", out);
    for (const char *at = name; *at != '\0'; at++)
        if (*at == '-')
            fputs("\\-", out);
        else
            fputc(toupper((unsigned char)*at), out);
    fprintf(out,
            " %d \"\" \"coldchain " COLDCHAIN_VERSION "\" \"coldchain\"\n"
            ".nh\n.ad l\n.SH NAME\n",
            section);
    roff_put(out, name);
    fputs(" \\- ", out);
    roff_put(out, summary);
    fputc('\n', out);
}
