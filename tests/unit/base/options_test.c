// SPDX-License-Identifier: Apache-2.0
#include "base/options.h"

#include "tests/support/check.h"

static struct options fresh(void)
{
    return (struct options){.program = "prog",
                            .about = "about",
                            .examples = "  prog\n",
                            .extra_name = "exit-when-drained",
                            .extra_help = "help",
                            .config_path = "/default"};
}

static void rows_of_command_lines(void)
{
    static const struct {
        const char *name;
        const char *words[8];
        enum options_result want;
    } rows[] = {
        {"nothing", {NULL}, OPTIONS_RUN},
        {"config", {"--config", "/x", NULL}, OPTIONS_RUN},
        {"config with =", {"--config=/x", NULL}, OPTIONS_RUN},
        {"check", {"--check", NULL}, OPTIONS_RUN},
        {"own option", {"--exit-when-drained", NULL}, OPTIONS_RUN},
        {"value missing", {"--config", NULL}, OPTIONS_WRONG},
        {"value too many", {"--check=yes", NULL}, OPTIONS_WRONG},
        {"unknown", {"--confg", "/x", NULL}, OPTIONS_WRONG},
        {"the file alone", {"/x", NULL}, OPTIONS_RUN},
        {"one dash", {"-c", NULL}, OPTIONS_WRONG},
        {"an empty word", {"", NULL}, OPTIONS_WRONG},
        {"level", {"--log-level", "warn", NULL}, OPTIONS_RUN},
        {"no such level", {"--log-level", "loud", NULL}, OPTIONS_WRONG},
        {"virtual clock alone", {"--clock-rate", "60", NULL}, OPTIONS_WRONG},
        {"virtual clock incomplete",
         {"--simulated", "--clock-rate", "60", NULL},
         OPTIONS_WRONG},
        {"virtual clock",
         {"--simulated", "--clock-rate=60", "--clock-origin=1790000000000",
          "--clock-real=1", NULL},
         OPTIONS_RUN},
        {"rate of nothing", {"--simulated", "--clock-rate", "0", NULL}, OPTIONS_WRONG},
        {"version", {"--version", NULL}, OPTIONS_DONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *argv[10] = {"prog"};
        int argc = 1;
        for (size_t k = 0; rows[i].words[k] != NULL; k++)
            argv[argc++] = rows[i].words[k];
        struct options options = fresh();
        CHECK_ROW(rows[i].name, options_parse(&options, argc, argv) == rows[i].want);
    }
}

static void what_was_asked_for_is_kept(void)
{
    const char *argv[] = {"prog", "--config=/x",        "--simulated",   "--clock-rate",
                          "60",   "--clock-origin",     "1790000000000", "--clock-real",
                          "1000", "--exit-when-drained"};
    struct options options = fresh();
    CHECK(options_parse(&options, sizeof argv / sizeof argv[0], argv) == OPTIONS_RUN);
    CHECK_TEXT(options.config_path, "/x");
    CHECK(options.extra && !options.check_only);
    struct clock clock;
    options_clock(&options, &clock);
    CHECK(clock.is_virtual && clock.rate == 60.0);
    CHECK(clock.origin_wall_ms == INT64_C(1790000000000));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"rows of command lines", rows_of_command_lines},
        {"what was asked for is kept", what_was_asked_for_is_kept},
        CU_TEST_INFO_NULL,
    };
    return check_run("options", tests);
}
