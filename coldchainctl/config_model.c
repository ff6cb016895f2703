// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/config_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/tree.h"
#include "base/units.h"
#include "coldchainctl/say.h"
#include "collector/command/verb.h"

#define PAGE        "500"
#define FETCH_TRIES 5

const struct model_kind_row model_kinds[MODEL_KINDS] = {
    [MODEL_ORG] = {"org", "orgs", "org.put"},
    [MODEL_SITE] = {"site", "sites", "site.put"},
    [MODEL_ZONE] = {"zone", "zones", "zone.put"},
    [MODEL_DEVICE] = {"device", "devices", "device.put"},
    [MODEL_CHANNEL] = {"channel", "channels", NULL},
    [MODEL_PLACEMENT] = {"placement", "placements", "placement.put"},
    [MODEL_RULE] = {"rule", "rules", "rule.put"},
};

const char *model_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

void model_fini(struct model *model)
{
    for (int kind = 0; kind < MODEL_KINDS; kind++) {
        json_decref(model->fields[kind]);
        json_decref(model->entities[kind]);
        json_decref(model->versions[kind]);
        json_decref(model->lines[kind]);
    }
    *model = (struct model){0};
}

/* ---- which fields there are ----------------------------------------------------- */

/* Borrowed from the table of verbs; NULL: that collector has no such verb. */
static const json_t *fields_of(const json_t *table, const char *verb)
{
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)table, i, row)
    {
        if (strcmp(model_text(row, "verb"), verb) == 0)
            return json_object_get(row, "fields");
    }
    return NULL;
}

/* A copy without what names the entity itself. */
static json_t *dated_fields(const json_t *fields)
{
    json_t *copy = json_array();
    size_t i;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        const char *name = model_text(field, "name");
        if (strcmp(name, "device") != 0 && strcmp(name, "channel") != 0)
            json_array_append(copy, field);
    }
    return copy;
}

static json_t *channel_fields(const json_t *table)
{
    return json_pack(
        "[{s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s, s:o}, {s:s, s:s, s:s, s:o}]",
        "name", "device", "type", "identifier", "needed", "always", "name", "channel",
        "type", "name", "needed", "always", "name", "calibrations", "type", "records",
        "needed", "optional", "fields",
        dated_fields(fields_of(table, "channel.calibrate")), "name", "probes", "type",
        "records", "needed", "optional", "fields",
        dated_fields(fields_of(table, "probe.swap")));
}

static json_t *device_fields(const json_t *table)
{
    json_t *fields = json_copy((json_t *)(uintptr_t)fields_of(table, "device.put"));
    json_t *more = json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "name", "replaced_by",
                             "type", "identifier", "needed", "optional", "name",
                             "replaced_at", "type", "time", "needed", "optional");
    json_array_extend(fields, more);
    json_decref(more);
    return fields;
}

static enum err take_fields(struct model *model, const json_t *table,
                            struct err_text *why)
{
    for (int kind = 0; kind < MODEL_KINDS; kind++) {
        const char *verb = model_kinds[kind].verb;
        const json_t *fields = verb != NULL ? fields_of(table, verb) : NULL;
        if (verb != NULL && fields == NULL)
            return err_set(why, ERR_UNSUPPORTED, say("that collector knows no '%s'"),
                           verb);
        if (kind == MODEL_CHANNEL)
            model->fields[kind] = channel_fields(table);
        else if (kind == MODEL_DEVICE)
            model->fields[kind] = device_fields(table);
        else
            model->fields[kind] = json_incref((json_t *)(uintptr_t)fields);
    }
    return ERR_OK;
}

static enum err fetch_fields(struct model *model, struct client *client,
                             struct err_text *why)
{
    json_t *table = NULL;
    enum err err = client_get(client, "/api/v1/verbs", &table, why);
    if (err == ERR_OK)
        err = take_fields(model, table, why);
    json_decref(table);
    return err;
}

void model_local(struct model *model)
{
    json_t *table = verb_table();
    struct err_text why = {""};
    *model = (struct model){0};
    if (take_fields(model, table, &why) != ERR_OK)
        log_fatal("the table of verbs lacks one: %s", why.text);
    json_decref(table);
}

/* ---- the normal form --------------------------------------------------------------- */

static json_t *normal(const json_t *fields, const json_t *object)
{
    json_t *body = json_object();
    size_t i;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        const char *name = model_text(field, "name");
        json_t *value = model_normal_value(field, json_object_get(object, name));
        if (value != NULL)
            json_object_set_new(body, name, value);
    }
    return body;
}

