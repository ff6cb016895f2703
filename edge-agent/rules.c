// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "telemetry/channel.h"

static void say_notes(const struct zone_notes *notes)
{
    for (size_t i = 0; i < notes->unknown_count; i++)
        log_warn("this version is older than the zones' settings unknown=%s",
                 notes->unknown[i]);
    if (notes->left_out > 0)
        log_warn("rules are left out for what they need rules=%llu",
                 (unsigned long long)notes->left_out);
}

struct zone_notes rules_notes(const struct rules *rules)
{
    struct zone_notes all = rules->in_force.notes;
    zone_notes_join(&all, &rules->unjudged);
    return all;
}

static void load(struct rules *rules)
{
    struct buf text = {0};
    struct err_text why = {""};
    if (access(rules->path, F_OK) != 0)
        return;
    enum err err = file_read(&text, rules->path, ZONE_RULES_BYTES_MAX, &why);
    if (err == ERR_OK)
        err = zone_rules_parse(&rules->in_force, text.data, text.len, &why);
    if (err == ERR_OK)
        log_info("zone rules in force version=%016llx zones=%zu",
                 (unsigned long long)rules->in_force.version, rules->in_force.zone_count);
    say_notes(&rules->in_force.notes);
    if (err != ERR_OK)
        log_warn("kept zone rules cannot be read, the settings' bands hold path=%s "
                 "reason=\"%s\"",
                 rules->path, why.text);
    buf_fini(&text);
}

void rules_init(struct rules *rules, const char *dir)
{
    *rules = (struct rules){.path = mem_format("%s/%s", dir, RULES_FILE)};
    load(rules);
    rules->is_saved = rules->in_force.version != 0;
}

void rules_fini(struct rules *rules)
{
    zone_rules_fini(&rules->in_force);
    free(rules->path);
    *rules = (struct rules){0};
}

/* What cannot be kept holds all the same: the next connect brings it again. */
static void note_saved(struct rules *rules, enum err err, const struct err_text *why)
{
    rules->is_saved = err == ERR_OK;
    if (err != ERR_OK)
        log_warn("zone rules are in force but not kept reason=\"%s\"", why->text);
}

static bool refuse(struct rules *rules, const struct err_text *why)
{
    rules->refused++;
    rules->why = *why;
    log_warn("zone rules refused, version=%016llx stays in force reason=\"%s\"",
             (unsigned long long)rules->in_force.version, why->text);
    return true;
}

static bool drop(struct rules *rules)
{
    struct err_text why = {""};
    bool had_any = rules->in_force.version != 0;
    bool had_trouble = rules->why.text[0] != '\0';
    rules->why = (struct err_text){""};
    if (!had_any)
        return had_trouble;
    zone_rules_fini(&rules->in_force);
    note_saved(rules, file_remove(rules->path, &why), &why);
    rules->taken++;
    log_info("no zone rules any more, the settings' bands hold");
    return true;
}

bool rules_take(struct rules *rules, const void *data, size_t len)
{
    struct zone_rules next;
    struct err_text why = {""};
    if (len == 0)
        return drop(rules);
    if (zone_rules_parse(&next, data, len, &why) != ERR_OK)
        return refuse(rules, &why);
    bool is_new = next.version != rules->in_force.version;
    bool had_trouble = rules->why.text[0] != '\0';
    rules->why = (struct err_text){""};
    zone_rules_fini(&rules->in_force);
    rules->in_force = next;
    if (is_new || !rules->is_saved)
        note_saved(rules, file_replace(rules->path, data, len, &why), &why);
    if (!is_new)
        return had_trouble;
    rules->taken++;
    log_info("zone rules in force version=%016llx zones=%zu",
             (unsigned long long)next.version, next.zone_count);
    say_notes(&next.notes);
    return true;
}

bool rules_band(const struct rules *rules, const struct settings *settings,
                const char *name, double *low, double *high)
{
    struct channel channel;
    const struct zone_config *zone = zone_rules_zone(&rules->in_force, name);
    if (zone != NULL && !zone->is_on_duty)
        return false;
    if (zone != NULL && channel_parse(&channel, name) == ERR_OK &&
        zone_config_band(zone, channel.quantity, low, high))
        return true;
    return settings_band(settings, name, low, high);
}
