// SPDX-License-Identifier: Apache-2.0
/*
 * Packs of several epochs of one device, as a fork or a cut journal leaves them: whatever
 * the order they come in, incidents are those that the readings tell in order of time.
 */
#include <ctype.h>

#include "base/rng.h"
#include "telemetry/delivery.h"
#include "tests/unit/collector/pipeline_house.h"

#define MINUTE_MS  INT64_C(60000)
#define ARRIVED_MS (START_MS + 60 * MINUTE_MS)
#define WAIT_MS    (30 * MINUTE_MS)

static const char *const epochs_config =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\"}],"
    "\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"zone\":\"room\"}],"
    "\"rules\":[{\"id\":\"warm\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0}]},"
    "{\"id\":\"hot\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"critical\",\"level\":20,\"delay\":0,"
    "\"recovery_level\":20,\"recovery_delay\":0}]},"
    "{\"id\":\"slow\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"below\",\"levels\":[{\"severity\":\"critical\",\"level\":0,\"delay\":0,"
    "\"recovery_level\":0,\"recovery_delay\":120000}]}]}";

/* Five minutes above 8 degrees in all, and goods that have begun to warm. */
static const char *const harm_config =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\"}],"
    "\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"zone\":\"room\"}],"
    "\"rules\":[{\"id\":\"sum\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"cumulative_above\",\"levels\":[{\"severity\":\"warning\",\"level\":5,"
    "\"delay\":0,\"recovery_level\":5,\"recovery_delay\":0}],\"limit\":8},"
    "{\"id\":\"goods\",\"zone\":\"room\",\"quantity\":\"product_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":5.02,\"delay\":0,"
    "\"recovery_level\":5,\"recovery_delay\":0}]}]}";

/* ---- records from words ----------------------------------------------------------- */

static uint64_t epoch_of(char letter)
{
    return EPOCH + (uint64_t)(letter - 'A');
}

static void put_one(struct house *house, int64_t at_ms, struct pack *pack)
{
    struct topic topic = {
        .org = "o", .device = "d", .kind = TOPIC_READINGS, .epoch = pack->epoch};
    struct buf text = {0};
    char name[TOPIC_MAX];
    topic.seq = pack->seq;
    snprintf(pack->device, sizeof pack->device, "d");
    pack->clock = PACK_CLOCK_SYNCED;
    pack->wall_ms = at_ms;
    pack_format(pack, &text);
    topic_format(&topic, name);
    put_message(house, at_ms, name, text.data, text.len);
    buf_fini(&text);
    pack_fini(pack);
}

static void add_reading(struct pack *pack, unsigned minute, double value)
{
    struct reading reading = {
        .time_ms = START_MS + minute * MINUTE_MS, .value = value, .raw = (double)NAN};
    CHECK(pack_channel(pack, "air_temperature", &reading.channel) == ERR_OK);
    CHECK(pack_add(pack, &reading) == ERR_OK);
}

static void put_hello(struct house *house, int64_t at_ms, const char *letters)
{
    struct hello hello = {0};
    struct buf text = {0};
    snprintf(hello.nonce, sizeof hello.nonce, "%032llx", (unsigned long long)at_ms);
    snprintf(hello.version, sizeof hello.version, "1");
    for (; *letters != '\0'; letters++) {
        struct hello_epoch *epoch = &hello.epochs[hello.epoch_count++];
        *epoch =
            (struct hello_epoch){.epoch = epoch_of(*letters), .first = 1, .last = 99};
        if (isdigit((unsigned char)letters[1]))
            epoch->last = (uint64_t)(*++letters - '0');
    }
    hello.epochs[0].is_current = true;
    hello_format(&hello, &text);
    put_message(house, at_ms, "coldchain/v1/o/d/hello", text.data, text.len);
    buf_fini(&text);
}

static void put_given_up(struct house *house, int64_t at_ms, char letter, unsigned from,
                         unsigned to)
{
    const struct record_gap gap = {
        .org = "o", .device = "d", .epoch = epoch_of(letter), .from = from, .to = to};
    struct buf data = {0};
    record_gap_format(&gap, &data);
    put(house, RECORD_GIVE_UP, at_ms, data.data, data.len);
    buf_fini(&data);
}

