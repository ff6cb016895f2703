// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/say.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "coldchainctl/words.h"
#include "tests/support/check.h"

/* The conversions of a format, one behind the other: "%.300s%zu". */
static void conversions(char text[200], const char *format)
{
    size_t len = 0;
    for (const char *at = strchr(format, '%'); at != NULL; at = strchr(at, '%')) {
        size_t size = 1 + strspn(at + 1, "-+ #0123456789.*hlzjt");
        size += at[size] != '\0';
        for (size_t i = 0; i < size && len + 1 < 200; i++)
            text[len++] = at[i];
        at += size;
    }
    text[len] = '\0';
}

static size_t ends_of_line(const char *text, size_t *at_start)
{
    size_t count = 0;
    *at_start = text[0] == '\n';
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static bool is_chinese(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0xE3 && (unsigned char)*text <= 0xEF)
            return true;
    return false;
}

static void check_entry(const struct say_entry *entry)
{
    const char *en = entry->text[SAY_EN];
    const char *zh = entry->text[SAY_ZH];
    char wanted[200];
    char found[200];
    size_t start[SAY_LANGUAGES];
    CHECK_ROW("an entry has both texts", en != NULL && zh != NULL);
    conversions(wanted, en);
    conversions(found, zh);
    CHECK_ROW(en, strcmp(wanted, found) == 0);
    CHECK_ROW(en, ends_of_line(en, &start[SAY_EN]) == ends_of_line(zh, &start[SAY_ZH]));
    CHECK_ROW(en, start[SAY_EN] == start[SAY_ZH]);
    CHECK_ROW(en, !is_chinese(en) && utf8_is_valid(zh, strlen(zh)));
    /* "yes or no" is typed as it is. */
    CHECK_ROW(en, is_chinese(zh));
    CHECK_ROW(en, say_in(SAY_ZH, en) == zh);
}

static void every_entry_says_the_same_in_both_languages(void)
{
    size_t count = 0;
    for (const struct words_part *const *part = words_parts; *part != NULL; part++)
        for (size_t i = 0; i < (*part)->count; i++, count++)
            check_entry(&(*part)->entries[i]);
    CHECK(count > 200);
}

static void set_environment(const char *own, const char *all, const char *messages,
                            const char *lang)
{
    const char *const names[] = {"COLDCHAIN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"};
    const char *const values[] = {own, all, messages, lang};
    for (size_t i = 0; i < 4; i++)
        if (values[i] != NULL)
            setenv(names[i], values[i], 1);
        else
            unsetenv(names[i]);
}

static void the_language_is_the_first_that_is_set(void)
{
    static const struct {
        const char *name;
        const char *own, *all, *messages, *lang;
        enum say_language want;
    } rows[] = {
        {"nothing is set", NULL, NULL, NULL, NULL, SAY_EN},
        {"LANG alone", NULL, NULL, NULL, "zh_CN.UTF-8", SAY_ZH},
        {"LC_MESSAGES before LANG", NULL, NULL, "en_GB.UTF-8", "zh_CN.UTF-8", SAY_EN},
        {"LC_ALL before both", NULL, "zh_TW.UTF-8", "C", "C", SAY_ZH},
        {"COLDCHAIN_LANG before all", "zh", "C", "C", "C", SAY_ZH},
        {"what is empty is not set", "", "", "", "zh_CN", SAY_ZH},
        {"another language is English", NULL, NULL, NULL, "de_DE.UTF-8", SAY_EN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_environment(rows[i].own, rows[i].all, rows[i].messages, rows[i].lang);
        CHECK_ROW(rows[i].name, say_language() == rows[i].want);
    }
    set_environment("zh", NULL, NULL, NULL);
    CHECK_TEXT(say("yes"), "是");
    CHECK_TEXT(say_of("quality", "open"), "探头开路");
    CHECK_TEXT(say_word("open"), "进行中");
    CHECK_TEXT(say_of("quality", "a name of somebody"), "a name of somebody");
    CHECK_TEXT(say_word("a name of somebody"), "a name of somebody");
    set_environment("en", NULL, NULL, NULL);
    CHECK_TEXT(say("yes"), "yes");
    CHECK_TEXT(say_of("quality", "open"), "open");
}

static void options_of_every_command_are_taken_out_wherever_they_stand(void)
{
    static const struct {
        const char *name;
        const char *words[6];
        const char *left;
        enum say_language language;
        bool is_plain;
        enum err want;
    } rows[] = {
        {"before the command",
         {"--lang", "zh", "zones"},
         " zones",
         SAY_ZH,
         false,
         ERR_OK},
        {"behind it",
         {"zones", "--lang=zh", "--no-color"},
         " zones",
         SAY_ZH,
         true,
         ERR_OK},
        {"what is --json is English",
         {"zones", "--json", "--lang", "zh"},
         " zones --json",
         SAY_EN,
         false,
         ERR_OK},
        {"behind the end of options they are words",
         {"do", "--", "--lang", "zh"},
         " do -- --lang zh",
         SAY_EN,
         false,
         ERR_OK},
        {"another language", {"zones", "--lang", "fr"}, NULL, SAY_EN, false, ERR_INVALID},
        {"no language", {"zones", "--lang"}, NULL, SAY_EN, false, ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *argv[8] = {(char *)(uintptr_t) "coldchainctl"};
        char left[100] = "";
        int argc = 1;
        struct err_text why = {""};
        for (size_t k = 0; k < 6 && rows[i].words[k] != NULL; k++)
            argv[argc++] = (char *)(uintptr_t)rows[i].words[k];
        set_environment(NULL, NULL, NULL, NULL);
        unsetenv("NO_COLOR");
        CHECK_ROW(rows[i].name, say_take_options(&argc, argv, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, say_language() == rows[i].language);
        CHECK_ROW(rows[i].name, (getenv("NO_COLOR") != NULL) == rows[i].is_plain);
        if (rows[i].left == NULL)
            continue;
        for (int k = 1; k < argc; k++)
            snprintf(left + strlen(left), sizeof left - strlen(left), " %s", argv[k]);
        CHECK_ROW(rows[i].name, strcmp(left, rows[i].left) == 0 && argv[argc] == NULL);
    }
}

static void a_reason_from_below_is_not_english_alone(void)
{
    struct err_text shown;
    const struct err_text english = {"no such file"};
    const struct err_text chinese = {"没有该文件"};
    const struct err_text none = {""};
    set_environment("zh", NULL, NULL, NULL);
    say_reason(&shown, ERR_NOT_FOUND, &english);
    CHECK_TEXT(shown.text, "未找到（no such file）");
    say_reason(&shown, ERR_NOT_FOUND, &chinese);
    CHECK_TEXT(shown.text, "没有该文件");
    say_reason(&shown, ERR_NOT_FOUND, &none);
    CHECK_TEXT(shown.text, "未找到");
    set_environment("en", NULL, NULL, NULL);
    say_reason(&shown, ERR_NOT_FOUND, &english);
    CHECK_TEXT(shown.text, "no such file");
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every entry says the same in both languages",
         every_entry_says_the_same_in_both_languages},
        {"the language is the first that is set", the_language_is_the_first_that_is_set},
        {"options of every command are taken out wherever they stand",
         options_of_every_command_are_taken_out_wherever_they_stand},
        {"a reason from below is not English alone",
         a_reason_from_below_is_not_english_alone},
        CU_TEST_INFO_NULL,
    };
    return check_run("say", tests);
}
