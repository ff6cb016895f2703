// SPDX-License-Identifier: Apache-2.0
/*
 * view - what is shown of the pipeline: the zones as they are, and the news for who
 * follows.
 *
 * Loop thread. Only the files of the pipeline include it.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_VIEW_H
#define COLDCHAIN_COLLECTOR_PIPELINE_VIEW_H

#include "collector/pipeline/internal.h"

/* news.c: called where something changes; does nothing during a replay */
void pipeline_news_readings(struct pipeline *pipeline, struct device *device);
void pipeline_news_status(struct pipeline *pipeline, const char *org, const char *id);
void pipeline_news_zone(struct pipeline *pipeline, const char *zone);
void pipeline_news_incident(struct pipeline *pipeline, enum alert_effect_kind kind,
                            const struct incident *incident);
/* It is as it was, but for its value. */
void pipeline_news_value(struct pipeline *pipeline, const char *incident);
bool pipeline_has_news(const struct pipeline *pipeline);
void pipeline_news_fini(struct pipeline_news *news);

/* view.c */
#define PIPELINE_NO_AGE INT64_MIN /* instead of now: values without their age */
/* The zones in the set, all when it is NULL; the caller's. */
json_t *pipeline_zone_list(const struct pipeline *pipeline, int64_t now_ms,
                           const struct map *only);
/* Of "org/device", heard of or not; the caller's. */
json_t *pipeline_status_json(const struct pipeline *pipeline, const char *key);
/* The zone that the channel measured at its last reading; "": none. */
const char *pipeline_zone_of(const struct pipeline *pipeline, const struct device *device,
                             const struct device_channel *channel);

#endif
