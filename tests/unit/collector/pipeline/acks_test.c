// SPDX-License-Identifier: Apache-2.0
/* Acks go out when they are due, the most urgent first, and again when they did not. */
#include "collector/pipeline/acks.h"

#include <stdlib.h>

#include "telemetry/topic.h"
#include "tests/support/check.h"

#define DEVICES 300

struct house {
    struct acks *acks;
    struct device *devices[DEVICES];
    bool is_offline;
    size_t sent;
    uint32_t credits; /* of the last ack */
    uint32_t backlog_credits;
    char said[400]; /* devices in the order of their acks: "d0 d1" */
};

static bool on_send(void *context, const char *topic, const void *data, size_t len)
{
    struct house *house = context;
    struct topic parsed;
    struct ack ack;
    struct err_text why;
    CHECK(ack_parse(&ack, data, len, &why) == ERR_OK);
    house->credits = ack.credits;
    house->backlog_credits = ack.backlog_credits;
    ack_fini(&ack);
    CHECK(len > 0 && topic_parse(&parsed, topic, strlen(topic)) == ERR_OK);
    if (house->is_offline)
        return false;
    house->sent++;
    size_t used = strlen(house->said);
    snprintf(house->said + used, sizeof house->said - used, "%s%s", used > 0 ? " " : "",
             parsed.device);
    return true;
}

static void house_open(struct house *house)
{
    *house = (struct house){0};
    const struct acks_options options = {
        .store = "00112233445566778899aabbccddeeff",
        .interval_ms = 10000,
        .credits = 8,
        .backlog_max = 1000,
        .context = house,
        .send = on_send,
    };
    house->acks = acks_create(&options);
    for (int i = 0; i < DEVICES; i++) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "d%d", i);
        house->devices[i] = device_create("o", id);
    }
}

static void house_close(struct house *house)
{
    for (size_t i = 0; i < DEVICES; i++)
        device_destroy(house->devices[i], acks_core(house->acks));
    acks_destroy(house->acks);
}

static void due(struct house *house, size_t device, int64_t at_ms)
{
    house->devices[device]->delivery.ack_due_ms = at_ms;
    acks_at(house->acks, house->devices[device]);
}

static void nothing_goes_before_its_time(void)
{
    struct house house;
    house_open(&house);
    due(&house, 0, 200);
    due(&house, 1, 100);
    acks_flush(house.acks, 99);
    CHECK(house.sent == 0);
    acks_flush(house.acks, 100);
    CHECK_TEXT(house.said, "d1");
    acks_flush(house.acks, 1000);
    CHECK_TEXT(house.said, "d1 d0");
    acks_flush(house.acks, 100000);
    CHECK(house.sent == 2);
    house_close(&house);
}

static void what_became_urgent_goes_once(void)
{
    struct house house;
    house_open(&house);
    due(&house, 0, 500);
    due(&house, 1, 400);
    due(&house, 0, 50);
    acks_flush(house.acks, 50);
    CHECK_TEXT(house.said, "d0");
    acks_flush(house.acks, 1000);
    CHECK_TEXT(house.said, "d0 d1");
    house_close(&house);
}

static void what_was_put_off_waits(void)
{
    struct house house;
    house_open(&house);
    due(&house, 0, 50);
    house.devices[0]->delivery.ack_due_ms = 80;
    acks_flush(house.acks, 60);
    CHECK(house.sent == 0);
    acks_flush(house.acks, 80);
    CHECK(house.sent == 1);
    house_close(&house);
}

static void what_was_not_sent_is_tried_again(void)
{
    struct house house;
    house_open(&house);
    house.is_offline = true;
    due(&house, 0, 10);
    due(&house, 1, 20);
    acks_flush(house.acks, 30);
    house.is_offline = false;
    acks_flush(house.acks, 31);
    CHECK_TEXT(house.said, "d0 d1");
    house_close(&house);
}

