// SPDX-License-Identifier: Apache-2.0
/* Which passwords are taken, and what is said of the others. */
#include "collector/access/password.h"

#include <string.h>

#include "tests/support/check.h"

static void passwords_are_long_and_not_the_first_guess(void)
{
    static const struct {
        const char *name;
        const char *password;
        const char *login;
        const char *says; /* NULL: taken */
    } rows[] = {
        {"four words", "orange truck seven hill", "wang", NULL},
        {"ten characters", "k3nn-9mpq2", "wang", NULL},
        {"nine characters", "k3nn-9mpq", "wang", "at least 10 characters"},
        {"empty", "", "wang", "at least 10 characters"},
        {"Chinese counts by characters", "脐橙冷库夜里报警请接", "wang", NULL},
        {"nine Chinese characters are 27 bytes", "脐橙冷库夜里报警请", "wang",
         "at least 10 characters"},
        {"one character", "aaaaaaaaaaaaaaaa", "wang", "tried first"},
        {"two halves", "aaaaaaaabbbbbbbb", "wang", "tried first"},
        {"the first guess", "1234567890", "wang", "tried first"},
        {"in capitals", "QWERTYUIOP", "wang", "tried first"},
        {"the login inside", "my-WANGFEI-pass", "wangfei", "sign-in name"},
        {"a short login may be inside", "xk wan bridge 7", "wan", NULL},
        {"not UTF-8", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6", "wang", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why = {0};
        enum err err = password_check(rows[i].password, rows[i].login, &why);
        CHECK_ROW(rows[i].name, (err == ERR_OK) == (rows[i].says == NULL));
        if (rows[i].says != NULL)
            CHECK_ROW(rows[i].name, strstr(why.text, rows[i].says) != NULL);
    }
}

static void length_is_bounded(void)
{
    char password[PASSWORD_MOST + 2];
    struct err_text why;
    for (size_t i = 0; i < sizeof password - 1; i++)
        password[i] = (char)('a' + i % 26);
    password[sizeof password - 1] = '\0';
    CHECK(password_check(password, "", &why) == ERR_INVALID);
    CHECK(strstr(why.text, "too long") != NULL);
    password[PASSWORD_MOST] = '\0';
    CHECK(password_check(password, "", &why) == ERR_OK);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"passwords are long and not the first guess",
         passwords_are_long_and_not_the_first_guess},
        {"length is bounded", length_is_bounded},
        CU_TEST_INFO_NULL,
    };
    return check_run("password", tests);
}
