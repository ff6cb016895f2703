// SPDX-License-Identifier: Apache-2.0
/*
 * devfile - a small file of /sys, read once, bounded in bytes and time.
 *
 * May block; for the threads of drivers. Also tells of changes in how a channel reads.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_DEVFILE_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_DEVFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/reading.h"

#define DEVFILE_MAX 4096

struct devfile {
    char text[DEVFILE_MAX + 1]; /* trailing white space is cut, a NUL stands behind */
    size_t len;
};

/*
 * NOT_FOUND when the file or its device is gone, TIMEOUT when it does not answer by
 * end_ms (clock_real_ms()), LIMIT when it is longer, CORRUPT when it is empty or not
 * text.
 */
MUST_CHECK enum err devfile_read(struct devfile *file, int64_t end_ms, const char *path,
                                 struct err_text *why);
/* What a reading becomes of it when its file cannot be read. */
enum quality devfile_quality(enum err err);

/* One whole number, white space around it allowed; devfile texts and sysfs attributes. */
bool devfile_number(double *value, const char *text, size_t len);

/* How a channel read the last time. Zeroed: good. */
struct channel_note {
    enum quality quality;
    uint64_t bad; /* readings since it was good */
};

/* Logs when a channel turns bad, for what reason, and when it is good again. */
void channel_note(struct channel_note *note, const char *sensor, const char *channel,
                  enum quality quality, const char *reason);

#endif
