// SPDX-License-Identifier: Apache-2.0
/*
 * private - what is about people in a body, and the body without it.
 */
#include <assert.h>
#include <string.h>

#include "collector/command/verb.h"

/* What a body says in its place: the names of the fields that were given. */
#define MARK "private"

bool verb_is_of_people(const struct verb *verb)
{
    return verb->role == VERB_MANAGER || verb->role == VERB_ROUTE;
}

json_t *verb_hide(const struct verb *verb, json_t *body)
{
    json_t *hidden = json_object();
    json_t *names = json_array();
    for (const struct field *field = verb->fields; field->name != NULL; field++) {
        json_t *value = json_object_get(body, field->name);
        if (!field->is_private || value == NULL)
            continue;
        json_object_set(hidden, field->name, value);
        json_object_del(body, field->name);
        json_array_append_new(names, json_string(field->name));
    }
    if (json_array_size(names) > 0) {
        json_object_set_new(body, MARK, names);
        return hidden;
    }
    json_decref(names);
    json_decref(hidden);
    return NULL;
}

enum err verb_reveal(const json_t *body, const json_t *hidden, json_t **whole,
                     struct err_text *why)
{
    const json_t *names = json_object_get(body, MARK);
    json_t *made = json_deep_copy(body);
    assert(made != NULL);
    json_object_del(made, MARK);
    *whole = NULL;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        json_t *value = name != NULL ? json_object_get(hidden, name) : NULL;
        if (value == NULL) {
            json_decref(made);
            return err_set(why, ERR_NOT_FOUND,
                           "what was said about the person is not kept any more; ask "
                           "again");
        }
        json_object_set(made, name, value);
    }
    *whole = made;
    return ERR_OK;
}
