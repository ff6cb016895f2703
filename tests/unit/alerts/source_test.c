// SPDX-License-Identifier: Apache-2.0
/* Channels that come and go, in zones whose rules do, too: each is found where it is. */
#include "alerts/standing.h"
#include "base/rng.h"
#include "tests/unit/alerts/story.h"

#define ZONES    4
#define DEVICES  5
#define CHANNELS 6
#define STEPS    20000

/* What should be there, and rules in the zones that have some. */
struct twin {
    bool is_there[ZONES][DEVICES][CHANNELS];
    bool has_rules[ZONES];
    uint64_t removed;
};

struct world {
    struct alerts *alerts;
    struct alert_sink sink;
    struct rng rng;
    struct twin twin;
    struct buf said;
};

static size_t pick(struct world *world, size_t count)
{
    return (size_t)rng_below(&world->rng, count);
}

static const char *name_of(char text[ID_SIZE], const char *what, size_t i)
{
    snprintf(text, ID_SIZE, "%s-%zu", what, i);
    return text;
}

static void put_standing(void *context, const struct standing *standing)
{
    if (standing->channel[0] != '\0')
        buf_format(context, "%s/%s ", standing->device, standing->channel);
}

static const char *expected(const struct twin *twin, size_t zone, struct buf *out)
{
    buf_clear(out);
    buf_text(out, "");
    for (size_t d = 0; d < DEVICES; d++)
        for (size_t c = 0; c < CHANNELS; c++)
            if (twin->is_there[zone][d][c])
                buf_format(out, "device-%zu/channel-%zu ", d, c);
    return out->len > 0 ? out->data : "";
}

static void check_zone(struct world *world, size_t zone)
{
    char name[ID_SIZE];
    struct buf want = {0};
    buf_clear(&world->said);
    alerts_standing(world->alerts, name_of(name, "zone", zone), T0, &world->said,
                    put_standing);
    CHECK_TEXT(world->said.len > 0 ? world->said.data : "",
               expected(&world->twin, zone, &want));
    CHECK(alerts_removed(world->alerts) == world->twin.removed);
    buf_fini(&want);
}

static void set_rules(struct world *world)
{
    struct alert_rule rules[ZONES * 2];
    size_t count = 0;
    for (size_t i = 0; i < ZONES; i++) {
        if (!world->twin.has_rules[i])
            continue;
        char id[ID_SIZE];
        rules[count] = rule_silent(name_of(id, "quiet", i), ALERT_SILENT, 600);
        name_of(rules[count++].zone, "zone", i);
        rules[count] =
            rule_silent(name_of(id, "quiet-device", i), ALERT_SILENT_DEVICE, 600);
        name_of(rules[count++].zone, "zone", i);
    }
    struct err_text why = {""};
    CHECK(alerts_set_rules(world->alerts, rules, count, T0, &why) == ERR_OK);
}

static size_t channels_of(const struct twin *twin, size_t zone, size_t device)
{
    size_t count = 0;
    for (size_t c = 0; c < CHANNELS; c++)
        count += twin->is_there[zone][device][c];
    return count;
}

/* With the rules of a zone its channels go, and the devices that were made for them. */
static void turn_rules(struct world *world)
{
    struct twin *twin = &world->twin;
    size_t zone = pick(world, ZONES);
    twin->has_rules[zone] = !twin->has_rules[zone];
    for (size_t d = 0; d < DEVICES && !twin->has_rules[zone]; d++)
        for (size_t c = 0; c < CHANNELS; c++)
            twin->is_there[zone][d][c] = false;
    set_rules(world);
    twin->removed = alerts_removed(world->alerts);
}

static void come_or_go(struct world *world)
{
    struct twin *twin = &world->twin;
    size_t zone = pick(world, ZONES), device = pick(world, DEVICES),
           channel = pick(world, CHANNELS);
    bool *is_there = &twin->is_there[zone][device][channel];
    char names[3][ID_SIZE];
    name_of(names[0], "zone", zone);
    name_of(names[1], "device", device);
    name_of(names[2], "channel", channel);
    if (*is_there && pick(world, 2) == 0) {
        bool is_last = channels_of(twin, zone, device) == 1;
        alerts_forget(world->alerts, names[0], names[1], names[2], T0, &world->sink);
        *is_there = false;
        twin->removed += is_last ? 2 : 1;
    } else {
        alerts_expect(world->alerts, names[0], names[1], names[2], "air_temperature", T0);
        *is_there = twin->has_rules[zone];
    }
}

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    (void)context;
    (void)kind;
    (void)incident;
    CHECK(!"nothing is wrong there");
}

static void each_is_found_where_it_is(void)
{
    static struct world world;
    world.alerts = alerts_create();
    world.sink = (struct alert_sink){.context = &world, .effect = on_effect};
    world.rng.state = 20261127;
    for (size_t i = 0; i < STEPS; i++) {
        if (pick(&world, 100) == 0)
            turn_rules(&world);
        else
            come_or_go(&world);
        check_zone(&world, pick(&world, ZONES));
    }
    buf_fini(&world.said);
    alerts_destroy(world.alerts);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each is found where it is", each_is_found_where_it_is},
        CU_TEST_INFO_NULL,
    };
    return check_run("source", tests);
}
