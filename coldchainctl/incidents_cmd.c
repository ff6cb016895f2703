// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/incident_course.h"
#include "coldchainctl/incident_harm.h"
#include "coldchainctl/incident_measure.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

#define FACT_COLUMNS 14
#define ID_LEN       32
#define ID_SHOWN     12
#define ID_LEAST     6
#define RESOLVE_ROWS "1000"

struct incidents_args {
    struct client_args client;
    const char *state;
    const char *zone;
    const char *from;
    const char *to;
    const char *cursor;
    const char *reason;
    const char *to_whom;
    const char *from_whom;
    const char *text;
    const char *span;
    const char *cause;
    const char *action;
    const char *disposition;
    double limit;
    bool wants_json;
    bool wants_withdrawn;
};

#define FIELD(option, kind, field, what, name_of, about) \
    { \
        .name = option, .type = kind, .offset = offsetof(struct incidents_args, field), \
        .value = what, .arg = name_of, .help = about \
    }

static const struct option options[] = {
    CLIENT_OPTIONS(struct incidents_args, client),
    FIELD("state", OPTION_TEXT, state, "open,recovering,unknown,closed", "LIST",
          "of open, recovering, unknown, closed, joined by commas"),
    FIELD("zone", OPTION_TEXT, zone, "a zone", "ZONE", "of this zone only"),
    FIELD("from", OPTION_TEXT, from, "a time", "T",
          "that touch the time from here: 2026-11-23T08:00:00Z, or 6h for ago"),
    FIELD("to", OPTION_TEXT, to, "a time", "T", "that touch the time before"),
    FIELD("cursor", OPTION_TEXT, cursor, "what the page before said", "C",
          "the page that follows, as the one before said"),
    FIELD("reason", OPTION_TEXT, reason, "a text", "TEXT", "kept with what is done"),
    FIELD("whose", OPTION_TEXT, to_whom, "an id", "ID", "assign: whose it is to be"),
    FIELD("instead-of", OPTION_TEXT, from_whom, "an id", "ID",
          "assign: whose it is, to take it over"),
    FIELD("text", OPTION_TEXT, text, "a text", "TEXT",
          "comment: what is to be said; close: in words of one's own"),
    FIELD("for", OPTION_TEXT, span, "1h, 4h or 8h", "SPAN", "snooze: how long"),
    FIELD("cause", OPTION_TEXT, cause, "a word", "WORD",
          "close: why it came to this; list: members of the cause with that id"),
    FIELD("action", OPTION_TEXT, action, "a word", "WORD", "close: what was done"),
    FIELD("disposition", OPTION_TEXT, disposition, "a word", "WORD",
          "close: what became of the product"),
    {.name = "limit",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct incidents_args, limit),
     .least = 1,
     .most = 1000,
     .value = "a number of incidents",
     .arg = "N",
     .help = "at most so many (100; up to 1000)"},
    FIELD("withdrawn", OPTION_FLAG, wants_withdrawn, NULL, NULL,
          "also those that turned out never to have been"),
    FIELD("json", OPTION_FLAG, wants_json, NULL, NULL, "the API's answer"),
    {.name = NULL},
};

/* ---- list -------------------------------------------------------------------------- */

/* People were told of it, and nobody has taken or closed it. */
static bool is_unanswered(const json_t *incident)
{
    return !json_is_true(json_object_get(incident, "acknowledged")) &&
           !json_is_false(json_object_get(incident, "told")) &&
           !json_is_object(json_object_get(incident, "closing"));
}

static void list_row(struct table *table, const json_t *incident)
{
    char text[SHOW_SIZE];
    bool is_closed = strcmp(show_text(incident, "state"), "closed") == 0;
    bool is_taken = json_is_true(json_object_get(incident, "acknowledged"));
    bool is_needed = is_unanswered(incident);
    table_cell(table, "%.*s", ID_SHOWN, show_text(incident, "id"));
    table_cell(table, "%s", show_word(incident, "severity", NULL));
    table_cell(table, "%s", show_word(incident, "state", NULL));
    table_cell(table, "%s",
               is_needed  ? say("NEEDED")
               : is_taken ? show_text(incident, "acknowledged_by")
                          : "-");
    if (is_needed)
        table_alarm(table);
    table_cell(table, "%s", show_text(incident, "zone"));
    table_cell(table, "%s", show_text(incident, "rule"));
    table_cell(table, "%s",
               incident_measure(text, incident, is_closed ? "worst" : "value"));
    table_cell(table, "%s", incident_measure(text, incident, "limit"));
    table_cell(table, "%s", show_time(text, incident, "onset"));
    table_cell(table, "%s", show_time(text, incident, "closed"));
}