/*
 * "hello BA4" names epochs B, which is current, and A up to its pack 4; "A3=9": pack 3 of
 * epoch A, of minute 3, says 9 degrees; "B2@3=9": pack 2 of epoch B, of minute 3;
 * "B2@3=9/A3": the same, and it stands for A3; "B1/A4": A ended at 4; "B2-A3": A3 is
 * lost; "up A2-3": the gap is given up.
 */
static void put_word(struct house *house, int64_t at_ms, const char *word)
{
    char epoch;
    char other;
    unsigned seq;
    unsigned minute;
    unsigned last;
    double value;
    struct pack pack = {0};
    if (sscanf(word, "%c%u@%u=%lf/%c%u", &epoch, &seq, &minute, &value, &other, &last) ==
        6) {
        pack = (struct pack){
            .kind = PACK_THINNED, .ended = epoch_of(other), .from = last, .to = last};
        snprintf(pack.reason, sizeof pack.reason, PACK_REASON_FORK);
        add_reading(&pack, minute, value);
    } else if (sscanf(word, "%c%u@%u=%lf", &epoch, &seq, &minute, &value) == 4) {
        add_reading(&pack, minute, value);
    } else if (sscanf(word, "%c%u=%lf", &epoch, &seq, &value) == 3) {
        add_reading(&pack, seq, value);
    } else if (sscanf(word, "%c%u/%c%u", &epoch, &seq, &other, &last) == 4) {
        pack.kind = PACK_EPOCH_END;
        pack.ended = epoch_of(other);
        pack.to = last;
    } else if (sscanf(word, "%c%u-%c%u", &epoch, &seq, &other, &last) == 4) {
        pack.kind = PACK_LOSS;
        pack.ended = epoch_of(other);
        pack.from = pack.to = last;
    } else {
        CHECK(false);
    }
    pack.epoch = epoch_of(epoch);
    pack.seq = seq;
    put_one(house, at_ms, &pack);
}

static void put_words_by(struct house *house, const char *rules, const char *words)
{
    char word[64];
    char epoch;
    unsigned from;
    unsigned to;
    int taken;
    int64_t at_ms = ARRIVED_MS;
    put(house, RECORD_CONFIG, START_MS, rules, strlen(rules));
    for (; *words != '\0'; words += taken, at_ms += 1000) {
        if (sscanf(words, "hello %63s %n", word, &taken) == 1)
            put_hello(house, at_ms, word);
        else if (sscanf(words, "up %c%u-%u %n", &epoch, &from, &to, &taken) == 3)
            put_given_up(house, at_ms, epoch, from, to);
        else if (sscanf(words, "%63s %n", word, &taken) == 1)
            put_word(house, at_ms, word);
    }
    put(house, RECORD_TICK, at_ms + WAIT_MS, "", 1); /* no backlog is waited for longer */
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
}

static void put_words(struct house *house, const char *words)
{
    put_words_by(house, epochs_config, words);
}

/* ---- what became of them ---------------------------------------------------------- */

#define LINES 64

struct lines {
    char lines[LINES][64];
    size_t count;
};

