// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/backtest_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tree.h"
#include "coldchainctl/config_model.h"
#include "coldchainctl/say.h"
#include "collector/pipeline/registry.h"

static void set_default(json_t *level, const char *key, json_t *value)
{
    if (json_object_get(level, key) == NULL)
        json_object_set_new(level, key, value);
    else
        json_decref(value);
}

/* The file leaves out what is usual, the registry holds it: see rule.put. */
static void fill_levels(json_t *body)
{
    size_t i;
    json_t *level;
    json_array_foreach(json_object_get(body, "levels"), i, level)
    {
        set_default(level, "severity", json_string("warning"));
        set_default(level, "delay", json_integer(0));
        set_default(level, "recovery_level",
                    json_incref(json_object_get(level, "level")));
        set_default(level, "recovery_delay", json_integer(0));
    }
}

static int line_of(const struct model *model, enum model_kind kind, const char *id)
{
    return (int)json_integer_value(json_object_get(model->lines[kind], id));
}

static enum err take_rule(struct backtest_rules *rules, const struct model *model,
                          const char *id, json_t *body, struct err_text *why)
{
    struct alert_rule *rule = &rules->rules[rules->count];
    struct err_text said = {""};
    int line = line_of(model, MODEL_RULE, id);
    *rule = (struct alert_rule){.level_count = 0};
    fill_levels(body);
    enum err err = ERR_OK;
    if (!registry_parse_rule(rule, id, body))
        err =
            err_set(&said, ERR_INVALID, say("rule '%s' lacks its zone or its kind"), id);
    if (err == ERR_OK && !alert_rule_names_band(rule)) /* these wait for their zone */
        err = alert_rule_check(rule, &said);
    if (err != ERR_OK)
        return err_set(why, err, "%s:%d: %s", rules->name, line, said.text);
    rules->lines[rules->count++] = line;
    return ERR_OK;
}

static enum err take_rules(struct backtest_rules *rules, const struct model *model,
                           struct err_text *why)
{
    const char *id;
    json_t *body;
    size_t many = json_object_size(model->entities[MODEL_RULE]);
    rules->rules = mem_array(many, sizeof *rules->rules);
    rules->lines = mem_array(many, sizeof *rules->lines);
    json_object_foreach(model->entities[MODEL_RULE], id, body)
    {
        enum err err = take_rule(rules, model, id, body, why);
        if (err != ERR_OK)
            return err;
    }
    return rules->count > 0
               ? ERR_OK
               : err_set(why, ERR_NOT_FOUND,
                         say("%s: there is no rule in it; they stand below 'rules:'"),
                         rules->name);
}

static enum err take_zones(struct backtest_rules *rules, const struct model *model,
                           struct err_text *why)
{
    const char *id;
    json_t *body;
    json_object_foreach(model->entities[MODEL_ZONE], id, body)
    {
        const json_t *low = json_object_get(body, "band_low");
        const json_t *high = json_object_get(body, "band_high");
        if (low != NULL && high != NULL &&
            json_number_value(low) >= json_number_value(high))
            return err_set(why, ERR_INVALID,
                           say("%s:%d: zone '%s': band_low %g is not below band_high %g"),
                           rules->name, line_of(model, MODEL_ZONE, id), id,
                           json_number_value(low), json_number_value(high));
    }
    rules->zones = json_incref(model->entities[MODEL_ZONE]);
    return ERR_OK;
}

enum err backtest_rules_parse(struct backtest_rules *rules, const char *name,
                              const char *text, size_t len, struct err_text *why)
{
    struct model known;
    struct model file = {0};
    *rules = (struct backtest_rules){.name = name};
    model_local(&known);
    enum err err = model_read_part(&file, &known, name, text, len, why);
    if (err == ERR_OK)
        err = take_rules(rules, &file, why);
    if (err == ERR_OK && file.entities[MODEL_ZONE] != NULL)
        err = take_zones(rules, &file, why);
    model_fini(&file);
    model_fini(&known);
    return err;
}

enum err backtest_rules_read(struct backtest_rules *rules, const char *path,
                             struct err_text *why)
{
    struct buf text = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    *rules = (struct backtest_rules){.name = path};
    enum err err = file_read(&text, is_stdin ? "/dev/stdin" : path, TREE_BYTES_MAX, why);
    if (err == ERR_OK)
        err = backtest_rules_parse(rules, is_stdin ? "stdin" : path,
                                   text.data != NULL ? text.data : "", text.len, why);
    buf_fini(&text);
    return err;
}

void backtest_rules_fini(struct backtest_rules *rules)
{
    free(rules->rules);
    free(rules->lines);
    json_decref(rules->zones);
    *rules = (struct backtest_rules){.count = 0};
}

const char *backtest_rules_zone(const struct backtest_rules *rules)
{
    for (size_t i = 1; i < rules->count; i++)
        if (strcmp(rules->rules[i].zone, rules->rules[0].zone) != 0)
            return NULL;
    return rules->count > 0 ? rules->rules[0].zone : NULL;
}

void backtest_rules_move(struct backtest_rules *rules, const char *zone)
{
    const char *was = backtest_rules_zone(rules);
    if (was == NULL || strcmp(was, zone) == 0)
        return;
    json_t *zones = json_object();
    json_t *body = json_object_get(rules->zones, was);
    if (body != NULL)
        json_object_set(zones, zone, body);
    json_decref(rules->zones);
    rules->zones = zones;
    for (size_t i = 0; i < rules->count; i++)
        snprintf(rules->rules[i].zone, sizeof rules->rules[i].zone, "%s", zone);
}

enum err backtest_rules_keep(struct backtest_rules *rules, const char *zone,
                             struct err_text *why)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->rules[i].zone, zone) != 0)
            continue;
        rules->rules[kept] = rules->rules[i];
        rules->lines[kept++] = rules->lines[i];
    }
    rules->count = kept;
    return kept > 0 ? ERR_OK
                    : err_set(why, ERR_NOT_FOUND, say("%s has no rule for zone '%.64s'"),
                              rules->name, zone);
}