static void print_list(const json_t *answer)
{
    struct table table = {.headings = {"ID", "SEVERITY", "STATE", "TAKEN BY", "ZONE",
                                       "RULE", ">VALUE", ">LIMIT", "SINCE", "CLOSED"}};
    size_t i;
    json_t *incident;
    json_array_foreach(json_object_get(answer, "incidents"), i, incident)
        list_row(&table, incident);
    if (i > 0)
        table_print(&table, stdout);
    else
        puts(say("no incidents"));
    const char *next = json_string_value(json_object_get(answer, "next"));
    if (next != NULL)
        fprintf(stderr, say("there may be more: --cursor %s\n"), next);
    table_fini(&table);
}

static enum err list_path(const struct incidents_args *args, struct buf *path,
                          struct err_text *why)
{
    struct clock clock;
    char limit[SHOW_SIZE];
    char *from = NULL;
    char *to = NULL;
    clock_init(&clock);
    int64_t now_ms = clock_wall_ms(&clock);
    enum err err = show_parse_time(&from, "from", args->from, now_ms, why);
    if (err == ERR_OK)
        err = show_parse_time(&to, "to", args->to, now_ms, why);
    snprintf(limit, sizeof limit, "%.0f", args->limit);
    buf_text(path, "/api/v1/incidents");
    client_param(path, "state", args->state);
    client_param(path, "zone", args->zone);
    client_param(path, "cause", args->cause);
    client_param(path, "from", from);
    client_param(path, "to", to);
    client_param(path, "cursor", args->cursor);
    client_param(path, "withdrawn", args->wants_withdrawn ? "include" : NULL);
    client_param(path, "limit", isnan(args->limit) ? NULL : limit);
    free(from);
    free(to);
    return err;
}

static enum err list(struct client *client, const struct incidents_args *args,
                     struct err_text *why)
{
    struct buf path = {0};
    json_t *answer = NULL;
    enum err err = list_path(args, &path, why);
    if (err == ERR_OK)
        err = client_get(client, path.data, &answer, why);
    buf_fini(&path);
    if (err != ERR_OK)
        return err;
    if (args->wants_json) {
        show_json(answer);
    } else {
        print_list(answer);
        json_decref(answer);
    }
    return ERR_OK;
}

/* ---- one --------------------------------------------------------------------------- */

/* How many of the page begin with `start`; *id is the last one that does. */
static size_t count_matches(const json_t *list, const char *start, char id[ID_LEN + 1])
{
    size_t count = 0;
    size_t i;
    json_t *incident;
    json_array_foreach((json_t *)(uintptr_t)list, i, incident)
    {
        const char *one = show_text(incident, "id");
        if (strncmp(one, start, strlen(start)) != 0)
            continue;
        snprintf(id, ID_LEN + 1, "%s", one);
        count++;
    }
    return count;
}

/* The list shows the first ID_SHOWN digits: as many as make it clear are enough. */
static enum err resolve(struct client *client, const char *given, char id[ID_LEN + 1],
                        struct err_text *why)
{
    size_t len = strlen(given);
    if (given[strspn(given, "0123456789abcdef")] != '\0' || len > ID_LEN ||
        len < ID_LEAST)
        return err_set(
            why, ERR_INVALID,
            say("'%.40s' is not an incident's id: 32 hex digits, or the first ones "
                "as 'coldchainctl incidents' shows them"),
            given);
    if (len == ID_LEN) {
        snprintf(id, ID_LEN + 1, "%s", given);
        return ERR_OK;
    }
    json_t *answer = NULL;
    enum err err =
        client_get(client, "/api/v1/incidents?limit=" RESOLVE_ROWS, &answer, why);
    if (err != ERR_OK)
        return err;
    size_t count = count_matches(json_object_get(answer, "incidents"), given, id);
    json_decref(answer);
    if (count == 1)
        return ERR_OK;
    return err_set(why, count == 0 ? ERR_NOT_FOUND : ERR_CONFLICT,
                   count == 0
                       ? say("none of the newest 1000 incidents begins with '%s'; give "
                             "the whole id")
                       : say("several incidents begin with '%s'; give more digits"),
                   given);
}

