// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/support/check.h"
#include "tests/support/config_demo.h"

struct loaded {
    struct config config;
    struct demo demo;
    struct err_text why;
    enum err err;
};

static struct loaded *load(const char *text)
{
    struct loaded *loaded = mem_alloc(sizeof *loaded);
    loaded->err = config_load_text(&loaded->config, &demo_schema, &loaded->demo, "a.yaml",
                                   text, strlen(text), &loaded->why);
    return loaded;
}

static void unload(struct loaded *loaded)
{
    config_fini(&loaded->config);
    free(loaded);
}

static const char full[] = "mqtt:\n"
                           "  uri: mqtt://localhost:1883\n"
                           "  login:\n"
                           "    user: \"奉节 \\u2028 \\\"q\\\" \\\\\"\n"
                           "    password: secret!\n"
                           "  tls: yes\n"
                           "port: 443\n"
                           "limit: -1.25\n"
                           "spool:\n"
                           "  max_bytes: 2G\n"
                           "  interval: 1m30s\n"
                           "  most: 1d\n"
                           "mode: low\n"
                           "tags: [a, 'b c']\n"
                           "headers:\n"
                           "  X-One: \"1\"\n"
                           "zones:\n"
                           "  - id: room-1\n"
                           "    sensors:\n"
                           "      - {id: air, scale: 0.1}\n"
                           "      - id: pulp\n"
                           "  - id: van-7\n"
                           "    name: \"\"\n";

static void a_full_file_fills_every_field(void)
{
    struct loaded *loaded = load(full);
    const struct demo *demo = &loaded->demo;
    CHECK_TEXT(loaded->why.text, "");
    CHECK(loaded->err == ERR_OK);
    CHECK_TEXT(demo->uri, "mqtt://localhost:1883");
    CHECK_TEXT(demo->user, "奉节 \u2028 \"q\" \\");
    CHECK_TEXT(demo->password, "secret!");
    CHECK(demo->wants_tls && demo->port == 443 && demo->limit_C == -1.25);
    CHECK(demo->spool_bytes == INT64_C(2) << 30);
    CHECK(demo->interval_ms == 90000 && demo->most_ms == 86400000);
    CHECK(demo->mode == DEMO_LOW);
    CHECK(demo->tags_count == 2);
    CHECK_TEXT(demo->tags[1], "b c");
    CHECK(demo->headers_count == 1);
    CHECK_TEXT(demo->headers[0].name, "X-One");
    CHECK_TEXT(demo->headers[0].value, "1");
    CHECK(demo->zones_count == 2);
    CHECK(demo->zones[0].name == NULL && demo->zones[0].sensors_count == 2);
    CHECK(demo->zones[0].sensors[0].scale == 0.1);
    CHECK(demo->zones[0].sensors[1].scale == 1.0);
    CHECK_TEXT(demo->zones[0].sensors[1].id, "pulp");
    CHECK_TEXT(demo->zones[1].name, "");
    unload(loaded);
}

