// SPDX-License-Identifier: Apache-2.0
#include "freshness/coverage.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    enum coverage_kind kind;
    const char *name;
} codes[] = {
#define X(code, kind, name) [COVERAGE_##code] = {COVERAGE_##kind, name},
    COVERAGE_CODES(X)
#undef X
};
static_assert(sizeof codes / sizeof codes[0] == COVERAGE_CODE_COUNT, "one row per code");

enum coverage_kind coverage_kind_of(enum coverage_code code)
{
    assert(code < COVERAGE_CODE_COUNT);
    return codes[code].kind;
}

const char *coverage_code_name(enum coverage_code code)
{
    assert(code < COVERAGE_CODE_COUNT);
    return codes[code].name;
}

const char *coverage_kind_name(enum coverage_kind kind)
{
    static const char *const names[] = {"ungraded", "in band", "out of band", "off duty"};
    static_assert(sizeof names / sizeof names[0] == COVERAGE_KINDS, "one name per kind");
    assert(kind < COVERAGE_KINDS);
    return names[kind];
}

void coverage_init(struct coverage *coverage, int64_t start_ms)
{
    *coverage = (struct coverage){
        .start_ms = start_ms, .end_ms = start_ms, .sealed_ms = start_ms};
}

void coverage_fini(struct coverage *coverage)
{
    free(coverage->segments);
    *coverage = (struct coverage){0};
}

static int64_t segment_end(const struct coverage *coverage, size_t at)
{
    return at + 1 < coverage->count ? coverage->segments[at + 1].from_ms
                                    : coverage->end_ms;
}

