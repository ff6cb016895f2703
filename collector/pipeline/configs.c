// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/configs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/zones.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/doubts.h"
#include "collector/metrics.h"
#include "telemetry/channel.h"
#include "telemetry/topic.h"

/* Looked at before the loop gets its turn. */
#define LOOKS_PER_FLUSH 200
/* For so many, rules are put in order first; for fewer, all are looked through. */
#define LOOKS_WORTH_AN_ORDER 32
/* A device that knows something else so long after it was told is told again. */
#define AGAIN_MS 60000

/* What is kept of one device; the newest count. */
#define HANDLED_MAX (2 * ZONE_RULES_HANDLED_MAX)

struct handled {
    char zone[ID_SIZE];
    struct zone_handled what;
};

struct entry {
    char org[ID_SIZE];
    char device[ID_SIZE];
    uint64_t wanted; /* 0: nothing */
    uint64_t sent;   /* while is_sent */
    int64_t sent_ms;
    bool is_sent; /* in this life, to this broker */
    bool is_queued;
    bool is_renewed;         /* the broker has lost what it kept */
    char *withheld;          /* owned; NULL: nothing */
    struct handled *handled; /* owned; the newest first */
    size_t handled_count;
};

struct configs {
    struct configs_options options; /* fixed after create */
    struct map entries;             /* "org/device" -> struct entry, owned */
    struct entry **queue;           /* borrowed from entries */
    size_t first;
    size_t count; /* with those before `first`, which are done */
    size_t capacity;
    const struct alert_rule **rules; /* of the registry, by zone and id; NULL: look up */
    size_t rule_count;
    bool wants_all;
    bool is_broker_new; /* it knew nothing when we connected */
    struct buf text;
};

struct configs *configs_create(const struct configs_options *options)
{
    assert(options->send != NULL);
    struct configs *configs = mem_alloc(sizeof *configs);
    configs->options = *options;
    configs->wants_all = true;
    return configs;
}

void configs_destroy(struct configs *configs)
{
    if (configs == NULL)
        return;
    for (size_t i = 0; i < configs->entries.count; i++) {
        struct entry *entry = configs->entries.entries[i].value;
        free(entry->withheld);
        free(entry->handled);
        free(entry);
    }
    map_fini(&configs->entries);
    buf_fini(&configs->text);
    free(configs->rules);
    free(configs->queue);
    free(configs);
}

/* ---- what is to be looked at ------------------------------------------------------- */

static void enqueue(struct configs *configs, struct entry *entry)
{
    if (entry->is_queued)
        return;
    entry->is_queued = true;
    mem_grow(&configs->queue, &configs->capacity, configs->count + 1,
             sizeof *configs->queue);
    configs->queue[configs->count++] = entry;
}

static bool is_addressable(const char *org, const char *device)
{
    return id_is_valid(org) && id_is_valid(device) && strcmp(device, "zones") != 0;
}

/* NULL for what can have no topic. */
static struct entry *touch(struct configs *configs, const char *org, const char *device)
{
    char key[DEVICE_KEY_SIZE];
    if (!is_addressable(org, device))
        return NULL;
    void **at = map_at(&configs->entries, device_key(key, org, device));
    if (*at == NULL) {
        struct entry *entry = mem_alloc(sizeof *entry);
        snprintf(entry->org, sizeof entry->org, "%s", org);
        snprintf(entry->device, sizeof entry->device, "%s", device);
        entry->is_renewed = configs->is_broker_new;
        *at = entry;
    }
    enqueue(configs, *at);
    return *at;
}

void configs_touch(struct configs *configs, const char *org, const char *device)
{
    if (configs != NULL)
        touch(configs, org, device);
}

void configs_touch_zone(struct configs *configs, const struct registry *registry,
                        const char *zone)
{
    for (size_t i = 0; configs != NULL && i < registry->placement_count; i++) {
        const struct registry_placement *placement = &registry->placements[i];
        if (strcmp(placement->zone, zone) == 0)
            configs_touch(configs, placement->org, placement->device);
    }
}

void configs_touch_all(struct configs *configs)
{
    if (configs != NULL)
        configs->wants_all = true;
}

void configs_rules_changed(struct configs *configs)
{
    if (configs == NULL)
        return;
    free(configs->rules);
    configs->rules = NULL;
}

