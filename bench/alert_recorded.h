// SPDX-License-Identifier: Apache-2.0
/*
 * alert_recorded - the rule sets on a recorded freezer, as it is and with failures put
 * in.
 */
#ifndef COLDCHAIN_BENCH_ALERT_RECORDED_H
#define COLDCHAIN_BENCH_ALERT_RECORDED_H

#include <stdint.h>

/*
 * One line of JSON for each rule set. The record is looked for in the folder
 * COLDCHAIN_SHARED of the environment (../shared); without it one line on standard error
 * says so.
 */
void recorded_run(uint64_t seed);

#endif
