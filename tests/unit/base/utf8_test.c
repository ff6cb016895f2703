// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include "tests/support/check.h"

static void well_formed_and_not(void)
{
    static const struct {
        const char *name;
        const char *text;
        bool want;
    } rows[] = {
        {"empty", "", true},
        {"ASCII", "room 3", true},
        {"Chinese", "冷库三号", true},
        {"first of two bytes", "\xc2\x80", true},
        {"last of two bytes", "\xdf\xbf", true},
        {"first of three bytes", "\xe0\xa0\x80", true},
        {"before the surrogates", "\xed\x9f\xbf", true},
        {"behind the surrogates", "\xee\x80\x80", true},
        {"first of four bytes", "\xf0\x90\x80\x80", true},
        {"the last character", "\xf4\x8f\xbf\xbf", true},
        {"past the last", "\xf4\x90\x80\x80", false},
        {"a surrogate", "\xed\xa0\x80", false},
        {"overlong slash", "\xc0\xaf", false},
        {"overlong in three", "\xe0\x9f\xbf", false},
        {"overlong in four", "\xf0\x8f\xbf\xbf", false},
        {"a continuation alone", "a\x80", false},
        {"cut after one of two", "a\xc3", false},
        {"cut after two of three", "\xe5\x86", false},
        {"an ASCII byte inside", "\xe5(\xb7", false},
        {"never a byte", "\xff", false},
        {"GB 18030", "\xc0\xe4\xbf\xe2", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name,
                  utf8_is_valid(rows[i].text, strlen(rows[i].text)) == rows[i].want);
}

static void plain_and_not(void)
{
    static const struct {
        const char *name;
        const char *text;
        size_t len;
        bool want;
    } rows[] = {
        {"empty", "", 0, true},
        {"Chinese, in lines", "门开着\n\t已关", 17, true},
        {"escape", "on my way\x1b[2J", 13, false},
        {"a zero", "a\0b", 3, false},
        {"delete", "\x7f", 1, false},
        {"the first of C1", "\xc2\x80", 2, false},
        {"the last of C1", "a\xc2\x9f", 3, false},
        {"behind C1", "\xc2\xa0", 2, true},
        {"those bytes in another character", "\xe2\x9b\x84", 3, true},
        {"no UTF-8", "a\xc2", 2, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name, utf8_is_plain(rows[i].text, rows[i].len) == rows[i].want);
}

/* The length and the bytes are right for every character there is. */
static void every_character_is_written_and_read(void)
{
    size_t wrong = 0;
    for (uint32_t character = 0; character <= 0x10ffff; character++) {
        char bytes[4];
        if (character == 0xd800)
            character = 0xe000;
        size_t want = character < 0x80      ? 1
                      : character < 0x800   ? 2
                      : character < 0x10000 ? 3
                                            : 4;
        size_t len = utf8_write(character, bytes);
        if (len != want || utf8_len(bytes, len) != len || utf8_len(bytes, len - 1) != 0)
            wrong++;
    }
    CHECK(wrong == 0);
    char bytes[4];
    CHECK(utf8_write(0x51b7, bytes) == 3 && memcmp(bytes, "冷", 3) == 0);
    CHECK(utf8_len("", 0) == 0);
}

static void a_limit_cuts_between_characters(void)
{
    static const struct {
        const char *text;
        size_t max;
        size_t bytes; /* that fit into so many bytes, */
        size_t utf16; /* into so many units */
    } rows[] = {
        {"room 3", 4, 4, 4},
        {"冷库", 5, 3, 6},
        {"冷库", 6, 6, 6},
        {"冷库", 1, 0, 3},
        {"a\xf0\x9f\x94\xa5z", 2, 1, 1},
        {"a\xf0\x9f\x94\xa5z", 3, 1, 5},
        {"\xff\xfe", 1, 1, 1},
        {"", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].text);
        CHECK_ROW(rows[i].text,
                  utf8_fit(rows[i].text, len, rows[i].max) == rows[i].bytes);
        CHECK_ROW(rows[i].text,
                  utf8_fit_utf16(rows[i].text, len, rows[i].max) == rows[i].utf16);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a limit cuts between characters", a_limit_cuts_between_characters},
        {"well-formed, and not", well_formed_and_not},
        {"plain, and not", plain_and_not},
        {"every character is written and read", every_character_is_written_and_read},
        CU_TEST_INFO_NULL,
    };
    return check_run("utf8", tests);
}
