// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/collector_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "collector/pipeline/seams.h"
#include "collector/pipeline/slots.h"

/* One step under way. */
struct step {
    struct collector_core *core;
    struct collector_device *device;
    const struct collector_event *event;
    struct collector_actions *actions;
};

static void act(const struct step *step, struct collector_action action)
{
    struct collector_actions *actions = step->actions;
    assert(actions->count < COLLECTOR_ACTIONS_MAX);
    actions->list[actions->count++] = action;
}

void collector_core_init(struct collector_core *core, const char *store,
                         uint64_t generation, int64_t interval_ms, uint32_t credits)
{
    assert(credits > 0 && interval_ms > 0 && strlen(store) < sizeof core->store);
    *core = (struct collector_core){
        .generation = generation,
        .interval_ms = interval_ms,
        .credits = credits,
        .ranges_max = COLLECTOR_RANGES_MAX,
        .slots_max = COLLECTOR_SLOTS,
    };
    memcpy(core->store, store, strlen(store));
}

/* ---- epochs ----------------------------------------------------------------------- */

struct collector_epoch *collector_find_epoch(const struct collector_device *device,
                                             uint64_t epoch)
{
    for (size_t i = device->epoch_count; i > 0; i--)
        if (device->epochs[i - 1].epoch == epoch)
            return &device->epochs[i - 1];
    return NULL;
}

static void epoch_fini(struct collector_epoch *epoch)
{
    window_fini(&epoch->window);
    seqset_fini(&epoch->rejected);
    seqset_fini(&epoch->closed);
    free(epoch->seams);
    free(epoch->held);
}

/* Named once and never heard of again. */
static bool is_empty(const struct collector_epoch *epoch)
{
    return seqset_highest(&epoch->window.taken) == 0 && !epoch->is_ended &&
           !epoch->is_forked;
}

/*
 * Ended, all of it is in and had its turn, and the device holds nothing of it any more.
 * What comes again all the same is known to the history, which forgets no name.
 */
static bool is_over(const struct collector_epoch *epoch)
{
    return epoch->is_ended && !epoch->is_named && epoch->held_count == 0 &&
           epoch->window.taken.through >= epoch->last && epoch->window.taken.count == 0;
}

/* Makes room for another one by the oldest that can be spared; false without any. */
static bool drop_one(struct collector_device *device,
                     bool (*can_go)(const struct collector_epoch *epoch))
{
    for (size_t i = 0; i < device->epoch_count; i++) {
        struct collector_epoch *epoch = &device->epochs[i];
        if (epoch->epoch == device->current || !can_go(epoch))
            continue;
        epoch_fini(epoch);
        device->epoch_count--;
        memmove(epoch, epoch + 1, (device->epoch_count - i) * sizeof *epoch);
        return true;
    }
    return false;
}

struct collector_epoch *collector_epoch_of(struct collector_device *device,
                                           uint64_t epoch)
{
    struct collector_epoch *known = collector_find_epoch(device, epoch);
    if (known != NULL)
        return known;
    if (device->epoch_count >= COLLECTOR_EPOCHS_MAX && !drop_one(device, is_empty) &&
        !drop_one(device, is_over))
        return NULL;
    assert(device->epoch_count < COLLECTOR_EPOCHS_MAX);
    /* Exactly as many as there are: nearly always it is one. */
    device->epochs =
        mem_realloc(device->epochs, (device->epoch_count + 1) * sizeof *device->epochs);
    struct collector_epoch *added = &device->epochs[device->epoch_count++];
    *added = (struct collector_epoch){.epoch = epoch};
    return added;
}

static uint64_t through_of(const struct collector_epoch *epoch)
{
    return epoch->window.taken.through;
}

/* ---- when to ack and to ask ------------------------------------------------------- */

static void ack_by(const struct step *step, int64_t at_ms)
{
    struct collector_device *device = step->device;
    if (device->ack_due_ms != 0 && device->ack_due_ms <= at_ms)
        return;
    device->ack_due_ms = at_ms;
    act(step, (struct collector_action){.kind = COLLECTOR_ACK_AT, .at_ms = at_ms});
}

static void note_unacked(const struct step *step)
{
    uint32_t credits = collector_core_credits(step->core);
    bool at_once = step->device->unacked >= (credits + 1) / 2;
    ack_by(step, step->event->real_ms + (at_once ? 0 : step->core->interval_ms));
}

