// SPDX-License-Identifier: Apache-2.0
/*
 * internal - the functions of the verbs, for their table. Nobody else includes this.
 */
#ifndef COLDCHAIN_COLLECTOR_COMMAND_INTERNAL_H
#define COLDCHAIN_COLLECTOR_COMMAND_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "collector/command/change.h"
#include "collector/pipeline/registry.h"

/* places.c */
enum err org_put(struct change *change, struct err_text *why);
enum err site_put(struct change *change, struct err_text *why);
enum err site_archive(struct change *change, struct err_text *why);
enum err vehicle_plate(struct change *change, struct err_text *why);
enum err zone_put(struct change *change, struct err_text *why);
enum err zone_duty(struct change *change, struct err_text *why);
enum err zone_archive(struct change *change, struct err_text *why);
enum err rule_put(struct change *change, struct err_text *why);
enum err rule_delete(struct change *change, struct err_text *why);

/* plans.c */
enum err zone_plan_step(struct change *change, struct err_text *why);
enum err zone_maintenance(struct change *change, struct err_text *why);
/*
 * The zone's spans and goods: INVALID for what contradicts itself or is no profile; warns
 * of goods that bear no temperature together, and of steps that not all of them share.
 */
MUST_CHECK enum err zone_check_plans(struct change *change, const struct entity *zone,
                                     struct err_text *why);
/* Warns when it is off duty as empty, and something is recorded as standing in it. */
void zone_warn_goods(struct change *change, const struct entity *zone);

/* loads.c */
enum err zone_load(struct change *change, struct err_text *why);
enum err zone_unload(struct change *change, struct err_text *why);

/* goods.c */
struct alert_rule;
/* Notes in "goods_since" that what was not in the zone before came in then, unless one of
 * its loads says when. */
MUST_CHECK enum err zone_note_goods(struct change *change, struct entity *zone,
                                    int64_t from_ms);
/* Warns when it asks how long goods last, and nobody knows that of those in the zone. */
void rule_warn_goods(struct change *change, const struct alert_rule *rule,
                     const struct entity *zone);

/* rule_bands.c */
/*
 * What it names of its zone's band becomes the number that it is; warns of what it cannot
 * know of the zone's goods.
 */
MUST_CHECK enum err rule_resolve(struct change *change, struct alert_rule *rule,
                                 struct err_text *why);
/* Warns of each rule that the zone's band or goods leave without a judge. */
MUST_CHECK enum err zone_warn_rules(struct change *change, const struct entity *zone);

/* devices.c */
enum err device_put(struct change *change, struct err_text *why);
enum err device_archive(struct change *change, struct err_text *why);
enum err device_replace(struct change *change, struct err_text *why);
enum err channel_calibrate(struct change *change, struct err_text *why);
enum err probe_swap(struct change *change, struct err_text *why);
/* The device, declared for that organisation when nobody has declared it. */
MUST_CHECK enum err device_declare(struct change *change, const char *id, const char *org,
                                   struct err_text *why);

/* placements.c */
enum err placement_put(struct change *change, struct err_text *why);
enum err placement_move(struct change *change, struct err_text *why);
enum err placement_end(struct change *change, struct err_text *why);
enum err placement_correct(struct change *change, struct err_text *why);
/* What measures there at `at_ms` or later: the first's id, "" when nothing does. */
MUST_CHECK enum err placement_of_zone(struct change *change, const char *zone,
                                      int64_t at_ms, char id[ID_SIZE]);
/* From `at_ms` on what `old` measures is measured by `by`. */
MUST_CHECK enum err placements_hand_over(struct change *change, const char *org,
                                         const char *old, const char *by, int64_t at_ms,
                                         struct err_text *why);

/* people.c */
enum err person_add(struct change *change, struct err_text *why);
enum err person_change(struct change *change, struct err_text *why);
enum err person_password(struct change *change, struct err_text *why);
enum err person_sign_out(struct change *change, struct err_text *why);
enum err person_erase(struct change *change, struct err_text *why);
enum err person_first(struct change *change, struct err_text *why);

/* rights.c */
enum err token_make(struct change *change, struct err_text *why);
enum err token_revoke(struct change *change, struct err_text *why);
enum err grant_make(struct change *change, struct err_text *why);
enum err grant_end(struct change *change, struct err_text *why);
/* Whether the command may touch what is of that organisation; "": the whole house. */
bool change_manages(const struct change *change, const char *org);
/* ["a", "b"] -> "a b"; false: it has no room. Absent and null are "". */
bool change_join(const struct change *change, const char *field, char *to, size_t size);

#endif