static void fact(const char *name, const char *text)
{
    show_fact(FACT_COLUMNS, name, "%s", text);
}

static bool has_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && text[0] != '\0';
}

static void print_care(const json_t *incident)
{
    char text[SHOW_SIZE];
    const json_t *closing = json_object_get(incident, "closing");
    if (strcmp(show_text(incident, "cause"), show_text(incident, "id")) != 0)
        fact("cause", show_text(incident, "cause"));
    if (has_text(incident, "assigned_to"))
        show_fact(FACT_COLUMNS, "assigned to", "%s, %s",
                  show_text(incident, "assigned_to"),
                  show_time(text, incident, "assigned_at"));
    if (has_text(incident, "snoozed_until"))
        fact("put off until", show_time(text, incident, "snoozed_until"));
    if (json_is_object(closing))
        show_fact(FACT_COLUMNS, "closed by", "%s: %s, %s, %s %s",
                  show_text(closing, "by"), show_text(closing, "cause"),
                  show_text(closing, "action"), show_text(closing, "disposition"),
                  show_text(closing, "note"));
}

/* Of life_left. */
static void print_life(const json_t *incident)
{
    char low[SHOW_SIZE];
    char high[SHOW_SIZE];
    char at[SHOW_SIZE];
    const json_t *life = json_object_get(incident, "life");
    const json_t *days = json_object_get(life, "days");
    if (!json_is_object(life))
        return;
    const json_t *ends = json_pack("{s:O, s:O}", "low", json_array_get(days, 0), "high",
                                   json_array_get(days, 1));
    show_fact(FACT_COLUMNS, "life", "%s, %s to %s days at %s °C, limited by %s",
              show_text(life, "goods"), show_number(low, ends, "low"),
              show_number(high, ends, "high"), show_number(at, life, "at_c"),
              show_word(life, "limited_by", NULL));
    json_decref((json_t *)(uintptr_t)ends);
}

static void print_facts(const json_t *incident)
{
    static const char *const words[] = {"severity", "state", "kind"};
    static const char *const texts[] = {"zone", "device", "channel", "rule"};
    static const char *const numbers[] = {"limit", "value", "worst"};
    static const char *const times[] = {"onset", "opened", "learned", "closed"};
    char text[SHOW_SIZE];
    fact("id", show_text(incident, "id"));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        fact(words[i], show_word(incident, words[i], NULL));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        fact(texts[i], show_text(incident, texts[i]));
    fact("quantity", incident_quantity(incident));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        fact(numbers[i], incident_measure(text, incident, numbers[i]));
    print_life(incident);
    incident_harm(incident, FACT_COLUMNS);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        fact(times[i], show_time(text, incident, times[i]));
    if (json_is_true(json_object_get(incident, "acknowledged")))
        show_fact(FACT_COLUMNS, "acknowledged", "%s, %s %s",
                  show_text(incident, "acknowledged_by"),
                  show_time(text, incident, "acknowledged_at"),
                  show_text(incident, "acknowledge_reason"));
    else if (is_unanswered(incident))
        show_fact(FACT_COLUMNS, "acknowledged",
                  say("no: coldchainctl incidents ack %.*s"), ID_SHOWN,
                  show_text(incident, "id"));
    print_care(incident);
}

static bool is_beyond(const json_t *message, const char *key, json_int_t least)
{
    return json_integer_value(json_object_get(message, key)) > least;
}

