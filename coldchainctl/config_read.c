// SPDX-License-Identifier: Apache-2.0
/*
 * config_read - the file of config_model.h, read field by field as the collector will.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/tree.h"
#include "coldchainctl/config_model.h"
#include "coldchainctl/config_scalar.h"
#include "coldchainctl/say.h"
#include "collector/config.h"
#include "telemetry/reading.h"

#define FORMAT     "1"
#define KEY_FORMAT "coldchain_config"
#define KEY_END    "end"

struct source {
    const char *name;
    struct err_text *why;
};

static enum err refuse(const struct source *source, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum err refuse(const struct source *source, int line, const char *fmt, ...)
{
    char text[480];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(source->why, ERR_INVALID, "%s:%d: %s", source->name, line, text);
}

/* ---- values ------------------------------------------------------------------------ */

static enum err read_scalar(const struct source *source, const json_t *field,
                            const struct tree *node, json_t **value)
{
    char text[SCALAR_WHY_SIZE];
    *value = scalar_take(field, node, text);
    return *value != NULL ? ERR_OK : refuse(source, node->line, "%s", text);
}

static enum err read_texts(const struct source *source, const json_t *field,
                           const struct tree *node, json_t **value)
{
    *value = NULL;
    if (node->kind != TREE_MAP)
        return refuse(source, node->line, say("'%s' is not a map of texts"),
                      model_text(field, "name"));
    json_t *texts = json_object();
    for (size_t i = 0; i < node->count; i++) {
        const struct tree *item = &node->items[i];
        if (item->kind != TREE_TEXT || !id_is_valid(item->key)) {
            json_decref(texts);
            return refuse(source, item->line,
                          say("'%.60s' is not an identifier with a text"), item->key);
        }
        json_object_set_new(texts, item->key, json_string(item->text));
    }
    *value = texts;
    return ERR_OK;
}

/* What an entry is told by. */
static const char *first_field(const json_t *fields)
{
    size_t i;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        if (strcmp(model_text(field, "needed"), "always") == 0)
            return model_text(field, "name");
    }
    return model_text(json_array_get(fields, 0), "name");
}

static enum err read_map(const struct source *source, const json_t *fields,
                         const struct tree *node, json_t **result);

static enum err read_records(const struct source *source, const json_t *field,
                             const struct tree *node, json_t **value)
{
    double most = json_number_value(json_object_get(field, "most"));
    const char *name = model_text(field, "name");
    *value = NULL;
    if (node->kind != TREE_LIST)
        return refuse(source, node->line,
                      say("'%s' is a list: write it as '%s: [{%s: ...}, ...]'"), name,
                      name, first_field(json_object_get(field, "fields")));
    if (most > 0 && (double)node->count > most)
        return refuse(source, node->items[(size_t)most].line,
                      say("'%s' takes at most %g entries, not %zu"), name, most,
                      node->count);
    json_t *list = json_array();
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < node->count; i++) {
        json_t *entry = NULL;
        err = read_map(source, json_object_get(field, "fields"), &node->items[i], &entry);
        json_array_append_new(list, entry);
    }
    if (err == ERR_OK)
        *value = list;
    else
        json_decref(list);
    return err;
}

/* A list of words or of identifiers. */
static enum err read_list(const struct source *source, const json_t *field,
                          const struct tree *node, json_t **value)
{
    char text[SCALAR_WHY_SIZE];
    *value = NULL;
    if (node->kind != TREE_LIST)
        return refuse(source, node->line,
                      say("'%s' is a list: write it in brackets, such as [%.60s]"),
                      model_text(field, "name"),
                      node->kind == TREE_TEXT ? node->text : "");
    json_t *list = json_array();
    for (size_t i = 0; i < node->count; i++) {
        json_t *one = scalar_take(field, &node->items[i], text);
        if (one == NULL) {
            json_decref(list);
            return refuse(source, node->items[i].line, "%s", text);
        }
        json_array_append_new(list, one);
    }
    *value = list;
    return ERR_OK;
}

static bool is_list(const char *type)
{
    return strcmp(type, "words") == 0 || strcmp(type, "identifiers") == 0;
}

