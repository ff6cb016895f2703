// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_forecast - for how many days a disk is large enough. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_DOCTOR_FORECAST_H
#define COLDCHAIN_COLDCHAINCTL_DOCTOR_FORECAST_H

#include <stdint.h>

/* What a folder takes, and since when it grows. */
struct growth {
    uint64_t bytes;
    int64_t since_ms; /* INT64_MAX: it is empty */
};

/* One disk, and what of the collector's lies on it. */
struct forecast_disk {
    double free_bytes;
    const struct growth *journal; /* NULL: not here */
    const struct growth *history;
    double journal_most;     /* bytes that it may have */
    int64_t journal_keep_ms; /* and how long it keeps them */
    int64_t history_keep_ms; /* 0: for ever */
};

struct forecast {
    double days;  /* until it is full; below 0: too young to tell; INFINITY: never */
    double a_day; /* bytes that the history grows by */
};

/*
 * The journal grows until it has what it may have, the history until it is as old as it
 * is kept; what is younger than a day tells nothing.
 */
struct forecast doctor_forecast(const struct forecast_disk *disk, int64_t now_ms);

#endif
