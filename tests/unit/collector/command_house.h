// SPDX-License-Identifier: Apache-2.0
/*
 * command_house - a real state.db, commands that are applied to it, and places to begin
 * with.
 */
#ifndef COLDCHAIN_TESTS_UNIT_COLLECTOR_COMMAND_HOUSE_H
#define COLDCHAIN_TESTS_UNIT_COLLECTOR_COMMAND_HOUSE_H

#include <inttypes.h>
#include <string.h>

#include "collector/command/change.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define NOW INT64_C(1790000000000)

struct house {
    struct folder folder;
    struct state *state;
    uint64_t position;
};

static inline void house_open(struct house *house)
{
    struct err_text why = {0};
    *house = (struct house){0};
    folder_make(&house->folder);
    if (state_open(&house->state, folder_file(&house->folder, "state.db"), &why) !=
        ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
}

static inline void house_close(struct house *house)
{
    state_close(house->state);
    folder_remove(&house->folder);
}

/* The sentence in `why`; the answer in *result, when that is wanted. */
static inline enum err run_as(struct house *house, const char *org, const char *id,
                              const char *verb, int64_t if_version, const char *body,
                              struct err_text *why, char **result)
{
    struct outcome outcome = {0};
    json_t *json = json_loads(body, 0, NULL);
    const struct command command = {.id = id,
                                    .verb = verb,
                                    .actor = "wang",
                                    .org = org,
                                    .reason = "so",
                                    .if_version = if_version,
                                    .body = json};
    CHECK_ROW(body, json != NULL);
    CHECK(state_begin(house->state) == ERR_OK);
    enum err err =
        command_apply(house->state, &command, ++house->position, NOW, &outcome);
    CHECK_ROW(body, err == ERR_OK);
    CHECK(state_commit(house->state) == ERR_OK);
    *why = outcome.why;
    if (result != NULL)
        *result = strdup(outcome.result);
    err = outcome.err;
    outcome_fini(&outcome);
    json_decref(json);
    return err;
}

static inline enum err run(struct house *house, const char *verb, const char *body,
                           struct err_text *why)
{
    char id[32];
    snprintf(id, sizeof id, "c%" PRIu64, house->position);
    return run_as(house, "", id, verb, COMMAND_ANY, body, why, NULL);
}

/* Organisations o and p; in o the store s with rooms a and b, and the van v. */
static inline void furnish(struct house *house)
{
    static const char *const rows[][2] = {
        {"org.put", "{\"id\":\"o\"}"},
        {"org.put", "{\"id\":\"p\"}"},
        {"site.put", "{\"id\":\"s\",\"org\":\"o\",\"tier\":\"hub\"}"},
        {"site.put", "{\"id\":\"v\",\"org\":\"o\",\"tier\":\"vehicle\"}"},
        {"site.put", "{\"id\":\"t\",\"org\":\"p\"}"},
        {"zone.put", "{\"id\":\"a\",\"site\":\"s\"}"},
        {"zone.put", "{\"id\":\"b\",\"site\":\"s\"}"},
        {"zone.put", "{\"id\":\"box\",\"site\":\"v\"}"},
        {"zone.put", "{\"id\":\"theirs\",\"site\":\"t\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why;
        CHECK_ROW(rows[i][1], run(house, rows[i][0], rows[i][1], &why) == ERR_OK);
    }
}

#endif
