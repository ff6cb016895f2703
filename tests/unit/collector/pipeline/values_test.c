// SPDX-License-Identifier: Apache-2.0
/* What an open incident comes to between two effects: stored, and told to followers. */
#include "tests/unit/collector/pipeline_house.h"

static void open_house(struct house *house)
{
    house_open(house);
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
}

static void take_all(struct house *house)
{
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    if (house->pipeline == NULL)
        pipeline_start(house);
    advance(house, 1000);
}

static void keep(void *context, const struct incident *incident)
{
    struct buf *out = context;
    buf_format(out, "%s%s %s %g %g r%u", out->len > 0 ? ", " : "", incident->rule,
               incident_state_name(incident->state), incident->value, incident->worst,
               (unsigned)incident->revision);
}

/* "warm open 9 10 r1": rule, state, value, worst and revision of each, the newest first.
 */
static const char *stored(struct house *house)
{
    static char text[2000];
    struct buf out = {0};
    const struct state_incident_query query = {.limit = STATE_PAGE_MAX};
    CHECK(state_page_incidents(house->state, &query, &out, keep) == ERR_OK);
    snprintf(text, sizeof text, "%s", out.len > 0 ? out.data : "");
    buf_fini(&out);
    return text;
}

static void check_stored(struct house *house, const char *want)
{
    take_all(house);
    CHECK_TEXT(stored(house), want);
}

static void put_tick_s(struct house *house, int64_t seconds)
{
    put(house, RECORD_TICK, START_MS + seconds * 1000, "", 1);
}

static void once_a_minute_it_is_what_it_is(void)
{
    struct house house;
    open_house(&house);
    put_pack(&house, "d", 1, 8.2, false);
    put_tick(&house, 1);
    put_pack(&house, "d", 2, 10.0, false);
    check_stored(&house, "warm open 8.2 8.2 r1");
    put_tick(&house, 2);
    check_stored(&house, "warm open 10 10 r1");
    put_pack(&house, "d", 3, 9.0, false);
    put_tick_s(&house, 3 * 60);
    check_stored(&house, "warm open 9 10 r1");
    put_pack(&house, "d", 4, 5.0, false);
    put_tick(&house, 6);
    check_stored(&house, "warm closed 5 10 r2");
    house_close(&house);
}

#define MANY 120

static void put_many(struct house *house, uint64_t *seq, int64_t seconds, double value)
{
    int64_t at_ms = START_MS + seconds * 1000;
    for (int i = 0; i < MANY; i++) {
        char channel[ID_SIZE];
        snprintf(channel, sizeof channel, "air_temperature-%d", i);
        put_channel_late(house, "d", channel, (*seq)++, at_ms, at_ms, value, false);
    }
}

struct tally {
    double value;
    size_t count;
};

static void count_value(void *context, const struct incident *incident)
{
    struct tally *tally = context;
    tally->count += incident->value == tally->value;
}

static size_t count_stored(struct house *house, double value)
{
    struct tally tally = {.value = value};
    const struct state_incident_query query = {.limit = STATE_PAGE_MAX};
    CHECK(state_page_incidents(house->state, &query, &tally, count_value) == ERR_OK);
    return tally.count;
}

/* So no tick has to look at all of them: most of them would be many at once. */
static void each_has_its_moment_of_the_minute(void)
{
    struct house house;
    open_house(&house);
    uint64_t seq = 1;
    size_t at[2][61] = {{0}}; /* stored by then */
    put_many(&house, &seq, 0, 9.0);
    put_tick_s(&house, 60);
    take_all(&house);
    CHECK(count_stored(&house, 9.0) == MANY);
    for (int64_t minute = 0; minute < 2; minute++) {
        double value = 10.0 + (double)minute;
        put_many(&house, &seq, (minute + 1) * 60, value);
        for (int64_t second = 1; second <= 60; second++) {
            put_tick_s(&house, (minute + 1) * 60 + second);
            take_all(&house);
            at[minute][second] = count_stored(&house, value);
            CHECK(at[minute][second] - at[minute][second - 1] <= MANY / 10);
        }
        CHECK(at[minute][60] == MANY);
    }
    CHECK(memcmp(at[0], at[1], sizeof at[0]) == 0);
    house_close(&house);
}