static void add_line(struct lines *lines, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_line(struct lines *lines, const char *format, ...)
{
    va_list arguments;
    CHECK(lines->count < LINES);
    va_start(arguments, format);
    vsnprintf(lines->lines[lines->count++], sizeof lines->lines[0], format, arguments);
    va_end(arguments);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* "warm 3-5": from minute 3 to minute 5; "warm 3-": it is not over. */
static void list_incident(void *context, const struct incident *incident)
{
    long long onset = (incident->onset_ms - START_MS) / MINUTE_MS;
    if (alert_kind_is_trouble(incident->kind))
        return;
    if (incident->state == INCIDENT_CLOSED)
        add_line(context, "%s %lld-%lld", incident->rule, onset,
                 (long long)(incident->closed_ms - START_MS) / MINUTE_MS);
    else
        add_line(context, "%s %lld-", incident->rule, onset);
}

static void list_letter(void *context, const struct state_message *message)
{
    const char *event = strstr(message->body, "\"event\":\"");
    if (strstr(message->body, "lost_packs") == NULL &&
        strstr(message->body, "\"fork\"") == NULL &&
        strstr(message->body, "\"regressed\"") == NULL)
        buf_add(context, event + strlen("\"event\":\""), 1);
}

static char *incidents_of(struct state *state)
{
    struct buf out = {0};
    struct lines lines = {.count = 0};
    const struct state_incident_query query = {.limit = 100};
    CHECK(state_page_incidents(state, &query, &lines, list_incident) == ERR_OK);
    qsort(lines.lines, lines.count, sizeof lines.lines[0], compare_lines);
    buf_text(&out, "");
    for (size_t i = 0; i < lines.count; i++)
        buf_format(&out, "%s%s", i > 0 ? ", " : "", lines.lines[i]);
    return buf_take(&out);
}

static void check_text(const char *row, const char *what, const char *got,
                       const char *want)
{
    if (strcmp(got, want) != 0)
        printf("\n  %s: %s are '%s', not '%s'\n", row, what, got, want);
    CHECK_ROW(row, strcmp(got, want) == 0);
}

/* Told: o(pened), e(scalated), c(losed), w(ithdrawn), in order. */
static const struct {
    const char *name;
    const char *words;
    const char *incidents;
    const char *told;
} rows[] = {
    {"an epoch after another", "hello A A1=5 A2=9 B1/A2 B2@3=9 B3@4=5", "warm 2-4", "c"},
    {"a gap, and a new epoch before it closes",
     "hello A A1=5 A2=5 A4=9 B1/A4 B2@3=9/A3 B3@4=9/A4 B4@5=5", "warm 3-5", "oc"},
    {"the same, the newest first",
     "hello A A1=5 A2=5 A4=9 B4@5=5 B3@4=9/A4 B2@3=9/A3 B1/A4", "warm 3-5", "oc"},
    {"the gap closes last",
     "hello A A1=5 A2=5 A4=9 B1/A4 B2@4=9/A4 B3@5=9 B4@6=5 B5@3=5/A3", "warm 4-6", "oc"},
    {"the gap is lost", "hello A A1=5 A2=5 A4=9 B1/A4 B2@5=9 B3@6=5 B4-A3", "warm 4-6",
     "oc"},
    {"the gap is given up", "hello A A1=5 A2=5 A4=9 B1/A4 B2@5=9 B3@6=5 up A3-3",
     "warm 4-6", "oc"},
    {"the old epoch's own pack closes it", "hello A A1=5 A3=9 B1/A3 B2@4=9 B3@5=5 A2=9",
     "warm 2-5", "oc"},
    {"an incident within the gap",
     "hello A A1=5 A2=5 A4=5 B1/A4 B2@3=9/A3 B3@4=5/A4 B4@5=5", "warm 3-4", "c"},
    {"another body stood where the first of them was",
     "hello A A1=5 A2=5 A4=9 B1/A4 B2@2=9/A2 B3@3=9/A3 B4@4=9/A4 B5@5=5", "warm 3-5",
     "oc"},
    {"it closes in the wrong order",
     "hello A A1=5 A2=5 A5=9 B1/A5 B4@5=9/A5 B3@4=9/A4 B2@3=9/A3 B5@6=5", "warm 3-6",
     "oc"},
    {"the old epoch's end comes after the new one",
     "hello BA A1=5 B1/A3 B2@4=5 B3@5=5 A2=9 A3=5", "warm 2-3", "c"},
    {"its end is given up", "hello BA A1=5 B1/A3 B2@4=9 B3@5=5 A2=9 up A3-3", "warm 2-5",
     "oc"},
    {"two rules", "hello A A1=5 A2=5 A4=25 B1/A4 B2@3=25/A3 B3@4=25/A4 B4@5=9 B5@6=5",
     "hot 3-5, warm 3-6", "oc"},
    {"both have gaps", "hello A A1=5 A3=9 B3@5=9 B1/A3 A2=9 B2@4=5 B4@6=5",
     "warm 2-4, warm 5-6", "oc"},
    {"the new one is known first", "hello BA B2@5=5 A1=5 B1/A4 A2=9 A4=5 B3@6=5 A3=9",
     "warm 2-4", "c"},
    {"three epochs", "hello A A1=5 A3=9 B1/A3 B2@4=9 C1/B3 C2@6=5 B3@5=9 A2=5",
     "warm 3-6", "oc"},
    {"one that was told as two", "hello A0 A1=-5 A2=5 A4=5 A5=-5 A3=-5 A6=5 A7=5 A8=5",
     "slow 1-8", "ocowc"},
    {"of a backlog as one", "hello A A1=-5 A2=5 A4=5 A5=-5 A3=-5 A6=5 A7=5 A8=5",
     "slow 1-8", "oc"},
    {"the device does not hold the old one any more",
     "hello A A1=5 A3=9 B1/A3 B2@4=9 hello B B3@5=5", "warm 4-5", "oc"},
    {"the device has lost what is missing, and its name",
     "hello A A1=5 A4=9 hello BA1 B1@5=9 B2@6=5", "warm 5-6", "oc"},
};

static void whatever_comes_first_it_is_told_once(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        struct buf told = {0};
        house_open(&house);
        put_words(&house, rows[i].words);
        pipeline_start(&house);
        advance(&house, 1000);
        char *incidents = incidents_of(house.state);
        check_text(rows[i].name, "incidents", incidents, rows[i].incidents);
        buf_text(&told, "");
        CHECK(state_page_messages(house.state, NULL, 0, 1000, &told, list_letter) ==
              ERR_OK);
        check_text(rows[i].name, "messages", told.data, rows[i].told);
        buf_fini(&told);
        free(incidents);
        house_close(&house);
    }
}

static void a_crash_behind_every_record_changes_nothing(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        house_open(&house);
        state_close(house.state);
        put_words(&house, rows[i].words);
        check_crashes(&house, rows[i].name, i % 3 + 1);
        house_close(&house);
    }
}

