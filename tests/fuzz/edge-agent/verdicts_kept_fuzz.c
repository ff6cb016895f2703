// SPDX-License-Identifier: Apache-2.0
/* What the agent kept of its verdicts, as it comes back from its file; the checksum,
 * which would keep everything else out, is made here. */
#include <assert.h>

#include "base/crc32c.h"
#include "edge-agent/verdicts_kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct verdicts_kept kept;
    struct buf file = {0};
    size_t index;
    buf_add(&file, data, size);
    buf_u32(&file, crc32c(0, data, size));
    if (verdicts_kept_load(&kept, file.data, file.len)) {
        struct buf again = {0};
        struct verdicts_kept copy;
        verdicts_kept_save(&kept, &again);
        bool is_read = verdicts_kept_load(&copy, again.data, again.len);
        assert(is_read && copy.list.count == kept.list.count);
        verdicts_kept_fini(&copy);
        buf_fini(&again);
        incidents_mute(&kept.list);
        if (incidents_next(&kept.list, ALERT_WARNING, &index) != INCIDENTS_NOTHING)
            assert(index < kept.list.count);
    }
    verdicts_kept_fini(&kept);
    buf_fini(&file);
    return 0;
}
