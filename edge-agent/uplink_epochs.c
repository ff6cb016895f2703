// SPDX-License-Identifier: Apache-2.0
/* uplink_epochs - which packs are held and which of them the collector has. */
#include "edge-agent/uplink_core_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MARKS_VERSION     2
#define MARKS_VERSION_OLD 1 /* without what is proved */

struct agent_epoch *agent_find_epoch(const struct agent_core *core, uint64_t epoch)
{
    for (size_t i = core->epoch_count; i-- > 0;)
        if (core->epochs[i].epoch == epoch)
            return &core->epochs[i];
    return NULL;
}

struct agent_epoch *agent_add_epoch(struct agent_core *core, uint64_t epoch)
{
    mem_grow(&core->epochs, &core->epoch_capacity, core->epoch_count + 1,
             sizeof *core->epochs);
    struct agent_epoch *added = &core->epochs[core->epoch_count++];
    *added = (struct agent_epoch){
        .epoch = epoch, .first = 1, .next = 1, .live_from = 1, .live_next = 1};
    return added;
}

void agent_core_hold(struct agent_core *core, uint64_t epoch, uint64_t first,
                     uint64_t last)
{
    assert(first >= 1 && last + 1 >= first);
    assert(agent_find_epoch(core, epoch) == NULL && !core->is_connected);
    struct agent_epoch *held = agent_add_epoch(core, epoch);
    held->first = first;
    held->last = last;
    held->next = first;
}

bool agent_is_settled(const struct agent_epoch *epoch, uint64_t seq)
{
    return seqset_has(&epoch->done, seq) || seqset_has(&epoch->gone, seq);
}

bool agent_core_is_done(const struct agent_core *core, uint64_t epoch, uint64_t seq)
{
    const struct agent_epoch *held = agent_find_epoch(core, epoch);
    return held != NULL && seqset_has(&held->done, seq);
}

/* How many of [first, last] the set holds. */
uint64_t agent_count_within(const struct seqset *set, uint64_t first, uint64_t last)
{
    if (last < first)
        return 0;
    uint64_t count = 0;
    if (set->through >= first)
        count += (set->through < last ? set->through : last) - first + 1;
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t from = set->ranges[i].first > first ? set->ranges[i].first : first;
        uint64_t to = set->ranges[i].last < last ? set->ranges[i].last : last;
        if (from <= to)
            count += to - from + 1;
    }
    return count;
}

static uint64_t backlog_of(const struct agent_epoch *epoch)
{
    if (epoch->last < epoch->first)
        return 0;
    uint64_t held = epoch->last - epoch->first + 1;
    uint64_t done = agent_count_within(&epoch->done, epoch->first, epoch->last);
    /* Few packs are ever unreadable: counted one range at a time. */
    uint64_t gone = 0;
    for (uint32_t i = 0; i < epoch->gone.count; i++) {
        const struct seq_range *range = &epoch->gone.ranges[i];
        for (uint64_t seq = range->first; seq <= range->last; seq++)
            gone += seq >= epoch->first && !seqset_has(&epoch->done, seq);
    }
    for (uint64_t seq = epoch->first; seq <= epoch->gone.through; seq++)
        gone += !seqset_has(&epoch->done, seq);
    assert(done + gone <= held);
    return held - done - gone;
}

uint64_t agent_core_backlog(const struct agent_core *core)
{
    uint64_t count = 0;
    for (size_t i = 0; i < core->epoch_count; i++)
        count += backlog_of(&core->epochs[i]);
    return count;
}

void agent_core_save(const struct agent_core *core, struct buf *out)
{
    buf_u8(out, MARKS_VERSION);
    buf_blob(out, core->store, strlen(core->store));
    buf_u64(out, core->generation);
    buf_varint(out, core->epoch_count);
    for (size_t i = 0; i < core->epoch_count; i++) {
        buf_u64(out, core->epochs[i].epoch);
        seqset_save(&core->epochs[i].done, out);
        buf_varint(out, core->epochs[i].proved);
    }
}

static enum err load_epochs(struct agent_core *core, struct buf_reader *in, bool is_old,
                            bool apply)
{
    uint64_t count = buf_read_varint(in);
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        uint64_t epoch = buf_read_u64(in);
        struct seqset done = {0};
        if (seqset_load(&done, in) != ERR_OK) {
            seqset_fini(&done);
            return ERR_CORRUPT;
        }
        uint64_t proved = is_old ? done.through : buf_read_varint(in);
        struct agent_epoch *held = apply ? agent_find_epoch(core, epoch) : NULL;
        if (held != NULL) {
            seqset_fini(&held->done);
            held->done = done;
            held->proved = proved;
        } else {
            seqset_fini(&done);
        }
    }
    return in->failed ? ERR_CORRUPT : ERR_OK;
}

enum err agent_core_load(struct agent_core *core, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    uint8_t version = buf_read_u8(&in);
    bool is_old = version == MARKS_VERSION_OLD;
    if (version != MARKS_VERSION && !is_old)
        return ERR_CORRUPT;
    size_t store_len = 0;
    const char *store = buf_read_blob(&in, &store_len);
    uint64_t generation = buf_read_u64(&in);
    if (in.failed || store_len >= sizeof core->store)
        return ERR_CORRUPT;
    /* Once to see that it is sound, once to take it. */
    struct buf_reader check = in;
    if (load_epochs(core, &check, is_old, false) != ERR_OK || check.at != check.len)
        return ERR_CORRUPT;
    memcpy(core->store, store, store_len);
    core->store[store_len] = '\0';
    core->generation = generation;
    return load_epochs(core, &in, is_old, true);
}

static void say_epoch(const struct agent_core *core, size_t index, struct hello *hello)
{
    const struct agent_epoch *epoch = &core->epochs[index];
    hello->epochs[hello->epoch_count++] = (struct hello_epoch){
        .epoch = epoch->epoch,
        .first = epoch->first,
        .last = epoch->last,
        .is_current = index + 1 == core->epoch_count,
    };
}

/* The current epoch, then those with a backlog, oldest first, then the newest others. */
void agent_core_hello(const struct agent_core *core, struct hello *hello)
{
    *hello = (struct hello){.backlog = agent_core_backlog(core)};
    memcpy(hello->nonce, core->nonce, sizeof hello->nonce);
    if (core->epoch_count == 0)
        return;
    size_t current = core->epoch_count - 1;
    say_epoch(core, current, hello);
    for (size_t i = 0; i < current && hello->epoch_count < DELIVERY_EPOCHS_MAX; i++)
        if (backlog_of(&core->epochs[i]) > 0)
            say_epoch(core, i, hello);
    for (size_t i = current; i-- > 0 && hello->epoch_count < DELIVERY_EPOCHS_MAX;)
        if (backlog_of(&core->epochs[i]) == 0)
            say_epoch(core, i, hello);
}