/* A backlog is acked when its next slot comes, or it is through. */
static void note_backlog(const struct step *step)
{
    bool is_through = !slots_took(step->core, step->device);
    ack_by(step, step->event->real_ms + (is_through ? 0 : step->core->interval_ms));
}

static bool is_missing_some(const struct collector_epoch *epoch)
{
    return epoch->window.taken.count > 0 || through_of(epoch) < epoch->gone ||
           through_of(epoch) < epoch->last;
}

bool collector_first_gap(const struct collector_epoch *epoch, struct seq_range *gap)
{
    uint64_t end = epoch->last > epoch->gone ? epoch->last : epoch->gone;
    if (seqset_first_gap(&epoch->window.taken, gap))
        return true;
    *gap = (struct seq_range){.first = through_of(epoch) + 1, .last = end};
    return gap->first <= gap->last;
}

bool collector_is_held_there(const struct collector_epoch *epoch)
{
    struct seq_range gap;
    bool is_lost = epoch->is_left && epoch->said > 0 &&
                   collector_first_gap(epoch, &gap) && gap.first > epoch->said;
    return epoch->is_named && !is_lost;
}

/* The device holds it, and of it something is still to come. */
static bool is_awaited(const struct collector_epoch *epoch)
{
    return is_missing_some(epoch) && collector_is_held_there(epoch);
}

/* Packs that wait for a gap, in an epoch that the device holds. */
static bool is_waiting(const struct collector_epoch *epoch)
{
    return epoch->held_count > 0 && collector_is_held_there(epoch);
}

static bool is_other_waiting(const struct collector_device *device,
                             const struct collector_epoch *epoch)
{
    for (size_t i = 0; i < device->epoch_count; i++)
        if (&device->epochs[i] != epoch && is_waiting(&device->epochs[i]))
            return true;
    return false;
}

static bool is_other_awaited(const struct collector_device *device,
                             const struct collector_epoch *epoch)
{
    for (size_t i = 0; i < device->epoch_count; i++)
        if (&device->epochs[i] != epoch && is_awaited(&device->epochs[i]))
            return true;
    return false;
}

/* What is missing may be older, and so may what waits for it: all of it goes together. */
static bool has_turn(const struct collector_device *device,
                     const struct collector_epoch *epoch)
{
    return epoch->held_count > 0 && epoch->held[0].seq <= through_of(epoch) &&
           !is_other_awaited(device, epoch) &&
           !(is_awaited(epoch) && is_other_waiting(device, epoch));
}

/* A gap that has just come may close by itself: what is late is on its way. */
static void watch_gaps(const struct step *step, struct collector_epoch *epoch,
                       bool has_moved)
{
    if (!is_missing_some(epoch)) {
        epoch->ask_due_ms = 0;
        epoch->asked = 0;
        return;
    }
    if (epoch->ask_due_ms == 0 && epoch->window.taken.count > 0)
        slots_want(step->device);
    if (epoch->ask_due_ms == 0 || has_moved) {
        epoch->asked = 0;
        epoch->ask_due_ms = step->event->real_ms + 2 * step->core->interval_ms;
    }
    if (step->device->nonce[0] != '\0')
        ack_by(step, epoch->ask_due_ms);
}

/* Asked again less and less often. */
static void note_asked(const struct step *step, struct collector_epoch *epoch)
{
    assert(epoch->ask_due_ms != 0);
    int64_t wait_ms = 2 * step->core->interval_ms;
    for (uint8_t i = 0; i <= epoch->asked && wait_ms < COLLECTOR_ASK_MAX_MS; i++)
        wait_ms *= 2;
    if (epoch->asked < UINT8_MAX)
        epoch->asked++;
    epoch->ask_due_ms = step->event->real_ms + wait_ms;
}

static void on_ack_sent(const struct step *step)
{
    struct collector_device *device = step->device;
    device->unacked = 0;
    device->ack_due_ms = 0;
    slots_told(step->core, device, step->event->real_ms);
    for (size_t i = 0; i < device->epoch_count; i++) {
        struct collector_epoch *epoch = &device->epochs[i];
        if (epoch->ask_due_ms == 0)
            continue;
        if (epoch->ask_due_ms <= step->event->real_ms)
            note_asked(step, epoch);
        if (device->nonce[0] != '\0')
            ack_by(step, epoch->ask_due_ms);
    }
}

