// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_data - what was measured, in the order in which rules are to see it: out of a
 * logger's CSV file, or out of the history behind the API.
 *
 * All of it is held in memory, at most BACKTEST_READINGS_MAX. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_BACKTEST_DATA_H
#define COLDCHAIN_COLDCHAINCTL_BACKTEST_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "coldchainctl/client.h"
#include "telemetry/reading.h"

#define BACKTEST_READINGS_MAX 20000000
#define BACKTEST_CHANNELS_MAX 4096

struct backtest_channel {
    char zone[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];
    char quantity[ID_SIZE];
    size_t count; /* readings */
};

struct backtest_reading {
    int64_t time_ms;
    int64_t arrival_ms;
    double value;
    uint16_t channel; /* index */
    uint8_t quality;  /* enum quality */
};

struct backtest_data {
    struct backtest_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    struct backtest_reading *readings;
    size_t count;
    size_t capacity;
    size_t refused; /* rows that were left out */
    struct err_text first_refusal;
    int64_t first_ms; /* event times */
    int64_t last_ms;
};

/* The index of that channel, which is added when absent; LIMIT: -1. */
int backtest_data_channel(struct backtest_data *data, const char *zone,
                          const char *device, const char *channel);
/* LIMIT: too many. */
MUST_CHECK enum err backtest_data_add(struct backtest_data *data,
                                      const struct backtest_reading *reading,
                                      struct err_text *why);

/* What is to be known of a logger's file. */
struct backtest_csv {
    const char *name;    /* for messages */
    const char *columns; /* as of `import` */
    const char *zone;    /* that was measured */
    bool is_partial;     /* rows that cannot be read are left out */
};

/* INVALID begins with "NAME:LINE: ", or with "NAME: " when it is no row's fault. */
MUST_CHECK enum err backtest_data_parse(struct backtest_data *data, const void *bytes,
                                        size_t len, const struct backtest_csv *csv,
                                        struct err_text *why);
/* The same of a file; csv->name is its path, "-" is stdin. */
MUST_CHECK enum err backtest_data_csv(struct backtest_data *data,
                                      const struct backtest_csv *csv,
                                      struct err_text *why);

/* All of that zone's readings from `from` (as the API reads it) to `to` (NULL: now). */
MUST_CHECK enum err backtest_data_fetch(struct backtest_data *data, struct client *client,
                                        const char *zone, const char *from,
                                        const char *to, struct err_text *why);

/*
 * In the order of event time, or of arrival; what came at once, signals first. Without
 * `as_arrived` everything arrives when it was measured. NOT_FOUND when there is nothing.
 */
MUST_CHECK enum err backtest_data_order(struct backtest_data *data, bool as_arrived,
                                        struct err_text *why);
void backtest_data_fini(struct backtest_data *data);

#endif
