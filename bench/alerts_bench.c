// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_bench - what a reading costs, and what a device holds, at 1,000 and 1,000,000
 * devices of 4 channels with 5 rules each; "alerts_measured" with rules of which two keep
 * a gauge for each channel.
 *
 * usage: alerts_bench [DEVICES...]. One line of JSON per size. Memory is what malloc
 * holds (mallinfo2) over what it held before, rules apart from devices. The readings of
 * a device come one after the other, devices in an order that no cache foresees. Times
 * are CPU time.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alerts/alerts.h"
#include "base/mem.h"

#define CHANNELS         4
#define RULES            5
#define DEVICES_PER_ZONE 10
#define BATCH            64
#define T0               INT64_C(1657195200000)
#define STEP_MS          60000
#define TICKS            (29 * 60)
#define READINGS_MIN     ((size_t)4000000)

struct fleet {
    struct alerts *alerts;
    struct alert_sink sink;
    size_t devices;
    bool is_measured;
    uint64_t effects;
    int64_t now_ms;
};

struct saved {
    uint64_t entities;
    uint64_t bytes;
};

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    (void)kind;
    (void)incident;
    ((struct fleet *)context)->effects++;
}

static void on_saved(void *context, const char *key, const void *data, size_t len)
{
    (void)data;
    struct saved *saved = context;
    saved->entities++;
    saved->bytes += strlen(key) + len;
}

/* Two above, one below, silence of a channel, silence of a device. */
static void fill_rules(struct alert_rule rules[RULES], size_t zone)
{
    static const enum alert_kind kinds[RULES] = {ALERT_ABOVE, ALERT_ABOVE, ALERT_BELOW,
                                                 ALERT_SILENT, ALERT_SILENT_DEVICE};
    for (size_t i = 0; i < RULES; i++) {
        struct alert_rule *rule = &rules[i];
        *rule = (struct alert_rule){.kind = kinds[i]};
        snprintf(rule->id, sizeof rule->id, "z%zu-r%zu", zone, i);
        snprintf(rule->zone, sizeof rule->zone, "room-%zu", zone);
        if (kinds[i] != ALERT_SILENT_DEVICE)
            snprintf(rule->quantity, sizeof rule->quantity, "air_temperature");
        rule->silent_ms = 30 * STEP_MS;
        if (alert_kind_is_silence(kinds[i]))
            continue;
        double level = kinds[i] == ALERT_BELOW ? 0 : 8 + (double)i;
        double out = kinds[i] == ALERT_BELOW ? -4 : 4;
        rule->levels[0] = (struct alert_level){
            .level = level, .recovery_level = level, .delay_ms = 10 * STEP_MS};
        rule->levels[1] = (struct alert_level){.severity = ALERT_CRITICAL,
                                               .level = level + out,
                                               .recovery_level = level + out};
        rule->level_count = 2;
    }
}

/* A level of 15 min of the one, 20 K/h of the other: opened like the levels above. */
static void make_measured(struct alert_rule *rule, enum alert_kind kind, double level)
{
    rule->kind = kind;
    rule->limit = 8;
    rule->window_ms = 60 * STEP_MS;
    rule->level_count = 1;
    rule->levels[0].level = rule->levels[0].recovery_level = level;
}

/*
 * Above and below, time beyond a limit within the hour, the rise per hour, and silence of
 * a device: rules that need a gauge for each channel.
 */
static void fill_measured(struct alert_rule rules[RULES], size_t zone)
{
    fill_rules(rules, zone);
    make_measured(&rules[1], ALERT_CUMULATIVE_ABOVE, 15);
    make_measured(&rules[3], ALERT_RATE, 20);
    rules[3].silent_ms = 0;
}

