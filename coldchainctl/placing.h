// SPDX-License-Identifier: Apache-2.0
/*
 * placing - a logger measures a zone for the time of its file, said when it is over.
 *
 * One placement of the whole device, by the same command as any other; what is placed in
 * that zone already stays, so that the same file, or a longer one of the same logger,
 * places what is missing only. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_PLACING_H
#define COLDCHAIN_COLDCHAINCTL_PLACING_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "coldchainctl/client.h"

#define PLACING_GAPS_MAX 32

/* Texts are borrowed. */
struct placing {
    const char *org;
    const char *device;
    const char *zone;
    const char *columns; /* of the import: channels that it does not name do not matter */
    const char *epoch;   /* of the file, for the placements' ids */
    int64_t from_ms;
    int64_t to_ms; /* exclusive */
};

struct placing_span {
    int64_t from_ms;
    int64_t to_ms;
};

/*
 * What of the time is in no zone yet, earliest first; `placements` is the API's answer.
 * CONFLICT: some of it is in another zone; LIMIT: more than PLACING_GAPS_MAX. Pure.
 */
MUST_CHECK enum err placing_gaps(const struct placing *placing, const json_t *placements,
                                 struct placing_span gaps[PLACING_GAPS_MAX],
                                 size_t *count, struct err_text *why);

/* Places it; *count says in how many pieces, 0: it was placed before. */
MUST_CHECK enum err placing_make(const struct placing *placing, const json_t *placements,
                                 struct client *client, size_t *count,
                                 struct err_text *why);

#endif
