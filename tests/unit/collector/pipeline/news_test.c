// SPDX-License-Identifier: Apache-2.0
/* News: each change once, after it is committed, and never when it is only read again. */
#include "collector/pipeline/pipeline.h"

#include "tests/unit/collector/pipeline_house.h"

/* One line each. What is told of an incident can be looked up by then. */
static void tell(void *context, const struct news *news)
{
    struct house *house = context;
    struct incident incident;
    switch (news->kind) {
    case NEWS_ZONE:
        buf_format(&house->told, "zone %s %s\n", news->id,
                   strstr(news->json, "\"value\":9.0") != NULL   ? "9"
                   : strstr(news->json, "\"value\":5.0") != NULL ? "5"
                                                                 : "-");
        CHECK(strstr(news->json, "age_ms") == NULL);
        break;
    case NEWS_DEVICE:
        buf_format(&house->told, "device %s %s\n", news->id,
                   strstr(news->json, "\"online\":true") != NULL ? "on" : "off");
        break;
    case NEWS_INCIDENT:
        CHECK(state_get_incident(house->state, news->id, &incident) == ERR_OK);
        buf_format(&house->told, "incident %s%s\n", news->event,
                   news->is_over ? " over" : "");
        break;
    }
}

static void on_news(void *context, bool is_urgent)
{
    struct house *house = context;
    buf_format(&house->told, "%s\n", is_urgent ? "urgent" : "readings");
    pipeline_tell_news(house->pipeline, house, tell);
}

static void on_news_nobody_hears(void *context, bool is_urgent)
{
    struct house *house = context;
    (void)is_urgent;
    pipeline_drop_news(house->pipeline);
}

static void open_house(struct house *house)
{
    house_open(house);
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    pipeline_start(house);
    advance(house, 1000);
    pipeline_close(house->pipeline);
    house->on_news = on_news;
    pipeline_start(house);
}

static void close_house(struct house *house)
{
    buf_fini(&house->told);
    house_close(house);
}

/* What is told of all that is in the journal by now. */
static void check_told(struct house *house, const char *want)
{
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    buf_clear(&house->told);
    advance(house, 1000);
    CHECK_TEXT(house->told.len > 0 ? house->told.data : "", want);
}

static void put_status(struct house *house, const char *state)
{
    put_message(house, START_MS, "coldchain/v1/o/d/status", state, strlen(state));
}

static void what_changed_is_told_once(void)
{
    struct house house;
    open_house(&house);
    put_pack(&house, "d", 1, 5.0, false);
    check_told(&house, "urgent\nzone room 5\ndevice o/d off\n"); /* it is new */
    put_status(&house, "{\"state\":\"online\"}");
    check_told(&house, "urgent\ndevice o/d on\n");
    put_status(&house, "{\"state\":\"online\"}");
    check_told(&house, "");
    put_pack(&house, "d", 2, 5.0, false);
    put_pack(&house, "d", 3, 5.0, false);
    check_told(&house, "readings\nzone room 5\n");
    put_pack(&house, "d", 4, 5.0, false);
    put_pack(&house, "d", 5, 9.0, false);
    check_told(&house, "urgent\nzone room 9\nincident opened\n");
    put_pack(&house, "d", 6, 5.0, false);
    check_told(&house, "urgent\nzone room 5\nincident closed over\n");
    check_told(&house, "");
    close_house(&house);
}

static void what_is_read_again_is_not_told_again(void)
{
    struct house house;
    open_house(&house);
    put_pack(&house, "d", 1, 5.0, false);
    put_pack(&house, "d", 2, 9.0, false);
    check_told(&house, "urgent\nzone room 9\ndevice o/d off\nincident opened\n");
    pipeline_close(house.pipeline); /* without a checkpoint: as after a crash */
    pipeline_start(&house);
    check_told(&house, "");
    put_pack(&house, "d", 3, 9.0, false);
    check_told(&house, "readings\nzone room 9\n");
    close_house(&house);
}

static void who_knows_nothing_is_told_everything(void)
{
    struct house house;
    open_house(&house);
    pipeline_close(house.pipeline);
    house.on_news = on_news_nobody_hears;
    pipeline_start(&house);
    put_pack(&house, "d", 1, 9.0, false);
    put_pack(&house, "stranger", 1, 4.0, false);
    check_told(&house, "");
    CHECK(pipeline_tell_all(house.pipeline, &house, tell) == ERR_OK);
    CHECK_TEXT(house.told.data, "zone room 9\ndevice o/d off\ndevice o/stranger off\n"
                                "incident present\n");
    close_house(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what changed is told once", what_changed_is_told_once},
        {"what is read again is not told again", what_is_read_again_is_not_told_again},
        {"who knows nothing is told everything", who_knows_nothing_is_told_everything},
        CU_TEST_INFO_NULL,
    };
    return check_run("news", tests);
}