/* Who is declared, and who was told something. */
static void enqueue_all(struct configs *configs, const struct registry *registry)
{
    for (size_t i = 0; i < registry->device_count; i++)
        configs_touch(configs, registry->devices[i].org, registry->devices[i].id);
    for (size_t i = 0; i < configs->entries.count; i++)
        enqueue(configs, configs->entries.entries[i].value);
    configs->wants_all = false;
}

void configs_connected(struct configs *configs, bool session_present)
{
    if (configs == NULL)
        return;
    configs->is_broker_new = !session_present;
    for (size_t i = 0; i < configs->entries.count; i++) {
        struct entry *entry = configs->entries.entries[i].value;
        /* What was on its way is forgotten; what is known is not sent again. */
        entry->is_sent = false;
        entry->is_renewed |= !session_present;
        enqueue(configs, entry);
    }
}

void configs_reported(struct configs *configs, const struct device *device,
                      bool is_refusing, int64_t real_ms)
{
    if (configs == NULL)
        return;
    struct entry *entry = touch(configs, device->org, device->id);
    if (entry == NULL || (entry->is_sent && real_ms - entry->sent_ms < AGAIN_MS))
        return; /* it is on its way */
    if (is_refusing || device->config_version != entry->sent)
        entry->is_sent = false;
    entry->is_renewed |= is_refusing;
}

/* ---- what people did -----------------------------------------------------------------
 */

static size_t find_handled(const struct entry *entry, const char *incident)
{
    size_t i = 0;
    while (i < entry->handled_count &&
           strcmp(entry->handled[i].what.incident, incident) != 0)
        i++;
    return i;
}

static void remove_handled(struct entry *entry, size_t index)
{
    assert(index < entry->handled_count);
    entry->handled_count--;
    memmove(&entry->handled[index], &entry->handled[index + 1],
            (entry->handled_count - index) * sizeof *entry->handled);
}

static bool is_newer(const struct zone_handled *one, const struct zone_handled *other)
{
    if (one->at_ms != other->at_ms)
        return one->at_ms > other->at_ms;
    return strcmp(one->incident, other->incident) < 0;
}

static void insert_handled(struct entry *entry, const char *zone,
                           const struct zone_handled *what)
{
    size_t at = 0;
    if (entry->handled == NULL)
        entry->handled = mem_array(HANDLED_MAX, sizeof *entry->handled);
    while (at < entry->handled_count && is_newer(&entry->handled[at].what, what))
        at++;
    if (at == HANDLED_MAX)
        return;
    if (entry->handled_count == HANDLED_MAX)
        entry->handled_count--;
    assert(entry->handled_count < HANDLED_MAX && at <= entry->handled_count);
    memmove(&entry->handled[at + 1], &entry->handled[at],
            (entry->handled_count - at) * sizeof *entry->handled);
    entry->handled_count++;
    entry->handled[at] = (struct handled){.what = *what};
    snprintf(entry->handled[at].zone, sizeof entry->handled[at].zone, "%s", zone);
}

void configs_handled(struct configs *configs, const char *org, const char *device,
                     const char *zone, const char *incident,
                     const struct zone_handled *handled)
{
    struct entry *entry = configs != NULL ? touch(configs, org, device) : NULL;
    if (entry == NULL)
        return;
    size_t at = find_handled(entry, incident);
    if (at < entry->handled_count)
        remove_handled(entry, at);
    if (handled != NULL)
        insert_handled(entry, zone, handled);
}

static bool has_passed(const struct zone_handled *handled, int64_t now_ms)
{
    if (handled->quiet_until_ms != 0)
        return handled->quiet_until_ms <= now_ms;
    return handled->at_ms + CONFIGS_CLOSED_MS <= now_ms;
}

static void add_handled(struct zone_config *zone, const struct entry *entry,
                        int64_t now_ms)
{
    for (size_t i = 0; i < entry->handled_count; i++) {
        const struct handled *handled = &entry->handled[i];
        if (strcmp(handled->zone, zone->zone) == 0 &&
            !has_passed(&handled->what, now_ms) &&
            zone->handled_count < ZONE_RULES_HANDLED_MAX)
            *zone_config_add_handled(zone) = handled->what;
    }
}

/* ---- what a device is to know ------------------------------------------------------ */

static bool is_in_force(const struct registry_placement *placement, int64_t now_ms)
{
    return placement->from_ms <= now_ms &&
           (placement->to_ms == 0 || now_ms < placement->to_ms);
}

