// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/config_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coldchainctl/say.h"
#include "coldchainctl/table.h"

/* When a command can be applied: what it needs is there, what it ends is not needed. */
enum phase {
    PHASE_RESTORE, /* what is brought back from the archive */
    PHASE_PUT,     /* by kind: organisations first */
    PHASE_END = PHASE_PUT + MODEL_KINDS,
    PHASE_PLACE,
    PHASE_REPLACE,
    PHASE_DELETE_RULE,
    PHASE_RULE,
    PHASE_ARCHIVE_ZONE,
    PHASE_ARCHIVE_SITE,
    PHASE_ARCHIVE_DEVICE,
    PHASES,
};

struct making {
    const struct model *state;
    const struct model *file;
    const char *name;
    int64_t now_ms;
    json_t *changes;
    json_t *phases[PHASES]; /* commands */
    struct err_text *why;
};

/* One entity, in both. */
struct pair {
    enum model_kind kind;
    const char *id;
    const json_t *old; /* NULL: it is new */
    const json_t *new; /* NULL: it is not in the file */
    json_int_t line;   /* 0: not in the file */
};

static void command(struct making *making, const struct pair *pair, int phase,
                    const char *verb, json_t *body)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:o, s:I}", "kind", model_kinds[pair->kind].name, "id",
                  pair->id, "verb", verb, "body", body, "line", pair->line);
    assert(entry != NULL);
    json_array_append_new(making->phases[phase], entry);
}

static json_t *or_null(const json_t *value)
{
    return value != NULL ? json_incref((json_t *)(uintptr_t)value) : json_null();
}

static void add_field(json_t *fields, const char *name, const json_t *old,
                      const json_t *new)
{
    json_array_append_new(fields, json_pack("{s:s, s:o, s:o}", "field", name, "old",
                                            or_null(old), "new", or_null(new)));
}

/* Takes `fields`; none: nothing is different. */
static void change(struct making *making, const struct pair *pair, const char *what,
                   json_t *fields)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:I, s:o}", "kind", model_kinds[pair->kind].name, "id",
                  pair->id, "change", what, "line", pair->line, "fields", fields);
    assert(entry != NULL);
    json_array_append_new(making->changes, entry);
}

static enum err refuse(struct making *making, const struct pair *pair, const char *what)
{
    return err_set(making->why, ERR_INVALID, "%.200s:%lld: %s '%.100s' %.200s",
                   making->name, (long long)pair->line,
                   say_word(model_kinds[pair->kind].name), pair->id, what);
}

