// SPDX-License-Identifier: Apache-2.0
#include "collector/access/password.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

/* What is tried first, of those that are long enough. */
static const char *const known[] = {
    "1234567890",   "12345678910", "0123456789",  "123456789a",    "1q2w3e4r5t",
    "qwertyuiop",   "password12",  "password123", "administrator", "coldchain1",
    "coldchain123", "iloveyou123", "woaini1314",  "woaini520",     "woaini1314520",
    "a123456789",   "qq123456789",
};

/* Characters, and how many of them differ from the one before; 0 when it is no UTF-8. */
static size_t count(const char *text, size_t *changes)
{
    size_t characters = 0;
    size_t left = strlen(text);
    const char *before = NULL;
    size_t before_len = 0;
    *changes = 0;
    while (left > 0) {
        size_t len = utf8_len(text, left);
        if (len == 0)
            return 0;
        if (before != NULL && (len != before_len || memcmp(text, before, len) != 0))
            ++*changes;
        before = text;
        before_len = len;
        text += len;
        left -= len;
        characters++;
    }
    return characters;
}

static bool is_known(const char *password)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(password, known[i]) == 0)
            return true;
    return false;
}

enum err password_check(const char *password, const char *login, struct err_text *why)
{
    size_t changes;
    size_t characters = count(password, &changes);
    if (strlen(password) > PASSWORD_MOST)
        return err_set(why, ERR_INVALID, "the password is too long: at most %d bytes",
                       PASSWORD_MOST);
    if (characters == 0 && password[0] != '\0')
        return err_set(why, ERR_INVALID, "the password is not UTF-8 text");
    if (characters < PASSWORD_LEAST)
        return err_set(why, ERR_INVALID,
                       "the password is too short: take at least %d characters, such as "
                       "four words that do not belong together",
                       PASSWORD_LEAST);
    if (changes < 3 || is_known(password))
        return err_set(why, ERR_INVALID,
                       "the password is one of those that are tried first: take four "
                       "words that do not belong together");
    if (strlen(login) >= 4 && strcasestr(password, login) != NULL)
        return err_set(why, ERR_INVALID,
                       "the password holds the sign-in name: take another");
    return ERR_OK;
}