static void silence_goes_on(void)
{
    struct house house;
    open_house(&house);
    put_pack(&house, "d", 1, 5.0, false);
    for (int64_t minute = 2; minute <= 31; minute++)
        put_tick(&house, minute);
    check_stored(&house, "quiet open 1800 1800 r1");
    put_pack(&house, "d", 41, 5.0, false);
    check_stored(&house, "quiet closed 2400 2400 r2");
    house_close(&house);
}

/*
 * What is ahead of a gap is told by the second engine, and so its values are; what was
 * missing takes them back: the first incident never was above 9.
 */
static void a_gap_leaves_nothing_behind(void)
{
    struct house house;
    open_house(&house);
    put_pack(&house, "d", 1, 9.0, false);
    put_pack(&house, "d", 3, 11.0, false);
    put_tick(&house, 3);
    check_stored(&house, "warm open 11 11 r1");
    put_pack(&house, "d", 4, 10.0, false);
    put_tick(&house, 4);
    check_stored(&house, "warm open 10 11 r1");
    put_pack(&house, "d", 2, 5.0, false);
    take_all(&house);
    put_tick(&house, 5);
    take_all(&house);
    CHECK(strstr(stored(&house), "warm open 10 11 r") == stored(&house));
    CHECK(strstr(stored(&house), ", warm closed 5 9 r") != NULL);
    CHECK(strstr(stored(&house), "9 11") == NULL);
    house_close(&house);
}

/* ---- those who follow ------------------------------------------------------------- */

static void tell(void *context, const struct news *news)
{
    struct house *house = context;
    if (news->kind == NEWS_INCIDENT)
        buf_format(&house->told, "%s%s ", news->event, news->is_over ? " over" : "");
}

static void on_news(void *context, bool is_urgent)
{
    struct house *house = context;
    buf_text(&house->told, is_urgent ? "! " : "");
    pipeline_tell_news(house->pipeline, house, tell);
}

static void who_follows_is_told_in_time(void)
{
    struct house house;
    open_house(&house);
    house.on_news = on_news;
    put_pack(&house, "d", 1, 8.2, false);
    put_tick(&house, 1);
    take_all(&house);
    CHECK_TEXT(house.told.data, "! opened ");
    buf_clear(&house.told);
    put_pack(&house, "d", 2, 10.0, false);
    put_tick(&house, 2);
    put_tick(&house, 3); /* nothing is new */
    take_all(&house);
    CHECK_TEXT(house.told.data, "present ");
    buf_fini(&house.told);
    house_close(&house);
}

static void a_crash_changes_nothing(void)
{
    static const size_t checkpoint_every[] = {1, 3, 7, 1000};
    for (size_t i = 0; i < sizeof checkpoint_every / sizeof checkpoint_every[0]; i++) {
        struct house house;
        open_house(&house);
        for (uint64_t seq = 1; seq <= 12; seq++) {
            put_pack(&house, "d", seq == 5 ? 13 : seq, 8.0 + (double)seq / 10, false);
            put_tick(&house, (int64_t)seq);
            put_tick_s(&house, (int64_t)seq * 60 + 50);
        }
        put_pack(&house, "d", 5, 5.0, false);
        put_tick(&house, 14);
        CHECK(journal_sync(house.journal, NULL) == ERR_OK);
        state_close(house.state);
        check_crashes(&house, "values", checkpoint_every[i]);
        house_close(&house);
    }
}

int main(void)
{
    crypto_init();
    CU_TestInfo tests[] = {
        {"once a minute it is what it is", once_a_minute_it_is_what_it_is},
        {"each has its moment of the minute", each_has_its_moment_of_the_minute},
        {"silence goes on", silence_goes_on},
        {"a gap leaves nothing behind", a_gap_leaves_nothing_behind},
        {"who follows is told in time", who_follows_is_told_in_time},
        {"a crash changes nothing", a_crash_changes_nothing},
        CU_TEST_INFO_NULL,
    };
    return check_run("values", tests);
}
