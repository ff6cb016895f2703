// SPDX-License-Identifier: Apache-2.0
/*
 * rooms - tells an engine what zones are like, and what is planned and declared there.
 *
 * Said again it changes nothing. Loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_ROOMS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_ROOMS_H

#include "alerts/alerts.h"
#include "collector/pipeline/registry.h"

void pipeline_tell_room(struct alerts *alerts, const struct registry *registry,
                        const char *id);
/* Of all zones. */
void pipeline_tell_rooms(struct alerts *alerts, const struct registry *registry);

#endif
