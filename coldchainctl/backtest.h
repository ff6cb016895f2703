// SPDX-License-Identifier: Apache-2.0
/*
 * backtest - what rules would have said of a record, and how that fits what happened to
 * the goods.
 *
 * The engine of the collector (alerts/alerts.h) sees reading after reading, and a tick
 * each minute. Beside it stands harm: the goods were outside of their zone's band. Their
 * temperature is what a probe in them says, else it follows the air with a first-order
 * lag (freshness/thermal.h), whatever the rules are. Pure; one thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_BACKTEST_H
#define COLDCHAIN_COLDCHAINCTL_BACKTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "coldchainctl/backtest_data.h"
#include "coldchainctl/backtest_rules.h"
#include "collector/pipeline/registry.h"

#define BACKTEST_FIRINGS_MAX 20000
#define BACKTEST_HARMS_MAX   10000
/* Harm that is over for less is one harm. */
#define BACKTEST_HARM_GAP_MS ((int64_t)30 * 60 * 1000)

struct backtest_options {
    const json_t *zones; /* of the collector, id -> {field: value}, for those of which the
                            rules' file says nothing; NULL: none. Borrowed */
    double band_low;     /* what all goods bear; both NaN: what is said of their zone */
    double band_high;
    double tau_h; /* how slowly they follow the air; NaN: what is said of their zone; 0:
                     they are as warm as the air */
    void *context;
    void (*progress)(void *context, size_t done); /* readings; NULL: nobody asks */
};

struct backtest_firing {
    size_t rule;
    char id[ALERT_ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE]; /* "": a whole device */
    enum alert_severity severity;
    enum incident_state state; /* at the end */
    int64_t onset_ms;
    int64_t opened_ms;
    int64_t told_ms;     /* when the collector knew */
    int64_t critical_ms; /* when it became that; 0: never */
    int64_t closed_ms;   /* 0: open at the end */
    int64_t end_ms;      /* closed_ms, or the end of the record */
    double limit;
    double worst;
    size_t harm; /* index of the first one while it was open; SIZE_MAX: none */
};

/* What a rule kept back, and why. */
struct backtest_kept {
    size_t rule;
    char id[ALERT_ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];
    enum alert_reason reason;
    enum alert_severity severity;
    int64_t from_ms;
    int64_t to_ms; /* 0: it went on at the end */
    double worst;
};

struct backtest_harm {
    size_t channel; /* index into the data: whose goods */
    int64_t from_ms;
    int64_t to_ms; /* when it was over, or the end of the record */
    bool is_over;
    bool is_warm;
    double worst;
    int64_t warned_ms; /* when the first rule told of it; INT64_MIN: nobody did */
};

/* Of one rule. Harms are those of its zone, and of its side: cold ones for `below`. */
struct backtest_tally {
    size_t readings; /* that it watches */
    size_t firings;
    size_t criticals;
    size_t open; /* at the end */
    int64_t open_ms;
    int64_t delay_ms; /* from onset to telling, the middle one; -1: it never fired */
    size_t kept;      /* stretches of time for which a reason kept something back */
    size_t kept_by[ALERT_REASON_COUNT];
    bool is_about_harm; /* of how warm goods are, which have a band; else the rest is 0 */
    size_t false_alarms; /* firings during which no goods were harmed */
    size_t warned;       /* harms that it told of before they began */
    size_t late;         /* or later */
    size_t missed;       /* or never */
    int64_t ahead_ms;    /* from telling to harm, of `warned`: the middle one; -1: none */
    int64_t ahead_least_ms;
};

struct backtest {
    const struct backtest_rules *rules; /* borrowed, as is the data */
    const struct backtest_data *data;
    struct backtest_tally *tallies; /* one per rule */
    struct backtest_firing *firings;
    size_t firing_count;
    size_t firing_capacity;
    size_t lost_firings;        /* beyond the most */
    struct backtest_kept *kept; /* counted in the tallies beyond the most */
    size_t kept_count;
    size_t kept_capacity;
    struct registry *registry; /* zones and rules */
    struct backtest_harm *harms;
    size_t harm_count;
    size_t harm_capacity;
    bool has_band;
    double tau_h;      /* of the estimate that was used last */
    bool is_estimated; /* some of the goods' temperatures are */
    int64_t span_ms;
};

/*
 * The data is ordered. What rules name of their zone's band becomes the number that it
 * is. INVALID: the engine does not take the rules.
 */
MUST_CHECK enum err backtest_run(struct backtest *test, struct backtest_rules *rules,
                                 const struct backtest_data *data,
                                 const struct backtest_options *options,
                                 struct err_text *why);
void backtest_fini(struct backtest *test);

/* False alarms of that many in 30 days of the record. */
double backtest_per_month(const struct backtest *test, size_t count);

/* The channel whose readings one that the engine derives is made of; others stay. */
void backtest_measured_channel(char text[ID_SIZE], const char *channel);
/* What goods bear in that zone; false: nobody has said. */
bool backtest_band(const struct backtest *test, const struct backtest_options *options,
                   const char *zone, double *low, double *high);

/* The steps of backtest_run(), each in a file of its own. */
struct registry *backtest_registry(const struct backtest_rules *rules,
                                   const struct backtest_options *options);
MUST_CHECK enum err backtest_resolve(const struct backtest *test,
                                     struct backtest_rules *rules,
                                     const struct backtest_options *options,
                                     struct err_text *why);
void backtest_find_harms(struct backtest *test, const struct backtest_options *options);
void backtest_count(struct backtest *test);

#endif
