// SPDX-License-Identifier: Apache-2.0
/*
 * influx_policy - what an answer of a line protocol endpoint means for the batch. Pure.
 *
 * Sources: the write APIs of InfluxDB v1, v2 and v3 as documented by their maker; a
 * partial write keeps good lines, so the same lines may be sent again (equal series and
 * time overwrite each other).
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_INFLUX_POLICY_H
#define COLDCHAIN_COLLECTOR_STORE_INFLUX_POLICY_H

#include <stddef.h>
#include <stdint.h>

enum influx_verdict {
    INFLUX_ACCEPTED,      /* go on behind the batch */
    INFLUX_BISECT,        /* a line is refused: find it */
    INFLUX_REFUSED,       /* it was one line: into quarantine with the reason */
    INFLUX_HALVE,         /* too large: send less at once */
    INFLUX_RETRY,         /* the same bytes again, later */
    INFLUX_MISCONFIGURED, /* the same, but a person has to mend something */
};

/* status 0: no answer came. `lines` is the number of lines in the request. */
enum influx_verdict influx_judge(int status, const char *body, size_t lines);

/* Doubling from 0.5 s to 60 s, half of it random; never less than retry_after_ms. */
int64_t influx_backoff_ms(unsigned failures, int64_t retry_after_ms, uint64_t random);

#endif
