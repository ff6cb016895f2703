// SPDX-License-Identifier: Apache-2.0
/*
 * line - writes InfluxDB line protocol, one line at a time, into a buffer.
 *
 *     climate,device=gw-1,zone=room-3 air_temperature=2.3,seq=17i 1753772400000\n
 *
 * Escapes as the reference encoder does (comma and space; '=' in keys and tag values; '"'
 * and '\' in text). What has no escape, or is rejected by one server or the other, never
 * leaves: control characters and broken UTF-8 become '_' in names and ' ' in text, a '\'
 * at the end of a name becomes '_', a leading '_' or '#' gets an 'x' in front, the key
 * "time" becomes "time_", an empty tag is left out, text ends at 64 KiB. So lines end at
 * "\n" and nowhere else, and a rejected batch can be cut in half.
 *
 * Tags come out sorted by key, whatever order they were given in. Pure; a writer belongs
 * to one thread.
 */
#ifndef COLDCHAIN_TELEMETRY_LINE_H
#define COLDCHAIN_TELEMETRY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define LINE_TAGS_MAX 16
#define LINE_TEXT_MAX 65535 /* bytes of a text field, before escaping */

#define LINE_PRECISION_LIST(X) \
    X(S, "s") \
    X(MS, "ms") \
    X(US, "us") /* influxd 1.x takes "us" for nanoseconds without a word: send "u" */ \
    X(NS, "ns")

enum line_precision {
#define X(name, text) LINE_##name,
    LINE_PRECISION_LIST(X)
#undef X
};

struct line_tag {
    const char *key;
    const char *value;
};

/* A line being written; all members belong to the functions below. */
struct line_writer {
    struct buf *out;
    size_t begin; /* of the line in `out` */
    struct line_tag tags[LINE_TAGS_MAX];
    size_t tag_count;
    size_t field_count;
};

/* Begins a line behind what `out` holds. `measurement` is not empty. */
void line_begin(struct line_writer *line, struct buf *out, const char *measurement);

/*
 * Before the first field; at most LINE_TAGS_MAX, no key twice. Key and value are borrowed
 * until the first field. A value that is empty or NULL leaves the tag out.
 */
void line_tag(struct line_writer *line, const char *key, const char *value);

/* False, and nothing written, when `value` is NaN or infinite. */
bool line_float(struct line_writer *line, const char *key, double value);
void line_int(struct line_writer *line, const char *key, int64_t value);
void line_bool(struct line_writer *line, const char *key, bool value);
void line_text(struct line_writer *line, const char *key, const char *value);

/*
 * Ends the line with a time in the unit that the request names as its precision. False,
 * and `out` as it was before line_begin, when no field was written: there is no such
 * line.
 */
bool line_end(struct line_writer *line, int64_t timestamp);

/* LIMIT when the time does not fit: nanoseconds end in the year 2262. */
MUST_CHECK enum err line_timestamp(int64_t *timestamp, int64_t time_ms,
                                   enum line_precision precision);
const char *line_precision_name(enum line_precision precision);

#endif
