// SPDX-License-Identifier: Apache-2.0
/*
 * say - what people read, in their language.
 *
 * A text stands in the program in English, where it is used, and once more in the
 * dictionary (words.h) beside its Chinese. say() wraps it: `printf(say("%zu files\n"),
 * count)`, checked by the compiler as ever. Names and values of people are never
 * translated. The language is COLDCHAIN_LANG's (which --lang sets), else that of LC_ALL,
 * LC_MESSAGES, LANG: whichever is the first that is set and not empty. What is --json is
 * for programs and English.
 * Pure but for the environment.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_SAY_H
#define COLDCHAIN_COLDCHAINCTL_SAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum say_language {
    SAY_EN,
    SAY_ZH,
    SAY_LANGUAGES,
};

/* The text in the language of whoever reads; itself when it is in no dictionary. */
const char *say(const char *english) __attribute__((format_arg(1)));
const char *say_in(enum say_language language, const char *english)
    __attribute__((format_arg(2)));

/* The same for a word out of data that may be absent from the dictionary: no format. */
const char *say_word(const char *english);
/* A word whose meaning its list decides: say_of("quality", "open"). */
const char *say_of(const char *list, const char *english);

enum say_language say_language(void);
/* "zh_CN.UTF-8" is Chinese, everything else English. */
enum say_language say_language_of(const char *locale);

/*
 * The options that every command takes, wherever they stand: --lang zh|en, --no-color.
 * Takes them out of argv and sets COLDCHAIN_LANG and NO_COLOR. INVALID: no language.
 */
MUST_CHECK enum err say_take_options(int *argc, char **argv, struct err_text *why);

/* The reason in the reader's language: what other modules say in English only stands
 * behind what kind of error it is. */
void say_reason(struct err_text *shown, enum err err, const struct err_text *why);

#endif
