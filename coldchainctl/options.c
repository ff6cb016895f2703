// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/options.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "coldchainctl/say.h"

static const struct option *find(const struct option *table, const char *name, size_t len)
{
    for (; table->name != NULL; table++)
        if (strlen(table->name) == len && memcmp(table->name, name, len) == 0)
            return table;
    return NULL;
}

static enum err set_number(const struct option *option, double *into, const char *text,
                           struct err_text *why)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return err_set(why, ERR_INVALID, say("--%s takes a number, not '%s'"),
                       option->name, text);
    if (option->least < option->most && (value < option->least || value > option->most))
        return err_set(why, ERR_INVALID, say("--%s takes %g to %g, not %s"), option->name,
                       option->least, option->most, text);
    *into = value;
    return ERR_OK;
}

static enum err set(const struct option *option, void *into, const char *value,
                    struct err_text *why)
{
    void *field = (char *)into + option->offset;
    switch (option->type) {
    case OPTION_FLAG:
        if (value != NULL)
            return err_set(why, ERR_INVALID, say("--%s takes no value"), option->name);
        *(bool *)field = true;
        return ERR_OK;
    case OPTION_TEXT:
        *(const char **)field = value;
        return ERR_OK;
    case OPTION_NUMBER:
        return set_number(option, field, value, why);
    }
    assert(false);
    return ERR_INVALID;
}

/* Takes the option at argv[*at], and its value from the next word when it has none. */
static enum err take(const struct option *table, void *into, int argc, char **argv,
                     int *at, struct err_text *why)
{
    const char *name = argv[*at] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    const struct option *option = find(table, name, len);
    if (option == NULL)
        return err_set(why, ERR_INVALID, say("there is no option '--%.*s'"), (int)len,
                       name);
    if (option->type != OPTION_FLAG && value == NULL) {
        if (*at + 1 >= argc)
            return err_set(why, ERR_INVALID, say("--%s needs %s behind it"), option->name,
                           say_word(option->value));
        value = argv[++*at];
    }
    return set(option, into, value, why);
}

enum err options_take(const struct option *table, void *into, int *argc, char **argv,
                      struct err_text *why)
{
    int kept = 1;
    bool is_ended = false;
    for (int at = 1; at < *argc; at++) {
        if (!is_ended && strcmp(argv[at], "--") == 0) {
            is_ended = true;
        } else if (!is_ended && strncmp(argv[at], "--", 2) == 0) {
            enum err err = take(table, into, *argc, argv, &at, why);
            if (err != ERR_OK)
                return err;
        } else {
            argv[kept++] = argv[at];
        }
    }
    *argc = kept;
    return ERR_OK;
}