static enum err read_value(const struct source *source, const json_t *field,
                           const struct tree *node, json_t *body)
{
    json_t *value;
    const char *type = model_text(field, "type");
    if (node->kind == TREE_TEXT && node->text[0] == '\0' &&
        strcmp(model_text(field, "needed"), "optional") == 0)
        return ERR_OK; /* nothing is said */
    enum err err = strcmp(type, "records") == 0
                       ? read_records(source, field, node, &value)
                   : strcmp(type, "texts") == 0 ? read_texts(source, field, node, &value)
                   : is_list(type)              ? read_list(source, field, node, &value)
                                   : read_scalar(source, field, node, &value);
    if (err != ERR_OK)
        return err;
    json_t *kept = model_normal_value(field, value);
    if (kept != NULL)
        json_object_set_new(body, model_text(field, "name"), kept);
    json_decref(value);
    return ERR_OK;
}

static const json_t *field_of(const json_t *fields, const char *name)
{
    size_t i;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        if (strcmp(model_text(field, "name"), name) == 0)
            return field;
    }
    return NULL;
}

/* A settings file of the collector calls some of them otherwise; both are understood. */
static const json_t *field_called(const json_t *fields, const char *name)
{
    static const struct {
        const char *said;
        const char *name;
    } others[] = {{"recovery", "recovery_level"},
                  {"silent_after", "silent"},
                  {"severity", "silent_severity"}};
    const json_t *field = field_of(fields, name);
    for (size_t i = 0; field == NULL && i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i].said, name) == 0)
            field = field_of(fields, others[i].name);
    return field;
}

static enum err refuse_unknown(const struct source *source, const json_t *fields,
                               const struct tree *item)
{
    struct names_near near;
    size_t i;
    json_t *field;
    if (item->key[strspn(item->key, "0123456789")] == '\0')
        return refuse(
            source, item->line,
            say("'%.60s' is not known here; decimals have a point, such as 8.5"),
            item->key);
    names_near_init(&near, item->key);
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        const char *name = model_text(field, "name");
        names_near_offer(&near, name, strlen(name));
    }
    if (near.best != NULL)
        return refuse(source, item->line,
                      say("'%.60s' is not known here; did you mean '%.*s'?"), item->key,
                      (int)near.best_len, near.best);
    struct buf names = {0};
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        buf_format(&names, "%s%s", i > 0 ? ", " : "", model_text(field, "name"));
    }
    enum err err =
        refuse(source, item->line, say("'%.60s' is not known here; there are: %.300s"),
               item->key, names.data);
    buf_fini(&names);
    return err;
}

static enum err read_map(const struct source *source, const json_t *fields,
                         const struct tree *node, json_t **result)
{
    *result = NULL;
    if (node->kind != TREE_MAP)
        return refuse(source, node->line,
                      say("an entry has named fields: write it as '- {%s: ...}'"),
                      first_field(fields));
    json_t *body = json_object();
    enum err err = ERR_OK;
    size_t i;
    json_t *field;
    for (size_t k = 0; err == ERR_OK && k < node->count; k++) {
        const struct tree *item = &node->items[k];
        const json_t *known = field_called(fields, item->key);
        err = known != NULL ? read_value(source, known, item, body)
                            : refuse_unknown(source, fields, item);
    }
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        const char *name = model_text(field, "name");
        bool is_needed = strcmp(model_text(field, "needed"), "optional") != 0;
        if (err == ERR_OK && is_needed && json_object_get(body, name) == NULL)
            err =
                refuse(source, node->line, say("'%s' is missing: %s"), name,
                       model_text(field, say_language() == SAY_ZH ? "help_zh" : "help"));
    }
    if (err == ERR_OK)
        *result = body;
    else
        json_decref(body);
    return err;
}

/* ---- entities ---------------------------------------------------------------------- */

/* The placement of that device and channel that began then. */
static const char *known_placement(const struct model *state, const json_t *body)
{
    static const char *const names[] = {"device", "channel", "from"};
    const char *id;
    json_t *other;
    json_object_foreach(state->entities[MODEL_PLACEMENT], id, other)
    {
        size_t same = 0;
        for (size_t i = 0; i < 3; i++) {
            json_t *a = json_object_get(body, names[i]);
            json_t *b = json_object_get(other, names[i]);
            same += a == b || (a != NULL && b != NULL && json_equal(a, b));
        }
        if (same == 3)
            return id;
    }
    return NULL;
}

