// SPDX-License-Identifier: Apache-2.0
#include "collector/skip.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/record.h"

void skip_record(struct journal *journal, struct guard *guard, enum guard_who who,
                 const struct journal_record *record, unsigned crashes)
{
    assert(crashes >= GUARD_CRASHES);
    metric_add(METRIC_SKIPPED, 1);
    if (!guard_is_news(guard, who, record->position))
        return;
    log_error("a record is passed over: it crashed the collector follower=%s "
              "position=%" PRIu64 " times=%u",
              guard_name(who), record->position, crashes);
    struct record_skipped skipped = {.position = record->position, .crashes = crashes};
    snprintf(skipped.who, sizeof skipped.who, "%s", guard_name(who));
    struct buf data = {0};
    record_skipped_format(&skipped, &data);
    const struct journal_piece piece = {data.data, data.len};
    if (journal_append(journal, RECORD_SKIPPED, record->wall_ms, record->boot_ms, &piece,
                       1, NULL) != ERR_OK)
        log_warn("that it is passed over could not be written down");
    buf_fini(&data);
}
