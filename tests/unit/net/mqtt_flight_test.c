// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "net/mqtt_flight.h"
#include "tests/support/check.h"

static void count_call(void *context)
{
    (*(int *)context)++;
}

struct case_of_flight {
    struct mqtt_flight flight;
    int calls;
};

static struct case_of_flight *start(void)
{
    struct case_of_flight *made = mem_alloc(sizeof *made);
    mqtt_flight_init(&made->flight, count_call, &made->calls);
    return made;
}

static void end(struct case_of_flight *made)
{
    mqtt_flight_fini(&made->flight);
    free(made);
}

static void publishes_are_bounded_until_collected(void)
{
    struct case_of_flight *made = start();
    struct mqtt_slot *slots[MQTT_IN_FLIGHT_MAX];
    struct mqtt_slot landed[MQTT_FLIGHT_SLOTS];
    for (uint64_t i = 0; i < MQTT_IN_FLIGHT_MAX; i++) {
        slots[i] = mqtt_flight_take(&made->flight, NULL, i, 1);
        CHECK(slots[i] != NULL);
    }
    CHECK(mqtt_flight_take(&made->flight, NULL, 1000, 1) == NULL);
    CHECK(mqtt_flight_take(&made->flight, "a/#", 0, 1) != NULL);
    mqtt_flight_land(slots[7], false, "");
    mqtt_flight_land(slots[3], false, "quota");
    mqtt_flight_land(slots[7], true, "again"); /* without effect */
    CHECK(made->calls == 1);
    CHECK(mqtt_flight_take(&made->flight, NULL, 1000, 1) == NULL);
    CHECK(mqtt_flight_collect(&made->flight, landed) == 2);
    CHECK(landed[0].tag == 7 && !landed[0].is_lost);
    CHECK_TEXT(landed[0].refusal, "");
    CHECK(landed[1].tag == 3);
    CHECK_TEXT(landed[1].refusal, "quota");
    CHECK(mqtt_flight_collect(&made->flight, landed) == 0);
    CHECK(mqtt_flight_take(&made->flight, NULL, 1000, 1) != NULL);
    end(made);
}

static void the_broker_bounds_qos_1_alone(void)
{
    struct case_of_flight *made = start();
    struct mqtt_slot landed[MQTT_FLIGHT_SLOTS];
    mqtt_flight_limit(&made->flight, 2);
    struct mqtt_slot *first = mqtt_flight_take(&made->flight, NULL, 1, 1);
    CHECK(mqtt_flight_take(&made->flight, NULL, 2, 1) != NULL);
    CHECK(mqtt_flight_take(&made->flight, NULL, 3, 1) == NULL);
    CHECK(mqtt_flight_take(&made->flight, NULL, 4, 0) != NULL);
    CHECK(mqtt_flight_take(&made->flight, "a/#", 5, 1) != NULL);
    mqtt_flight_land(first, false, "");
    CHECK(mqtt_flight_collect(&made->flight, landed) == 1);
    CHECK(mqtt_flight_take(&made->flight, NULL, 6, 1) != NULL);
    CHECK(mqtt_flight_take(&made->flight, NULL, 7, 1) == NULL);
    end(made);
}

static void what_never_left_is_free_again(void)
{
    struct case_of_flight *made = start();
    for (int i = 0; i < 3 * MQTT_SUBSCRIPTIONS_MAX; i++) {
        struct mqtt_slot *slot = mqtt_flight_take(&made->flight, "a/#", 0, 1);
        CHECK(slot != NULL);
        CHECK_TEXT(slot->filter, "a/#");
        mqtt_flight_return(slot);
    }
    CHECK(made->calls == 0);
    end(made);
}

static void forgetting_keeps_what_has_landed(void)
{
    struct case_of_flight *made = start();
    struct mqtt_slot landed[MQTT_FLIGHT_SLOTS];
    struct mqtt_slot *first = mqtt_flight_take(&made->flight, "a", 1, 1);
    CHECK(mqtt_flight_take(&made->flight, "b", 2, 1) != NULL);
    mqtt_flight_land(first, true, "");
    mqtt_flight_forget(&made->flight);
    CHECK(mqtt_flight_collect(&made->flight, landed) == 1);
    CHECK_TEXT(landed[0].filter, "a");
    CHECK(landed[0].is_lost);
    free(landed[0].filter);
    end(made);
}

static void *land_it(void *context)
{
    mqtt_flight_land(context, false, "");
    return NULL;
}

static void waiting_ends_with_the_last_or_with_the_time(void)
{
    struct case_of_flight *made = start();
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    CHECK(mqtt_flight_wait(&made->flight, &now));
    struct mqtt_slot *slot = mqtt_flight_take(&made->flight, NULL, 1, 1);
    CHECK(!mqtt_flight_wait(&made->flight, &now));
    now.tv_sec += 60;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, land_it, slot) == 0);
    CHECK(mqtt_flight_wait(&made->flight, &now));
    pthread_join(thread, NULL);
    end(made);
}

static CU_TestInfo tests[] = {
    {"publishes are bounded until collected", publishes_are_bounded_until_collected},
    {"the broker bounds QoS 1 alone", the_broker_bounds_qos_1_alone},
    {"what never left is free again", what_never_left_is_free_again},
    {"forgetting keeps what has landed", forgetting_keeps_what_has_landed},
    {"waiting ends with the last or with the time",
     waiting_ends_with_the_last_or_with_the_time},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("mqtt_flight", tests);
}
