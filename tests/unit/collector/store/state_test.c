// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "collector/store/schema.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

static struct state *open_or_die(const char *path)
{
    struct state *state = NULL;
    struct err_text why = {0};
    if (state_open(&state, path, &why) != ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    return state;
}

static void a_new_store_has_an_identity_that_stays(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "state.db");
    struct state *state = open_or_die(path);
    struct state_meta first = {0};
    struct state_meta second = {0};
    CHECK(state_load_meta(state, &first) == ERR_OK);
    CHECK(strlen(first.store_id) == 32);
    CHECK(strspn(first.store_id, "0123456789abcdef") == 32);
    CHECK(first.generation == 1);
    CHECK(first.effect_position == 0 && first.checkpoint_position == 0);
    state_close(state);

    state = open_or_die(path);
    CHECK(state_load_meta(state, &second) == ERR_OK);
    CHECK_TEXT(second.store_id, first.store_id);
    state_close(state);
    folder_remove(&folder);

    folder_make(&folder);
    state = open_or_die(folder_file(&folder, "state.db"));
    CHECK(state_load_meta(state, &second) == ERR_OK);
    CHECK(strcmp(second.store_id, first.store_id) != 0);
    state_close(state);
    folder_remove(&folder);
}

static void marks_are_kept_with_their_batch(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "state.db");
    struct state *state = open_or_die(path);
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_put_generation(state, 7) == ERR_OK);
    CHECK(state_put_effect_position(state, 0x7fffffff12345678) == ERR_OK);
    CHECK(state_put_checkpoint_position(state, 4096) == ERR_OK);
    CHECK(state_put_journal_generation(state, UINT64_MAX) == ERR_OK);
    CHECK(state_commit(state) == ERR_OK);
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_put_effect_position(state, 1) == ERR_OK);
    state_close(state); /* not committed */

    state = open_or_die(path);
    struct state_meta meta = {0};
    CHECK(state_load_meta(state, &meta) == ERR_OK);
    CHECK(meta.generation == 7);
    CHECK(meta.effect_position == 0x7fffffff12345678);
    CHECK(meta.checkpoint_position == 4096);
    CHECK(meta.journal_generation == UINT64_MAX);
    state_close(state);
    folder_remove(&folder);
}

static void ids_are_never_given_twice(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "state.db");
    for (uint64_t life = 0; life < 3; life++) {
        struct state *state = open_or_die(path);
        uint64_t id = 0;
        CHECK(state_begin(state) == ERR_OK);
        CHECK(state_next_id(state, "shipment", &id) == ERR_OK);
        CHECK(id == life * 2 + 1);
        CHECK(state_next_id(state, "shipment", &id) == ERR_OK);
        CHECK(id == life * 2 + 2);
        CHECK(state_next_id(state, "lot", &id) == ERR_OK);
        CHECK(id == life + 1);
        CHECK(state_commit(state) == ERR_OK);
        state_close(state);
    }
    folder_remove(&folder);
}

static void add_evaluation(void *context, const char *key, uint64_t position,
                           const void *data, size_t len)
{
    buf_format(context, "%s@%llu=%.*s;", key, (unsigned long long)position, (int)len,
               (const char *)data);
}

static void evaluations_are_replaced_and_deleted(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "state.db");
    struct state *state = open_or_die(path);
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_put_evaluation(state, "b", 5, "first", 5) == ERR_OK);
    CHECK(state_put_evaluation(state, "a", 6, "x", 1) == ERR_OK);
    CHECK(state_put_evaluation(state, "c", 7, "y", 1) == ERR_OK);
    CHECK(state_put_evaluation(state, "b", 9, "second", 6) == ERR_OK);
    CHECK(state_put_evaluation(state, "c", 9, NULL, 0) == ERR_OK);
    CHECK(state_put_evaluation(state, "never there", 9, NULL, 0) == ERR_OK);
    CHECK(state_commit(state) == ERR_OK);
    struct buf all = {0};
    CHECK(state_load_evaluations(state, &all, add_evaluation) == ERR_OK);
    CHECK_TEXT(all.data, "a@6=x;b@9=second;");
    buf_fini(&all);
    state_close(state);
    folder_remove(&folder);
}

