// SPDX-License-Identifier: Apache-2.0
#include "collector/store/column.h"

#include <float.h>
#include <math.h>

#include "base/rng.h"
#include "tests/support/check.h"

static bool ints_come_back(const int64_t *numbers, size_t count, size_t *bytes)
{
    static int64_t back[COLUMN_MAX];
    struct buf out = {0};
    column_put_ints(&out, numbers, count);
    struct buf_reader in = buf_reader_of(out.data, out.len);
    bool is_same = column_get_ints(&in, back, count) && in.at == out.len &&
                   memcmp(back, numbers, count * sizeof *numbers) == 0;
    *bytes = out.len;
    buf_fini(&out);
    return is_same;
}

static bool doubles_come_back(const double *numbers, size_t count, size_t *bytes)
{
    static double back[COLUMN_MAX];
    struct buf out = {0};
    column_put_doubles(&out, numbers, count);
    struct buf_reader in = buf_reader_of(out.data, out.len);
    bool is_same = column_get_doubles(&in, back, count) && in.at == out.len &&
                   memcmp(back, numbers, count * sizeof *numbers) == 0;
    *bytes = out.len;
    buf_fini(&out);
    return is_same;
}

static bool beside_comes_back(const double *beside, const double *numbers, size_t count,
                              size_t *bytes)
{
    static double back[COLUMN_MAX];
    struct buf out = {0};
    column_put_doubles_beside(&out, beside, numbers, count);
    struct buf_reader in = buf_reader_of(out.data, out.len);
    bool is_same = column_get_doubles_beside(&in, beside, back, count) &&
                   in.at == out.len &&
                   memcmp(back, numbers, count * sizeof *numbers) == 0;
    *bytes = out.len;
    buf_fini(&out);
    return is_same;
}

static void integers_come_back(void)
{
    static const struct {
        const char *name;
        int64_t numbers[6];
        size_t count;
        size_t most_bytes;
    } rows[] = {
        {"one", {1764000000000}, 1, 8},
        {"none", {0}, 0, 1},
        {"regular", {0, 60000, 120000, 180000, 240000, 300000}, 6, 6},
        {"the same", {5, 5, 5, 5, 5, 5}, 6, 4},
        {"small steps", {0, 1, 3, 2, 2, 5}, 6, 7},
        {"down", {0, -10, -20, -30, -40, -50}, 6, 4},
        {"extremes", {INT64_MIN, INT64_MAX, 0, INT64_MAX, INT64_MIN, -1}, 6, 62},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t bytes = 0;
        CHECK_ROW(rows[i].name, ints_come_back(rows[i].numbers, rows[i].count, &bytes));
        CHECK_ROW(rows[i].name, bytes <= rows[i].most_bytes);
    }
}

static void doubles_come_back_bit_for_bit(void)
{
    static const struct {
        const char *name;
        double numbers[4];
        size_t most_bytes;
    } rows[] = {
        {"one place", {4.1, 4.2, 4.2, 4.3}, 8},
        {"four places", {0.0001, 12.3456, -99.9999, 8}, 15},
        {"five places are bits", {0.00001, 0.00002, 0.00003, 0.00004}, 40},
        {"zero and minus zero", {0.0, -0.0, 0.0, -0.0}, 24},
        {"missing ones", {NAN, 4.5, NAN, NAN}, 9},
        {"all missing", {NAN, NAN, NAN, NAN}, 4},
        {"infinities", {(double)INFINITY, -(double)INFINITY, (double)INFINITY, 1}, 40},
        {"tiny and huge", {DBL_MIN, DBL_MAX, DBL_TRUE_MIN, -DBL_MAX}, 45},
        {"integers too large to scale", {1e15, 1e16, 1e300, 9007199254740993.0}, 45},
        {"a sum that is no decimal", {0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2}, 20},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t bytes = 0;
        CHECK_ROW(rows[i].name, doubles_come_back(rows[i].numbers, 4, &bytes));
        CHECK_ROW(rows[i].name, bytes <= rows[i].most_bytes);
    }
}

static void other_nans_keep_their_bits(void)
{
    double numbers[3] = {1.5, 0, 2.5};
    uint64_t bits = 0xfff8000000001234;
    size_t bytes = 0;
    memcpy(&numbers[1], &bits, sizeof bits);
    CHECK(doubles_come_back(numbers, 3, &bytes));
    CHECK(beside_comes_back(numbers, numbers, 3, &bytes) && bytes == 1);
}