uint32_t collector_core_credits(const struct collector_core *core)
{
    if (core->backlog_max == 0 || core->backlog <= core->backlog_max / 2)
        return core->credits;
    if (core->backlog >= core->backlog_max)
        return 1;
    double room =
        (double)(core->backlog_max - core->backlog) / ((double)core->backlog_max / 2);
    uint32_t credits = (uint32_t)(room * core->credits);
    return credits > 0 ? credits : 1;
}

/* ---- forks ------------------------------------------------------------------------ */

static void note_fork(const struct step *step, struct collector_epoch *epoch)
{
    ack_by(step, step->event->real_ms);
    if (epoch->is_forked)
        return;
    epoch->is_forked = true;
    act(step, (struct collector_action){.kind = COLLECTOR_ORDER_NEW_EPOCH,
                                        .epoch = epoch->epoch});
}

/* ---- hello ------------------------------------------------------------------------ */

/* True when that session has not been heard of, as far as is remembered. */
static bool note_nonce(struct collector_device *device, const char *nonce)
{
    uint32_t hash = (uint32_t)rng_seed_of(nonce);
    for (size_t i = 0; i < COLLECTOR_NONCES; i++)
        if (device->nonces[i] == hash)
            return false;
    device->nonces[device->nonce_at] = hash;
    device->nonce_at = (uint8_t)((device->nonce_at + 1) % COLLECTOR_NONCES);
    return true;
}

/* A device leaves an epoch once; going back is another device, or an older copy of it. */
static void note_current(const struct step *step, uint64_t current)
{
    struct collector_device *device = step->device;
    if (current == 0 || current == device->current)
        return;
    struct collector_epoch *left = collector_find_epoch(device, device->current);
    struct collector_epoch *begun = collector_find_epoch(device, current);
    device->current = current;
    if (left != NULL)
        left->is_left = true;
    if (begun == NULL || !begun->is_left)
        return;
    if (++device->returns < COLLECTOR_RETURNS)
        return;
    device->returns = 0;
    if (device->is_twin)
        return;
    device->is_twin = true;
    act(step, (struct collector_action){.kind = COLLECTOR_TWINS, .epoch = current});
}

static void take_hello_epoch(const struct step *step, const struct hello_epoch *said,
                             bool is_new)
{
    struct collector_epoch *epoch = collector_epoch_of(step->device, said->epoch);
    if (epoch == NULL)
        return;
    epoch->is_named = true;
    epoch->said = said->last;
    if (said->first - 1 > epoch->gone)
        epoch->gone = said->first - 1;
    uint64_t highest = seqset_highest(&epoch->window.taken);
    if (is_new && said->last < highest)
        act(step, (struct collector_action){.kind = COLLECTOR_REGRESSED,
                                            .epoch = epoch->epoch,
                                            .from = said->last,
                                            .to = highest});
    /* What the device says it has no more will not come by itself. */
    if (through_of(epoch) < epoch->gone)
        epoch->ask_due_ms = step->event->real_ms;
    watch_gaps(step, epoch, false);
}

/* What waited for an epoch that the device does not hold any more. */
static void release_waiting(const struct step *step)
{
    for (size_t i = 0; i < step->device->epoch_count; i++) {
        const struct collector_epoch *epoch = &step->device->epochs[i];
        if (!has_turn(step->device, epoch))
            continue;
        act(step,
            (struct collector_action){.kind = COLLECTOR_RELEASE, .epoch = epoch->epoch});
        return;
    }
}

static void on_hello(const struct step *step, const struct hello *hello)
{
    struct collector_device *device = step->device;
    bool is_new = note_nonce(device, hello->nonce);
    memcpy(device->nonce, hello->nonce, sizeof device->nonce);
    for (size_t i = 0; i < device->epoch_count; i++) {
        device->epochs[i].is_named = false;
        device->epochs[i].said = 0;
    }
    slots_hello(step->core, device, hello->backlog);
    /* The current one is the newest, and said first. */
    for (size_t i = 0; i < hello->epoch_count; i++)
        if (!hello->epochs[i].is_current)
            take_hello_epoch(step, &hello->epochs[i], is_new);
    for (size_t i = 0; i < hello->epoch_count; i++)
        if (hello->epochs[i].is_current)
            take_hello_epoch(step, &hello->epochs[i], is_new);
    for (size_t i = 0; i < hello->epoch_count && is_new; i++)
        if (hello->epochs[i].is_current)
            note_current(step, hello->epochs[i].epoch);
    release_waiting(step);
    ack_by(step, step->event->real_ms);
}