/* The segment that holds `ms`; sealed_ms <= ms < end_ms. */
static size_t segment_at(const struct coverage *coverage, int64_t ms)
{
    size_t low = 0, high = coverage->count;
    assert(coverage->count > 0 && ms >= coverage->sealed_ms && ms < coverage->end_ms);
    if (ms >= coverage->segments[high - 1].from_ms)
        return high - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (coverage->segments[middle].from_ms <= ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void insert(struct coverage *coverage, size_t at, int64_t from_ms,
                   enum coverage_code code)
{
    mem_grow(&coverage->segments, &coverage->capacity, coverage->count + 1,
             sizeof *coverage->segments);
    memmove(coverage->segments + at + 1, coverage->segments + at,
            (coverage->count - at) * sizeof *coverage->segments);
    coverage->segments[at] = (struct coverage_segment){.from_ms = from_ms, .code = code};
    coverage->count++;
}

static void erase(struct coverage *coverage, size_t at, size_t count)
{
    assert(at + count <= coverage->count);
    memmove(coverage->segments + at, coverage->segments + at + count,
            (coverage->count - at - count) * sizeof *coverage->segments);
    coverage->count -= count;
}

/* Makes `ms` the beginning of a segment; returns which. */
static size_t split(struct coverage *coverage, int64_t ms)
{
    if (ms >= coverage->end_ms)
        return coverage->count;
    size_t at = segment_at(coverage, ms);
    if (coverage->segments[at].from_ms == ms)
        return at;
    insert(coverage, at + 1, ms, coverage->segments[at].code);
    return at + 1;
}

/* Joins equal neighbours among segments first..last and the ones beside them. */
static void join(struct coverage *coverage, size_t first, size_t last)
{
    size_t begin = first > 0 ? first : 1;
    size_t end = last + 1 < coverage->count ? last + 1 : coverage->count - 1;
    size_t kept = begin;
    for (size_t i = begin; i <= end; i++)
        if (coverage->segments[i].code != coverage->segments[kept - 1].code)
            coverage->segments[kept++] = coverage->segments[i];
    if (kept <= end)
        erase(coverage, kept, end + 1 - kept);
}

void coverage_extend(struct coverage *coverage, int64_t end_ms)
{
    if (end_ms <= coverage->end_ms)
        return;
    size_t count = coverage->count;
    coverage->totals[COVERAGE_NO_DATA] += end_ms - coverage->end_ms;
    if (count == 0 || coverage->segments[count - 1].code != COVERAGE_NO_DATA)
        insert(coverage, count, coverage->end_ms, COVERAGE_NO_DATA);
    coverage->end_ms = end_ms;
}

void coverage_seal(struct coverage *coverage, int64_t until_ms)
{
    if (until_ms <= coverage->sealed_ms || coverage->count == 0)
        return;
    if (until_ms >= coverage->end_ms) {
        coverage->count = 0;
        coverage->sealed_ms = coverage->end_ms;
        return;
    }
    size_t at = segment_at(coverage, until_ms);
    erase(coverage, 0, at);
    coverage->segments[0].from_ms = until_ms;
    coverage->sealed_ms = until_ms;
}

static void recode(struct coverage *coverage, size_t at, enum coverage_code code)
{
    int64_t ms = segment_end(coverage, at) - coverage->segments[at].from_ms;
    assert(ms > 0);
    coverage->totals[coverage->segments[at].code] -= ms;
    coverage->totals[code] += ms;
    coverage->segments[at].code = code;
}

/* The common case: a piece that begins where everything ends. */
static bool append(struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                   enum coverage_code code)
{
    size_t count = coverage->count;
    if (from_ms != coverage->end_ms)
        return false;
    if (count == 0 || coverage->segments[count - 1].code != code)
        insert(coverage, count, from_ms, code);
    coverage->totals[code] += to_ms - from_ms;
    coverage->end_ms = to_ms;
    return true;
}

static enum err apply(struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                      enum coverage_code code, bool replaces)
{
    assert(from_ms <= to_ms && code < COVERAGE_CODE_COUNT);
    int64_t begin = from_ms > coverage->start_ms ? from_ms : coverage->start_ms;
    bool is_late = begin < coverage->sealed_ms && begin < to_ms;
    if (is_late)
        begin = coverage->sealed_ms;
    if (begin < to_ms && !append(coverage, begin, to_ms, code)) {
        coverage_extend(coverage, to_ms);
        size_t first = split(coverage, begin);
        size_t last = split(coverage, to_ms) - 1;
        for (size_t i = first; i <= last; i++)
            if (replaces || code > coverage->segments[i].code)
                recode(coverage, i, code);
        join(coverage, first, last);
    }
    if (coverage->count > COVERAGE_SEGMENTS_MAX)
        coverage_seal(coverage, coverage->segments[coverage->count / 2].from_ms);
    return is_late ? ERR_LIMIT : ERR_OK;
}

enum err coverage_add(struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                      enum coverage_code code)
{
    return apply(coverage, from_ms, to_ms, code, false);
}

enum err coverage_set(struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                      enum coverage_code code)
{
    return apply(coverage, from_ms, to_ms, code, true);
}

int64_t coverage_kind_ms(const struct coverage *coverage, enum coverage_kind kind)
{
    int64_t sum = 0;
    for (int i = 0; i < COVERAGE_CODE_COUNT; i++)
        sum += codes[i].kind == kind ? coverage->totals[i] : 0;
    return sum;
}

double coverage_graded_share(const struct coverage *coverage)
{
    int64_t off = coverage_kind_ms(coverage, COVERAGE_OFF_DUTY);
    int64_t on = coverage->end_ms - coverage->start_ms - off;
    int64_t ungraded = coverage_kind_ms(coverage, COVERAGE_UNGRADED);
    return on > 0 ? (double)(on - ungraded) / (double)on : 1;
}

bool coverage_is_exact(const struct coverage *coverage)
{
    int64_t sum = 0;
    for (int i = 0; i < COVERAGE_CODE_COUNT; i++) {
        if (coverage->totals[i] < 0)
            return false;
        sum += coverage->totals[i];
    }
    for (size_t i = 0; i < coverage->count; i++)
        if (segment_end(coverage, i) <= coverage->segments[i].from_ms ||
            (i > 0 && coverage->segments[i].code == coverage->segments[i - 1].code))
            return false;
    bool begins_right = coverage->count == 0
                            ? coverage->sealed_ms == coverage->end_ms
                            : coverage->segments[0].from_ms == coverage->sealed_ms;
    return begins_right && sum == coverage->end_ms - coverage->start_ms;
}

enum coverage_code coverage_of_value(double value, double low, double high)
{
    if (!isfinite(value))
        return COVERAGE_IMPLAUSIBLE;
    if (isnan(low) && isnan(high))
        return COVERAGE_NO_BAND;
    return value < low ? COVERAGE_BELOW : value > high ? COVERAGE_ABOVE : COVERAGE_INSIDE;
}