static json_t *normal_records(const json_t *field, const json_t *list)
{
    json_t *records = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, i, entry)
    {
        json_array_append_new(records, normal(json_object_get(field, "fields"), entry));
    }
    if (json_array_size(records) > 0)
        return records;
    json_decref(records);
    return NULL;
}

json_t *model_normal_value(const json_t *field, const json_t *value)
{
    const char *type = model_text(field, "type");
    if (strcmp(type, "records") == 0)
        return normal_records(field, value);
    if (json_is_number(value) && strcmp(type, "level") == 0)
        return json_real(json_number_value(value));
    if (strcmp(type, "number") == 0)
        return json_is_number(value) ? json_real(json_number_value(value)) : NULL;
    if (json_is_null(value) || json_is_false(value) ||
        (json_is_string(value) && json_string_length(value) == 0) ||
        (json_is_object(value) && json_object_size(value) == 0) ||
        (json_is_array(value) && json_array_size(value) == 0))
        return NULL;
    return json_incref((json_t *)(uintptr_t)value);
}

static void drop_zero(json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value) && json_integer_value(value) == 0)
        json_object_del(object, key);
}

/* What a rule has when nothing is said, see rule.put. */
void model_drop_defaults(enum model_kind kind, json_t *body)
{
    size_t i;
    json_t *level;
    if (kind != MODEL_RULE)
        return;
    drop_zero(body, "silent");
    if (json_object_get(body, "silent") == NULL ||
        strcmp(model_text(body, "silent_severity"), "warning") == 0)
        json_object_del(body, "silent_severity");
    json_array_foreach(json_object_get(body, "levels"), i, level)
    {
        drop_zero(level, "delay");
        drop_zero(level, "recovery_delay");
        if (strcmp(model_text(level, "severity"), "warning") == 0)
            json_object_del(level, "severity");
        if (json_equal(json_object_get(level, "recovery_level"),
                       json_object_get(level, "level")))
            json_object_del(level, "recovery_level");
    }
}

/* ---- asking ------------------------------------------------------------------------ */

static void add_entity(struct model *model, enum model_kind kind, const json_t *entity)
{
    const char *id = model_text(entity, "id");
    json_t *body = normal(model->fields[kind], entity);
    model_drop_defaults(kind, body);
    json_object_set_new(model->entities[kind], id, body);
    json_object_set(model->versions[kind], id, json_object_get(entity, "version"));
}

static enum err fetch_kind(struct model *model, enum model_kind kind,
                           struct client *client, struct err_text *why)
{
    char *after = NULL;
    enum err err = ERR_OK;
    do {
        struct buf path = {0};
        json_t *page = NULL;
        size_t i;
        json_t *entity;
        buf_format(&path, "/api/v1/entities/%s?limit=" PAGE, model_kinds[kind].name);
        client_param(&path, "after", after);
        err = client_get(client, path.data, &page, why);
        json_array_foreach(json_object_get(page, "entities"), i, entity)
        {
            add_entity(model, kind, entity);
        }
        free(after);
        const char *next = json_string_value(json_object_get(page, "next"));
        after = next != NULL ? strdup(next) : NULL;
        json_decref(page);
        buf_fini(&path);
    } while (err == ERR_OK && after != NULL);
    free(after);
    return err;
}

static enum err fetch_once(struct model *model, struct client *client,
                           struct err_text *why)
{
    enum err err = ERR_OK;
    for (int kind = 0; err == ERR_OK && kind < MODEL_KINDS; kind++) {
        json_decref(model->entities[kind]);
        json_decref(model->versions[kind]);
        model->entities[kind] = json_object();
        model->versions[kind] = json_object();
        err = fetch_kind(model, (enum model_kind)kind, client, why);
    }
    return err;
}

/* Versions grow and never come back: the same ones mean that nothing has changed. */
static bool same_versions(json_t *const *before, const struct model *model)
{
    for (int kind = 0; kind < MODEL_KINDS; kind++)
        if (!json_equal(before[kind], model->versions[kind]))
            return false;
    return true;
}

