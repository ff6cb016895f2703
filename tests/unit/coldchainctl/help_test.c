// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "coldchainctl/help.h"
#include "coldchainctl/width.h"
#include "tests/support/check.h"

static char *wrapped(const char *text, size_t indent, size_t most)
{
    char *said = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&said, &len);
    help_wrap_to(out, text, indent, indent, most);
    fclose(out);
    return said;
}

static void lines_by_rows(void)
{
    static const struct {
        const char *name;
        const char *text;
        size_t indent;
        size_t most;
        const char *want;
    } rows[] = {
        {"fits", "one two", 0, 7, "one two\n"},
        {"at blanks", "one two three", 2, 9, "one two\n  three\n"},
        {"a word that is too long stays whole", "a abcdefghij b", 0, 6,
         "a\nabcdefghij\nb\n"},
        {"never", "one two three four", 0, SIZE_MAX, "one two three four\n"},
        {"Chinese anywhere", "库区温度偏高", 0, 8, "库区温度\n偏高\n"},
        {"Chinese with an indent", "库区温度偏高", 2, 8, "库区温\n  度偏高\n"},
        {"not before what closes", "库区温度，偏高", 0, 8, "库区温\n度，偏高\n"},
        {"not within a Latin word", "请看journalctl输出", 0, 12,
         "请看\njournalctl输\n出\n"},
        {"mixed with blanks", "请看 journal 的输出", 0, 10, "请看\njournal 的\n输出\n"},
        {"no room at all", "库区", 4, 4, "库区\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *said = wrapped(rows[i].text, rows[i].indent, rows[i].most);
        CHECK_ROW(rows[i].name, strcmp(said, rows[i].want) == 0);
        if (strcmp(said, rows[i].want) != 0)
            printf("\n%s", said);
        free(said);
    }
}

/* Every width, every indent: it ends, and nothing but blanks is lost. */
static void nothing_is_lost(void)
{
    static const char text[] =
        "请以采集器的用户或 root 运行；否则检查磁盘（dmesg、smartctl），并看 /var/log。";
    for (size_t most = 1; most <= 100; most++) {
        for (size_t indent = 0; indent <= 24; indent += 8) {
            char *said = wrapped(text, indent, most);
            const char *at = text;
            bool is_same = true;
            for (const char *c = said; *c != '\0'; c++) {
                if (*c == ' ' || *c == '\n')
                    continue;
                while (*at == ' ')
                    at++;
                is_same = is_same && *c == *at++;
            }
            CHECK(is_same && *at == '\0');
            free(said);
        }
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"lines are cut at blanks, and Chinese where it may be", lines_by_rows},
        {"nothing is lost at any width", nothing_is_lost},
        CU_TEST_INFO_NULL,
    };
    return check_run("help", tests);
}
