// SPDX-License-Identifier: Apache-2.0
/*
 * registry_rows - what the registry has of each zone, site, device, placement and due
 * day.
 *
 * Plain data. Names in it are the registry's, or within the row; what belongs together by
 * order is said in registry.h. Read as registry.h says: freely on the loop thread, by
 * others under its lock.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_ROWS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/rule.h"
#include "alerts/zones.h"
#include "base/tz.h"
#include "telemetry/reading.h"

struct profile;

#define REGISTRY_NAME_SIZE 128
#define ZONE_SPANS_MAX     12                       /* of each sort, in one zone */
#define REGISTRY_SPANS_MAX (2 * ZONE_SPANS_MAX + 1) /* steps, maintenance, one start */

/* Where a zone's tau comes from. */
#define REGISTRY_TAU_LIST(X) \
    X(BUILT_IN, "built_in") /* packed produce in a room */ \
    X(GOODS, "goods")       /* the profiles of what stands there */ \
    X(ZONE, "zone")         /* it is declared */

enum registry_tau {
#define X(name, text) REGISTRY_TAU_##name,
    REGISTRY_TAU_LIST(X)
#undef X
};

const char *registry_tau_name(enum registry_tau tau);

/* Of what stands in a zone. */
struct registry_goods {
    const struct profile *profile; /* the registry's */
    int64_t from_ms; /* it came in, or the zone went on duty since; 0: nobody said */
};

struct registry_zone {
    char id[ID_SIZE];
    char org[ID_SIZE];
    char site[ID_SIZE];
    char site_name[REGISTRY_NAME_SIZE]; /* UTF-8 */
    char site_tz[ID_SIZE];              /* of a seed: "Asia/Shanghai"; "" */
    char name[REGISTRY_NAME_SIZE];
    double band_low; /* NaN: none; what its goods bear, too */
    double band_high;
    int64_t tau_ms; /* how fast its goods follow the air, or something like it */
    int64_t tau_least_ms;
    int64_t tau_most_ms;
    enum registry_tau tau_from;
    int64_t defrost_every_ms; /* 0: no schedule */
    int64_t defrost_first_ms; /* any one of its beginnings */
    int64_t defrost_most_ms;  /* how long one takes; 0: not said */
    int64_t door_most_ms;     /* how long one may be open that no signal shows; 0 */
    int64_t recovery_most_ms; /* until the air is back after either; 0: not said */
    struct alert_load loads[ALERT_LOADS_MAX]; /* what came in last */
    size_t load_count;
    bool is_described;    /* something was said of tau, goods, loads or defrosts */
    int64_t off_since_ms; /* of what is off duty; 0 */
    bool is_empty;        /* off duty because there is said to be nothing in it */
    bool has_goods;       /* what stands in it is recorded */
    struct registry_goods goods[LIFE_GOODS_MAX]; /* the first of it, of known profiles */
    size_t goods_count;
    bool is_off_duty; /* only what is about safety is judged there */
    bool is_archived; /* nothing is */
};

/* A stretch of time for which something else is planned in a zone, or it starts. */
struct registry_span {
    const char *zone;
    int64_t from_ms;
    int64_t to_ms; /* exclusive */
    enum alert_reason reason;
    double low; /* a planned step: the band meanwhile; NaN: open */
    double high;
};

struct registry_site {
    char id[ID_SIZE];
    char name[REGISTRY_NAME_SIZE];
    const struct tz *tz; /* NULL: nobody said, or it is not known here */
};

/* A fleet has millions of these two: their names are of registry_name(). */
struct registry_placement {
    const char *org;
    const char *device;
    const char *channel; /* "": every channel without a placement of its own */
    const char *zone;
    int64_t from_ms;
    int64_t to_ms; /* 0: open */
};

struct registry_device {
    const char *org;
    const char *id;
};

/* A placement begins or ends. */
struct registry_change {
    int64_t at_ms;
    uint32_t placement;
    bool is_end;
};

/* A day on which something is due: of a channel its calibration, of a device a date. */
struct registry_due {
    const char *org;
    const char *device;
    const char *name;     /* of the channel, or of the date: "sim" */
    enum alert_kind kind; /* ALERT_CALIBRATION_DUE, ALERT_DATE_DUE */
    int64_t due_ms;
};

#endif
