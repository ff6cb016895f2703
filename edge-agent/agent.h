// SPDX-License-Identifier: Apache-2.0
/*
 * agent - one device: sensors to journal to broker, until told to stop.
 */
#ifndef COLDCHAIN_EDGE_AGENT_AGENT_H
#define COLDCHAIN_EDGE_AGENT_AGENT_H

#include "base/clock.h"
#include "edge-agent/settings.h"

struct agent_run_options {
    const struct clock *clock;
    bool exit_when_drained; /* end when all sensors have ended and all is acked */
};

/*
 * Runs until SIGTERM or SIGINT, then closes the open pack, waits drain_timeout for acks,
 * and says offline. On failure `why` says what to mend.
 */
MUST_CHECK enum err agent_run(const struct settings *settings,
                              const struct agent_run_options *options,
                              struct err_text *why);

#endif
