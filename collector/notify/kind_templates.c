// SPDX-License-Identifier: Apache-2.0
/*
 * kind_templates - what the settings describe themselves: requests to providers of text
 * messages and calls, and commands of this machine.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "collector/notify/kinds.h"
#include "collector/notify/template.h"

#define NUMBER_SIZE 32
#define VALUES_MAX  24

struct values {
    struct template_value list[VALUES_MAX];
    size_t count;
    struct buf text;
    struct buf title;
    struct buf to;
    struct buf link;
    char value[NUMBER_SIZE];
    char limit[NUMBER_SIZE];
    char since[CLOCK_ISO_MAX];
};

static void add(struct values *values, const char *name, const char *text)
{
    values->list[values->count++] =
        (struct template_value){name, text != NULL ? text : ""};
}

static void format_number(char text[NUMBER_SIZE], double value)
{
    text[0] = '\0';
    if (isfinite(value))
        snprintf(text, NUMBER_SIZE, "%.1f", value);
}

static void add_parts(struct values *values, const struct channel_message *message)
{
    add(values, "key", message->key);
    add(values, "event", message->event);
    add(values, "incident", message->incident);
    add(values, "rule", message->rule);
    add(values, "kind", message->rule_kind);
    add(values, "severity", message->severity);
    add(values, "org", message->org);
    add(values, "site", message->site);
    add(values, "zone", message->zone);
    add(values, "device", message->device);
    add(values, "quantity", message->quantity);
    format_number(values->value, message->value);
    format_number(values->limit, message->limit);
    if (message->onset_ms != 0)
        clock_format_iso(values->since, message->onset_ms);
    add(values, "value", values->value);
    add(values, "limit", values->limit);
    add(values, "since", values->since);
    add(values, "since_local", message->onset_local);
}

static enum err values_of(struct values *values, const struct config_channel *config,
                          const struct channel_message *message, struct err_text *why)
{
    enum err err = kind_text(config, message, &values->text, why);
    if (err != ERR_OK)
        return err;
    kind_title(config, message, &values->title);
    kind_link(config, message, &values->link);
    for (size_t i = 0; i < kind_to_count(config, message); i++)
        buf_format(&values->to, "%s%s", i > 0 ? "," : "", kind_to(config, message, i));
    add_parts(values, message);
    add(values, "text", values->text.data);
    add(values, "title", values->title.data);
    add(values, "link", values->link.data);
    add(values, "to", values->to.data);
    add(values, "code", message->code);
    add(values, "token", config->token);
    add(values, "secret", config->secret);
    return ERR_OK;
}

static void values_fini(struct values *values)
{
    buf_fini(&values->text);
    buf_fini(&values->title);
    buf_fini(&values->to);
    buf_fini(&values->link);
}

/* ---- providers -------------------------------------------------------------------- */

static enum err add_headers(const struct config_channel *config,
                            const struct values *values, struct channel_request *request,
                            struct err_text *why)
{
    bool is_typed = false;
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < config->header_count; i++) {
        struct buf value = {0};
        err = template_fill(config->headers[i].value, TEMPLATE_PLAIN, values->list,
                            values->count, &value, why);
        is_typed = is_typed || strcasecmp(config->headers[i].name, "Content-Type") == 0;
        if (err == ERR_OK)
            channel_request_header(request, "%s: %s", config->headers[i].name,
                                   value.len > 0 ? value.data : "");
        buf_fini(&value);
    }
    if (err == ERR_OK && !is_typed && config->body != NULL)
        channel_request_header(request, "Content-Type: %s",
                               config->body_type == CHANNEL_BODY_JSON
                                   ? "application/json"
                                   : "application/x-www-form-urlencoded");
    return err;
}

enum err kind_provider_format(const struct config_channel *config,
                              const struct channel_message *message,
                              const struct channel_attempt *attempt,
                              struct channel_request *request, struct err_text *why)
{
    (void)attempt;
    struct values values = {0};
    enum err err = values_of(&values, config, message, why);
    request->method = config->body != NULL ? "POST" : "GET";
    if (err == ERR_OK)
        err = template_fill(config->url, TEMPLATE_URL, values.list, values.count,
                            &request->url, why);
    if (err == ERR_OK)
        err = add_headers(config, &values, request, why);
    if (err == ERR_OK && config->body != NULL)
        err = template_fill(config->body,
                            config->body_type == CHANNEL_BODY_JSON ? TEMPLATE_JSON
                                                                   : TEMPLATE_URL,
                            values.list, values.count, &request->body, why);
    values_fini(&values);
    return err;
}

/* ---- commands --------------------------------------------------------------------- */

enum err kind_command_format(const struct config_channel *config,
                             const struct channel_message *message,
                             const struct channel_attempt *attempt,
                             struct channel_request *request, struct err_text *why)
{
    (void)attempt;
    struct values values = {0};
    enum err err = values_of(&values, config, message, why);
    for (size_t i = 0; err == ERR_OK && i < config->command_count; i++) {
        struct buf argument = {0};
        err = template_fill(config->command[i], TEMPLATE_TEXT, values.list, values.count,
                            &argument, why);
        if (err == ERR_OK)
            channel_request_to(request, argument.len > 0 ? argument.data : "");
        buf_fini(&argument);
    }
    values_fini(&values);
    return err;
}