static void add_token(void *context, const struct state_token *token)
{
    buf_format(context, "%s %s %s %lld %lld %lld;", token->hash, token->name, token->role,
               (long long)token->created_ms, (long long)token->expires_ms,
               (long long)token->revoked_ms);
}

static void tokens_are_found_by_hash(void)
{
    struct folder folder;
    folder_make(&folder);
    struct state *state = open_or_die(folder_file(&folder, "state.db"));
    uint64_t count = 9;
    CHECK(state_count_tokens(state, &count) == ERR_OK && count == 0);
    struct state_token token = {
        .hash = "ab12", .name = "first start", .role = "admin", .created_ms = 10};
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_put_token(state, &token) == ERR_OK);
    token.revoked_ms = 99;
    CHECK(state_put_token(state, &token) == ERR_OK);
    CHECK(state_commit(state) == ERR_OK);
    struct buf all = {0};
    CHECK(state_find_token(state, "ab12", &all, add_token) == ERR_OK);
    CHECK(state_find_token(state, "ab1", &all, add_token) == ERR_NOT_FOUND);
    CHECK_TEXT(all.data, "ab12 first start admin 10 0 99;");
    CHECK(state_count_tokens(state, &count) == ERR_OK && count == 1);
    buf_fini(&all);
    state_close(state);
    folder_remove(&folder);
}

static void add_sink(void *context, const struct state_sink *sink)
{
    buf_format(context, "%s %llu %s '%s' %lld %llu/%llu/%llu;", sink->name,
               (unsigned long long)sink->cursor, sink->state, sink->last_error,
               (long long)sink->changed_ms, (unsigned long long)sink->accepted,
               (unsigned long long)sink->rejected, (unsigned long long)sink->retries);
}

static void sinks_keep_their_cursor_and_state(void)
{
    struct folder folder;
    folder_make(&folder);
    struct state *state = open_or_die(folder_file(&folder, "state.db"));
    struct state_sink sink = {
        .name = "influx", .cursor = 5, .state = "ok", .changed_ms = 1, .accepted = 30};
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_put_sink(state, &sink) == ERR_OK);
    sink.cursor = 6;
    sink.state = "waiting";
    sink.last_error = "503";
    sink.retries = 2;
    CHECK(state_put_sink(state, &sink) == ERR_OK);
    CHECK(state_put_sink(state, &(struct state_sink){.name = "a"}) == ERR_OK);
    CHECK(state_commit(state) == ERR_OK);
    struct buf all = {0};
    CHECK(state_each_sink(state, &all, add_sink) == ERR_OK);
    CHECK_TEXT(all.data, "a 0  '' 0 0/0/0;influx 6 waiting '503' 1 30/0/2;");
    buf_fini(&all);
    state_close(state);
    folder_remove(&folder);
}

static void readers_see_what_is_committed(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "state.db");
    struct state *reader = NULL;
    CHECK(state_open_reader(&reader, path, NULL) == ERR_NOT_FOUND);
    struct state *state = open_or_die(path);
    CHECK(state_open_reader(&reader, path, NULL) == ERR_OK);
    struct state_meta meta = {0};
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_put_generation(state, 2) == ERR_OK);
    CHECK(state_load_meta(reader, &meta) == ERR_OK && meta.generation == 1);
    CHECK(state_commit(state) == ERR_OK);
    CHECK(state_load_meta(reader, &meta) == ERR_OK && meta.generation == 2);
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_put_generation(state, 3) == ERR_OK);
    state_rollback(state);
    CHECK(state_load_meta(state, &meta) == ERR_OK && meta.generation == 2);
    state_close(reader);
    state_close(state);
    state_close(NULL);
    folder_remove(&folder);
}