static bool same(const json_t *a, const json_t *b)
{
    return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

/* ---- what a file leaves out -------------------------------------------------------- */

static bool is_archived(const json_t *body)
{
    return json_is_true(json_object_get(body, "archived"));
}

static int archive_phase(enum model_kind kind)
{
    return kind == MODEL_ZONE   ? PHASE_ARCHIVE_ZONE
           : kind == MODEL_SITE ? PHASE_ARCHIVE_SITE
                                : PHASE_ARCHIVE_DEVICE;
}

static void archive(struct making *making, const struct pair *pair, bool is_on)
{
    char verb[40];
    snprintf(verb, sizeof verb, "%s.archive", model_kinds[pair->kind].name);
    command(making, pair, is_on ? archive_phase(pair->kind) : PHASE_RESTORE, verb,
            json_pack("{s:s, s:b}", "id", pair->id, "archived", is_on));
}

static void leave_out(struct making *making, const struct pair *pair)
{
    json_t *fields = json_array();
    const json_t *to = json_object_get(pair->old, "to");
    json_t *yes = json_true();
    switch (pair->kind) {
    case MODEL_SITE:
    case MODEL_ZONE:
    case MODEL_DEVICE:
        if (is_archived(pair->old))
            break;
        add_field(fields, "archived", NULL, yes);
        change(making, pair, "archived", fields);
        archive(making, pair, true);
        return;
    case MODEL_RULE:
        change(making, pair, "deleted", fields);
        command(making, pair, PHASE_DELETE_RULE, "rule.delete",
                json_pack("{s:s}", "id", pair->id));
        return;
    case MODEL_PLACEMENT:
        if (to != NULL && json_integer_value(to) <= making->now_ms)
            break;
        change(making, pair, "ended", fields);
        command(making, pair, PHASE_END, "placement.end",
                json_pack("{s:s}", "id", pair->id));
        return;
    case MODEL_ORG:
    case MODEL_CHANNEL:
    case MODEL_KINDS:
        break;
    }
    json_decref(fields);
}

/* ---- organisations, sites, zones, devices, rules: one put -------------------------- */

static bool is_put(const char *field)
{
    return strcmp(field, "archived") != 0 && strcmp(field, "replaced_by") != 0 &&
           strcmp(field, "replaced_at") != 0;
}

/* What happened is not undone by a file that does not speak of it. */
static bool is_said(const struct pair *pair, const char *field)
{
    return is_put(field) || strcmp(field, "archived") == 0 ||
           json_object_get(pair->new, field) != NULL;
}

/* The fields that differ; those of a put in `body`. */
static json_t *differences(struct making *making, const struct pair *pair, json_t *body)
{
    json_t *fields = json_array();
    size_t i;
    json_t *field;
    json_array_foreach(making->state->fields[pair->kind], i, field)
    {
        const char *name = model_text(field, "name");
        const json_t *old = json_object_get(pair->old, name);
        const json_t *new = json_object_get(pair->new, name);
        if (same(old, new) || !is_said(pair, name))
            continue;
        add_field(fields, name, old, new);
        if (is_put(name))
            json_object_set_new(body, name, or_null(new));
    }
    return fields;
}

static const char *word_of(const struct pair *pair)
{
    bool was = is_archived(pair->old);
    bool is = is_archived(pair->new);
    if (pair->old == NULL)
        return "added";
    if (was != is)
        return is ? "archived" : "restored";
    return "changed";
}

static enum err replace(struct making *making, const struct pair *pair)
{
    const json_t *by = json_object_get(pair->new, "replaced_by");
    const json_t *at = json_object_get(pair->new, "replaced_at");
    if (pair->kind != MODEL_DEVICE || by == NULL ||
        (same(by, json_object_get(pair->old, "replaced_by")) &&
         same(at, json_object_get(pair->old, "replaced_at"))))
        return ERR_OK;
    if (json_object_get(pair->old, "replaced_by") != NULL)
        return refuse(making, pair, say("was replaced before, which stays as it is"));
    if (at == NULL)
        return refuse(making, pair, say("has no 'replaced_at': when it was replaced"));
    command(making, pair, PHASE_REPLACE, "device.replace",
            json_pack("{s:s, s:O, s:O}", "id", pair->id, "by", by, "at", at));
    return ERR_OK;
}

static enum err put(struct making *making, const struct pair *pair)
{
    json_t *body = json_object();
    json_t *fields = differences(making, pair, body);
    bool has_put = json_object_size(body) > 0;
    if (json_array_size(fields) == 0) {
        json_decref(body);
        json_decref(fields);
        return ERR_OK;
    }
    change(making, pair, word_of(pair), fields);
    if (is_archived(pair->old) && !is_archived(pair->new))
        archive(making, pair, false);
    if (!is_archived(pair->old) && is_archived(pair->new))
        archive(making, pair, true);
    json_object_set_new(body, "id", json_string(pair->id));
    if (has_put)
        command(making, pair,
                pair->kind == MODEL_RULE ? PHASE_RULE : PHASE_PUT + (int)pair->kind,
                model_kinds[pair->kind].verb, body);
    else
        json_decref(body);
    return replace(making, pair);
}

/* ---- channels: what is dated is added ---------------------------------------------- */

static const json_t *of_date(const json_t *list, const json_t *from)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, i, entry)
    {
        if (same(json_object_get(entry, "from"), from))
            return entry;
    }
    return NULL;
}

