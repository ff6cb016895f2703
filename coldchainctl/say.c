// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/say.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coldchainctl/words.h"

enum say_language say_language_of(const char *locale)
{
    return strncmp(locale, "zh", 2) == 0 ? SAY_ZH : SAY_EN;
}

enum say_language say_language(void)
{
    static const char *const variables[] = {"COLDCHAIN_LANG", "LC_ALL", "LC_MESSAGES",
                                            "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *locale = getenv(variables[i]);
        if (locale != NULL && locale[0] != '\0')
            return say_language_of(locale);
    }
    return SAY_EN;
}

/* NULL: it is in no dictionary. */
static const char *find(enum say_language language, const char *english)
{
    for (const struct words_part *const *part = words_parts; *part != NULL; part++)
        for (size_t i = 0; i < (*part)->count; i++)
            if (strcmp((*part)->entries[i].text[SAY_EN], english) == 0)
                return (*part)->entries[i].text[language];
    return NULL;
}

static const char *look_up(enum say_language language, const char *english)
{
    const char *said = language != SAY_EN ? find(language, english) : NULL;
    return said != NULL ? said : english;
}

const char *say_in(enum say_language language, const char *english)
{
    return look_up(language, english);
}

const char *say(const char *english)
{
    return look_up(say_language(), english);
}

const char *say_word(const char *english)
{
    return look_up(say_language(), english);
}

const char *say_of(const char *list, const char *english)
{
    char entry[80];
    if (say_language() == SAY_EN)
        return english;
    snprintf(entry, sizeof entry, "%s: %s", list, english);
    const char *said = find(say_language(), entry);
    return said != NULL ? said : english;
}

/* ---- options -------------------------------------------------------------------------
 */

static enum err set_language(const char *value, struct err_text *why)
{
    if (value == NULL || (strcmp(value, "zh") != 0 && strcmp(value, "en") != 0))
        return err_set(why, ERR_INVALID, say("--lang takes zh or en"));
    setenv("COLDCHAIN_LANG", value, 1);
    return ERR_OK;
}

enum err say_take_options(int *argc, char **argv, struct err_text *why)
{
    int kept = 1;
    enum err err = ERR_OK;
    bool is_ended = false;
    bool wants_json = false;
    for (int at = 1; at < *argc; at++) {
        is_ended = is_ended || strcmp(argv[at], "--") == 0;
        wants_json = wants_json || (!is_ended && strcmp(argv[at], "--json") == 0);
        if (!is_ended && strcmp(argv[at], "--no-color") == 0)
            setenv("NO_COLOR", "1", 1);
        else if (!is_ended && strncmp(argv[at], "--lang=", 7) == 0)
            err = set_language(argv[at] + 7, why);
        else if (!is_ended && strcmp(argv[at], "--lang") == 0)
            err = set_language(at + 1 < *argc ? argv[++at] : NULL, why);
        else
            argv[kept++] = argv[at];
        if (err != ERR_OK)
            return err;
    }
    argv[kept] = NULL;
    *argc = kept;
    if (wants_json)
        setenv("COLDCHAIN_LANG", "en", 1);
    return ERR_OK;
}

/* ---- errors --------------------------------------------------------------------------
 */

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

void say_reason(struct err_text *shown, enum err err, const struct err_text *why)
{
    assert(shown != why);
    if (why->text[0] == '\0')
        err_set(shown, err, "%s", say_word(err_about(err)));
    else if (say_language() == SAY_EN || !is_ascii(why->text))
        *shown = *why;
    else
        err_set(shown, err, say("%s (%.400s)"), say_word(err_about(err)), why->text);
}
