// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/seams.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* Those that what is closed has swallowed, when it became too torn to be exact. */
void seams_drop_closed(struct collector_epoch *epoch)
{
    size_t kept = 0;
    for (size_t i = 0; i < epoch->seam_count; i++)
        if (!seqset_has(&epoch->closed, epoch->seams[i].seq))
            epoch->seams[kept++] = epoch->seams[i];
    epoch->seam_count = kept;
}

/*
 * What follows it is closed, so no later pack's hash speaks for this one: without its
 * own, a copy that holds another pack of that name would believe that it is here.
 */
void seams_add(struct collector_epoch *epoch, uint64_t seq, uint64_t hash)
{
    if (hash == 0 || !seqset_has(&epoch->closed, seq + 1) ||
        seqset_has(&epoch->closed, seq))
        return;
    size_t at = epoch->seam_count;
    while (at > 0 && epoch->seams[at - 1].seq > seq)
        at--;
    if (at > 0 && epoch->seams[at - 1].seq == seq)
        return;
    assert(at == epoch->seam_count || epoch->seams[at].seq > seq);
    mem_grow(&epoch->seams, &epoch->seam_capacity, epoch->seam_count + 1,
             sizeof *epoch->seams);
    memmove(epoch->seams + at + 1, epoch->seams + at,
            (epoch->seam_count - at) * sizeof *epoch->seams);
    epoch->seams[at] = (struct collector_seam){seq, hash};
    epoch->seam_count++;
}

/* Up to the mark: beyond it a gap breaks the chain as well. */
void seams_fill(struct ack_epoch *ack, const struct collector_epoch *epoch)
{
    for (size_t i = 0; i < epoch->seam_count && epoch->seams[i].seq <= ack->through; i++)
        for (size_t j = 0; j < ack->closed_count; j++)
            if (ack->closed[j].first == epoch->seams[i].seq + 1)
                ack->seams[ack->seam_count++] =
                    (struct ack_seam){epoch->seams[i].seq, epoch->seams[i].hash};
}

void seams_save(const struct collector_epoch *epoch, struct buf *out)
{
    buf_varint(out, epoch->seam_count);
    for (size_t i = 0; i < epoch->seam_count; i++) {
        buf_varint(out, epoch->seams[i].seq);
        buf_u64(out, epoch->seams[i].hash);
    }
}

enum err seams_load(struct collector_epoch *epoch, struct buf_reader *in)
{
    uint64_t count = buf_read_varint(in);
    if (in->failed || count > in->len)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        uint64_t seq = buf_read_varint(in);
        seams_add(epoch, seq, buf_read_u64(in));
    }
    return in->failed ? ERR_CORRUPT : ERR_OK;
}