enum err model_fetch(struct model *model, struct client *client, struct err_text *why)
{
    *model = (struct model){0};
    bool is_settled = false;
    enum err err = fetch_fields(model, client, why);
    if (err == ERR_OK)
        err = fetch_once(model, client, why);
    for (int tries = FETCH_TRIES; err == ERR_OK && !is_settled && tries > 0; tries--) {
        json_t *before[MODEL_KINDS];
        for (int kind = 0; kind < MODEL_KINDS; kind++)
            before[kind] = json_incref(model->versions[kind]);
        err = fetch_once(model, client, why);
        is_settled = err == ERR_OK && same_versions(before, model);
        for (int kind = 0; kind < MODEL_KINDS; kind++)
            json_decref(before[kind]);
    }
    if (err == ERR_OK && !is_settled)
        err = err_set(why, ERR_BUSY, say("it changes all the time; try again later"));
    if (err != ERR_OK)
        model_fini(model);
    return err;
}

/* ---- writing ----------------------------------------------------------------------- */

static void put_scalar(struct buf *out, const json_t *field, const json_t *value)
{
    const char *type = model_text(field, "type");
    char number[NUMBER_SIZE];
    char text[CLOCK_ISO_MAX > UNITS_TEXT_MAX ? CLOCK_ISO_MAX : UNITS_TEXT_MAX];
    int64_t ms = json_integer_value(value);
    if (json_is_boolean(value)) {
        buf_text(out, json_is_true(value) ? "true" : "false");
    } else if (json_is_string(value)) {
        tree_quote(out, json_string_value(value));
    } else if (strcmp(type, "time") == 0) {
        buf_format(out, "\"%s\"", clock_format_iso(text, ms));
    } else if (strcmp(type, "duration") == 0) {
        buf_text(out, units_format_duration(text, ms));
    } else {
        number_format(json_number_value(value), number);
        buf_text(out, number);
    }
}

static void put_fields(struct buf *out, const json_t *fields, const json_t *body,
                       int indent);

static void put_texts(struct buf *out, const json_t *value, int indent)
{
    const char *key;
    json_t *text;
    json_object_foreach((json_t *)(uintptr_t)value, key, text)
    {
        buf_format(out, "%*s", indent, "");
        tree_quote(out, key);
        buf_text(out, ": ");
        tree_quote(out, json_string_value(text));
        buf_text(out, "\n");
    }
}

static void put_list(struct buf *out, const json_t *fields, const json_t *list,
                     int indent)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, i, entry)
    {
        buf_format(out, "%*s- ", indent, "");
        if (json_is_string(entry)) {
            tree_quote(out, json_string_value(entry));
            buf_text(out, "\n");
        } else {
            put_fields(out, fields, entry, indent + 2);
        }
    }
}

/* The first one stands behind the dash. */
static void put_fields(struct buf *out, const json_t *fields, const json_t *body,
                       int indent)
{
    bool is_first = true;
    size_t i;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        const char *name = model_text(field, "name");
        const json_t *value = json_object_get(body, name);
        if (value == NULL)
            continue;
        buf_format(out, "%*s%s:", is_first ? 0 : indent, "", name);
        is_first = false;
        if (json_is_array(value)) {
            buf_text(out, "\n");
            put_list(out, json_object_get(field, "fields"), value, indent + 2);
        } else if (json_is_object(value)) {
            buf_text(out, "\n");
            put_texts(out, value, indent + 2);
        } else {
            buf_text(out, " ");
            put_scalar(out, field, value);
            buf_text(out, "\n");
        }
    }
    if (is_first)
        buf_text(out, "{}\n");
}

void model_write(const struct model *model, struct buf *out)
{
    buf_text(out,
             "# What a coldchain-collector knows of places, devices and rules: "
             "coldchainctl config export.\n"
             "# Change it, look at the difference with 'coldchainctl config import FILE "
             "--dry-run', and import it.\n"
             "# A section that is taken out is left as it is; an entry that is taken out "
             "is archived.\n"
             "coldchain_config: 1\n");
    for (int kind = 0; kind < MODEL_KINDS; kind++) {
        const char *id;
        json_t *body;
        bool is_empty = json_object_size(model->entities[kind]) == 0;
        buf_format(out, "%s:%s\n", model_kinds[kind].section, is_empty ? " []" : "");
        json_object_foreach(model->entities[kind], id, body)
        {
            buf_text(out, "  - ");
            put_fields(out, model->fields[kind], body, 4);
        }
    }
    buf_text(out, "end: true\n");
}

void model_value_text(struct buf *out, const json_t *field, const json_t *value)
{
    if (value == NULL || json_is_null(value)) {
        buf_text(out, "-");
    } else if (json_is_string(value)) {
        buf_text(out, json_string_value(value));
    } else if (json_is_array(value) || json_is_object(value)) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));
        buf_text(out, text != NULL ? text : "?");
        free(text);
    } else {
        put_scalar(out, field, value);
    }
}
