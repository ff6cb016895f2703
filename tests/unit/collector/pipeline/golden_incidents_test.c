// SPDX-License-Identifier: Apache-2.0
/*
 * What people are told, as data: tests/golden/incidents/NAME.yaml, see README.md there.
 * Each is played from the journal to the outbox.
 */
#include <dirent.h>

#include "base/file.h"
#include "base/number.h"
#include "base/tree.h"
#include "base/units.h"
#include "tests/unit/collector/pipeline_house.h"

#define MINUTE_MS INT64_C(60000)
#define DEVICES   4

static const char *const zone_config =
    "{\"zones\":[{\"id\":\"z\",\"org\":\"o\",\"site\":\"s\"}],"
    "\"devices\":[{\"org\":\"o\",\"id\":\"a\"},{\"org\":\"o\",\"id\":\"b\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"a\",\"zone\":\"z\"},"
    "{\"org\":\"o\",\"device\":\"b\",\"zone\":\"z\"}],\"rules\":[]}";

struct play {
    const char *name;
    struct house house;
    int64_t now_ms;
    uint64_t seqs[DEVICES]; /* of a, b, ... */
    unsigned command_count;
    struct buf told;
    struct buf left;
    struct buf causes; /* those that were opened before */
};

static const char *span(char text[UNITS_TEXT_MAX], int64_t time_ms)
{
    return units_format_duration(text, time_ms - START_MS);
}

static const char *text_of(const struct tree *map, const char *key)
{
    const struct tree *item = tree_get(map, key);
    return item != NULL && item->kind == TREE_TEXT ? item->text : NULL;
}

static int64_t span_of(const struct play *play, const char *text)
{
    int64_t ms = 0;
    CHECK_ROW(play->name, units_parse_duration(&ms, text) == ERR_OK && ms > 0);
    return ms;
}

static void run(struct play *play)
{
    CHECK(journal_sync(play->house.journal, NULL) == ERR_OK);
    advance(&play->house, 100000);
}

/* ---- the record ------------------------------------------------------------------- */

static json_t *json_of(const struct tree *tree)
{
    double number;
    if (tree->kind == TREE_TEXT) {
        size_t len = strlen(tree->text);
        bool is_number =
            tree->is_plain && len > 0 && number_scan(&number, tree->text, len) == len;
        return is_number ? json_real(number) : json_string(tree->text);
    }
    json_t *json = tree->kind == TREE_MAP ? json_object() : json_array();
    for (size_t i = 0; i < tree->count; i++)
        if (tree->kind == TREE_MAP)
            json_object_set_new(json, tree->items[i].key, json_of(&tree->items[i]));
        else
            json_array_append_new(json, json_of(&tree->items[i]));
    return json;
}

static enum err command(struct play *play, const char *verb, const char *body)
{
    char id[16];
    snprintf(id, sizeof id, "c%u", ++play->command_count);
    put_command(&play->house, play->now_ms, id, verb, body);
    run(play);
    return play->house.command_err;
}

static void put_rules(struct play *play, const struct tree *rules)
{
    for (size_t i = 0; rules != NULL && i < rules->count; i++) {
        json_t *body = json_of(&rules->items[i]);
        char *text = json_dumps(body, JSON_COMPACT);
        CHECK_ROW(play->name, command(play, "rule.put", text) == ERR_OK);
        free(text);
        json_decref(body);
    }
}

struct finding {
    const char *device;
    char id[ALERT_ID_SIZE];
};

static void on_open(void *context, const struct incident *incident)
{
    struct finding *finding = context;
    if (strcmp(incident->device, finding->device) == 0)
        snprintf(finding->id, sizeof finding->id, "%s", incident->id);
}

/* A person's step; false: it is none. */
static bool act(struct play *play, const struct tree *step)
{
    static const struct {
        const char *key;
        const char *verb;
        const char *fields;
    } acts[] = {{"acknowledge", "incident.acknowledge", ""},
                {"close", "incident.close",
                 ",\"cause\":\"door\",\"action\":\"door_closed\","
                 "\"disposition\":\"unaffected\""}};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        struct finding finding = {.device = text_of(step, acts[i].key)};
        const struct state_incident_query query = {.states = 7};
        const char *refused = text_of(step, "refused");
        char body[200];
        if (finding.device == NULL)
            continue;
        CHECK(state_page_incidents(play->house.state, &query, &finding, on_open) ==
              ERR_OK);
        snprintf(body, sizeof body, "{\"id\":\"%s\"%s}", finding.id, acts[i].fields);
        enum err err = command(play, acts[i].verb, body);
        CHECK_ROW(play->name,
                  strcmp(err_name(err), refused != NULL ? refused : "OK") == 0);
        return true;
    }
    return false;
}

static void measure(struct play *play, const struct tree *step)
{
    for (size_t i = 0; i < step->count; i++) {
        const struct tree *item = &step->items[i];
        size_t device = (size_t)(item->key[0] - 'a');
        double value = (double)NAN;
        if (item->key[1] != '\0' || device >= DEVICES)
            continue;
        CHECK_ROW(play->name, number_scan(&value, item->text, strlen(item->text)) > 0);
        put_pack_at(&play->house, item->key, ++play->seqs[device], play->now_ms, value,
                    false);
    }
}

static void play_step(struct play *play, const struct tree *step)
{
    if (act(play, step))
        return;
    if (tree_get(step, "crash") != NULL) {
        pipeline_close(play->house.pipeline);
        pipeline_start(&play->house);
        run(play);
        return;
    }
    const char *length = text_of(step, "for");
    bool is_silent = length == NULL;
    int64_t end_ms =
        play->now_ms + span_of(play, is_silent ? text_of(step, "silent") : length);
    for (; play->now_ms < end_ms; play->now_ms += MINUTE_MS) {
        if (!is_silent)
            measure(play, step);
        put(&play->house, RECORD_TICK, play->now_ms, "", 1);
    }
    run(play);
}

