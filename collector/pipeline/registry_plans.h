// SPDX-License-Identifier: Apache-2.0
/*
 * registry_plans - of the registry: what its files do for each other. Others ask
 * registry.h.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_PLANS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_PLANS_H

#include <jansson.h>

#include "collector/pipeline/registry.h"
#include "freshness/band.h"
#include "freshness/profile_set.h"

/*
 * Fills in tau and the defrosts: tau as declared, within a factor of 1.5; or that of its
 * goods, from the fastest to the slowest of them; or what packed produce has.
 */
void registry_describe_zone(struct registry *registry, struct registry_zone *zone,
                            const json_t *body);
/* Of a row of a seed: all that is not a name, a place or a plain band. */
void registry_take_said(struct registry *registry, struct registry_zone *zone,
                        const json_t *row);
/* The zone's spans are those of the body now; NULL: none. */
void registry_put_plans(struct registry *registry, const char *zone, const json_t *body);

/* The orders that registry.h says its rows are in. */
int registry_compare_sites(const void *left, const void *right);
int registry_compare_placements(const void *left, const void *right);
/* Borrowed until a site changes; NULL. */
const struct registry_site *registry_site(const struct registry *registry,
                                          const char *id);

/*
 * What is due is that of the body now; NULL: nothing. Other kinds than device and channel
 * change nothing. `is_loading`: they are put in order at the end.
 */
void registry_put_dues(struct registry *registry, const char *kind, const char *id,
                       const char *org, const json_t *body, bool is_loading);
void registry_sort_dues(struct registry *registry);

#endif
