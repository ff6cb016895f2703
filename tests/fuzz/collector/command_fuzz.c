// SPDX-License-Identifier: Apache-2.0
/* A record that is a command is written and read as the same; its body is checked by
 * every verb, and what passes passes again. */
#include "collector/command/command.h"

#include <stdlib.h>
#include <string.h>

#include "collector/command/verb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_by(const struct verb *verb, const json_t *body)
{
    json_t *clean = NULL;
    json_t *again = NULL;
    struct err_text why;
    if (verb_check(verb->fields, body, &clean, &why) != ERR_OK)
        return;
    must(verb_check(verb->fields, clean, &again, &why) == ERR_OK);
    must(json_equal(clean, again));
    json_decref(clean);
    json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command command;
    struct command back;
    struct err_text why;
    if (command_parse(&command, data, size, &why) == ERR_OK) {
        struct buf text = {0};
        for (const struct verb *verb = verbs; verb->name != NULL; verb++)
            check_by(verb, command.body);
        command_format(&command, &text);
        if (text.len <= COMMAND_MAX) {
            must(command_parse(&back, text.data, text.len, &why) == ERR_OK);
            must(strcmp(back.id, command.id) == 0 &&
                 strcmp(back.verb, command.verb) == 0);
            must(json_equal((json_t *)(uintptr_t)back.body,
                            (json_t *)(uintptr_t)command.body));
            command_fini(&back);
        }
        buf_fini(&text);
    }
    command_fini(&command);
    return 0;
}
