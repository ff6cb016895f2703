// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_rules - the rules of a file, as the engine takes them, each with its line.
 *
 * The file is that of `coldchainctl config export`, or the part of it that begins with
 * "rules:". What the collector would refuse is refused here, with NAME:LINE. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_BACKTEST_RULES_H
#define COLDCHAIN_COLDCHAINCTL_BACKTEST_RULES_H

#include <stddef.h>

#include <jansson.h>

#include "alerts/rule.h"
#include "base/err.h"

struct backtest_rules {
    const char *name; /* of the file, borrowed: for messages */
    struct alert_rule *rules;
    int *lines; /* as many */
    size_t count;
    json_t *zones; /* id -> {field: value}: what the file says of them */
};

/*
 * Reads a text; INVALID begins with "NAME:LINE: ". NOT_FOUND: there is no rule in it. The
 * caller runs backtest_rules_fini() in any case.
 */
MUST_CHECK enum err backtest_rules_parse(struct backtest_rules *rules, const char *name,
                                         const char *text, size_t len,
                                         struct err_text *why);
MUST_CHECK enum err backtest_rules_read(struct backtest_rules *rules, const char *path,
                                        struct err_text *why);
void backtest_rules_fini(struct backtest_rules *rules);

/* The zone that all of them watch; NULL when they watch several. */
const char *backtest_rules_zone(const struct backtest_rules *rules);
/* They watch that zone instead: rules are tried on a record of whatever name. */
void backtest_rules_move(struct backtest_rules *rules, const char *zone);
/* Leaves only the rules of that zone; NOT_FOUND when there is none. */
MUST_CHECK enum err backtest_rules_keep(struct backtest_rules *rules, const char *zone,
                                        struct err_text *why);

#endif
