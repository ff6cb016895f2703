// SPDX-License-Identifier: Apache-2.0
/*
 * rule_kinds - the part of alert_rule_check() that depends on the kind. Only the files of
 * this folder include it.
 */
#ifndef COLDCHAIN_ALERTS_RULE_KINDS_H
#define COLDCHAIN_ALERTS_RULE_KINDS_H

#include "alerts/rule.h"

/* INVALID: a kind that is not available, or cannot see the quantity; a limit or window
 * that it lacks; reasons that contradict it. */
MUST_CHECK enum err rule_check_kind(const struct alert_rule *rule, struct err_text *why);
/* INVALID: levels, checked before, that the kind's measure is always or never beyond. */
MUST_CHECK enum err rule_check_reach(const struct alert_rule *rule, struct err_text *why);
/* A registered state, 0 or 1. */
bool rule_is_of_signal(const char *quantity);

/* What is not in the registry of quantities may be one, too. */
bool rule_may_be_temperature(const char *quantity);
/* rule_band.c. INVALID: it names the band where there is none, or that is no number of
 * the kind. */
MUST_CHECK enum err rule_check_band(const struct alert_rule *rule, struct err_text *why);

#endif
