// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/options.h"

#include "coldchainctl/command.h"
#include "tests/support/check.h"

struct wanted {
    bool is_json;
    const char *file;
    double at;
};

static const struct option table[] = {
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(struct wanted, is_json)},
    {.name = "file",
     .type = OPTION_TEXT,
     .offset = offsetof(struct wanted, file),
     .value = "FILE"},
    {.name = "at",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct wanted, at),
     .least = -60,
     .most = 80,
     .value = "C"},
    {.name = NULL},
};

static void options_are_taken_from_anywhere(void)
{
    char words[][16] = {"x",    "show", "--json", "plum", "--file=a.csv",
                        "--at", "-1.5", "--",     "--q"};
    char *argv[9];
    for (size_t i = 0; i < 9; i++)
        argv[i] = words[i];
    int argc = 9;
    struct wanted got = {0};
    CHECK(options_take(table, &got, &argc, argv, NULL) == ERR_OK);
    CHECK(got.is_json && got.at == -1.5);
    CHECK_TEXT(got.file != NULL ? got.file : "", "a.csv");
    CHECK(argc == 4);
    CHECK_TEXT(argv[1], "show");
    CHECK_TEXT(argv[2], "plum");
    CHECK_TEXT(argv[3], "--q");
}

static void wrong_options_say_what_they_take(void)
{
    static const struct {
        const char *first;
        const char *second; /* NULL: none */
        const char *says;
    } rows[] = {
        {"--jsonn", NULL, "no option '--jsonn'"}, {"--json=1", NULL, "takes no value"},
        {"--file", NULL, "needs FILE"},           {"--at", "warm", "takes a number"},
        {"--at", "nan", "takes a number"},        {"--at", "1000", "takes -60 to 80"},
        {"--at=", NULL, "takes a number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char zero[] = "x", first[32], second[32];
        snprintf(first, sizeof first, "%s", rows[i].first);
        snprintf(second, sizeof second, "%s",
                 rows[i].second != NULL ? rows[i].second : "");
        char *argv[] = {zero, first, second};
        int argc = rows[i].second != NULL ? 3 : 2;
        struct wanted got = {0};
        struct err_text why = {""};
        CHECK_ROW(rows[i].first,
                  options_take(table, &got, &argc, argv, &why) == ERR_INVALID);
        CHECK_ROW(rows[i].first, strstr(why.text, rows[i].says) != NULL);
    }
}

static int ran;

static int run_store(int argc, char **argv)
{
    ran = argc == 2 && strcmp(argv[1], "x") == 0;
    return COMMAND_OK;
}

static const struct command store_command = {
    .name = "store", .summary = "s", .help = "h\n", .run = run_store};
static const struct command readings_row = {
    .name = "readings", .summary = "r", .help = "h\n", .run = run_store};
static const struct command *const known[] = {&store_command, &readings_row, NULL};

static void a_slip_of_the_finger_is_recognised(void)
{
    static const struct {
        const char *word;
        const char *want;
    } rows[] = {{"stroe", "store"},
                {"reading", "readings"},
                {"read", "readings"},
                {"zzz", ""},
                {"", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = command_nearest(known, rows[i].word);
        CHECK_ROW(rows[i].word, strcmp(got != NULL ? got : "", rows[i].want) == 0);
    }
}

static void dispatch_gives_the_documented_statuses(void)
{
    char zero[] = "t", store[] = "store", x[] = "x", wrong[] = "wrong", help[] = "--help";
    char *good[] = {zero, store, x}, *bad[] = {zero, wrong},
         *asked[] = {zero, store, help};
    CHECK(command_dispatch(known, "t", 3, good) == COMMAND_OK);
    CHECK(ran == 1);
    ran = 0;
    CHECK(command_dispatch(known, "t", 3, asked) == COMMAND_OK);
    CHECK(ran == 0);
    CHECK(command_dispatch(known, "t", 2, bad) == COMMAND_USAGE);
    CHECK(command_dispatch(known, "t", 1, good) == COMMAND_USAGE);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"options are taken from anywhere", options_are_taken_from_anywhere},
        {"wrong options say what they take", wrong_options_say_what_they_take},
        {"a slip of the finger is recognised", a_slip_of_the_finger_is_recognised},
        {"dispatch gives the documented statuses",
         dispatch_gives_the_documented_statuses},
        CU_TEST_INFO_NULL,
    };
    return check_run("options", tests);
}