static void set_rules(struct fleet *fleet)
{
    size_t zones = (fleet->devices + DEVICES_PER_ZONE - 1) / DEVICES_PER_ZONE;
    struct alert_rule *rules = mem_array(zones * RULES, sizeof *rules);
    for (size_t i = 0; i < zones; i++)
        if (fleet->is_measured)
            fill_measured(rules + i * RULES, i);
        else
            fill_rules(rules + i * RULES, i);
    struct err_text why;
    if (alerts_set_rules(fleet->alerts, rules, zones * RULES, T0, &why) != ERR_OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    free(rules);
}

/* Of this thread, so that what else the machine does is not counted. */
static int64_t cpu_ns(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (int64_t)spent.tv_sec * 1000000000 + spent.tv_nsec;
}

struct named {
    char zone[ID_SIZE];
    char device[ID_SIZE];
    int64_t arrival_ms;
};

static void name_device(struct named *named, const struct fleet *fleet, size_t turn)
{
    /* An odd factor, so that every device has its turn, far from the last. */
    size_t index = (turn * 7919 + 13) % fleet->devices;
    snprintf(named->zone, sizeof named->zone, "room-%zu", index / DEVICES_PER_ZONE);
    snprintf(named->device, sizeof named->device, "device-%zu", index);
    named->arrival_ms = fleet->now_ms + (int64_t)(index % STEP_MS);
}

static void read_device(struct fleet *fleet, const struct named *named, double value)
{
    static const char *const channels[CHANNELS] = {
        "air_temperature-1", "air_temperature-2", "air_temperature-3",
        "air_temperature-4"};
    for (size_t c = 0; c < CHANNELS; c++) {
        const struct alert_reading reading = {.zone = named->zone,
                                              .device = named->device,
                                              .channel = channels[c],
                                              .quantity = "air_temperature",
                                              .time_ms = fleet->now_ms,
                                              .arrival_ms = named->arrival_ms,
                                              .value = value};
        alerts_reading(fleet->alerts, &reading, &fleet->sink);
    }
}

/* One reading of each channel of each device; returns the nanoseconds. */
static int64_t round_of(struct fleet *fleet, double value)
{
    static struct named batch[BATCH];
    fleet->now_ms += STEP_MS;
    int64_t spent = 0;
    for (size_t turn = 0; turn < fleet->devices; turn += BATCH) {
        size_t count = fleet->devices - turn < BATCH ? fleet->devices - turn : BATCH;
        for (size_t i = 0; i < count; i++)
            name_device(&batch[i], fleet, turn + i);
        int64_t begin = cpu_ns();
        for (size_t i = 0; i < count; i++)
            read_device(fleet, &batch[i], value);
        spent += cpu_ns() - begin;
    }
    return spent;
}

static double rounds(struct fleet *fleet, double value)
{
    size_t per_round = fleet->devices * CHANNELS;
    size_t count = (READINGS_MIN + per_round - 1) / per_round;
    int64_t spent = 0;
    for (size_t i = 0; i < count; i++) {
        spent += round_of(fleet, value);
        alerts_tick(fleet->alerts, fleet->now_ms, &fleet->sink);
    }
    return (double)spent / (double)(count * per_round);
}

/* A silence period of ticks once a second: each source is looked at once. */
static void tick_cost(struct fleet *fleet, double *mean_us, double *worst_us)
{
    int64_t total = 0, worst = 0;
    round_of(fleet, 4);
    for (int second = 0; second < TICKS; second++) {
        int64_t begin = cpu_ns();
        alerts_tick(fleet->alerts, fleet->now_ms + second * INT64_C(1000), &fleet->sink);
        int64_t spent = cpu_ns() - begin;
        total += spent;
        worst = spent > worst ? spent : worst;
    }
    *mean_us = (double)total / TICKS / 1000;
    *worst_us = (double)worst / 1000;
}

static size_t held(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void measure(size_t devices, bool is_measured)
{
    struct fleet fleet = {.alerts = alerts_create(),
                          .devices = devices,
                          .is_measured = is_measured,
                          .now_ms = T0};
    fleet.sink = (struct alert_sink){.context = &fleet, .effect = on_effect};
    size_t empty = held();
    set_rules(&fleet);
    size_t with_rules = held();
    double first_ns = (double)round_of(&fleet, 4) / (double)(devices * CHANNELS);
    size_t with_devices = held();
    double quiet_ns = rounds(&fleet, 4);
    /* Two rules open an incident on every channel; then all of them stay open. */
    double opening_ns = (double)round_of(&fleet, 30) / (double)(devices * CHANNELS);
    double firing_ns = rounds(&fleet, 30);
    size_t firing = held();
    uint64_t effects = fleet.effects;
    struct saved saved = {0};
    int64_t begin = cpu_ns();
    alerts_save_changed(fleet.alerts, &saved, on_saved);
    double save_ns = (double)(cpu_ns() - begin) / (double)saved.entities;
    round_of(&fleet, 4);
    struct saved quiet = {0};
    alerts_save_changed(fleet.alerts, &quiet, on_saved);
    double tick_us, tick_worst_us;
    tick_cost(&fleet, &tick_us, &tick_worst_us);
    printf("{\"bench\":\"%s\",\"devices\":%zu,\"ns_per_reading\":%.1f,"
           "\"ns_first_reading\":%.1f,\"ns_opening\":%.1f,\"ns_firing\":%.1f,"
           "\"bytes_per_device\":%zu,\"bytes_per_device_all_firing\":%zu,"
           "\"bytes_per_rule\":%zu,\"ns_per_saved_entity\":%.1f,"
           "\"saved_bytes_per_entity\":%" PRIu64 ",\"saved_bytes_per_entity_quiet\":"
           "%" PRIu64 ",\"tick_us\":%.1f,\"tick_worst_us\":%.1f,\"effects\":%" PRIu64
           "}\n",
           is_measured ? "alerts_measured" : "alerts", devices, quiet_ns, first_ns,
           opening_ns, firing_ns, (with_devices - with_rules) / devices,
           (firing - with_rules) / devices,
           (with_rules - empty) /
               ((devices + DEVICES_PER_ZONE - 1) / DEVICES_PER_ZONE * RULES),
           save_ns, saved.bytes / saved.entities, quiet.bytes / quiet.entities, tick_us,
           tick_worst_us, effects);
    fflush(stdout);
    alerts_destroy(fleet.alerts);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        measure(1000, false);
        measure(1000, true);
        measure(1000000, false);
    }
    for (int i = 1; i < argc; i++)
        for (int with = 0; with < 2; with++)
            measure(strtoul(argv[i], NULL, 10), with == 1);
    return EXIT_SUCCESS;
}
