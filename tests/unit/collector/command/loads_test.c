// SPDX-License-Identifier: Apache-2.0
/*
 * Goods that come into a zone and go, against a real state.db: what is kept, the band
 * that is answered, and what is warned of.
 */
#include <math.h>

#include "collector/store/state_entities.h"
#include "tests/unit/collector/command_house.h"

/* Runs it; the sentence of a refusal in `why`, the answer in the result, to be released.
 */
static json_t *load(struct house *house, int64_t now_ms, const char *verb,
                    const char *body, enum err *err, struct err_text *why)
{
    struct outcome outcome = {0};
    char id[32];
    snprintf(id, sizeof id, "l%" PRIu64, house->position);
    json_t *json = json_loads(body, 0, NULL);
    const struct command command = {.id = id,
                                    .verb = verb,
                                    .actor = "wang",
                                    .org = "o",
                                    .reason = "",
                                    .if_version = COMMAND_ANY,
                                    .body = json};
    CHECK(state_begin(house->state) == ERR_OK);
    CHECK(command_apply(house->state, &command, ++house->position, now_ms, &outcome) ==
          ERR_OK);
    CHECK(state_commit(house->state) == ERR_OK);
    json_t *result = json_loads(outcome.result, 0, NULL);
    *err = outcome.err;
    *why = outcome.why;
    outcome_fini(&outcome);
    json_decref(json);
    return result;
}

static void on_body(void *context, const struct state_entity *row)
{
    *(json_t **)context = json_loads(row->body, 0, NULL);
}

/* "strawberry+0 apple+60": the goods and minutes of a zone's loads. */
static void loads_text(struct house *house, const char *zone, char text[200])
{
    json_t *body = NULL;
    size_t len = 0;
    size_t i;
    json_t *one;
    text[0] = '\0';
    CHECK(state_find_entity(house->state, "zone", zone, &body, on_body) == ERR_OK);
    json_array_foreach(json_object_get(body, "loads"), i, one)
    {
        json_int_t from = json_integer_value(json_object_get(one, "from"));
        len += (size_t)snprintf(text + len, 200 - len, "%s%s+%lld", i > 0 ? " " : "",
                                json_string_value(json_object_get(one, "goods")),
                                (long long)(from - NOW) / 60000);
    }
    json_decref(body);
}