/* "li (address 2), step 1, again (3)" */
static void print_message(const json_t *message, bool is_first)
{
    char at[SHOW_SIZE];
    char number[SHOW_SIZE];
    struct buf who = {0};
    const char *contact = json_string_value(json_object_get(message, "contact"));
    buf_text(&who, contact != NULL ? contact : say("its own receivers"));
    if (is_beyond(message, "address", 1))
        buf_format(&who, say(" (address %s)"), show_number(number, message, "address"));
    if (is_beyond(message, "step", 0))
        buf_format(&who, say(", step %s"), show_number(number, message, "step"));
    if (is_beyond(message, "times", 1))
        buf_format(&who, say(", again (%s)"), show_number(number, message, "times"));
    printf(say("%s  %s  %-8s %s over %s, attempts %s: %s\n"),
           is_first ? say("\nwho was told\n") : "", show_time(at, message, "created"),
           show_word(message, "state", NULL), who.data, show_text(message, "channel"),
           show_number(number, message, "attempts"), show_text(message, "last_result"));
    buf_fini(&who);
}

static void print_story(const json_t *incident)
{
    char at[SHOW_SIZE];
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(incident, "transitions"), i, entry)
        printf("%s  %s  %s\n", i == 0 ? say("\nwhat happened\n") : "",
               show_time(at, entry, "at"), show_word(entry, "event", NULL));
    json_array_foreach(json_object_get(incident, "comments"), i, entry)
        printf("%s  %s  %s  %s: %s\n", i == 0 ? say("\nwhat people did\n") : "",
               show_time(at, entry, "at"), show_text(entry, "by"),
               show_word(entry, "kind", NULL), show_text(entry, "text"));
    if (json_array_size(json_object_get(incident, "members")) > 1)
        json_array_foreach(json_object_get(incident, "members"), i, entry)
            printf("%s  %s  %.*s  %s  %s %s %s %s\n",
                   i == 0 ? say("\nof one cause\n") : "", show_time(at, entry, "onset"),
                   ID_SHOWN, show_text(entry, "id"), show_word(entry, "state", NULL),
                   show_text(entry, "zone"), show_text(entry, "device"),
                   show_text(entry, "channel"), show_text(entry, "rule"));
    json_array_foreach(json_object_get(incident, "messages"), i, entry)
        print_message(entry, i == 0);
}

static enum err show(struct client *client, const struct incidents_args *args,
                     const char *given, struct err_text *why)
{
    char id[ID_LEN + 1];
    char path[80];
    json_t *incident = NULL;
    enum err err = resolve(client, given, id, why);
    if (err != ERR_OK)
        return err;
    snprintf(path, sizeof path, "/api/v1/incidents/%s", id);
    err = client_get(client, path, &incident, why);
    if (err == ERR_NOT_FOUND)
        err_set(why, err,
                say("there is no incident %s; 'coldchainctl incidents' lists them"), id);
    if (err != ERR_OK)
        return err;
    if (args->wants_json) {
        show_json(incident);
        return ERR_OK;
    }
    print_facts(incident);
    incident_course(client, incident);
    print_story(incident);
    json_decref(incident);
    return ERR_OK;
}

/* What is done to one: the API's word, and what is said when it is done. */
static const struct act {
    const char *verb;
    const char *route;
    const char *done;
} acts[] = {
    {"ack", "acknowledge", "is acknowledged"}, {"assign", "assign", "is assigned"},
    {"comment", "comment", "has the comment"}, {"snooze", "snooze", "is put off"},
    {"close", "close", "is closed"},
};

static const struct act *find_act(const char *verb)
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(acts[i].verb, verb) == 0)
            return &acts[i];
    return NULL;
}

/* False: not UTF-8. */
static bool put_text(json_t *body, const char *key, const char *text)
{
    return text == NULL || json_object_set_new(body, key, json_string(text)) == 0;
}

static bool put_body(json_t *body, const struct incidents_args *args, const char *verb)
{
    bool is_close = strcmp(verb, "close") == 0;
    return put_text(body, "reason", args->reason) &&
           put_text(body, "to", args->to_whom) &&
           put_text(body, "from", args->from_whom) && put_text(body, "for", args->span) &&
           put_text(body, "cause", args->cause) &&
           put_text(body, "action", args->action) &&
           put_text(body, "disposition", args->disposition) &&
           put_text(body, is_close ? "note" : "text", args->text);
}

