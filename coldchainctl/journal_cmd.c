// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/journal_record.h"
#include "coldchainctl/options.h"
#include "coldchainctl/progress.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"
#include "journal/journal_scan.h"

#define FACT_COLUMNS 12

struct journal_args {
    const char *dir;
    const char *from;
    const char *kind;
    double limit;
    bool wants_json;
    bool wants_all;
};

#define FIELD(option, kind_of, field, what, name_of, about) \
    { \
        .name = option, .type = kind_of, .offset = offsetof(struct journal_args, field), \
        .value = what, .arg = name_of, .help = about \
    }

static const struct option options[] = {
    FIELD("from", OPTION_TEXT, from, "a position", "P", "cat: not before this position"),
    FIELD(
        "kind", OPTION_TEXT, kind, "message, pack, config, ...", "K",
        "cat: message, start, stop, tick, config, command, result, skipped of a collector; pack, marks of an agent; loss"),
    {.name = "limit",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct journal_args, limit),
     .least = 1,
     .most = 1e15,
     .value = "a number of records",
     .arg = "N",
     .help = "cat: at most so many records"},
    FIELD("all", OPTION_FLAG, wants_all, NULL, NULL,
          "cat: the journal's own frames (begin, commit) too"),
    FIELD("json", OPTION_FLAG, wants_json, NULL, NULL,
          "machine-readable; cat: one object per line"),
    {.name = NULL},
};

/* ---- info and verify: the report ------------------------------------------------------
 */

struct segments {
    struct table table;
    struct progress progress;
    uint64_t passed; /* bytes of the segments before */
    json_t *json;
    bool only_damaged;
};

static bool is_sound(const struct journal_segment_info *segment)
{
    return !segment->lost && !segment->header_damaged && segment->chain_breaks == 0 &&
           segment->damaged_regions == 0;
}

static const char *segment_state(const struct journal_segment_info *segment)
{
    if (segment->spare)
        return say("spare");
    if (segment->lost)
        return say("LOST");
    return is_sound(segment) ? say("sound") : say("DAMAGED");
}

static const char *iso_or_dash(char text[CLOCK_ISO_MAX], int64_t ms)
{
    if (ms == 0)
        return "-";
    return clock_format_iso(text, ms);
}

static void segment_row(struct table *table, const struct journal_segment_info *segment)
{
    char first[CLOCK_ISO_MAX];
    char last[CLOCK_ISO_MAX];
    table_cell(table, "%" PRIu32, segment->number);
    table_cell(table, "%s", segment_state(segment));
    if (!segment->spare && !is_sound(segment))
        table_alarm(table);
    table_cell(table, "%" PRIu64, segment->records);
    table_cell(table, "%" PRIu64, segment->used_bytes);
    table_cell(table, "%" PRIu64, segment->file_bytes);
    table_cell(table, "%" PRIu64, segment->damaged_bytes);
    table_cell(table, "%s", iso_or_dash(first, segment->first_wall_ms));
    table_cell(table, "%s", iso_or_dash(last, segment->last_wall_ms));
}

static json_t *segment_json(const struct journal_segment_info *segment)
{
    char first[CLOCK_ISO_MAX];
    char last[CLOCK_ISO_MAX];
    return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s}", "number",
                     (json_int_t)segment->number, "state", segment_state(segment),
                     "records", (json_int_t)segment->records, "commits",
                     (json_int_t)segment->commits, "used_bytes",
                     (json_int_t)segment->used_bytes, "file_bytes",
                     (json_int_t)segment->file_bytes, "damaged_regions",
                     (json_int_t)segment->damaged_regions, "damaged_bytes",
                     (json_int_t)segment->damaged_bytes, "chain_breaks",
                     (json_int_t)segment->chain_breaks, "first",
                     iso_or_dash(first, segment->first_wall_ms), "last",
                     iso_or_dash(last, segment->last_wall_ms));
}

/* Of the segments: what there is to read. */
static uint64_t size_of(const char *dir)
{
    uint64_t total = 0;
    struct stat status;
    struct dirent *entry;
    DIR *list = opendir(dir);
    while (list != NULL && (entry = readdir(list)) != NULL)
        if (strncmp(entry->d_name, "segment-", 8) == 0 &&
            fstatat(dirfd(list), entry->d_name, &status, 0) == 0)
            total += (uint64_t)status.st_size;
    if (list != NULL)
        closedir(list);
    return total;
}

static void on_scanned(void *context, const struct journal_record *record)
{
    struct segments *segments = context;
    progress_set(&segments->progress, segments->passed + (uint32_t)record->position);
}

static void on_segment(void *context, const struct journal_segment_info *segment)
{
    struct segments *segments = context;
    segments->passed += segment->file_bytes;
    progress_set(&segments->progress, segments->passed);
    json_array_append_new(segments->json, segment_json(segment));
    if (!segments->only_damaged || !is_sound(segment))
        segment_row(&segments->table, segment);
}