/* ---- what became of it ------------------------------------------------------------ */

static void on_message(void *context, const struct state_message *message)
{
    struct play *play = context;
    struct state_care care = {0};
    char at[UNITS_TEXT_MAX];
    json_t *body = json_loads(message->body, 0, NULL);
    CHECK(state_get_care(play->house.state, message->incident, &care) == ERR_OK);
    bool is_known = strstr(play->causes.data, care.cause) != NULL;
    bool leads = strcmp(care.cause, message->incident) == 0;
    buf_format(&play->told, "%s %s of %s at %s%s\n",
               json_string_value(json_object_get(body, "event")),
               json_string_value(json_object_get(body, "rule")),
               json_string_value(json_object_get(body, "device")),
               span(at, message->created_ms),
               is_known && !leads ? " of the same cause" : "");
    buf_format(&play->causes, "%s\n", care.cause);
    json_decref(body);
}

struct row {
    int64_t onset_ms;
    char text[400];
};

struct rows_left {
    struct play *play;
    struct row rows[32];
    size_t count;
};

static void on_left(void *context, const struct incident *incident)
{
    struct rows_left *left = context;
    struct state_care care;
    char from[UNITS_TEXT_MAX];
    CHECK_ROW(left->play->name, left->count < sizeof left->rows / sizeof left->rows[0]);
    CHECK(state_get_care(left->play->house.state, incident->id, &care) == ERR_OK);
    struct row *row = &left->rows[left->count++];
    row->onset_ms = incident->onset_ms;
    snprintf(row->text, sizeof row->text, "%s of %s from %s %s%s%s, taken by %s\n",
             incident->rule, incident->device, span(from, incident->onset_ms),
             incident_state_name(incident->state),
             care.closing.by[0] != '\0' ? " by " : "", care.closing.by,
             incident->is_acknowledged ? incident->acknowledged_by : "nobody");
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;
    if (left->onset_ms != right->onset_ms)
        return left->onset_ms < right->onset_ms ? -1 : 1;
    return strcmp(left->text, right->text);
}

static void collect(struct play *play)
{
    const struct state_incident_query query = {0};
    struct rows_left left = {.play = play};
    struct state *state = play->house.state;
    buf_text(&play->causes, "");
    CHECK(state_page_messages(state, NULL, 0, 1000, play, on_message) == ERR_OK);
    CHECK(state_page_incidents(state, &query, &left, on_left) == ERR_OK);
    qsort(left.rows, left.count, sizeof left.rows[0], compare_rows);
    for (size_t i = 0; i < left.count; i++)
        buf_text(&play->left, left.rows[i].text);
}

static void compare(const struct play *play, const struct tree *root, const char *key,
                    const struct buf *got)
{
    struct buf want = {0};
    const struct tree *list = tree_get(root, key);
    CHECK_ROW(play->name, list != NULL && list->kind == TREE_LIST && list->count > 0);
    for (size_t i = 0; list != NULL && i < list->count; i++)
        buf_format(&want, "%s\n", list->items[i].text);
    bool is_same = want.len == got->len && memcmp(want.data, got->data, want.len) == 0;
    CHECK_ROW(play->name, is_same);
    if (!is_same)
        printf("\n%s, %s\n--- want\n%.*s--- got\n%.*s", play->name, key, (int)want.len,
               want.data, (int)got->len, got->data);
    buf_fini(&want);
}

/* ---- one file --------------------------------------------------------------------- */

static void play_case(const char *name, const struct tree *root)
{
    static const char *const keys[] = {"case", "source", "peer", "ours"};
    struct play play = {.name = name, .now_ms = START_MS};
    const struct tree *record = tree_get(root, "record");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CHECK_ROW(name, text_of(root, keys[i]) != NULL);
    house_open(&play.house);
    pipeline_start(&play.house);
    put(&play.house, RECORD_CONFIG, START_MS, zone_config, strlen(zone_config));
    put_rules(&play, tree_get(root, "rules"));
    for (size_t i = 0; record != NULL && i < record->count; i++)
        play_step(&play, &record->items[i]);
    collect(&play);
    compare(&play, root, "expect", &play.told);
    compare(&play, root, "left", &play.left);
    buf_fini(&play.told);
    buf_fini(&play.left);
    buf_fini(&play.causes);
    house_close(&play.house);
}

static void play_file(const char *path, const char *name)
{
    struct buf file = {0};
    struct tree *root = NULL;
    struct err_text why = {""};
    enum err err = file_read(&file, path, 1 << 20, &why);
    if (err == ERR_OK)
        err = tree_parse(&root, name, file.data, file.len, &why);
    CHECK_TEXT(why.text, "");
    if (err == ERR_OK)
        play_case(name, root);
    tree_destroy(root);
    buf_fini(&file);
}

static int is_case(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".yaml") == 0;
}

static void what_people_are_told(void)
{
    char folder[3000];
    struct dirent **entries = NULL;
    snprintf(folder, sizeof folder, "%s/tests/golden/incidents", check_source_dir());
    int count = scandir(folder, &entries, is_case, alphasort);
    CHECK(count > 0);
    for (int i = 0; i < count; i++) {
        char path[4000];
        char name[100]; /* as a row's label may be */
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        snprintf(name, sizeof name, "%.99s", entries[i]->d_name);
        play_file(path, name);
        free(entries[i]);
    }
    free(entries);
    printf("\n  %d cases played", count);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what people are told is as it is written", what_people_are_told},
        CU_TEST_INFO_NULL,
    };
    return check_run("golden_incidents", tests);
}
