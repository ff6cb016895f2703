// SPDX-License-Identifier: Apache-2.0
#include "collector/store/month.h"

#include <math.h>
#include <time.h>

#include "base/rng.h"
#include "collector/store/schema.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define SERIES 7

static struct folder folder;
static struct db *db;

static void open_file(void)
{
    struct err_text why = {0};
    folder_make(&folder);
    if (db_open(&db, folder_file(&folder, "history-2025-11.db"), &month_schema, &why) !=
        ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
}

static void close_file(void)
{
    db_close(db);
    folder_remove(&folder);
}

static int64_t at(int year, int month, int day)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return (int64_t)timegm(&tm) * 1000;
}

static void each_day_is_in_its_month(void)
{
    bool is_same = true;
    for (int64_t ms = at(2000, 1, 1); ms < at(2410, 1, 1); ms += 43200000) {
        struct tm tm = {0};
        time_t seconds = (time_t)(ms / 1000);
        gmtime_r(&seconds, &tm);
        is_same = is_same && month_of(ms, ms) == (tm.tm_year + 1900) * 12 + tm.tm_mon;
    }
    CHECK(is_same);
}

static void months_have_edges(void)
{
    static const struct {
        const char *name;
        int year, month, day;
        int64_t add_ms;
        int64_t arrival_days; /* behind the time */
        int want;
    } rows[] = {
        {"the first of a month", 2025, 11, 1, 0, 0, 2025 * 12 + 10},
        {"a millisecond before", 2025, 11, 1, -1, 0, 2025 * 12 + 9},
        {"new year", 2026, 1, 1, 0, 0, 2026 * 12},
        {"a leap day", 2024, 2, 29, 86399999, 0, 2024 * 12 + 1},
        {"the first there is", 2000, 1, 1, 0, 0, MONTH_FIRST},
        {"before it", 2000, 1, 1, -1, 0, MONTH_ODD},
        {"the last there is", 9999, 12, 31, 86399999, 0, MONTH_LAST},
        {"behind it", 9999, 12, 31, 86400000, 0, MONTH_ODD},
        {"years late", 2019, 5, 5, 0, 3000, 2019 * 12 + 4},
        {"31 days early", 2025, 11, 1, 0, -31, 2025 * 12 + 10},
        {"earlier", 2025, 11, 1, 1, -31, MONTH_ODD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t day_ms = at(rows[i].year, rows[i].month, rows[i].day);
        int64_t time_ms = day_ms + rows[i].add_ms;
        int64_t arrival_ms = day_ms + rows[i].arrival_days * 86400000 +
                             (rows[i].arrival_days >= 0 ? rows[i].add_ms : 0);
        CHECK_ROW(rows[i].name, month_of(time_ms, arrival_ms) == rows[i].want);
    }
    CHECK(month_of(INT64_MIN, INT64_MAX) == MONTH_ODD);
    CHECK(month_of(INT64_MAX, INT64_MIN) == MONTH_ODD);
    CHECK(month_near(INT64_MIN) == MONTH_FIRST && month_near(INT64_MAX) == MONTH_LAST);
    CHECK(month_end_ms(2025 * 12 + 11) == at(2026, 1, 1));
    CHECK(month_end_ms(2024 * 12 + 1) == at(2024, 3, 1));
}

static void names_are_read_back(void)
{
    static const struct {
        const char *name;
        bool is_month;
        int want;
    } rows[] = {
        {"history-2025-11.db", true, 2025 * 12 + 10},
        {"history-2000-01.db", true, MONTH_FIRST},
        {"history-odd.db", true, MONTH_ODD},
        {"history-1999-12.db", false, 0},
        {"history-2025-13.db", false, 0},
        {"history-2025-00.db", false, 0},
        {"history-2025-1.db", false, 0},
        {"history-2025-11.db-wal", false, 0},
        {"history-2025-11.db.lock", false, 0},
        {"history.db", false, 0},
        {"xhistory-2025-11.db", false, 0},
        {"history-2025-+1.db", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int month = -1;
        char name[MONTH_NAME_SIZE];
        CHECK_ROW(rows[i].name, month_parse(&month, rows[i].name) == rows[i].is_month);
        if (!rows[i].is_month)
            continue;
        CHECK_ROW(rows[i].name, month == rows[i].want);
        CHECK_TEXT(month_format(month, name), rows[i].name);
    }
}

static struct moving moving_at(int64_t row, int64_t time_ms, double value)
{
    return (struct moving){.series = SERIES,
                           .row = row,
                           .sample = {.time_ms = time_ms,
                                      .arrival_ms = time_ms + 5,
                                      .value = value,
                                      .raw = (double)NAN}};
}

/* Adds samples given in order, as one run up to row `through`. */
static void add(const struct moving *moving, size_t count, int64_t through)
{
    const struct moving *pointers[2000];
    for (size_t i = 0; i < count; i++)
        pointers[i] = &moving[i];
    CHECK(db_begin(db) == ERR_OK);
    CHECK(month_add(db, pointers, count, through) == ERR_OK);
    CHECK(db_commit(db) == ERR_OK);
}

/* All samples of the series, chunk by chunk; checks that chunks do not overlap. */
static struct samples all_samples(size_t *chunks)
{
    struct samples samples = {0};
    struct stored_chunk chunk = {.first_ms = INT64_MIN};
    struct month_tail tail;
    int64_t last_ms = INT64_MIN;
    *chunks = 0;
    while (month_next_chunk(db, SERIES, INT64_MIN, INT64_MAX, &chunk, &samples) ==
           ERR_OK) {
        CHECK(chunk.first_ms >= last_ms && chunk.last_ms >= chunk.first_ms);
        CHECK(chunk.readings <= CHUNK_SAMPLES_MAX);
        last_ms = chunk.last_ms;
        ++*chunks;
    }
    CHECK(month_load_tail(db, SERIES, &tail, &samples) == ERR_OK);
    CHECK(tail.chunk.readings == 0 || tail.chunk.first_ms >= last_ms);
    CHECK(*chunks == 0 || tail.floor_ms == INT64_MIN || tail.floor_ms >= last_ms);
    return samples;
}

static void a_run_done_again_adds_nothing(void)
{
    open_file();
    struct moving moving[3] = {moving_at(1, 100, 1), moving_at(2, 200, 2),
                               moving_at(4, 300, 3)};
    size_t chunks = 0;
    add(moving, 3, 4);
    add(moving, 3, 4);
    moving[2] = moving_at(5, 300, 9); /* the next run has one more */
    add(moving, 3, 5);
    add(moving, 2, 3); /* and one that was cut shorter */
    struct samples samples = all_samples(&chunks);
    CHECK(samples.count == 4 && chunks == 0);
    CHECK(samples.count == 4 && samples.items[2].value == 3 &&
          samples.items[3].value == 9);
    samples_fini(&samples);
    close_file();
}

static void full_lots_become_chunks_and_late_ones_find_theirs(void)
{
    open_file();
    static struct moving moving[2000];
    size_t chunks = 0;
    for (int64_t i = 0; i < 1100; i++)
        moving[i] = moving_at(i + 1, 10000 + i * 10, (double)i);
    add(moving, 1100, 1100);
    struct samples samples = all_samples(&chunks);
    CHECK(chunks == 2 && samples.count == 1100);
    samples_fini(&samples);

    struct moving late[4] = {moving_at(1101, 1, -1),      /* before everything */
                             moving_at(1102, 10005, -2),  /* into the first chunk */
                             moving_at(1103, 16000, -3),  /* into the second */
                             moving_at(1104, 50000, -4)}; /* behind everything */
    add(late, 4, 1104);
    samples = all_samples(&chunks);
    CHECK(chunks == 2 && samples.count == 1104);
    CHECK(samples.items[0].value == -1 && samples.items[2].value == -2);
    CHECK(samples.items[1103].value == -4);
    samples_fini(&samples);

    /* So many late ones that their chunk is divided. */
    for (int64_t i = 0; i < 1500; i++)
        moving[i] = moving_at(2000 + i, 10000 + i, (double)i);
    add(moving, 1500, 4000);
    samples = all_samples(&chunks);
    CHECK(chunks >= 4 && samples.count == 2604);
    bool is_ordered = true;
    for (size_t i = 1; i < samples.count; i++)
        is_ordered =
            is_ordered && samples.items[i - 1].time_ms <= samples.items[i].time_ms;
    CHECK(is_ordered);
    samples_fini(&samples);
    close_file();
}

static int compare_rows(const void *a, const void *b)
{
    const struct moving *x = a;
    const struct moving *y = b;
    if (x->sample.time_ms != y->sample.time_ms)
        return x->sample.time_ms < y->sample.time_ms ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void random_runs_agree_with_a_sorted_array(void)
{
    static struct moving all[6000];
    struct rng rng = {.state = 9};
    for (int life = 0; life < 4; life++) {
        open_file();
        size_t count = 0;
        int64_t now = 1000000;
        while (count < 4000) {
            struct moving run[400];
            size_t size = 1 + rng_below(&rng, 400);
            for (size_t i = 0; i < size; i++) {
                int64_t time_ms = now + (int64_t)rng_below(&rng, 2000);
                if (rng_chance(&rng, 0.1))
                    time_ms = (int64_t)rng_below(&rng, 1000000);
                run[i] =
                    moving_at((int64_t)(count + i + 1), time_ms, (double)(count + i));
            }
            now += 1500;
            memcpy(all + count, run, size * sizeof *run);
            count += size;
            qsort(run, size, sizeof *run, compare_rows);
            add(run, size, (int64_t)count);
        }
        qsort(all, count, sizeof *all, compare_rows);
        size_t chunks = 0;
        struct samples samples = all_samples(&chunks);
        bool is_same = samples.count == count;
        for (size_t i = 0; is_same && i < count; i++)
            is_same = samples.items[i].time_ms == all[i].sample.time_ms &&
                      samples.items[i].value == all[i].sample.value;
        CHECK(is_same && chunks > 3);
        samples_fini(&samples);
        close_file();
    }
}

static void readings_are_found_by_time_and_value(void)
{
    open_file();
    static struct moving moving[700];
    bool has = true;
    uint64_t bits = 0;
    double value = 5;
    memcpy(&bits, &value, sizeof bits);
    CHECK(month_has(db, SERIES, 100, bits, &has) == ERR_OK && !has);
    for (int64_t i = 0; i < 700; i++)
        moving[i] = moving_at(i + 1, i * 10, (double)(i % 10));
    add(moving, 700, 700);
    static const struct {
        const char *name;
        int64_t time_ms;
        bool want;
    } rows[] = {
        {"in a chunk", 50, true},
        {"in the tail", 6950, true},
        {"another value", 60, false},
        {"between", 55, false},
        {"behind all", 100000, false},
        {"before all", -50, false},
        {"the last of a chunk", 5050, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(month_has(db, SERIES, rows[i].time_ms, bits, &has) == ERR_OK);
        CHECK_ROW(rows[i].name, has == rows[i].want);
    }
    close_file();
}

static void summaries_leave_out_bad_readings(void)
{
    open_file();
    struct moving moving[4] = {moving_at(1, 1, 3), moving_at(2, 2, -90),
                               moving_at(3, 3, (double)NAN), moving_at(4, 4, 5)};
    moving[1].sample.quality = 3;
    add(moving, 4, 4);
    struct db_rows rows;
    db_select(&rows, db, "SELECT low, high, arrived_ms FROM tail", DB_NONE);
    CHECK(db_next(&rows));
    CHECK(db_get_real(&rows, 0) == 3 && db_get_real(&rows, 1) == 5);
    CHECK(db_get_int(&rows, 2) == 9);
    CHECK(db_end(&rows) == ERR_OK);
    close_file();
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each day is in its month", each_day_is_in_its_month},
        {"months have edges", months_have_edges},
        {"names are read back", names_are_read_back},
        {"a run done again adds nothing", a_run_done_again_adds_nothing},
        {"full lots become chunks and late ones find theirs",
         full_lots_become_chunks_and_late_ones_find_theirs},
        {"random runs agree with a sorted array", random_runs_agree_with_a_sorted_array},
        {"readings are found by time and value", readings_are_found_by_time_and_value},
        {"summaries leave out bad readings", summaries_leave_out_bad_readings},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/month", tests);
}
