// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/people.h"

#include <stdio.h>
#include <string.h>

#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

enum err people_list(struct client *client, const char *what, json_t **list,
                     struct err_text *why)
{
    char after[PEOPLE_ID_SIZE] = "";
    *list = json_array();
    for (;;) {
        struct buf path = {0};
        json_t *page = NULL;
        buf_format(&path, "/api/v1/%s?limit=1000", what);
        client_param(&path, "after", after[0] != '\0' ? after : NULL);
        enum err err = client_get(client, path.data, &page, why);
        buf_fini(&path);
        if (err != ERR_OK) {
            json_decref(*list);
            *list = NULL;
            return err;
        }
        json_array_extend(*list, json_object_get(page, what));
        const char *next = json_string_value(json_object_get(page, "next"));
        snprintf(after, sizeof after, "%s", next != NULL ? next : "");
        json_decref(page);
        if (after[0] == '\0')
            return ERR_OK;
    }
}

enum err people_find(struct client *client, const char *who, char id[PEOPLE_ID_SIZE],
                     struct err_text *why)
{
    json_t *people = NULL;
    size_t i;
    json_t *person;
    id[0] = '\0';
    enum err err = people_list(client, "people", &people, why);
    if (err != ERR_OK)
        return err;
    json_array_foreach(people, i, person)
    {
        if (strcmp(show_text(person, "id"), who) == 0 ||
            strcmp(show_text(person, "login"), who) == 0)
            snprintf(id, PEOPLE_ID_SIZE, "%s", show_text(person, "id"));
    }
    json_decref(people);
    return id[0] != '\0' ? ERR_OK
                         : err_set(why, ERR_NOT_FOUND,
                                   say("there is no person of the id or sign-in name "
                                       "'%.64s'; 'coldchainctl people' lists them"),
                                   who);
}

json_t *people_words(const char *text)
{
    json_t *list = json_array();
    for (text += strspn(text, ", "); *text != '\0'; text += strspn(text, ", ")) {
        size_t len = strcspn(text, ", ");
        json_array_append_new(list, json_stringn(text, len));
        text += len;
    }
    return list;
}
