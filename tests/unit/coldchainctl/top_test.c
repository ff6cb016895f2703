// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "coldchainctl/spark.h"
#include "coldchainctl/terminal.h"
#include "coldchainctl/top.h"
#include "coldchainctl/width.h"
#include "tests/support/check.h"

static void courses_by_rows(void)
{
    static const struct {
        const char *name;
        double values[8];
        size_t count;
        double calm;
        const char *want;
        const char *want_plain;
    } rows[] = {
        {"rising", {0, 1, 2, 3, 4, 5, 6, 7}, 8, 0, "▁▂▃▄▅▆▇█", "_.:-=+*#"},
        {"a gap", {0, NAN, 7}, 3, 0, "▁ █", "_ #"},
        {"nothing", {NAN, NAN}, 2, 2, "  ", "  "},
        {"all alike", {4, 4, 4}, 3, 0, "▅▅▅", "==="},
        {"noise stays in the middle", {4.0, 4.1}, 2, 2, "▄▅", "-="},
        {"below zero", {-20, -18}, 2, 2, "▁█", "_#"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = {0};
        spark_draw(&text, rows[i].values, rows[i].count, rows[i].calm, true);
        CHECK_TEXT(text.data, rows[i].want);
        buf_clear(&text);
        spark_draw(&text, rows[i].values, rows[i].count, rows[i].calm, false);
        CHECK_TEXT(text.data, rows[i].want_plain);
        buf_fini(&text);
    }
}

static void locales_by_rows(void)
{
    static const struct {
        const char *all;
        const char *type;
        const char *lang;
        bool want;
    } rows[] = {
        {"", "", "", false},
        {"", "", "zh_CN.UTF-8", true},
        {"", "", "en_US.utf8", true},
        {"C", "", "zh_CN.UTF-8", false},
        {"", "zh_CN.GB18030", "zh_CN.UTF-8", false},
        {"C.UTF-8", "POSIX", "POSIX", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setenv("LC_ALL", rows[i].all, 1);
        setenv("LC_CTYPE", rows[i].type, 1);
        setenv("LANG", rows[i].lang, 1);
        CHECK_ROW(rows[i].lang, spark_is_utf8() == rows[i].want);
    }
}

static void keys_by_rows(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        int want;
        size_t used;
    } rows[] = {
        {"a letter", "qj", 'q', 1},
        {"up", "\033[A", TERMINAL_UP, 3},
        {"up, the other way", "\033OA", TERMINAL_UP, 3},
        {"down and more", "\033[Bq", TERMINAL_DOWN, 3},
        {"page down", "\033[6~", TERMINAL_PAGE_DOWN, 4},
        {"end", "\033[F", TERMINAL_END, 3},
        {"escape alone", "\033", TERMINAL_OTHER, 1},
        {"a key with q in it", "\033[1;5qj", TERMINAL_OTHER, 6},
        {"half a sequence", "\033[1;", TERMINAL_OTHER, 4},
        {"begun and no more", "\033[", TERMINAL_OTHER, 2},
        {"a byte of Chinese", "\xE5\xBA\x93", 0xE5, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t used = 0;
        int key = terminal_parse_key(rows[i].bytes, strlen(rows[i].bytes), &used);
        CHECK_ROW(rows[i].name, key == rows[i].want);
        CHECK_ROW(rows[i].name, used == rows[i].used);
    }
}

/* ---- frames --------------------------------------------------------------------------
 */

static const char zones_text[] =
    "[{\"id\":\"a\",\"name\":\"1号库 脐橙（待发货）\",\"band_low\":3,\"band_high\":8,"
    "\"channels\":["
    "{\"device\":\"d\",\"channel\":\"humidity\",\"quantity\":\"humidity\",\"value\":91.4,"
    "\"quality\":\"good\",\"age_ms\":8000,\"time\":\"2026-11-23T08:00:00.000Z\"},"
    "{\"device\":\"d\",\"channel\":\"air_temperature:1\",\"quantity\":\"air_temperature\","
    "\"value\":5,\"quality\":\"good\",\"age_ms\":8000,\"time\":\"2026-11-23T08:00:00."
    "000Z\"},"
    "{\"device\":\"d\",\"channel\":\"air_temperature:2\",\"quantity\":\"air_temperature\","
    "\"value\":9.5,\"quality\":\"good\",\"age_ms\":8000,\"time\":\"2026-11-23T08:00:00."
    "000Z\"}]},"
    "{\"id\":\"b\",\"name\":\"\",\"band_low\":null,\"band_high\":null,\"channels\":[]},"
    "{\"id\":\"c\",\"name\":\"\\u001b[31mred\",\"band_low\":-25.5,\"band_high\":-18,"
    "\"channels\":[{\"device\":\"e\",\"channel\":\"air_temperature\",\"quantity\":\"air_"
    "temperature\",\"value\":null,\"quality\":\"open\",\"age_ms\":600000,\"time\":\"2026-"
    "11-23T07:50:08.000Z\"}]}]";
static const char incidents_text[] =
    "[{\"zone\":\"a\",\"kind\":\"above\",\"severity\":\"critical\",\"limit\":8,\"value\":9."
    "5,\"state\":\"open\",\"acknowledged\":false,\"onset\":\"2026-11-23T07:40:00.000Z\"}]";

static struct top top_of_texts(void)
{
    struct top top = {.span_ms = 3600000};
    json_t *zones = json_loads(zones_text, 0, NULL);
    json_t *incidents = json_loads(incidents_text, 0, NULL);
    CHECK(zones != NULL && incidents != NULL);
    top_take_zones(&top, zones, 1);
    top_take_incidents(&top, incidents);
    top_sort(&top);
    json_decref(zones);
    json_decref(incidents);
    return top;
}

static void the_worst_probe_is_shown_and_the_worst_zone_first(void)
{
    struct top top = top_of_texts();
    CHECK(top.count == 3);
    CHECK_TEXT(top.zones[0].id, "a");
    CHECK_TEXT(top.zones[0].channel, "air_temperature:2");
    CHECK_TEXT(top.zones[0].state, "ABOVE");
    CHECK_TEXT(top.zones[1].state, "open");
    CHECK_TEXT(top.zones[2].state, "never");
    CHECK_TEXT(top.zones[2].name, "b");
    CHECK(top.as_of_ms == INT64_C(1795420808000));
    CHECK(top.zones[0].point_count == 1);
    json_t *none = json_array();
    top_take_zones(&top, none, 5);
    json_decref(none);
    CHECK(top.count == 0);
    top_fini(&top);
}

static void no_line_is_wider_than_the_terminal(void)
{
    struct top top = top_of_texts();
    for (size_t columns = 30; columns <= 200; columns++) {
        for (size_t lines = 0; lines <= 24; lines += 8) {
            struct buf frame = {0};
            struct top_view view = {.columns = columns,
                                    .lines = lines,
                                    .has_cursor = false,
                                    .is_utf8 = true,
                                    .where = "http://127.0.0.1:8480",
                                    .trouble = lines == 16 ? "不可达" : NULL};
            top_draw(&frame, &top, &view);
            CHECK(frame.len > 0 && memchr(frame.data, '\033', frame.len) == NULL);
            size_t count = 0;
            for (const char *line = frame.data; *line != '\0'; count++) {
                size_t len = strcspn(line, "\n");
                CHECK(width_of(line, len) <= columns);
                line += len + (line[len] == '\n');
            }
            CHECK(lines == 0 || count <= lines);
            buf_fini(&frame);
        }
    }
    top_fini(&top);
}

static void a_narrow_frame_keeps_what_matters(void)
{
    struct top top = top_of_texts();
    struct buf frame = {0};
    struct top_view view = {.columns = 40, .where = "http://x", .is_utf8 = true};
    top_draw(&frame, &top, &view);
    CHECK(strstr(frame.data, "08:00:08Z  zones 3, not well 3") != NULL);
    CHECK(strstr(frame.data, "critical  1号库") != NULL);
    CHECK(strstr(frame.data, "ABOVE       9.5     8s") != NULL);
    CHECK(strstr(frame.data, "HUM") == NULL);
    buf_clear(&frame);
    view.columns = 100;
    top_draw(&frame, &top, &view);
    CHECK(strstr(frame.data, " 91%       3..8 ") != NULL);
    CHECK(strstr(frame.data, "-25.5..-18") != NULL);
    buf_fini(&frame);
    top_fini(&top);
}

static void the_chosen_zone_stays_on_the_screen(void)
{
    struct top top = {.span_ms = 3600000};
    json_t *zones = json_array();
    for (int i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof id, "z%02d", i);
        json_array_append_new(
            zones, json_pack("{s:s, s:s, s:[]}", "id", id, "name", id, "channels"));
    }
    top_take_zones(&top, zones, 0);
    json_decref(zones);
    static const struct {
        size_t chosen;
        const char *want;
    } rows[] = {{0, "1-"}, {30, "-31 of 50"}, {49, "-50 of 50"}, {1000, "-50 of 50"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf frame = {0};
        struct top_view view = {.columns = 80,
                                .lines = 20,
                                .chosen = rows[i].chosen,
                                .has_cursor = true,
                                .where = ""};
        top_draw(&frame, &top, &view);
        CHECK_ROW(rows[i].want, strstr(frame.data, rows[i].want) != NULL);
        CHECK(view.chosen >= view.first && view.chosen < top.count);
        buf_fini(&frame);
    }
    top_fini(&top);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"courses are drawn between their least and their most", courses_by_rows},
        {"the locale says whether it is UTF-8", locales_by_rows},
        {"keys are read as terminals send them", keys_by_rows},
        {"the worst probe is shown, and the worst zone first",
         the_worst_probe_is_shown_and_the_worst_zone_first},
        {"no line is wider than the terminal, nor are there more",
         no_line_is_wider_than_the_terminal},
        {"a narrow frame keeps what matters", a_narrow_frame_keeps_what_matters},
        {"the chosen zone stays on the screen", the_chosen_zone_stays_on_the_screen},
        CU_TEST_INFO_NULL,
    };
    return check_run("top", tests);
}
