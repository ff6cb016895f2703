// SPDX-License-Identifier: Apache-2.0
/*
 * profile_set - the profiles that come with the program, and those that are added to
 * them.
 *
 * A profile that inherits finds its parent in the set, so parents come first. Profiles
 * are borrowed until the set is destroyed or the same id is added again. One thread while
 * adding; constant afterwards.
 */
#ifndef COLDCHAIN_FRESHNESS_PROFILE_SET_H
#define COLDCHAIN_FRESHNESS_PROFILE_SET_H

#include <stddef.h>

#include "freshness/profile.h"

struct profile_set;

/* With every profile of freshness/profiles. */
struct profile_set *profile_set_create(void);

/* Accepts NULL. */
void profile_set_destroy(struct profile_set *set);

/* Parses, inherits, and replaces a profile of the same id. The profile is borrowed. */
MUST_CHECK enum err profile_set_add(struct profile_set *set, const char *text, size_t len,
                                    const struct profile **profile, struct err_text *why);

/* NULL when there is none. */
const struct profile *profile_set_find(const struct profile_set *set, const char *id);

/* In the order of their ids. */
size_t profile_set_count(const struct profile_set *set);
const struct profile *profile_set_get(const struct profile_set *set, size_t index);

#endif
