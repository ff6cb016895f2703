// SPDX-License-Identifier: Apache-2.0
/*
 * table - what is told of the table of verbs.
 */
#include <assert.h>
#include <string.h>

#include "collector/command/verb.h"

const struct verb *verb_find(const char *name)
{
    for (const struct verb *verb = verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

const char *field_type_name(enum field_type type)
{
    static const char *const names[] = {
#define X(name, text) [FIELD_##name] = (text),
        FIELD_TYPE_LIST(X)
#undef X
    };
    return names[type];
}

const char *verb_role_name(enum verb_role role)
{
    static const char *const names[] = {
        [VERB_OPERATOR] = "operator",
        [VERB_ADMIN] = "admin",
        [VERB_MANAGER] = "manager",
        [VERB_ROUTE] = "route",
    };
    return names[role];
}

static json_t *fields_table(const struct field *fields)
{
    static const char *const needs[] = {"optional", "new", "always"};
    json_t *list = json_array();
    for (; fields->name != NULL; fields++) {
        json_t *entry =
            json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", fields->name, "type",
                      field_type_name(fields->type), "needed", needs[fields->need],
                      "help", fields->help, "help_zh", fields->help_zh);
        assert(entry != NULL);
        if (fields->least != 0 || fields->most != 0) {
            json_object_set_new(entry, "least", json_real(fields->least));
            json_object_set_new(entry, "most", json_real(fields->most));
        }
        for (const char *const *word = fields->words; word != NULL && *word != NULL;
             word++) {
            if (word == fields->words)
                json_object_set_new(entry, "words", json_array());
            json_array_append_new(json_object_get(entry, "words"), json_string(*word));
        }
        if (fields->is_private)
            json_object_set_new(entry, "private", json_true());
        if (fields->record != NULL)
            json_object_set_new(entry, "fields", fields_table(fields->record));
        json_array_append_new(list, entry);
    }
    return list;
}

json_t *verb_table(void)
{
    json_t *list = json_array();
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        json_t *entry = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "verb", verb->name, "role",
            verb_role_name(verb->role), "kind", verb->kind, "help", verb->help, "help_zh",
            verb->help_zh, "example", json_loads(verb->example, 0, NULL), "fields",
            fields_table(verb->fields));
        assert(entry != NULL);
        json_array_append_new(list, entry);
    }
    return list;
}