static void many_go_in_the_order_of_their_times(void)
{
    struct house house;
    house_open(&house);
    for (size_t i = 0; i < DEVICES; i++)
        due(&house, i, 1 + (int64_t)(i * 7919 % DEVICES));
    for (int64_t now_ms = 1; now_ms <= DEVICES; now_ms++) {
        house.said[0] = '\0';
        acks_flush(house.acks, now_ms);
        CHECK(house.sent == (size_t)now_ms);
        size_t device = strtoul(house.said + 1, NULL, 10);
        CHECK((int64_t)(device * 7919 % DEVICES) + 1 == now_ms);
    }
    house_close(&house);
}

/* 8 without a backlog; the limit is 1000. */
static void a_backlog_is_answered_with_fewer_credits(void)
{
    static const struct {
        const char *name;
        uint64_t backlog;
        uint32_t want;
    } rows[] = {
        {"none", 0, 8},         {"half of it", 500, 8}, {"three quarters", 750, 4},
        {"all of it", 1000, 1}, {"more", 5000, 1},      {"none again", 0, 8},
    };
    struct house house;
    house_open(&house);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t now_ms = 1000 * (int64_t)(i + 1);
        acks_set_backlog(house.acks, rows[i].backlog, false);
        due(&house, 0, now_ms);
        acks_flush(house.acks, now_ms);
        CHECK_ROW(rows[i].name, house.credits == rows[i].want);
    }
    CHECK(house.sent == sizeof rows / sizeof rows[0]);
    house_close(&house);
}

static void stands_in_line(struct house *house, size_t device)
{
    house->devices[device]->delivery.wants_slot = true;
    acks_in_line(house->acks, house->devices[device]);
}

/* "0 3": devices that have a slot. */
static const char *slots_of(const struct house *house)
{
    static char text[100];
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i < 10; i++)
        if (house->devices[i]->delivery.slot_left > 0)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%d",
                                    len > 0 ? " " : "", i);
    return text;
}

static void slots_go_in_the_order_of_the_line(void)
{
    struct house house;
    house_open(&house);
    for (size_t i = 0; i < COLLECTOR_SLOTS + 3; i++)
        stands_in_line(&house, i);
    stands_in_line(&house, 0); /* does already */
    acks_set_backlog(house.acks, 0, true);
    acks_flush(house.acks, 10);
    CHECK(house.sent == 0);
    acks_set_backlog(house.acks, 0, false);
    acks_flush(house.acks, 20);
    CHECK_TEXT(slots_of(&house), "0 1 2 3");
    CHECK(house.sent == 4 && house.backlog_credits == 8);
    acks_flush(house.acks, 119);
    CHECK(house.sent == 4);
    house.devices[4]->delivery.wants_slot = false; /* somebody else told it all */
    stands_in_line(&house, 1);
    acks_flush(house.acks, 120);
    CHECK_TEXT(slots_of(&house), "1 5 6");
    CHECK(house.sent == 7 && acks_core(house.acks)->slot_count == 3);
    house_close(&house);
}

static void a_slot_that_was_not_told_is_told_later(void)
{
    struct house house;
    house_open(&house);
    house.is_offline = true;
    stands_in_line(&house, 0);
    acks_flush(house.acks, 10);
    acks_flush(house.acks, 10000);
    house.is_offline = false;
    acks_flush(house.acks, 20000);
    CHECK_TEXT(house.said, "d0");
    CHECK(house.backlog_credits == 8);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"nothing goes before its time", nothing_goes_before_its_time},
        {"what became urgent goes once", what_became_urgent_goes_once},
        {"what was put off waits", what_was_put_off_waits},
        {"what was not sent is tried again", what_was_not_sent_is_tried_again},
        {"many go in the order of their times", many_go_in_the_order_of_their_times},
        {"a backlog is answered with fewer credits",
         a_backlog_is_answered_with_fewer_credits},
        {"slots go in the order of the line", slots_go_in_the_order_of_the_line},
        {"a slot that was not told is told later",
         a_slot_that_was_not_told_is_told_later},
        CU_TEST_INFO_NULL,
    };
    return check_run("acks", tests);
}