static enum err add_dated(struct making *making, const struct pair *pair,
                          const char *list, const char *verb, json_t *fields)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(pair->new, list), i, entry)
    {
        const json_t *from = json_object_get(entry, "from");
        if (from == NULL)
            return refuse(making, pair, say("has an entry without 'from'"));
        const json_t *old = of_date(json_object_get(pair->old, list), from);
        if (same(old, entry))
            continue;
        add_field(fields, list, old, entry);
        json_t *body = json_copy(entry);
        json_object_set(body, "device", json_object_get(pair->new, "device"));
        json_object_set(body, "channel", json_object_get(pair->new, "channel"));
        command(making, pair, PHASE_PUT + MODEL_CHANNEL, verb, body);
    }
    return ERR_OK;
}

static enum err put_channel(struct making *making, const struct pair *pair)
{
    json_t *fields = json_array();
    enum err err = add_dated(making, pair, "calibrations", "channel.calibrate", fields);
    if (err == ERR_OK)
        err = add_dated(making, pair, "probes", "probe.swap", fields);
    if (err == ERR_OK && json_array_size(fields) > 0)
        change(making, pair, pair->old == NULL ? "added" : "changed", fields);
    else
        json_decref(fields);
    return err;
}

/* ---- placements -------------------------------------------------------------------- */

static json_int_t bound(const json_t *body, const char *name, json_int_t open)
{
    const json_t *value = json_object_get(body, name);
    return value != NULL ? json_integer_value(value) : open;
}

/* It takes less time than before, so it is no one's way. */
static bool shrinks(const struct pair *pair)
{
    return same(json_object_get(pair->old, "zone"), json_object_get(pair->new, "zone")) &&
           bound(pair->new, "from", 0) >= bound(pair->old, "from", 0) &&
           bound(pair->new, "to", INT64_MAX) <= bound(pair->old, "to", INT64_MAX);
}

static enum err correct(struct making *making, const struct pair *pair, json_t *fields)
{
    static const char *const names[] = {"zone", "from", "to"};
    json_t *body = json_pack("{s:s}", "id", pair->id);
    for (size_t i = 0; i < 3; i++) {
        const json_t *new = json_object_get(pair->new, names[i]);
        if (!same(json_object_get(pair->old, names[i]), new))
            json_object_set_new(body, names[i], or_null(new));
    }
    change(making, pair, "changed", fields);
    command(making, pair, shrinks(pair) ? PHASE_END : PHASE_PLACE, "placement.correct",
            body);
    return ERR_OK;
}

static enum err put_placement(struct making *making, const struct pair *pair)
{
    json_t *body = json_object();
    json_t *fields = differences(making, pair, body);
    enum err err = ERR_OK;
    if (json_array_size(fields) == 0) {
        json_decref(fields);
    } else if (pair->old == NULL) {
        change(making, pair, "added", fields);
        command(making, pair, PHASE_PLACE, "placement.put", json_incref(body));
    } else if (json_object_get(body, "device") != NULL ||
               json_object_get(body, "channel") != NULL) {
        json_decref(fields);
        err = refuse(
            making, pair,
            say("is of another device or channel; give the new one an id of its own"));
    } else {
        err = correct(making, pair, fields);
    }
    json_decref(body);
    return err;
}

/* ---- all of it --------------------------------------------------------------------- */

static enum err take_pair(struct making *making, const struct pair *pair)
{
    if (pair->new == NULL) {
        leave_out(making, pair);
        return ERR_OK;
    }
    if (pair->kind == MODEL_CHANNEL)
        return put_channel(making, pair);
    return pair->kind == MODEL_PLACEMENT ? put_placement(making, pair)
                                         : put(making, pair);
}