/* What all readings come to is not judged while some are missing. */
static void harm_and_sums_wait_for_what_is_missing(void)
{
    static const char ahead[] = "hello A A1=5 A2=5 A4=9 A5=9 A6=9 A7=9 A8=9 A9=9 A10=9";
    char closed[sizeof ahead + 8];
    snprintf(closed, sizeof closed, "%s A3=5", ahead);
    const struct {
        const char *name, *words, *incidents;
    } waits[] = {{"a gap", ahead, ""}, {"it is closed", closed, "goods 8-, sum 9-"}};
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        struct house house;
        house_open(&house);
        put_words_by(&house, harm_config, waits[i].words);
        pipeline_start(&house);
        advance(&house, 1000);
        char *incidents = incidents_of(house.state);
        check_text(waits[i].name, "incidents", incidents, waits[i].incidents);
        free(incidents);
        house_close(&house);
    }
}

/* An end that never comes holds the journal up as any gap does. */
static void an_end_that_never_comes_can_be_given_up(void)
{
    struct house house;
    struct record_gap gap;
    int64_t since_ms;
    uint64_t position;
    house_open(&house);
    put_words(&house, "hello A A1=5 B1/A3 B2@4=9 B3@5=9");
    pipeline_start(&house);
    advance(&house, 1000);
    checkpoint(&house);
    CHECK(pipeline_oldest_gap(house.pipeline, &gap, &since_ms, &position));
    CHECK(gap.epoch == epoch_of('A') && gap.from == 2 && gap.to == 3);
    CHECK(since_ms == ARRIVED_MS + 2000);
    CHECK(position == pipeline_needs_from(house.pipeline));
    put_given_up(&house, ARRIVED_MS + MINUTE_MS, 'A', 2, 3);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    advance(&house, 1000);
    checkpoint(&house);
    CHECK(!pipeline_oldest_gap(house.pipeline, &gap, &since_ms, &position));
    CHECK(pipeline_needs_from(house.pipeline) > position);
    house_close(&house);
}

/* ---- by chance -------------------------------------------------------------------- */

#define MINUTES 16
#define WORDS   64

struct chance {
    struct rng rng;
    double values[MINUTES + 1]; /* of each minute, from 1 */
    bool is_lost[MINUTES + 1];
    char words[WORDS][32];
    size_t count;
};

