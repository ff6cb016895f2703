// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void outbox_fini(struct outbox *outbox)
{
    free(outbox->entries);
    *outbox = (struct outbox){0};
}

void outbox_clear(struct outbox *outbox)
{
    outbox->count = 0;
}

static bool has(const struct outbox *outbox, uint64_t epoch, uint64_t seq)
{
    for (size_t i = 0; i < outbox->count; i++)
        if (outbox->entries[i].seq == seq && outbox->entries[i].epoch == epoch)
            return true;
    return false;
}

void outbox_put(struct outbox *outbox, uint64_t epoch, uint64_t seq, bool is_live)
{
    assert(seq >= 1);
    if (has(outbox, epoch, seq))
        return;
    mem_grow(&outbox->entries, &outbox->capacity, outbox->count + 1,
             sizeof *outbox->entries);
    outbox->entries[outbox->count++] =
        (struct outbox_entry){.epoch = epoch, .seq = seq, .is_live = is_live};
}

bool outbox_take(struct outbox *outbox, struct outbox_entry *entry)
{
    if (outbox->count == 0)
        return false;
    size_t at = 0;
    while (at < outbox->count && !outbox->entries[at].is_live)
        at++;
    if (at == outbox->count)
        at = 0;
    *entry = outbox->entries[at];
    assert(entry->seq >= 1);
    outbox->count--;
    memmove(outbox->entries + at, outbox->entries + at + 1,
            (outbox->count - at) * sizeof *outbox->entries);
    return true;
}