static json_t *report_json(const struct journal_scan_report *report, json_t *segments)
{
    char id[2 * JOURNAL_ID_BYTES + 1];
    return json_pack(
        "{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "id",
        crypto_hex(id, report->id, sizeof report->id), "sound",
        journal_scan_is_sound(report), "generation", (json_int_t)report->generation,
        "first", (json_int_t)report->first, "end", (json_int_t)report->end,
        "synced_through", (json_int_t)report->synced_through, "records",
        (json_int_t)report->records, "losses_stored", (json_int_t)report->losses_stored,
        "damaged_regions", (json_int_t)report->damaged_regions, "damaged_bytes",
        (json_int_t)report->damaged_bytes, "chain_breaks",
        (json_int_t)report->chain_breaks, "tail_bytes", (json_int_t)report->tail_bytes,
        "segments", segments);
}

static void print_report(const struct journal_scan_report *report)
{
    char id[2 * JOURNAL_ID_BYTES + 1];
    show_fact(FACT_COLUMNS, "journal", "%s, generation %" PRIu64,
              crypto_hex(id, report->id, sizeof report->id), report->generation);
    show_fact(FACT_COLUMNS, "records", "%" PRIu64 " in %zu segments, %zu spare",
              report->records, report->segments, report->spares);
    show_fact(FACT_COLUMNS, "positions",
              "%" PRIu64 " to %" PRIu64 ", synced through %" PRIu64, report->first,
              report->end, report->synced_through);
    if (report->losses_stored > 0)
        show_fact(FACT_COLUMNS, "losses", "%" PRIu64 " recorded", report->losses_stored);
    if (report->tail_bytes > 0)
        show_fact(FACT_COLUMNS, "tail",
                  "%" PRIu64 " bytes behind the last record: a write that was "
                  "cut, or one under way",
                  report->tail_bytes);
    show_fact(FACT_COLUMNS, "sound", "%s",
              journal_scan_is_sound(report) ? say("yes") : say("NO"));
}

static void print_damage(const struct journal_scan_report *report, const char *dir)
{
    if (journal_scan_is_sound(report))
        return;
    printf(
        say("\n%" PRIu64 " damaged regions, %" PRIu64 " bytes, %" PRIu64
            " breaks of the chain. What is around them is kept and readable.\n"
            "'coldchainctl journal repair %s', with its daemon stopped, records what is "
            "lost; then look at the disk.\n"),
        report->damaged_regions, report->damaged_bytes, report->chain_breaks, dir);
}

static int look(const struct journal_args *args, bool is_verify)
{
    struct segments segments = {
        .table = {.headings = {">SEGMENT", "STATE", ">RECORDS", ">BYTES", ">FILE BYTES",
                               ">DAMAGED", "FIRST", "LAST"}},
        .json = json_array(),
        .only_damaged = is_verify,
    };
    const struct journal_options plain = {0};
    const struct journal_scan_visitor visitor = {
        .arg = &segments, .segment = on_segment, .record = on_scanned};
    struct journal_scan_report report;
    struct err_text why = {""};
    progress_begin(&segments.progress, say("check"), "B", size_of(args->dir));
    enum err err = journal_scan(args->dir, &plain, &visitor, &report, &why);
    progress_end(&segments.progress);
    if (err == ERR_OK && args->wants_json) {
        show_json(report_json(&report, segments.json));
    } else if (err == ERR_OK) {
        print_report(&report);
        if (segments.table.count > 0) {
            putchar('\n');
            table_print(&segments.table, stdout);
        }
        print_damage(&report, args->dir);
    }
    json_decref(segments.json);
    table_fini(&segments.table);
    if (err != ERR_OK)
        return command_fail("journal", err, &why);
    return is_verify && !journal_scan_is_sound(&report) ? COMMAND_FAILED : COMMAND_OK;
}

/* ---- cat ------------------------------------------------------------------------------
 */

struct cat {
    const struct journal_args *args;
    uint64_t from;
    uint64_t left;
};