static void every_value_knows_its_line(void)
{
    struct loaded *loaded = load(full);
    struct demo *demo = &loaded->demo;
    struct config *config = &loaded->config;
    const struct {
        const char *name;
        const void *field;
        const char *want;
    } rows[] = {
        {"top", &demo->port, "a.yaml:7"},
        {"in a section", &demo->uri, "a.yaml:2"},
        {"secret", &demo->password, "a.yaml:5"},
        {"record", &demo->zones[1], "a.yaml:22"},
        {"in a record", &demo->zones[1].name, "a.yaml:23"},
        {"in a record of a record", &demo->zones[0].sensors[1].id, "a.yaml:21"},
        {"item of a list", &demo->tags[1], "a.yaml:14"},
        {"pair", &demo->headers[0], "a.yaml:16"},
        {"not in the file", &demo->zones[0].sensors[1].scale, "a.yaml"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name,
                  strcmp(config_where(config, rows[i].field), rows[i].want) == 0);
    config_problem(config, &demo->port, "port %d is taken", 443);
    CHECK_TEXT(config->problems.data, "a.yaml:7: port 443 is taken\n");
    unload(loaded);
}

static void what_is_absent_has_its_fallback(void)
{
    struct loaded *loaded = load("mqtt.uri: x\n");
    const struct demo *demo = &loaded->demo;
    CHECK(loaded->err == ERR_OK);
    CHECK_TEXT(demo->uri, "x"); /* dotted is as good as nested */
    CHECK(demo->user == NULL && !demo->wants_tls && demo->port == 1883);
    CHECK(demo->limit_C == 4.5 && demo->spool_bytes == 64 << 20);
    CHECK(demo->interval_ms == 10000 && demo->most_ms == 0 && demo->mode == DEMO_HIGH);
    CHECK(demo->tags_count == 0 && demo->headers_count == 0 && demo->zones_count == 0);
    unload(loaded);
}

static void several_problems_are_all_told(void)
{
    struct loaded *loaded = load("port: x\nlimit: 99\nmode: off\n");
    CHECK(loaded->err == ERR_INVALID);
    CHECK_TEXT(loaded->why.text, "a.yaml:1: 'port' takes a whole number, 1 to 65535; "
                                 "not 'x' (and 3 more)");
    CHECK_TEXT(loaded->config.problems.data,
               "a.yaml:1: 'port' takes a whole number, 1 to 65535; not 'x'\n"
               "a.yaml:2: 'limit' takes a number, -60 to 60; not '99'\n"
               "a.yaml:3: 'mode' takes one of low, high; not 'off'\n"
               "a.yaml: 'mqtt.uri' is missing: address of the broker\n");
    unload(loaded);
}

static void problems_without_end_are_cut(void)
{
    struct buf text = {0};
    for (int i = 0; i < 5000; i++)
        buf_format(&text, "nonsense%d: 1\n", i);
    struct loaded *loaded = load(text.data);
    CHECK(loaded->err == ERR_INVALID);
    CHECK(loaded->config.problems_count == CONFIG_PROBLEMS_MAX);
    unload(loaded);
    buf_fini(&text);
}

/* Ten lists of ten aliases each: a billion records from a few lines. */
static void aliases_cannot_multiply_without_bound(void)
{
    struct buf text = {0};
    buf_text(&text, "mqtt.uri: x\nzones:\n- &z {id: z, sensors: [{id: a}, {id: b}]}\n");
    for (int i = 0; i < CONFIG_RECORDS_MAX / 3; i++)
        buf_text(&text, "- *z\n");
    struct loaded *loaded = load(text.data);
    CHECK(loaded->err == ERR_INVALID);
    CHECK(strstr(loaded->why.text, "more than 200000 entries") != NULL);
    unload(loaded);
    buf_fini(&text);
}

static void nesting_without_end_is_refused_at_once(void)
{
    static const char *const pieces[] = {"[", "{a: ", "- "};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct buf text = {0};
        for (int depth = 0; depth < 100000; depth++)
            buf_text(&text, pieces[i]);
        struct loaded *loaded = load(text.data);
        CHECK_TEXT(loaded->why.text,
                   "a.yaml: nested more than 32 deep; nothing here needs that");
        unload(loaded);
        buf_fini(&text);
    }
}

static const char print_want[] =
    "mqtt:\n"
    "  # address of the broker (a text; required)\n"
    "  uri: \"x\"\n"
    "  login:\n"
    "    # name at the broker (a text)\n"
    "    # user:\n"
    "    # password at the broker (a secret text)\n"
    "    # also from a file: password_file\n"
    "    # password: (set, not shown)\n"
    "  # encrypt (true or false; default no)\n"
    "  tls: false\n"
    "# port to listen on (a whole number, 1 to 65535; default 1883)\n"
    "port: 1883\n"
    "# warmest air in degree Celsius (a number, -60 to 60; default 4.5)\n"
    "limit: 4.5\n"
    "spool:\n"
    "  # most that waits on disk (a size such as 64K, 16M or 2G, 1M to 1T; default 64M)\n"
    "  max_bytes: 64M\n"
    "  # time between two packs (a duration such as 10s, 5m or 1h30m, 1s to 1h; default "
    "10s)\n"
    "  interval: 10s\n"
    "  # longest wait (a duration such as 10s, 5m or 1h30m)\n"
    "  most: 0\n"
    "# how much is logged (one of low, high; default high)\n"
    "mode: high\n"
    "# words for searching (a list of texts)\n"
    "tags:\n"
    "  - \"a\"\n"
    "# headers of each request (a map of texts)\n"
    "headers: {}\n"
    "# rooms and compartments (a list of maps)\n"
    "zones:\n"
    "  -\n"
    "    # id of the zone (a text; required)\n"
    "    id: \"r1\"\n"
    "    # what people call it (a text)\n"
    "    # name:\n"
    "    # what measures it (a list of maps with 0 to 3 entries)\n"
    "    sensors: []\n"
    "    #   -\n"
    "    #     # name of the sensor (a text; required)\n"
    "    #     # id:\n"
    "    #     # factor of the raw value (a number; default 1)\n"
    "    #     scale: 1\n"
    "  -\n"
    "    id: \"r2\"\n"
    "    # name:\n"
    "    sensors: []\n";

static void print_shows_all_in_force_but_secrets(void)
{
    struct loaded *loaded = load("mqtt: {uri: x, login: {password: p4ss}}\n"
                                 "tags: [a]\n"
                                 "zones: [{id: r1}, {id: r2}]\n");
    struct buf text = {0};
    config_print(&loaded->config, &text);
    CHECK_TEXT(text.data, print_want);
    CHECK(strstr(text.data, "p4ss") == NULL);
    buf_fini(&text);
    unload(loaded);
}

