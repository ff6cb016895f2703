// SPDX-License-Identifier: Apache-2.0
/* uplink_epochs - which packs are held and which of them the collector has. */
#include "edge-agent/uplink_core_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MARKS_VERSION        3
#define MARKS_VERSION_MARK   2 /* what is proved is one mark, what moved is not saved */
#define MARKS_VERSION_OLDEST 1 /* without what is proved */

struct agent_epoch *agent_find_epoch(const struct agent_core *core, uint64_t epoch)
{
    for (size_t i = core->epoch_count; i-- > 0;)
        if (core->epochs[i].epoch == epoch)
            return &core->epochs[i];
    return NULL;
}

struct agent_epoch *agent_add_epoch(struct agent_core *core, uint64_t epoch)
{
    assert(agent_find_epoch(core, epoch) == NULL);
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
    return seqset_has(&epoch->done, seq) || seqset_has(&epoch->gone, seq) ||
           seqset_has(&epoch->moved, seq);
}

/* The nearest of the ends, and whether one of the sets has it. */
static bool run_of(const struct seqset *const sets[], size_t count, uint64_t seq,
                   uint64_t *last)
{
    bool is_in = false;
    *last = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t end;
        is_in |= seqset_run(sets[i], seq, &end);
        *last = end < *last ? end : *last;
    }
    return is_in;
}

bool agent_run_is_kept(const struct agent_epoch *epoch, uint64_t seq, uint64_t *last)
{
    const struct seqset *const sets[] = {&epoch->gone, &epoch->moved};
    return !run_of(sets, 2, seq, last);
}

bool agent_core_is_done(const struct agent_core *core, uint64_t epoch, uint64_t seq)
{
    const struct agent_epoch *held = agent_find_epoch(core, epoch);
    return held != NULL &&
           (seqset_has(&held->done, seq) || seqset_has(&held->moved, seq));
}

bool agent_core_is_proved(const struct agent_core *core, const struct ack *ack,
                          uint64_t epoch, uint64_t seq)
{
    const struct agent_epoch *held = agent_find_epoch(core, epoch);
    return held != NULL && ack->generation == core->generation &&
           strcmp(ack->store, core->store) == 0 && seqset_has(&held->proved, seq);
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
    const struct seqset *const sets[] = {&epoch->done, &epoch->gone, &epoch->moved};
    uint64_t count = 0;
    uint64_t last = 0;
    for (uint64_t seq = epoch->first; seq <= epoch->last && seq > last; seq = last + 1) {
        bool is_settled = run_of(sets, 3, seq, &last);
        if (last > epoch->last)
            last = epoch->last;
        count += is_settled ? 0 : last - seq + 1;
    }
    return count;
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
        seqset_save(&core->epochs[i].proved, out);
        seqset_save(&core->epochs[i].moved, out);
    }
}

/* The marks of one epoch, into zeroed sets. */
static enum err load_sets(struct agent_epoch *marks, struct buf_reader *in,
                          uint8_t version)
{
    enum err err = seqset_load(&marks->done, in);
    if (version == MARKS_VERSION) {
        if (err == ERR_OK)
            err = seqset_load(&marks->proved, in);
        return err == ERR_OK ? seqset_load(&marks->moved, in) : err;
    }
    uint64_t through = marks->done.through;
    marks->proved.through =
        version == MARKS_VERSION_OLDEST ? through : buf_read_varint(in);
    return err;
}

static void swap_sets(struct agent_epoch *a, struct agent_epoch *b)
{
    struct agent_epoch swap = *a;
    a->done = b->done;
    a->proved = b->proved;
    a->moved = b->moved;
    b->done = swap.done;
    b->proved = swap.proved;
    b->moved = swap.moved;
}

static void fini_sets(struct agent_epoch *epoch)
{
    seqset_fini(&epoch->done);
    seqset_fini(&epoch->proved);
    seqset_fini(&epoch->moved);
}

static enum err load_epochs(struct agent_core *core, struct buf_reader *in,
                            uint8_t version, bool apply)
{
    uint64_t count = buf_read_varint(in);
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        uint64_t epoch = buf_read_u64(in);
        struct agent_epoch marks = {0};
        enum err err = load_sets(&marks, in, version);
        struct agent_epoch *held = apply ? agent_find_epoch(core, epoch) : NULL;
        if (err == ERR_OK && held != NULL)
            swap_sets(held, &marks);
        fini_sets(&marks);
        if (err != ERR_OK)
            return err;
    }
    return in->failed ? ERR_CORRUPT : ERR_OK;
}

enum err agent_core_load(struct agent_core *core, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    uint8_t version = buf_read_u8(&in);
    if (version < MARKS_VERSION_OLDEST || version > MARKS_VERSION)
        return ERR_CORRUPT;
    size_t store_len = 0;
    const char *store = buf_read_blob(&in, &store_len);
    uint64_t generation = buf_read_u64(&in);
    if (in.failed || store_len >= sizeof core->store)
        return ERR_CORRUPT;
    /* Once to see that it is sound, once to take it. */
    struct buf_reader check = in;
    if (load_epochs(core, &check, version, false) != ERR_OK || check.at != check.len)
        return ERR_CORRUPT;
    memcpy(core->store, store, store_len);
    core->store[store_len] = '\0';
    core->generation = generation;
    return load_epochs(core, &in, version, true);
}

static void say_epoch(const struct agent_core *core, size_t index, struct hello *hello)
{
    assert(index < core->epoch_count && hello->epoch_count < DELIVERY_EPOCHS_MAX);
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