static void on_record(void *context, const struct journal_record *record)
{
    struct cat *cat = context;
    bool is_frame =
        record->type == JOURNAL_TYPE_BEGIN || record->type == JOURNAL_TYPE_COMMIT;
    const char *kind = journal_record_kind(record);
    if (cat->left == 0 || record->position < cat->from ||
        (is_frame && !cat->args->wants_all) ||
        (cat->args->kind != NULL && strcmp(kind, cat->args->kind) != 0))
        return;
    cat->left--;
    if (cat->args->wants_json) {
        json_t *json = journal_record_json(record);
        json_dumpf(json, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(json);
        return;
    }
    char wall[CLOCK_ISO_MAX];
    struct buf text = {0};
    journal_record_line(record, &text);
    printf("%" PRIu64 " %s %s %s\n", record->position, iso_or_dash(wall, record->wall_ms),
           kind, text.len > 0 ? text.data : "");
    buf_fini(&text);
}

static int cat_records(const struct journal_args *args)
{
    struct cat cat = {.args = args, .left = UINT64_MAX};
    struct err_text why = {""};
    char *end = NULL;
    if (args->from != NULL) {
        cat.from = strtoull(args->from, &end, 10);
        if (end == args->from || *end != '\0')
            return command_usage("journal", "--from takes a position, not '%.40s'",
                                 args->from);
    }
    if (!isnan(args->limit))
        cat.left = (uint64_t)args->limit;
    const struct journal_options plain = {0};
    const struct journal_scan_visitor visitor = {.arg = &cat, .record = on_record};
    struct journal_scan_report report;
    enum err err = journal_scan(args->dir, &plain, &visitor, &report, &why);
    return err == ERR_OK ? COMMAND_OK : command_fail("journal", err, &why);
}

/* ---- repair ---------------------------------------------------------------------------
 */

static void print_repair(const struct journal_repair_report *report)
{
    const struct journal_recovery *recovery = &report->recovery;
    show_fact(FACT_COLUMNS, "records", "%" PRIu64 " kept", recovery->records);
    show_fact(FACT_COLUMNS, "cut", "%" PRIu64 " bytes of a torn tail",
              recovery->cut_bytes);
    show_fact(FACT_COLUMNS, "quarantined", "%zu files copied to quarantine/",
              recovery->quarantined);
    show_fact(FACT_COLUMNS, "losses", "%" PRIu64 " recorded now, %" PRIu64 " were known",
              report->losses_appended, report->losses_known);
    show_fact(FACT_COLUMNS, "generation", "%" PRIu64 "%s", recovery->generation,
              recovery->generation_bumped ? say(", raised: agents will be asked again")
                                          : "");
}

static int repair(const struct journal_args *args)
{
    const struct journal_options plain = {0};
    struct journal_scan_report before;
    struct journal_repair_report report;
    struct err_text why = {""};
    /* Opening would make a journal where a mistyped folder has none. */
    enum err err = journal_scan(args->dir, &plain, NULL, &before, &why);
    if (err == ERR_OK)
        err = journal_repair(args->dir, &plain, &report, &why);
    if (err == ERR_BUSY)
        err_set(&why, err, say("a daemon has %.200s open; stop it first"), args->dir);
    if (err != ERR_OK)
        return command_fail("journal", err, &why);
    if (!args->wants_json) {
        print_repair(&report);
        return COMMAND_OK;
    }
    show_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "records",
                        (json_int_t)report.recovery.records, "cut_bytes",
                        (json_int_t)report.recovery.cut_bytes, "quarantined",
                        (json_int_t)report.recovery.quarantined, "losses_known",
                        (json_int_t)report.losses_known, "losses_appended",
                        (json_int_t)report.losses_appended, "generation",
                        (json_int_t)report.recovery.generation, "generation_bumped",
                        report.recovery.generation_bumped));
    return COMMAND_OK;
}

static int journal_run(int argc, char **argv)
{
    struct journal_args args = {.limit = (double)NAN};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("journal", "%s", why.text);
    if (argc != 3)
        return command_usage("journal", "give info, verify, cat or repair, and the "
                                        "journal's folder");
    args.dir = argv[2];
    if (strcmp(argv[1], "info") == 0)
        return look(&args, false);
    if (strcmp(argv[1], "verify") == 0)
        return look(&args, true);
    if (strcmp(argv[1], "cat") == 0)
        return cat_records(&args);
    if (strcmp(argv[1], "repair") == 0)
        return repair(&args);
    return command_usage("journal", "'%.40s' is not info, verify, cat or repair",
                         argv[1]);
}

const struct command journal_command = {
    .name = "journal",
    .summary = "look into a journal's folder, check it, mend it; no daemon is needed",
    .verbs = "info verify cat repair",
    .usage = "info|verify DIR [--json]\n"
             "cat DIR [--from P] [--limit N] [--kind K] [--json]\n"
             "repair DIR [--json]\n",
    .about = "Works on the journal of a collector (DATA_DIR/journal) and of an agent "
             "alike. info, verify and cat take no lock and write nothing: beside a "
             "running daemon they may see a tail that is being written. verify checks "
             "every byte and the chain of hashes. repair needs the daemon stopped; it "
             "deletes nothing and records what is lost.\n",
    .options = options,
    .examples =
        "coldchainctl journal verify /var/lib/coldchain/collector/journal\n"
        "coldchainctl journal cat ./journal --kind command\n"
        "coldchainctl journal cat ./journal --json | jq -c 'select(.kind == \"message\")'\n",
    .statuses = "0 done and (verify) sound\n"
                "1 damaged, no journal there, or it cannot be read\n"
                "2 wrong usage\n",
    .run = journal_run,
};
