// SPDX-License-Identifier: Apache-2.0
/* journal_repair - recovery, and a LOSS record for every damage that has none yet. */
#include <stdlib.h>

#include "base/mem.h"
#include "journal/internal.h"
#include "journal/journal_scan.h"

struct losses {
    struct journal_loss *items;
    size_t count;
    size_t capacity;
};

static void add_loss(struct losses *losses, const struct journal_loss *loss)
{
    mem_grow(&losses->items, &losses->capacity, losses->count + 1, sizeof *losses->items);
    losses->items[losses->count++] = *loss;
}

static bool is_covered(const struct losses *stored, const struct journal_loss *loss)
{
    for (size_t i = 0; i < stored->count; i++)
        if (stored->items[i].from <= loss->from && loss->to <= stored->items[i].to)
            return true;
    return false;
}

static enum err collect(struct journal *journal, struct losses *seen,
                        struct losses *stored)
{
    struct journal_reader *reader = NULL;
    struct journal_record record;
    enum err err = journal_reader_open(&reader, journal, 0);
    while (err == ERR_OK) {
        err = journal_reader_next(reader, &record);
        if (err == ERR_OK && record.type == JOURNAL_TYPE_LOSS)
            add_loss(record.in_place ? seen : stored, &record.loss);
    }
    journal_reader_close(reader);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err append_uncovered(struct journal *journal, const struct losses *seen,
                                 const struct losses *stored,
                                 struct journal_repair_report *report)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < seen->count && err == ERR_OK; i++) {
        if (is_covered(stored, &seen->items[i])) {
            report->losses_known++;
            continue;
        }
        pthread_mutex_lock(&journal->lock);
        err = journal_put_loss(journal, &seen->items[i]);
        pthread_mutex_unlock(&journal->lock);
        report->losses_appended++;
    }
    return err == ERR_OK ? journal_sync(journal, NULL) : err;
}

enum err journal_repair(const char *dir, const struct journal_options *options,
                        struct journal_repair_report *report, struct err_text *why)
{
    *report = (struct journal_repair_report){0};
    struct journal_options writing = *options;
    writing.read_only = false;
    struct losses seen = {0}, stored = {0};
    struct journal *journal = NULL;
    enum err err = journal_open(&journal, dir, &writing, &report->recovery, why);
    if (err != ERR_OK)
        return err;
    err = collect(journal, &seen, &stored);
    if (err == ERR_OK)
        err = append_uncovered(journal, &seen, &stored, report);
    report->losses_appended += report->recovery.loss_count;
    report->losses_known -= report->losses_known < report->recovery.loss_count
                                ? report->losses_known
                                : report->recovery.loss_count;
    enum err closed = journal_close(journal);
    err = err == ERR_OK ? closed : err;
    free(seen.items);
    free(stored.items);
    return err_set(err == ERR_OK ? NULL : why, err, "cannot repair %s: %s", dir,
                   err_about(err));
}
