// SPDX-License-Identifier: Apache-2.0
/*
 * sensor - what a driver is: a small ops struct, and the readings that it hands over.
 *
 * A failed sensor is a sample of bad quality with its reason, never a gap. Drivers
 * belong to the loop thread and answer at once; one that has to wait for its hardware
 * keeps a thread of its own and hands over what it has. To add one: copy sensor_null.c,
 * add a line to sensors.c, and a section of options here and in settings.c.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_SENSOR_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_SENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "telemetry/reading.h"

#define SENSOR_CHANNELS_MAX 64

/* One channel of a sensor, and how its instrument was calibrated. */
struct sensor_channel {
    char *name;
    double offset; /* value = raw * gain + offset */
    double gain;
    char *certificate;
    char *due;   /* date of the next calibration, "2027-04-01" */
    char *probe; /* what the driver calls it; NULL: as the channel */
    /* Numbers, or NULL: see diagnose.h. */
    char *min;
    char *max;
    char *open_at;
    char *short_at;
    char *max_per_minute;
};

/* Options of `sim`; times count from the origin of the clock. */
struct sensor_sim_fault {
    int kind; /* enum sim_fault_kind */
    int64_t after_ms;
    int64_t for_ms;
    int64_t every_ms;
    double factor;
    char *channel;
};

struct sensor_sim_load {
    int64_t after_ms;
    double mass_kg;
    double temperature_C;
};

struct sensor_sim_stop {
    double latitude;
    double longitude;
    int64_t drive_ms;
    int64_t stand_ms;
    int64_t door_ms;
};

struct sensor_sim {
    char *zone; /* "room" or "van" */
    int64_t seed;
    struct config_pair *parameters; /* fields of struct sim_params by name */
    size_t parameter_count;
    struct sensor_sim_fault *faults;
    size_t fault_count;
    struct sensor_sim_load *loads;
    size_t load_count;
    struct sensor_sim_stop *stops;
    size_t stop_count;
};

/* Options of `replay`. */
enum sensor_replay_rate { REPLAY_RECORDED, REPLAY_FAST };

struct sensor_replay {
    char *file;
    char *columns; /* "time=ISOdateTime,air_temperature=Temperature" */
    int rate;      /* enum sensor_replay_rate */
};

/* Options of `exec`. */
struct sensor_exec {
    char **command; /* an absolute path, and its arguments; no shell */
    size_t command_count;
    int64_t max_output;
};

/* One sensor as configured. */
struct sensor_settings {
    char *name; /* of this sensor on this device; the resume cursor hangs on it */
    char *driver;
    int64_t interval_ms;
    struct sensor_channel *channels;
    size_t channel_count;
    struct sensor_sim sim;
    struct sensor_replay replay;
    struct sensor_exec exec;
    char *root;         /* sysfs, w1: the folder that stands for / */
    int64_t timeout_ms; /* sysfs, w1, exec: of one measurement */
};

struct sample {
    int64_t time_ms;
    double value;     /* as the sensor gives it; NaN unless quality is GOOD */
    uint16_t channel; /* index into the settings' channels */
    enum quality quality;
    uint64_t cursor; /* how far a resumable driver is with all samples of this time */
};

/* What one read gave; samples of one time stand together. Zeroed: empty. */
struct samples {
    struct sample *list;
    size_t count;
    size_t capacity;
    bool has_more; /* the driver could go on at once */
};

void samples_fini(struct samples *samples);
void samples_clear(struct samples *samples);
void samples_add(struct samples *samples, int64_t time_ms, size_t channel, double value,
                 enum quality quality);

/* A probe of this machine that nobody need have configured; all is borrowed. */
#define SENSOR_PROBE_SIZE 256

struct sensor_found {
    const char *driver;
    const char *probe; /* as a channel's `probe` */
    const char *unit;  /* of SenML */
    double value;      /* NaN unless quality is GOOD */
    enum quality quality;
    const char *reason; /* of a quality that is not GOOD */
};

typedef void sensor_found_fn(void *context, const struct sensor_found *found);

struct sensor_ops {
    const char *name;
    const char *help; /* one line */
    /* `origin_ms` is when the (virtual) clock began; settings outlive the state. */
    enum err (*open)(void **state, const struct sensor_settings *settings,
                     int64_t origin_ms, struct err_text *why);
    /* Goes on behind a cursor that a former run reached; NULL: nothing to go on from. */
    enum err (*resume)(void *state, uint64_t cursor);
    /* Adds what there is at now_ms. ERR_NOT_FOUND: that was the last, now and ever. */
    enum err (*read)(void *state, int64_t now_ms, struct samples *samples);
    void (*close)(void *state);
    /* Reads and names every probe there is below `root`; may block. NULL: has no list. */
    void (*list)(const char *root, void *context, sensor_found_fn *found);
};

extern const struct sensor_ops sensor_null_ops;
extern const struct sensor_ops sensor_sim_ops;
extern const struct sensor_ops sensor_replay_ops;
extern const struct sensor_ops sensor_sysfs_ops;
extern const struct sensor_ops sensor_w1_ops;
extern const struct sensor_ops sensor_exec_ops;

#endif