static void a_column_beside_another_costs_little(void)
{
    static const struct {
        const char *name;
        double beside[4];
        double numbers[4];
        size_t most_bytes;
    } rows[] = {
        {"none", {4.1, 4.2, 4.3, 4.4}, {NAN, NAN, NAN, NAN}, 1},
        {"the same", {4.1, NAN, 4.3, 4.4}, {4.1, NAN, 4.3, 4.4}, 1},
        {"an offset", {4.1, 4.2, 4.3, 4.4}, {4.4, 4.5, 4.6, 4.7}, 5},
        {"finer than the other", {4, 5, 6, 7}, {4.125, 5.125, 6.125, 7.125}, 6},
        {"coarser than the other", {4.15, 4.25, 4.35, 4.45}, {4, 4, 4, 4}, 9},
        {"some missing", {4.1, 4.2, NAN, 4.4}, {4.1, 4.2, 3.9, NAN}, 14},
        {"no decimals", {0.1 + 0.2, 1, 2, 3}, {1.0 / 3, 1, 2, 3}, 50},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t bytes = 0;
        CHECK_ROW(rows[i].name,
                  beside_comes_back(rows[i].beside, rows[i].numbers, 4, &bytes));
        CHECK_ROW(rows[i].name, bytes <= rows[i].most_bytes);
    }
}

static void runs_come_back(void)
{
    static const uint64_t numbers[] = {7, 7, 7, UINT64_MAX, 0, 0};
    uint64_t back[6] = {0};
    struct buf out = {0};
    column_put_runs(&out, numbers, 6);
    struct buf_reader in = buf_reader_of(out.data, out.len);
    CHECK(column_get_runs(&in, back, 6));
    CHECK(memcmp(back, numbers, sizeof numbers) == 0);
    in = buf_reader_of(out.data, out.len);
    CHECK(!column_get_runs(&in, back, 5)); /* a run too long */
    in = buf_reader_of(out.data, out.len - 1);
    CHECK(!column_get_runs(&in, back, 6));
    buf_fini(&out);
}

/* Numbers of many shapes: few bits, many bits, walks, repeats. */
static int64_t random_int(struct rng *rng, int64_t last)
{
    switch (rng_below(rng, 5)) {
    case 0:
        return last;
    case 1:
        return (int64_t)((uint64_t)last + rng_below(rng, 100) - 50);
    case 2:
        return (int64_t)((uint64_t)last + 60000);
    case 3:
        return (int64_t)(rng_next(rng) >> rng_below(rng, 64));
    default:
        return (int64_t)rng_next(rng);
    }
}

static double random_double(struct rng *rng)
{
    double number = 0;
    uint64_t bits = rng_next(rng);
    switch (rng_below(rng, 5)) {
    case 0:
        memcpy(&number, &bits, sizeof number); /* anything */
        return number;
    case 1:
        return (double)NAN;
    case 2:
        return (double)(rng_below(rng, 2000)) / 10 - 100;
    case 3:
        return 4 + rng_uniform(rng);
    default:
        return (double)(int64_t)(bits >> rng_below(rng, 64)) / 1000;
    }
}

static void random_columns_come_back(void)
{
    static int64_t ints[COLUMN_MAX];
    static double doubles[COLUMN_MAX];
    static double beside[COLUMN_MAX];
    struct rng rng = {.state = 20261123};
    size_t bytes = 0;
    for (int round = 0; round < 400; round++) {
        size_t count = 1 + rng_below(&rng, rng_chance(&rng, 0.1) ? COLUMN_MAX : 40);
        bool is_wild = rng_chance(&rng, 0.5);
        for (size_t i = 0; i < count; i++) {
            ints[i] = random_int(&rng, i > 0 ? ints[i - 1] : 0);
            doubles[i] = is_wild ? random_double(&rng)
                                 : (double)(int64_t)rng_below(&rng, 500) / 10 - 20;
            beside[i] = is_wild ? random_double(&rng) : doubles[i] + 0.5;
        }
        CHECK(ints_come_back(ints, count, &bytes));
        CHECK(doubles_come_back(doubles, count, &bytes));
        CHECK(beside_comes_back(doubles, beside, count, &bytes));
        CHECK(beside_comes_back(beside, doubles, count, &bytes));
    }
}

static void cut_columns_are_refused(void)
{
    static double numbers[100];
    static double back[100];
    for (size_t i = 0; i < 100; i++)
        numbers[i] = i % 7 == 0 ? (double)NAN : sin((double)i);
    struct buf out = {0};
    column_put_doubles(&out, numbers, 100);
    for (size_t len = 0; len < out.len; len++) {
        struct buf_reader in = buf_reader_of(out.data, len);
        CHECK(!column_get_doubles(&in, back, 100));
    }
    buf_fini(&out);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"integers come back", integers_come_back},
        {"doubles come back bit for bit", doubles_come_back_bit_for_bit},
        {"other NaNs keep their bits", other_nans_keep_their_bits},
        {"a column beside another costs little", a_column_beside_another_costs_little},
        {"runs come back", runs_come_back},
        {"random columns come back", random_columns_come_back},
        {"cut columns are refused", cut_columns_are_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/column", tests);
}
