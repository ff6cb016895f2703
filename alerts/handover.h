// SPDX-License-Identifier: Apache-2.0
/*
 * handover - two engines on one channel: what one knows, the other goes on with.
 *
 * One judges in order, the other judged ahead of a gap and has told already. The rest of
 * alerts.h: pure, nobody is told of anything, owned by the thread of both engines.
 */
#ifndef COLDCHAIN_ALERTS_HANDOVER_H
#define COLDCHAIN_ALERTS_HANDOVER_H

#include "alerts/incident.h"
#include "base/err.h"

struct alerts;

/*
 *  - copy: what `from` holds of the channel replaces what `to` holds of it;
 *  - drop: the channel is forgotten with its incidents, which nobody is told;
 *  - adopt: the open incident `id` goes on under the name, revision, severity and
 *    acknowledgement of `told`. NOT_FOUND; EXISTS when that name is another's already.
 */
void alerts_copy(struct alerts *to, const struct alerts *from, const char *zone,
                 const char *device, const char *channel);
/*
 * `to` has judged the channel from somewhere in the past on: its sums without a window go
 * on from what `from` has, where that is more, with what a person closed of them.
 */
void alerts_keep_sums(struct alerts *to, const struct alerts *from, const char *zone,
                      const char *device, const char *channel);
/* What was declared of the zone, the past included, holds in `to`, too. */
void alerts_copy_declared(struct alerts *to, const struct alerts *from, const char *zone);
void alerts_drop(struct alerts *alerts, const char *zone, const char *device,
                 const char *channel);
MUST_CHECK enum err alerts_adopt(struct alerts *alerts, const char *id,
                                 const struct incident *told);

#endif
