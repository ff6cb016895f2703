// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/placing.h"

#include "tests/support/check.h"

#define AT(hour) (INT64_C(1795104000000) + (int64_t)(hour)*3600000)
#define DAY(hours) \
    "2026-11-19T" hours ":00:00.000Z" /* the day of AT(0) is 16:00 of it \
                                       */

/* A placement of fengjie/one, as the API answers. */
#define PLACED(device, channel, zone, from, to) \
    "{\"org\":\"fengjie\",\"device\":\"" device "\",\"channel\":\"" channel \
    "\",\"zone\":\"" zone "\",\"from\":" from ",\"to\":" to "}"

static void what_is_not_placed_yet_is_found(void)
{
    static const struct {
        const char *name;
        const char *placements;
        enum err want;
        size_t count;
        int gaps[3][2]; /* hours */
    } rows[] = {
        {"nothing is placed", "[]", ERR_OK, 1, {{0, 6}}},
        {"all of it, in that zone",
         "[" PLACED("one", "", "room-1", "null", "null") "]",
         ERR_OK,
         0,
         {{0}}},
        {"exactly the time of the file",
         "[" PLACED("one", "", "room-1", "\"" DAY("16") "\"", "\"" DAY("22") "\"") "]",
         ERR_OK,
         0,
         {{0}}},
        {"the file goes on where the last one ended",
         "[" PLACED("one", "", "room-1", "\"" DAY("10") "\"", "\"" DAY("18") "\"") "]",
         ERR_OK,
         1,
         {{2, 6}}},
        {"a piece in the middle",
         "[" PLACED("one", "", "room-1", "\"" DAY("18") "\"", "\"" DAY("20") "\"") "]",
         ERR_OK,
         2,
         {{0, 2}, {4, 6}}},
        {"two pieces, in whatever order",
         "[" PLACED("one", "", "room-1", "\"" DAY("20") "\"",
                    "\"" DAY("21") "\"") "," PLACED("one", "", "room-1",
                                                    "\"" DAY("16") "\"",
                                                    "\"" DAY("18") "\"") "]",
         ERR_OK,
         2,
         {{2, 4}, {5, 6}}},
        {"placed elsewhere later",
         "[" PLACED("one", "", "room-2", "\"" DAY("22") "\"", "null") "]",
         ERR_OK,
         1,
         {{0, 6}}},
        {"placed elsewhere until it began",
         "[" PLACED("one", "", "room-2", "null", "\"" DAY("16") "\"") "]",
         ERR_OK,
         1,
         {{0, 6}}},
        {"another device elsewhere",
         "[" PLACED("two", "", "room-2", "null", "null") "]",
         ERR_OK,
         1,
         {{0, 6}}},
        {"another channel of it elsewhere",
         "[" PLACED("one", "air_temperature-2", "room-2", "null", "null") "]",
         ERR_OK,
         1,
         {{0, 6}}},
        {"a channel of the file in that zone: the rest of the device is not",
         "[" PLACED("one", "humidity", "room-1", "null", "null") "]",
         ERR_OK,
         1,
         {{0, 6}}},
        {"elsewhere for its last hour",
         "[" PLACED("one", "", "room-2", "\"" DAY("21") "\"", "null") "]",
         ERR_CONFLICT,
         0,
         {{0}}},
        {"a channel of the file elsewhere",
         "[" PLACED("one", "humidity", "room-2", "null", "null") "]",
         ERR_CONFLICT,
         0,
         {{0}}},
        {"no list at all", "{}", ERR_OK, 1, {{0, 6}}},
    };
    const struct placing placing = {.org = "fengjie",
                                    .device = "one",
                                    .zone = "room-1",
                                    .columns =
                                        "time=Time,air_temperature=Temp@C,humidity=RH@%",
                                    .epoch = "00000000000000aa",
                                    .from_ms = AT(0),
                                    .to_ms = AT(6)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *placements = json_loads(rows[i].placements, 0, NULL);
        struct placing_span gaps[PLACING_GAPS_MAX];
        size_t count;
        struct err_text why = {""};
        CHECK_ROW(rows[i].name, placements != NULL);
        enum err err = placing_gaps(&placing, placements, gaps, &count, &why);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        CHECK_ROW(rows[i].name, (err == ERR_OK) == (why.text[0] == '\0'));
        if (err == ERR_CONFLICT)
            CHECK_ROW(rows[i].name, strstr(why.text, "'room-2' from ") != NULL);
        CHECK_ROW(rows[i].name, count == rows[i].count);
        for (size_t k = 0; k < count && k < rows[i].count; k++)
            CHECK_ROW(rows[i].name, gaps[k].from_ms == AT(rows[i].gaps[k][0]) &&
                                        gaps[k].to_ms == AT(rows[i].gaps[k][1]));
        json_decref(placements);
    }
}

static void too_many_pieces_are_refused(void)
{
    const struct placing placing = {.org = "fengjie",
                                    .device = "one",
                                    .zone = "room-1",
                                    .columns = "time=t,humidity=h",
                                    .epoch = "00000000000000aa",
                                    .from_ms = 0,
                                    .to_ms = INT64_C(3600000)};
    json_t *placements = json_array();
    struct placing_span gaps[PLACING_GAPS_MAX];
    size_t count;
    struct err_text why = {""};
    for (int i = 0; i < 40; i++) {
        char from[40];
        char to[40];
        snprintf(from, sizeof from, "1970-01-01T00:%02d:01.000Z", i);
        snprintf(to, sizeof to, "1970-01-01T00:%02d:02.000Z", i);
        json_array_append_new(placements,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "org",
                                        "fengjie", "device", "one", "channel", "", "zone",
                                        "room-1", "from", from, "to", to));
    }
    CHECK(placing_gaps(&placing, placements, gaps, &count, &why) == ERR_LIMIT);
    CHECK(count == PLACING_GAPS_MAX);
    json_decref(placements);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what is not placed yet is found", what_is_not_placed_yet_is_found},
        {"too many pieces are refused", too_many_pieces_are_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("placing", tests);
}