/* In order; zone 'a' is of 0 to 8 degC, its goods follow the air within 2 h at most. */
static void goods_come_in_and_go(void)
{
    static const struct {
        int minute;
        const char *verb;
        const char *body;
        enum err want;
        const char *loads;
        double low; /* of the answer's band */
        double high;
        const char *warns;
    } rows[] = {
        {0, "zone.load", "{\"id\":\"a\",\"goods\":\"strawberry\",\"entry_c\":18}", ERR_OK,
         "strawberry+0", 0, 0.5, NULL},
        {1, "zone.load",
         "{\"id\":\"a\",\"goods\":\"strawberry\",\"entry_c\":16,"
         "\"from\":1790000000000}",
         ERR_OK, "strawberry+0", 0, 0.5, NULL},
        {1, "zone.load",
         "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":20,\"from\":1790000000000}",
         ERR_OK, "apple+0 strawberry+0", 0, 0, NULL},
        {2, "zone.load", "{\"id\":\"a\",\"goods\":\"apple\"}", ERR_OK,
         "apple+0 strawberry+0", 0, 0, NULL},
        {60, "zone.load", "{\"id\":\"a\",\"goods\":\"banana\",\"entry_c\":14}", ERR_OK,
         "apple+0 strawberry+0 banana+60", 0, 8, "band_empty"},
        {61, "zone.unload", "{\"id\":\"a\",\"goods\":\"banana\"}", ERR_OK,
         "apple+0 strawberry+0", 0, 0, NULL},
        {90, "zone.load",
         "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":9,\"from\":1789999940000}",
         ERR_OK, "apple+-1 apple+0 strawberry+0", 0, 0, NULL},
        {91, "zone.load", "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":9}", ERR_OK,
         "apple+-1 apple+0 strawberry+0 apple+91", 0, 0, NULL},
        {92, "zone.load", "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":9}", ERR_LIMIT,
         "apple+-1 apple+0 strawberry+0 apple+91", 0, 0, NULL},
        {721, "zone.load", "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":9}", ERR_OK,
         "apple+91 apple+721", 0, 0, NULL},
        {722, "zone.duty", "{\"id\":\"a\",\"on\":false,\"why\":\"repair\"}", ERR_OK,
         "apple+91 apple+721", NAN, NAN, NULL},
        {723, "zone.load", "{\"id\":\"a\",\"goods\":\"apple\"}", ERR_OK,
         "apple+91 apple+721", 0, 0, "off_duty"},
        {724, "zone.unload", "{\"id\":\"a\"}", ERR_OK, "", 0, 8, NULL},
    };
    struct house house;
    struct err_text why;
    house_open(&house);
    furnish(&house);
    CHECK(run(&house, "zone.put",
              "{\"id\":\"a\",\"band_low\":0,\"band_high\":8,\"tau\":4800000}",
              &why) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        char row[240];
        enum err err;
        snprintf(row, sizeof row, "%d %s", rows[i].minute, rows[i].body);
        json_t *result = load(&house, NOW + rows[i].minute * INT64_C(60000), rows[i].verb,
                              rows[i].body, &err, &why);
        const json_t *band = json_object_get(result, "band");
        const json_t *warning = json_array_get(json_object_get(result, "warnings"), 0);
        const char *code = json_string_value(json_object_get(warning, "code"));
        loads_text(&house, "a", text);
        CHECK_ROW(row, err == rows[i].want);
        CHECK_ROW(row, strcmp(text, rows[i].loads) == 0);
        CHECK_ROW(row, (band != NULL) == (err == ERR_OK && !isnan(rows[i].low)));
        if (band != NULL) {
            CHECK_ROW(row,
                      json_number_value(json_object_get(band, "low")) == rows[i].low);
            CHECK_ROW(row,
                      json_number_value(json_object_get(band, "high")) == rows[i].high);
        }
        CHECK_ROW(row, (code == NULL) == (rows[i].warns == NULL));
        CHECK_ROW(row, code == NULL || strcmp(code, rows[i].warns) == 0);
        CHECK_ROW(row, err != ERR_LIMIT || strstr(why.text, "zone.unload") != NULL);
        json_decref(result);
    }
    house_close(&house);
}

/* Nothing is known of the zone's band: that of its goods is what there is. */
static void an_open_band_is_said_to_be_open(void)
{
    struct house house;
    struct err_text why;
    enum err err;
    house_open(&house);
    furnish(&house);
    json_t *result =
        load(&house, NOW, "zone.load", "{\"id\":\"b\",\"goods\":\"apple\"}", &err, &why);
    CHECK(err == ERR_OK &&
          json_is_number(json_object_get(json_object_get(result, "band"), "high")));
    json_decref(result);
    result = load(&house, NOW, "zone.unload", "{\"id\":\"b\"}", &err, &why);
    CHECK(err == ERR_OK);
    CHECK(json_is_null(json_object_get(json_object_get(result, "band"), "low")));
    CHECK(json_is_null(json_object_get(json_object_get(result, "band"), "high")));
    json_decref(result);
    result = load(&house, NOW, "zone.load", "{\"id\":\"theirs\",\"goods\":\"apple\"}",
                  &err, &why);
    CHECK(err == ERR_NOT_FOUND);
    json_decref(result);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"goods come in and go", goods_come_in_and_go},
        {"an open band is said to be open", an_open_band_is_said_to_be_open},
        CU_TEST_INFO_NULL,
    };
    return check_run("loads", tests);
}
