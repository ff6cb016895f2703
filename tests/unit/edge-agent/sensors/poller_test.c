// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/poller.h"

#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/edge-agent/sensors/hardware.h"

/* A measurement that ends when something is written to `gate`. */
struct meter {
    int gate[2];
    atomic_int *begun;
    atomic_int *freed;
};

static void meter_poll(void *context, int64_t now_ms, struct samples *samples)
{
    const struct meter *meter = context;
    char byte;
    (*meter->begun)++;
    if (read(meter->gate[0], &byte, 1) == 1)
        samples_add(samples, now_ms, 0, byte, QUALITY_GOOD);
}

static void meter_fini(void *context)
{
    struct meter *meter = context;
    close(meter->gate[0]);
    (*meter->freed)++;
    free(meter);
}

static bool until(const atomic_int *value, int want)
{
    int64_t end_ms = clock_real_ms() + PATIENCE_MS;
    while (atomic_load(value) < want && clock_real_ms() < end_ms)
        usleep(1000);
    return atomic_load(value) >= want;
}

static struct poller *open_meter(atomic_int *begun, atomic_int *freed, int *gate,
                                 int64_t timeout_ms)
{
    struct meter *meter = calloc(1, sizeof *meter);
    if (meter == NULL || pipe(meter->gate) != 0)
        exit(EXIT_FAILURE);
    meter->begun = begun;
    meter->freed = freed;
    *gate = meter->gate[1];
    return poller_create(&(struct poller_options){.interval_ms = 1000,
                                                  .timeout_ms = timeout_ms,
                                                  .context = meter,
                                                  .poll = meter_poll,
                                                  .fini = meter_fini});
}

static void a_slow_answer_comes_with_a_later_read(void)
{
    static atomic_int begun;
    static atomic_int freed;
    int gate;
    struct samples samples = {0};
    struct poller *poller = open_meter(&begun, &freed, &gate, 60000);
    CHECK(poller_read(poller, WALL_MS, &samples) == ERR_OK && samples.count == 0);
    CHECK(until(&begun, 1));
    CHECK(poller_read(poller, WALL_MS + 500, &samples) == ERR_OK && samples.count == 0);
    CHECK(begun == 1); /* one measurement at a time */
    CHECK(write(gate, "A", 1) == 1);
    int64_t end_ms = clock_real_ms() + PATIENCE_MS;
    while (samples.count == 0 && clock_real_ms() < end_ms)
        CHECK(poller_read(poller, WALL_MS + 1000, &samples) == ERR_OK);
    CHECK(samples.count == 1 && samples.list[0].value == 'A');
    CHECK(llabs(samples.list[0].time_ms - WALL_MS) <= PATIENCE_MS);
    CHECK(write(gate, "B", 1) == 1); /* lets the next one end */
    poller_destroy(poller);
    close(gate);
    CHECK(freed == 1);
    samples_fini(&samples);
}

static void a_hanging_measurement_is_a_timeout_and_no_obstacle(void)
{
    static atomic_int begun;
    static atomic_int freed;
    int gate;
    struct samples samples = {0};
    struct poller *poller = open_meter(&begun, &freed, &gate, 100);
    enum err err = ERR_OK;
    int64_t end_ms = clock_real_ms() + PATIENCE_MS;
    while (err == ERR_OK && clock_real_ms() < end_ms)
        err = poller_read(poller, WALL_MS, &samples);
    CHECK(err == ERR_TIMEOUT && samples.count == 0);
    CHECK(until(&begun, 1));
    int64_t close_ms = clock_real_ms();
    poller_destroy(poller);
    CHECK(clock_real_ms() - close_ms < 10000);
    CHECK(freed == 0); /* the measurement still holds it */
    CHECK(write(gate, "A", 1) == 1);
    CHECK(until(&freed, 1));
    close(gate);
    samples_fini(&samples);
}

static void what_was_never_read_makes_no_thread(void)
{
    static atomic_int begun;
    static atomic_int freed;
    int gate;
    struct poller *poller = open_meter(&begun, &freed, &gate, 100);
    poller_destroy(poller);
    poller_destroy(NULL);
    CHECK(begun == 0 && freed == 1);
    close(gate);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a slow answer comes with a later read", a_slow_answer_comes_with_a_later_read},
        {"a hanging measurement is a timeout and no obstacle",
         a_hanging_measurement_is_a_timeout_and_no_obstacle},
        {"what was never read makes no thread", what_was_never_read_makes_no_thread},
        CU_TEST_INFO_NULL,
    };
    return check_run("poller", tests);
}
