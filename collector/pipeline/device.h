// SPDX-License-Identifier: Apache-2.0
/*
 * device - what the pipeline knows of one device: packs taken, order, last values, acks.
 *
 * Belongs to the loop thread. What must survive a restart is saved as one entity of the
 * checkpoint; the rest follows from the journal.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_DEVICE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "collector/pipeline/collector_core.h"
#include "collector/pipeline/late.h"
#include "collector/pipeline/registry.h"
#include "telemetry/channel.h"
#include "telemetry/reading.h"

#define DEVICE_CHANNELS_MAX 256
#define DEVICE_KEY_SIZE     (2 * ID_SIZE) /* "org/device" */

/* Every name once: a fleet has few of them, and each device has a pointer. */
struct device_names {
    struct map channels; /* name -> struct channel, owned */
};

/* A fleet has millions of these. */
struct device_channel {
    const struct channel *name; /* of struct device_names */
    double value;
    int64_t time_ms;
    int64_t arrival_ms;
    struct source *source; /* where the rules' engine keeps it; NULL: look it up */
    uint32_t placement;    /* its index in the registry and 1; 0: none */
    uint8_t quality;       /* enum quality */
};

struct device {
    const char *org; /* these two stand behind the struct */
    const char *id;
    char *version; /* owned, NULL before its first hello */
    bool is_declared;
    bool is_dirty; /* changed since the last checkpoint */
    bool is_late_saved;
    bool is_online;
    bool is_news;                /* has readings that are not told yet; see news.c */
    bool is_in_line;             /* for a slot; see acks.c */
    struct device *next_in_line; /* borrowed: who stands behind it */
    int64_t last_arrival_ms;
    uint64_t
        config_version;   /* of the zones' rules in force there; 0: none, or not said */
    char *config_unknown; /* what of them it does not know; owned; NULL: nothing */
    uint32_t config_left_out; /* so many of its rules it does not judge */
    uint8_t config_form;      /* what it reads of them: ZONE_RULES_FORM; 0: not said */
    uint64_t readings;
    uint64_t fixed_boot; /* device_boot() of the one whose clock was set late; 0: none */
    int64_t fixed_offset_ms;          /* its wall time - boot time */
    uint64_t clock_epoch;             /* of the last pack in order that a clock dated */
    int64_t clock_ms;                 /* when it was closed, by that clock */
    struct collector_device delivery; /* packs taken, order, acks */
    struct device_channel *channels;
    uint32_t channel_count;
    uint64_t placed_in; /* the registry's generation that the channels' places are of */
    uint64_t kept_in;   /* alerts_removed() that their sources are of */
    struct late *late;  /* NULL unless packs are missing */
};

/* "org/device" */
const char *device_key(char key[DEVICE_KEY_SIZE], const char *org, const char *id);

struct device *device_create(const char *org, const char *id);
void device_destroy(struct device *device, struct collector_core *core);

/* Zeroed: no names yet. */
void device_names_fini(struct device_names *names);

/* "" before its first hello. */
const char *device_version(const struct device *device);
void device_set_version(struct device *device, const char *version);
/* Words with a ',' between them; "": it knows all. */
void device_set_unknown(struct device *device, const char *words);

/*
 * The channel of that name, added when it is new; NULL past DEVICE_CHANNELS_MAX. Borrowed
 * until one is added.
 */
struct device_channel *device_channel_of(struct device *device,
                                         struct device_names *names,
                                         const struct channel *name);

/* A boot's number, of its id as packs have it. */
uint64_t device_boot(const char *boot_id);
/* What is to be added to the pack's times: 0 unless a clock dated it that was not set,
 * and was set later in that boot. */
int64_t device_clock_shift_ms(const struct device *device, const struct pack *pack);

/* What its channels know of another registry, or an engine that gave up places, goes. */
void device_forget_places(struct device *device, uint64_t placed_in, uint64_t kept_in);
/* Where it measured when last looked up; NULL when that was in another registry. */
const struct registry_placement *
device_channel_place(const struct device *device, const struct device_channel *channel,
                     const struct registry *registry);

void device_save(const struct device *device, struct buf *out);
MUST_CHECK enum err device_load(struct device *device, struct device_names *names,
                                struct collector_core *core, const void *data,
                                size_t len);

#endif