static void place_id(const struct model *state, json_t *body, struct buf *id)
{
    const char *own = model_text(body, "id");
    if (json_object_get(state->entities[MODEL_PLACEMENT], own) == NULL) {
        const char *known = known_placement(state, body);
        if (known != NULL)
            json_object_set_new(body, "id", json_string(known));
    }
    own = model_text(body, "id");
    if (own[0] != '\0')
        buf_text(id, own);
    else
        buf_format(id, "%s %s %lld", model_text(body, "device"),
                   model_text(body, "channel"),
                   (long long)json_integer_value(json_object_get(body, "from")));
}

/* As in a settings file; silence without a quantity is that of all channels. */
static void fill_quantity(json_t *body)
{
    enum alert_kind kind;
    if (json_object_get(body, "quantity") != NULL ||
        !alert_kind_parse(&kind, model_text(body, "kind")) || kind == ALERT_SILENT)
        return;
    const char *usual = config_usual_quantity(kind);
    if (usual[0] != '\0')
        json_object_set_new(body, "quantity", json_string(usual));
}

static enum err keep_entity(struct model *model, const struct model *state,
                            enum model_kind kind, const struct source *source,
                            const struct tree *node, json_t *body)
{
    struct buf id = {0};
    enum err err = ERR_OK;
    if (kind == MODEL_CHANNEL)
        buf_format(&id, "%s/%s", model_text(body, "device"), model_text(body, "channel"));
    else if (kind == MODEL_PLACEMENT)
        place_id(state, body, &id);
    else
        buf_text(&id, model_text(body, "id"));
    if (kind == MODEL_RULE)
        fill_quantity(body);
    model_drop_defaults(kind, body);
    const json_t *line = json_object_get(model->lines[kind], id.data);
    if (kind == MODEL_PLACEMENT && json_object_get(body, "from") == NULL)
        err =
            refuse(source, node->line, say("'from' is missing: since when it is there"));
    else if (line != NULL)
        err = refuse(source, node->line, say("%s '%s' stands in line %lld already"),
                     say_word(model_kinds[kind].name), id.data,
                     (long long)json_integer_value(line));
    if (err == ERR_OK) {
        json_object_set(model->entities[kind], id.data, body);
        json_object_set_new(model->lines[kind], id.data, json_integer(node->line));
    }
    buf_fini(&id);
    return err;
}

static enum err read_section(struct model *model, const struct model *state,
                             enum model_kind kind, const struct source *source,
                             const struct tree *list)
{
    enum err err = ERR_OK;
    if (list->kind != TREE_LIST)
        return refuse(source, list->line,
                      say("'%s' is not a list; write '%s: []' for none"), list->key,
                      list->key);
    model->entities[kind] = json_object();
    model->lines[kind] = json_object();
    for (size_t i = 0; err == ERR_OK && i < list->count; i++) {
        json_t *body;
        err = read_map(source, state->fields[kind], &list->items[i], &body);
        if (err == ERR_OK)
            err = keep_entity(model, state, kind, source, &list->items[i], body);
        json_decref(body);
    }
    return err;
}

/* ---- what names what --------------------------------------------------------------- */

static const struct {
    enum model_kind kind;
    const char *field;
    enum model_kind to;
} references[] = {
    {MODEL_SITE, "org", MODEL_ORG},        {MODEL_DEVICE, "org", MODEL_ORG},
    {MODEL_ZONE, "site", MODEL_SITE},      {MODEL_CHANNEL, "device", MODEL_DEVICE},
    {MODEL_PLACEMENT, "zone", MODEL_ZONE}, {MODEL_PLACEMENT, "device", MODEL_DEVICE},
    {MODEL_RULE, "zone", MODEL_ZONE},
};