/* The first placement that is not before the device's. */
static size_t first_placement(const struct registry *registry, const char *org,
                              const char *device)
{
    size_t low = 0;
    size_t high = registry->placement_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct registry_placement *at = &registry->placements[middle];
        int order = strcmp(at->org, org);
        if (order == 0)
            order = strcmp(at->device, device);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct zone_config *zone_of(struct zone_rules *rules, const char *id)
{
    for (size_t i = 0; i < rules->zone_count; i++)
        if (strcmp(rules->zones[i].zone, id) == 0)
            return &rules->zones[i];
    return NULL;
}

/* What is over is of no use to a device; its readings of then were judged. */
static void add_spans(struct zone_config *zone, const struct registry *registry,
                      int64_t now_ms)
{
    size_t count;
    const struct registry_span *spans = registry_spans(registry, zone->zone, &count);
    static_assert(REGISTRY_SPANS_MAX <= ZONE_RULES_SPANS_MAX, "all of them fit");
    for (size_t i = 0; i < count; i++) {
        if (spans[i].to_ms <= now_ms)
            continue;
        struct zone_span *span = zone_config_add_span(zone);
        snprintf(span->reason, sizeof span->reason, "%s",
                 alert_reason_name(spans[i].reason));
        span->from_ms = spans[i].from_ms;
        span->to_ms = spans[i].to_ms;
        span->low = spans[i].low;
        span->high = spans[i].high;
    }
}

static void tell_room(struct zone_config *to, const struct registry_zone *zone)
{
    to->tau_ms = zone->tau_ms;
    to->tau_least_ms = zone->tau_least_ms;
    to->tau_most_ms = zone->tau_most_ms;
    to->defrost_every_ms = zone->defrost_every_ms;
    to->defrost_first_ms = zone->defrost_first_ms;
    to->defrost_most_ms = zone->defrost_most_ms;
    to->door_most_ms = zone->door_most_ms;
    to->recovery_most_ms = zone->recovery_most_ms;
    static_assert(ALERT_LOADS_MAX <= ZONE_RULES_LOADS_MAX, "all of them fit");
    to->load_count = zone->load_count;
    for (size_t i = 0; i < zone->load_count; i++)
        to->loads[i] = (struct zone_load){.from_ms = zone->loads[i].from_ms,
                                          .entry_C = zone->loads[i].entry_C};
}

static void add_placed(struct zone_rules *rules, const struct registry *registry,
                       const struct registry_placement *placement, int64_t now_ms)
{
    struct channel channel;
    const struct registry_zone *zone = registry_zone(registry, placement->zone);
    bool is_whole = placement->channel[0] == '\0';
    if (zone == NULL ||
        (!is_whole && channel_parse(&channel, placement->channel) != ERR_OK))
        return;
    struct zone_config *config = zone_of(rules, zone->id);
    /* placements of the whole device come first: its zone takes the rest */
    if (config != NULL && config->channel_count == 0)
        return;
    if (config == NULL) {
        config = zone_rules_add_zone(rules, zone->id);
        config->is_on_duty = !zone->is_off_duty && !zone->is_archived;
        config->low = zone->band_low;
        config->high = zone->band_high;
        if (zone->is_described)
            tell_room(config, zone);
        add_spans(config, registry, now_ms);
    }
    if (!is_whole)
        zone_config_add_channel(config, placement->channel);
}

void configs_zones(const struct registry *registry, const char *org, const char *device,
                   int64_t now_ms, struct zone_rules *rules)
{
    *rules = (struct zone_rules){0};
    if (!registry_has_device(registry, org, device))
        return;
    for (size_t i = first_placement(registry, org, device); i < registry->placement_count;
         i++) {
        const struct registry_placement *placement = &registry->placements[i];
        if (strcmp(placement->org, org) != 0 || strcmp(placement->device, device) != 0)
            return;
        if (is_in_force(placement, now_ms))
            add_placed(rules, registry, placement, now_ms);
    }
}

static int compare_rules(const void *left, const void *right)
{
    const struct alert_rule *a = *(const struct alert_rule *const *)left;
    const struct alert_rule *b = *(const struct alert_rule *const *)right;
    int order = strcmp(a->zone, b->zone);
    return order != 0 ? order : strcmp(a->id, b->id);
}

static void look_up_rules(struct configs *configs, const struct registry *registry)
{
    if (configs->rules != NULL)
        return;
    configs->rule_count = registry->rule_count;
    configs->rules = mem_array(registry->rule_count + 1, sizeof *configs->rules);
    for (size_t i = 0; i < registry->rule_count; i++)
        configs->rules[i] = &registry->rules[i];
    qsort(configs->rules, configs->rule_count, sizeof *configs->rules, compare_rules);
}

static void copy_conditions(struct zone_rule *to, const struct alert_rule *from)
{
    static_assert(ALERT_REASON_COUNT <= ZONE_RULES_REASONS_MAX, "every reason fits");
    to->limit = from->limit;
    to->window_ms = from->window_ms;
    to->is_safety = from->is_safety;
    /* To itself a device is never silent: all its probes may be. */
    unsigned unless = from->unless & ~(1u << ALERT_REASON_DEVICE_SILENT);
    for (unsigned i = 0; i < ALERT_REASON_COUNT; i++)
        if ((unless & 1u << i) != 0)
            snprintf(to->unless[to->unless_count++], ZONE_RULES_WORD_SIZE, "%s",
                     alert_reason_name((enum alert_reason)i));
}

static void copy_rule(struct zone_rule *to, const struct alert_rule *from)
{
    snprintf(to->id, sizeof to->id, "%s", from->id);
    snprintf(to->kind, sizeof to->kind, "%s", alert_kind_name(from->kind));
    snprintf(to->quantity, sizeof to->quantity, "%s", from->quantity);
    static_assert(ALERT_LEVELS_MAX <= ZONE_RULES_LEVELS_MAX, "every rule fits");
    assert(from->level_count <= ALERT_LEVELS_MAX);
    for (size_t i = 0; i < from->level_count; i++) {
        const struct alert_level *level = &from->levels[i];
        struct zone_level *copy = &to->levels[to->level_count++];
        copy->level = level->level;
        copy->delay_ms = level->delay_ms;
        copy->recovery_level = level->recovery_level;
        copy->recovery_delay_ms = level->recovery_delay_ms;
        snprintf(copy->severity, sizeof copy->severity, "%s",
                 alert_severity_name(level->severity));
    }
    to->silent_ms = from->silent_ms;
    if (from->silent_ms != 0 || from->silent_severity != ALERT_WARNING)
        snprintf(to->silent_severity, sizeof to->silent_severity, "%s",
                 alert_severity_name(from->silent_severity));
    copy_conditions(to, from);
}

/* Dates, whether a zone is empty and how long its goods last are the collector's own.
 * What the goods are like is told when it is asked for. */
static void add_rule(const struct registry *registry, struct zone_config *zone,
                     const struct alert_rule *rule)
{
    const struct registry_zone *known = registry_zone(registry, zone->zone);
    if (alert_kind_is_date(rule->kind) || rule->kind == ALERT_GOODS_LEFT ||
        rule->kind == ALERT_LIFE_LEFT || !registry_has_numbers(rule))
        return;
    copy_rule(zone_config_add_rule(zone), rule);
    if (known != NULL && doubt_is_derived(rule->quantity))
        tell_room(zone, known);
}

/* Both ways in the order of the ids. */
static void add_rules(const struct configs *configs, const struct registry *registry,
                      struct zone_config *zone)
{
    if (configs->rules == NULL) {
        for (size_t i = 0; i < registry->rule_count; i++)
            if (strcmp(registry->rules[i].zone, zone->zone) == 0)
                add_rule(registry, zone, &registry->rules[i]);
        return;
    }
    size_t low = 0;
    size_t high = configs->rule_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(configs->rules[middle]->zone, zone->zone) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (;
         low < configs->rule_count && strcmp(configs->rules[low]->zone, zone->zone) == 0;
         low++)
        add_rule(registry, zone, configs->rules[low]);
}

static const struct device *device_of(const struct map *devices,
                                      const struct entry *entry)
{
    char key[DEVICE_KEY_SIZE];
    return map_get(devices, device_key(key, entry->org, entry->device));
}

/* Until a device says that it passes over what it does not know, it is told nothing that
 * it may not: it would refuse all the rest, too. */
static void withhold(struct entry *entry, const struct device *device,
                     struct zone_rules *rules)
{
    struct zone_notes notes = {0};
    struct buf words = {0};
    if (device == NULL || device->config_form < ZONE_RULES_FORM)
        zone_rules_withhold(rules, &notes);
    zone_notes_format(&notes, &words);
    free(entry->withheld);
    entry->withheld = notes.unknown_count > 0 ? mem_strdup(words.data) : NULL;
    buf_fini(&words);
}

/* What people did gives way where all that is to be said is too long. */
static enum err seal(struct zone_rules *rules, struct err_text *why)
{
    enum err err = zone_rules_seal(rules, why);
    if (err != ERR_LIMIT)
        return err;
    for (size_t i = 0; i < rules->zone_count; i++)
        rules->zones[i].handled_count = 0;
    return zone_rules_seal(rules, why);
}

/* The message in configs->text, "" for none. False when it cannot be said. */
static bool make(struct configs *configs, const struct registry *registry,
                 const struct map *devices, struct entry *entry, int64_t now_ms,
                 uint64_t *version)
{
    struct zone_rules rules;
    struct err_text why;
    enum err err = ERR_OK;
    configs_zones(registry, entry->org, entry->device, now_ms, &rules);
    buf_clear(&configs->text);
    if (rules.zone_count > 0 && configs->count - configs->first >= LOOKS_WORTH_AN_ORDER)
        look_up_rules(configs, registry);
    for (size_t i = 0; i < rules.zone_count; i++) {
        add_rules(configs, registry, &rules.zones[i]);
        add_handled(&rules.zones[i], entry, now_ms);
    }
    withhold(entry, device_of(devices, entry), &rules);
    if (rules.zone_count > 0)
        err = seal(&rules, &why);
    if (err != ERR_OK)
        log_error("a device cannot be told its zones' rules device=%s/%s reason=\"%s\"",
                  entry->org, entry->device, why.text);
    else if (rules.zone_count > 0)
        zone_rules_format(&rules, &configs->text);
    *version = rules.version;
    zone_rules_fini(&rules);
    return err == ERR_OK;
}

/* ---- sending ----------------------------------------------------------------------- */

static uint64_t known_by(const struct map *devices, const struct entry *entry)
{
    const struct device *device = device_of(devices, entry);
    return device != NULL ? device->config_version : 0;
}

static bool is_due(const struct entry *entry, uint64_t known)
{
    if (entry->is_sent)
        return entry->sent != entry->wanted;
    return entry->wanted != known || (entry->is_renewed && entry->wanted != 0);
}

/* False when it cannot be sent now. */
static bool send_one(struct configs *configs, struct entry *entry, int64_t real_ms)
{
    struct topic topic = {.kind = TOPIC_CONFIG};
    char text[TOPIC_MAX];
    memcpy(topic.org, entry->org, sizeof topic.org);
    memcpy(topic.device, entry->device, sizeof topic.device);
    if (!configs->options.send(configs->options.context, topic_format(&topic, text),
                               configs->text.data, configs->text.len))
        return false;
    entry->is_sent = true;
    entry->sent = entry->wanted;
    entry->sent_ms = real_ms;
    entry->is_renewed = false;
    metric_add(METRIC_CONFIGS, 1);
    return true;
}

static bool serve(struct configs *configs, const struct registry *registry,
                  const struct map *devices, struct entry *entry, int64_t now_ms,
                  int64_t real_ms)
{
    uint64_t version;
    if (!make(configs, registry, devices, entry, now_ms, &version))
        return true; /* what it knows stays */
    entry->wanted = version;
    if (!is_due(entry, known_by(devices, entry))) {
        entry->is_renewed = false;
        return true;
    }
    return send_one(configs, entry, real_ms);
}

void configs_flush(struct configs *configs, const struct registry *registry,
                   const struct map *devices, int64_t now_ms, int64_t real_ms)
{
    if (configs == NULL)
        return;
    assert(configs->first <= configs->count);
    if (configs->wants_all)
        enqueue_all(configs, registry);
    for (int looks = LOOKS_PER_FLUSH; looks > 0 && configs->first < configs->count;
         looks--) {
        struct entry *entry = configs->queue[configs->first];
        assert(entry->is_queued);
        if (!serve(configs, registry, devices, entry, now_ms, real_ms))
            return;
        entry->is_queued = false;
        configs->first++;
    }
    if (configs->first == configs->count)
        configs->first = configs->count = 0;
}

static const struct entry *entry_of(const struct configs *configs, const char *org,
                                    const char *device)
{
    char key[DEVICE_KEY_SIZE];
    return configs != NULL ? map_get(&configs->entries, device_key(key, org, device))
                           : NULL;
}

uint64_t configs_wanted(const struct configs *configs, const char *org,
                        const char *device)
{
    const struct entry *entry = entry_of(configs, org, device);
    return entry != NULL ? entry->wanted : 0;
}

const char *configs_withheld(const struct configs *configs, const char *org,
                             const char *device)
{
    const struct entry *entry = entry_of(configs, org, device);
    return entry != NULL && entry->withheld != NULL ? entry->withheld : "";
}