/* ---- packs ------------------------------------------------------------------------ */

static void act_on(const struct step *step, enum collector_action_kind kind,
                   uint64_t epoch, uint64_t seq)
{
    act(step, (struct collector_action){.kind = kind, .epoch = epoch, .seq = seq});
}

static bool has_room(const struct step *step, const struct collector_epoch *epoch,
                     uint64_t seq)
{
    const struct collector_device *device = step->device;
    if (seq == through_of(epoch) + 1)
        return true;
    if (step->core->ranges >= step->core->ranges_max)
        return false;
    uint64_t ranges = 0;
    for (size_t i = 0; i < device->epoch_count; i++)
        ranges += device->epochs[i].window.taken.count;
    return ranges < SEQSET_RANGES_MAX;
}

static void count_ranges(const struct step *step, const struct collector_epoch *epoch,
                         uint32_t before)
{
    step->core->ranges += epoch->window.taken.count;
    assert(step->core->ranges >= before);
    step->core->ranges -= before;
}

void collector_epoch_hold(struct collector_epoch *epoch, struct collector_held held)
{
    assert(held.seq > epoch->evaluated);
    mem_grow(&epoch->held, &epoch->held_capacity, epoch->held_count + 1,
             sizeof *epoch->held);
    size_t at = epoch->held_count++;
    for (; at > 0 && epoch->held[at - 1].seq > held.seq; at--)
        epoch->held[at] = epoch->held[at - 1];
    epoch->held[at] = held;
}

size_t collector_core_turns(const struct collector_device *device,
                            struct collector_epoch *turns[COLLECTOR_EPOCHS_MAX])
{
    assert(device->epoch_count <= COLLECTOR_EPOCHS_MAX);
    size_t count = 0;
    for (size_t i = 0; i < device->epoch_count; i++)
        if (has_turn(device, &device->epochs[i]))
            turns[count++] = &device->epochs[i];
    return count;
}

bool collector_core_next(const struct collector_device *device,
                         struct collector_epoch *epoch, struct collector_held *next)
{
    uint64_t limit = through_of(epoch);
    if (epoch->held_count == 0 || epoch->held[0].seq > limit) {
        if (epoch->evaluated < limit)
            epoch->evaluated = limit;
        return false;
    }
    if (!has_turn(device, epoch))
        return false;
    *next = epoch->held[0];
    epoch->held_count--;
    memmove(epoch->held, epoch->held + 1, epoch->held_count * sizeof *epoch->held);
    assert(next->seq > epoch->evaluated);
    epoch->evaluated = next->seq;
    return true;
}

/* After the window of that epoch has changed. */
static void after_change(const struct step *step, struct collector_epoch *epoch,
                         uint64_t through_before)
{
    bool has_moved = through_of(epoch) != through_before;
    if (has_moved && epoch->held_count > 0 && epoch->held[0].seq > through_before + 1)
        epoch->held_since_ms = step->event->wall_ms;
    watch_gaps(step, epoch, has_moved);
    if (has_moved)
        act_on(step, COLLECTOR_RELEASE, epoch->epoch, 0);
}

static void add_closed(struct collector_epoch *epoch, uint64_t from, uint64_t to)
{
    if (seqset_add_range(&epoch->closed, from, to) != ERR_LIMIT)
        return;
    /* Too torn to be exact: all of it, which costs packs under a second name. */
    uint64_t highest = seqset_highest(&epoch->closed);
    enum err err = seqset_add_range(&epoch->closed, 1, highest > to ? highest : to);
    assert(err == ERR_OK);
    seams_drop_closed(epoch);
}

/* Those of [from, to] that have no pack. */
static void note_closed(struct collector_epoch *epoch, uint64_t from, uint64_t to)
{
    uint64_t last = 0;
    for (uint64_t seq = from; last < to; seq = last + 1) {
        bool is_taken = seqset_run(&epoch->window.taken, seq, &last);
        if (is_taken)
            continue;
        add_closed(epoch, seq, last < to ? last : to);
        if (seq > 1 && seqset_has(&epoch->window.taken, seq - 1))
            seams_add(epoch, seq - 1, window_hash(&epoch->window, seq - 1));
    }
}

