// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include "base/options.h"

#include "tests/support/check.h"
#include "tests/support/config_demo.h"
#include "tests/support/folder.h"

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

static const char *write_settings(struct folder *folder, const char *text, mode_t mode)
{
    const char *path = folder_file(folder, "a.yaml");
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    CHECK(chmod(path, mode) == 0);
    return path;
}

static void settings_are_loaded_checked_or_printed(void)
{
    static const struct {
        const char *name;
        const char *text; /* NULL: no such file */
        const char *flag;
        bool is_given;
        enum options_result want;
    } rows[] = {
        {"to run", "mqtt.uri: x", NULL, true, OPTIONS_RUN},
        {"to check", "mqtt.uri: x", "--check", true, OPTIONS_DONE},
        {"to print", "mqtt.uri: x", "--print-config", true, OPTIONS_DONE},
        {"wrong", "mqtt.urk: x", NULL, true, OPTIONS_WRONG},
        {"wrong, to check", "mqtt.urk: x", "--check", true, OPTIONS_WRONG},
        {"wrong, to print", "mqtt.urk: x", "--print-config", true, OPTIONS_WRONG},
        {"absent", NULL, NULL, false, OPTIONS_WRONG},
        {"absent, to check", NULL, "--check", false, OPTIONS_WRONG},
        {"absent, to print what would be", NULL, "--print-config", false, OPTIONS_DONE},
        {"absent, though named", NULL, "--print-config", true, OPTIONS_WRONG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder;
        struct options options = fresh();
        struct config config = {0};
        struct demo demo = {0};
        folder_make(&folder);
        const char *path = rows[i].text != NULL
                               ? write_settings(&folder, rows[i].text, 0600)
                               : folder_file(&folder, "absent");
        const char *argv[] = {"prog", rows[i].flag, path};
        if (!rows[i].is_given)
            options.config_path = path;
        if (rows[i].flag == NULL)
            argv[1] = "--log-level=error";
        CHECK_ROW(rows[i].name,
                  options_parse(&options, rows[i].is_given ? 3 : 2, argv) == OPTIONS_RUN);
        CHECK_ROW(rows[i].name,
                  options_load(&options, &config, &demo_schema, &demo) == rows[i].want);
        CHECK_ROW(rows[i].name, config.exposed == NULL);
        config_fini(&config);
        folder_remove(&folder);
    }
}

static void secrets_that_everybody_can_read_are_noticed(void)
{
    static const struct {
        const char *name;
        const char *text;
        mode_t mode;
        bool want_exposed;
    } rows[] = {
        {"open, with a secret", "mqtt: {uri: x, login: {password: p}}", 0644, true},
        {"closed, with a secret", "mqtt: {uri: x, login: {password: p}}", 0640, false},
        {"open, without", "mqtt: {uri: x}", 0644, false},
        {"secret in a file that is open",
         "mqtt: {uri: x, login: {password_file: a.yaml}}", 0644, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder;
        struct options options = fresh();
        struct config config = {0};
        struct demo demo = {0};
        folder_make(&folder);
        options.config_path = write_settings(&folder, rows[i].text, rows[i].mode);
        CHECK_ROW(rows[i].name,
                  options_load(&options, &config, &demo_schema, &demo) == OPTIONS_RUN);
        CHECK_ROW(rows[i].name, (config.exposed != NULL) == rows[i].want_exposed);
        config_fini(&config);
        folder_remove(&folder);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"rows of command lines", rows_of_command_lines},
        {"what was asked for is kept", what_was_asked_for_is_kept},
        {"settings are loaded, checked or printed",
         settings_are_loaded_checked_or_printed},
        {"secrets that everybody can read are noticed",
         secrets_that_everybody_can_read_are_noticed},
        CU_TEST_INFO_NULL,
    };
    return check_run("options", tests);
}