static void a_damaged_identity_is_not_taken_for_one(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "state.db");
    state_close(open_or_die(path));
    struct db *db = NULL;
    CHECK(db_open(&db, path, &state_schema, NULL) == ERR_OK);
    CHECK(db_run(db, "UPDATE meta SET value = 'ab' WHERE key = 'store_id'", DB_NONE) ==
          ERR_OK);
    db_close(db);
    struct state *state = open_or_die(path);
    struct state_meta meta = {0};
    CHECK(state_load_meta(state, &meta) == ERR_CORRUPT);
    state_close(state);
    folder_remove(&folder);
}

/* Every version of the schema that was ever released must lead to the newest. */
static size_t steps_known;

static const char *older_step(size_t version)
{
    return version < steps_known ? state_schema.step(version) : NULL;
}

static void every_older_version_opens(void)
{
    for (steps_known = 1; state_schema.step(steps_known - 1) != NULL; steps_known++) {
        struct folder folder;
        folder_make(&folder);
        const char *path = folder_file(&folder, "state.db");
        struct db_schema older = state_schema;
        older.step = older_step;
        struct db *db = NULL;
        CHECK(db_open(&db, path, &older, NULL) == ERR_OK);
        db_close(db);
        struct state *state = open_or_die(path);
        struct state_meta meta = {0};
        CHECK(state_load_meta(state, &meta) == ERR_OK && meta.generation == 1);
        state_close(state);
        folder_remove(&folder);
    }
    CHECK(steps_known >= 2);
}

/* A batch is the pipeline's: a mark and an effect, or neither. */
static void write_batches(const char *path, int told)
{
    struct state *state = open_or_die(path);
    struct state_meta meta;
    if (state_load_meta(state, &meta) != ERR_OK)
        _exit(1);
    for (uint64_t i = meta.effect_position + 1;; i++) {
        char key[32];
        snprintf(key, sizeof key, "e%06llu", (unsigned long long)i);
        if (state_begin(state) != ERR_OK ||
            state_put_evaluation(state, key, i, key, strlen(key)) != ERR_OK ||
            state_put_effect_position(state, i) != ERR_OK ||
            state_commit(state) != ERR_OK || write(told, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

static void count_evaluation(void *context, const char *key, uint64_t position,
                             const void *data, size_t len)
{
    (void)data;
    (void)len;
    uint64_t *next = context;
    ++*next;
    CHECK(position == *next);
    CHECK((uint64_t)strtoull(key + 1, NULL, 10) == *next);
}

static void effects_and_cursor_survive_kills_together(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "state.db");
    uint64_t told = 0;
    for (int life = 0; life < 10; life++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0)
            write_batches(path, ends[1]);
        close(ends[1]);
        for (int i = 0; i < 2 + life * 5; i++)
            CHECK(read(ends[0], &told, sizeof told) == sizeof told);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ends[0], &told, sizeof told) == sizeof told)
            ;
        close(ends[0]);

        struct state *state = open_or_die(path);
        struct state_meta meta = {0};
        uint64_t found = 0;
        CHECK(state_load_meta(state, &meta) == ERR_OK);
        CHECK(meta.effect_position == told || meta.effect_position == told + 1);
        CHECK(state_load_evaluations(state, &found, count_evaluation) == ERR_OK);
        CHECK(found == meta.effect_position);
        state_close(state);
    }
    folder_remove(&folder);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a new store has an identity that stays",
         a_new_store_has_an_identity_that_stays},
        {"marks are kept with their batch", marks_are_kept_with_their_batch},
        {"ids are never given twice", ids_are_never_given_twice},
        {"evaluations are replaced and deleted", evaluations_are_replaced_and_deleted},
        {"tokens are found by hash", tokens_are_found_by_hash},
        {"sinks keep their cursor and state", sinks_keep_their_cursor_and_state},
        {"readers see what is committed", readers_see_what_is_committed},
        {"a damaged identity is not taken for one",
         a_damaged_identity_is_not_taken_for_one},
        {"every older version opens", every_older_version_opens},
        {"effects and cursor survive kills together",
         effects_and_cursor_survive_kills_together},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/state", tests);
}