/* [from, to] of it will never come under these names. */
static void close_range(const struct step *step, struct collector_epoch *epoch,
                        uint64_t from, uint64_t to, bool is_loss)
{
    assert(from <= to);
    uint32_t ranges = epoch->window.taken.count;
    uint64_t through = through_of(epoch);
    note_closed(epoch, from, to);
    if (window_close(&epoch->window, from, to) != ERR_OK)
        return; /* known before; or no room: it is asked for again, and said again */
    count_ranges(step, epoch, ranges);
    if (is_loss)
        act(step,
            (struct collector_action){
                .kind = COLLECTOR_LOSS, .epoch = epoch->epoch, .from = from, .to = to});
    after_change(step, epoch, through);
}

static void end_epoch(const struct step *step, struct collector_epoch *epoch,
                      uint64_t last)
{
    /* It ends below what was taken, or twice: another device was here, or an older copy
     * of it. */
    if (last < seqset_highest(&epoch->window.taken) ||
        (epoch->is_ended && last != epoch->last))
        note_fork(step, epoch);
    epoch->is_ended = true;
    if (last > epoch->last)
        epoch->last = last;
    watch_gaps(step, epoch, false);
}

/* LOSS, THINNED and EPOCH_END count at once: they may stand behind what they close. */
static void take_control(const struct step *step, const struct collector_pack *pack)
{
    if (pack->kind != PACK_LOSS && pack->kind != PACK_THINNED &&
        pack->kind != PACK_EPOCH_END)
        return;
    uint64_t name = pack->ended != 0 ? pack->ended : pack->epoch;
    struct collector_epoch *epoch = collector_epoch_of(step->device, name);
    if (epoch == NULL)
        return;
    if (pack->kind == PACK_EPOCH_END) {
        end_epoch(step, epoch, pack->to);
        return;
    }
    if (pack->tells_fork)
        note_fork(step, epoch);
    /* In its own epoch a pack can speak of those before it only. */
    bool is_sound = pack->from > 0 && pack->from <= pack->to &&
                    (name != pack->epoch || pack->to < pack->seq);
    if (is_sound)
        close_range(step, epoch, pack->from, pack->to, pack->kind == PACK_LOSS);
}

static void give_turn(const struct step *step, struct collector_epoch *epoch,
                      const struct collector_pack *pack)
{
    bool is_behind = epoch->held_count > 0 && epoch->held[0].seq < pack->seq;
    if (pack->seq > through_of(epoch) || is_behind ||
        is_other_awaited(step->device, epoch) || is_other_waiting(step->device, epoch)) {
        if (!pack->is_live)
            return;
        if (epoch->held_count == 0)
            epoch->held_since_ms = step->event->wall_ms;
        collector_epoch_hold(epoch, (struct collector_held){pack->seq, pack->position});
        act_on(step, COLLECTOR_HOLD, pack->epoch, pack->seq);
        return;
    }
    if (pack->seq > epoch->evaluated)
        epoch->evaluated = pack->seq;
    if (pack->is_live)
        act_on(step, COLLECTOR_ACCEPT, pack->epoch, pack->seq);
}

/* The name is new: it is taken now, whatever the pack holds. */
static void take_new(const struct step *step, struct collector_epoch *epoch,
                     const struct collector_pack *pack, uint64_t through)
{
    step->device->unacked++;
    if (!pack->is_readable) {
        if (seqset_add(&epoch->rejected, pack->seq) != ERR_OK) {
            /* Too many to list: told as taken, which is as true. */
        }
        act_on(step, COLLECTOR_REJECT, pack->epoch, pack->seq);
        after_change(step, epoch, through);
        return;
    }
    take_control(step, pack);
    epoch = collector_find_epoch(step->device, pack->epoch); /* may have moved */
    assert(epoch != NULL);
    if (epoch->is_ended && pack->seq > epoch->last)
        note_fork(step, epoch); /* one device ended it, another goes on */
    give_turn(step, epoch, pack);
    after_change(step, epoch, through);
}

