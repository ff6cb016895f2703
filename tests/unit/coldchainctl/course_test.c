// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

#define GAP ((double)NAN)

static char *drawn(const double *values, size_t count, double limit, bool is_utf8)
{
    struct buf out = {0};
    const struct course course = {
        .values = values, .count = count, .limit = limit, .begin = 3, .end = 6};
    buf_text(&out, "");
    course_draw(&out, &course, is_utf8);
    return buf_take(&out);
}

static void what_is_beyond_the_limit_stands_above_its_line(void)
{
    static const double values[] = {5, 5.5, 6, 8, 9, 10, GAP, 7};
    char *text = drawn(values, 8, 8, false);
    CHECK_TEXT(text, "   10.0 |     .  \n"
                     "        |     #  \n"
                     "        |    =#  \n"
                     "        |    ##  \n"
                     "    8.0 +--------\n"
                     "        |   ###  \n"
                     "        |   ### -\n"
                     "        |   ### #\n"
                     "        |  *### #\n"
                     "    5.0 |.##### #\n"
                     "        +---^--v-\n");
    free(text);
    text = drawn(values, 8, 8, true);
    CHECK(strstr(text, "    8.0 ┼────────\n") != NULL);
    CHECK(strstr(text, "        └───▲──△─\n") != NULL);
    free(text);
}

/* The line is there wherever the values are, and cuts where it stands. */
static void the_line_is_there_wherever_the_values_are(void)
{
    static const struct {
        const char *name;
        double values[3];
        double limit;
        bool is_above; /* something stands above the line */
        bool is_below;
    } rows[] = {
        {"all below", {1, 2, 3}, 8, false, true},
        {"all above", {9, 10, 11}, 8, true, true},
        {"all at it", {8, 8, 8}, 8, false, true},
        {"a hair above", {8, 8.001, 8}, 8, true, true},
        {"frozen goods", {-18, -15, -20}, -18, true, true},
        {"flat and far", {-70, -70, -70}, -80, true, true},
        {"huge", {1e15, -1e15, 0}, 3, true, true},
        {"gaps alone but one", {GAP, 9, GAP}, 8, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = drawn(rows[i].values, 3, rows[i].limit, false);
        char *line = strstr(text, "+---\n");
        CHECK_ROW(rows[i].name, line != NULL);
        char *axis = line != NULL ? strstr(line + 1, "+---") : NULL;
        CHECK_ROW(rows[i].name, axis != NULL);
        if (axis != NULL) {
            *line = '\0';
            CHECK_ROW(rows[i].name, (strpbrk(text, "_:=*#") != NULL) == rows[i].is_above);
            *axis = '\0';
            CHECK_ROW(rows[i].name,
                      (strpbrk(line + 1, "_:=*#") != NULL) == rows[i].is_below);
        }
        free(text);
    }
}

static void without_a_limit_there_is_no_line(void)
{
    static const double values[] = {1, 2, 9};
    char *text = drawn(values, 3, GAP, false);
    CHECK(strstr(text, "+---\n") == strrchr(text, '+')); /* the axis alone */
    CHECK(strstr(text, "    9.0 |  .\n") != NULL);
    CHECK(strstr(text, "    1.0 |.##\n") != NULL);
    free(text);
}

static void nothing_measured_is_nothing_drawn(void)
{
    static const double values[] = {GAP, GAP};
    char *text = drawn(values, 2, 8, false);
    CHECK_TEXT(text, "");
    free(text);
    text = drawn(values, 0, 8, false);
    CHECK_TEXT(text, "");
    free(text);
}

static void between_readings_values_are_held_but_not_over_gaps(void)
{
    double values[] = {GAP, 1, GAP, 2, GAP, GAP, 3, GAP};
    static const double want[] = {GAP, 1, 1, 2, GAP, GAP, 3, GAP};
    course_hold(values, 8, 2);
    for (size_t i = 0; i < 8; i++)
        CHECK(isnan(want[i]) ? isnan(values[i]) : values[i] == want[i]);
    course_hold(values, 8, 3);
    CHECK(values[4] == 2 && values[5] == 2 && isnan(values[7]));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"what is beyond the limit stands above its line",
         what_is_beyond_the_limit_stands_above_its_line},
        {"the line is there wherever the values are",
         the_line_is_there_wherever_the_values_are},
        {"without a limit there is no line", without_a_limit_there_is_no_line},
        {"nothing measured is nothing drawn", nothing_measured_is_nothing_drawn},
        {"between readings values are held, but not over gaps",
         between_readings_values_are_held_but_not_over_gaps},
        CU_TEST_INFO_NULL,
    };
    return check_run("course", tests);
}