static enum err take_kind(struct making *making, enum model_kind kind)
{
    const char *id;
    json_t *body;
    enum err err = ERR_OK;
    json_object_foreach(making->file->entities[kind], id, body)
    {
        const struct pair pair = {
            .kind = kind,
            .id = id,
            .old = json_object_get(making->state->entities[kind], id),
            .new = body,
            .line = json_integer_value(json_object_get(making->file->lines[kind], id)),
        };
        err = take_pair(making, &pair);
        if (err != ERR_OK)
            return err;
    }
    json_object_foreach(making->state->entities[kind], id, body)
    {
        const struct pair pair = {.kind = kind, .id = id, .old = body};
        if (json_object_get(making->file->entities[kind], id) == NULL)
            leave_out(making, &pair);
    }
    return err;
}

enum err plan_make(struct plan *plan, const struct model *state, const struct model *file,
                   const char *name, int64_t now_ms, struct err_text *why)
{
    struct making making = {
        .state = state, .file = file, .name = name, .now_ms = now_ms, .why = why};
    enum err err = ERR_OK;
    making.changes = json_array();
    for (int i = 0; i < PHASES; i++)
        making.phases[i] = json_array();
    for (int kind = 0; err == ERR_OK && kind < MODEL_KINDS; kind++)
        if (file->entities[kind] != NULL)
            err = take_kind(&making, (enum model_kind)kind);
    *plan = (struct plan){.changes = making.changes, .commands = json_array()};
    for (int i = 0; i < PHASES; i++) {
        json_array_extend(plan->commands, making.phases[i]);
        json_decref(making.phases[i]);
    }
    if (err != ERR_OK)
        plan_fini(plan);
    return err;
}

void plan_fini(struct plan *plan)
{
    json_decref(plan->changes);
    json_decref(plan->commands);
    *plan = (struct plan){0};
}

/* ---- showing ----------------------------------------------------------------------- */

static const json_t *field_named(const struct model *state, const char *kind,
                                 const char *name)
{
    size_t i;
    json_t *field;
    for (int k = 0; k < MODEL_KINDS; k++) {
        if (strcmp(model_kinds[k].name, kind) != 0)
            continue;
        json_array_foreach(state->fields[k], i, field)
        {
            if (strcmp(model_text(field, "name"), name) == 0)
                return field;
        }
    }
    return NULL;
}

static void value_cell(struct table *table, const json_t *field, const json_t *value)
{
    struct buf text = {0};
    model_value_text(&text, field, value);
    table_cell(table, "%s", text.data);
    buf_fini(&text);
}

static void change_rows(struct table *table, const struct model *state,
                        const json_t *change)
{
    const json_t *fields = json_object_get(change, "fields");
    size_t count = json_array_size(fields);
    for (size_t i = 0; i < (count > 0 ? count : 1); i++) {
        const json_t *one = json_array_get(fields, i);
        const json_t *field =
            field_named(state, model_text(change, "kind"), model_text(one, "field"));
        table_cell(table, "%s", i == 0 ? say_word(model_text(change, "change")) : "");
        table_cell(table, "%s", i == 0 ? say_word(model_text(change, "kind")) : "");
        table_cell(table, "%s", i == 0 ? model_text(change, "id") : "");
        table_cell(table, "%s", one != NULL ? model_text(one, "field") : "");
        value_cell(table, field, json_object_get(one, "old"));
        value_cell(table, field, json_object_get(one, "new"));
    }
}

void plan_print(const struct plan *plan, const struct model *state, FILE *out)
{
    struct table table = {.headings = {"CHANGE", "KIND", "ID", "FIELD", "OLD", "NEW"}};
    size_t i;
    json_t *entry;
    json_array_foreach(plan->changes, i, entry)
    {
        change_rows(&table, state, entry);
    }
    table_print(&table, out);
    table_fini(&table);
}