static void what_is_printed_loads_to_the_same(void)
{
    struct buf first = {0};
    struct buf second = {0};
    struct loaded *loaded = load(full);
    free(loaded->demo.password);
    loaded->demo.password = NULL;
    config_print(&loaded->config, &first);
    struct loaded *again = load(first.data);
    CHECK_TEXT(again->why.text, "");
    config_print(&again->config, &second);
    CHECK_TEXT(second.data, first.data);
    CHECK_TEXT(again->demo.user, loaded->demo.user);
    unload(again);
    unload(loaded);
    buf_fini(&first);
    buf_fini(&second);
}

static void defaults_need_no_file(void)
{
    struct config config = {0};
    struct demo demo;
    struct buf text = {0};
    config_defaults(&config, &demo_schema, &demo);
    CHECK(demo.port == 1883 && demo.uri == NULL);
    config_print(&config, &text);
    CHECK(strstr(text.data, "  # uri:\n") != NULL);
    config_fini(&config);
    CHECK(demo.port == 0);
    config_fini(&config);
    buf_fini(&text);
}

static char *write_file(const char *dir, const char *name, const char *text)
{
    char *path = mem_format("%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    return path;
}

static void a_secret_may_stand_in_a_file_beside(void)
{
    static const struct {
        const char *name;
        const char *secret;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"with a newline", "pass word\n", "pass word"},
        {"with a Windows newline", "x\r\n", "x"},
        {"without", "x", "x"},
        {"empty", "\n", NULL},
    };
    char dir[] = "/tmp/config-test-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    char *path = write_file(
        dir, "a.yaml", "mqtt:\n  uri: x\n  login:\n    password_file: broker.secret\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *secret = write_file(dir, "broker.secret", rows[i].secret);
        struct config config = {0};
        struct demo demo;
        struct err_text why = {0};
        enum err err = config_load(&config, &demo_schema, &demo, path, &why);
        CHECK_ROW(rows[i].name, (err == ERR_OK) == (rows[i].want != NULL));
        if (rows[i].want != NULL)
            CHECK_TEXT(demo.password, rows[i].want);
        else
            CHECK_ROW(rows[i].name, strstr(why.text, "holds no text") != NULL);
        config_fini(&config);
        unlink(secret);
        free(secret);
    }
    unlink(path);
    free(path);
    rmdir(dir);
}

static void a_file_that_cannot_be_read_is_named(void)
{
    struct config config = {0};
    struct demo demo;
    struct err_text why;
    CHECK(config_load(&config, &demo_schema, &demo, "/nonexistent/a.yaml", &why) ==
          ERR_NOT_FOUND);
    CHECK_TEXT(why.text, "cannot read /nonexistent/a.yaml: No such file or directory");
    config_fini(&config);
}

/* tests/data/config-invalid/CASE/{input,expect}: a case needs no C. */
static bool run_case(const char *folder, const char *name)
{
    char path[4096];
    struct config config = {0};
    struct demo demo;
    struct err_text why = {0};
    struct buf input = {0};
    struct buf expect = {0};
    snprintf(path, sizeof path, "%s/%s/input", folder, name);
    bool is_read = file_read(&input, path, 1 << 20, &why) == ERR_OK;
    snprintf(path, sizeof path, "%s/%s/expect", folder, name);
    is_read = is_read && file_read(&expect, path, 1 << 20, &why) == ERR_OK;
    enum err err = config_load_text(&config, &demo_schema, &demo, "input", input.data,
                                    input.len, &why);
    bool is_same = is_read && err == ERR_INVALID &&
                   strncmp(why.text, expect.data, expect.len - 1) == 0 &&
                   strlen(why.text) == expect.len - 1;
    if (!is_same)
        printf("\n  %s\n  got:  %s\n  want: %s", name, why.text, expect.data);
    config_fini(&config);
    buf_fini(&input);
    buf_fini(&expect);
    return is_same;
}

static void invalid_files_name_line_and_remedy(void)
{
    char folder[2048];
    snprintf(folder, sizeof folder, "%s/tests/data/config-invalid", check_source_dir());
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        CHECK_ROW(entry->d_name, run_case(folder, entry->d_name));
        count++;
    }
    closedir(dir);
    CHECK(count >= 40);
}

static CU_TestInfo tests[] = {
    {"a full file fills every field", a_full_file_fills_every_field},
    {"every value knows its line", every_value_knows_its_line},
    {"what is absent has its fallback", what_is_absent_has_its_fallback},
    {"several problems are all told", several_problems_are_all_told},
    {"problems without end are cut", problems_without_end_are_cut},
    {"aliases cannot multiply without bound", aliases_cannot_multiply_without_bound},
    {"nesting without end is refused at once", nesting_without_end_is_refused_at_once},
    {"print shows all in force but secrets", print_shows_all_in_force_but_secrets},
    {"what is printed loads to the same", what_is_printed_loads_to_the_same},
    {"defaults need no file", defaults_need_no_file},
    {"a secret may stand in a file beside", a_secret_may_stand_in_a_file_beside},
    {"a file that cannot be read is named", a_file_that_cannot_be_read_is_named},
    {"invalid files name line and remedy", invalid_files_name_line_and_remedy},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("config", tests);
}