static enum err check_references(const struct model *model, const struct model *state,
                                 const struct source *source)
{
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        enum model_kind kind = references[i].kind;
        enum model_kind to = references[i].to;
        const char *id;
        json_t *body;
        json_object_foreach(model->entities[kind], id, body)
        {
            const char *name = model_text(body, references[i].field);
            if (json_object_get(model->entities[to], name) == NULL &&
                json_object_get(state->entities[to], name) == NULL)
                return refuse(
                    source,
                    (int)json_integer_value(json_object_get(model->lines[kind], id)),
                    say("%s '%s' names %s '%s', which there is not"),
                    model_kinds[kind].name, id, model_kinds[to].name, name);
        }
    }
    return ERR_OK;
}

/* ---- the file ---------------------------------------------------------------------- */

/* Of files that are taken for one of these. */
static const char *const daemon_keys[] = {"org", "mqtt",   "broker", "data_dir",
                                          "api", "device", "sensors"};

static enum err refuse_section(const struct source *source, const struct tree *item)
{
    struct names_near near;
    names_near_init(&near, item->key);
    for (int kind = 0; kind < MODEL_KINDS; kind++)
        names_near_offer(&near, model_kinds[kind].section,
                         strlen(model_kinds[kind].section));
    if (near.best != NULL)
        return refuse(source, item->line,
                      say("'%.60s' is not known here; did you mean '%.*s'?"), item->key,
                      (int)near.best_len, near.best);
    return refuse(
        source, item->line,
        say("'%.60s' is not known here; there are: orgs, sites, zones, devices, "
            "channels, placements, rules"),
        item->key);
}

static enum err read_top(struct model *model, const struct model *state,
                         const struct source *source, const struct tree *item)
{
    for (int kind = 0; kind < MODEL_KINDS; kind++)
        if (strcmp(model_kinds[kind].section, item->key) == 0)
            return read_section(model, state, (enum model_kind)kind, source, item);
    if (strcmp(item->key, KEY_FORMAT) == 0 || strcmp(item->key, KEY_END) == 0)
        return ERR_OK;
    for (size_t i = 0; i < sizeof daemon_keys / sizeof daemon_keys[0]; i++)
        if (strcmp(item->key, daemon_keys[i]) == 0)
            return refuse(source, item->line,
                          say("this is a daemon's own configuration; what a collector "
                              "knows of places and rules comes by 'coldchainctl config "
                              "export FILE'"));
    return refuse_section(source, item);
}

static bool says(const struct tree *root, const char *key, const char *text)
{
    const struct tree *item = tree_get(root, key);
    return item != NULL && item->kind == TREE_TEXT && strcmp(item->text, text) == 0;
}

static int last_line(const char *text, size_t len)
{
    int line = 1;
    for (size_t i = 0; i + 1 < len; i++)
        line += text[i] == '\n';
    return line;
}

/* Zones may be those of another file, unless it is the whole of a configuration. */
static enum err read_file(struct model *model, const struct model *state,
                          const struct source *source, const char *text, size_t len,
                          bool is_whole)
{
    struct tree *root;
    *model = (struct model){0};
    enum err err = tree_parse(&root, source->name, text, len, source->why);
    if (err != ERR_OK)
        return err;
    if (root->kind != TREE_MAP || (is_whole && !says(root, KEY_FORMAT, FORMAT)))
        err = refuse(source, root->line,
                     is_whole ? say("this is no such file: it says 'coldchain_config: 1'")
                              : say("this is no list of rules: it begins with 'rules:'"));
    else if (is_whole && !says(root, KEY_END, "true"))
        err = refuse(source, last_line(text, len),
                     say("the file is cut: its last line is 'end: true'"));
    for (size_t i = 0; err == ERR_OK && i < root->count; i++)
        err = read_top(model, state, source, &root->items[i]);
    if (err == ERR_OK && is_whole)
        err = check_references(model, state, source);
    tree_destroy(root);
    if (err != ERR_OK)
        model_fini(model);
    return err;
}

enum err model_read(struct model *model, const struct model *state, const char *name,
                    const char *text, size_t len, struct err_text *why)
{
    const struct source source = {.name = name, .why = why};
    return read_file(model, state, &source, text, len, true);
}

enum err model_read_part(struct model *model, const struct model *state, const char *name,
                         const char *text, size_t len, struct err_text *why)
{
    const struct source source = {.name = name, .why = why};
    return read_file(model, state, &source, text, len, false);
}