/* A new one was begun since the last hello. */
static struct collector_epoch *epoch_of_pack(struct collector_device *device,
                                             uint64_t name)
{
    struct collector_epoch *epoch = collector_find_epoch(device, name);
    if (epoch != NULL)
        return epoch;
    epoch = collector_epoch_of(device, name);
    if (epoch != NULL)
        epoch->is_named = device->nonce[0] != '\0';
    return epoch;
}

static void acknowledge(const struct step *step, const struct collector_pack *pack,
                        uint64_t highest)
{
    const struct collector_epoch *epoch = collector_find_epoch(step->device, pack->epoch);
    assert(epoch != NULL); /* it was taken */
    if (slots_is_backlog(epoch, pack->seq, highest))
        note_backlog(step);
    else
        note_unacked(step);
}

static void on_pack(const struct step *step, const struct collector_pack *pack)
{
    struct collector_epoch *epoch = epoch_of_pack(step->device, pack->epoch);
    if (epoch == NULL) {
        act_on(step, COLLECTOR_REFUSE, pack->epoch, pack->seq);
        return;
    }
    uint32_t ranges = epoch->window.taken.count;
    uint64_t through = through_of(epoch);
    uint64_t highest = seqset_highest(&epoch->window.taken);
    uint64_t previous = pack->is_readable ? pack->previous_hash : 0;
    enum window_verdict verdict =
        window_judge(&epoch->window, pack->seq, pack->hash, previous);
    if (verdict == WINDOW_NEW)
        verdict = has_room(step, epoch, pack->seq)
                      ? window_take(&epoch->window, pack->seq, pack->hash, previous)
                      : WINDOW_FULL;
    switch (verdict) {
    case WINDOW_NEW:
        count_ranges(step, epoch, ranges);
        seams_add(epoch, pack->seq, pack->hash);
        take_new(step, epoch, pack, through);
        acknowledge(step, pack, highest);
        break;
    case WINDOW_DUPLICATE:
        act_on(step, COLLECTOR_DROP, pack->epoch, pack->seq);
        ack_by(step, step->event->real_ms);
        break;
    case WINDOW_FORK:
        act_on(step, COLLECTOR_FORK, pack->epoch, pack->seq);
        note_fork(step, epoch);
        break;
    case WINDOW_FULL:
        act_on(step, COLLECTOR_REFUSE, pack->epoch, pack->seq);
        watch_gaps(step, epoch, false);
        break;
    }
}

static void on_give_up(const struct step *step, uint64_t name)
{
    struct collector_epoch *epoch = collector_find_epoch(step->device, name);
    struct seq_range gap;
    if (epoch != NULL && collector_first_gap(epoch, &gap))
        close_range(step, epoch, gap.first, gap.last, true);
}

/* Once, and behind the pack at hand: it may be older than what it closes a gap for. */
static void release_last(struct collector_actions *actions)
{
    struct collector_action release = {.kind = COLLECTOR_ACK_AT};
    size_t kept = 0;
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->list[i].kind == COLLECTOR_RELEASE)
            release = actions->list[i];
        else
            actions->list[kept++] = actions->list[i];
    }
    if (release.kind == COLLECTOR_RELEASE)
        actions->list[kept++] = release;
    actions->count = kept;
}

void collector_core_step(struct collector_core *core, struct collector_device *device,
                         const struct collector_event *event,
                         struct collector_actions *actions)
{
    // cppcheck-suppress ctuuninitvar ; filled here, and too large to be cleared per pack
    const struct step step = {core, device, event, actions};
    assert(event->real_ms > 0);
    assert(event->kind != COLLECTOR_HELLO || event->hello != NULL);
    assert(event->kind != COLLECTOR_PACK || event->pack != NULL);
    actions->count = 0;
    switch (event->kind) {
    case COLLECTOR_HELLO:
        on_hello(&step, event->hello);
        break;
    case COLLECTOR_PACK:
        on_pack(&step, event->pack);
        break;
    case COLLECTOR_ACK_SENT:
        on_ack_sent(&step);
        break;
    case COLLECTOR_GIVE_UP:
        on_give_up(&step, event->epoch);
        break;
    }
    release_last(actions);
}

/* ---- what an ack says ------------------------------------------------------------- */