static void add_word(struct chance *chance, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_word(struct chance *chance, const char *format, ...)
{
    va_list arguments;
    CHECK(chance->count < WORDS);
    va_start(arguments, format);
    vsnprintf(chance->words[chance->count++], sizeof chance->words[0], format, arguments);
    va_end(arguments);
}

/*
 * A device that left epoch A at some minute: of what A held, some came under its name;
 * what was not proved is taken along, and one that is in neither is lost.
 */
static void make_words(struct chance *chance)
{
    unsigned left = 4 + (unsigned)rng_below(&chance->rng, 6);
    unsigned proved = 1 + (unsigned)rng_below(&chance->rng, left);
    unsigned seq = 1;
    for (unsigned minute = 1; minute <= MINUTES; minute++)
        chance->values[minute] = (double[]){5, 5, 9, 25, -5}[rng_below(&chance->rng, 5)];
    add_word(chance, "B%u/A%u", seq++, left);
    for (unsigned minute = 1; minute <= left; minute++) {
        bool is_there = minute <= proved || rng_chance(&chance->rng, 0.5);
        if (is_there)
            add_word(chance, "A%u=%g", minute, chance->values[minute]);
        if (minute > proved && !is_there && rng_chance(&chance->rng, 0.2)) {
            chance->is_lost[minute] = true;
            add_word(chance, "B%u-A%u", seq++, minute);
        } else if (minute > proved) {
            add_word(chance, "B%u@%u=%g/A%u", seq++, minute, chance->values[minute],
                     minute);
        }
    }
    for (unsigned minute = left + 1; minute <= MINUTES; minute++)
        add_word(chance, "B%u@%u=%g", seq++, minute, chance->values[minute]);
}

/* Each may come some places early or late. */
static void shuffle(struct chance *chance, uint64_t places)
{
    for (size_t i = 0; i + 1 < chance->count; i++) {
        char word[sizeof chance->words[0]];
        uint64_t room = chance->count - i < places ? chance->count - i : places;
        size_t other = i + rng_below(&chance->rng, room);
        memcpy(word, chance->words[i], sizeof word);
        memcpy(chance->words[i], chance->words[other], sizeof word);
        memcpy(chance->words[other], word, sizeof word);
    }
}

static void list_telling(void *context, const struct state_message *message)
{
    const char *event = strstr(message->body, "\"event\":\"");
    if (strstr(message->body, "\"rule\":\"slow\"") != NULL)
        return; /* what was said to be over too early is told as open again */
    add_line(context, "%s %.6s", message->incident, event + strlen("\"event\":\""));
}

static void check_told_once(struct state *state, const char *row)
{
    struct lines lines = {.count = 0};
    CHECK(state_page_messages(state, NULL, 0, 1000, &lines, list_telling) == ERR_OK);
    qsort(lines.lines, lines.count, sizeof lines.lines[0], compare_lines);
    for (size_t i = 1; i < lines.count; i++)
        CHECK_ROW(row, strcmp(lines.lines[i], lines.lines[i - 1]) != 0);
}

/* In one go, or in pieces with a crash behind each. */
static char *judged(const char *words, bool is_in_pieces)
{
    struct house house;
    house_open(&house);
    put_words(&house, words);
    pipeline_start(&house);
    for (unsigned i = 1; is_in_pieces && i < WORDS; i++) {
        advance(&house, i % 4 + 1);
        if (i % 3 == 0)
            checkpoint(&house);
        pipeline_close(house.pipeline);
        pipeline_start(&house);
    }
    advance(&house, 1000);
    check_told_once(house.state, words);
    char *incidents = incidents_of(house.state);
    house_close(&house);
    return incidents;
}

/* As one epoch, in order, without what is lost. */
static char *expected(const struct chance *chance)
{
    struct buf words = {0};
    unsigned seq = 1;
    for (unsigned minute = 1; minute <= MINUTES; minute++)
        if (!chance->is_lost[minute])
            buf_format(&words, "A%u@%u=%g ", seq++, minute, chance->values[minute]);
    char *incidents = judged(words.data, false);
    buf_fini(&words);
    return incidents;
}

static void any_order_of_arrival_gives_the_same_incidents(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct chance chance = {.rng = {.state = seed}};
        struct buf words = {0};
        make_words(&chance);
        char *want = expected(&chance);
        shuffle(&chance, 1 + seed % 12);
        buf_text(&words, seed % 2 == 0 ? "hello A" : "hello BA");
        for (size_t i = 0; i < chance.count; i++)
            buf_format(&words, " %s", chance.words[i]);
        char *got = judged(words.data, seed % 5 == 0);
        check_text(words.data, "incidents", got, want);
        free(got);
        free(want);
        buf_fini(&words);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"whatever comes first it is told once", whatever_comes_first_it_is_told_once},
        {"a crash behind every record changes nothing",
         a_crash_behind_every_record_changes_nothing},
        {"harm and sums wait for what is missing",
         harm_and_sums_wait_for_what_is_missing},
        {"an end that never comes can be given up",
         an_end_that_never_comes_can_be_given_up},
        {"any order of arrival gives the same incidents",
         any_order_of_arrival_gives_the_same_incidents},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("epochs", tests);
}