static enum err do_act(struct client *client, const struct incidents_args *args,
                       const struct act *act, const char *given, struct err_text *why)
{
    char id[ID_LEN + 1];
    char path[80];
    json_t *answer = NULL;
    enum err err = resolve(client, given, id, why);
    if (err != ERR_OK)
        return err;
    snprintf(path, sizeof path, "/api/v1/incidents/%s/%s", id, act->route);
    json_t *body = json_object();
    err = put_body(body, args, act->verb)
              ? client_post(client, path, body, &answer, why)
              : err_set(why, ERR_INVALID, say("an option is not UTF-8 text"));
    json_decref(body);
    if (err != ERR_OK)
        return err;
    if (args->wants_json) {
        show_json(answer);
    } else {
        printf("%s %s\n", id, say(act->done));
        json_decref(answer);
    }
    return ERR_OK;
}

static int run_verb(const struct incidents_args *args, int argc, char **argv)
{
    struct err_text why = {""};
    struct client *client = NULL;
    const char *verb = argc > 1 ? argv[1] : "list";
    bool is_list = strcmp(verb, "list") == 0;
    bool is_show = strcmp(verb, "show") == 0;
    const struct act *act = find_act(verb);
    if (!is_list && !is_show && act == NULL)
        return command_usage(
            "incidents",
            "'%.40s' is not list, show, ack, assign, comment, snooze or close", verb);
    if (!is_list && argc != 3)
        return command_usage("incidents", "%s takes one id", verb);
    if (is_list && argc > 2)
        return command_usage("incidents", "list takes options only");
    if (args->reason != NULL && act == NULL)
        return command_usage("incidents", "--reason belongs to what is done to one");
    enum err err = client_open(&client, &args->client, &why);
    if (err == ERR_OK && is_list)
        err = list(client, args, &why);
    else if (err == ERR_OK && is_show)
        err = show(client, args, argv[2], &why);
    else if (err == ERR_OK)
        err = do_act(client, args, act, argv[2], &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("incidents", err, &why);
}

static int incidents_run(int argc, char **argv)
{
    struct incidents_args args = {.limit = (double)NAN};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("incidents", "%s", why.text);
    return run_verb(&args, argc, argv);
}

const struct command incidents_command = {
    .name = "incidents",
    .summary = "what is or was wrong; who has taken it, who was told",
    .verbs = "list show ack assign comment snooze close",
    .usage = "[list] [--state S] [--zone Z] [--cause ID] [--from T] [--to T]\n"
             "show ID\n"
             "ack ID [--reason TEXT]\n"
             "assign ID --whose WHO [--instead-of WHO]\n"
             "comment ID --text TEXT\n"
             "snooze ID --for 1h|4h|8h\n"
             "close ID --cause WORD --action WORD --disposition WORD [--text TEXT]\n",
    .about =
        "The newest first. TAKEN BY says NEEDED until somebody acknowledges, also "
        "when the incident is closed. VALUE is the latest, of a closed one the "
        "worst. An ID may be shortened to its first digits. ack answers once the "
        "acknowledgement is applied; it fails when somebody else was first, and says "
        "who. What follows another incident of the same cause was told to nobody "
        "and needs nobody: '-'. On a terminal, show draws what was measured around it, "
        "with the limit. The words of close are in docs/commands.md.\n",
    .options = options,
    .examples =
        "coldchainctl incidents --state open,recovering,unknown\n"
        "coldchainctl incidents show 3f9a01c2\n"
        "coldchainctl incidents ack 3f9a01c2 --reason 'door was open, closed it'\n"
        "coldchainctl incidents snooze 3f9a01c2 --for 4h\n"
        "coldchainctl incidents close 3f9a01c2 --cause door --action door_closed \\\n"
        "    --disposition unaffected\n",
    .statuses = "0 done\n"
                "1 no such incident, taken by somebody else, or the API could not be "
                "asked\n"
                "2 wrong usage\n",
    .run = incidents_run,
};