/* What has no room is told once the gaps before it are closed. */
static size_t copy_ranges(struct seq_range to[DELIVERY_RANGES_MAX],
                          const struct seqset *from)
{
    size_t count = from->count < DELIVERY_RANGES_MAX ? from->count : DELIVERY_RANGES_MAX;
    if (count > 0)
        memcpy(to, from->ranges, count * sizeof *to);
    return count;
}

static void fill_rejected(struct ack_epoch *ack, const struct seqset *rejected)
{
    ack->rejected_count = copy_ranges(ack->rejected, rejected);
    if (rejected->through > 0 && ack->rejected_count < DELIVERY_RANGES_MAX)
        ack->rejected[ack->rejected_count++] =
            (struct seq_range){.first = 1, .last = rejected->through};
}

/* None is left out: the oldest that have no room are told as one. */
static void fill_closed(struct ack_epoch *ack, const struct seqset *closed)
{
    uint32_t from = closed->count < DELIVERY_CLOSED_MAX
                        ? 0
                        : closed->count - (DELIVERY_CLOSED_MAX - 1);
    uint64_t oldest = from > 0 ? closed->ranges[from - 1].last : closed->through;
    uint64_t first = closed->through > 0 || from == 0 ? 1 : closed->ranges[0].first;
    if (oldest > 0)
        ack->closed[ack->closed_count++] = (struct seq_range){first, oldest};
    for (uint32_t i = from; i < closed->count; i++)
        ack->closed[ack->closed_count++] = closed->ranges[i];
    assert(ack->closed_count <= DELIVERY_CLOSED_MAX);
}

static void want(struct ack_epoch *ack, uint64_t first, uint64_t last)
{
    if (first <= last && ack->wanted_count < DELIVERY_RANGES_MAX)
        ack->wanted[ack->wanted_count++] = (struct seq_range){first, last};
}

/* The gaps, and behind them what the device said there is. */
static void fill_wanted(struct ack_epoch *ack, const struct collector_epoch *epoch)
{
    const struct seqset *taken = &epoch->window.taken;
    uint64_t end = epoch->last > epoch->gone ? epoch->last : epoch->gone;
    uint64_t from = taken->through + 1;
    for (uint32_t i = 0; i < taken->count; i++) {
        want(ack, from, taken->ranges[i].first - 1);
        from = taken->ranges[i].last + 1;
    }
    want(ack, from, end);
}

static void fill_epoch(struct ack *ack, const struct collector_epoch *epoch,
                       int64_t real_ms)
{
    struct ack_epoch *entry = ack_add_epoch(ack, epoch->epoch);
    if (entry == NULL)
        return;
    entry->through = through_of(epoch);
    entry->hash = window_hash(&epoch->window, entry->through);
    fill_closed(entry, &epoch->closed);
    seams_fill(entry, epoch);
    entry->range_count = copy_ranges(entry->ranges, &epoch->window.taken);
    fill_rejected(entry, &epoch->rejected);
    if (epoch->ask_due_ms != 0 && epoch->ask_due_ms <= real_ms)
        fill_wanted(entry, epoch);
    entry->end_epoch = epoch->is_forked;
}

/* First what the device holds, then the newest: there is room for DELIVERY_EPOCHS_MAX. */
void collector_core_ack(const struct collector_core *core,
                        const struct collector_device *device, int64_t real_ms,
                        struct ack *ack)
{
    assert(ack->epoch_count == 0);
    memcpy(ack->nonce, device->nonce, sizeof ack->nonce);
    memcpy(ack->store, core->store, sizeof ack->store);
    ack->generation = core->generation;
    ack->ack_interval_ms = core->interval_ms;
    ack->credits = collector_core_credits(core);
    for (int is_other = 0; is_other <= 1; is_other++)
        for (size_t i = device->epoch_count; i > 0; i--)
            if (device->epochs[i - 1].is_named != is_other)
                fill_epoch(ack, &device->epochs[i - 1], real_ms);
    ack->backlog_credits = slots_credits(core, device, ack);
}

void collector_device_fini(struct collector_core *core, struct collector_device *device)
{
    slots_drop(core, device);
    for (size_t i = 0; i < device->epoch_count; i++) {
        core->ranges -= device->epochs[i].window.taken.count;
        epoch_fini(&device->epochs[i]);
    }
    free(device->epochs);
    *device = (struct collector_device){0};
}
