// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_world - writes a world of the alert benchmark as files.
 *
 *   alerts_world room|freezer|van SEED DAYS CADENCE_S FOLDER
 *
 * FOLDER/KIND-SEED.csv gets the readings, FOLDER/KIND-SEED.jsonl the labels; standard
 * output says what adds up, as one line of JSON. The folder must exist.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/alerts_world.h"

#define FLUSH_BYTES (1024 * (size_t)1024)

struct files {
    const struct world_options *options;
    FILE *csv;
    FILE *labels;
    struct buf csv_text;
    struct buf label_text;
};

static void flush(FILE *file, struct buf *text)
{
    if (text->len > 0 && fwrite(text->data, 1, text->len, file) != text->len) {
        fprintf(stderr, "alerts_world: cannot write: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
    buf_clear(text);
}

static void on_sample(void *context, const struct world_sample *sample)
{
    struct files *files = context;
    world_csv(&files->csv_text, sample);
    if (files->csv_text.len >= FLUSH_BYTES)
        flush(files->csv, &files->csv_text);
}

static void on_label(void *context, const struct world_label *label)
{
    struct files *files = context;
    world_label_json(&files->label_text, files->options, label);
}

static FILE *open_file(const char *folder, const struct world_options *options,
                       const char *suffix)
{
    struct buf path = {0};
    buf_format(&path, "%s/%s-%" PRIu64 ".%s", folder, world_kind_name(options->kind),
               options->seed, suffix);
    FILE *file = fopen(path.data, "wb");
    if (file == NULL) {
        fprintf(stderr, "alerts_world: cannot write %s: %s\n", path.data,
                strerror(errno));
        exit(EXIT_FAILURE);
    }
    buf_fini(&path);
    return file;
}

static void close_file(FILE *file, struct buf *text)
{
    flush(file, text);
    buf_fini(text);
    if (fclose(file) != 0) {
        fprintf(stderr, "alerts_world: cannot write: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
}

static void write_world(const struct world_options *options, const char *folder)
{
    struct files files = {.options = options,
                          .csv = open_file(folder, options, "csv"),
                          .labels = open_file(folder, options, "jsonl")};
    struct world_sink sink = {&files, on_sample, on_label};
    struct world_totals totals;
    world_csv_header(&files.csv_text);
    world_run(options, &sink, &totals);
    close_file(files.csv, &files.csv_text);
    close_file(files.labels, &files.label_text);
    double ran_ms = (double)totals.ran_ms;
    printf("{\"world\": \"%s\", \"samples\": %" PRIu64 ", \"labels\": %" PRIu64
           ", \"harms\": %u, \"door_share\": %.4f, \"defrost_share\": %.4f, "
           "\"on_duty_share\": %.4f, \"calm_share\": %.4f}\n",
           world_kind_name(options->kind), totals.samples, totals.labels, totals.harms,
           (double)totals.door_ms / ran_ms, (double)totals.defrost_ms / ran_ms,
           (double)totals.on_duty_ms / ran_ms, (double)totals.calm_ms / ran_ms);
}

int main(int argc, char **argv)
{
    struct world_options options = {0};
    struct err_text why = {""};
    if (argc != 6 || !world_kind_parse(&options.kind, argv[1])) {
        fprintf(stderr,
                "usage: alerts_world room|freezer|van SEED DAYS CADENCE_S FOLDER\n");
        return EXIT_FAILURE;
    }
    options.seed = strtoull(argv[2], NULL, 10);
    options.days = (int)strtol(argv[3], NULL, 10);
    options.cadence_ms = strtol(argv[4], NULL, 10) * 1000;
    if (world_check(&options, &why) != ERR_OK) {
        fprintf(stderr, "alerts_world: %s\n", why.text);
        return EXIT_FAILURE;
    }
    write_world(&options, argv[5]);
    return EXIT_SUCCESS;
}
