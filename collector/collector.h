// SPDX-License-Identifier: Apache-2.0
/*
 * collector - the daemon put together: opened downwards, closed upwards.
 */
#ifndef COLDCHAIN_COLLECTOR_COLLECTOR_H
#define COLDCHAIN_COLLECTOR_COLLECTOR_H

#include "base/clock.h"
#include "base/err.h"
#include "collector/config.h"

/* Runs until SIGTERM or SIGINT, or until it cannot keep a promise any more. */
MUST_CHECK enum err collector_run(const struct settings *settings,
                                  const struct clock *clock, struct err_text *why);

#endif
