// SPDX-License-Identifier: Apache-2.0
/* The marks of what was acked, as they come back from the agent's journal. */
#include <assert.h>

#include "edge-agent/uplink_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_core core;
    agent_core_init(&core, 1);
    agent_core_hold(&core, 1, 1, 100);
    agent_core_hold(&core, 2, 5, 10);
    uint64_t held = agent_core_backlog(&core);
    if (agent_core_load(&core, data, size) == ERR_OK) {
        struct buf again = {0};
        agent_core_save(&core, &again);
        assert(agent_core_backlog(&core) <= held);
        enum err err = agent_core_load(&core, again.data, again.len);
        assert(err == ERR_OK);
        buf_fini(&again);
    } else {
        assert(agent_core_backlog(&core) == held);
    }
    agent_core_fini(&core);
    return 0;
}
