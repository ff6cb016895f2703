// SPDX-License-Identifier: Apache-2.0
#include "collector/command/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/utf8.h"

static const char *text_of(const json_t *root, const char *key)
{
    return json_string_value(json_object_get(root, key));
}

static bool is_key(const char *id)
{
    size_t len = id != NULL ? strlen(id) : 0;
    if (len == 0 || len > COMMAND_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (id[i] <= ' ' || id[i] > '~')
            return false;
    return true;
}

/* Before there were verbs: {"verb":"acknowledge","incident":"..."}. */
static void read_old_form(struct command *command)
{
    const char *incident = text_of(command->root, "incident");
    if (command->body != NULL || incident == NULL || command->verb == NULL ||
        strcmp(command->verb, "acknowledge") != 0)
        return;
    json_object_set_new(command->root, "body", json_pack("{s:s}", "id", incident));
    command->verb = "incident.acknowledge";
    command->body = json_object_get(command->root, "body");
}

static enum err check(const struct command *command, struct err_text *why)
{
    if (!is_key(command->id))
        return err_set(why, ERR_INVALID,
                       "a command needs an 'id' of 1 to %d printable characters",
                       COMMAND_ID_MAX);
    if (command->verb == NULL)
        return err_set(why, ERR_INVALID, "a command needs a 'verb', such as zone.put");
    if (command->actor == NULL || !id_is_valid(command->actor))
        return err_set(why, ERR_INVALID, "a command needs an 'actor': who wants it");
    if (strlen(command->reason) > COMMAND_REASON_MAX)
        return err_set(why, ERR_INVALID, "'reason' is longer than %d bytes",
                       COMMAND_REASON_MAX);
    if (strlen(command->via) > COMMAND_VIA_MAX)
        return err_set(why, ERR_INVALID, "'via' is longer than %d bytes",
                       COMMAND_VIA_MAX);
    if (!json_is_object(command->body))
        return err_set(why, ERR_INVALID, "a command needs a 'body': a JSON object");
    return ERR_OK;
}

enum err command_parse(struct command *command, const void *data, size_t len,
                       struct err_text *why)
{
    *command =
        (struct command){.org = "", .reason = "", .via = "", .if_version = COMMAND_ANY};
    if (len > COMMAND_MAX)
        return err_set(why, ERR_INVALID, "a command has at most %zu bytes", COMMAND_MAX);
    json_error_t error;
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
    command->root = root;
    if (!json_is_object(root))
        return err_set(why, ERR_INVALID, "a command is a JSON object: %s", error.text);
    command->id = text_of(root, "id");
    command->verb = text_of(root, "verb");
    command->actor = text_of(root, "actor");
    command->body = json_object_get(root, "body");
    if (text_of(root, "reason") != NULL)
        command->reason = text_of(root, "reason");
    if (text_of(root, "via") != NULL)
        command->via = text_of(root, "via");
    if (text_of(root, "org") != NULL)
        command->org = text_of(root, "org");
    const json_t *version = json_object_get(root, "if_version");
    if (json_is_integer(version))
        command->if_version = json_integer_value(version);
    command->at_ms = json_integer_value(json_object_get(root, "at"));
    read_old_form(command);
    return check(command, why);
}

void command_fini(struct command *command)
{
    json_decref(command->root);
    command->root = NULL;
}

void command_format(const struct command *command, struct buf *out)
{
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:O}", "id", command->id, "verb",
                  command->verb, "actor", command->actor, "reason", command->reason, "at",
                  (json_int_t)command->at_ms, "body", (json_t *)(uintptr_t)command->body);
    assert(root != NULL);
    if (command->if_version != COMMAND_ANY)
        json_object_set_new(root, "if_version", json_integer(command->if_version));
    if (command->org[0] != '\0')
        json_object_set_new(root, "org", json_string(command->org));
    if (command->via != NULL && command->via[0] != '\0')
        json_object_set_new(root, "via", json_string(command->via));
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(root);
}

void command_draw_id(char id[COMMAND_RANDOM_SIZE])
{
    uint8_t random[COMMAND_RANDOM_SIZE / 2];
    crypto_random(random, sizeof random);
    crypto_hex(id, random, sizeof random);
}
