// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "coldchainctl/doctor_forecast.h"
#include "tests/support/check.h"

#define DAY ((int64_t)86400000)
#define NOW (1000 * DAY)
#define MIB 1048576.0

static void days_by_rows(void)
{
    static const struct {
        const char *name;
        double free_mib;
        uint64_t journal_mib; /* 0: not on this disk */
        int64_t journal_days; /* its age */
        uint64_t history_mib; /* 0: not on this disk */
        int64_t history_days;
        int64_t keep_days; /* of the history; 0: for ever */
        double want;       /* days; -1: not to be told */
    } rows[] = {
        {"a history alone", 1000, 0, 0, 100, 10, 0, 100},
        {"too young", 1000, 0, 0, 100, 0, 0, -1},
        {"neither is here", 1000, 0, 0, 0, 0, 0, -1},
        {"the journal takes its part first", 1000, 500, 10, 100, 10, 0, 50},
        {"a journal that is as old as it is kept takes no more", 1000, 500, 30, 100, 10,
         0, 100},
        {"a young journal may take all it is allowed to", 1000, 500, 0, 100, 10, 0, 50},
        {"nothing is left for the history", 400, 500, 10, 100, 10, 0, 0},
        {"a history that is as old as it is kept grows no more", 10, 0, 0, 100, 40, 30,
         INFINITY},
        {"a history that is not yet that old grows", 100, 0, 0, 100, 10, 30, 10},
        {"full", 0, 0, 0, 100, 10, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct growth journal = {.bytes = rows[i].journal_mib << 20,
                                       .since_ms = NOW - rows[i].journal_days * DAY};
        const struct growth history = {.bytes = rows[i].history_mib << 20,
                                       .since_ms = NOW - rows[i].history_days * DAY};
        const struct forecast_disk disk = {
            .free_bytes = rows[i].free_mib * MIB,
            .journal = rows[i].journal_mib > 0 ? &journal : NULL,
            .history = rows[i].history_mib > 0 ? &history : NULL,
            .journal_most = 1000 * MIB,
            .journal_keep_ms = 30 * DAY,
            .history_keep_ms = rows[i].keep_days * DAY,
        };
        double days = doctor_forecast(&disk, NOW).days;
        CHECK_ROW(rows[i].name,
                  days == rows[i].want || fabs(days - rows[i].want) < 0.001);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"days are told by what comes and what is kept", days_by_rows},
        CU_TEST_INFO_NULL,
    };
    return check_run("doctor_forecast", tests);
}
