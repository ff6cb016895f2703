// SPDX-License-Identifier: Apache-2.0
/*
 * config_plan - from what is there to what a file says: the difference, and the commands.
 *
 * What the file does not name is archived, rules are deleted and placements end; what
 * has happened stays: calibrations, probes and replacements that the file does not name,
 * and organisations. Pure; one thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_CONFIG_PLAN_H
#define COLDCHAIN_COLDCHAINCTL_CONFIG_PLAN_H

#include <stdint.h>
#include <stdio.h>

#include "coldchainctl/config_model.h"

struct plan {
    /* [{kind, id, change, line, fields: [{field, old, new}]}], in the file's order */
    json_t *changes;
    /* [{kind, id, verb, body, line}], in the order in which they can be applied */
    json_t *commands;
};

/*
 * INVALID, with "NAME:LINE: ", for what no command can do. `now_ms`: placements that had
 * ended by then are past.
 */
MUST_CHECK enum err plan_make(struct plan *plan, const struct model *state,
                              const struct model *file, const char *name, int64_t now_ms,
                              struct err_text *why);
/* Accepts a zeroed one. */
void plan_fini(struct plan *plan);

void plan_print(const struct plan *plan, const struct model *state, FILE *out);

#endif
