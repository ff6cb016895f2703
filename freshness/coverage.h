// SPDX-License-Identifier: Apache-2.0
/*
 * coverage - every millisecond of an interval is in exactly one of: in band, out of band,
 * ungraded (why), off duty (why).
 *
 * Pieces may come late, overlap and repeat, in any order: where pieces overlap the higher
 * code of the list wins, so the result does not depend on the order of arrival. Totals
 * are integers and always add up to the length of the interval. A piece at the end costs
 * O(1), a late one O(log n) and a move. Old segments can be sealed: their totals stay,
 * late pieces for them are refused. Allocates; pure otherwise; one thread per struct.
 */
#ifndef COLDCHAIN_FRESHNESS_COVERAGE_H
#define COLDCHAIN_FRESHNESS_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum coverage_kind {
    COVERAGE_UNGRADED,
    COVERAGE_IN_BAND,
    COVERAGE_OUT_OF_BAND,
    COVERAGE_OFF_DUTY,
    COVERAGE_KINDS
};

/* code, kind, name. The order is the precedence: data beat gaps, plans beat data. */
#define COVERAGE_CODES(X) \
    X(NO_DATA, UNGRADED, "no data") \
    X(NO_BAND, UNGRADED, "no band known") \
    X(GAP, UNGRADED, "gap") \
    X(LOST, UNGRADED, "lost by the device") \
    X(CLOCK, UNGRADED, "clock not trusted") \
    X(IMPLAUSIBLE, UNGRADED, "implausible readings") \
    X(INSIDE, IN_BAND, "in band") \
    X(BELOW, OUT_OF_BAND, "below") \
    X(ABOVE, OUT_OF_BAND, "above") \
    X(OFF_EMPTY, OFF_DUTY, "empty") \
    X(OFF_PRECOOLING, OFF_DUTY, "pre-cooling") \
    X(OFF_VENTILATING, OFF_DUTY, "ventilating") \
    X(OFF_CURING, OFF_DUTY, "curing") \
    X(OFF_PLANNED, OFF_DUTY, "planned step") \
    X(OFF_MAINTENANCE, OFF_DUTY, "maintenance")

enum coverage_code {
#define X(code, kind, name) COVERAGE_##code,
    COVERAGE_CODES(X)
#undef X
        COVERAGE_CODE_COUNT
};

/* Beyond this many the older half is sealed. */
#define COVERAGE_SEGMENTS_MAX 8192

/* Lasts until the next one begins, the last until end_ms. */
struct coverage_segment {
    int64_t from_ms;
    enum coverage_code code;
};

struct coverage {
    int64_t start_ms;
    int64_t end_ms;
    int64_t sealed_ms; /* nothing before it changes any more; >= start_ms */
    int64_t totals[COVERAGE_CODE_COUNT];
    struct coverage_segment *segments; /* from sealed_ms on; neighbours differ */
    size_t count;
    size_t capacity;
};

void coverage_init(struct coverage *coverage, int64_t start_ms);
void coverage_fini(struct coverage *coverage);

/* Lets the interval reach to end_ms; what is new is NO_DATA. Never shrinks. */
void coverage_extend(struct coverage *coverage, int64_t end_ms);

/*
 * [from_ms, to_ms) is `code` where nothing of higher precedence is known; extends the
 * interval when it must, and drops what lies before start_ms. ERR_LIMIT when a part was
 * sealed already; the rest is taken all the same. from_ms <= to_ms.
 */
enum err coverage_add(struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                      enum coverage_code code);

/* The same, but replaces what was known: for corrected plans and placements. */
enum err coverage_set(struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                      enum coverage_code code);

/* Forgets the segments before until_ms, keeps their totals. */
void coverage_seal(struct coverage *coverage, int64_t until_ms);

int64_t coverage_kind_ms(const struct coverage *coverage, enum coverage_kind kind);

/* Share of the time on duty that was graded; 1 when there was none. */
double coverage_graded_share(const struct coverage *coverage);

/* Totals and segments agree and add up: for tests and asserts. */
bool coverage_is_exact(const struct coverage *coverage);

/* The class of a value against a band; NaN limits are open, NaN values IMPLAUSIBLE. */
enum coverage_code coverage_of_value(double value, double low, double high);

enum coverage_kind coverage_kind_of(enum coverage_code code);
const char *coverage_code_name(enum coverage_code code);
const char *coverage_kind_name(enum coverage_kind kind);

#endif
