// SPDX-License-Identifier: Apache-2.0
#include "freshness/profile_set.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/log.h"
#include "base/mem.h"

/* The files of freshness/profiles, sorted by name; see CMakeLists.txt. */
extern const struct embed_file profile_files[];
extern const size_t profile_files_count;

struct profile_set {
    struct profile **profiles; /* sorted by id */
    size_t count;
    size_t capacity;
};

/* Where the id is, or would be. */
static size_t place_of(const struct profile_set *set, const char *id)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(set->profiles[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct profile_set *set, size_t place, const char *id)
{
    return place < set->count && strcmp(set->profiles[place]->id, id) == 0;
}

const struct profile *profile_set_find(const struct profile_set *set, const char *id)
{
    size_t place = place_of(set, id);
    return is_at(set, place, id) ? set->profiles[place] : NULL;
}

size_t profile_set_count(const struct profile_set *set)
{
    return set->count;
}

const struct profile *profile_set_get(const struct profile_set *set, size_t index)
{
    assert(index < set->count);
    return set->profiles[index];
}

static void forget(struct profile *profile)
{
    profile_fini(profile);
    free(profile);
}

/* Takes the profile. */
static void insert(struct profile_set *set, struct profile *profile)
{
    size_t place = place_of(set, profile->id);
    if (is_at(set, place, profile->id)) {
        forget(set->profiles[place]);
        set->profiles[place] = profile;
        return;
    }
    mem_grow(&set->profiles, &set->capacity, set->count + 1, sizeof *set->profiles);
    memmove(set->profiles + place + 1, set->profiles + place,
            (set->count - place) * sizeof *set->profiles);
    set->profiles[place] = profile;
    set->count++;
}

enum err profile_set_add(struct profile_set *set, const char *text, size_t len,
                         const struct profile **added, struct err_text *why)
{
    struct profile *profile = mem_alloc(sizeof *profile);
    *added = NULL;
    enum err err = profile_parse(profile, text, len, why);
    if (err == ERR_OK && profile->inherits[0] != '\0') {
        const struct profile *parent = profile_set_find(set, profile->inherits);
        if (parent == NULL || strcmp(profile->inherits, profile->id) == 0)
            err = err_set(why, ERR_NOT_FOUND, "there is no profile '%s' to inherit from",
                          profile->inherits);
        else
            profile_inherit(profile, parent);
    }
    if (err != ERR_OK) {
        forget(profile);
        return err;
    }
    insert(set, profile);
    *added = profile;
    return ERR_OK;
}

/* Those whose parent comes later in the alphabet are tried again in the next round. */
struct profile_set *profile_set_create(void)
{
    struct profile_set *set = mem_alloc(sizeof *set);
    for (size_t before = SIZE_MAX;
         before != set->count && set->count < profile_files_count;) {
        before = set->count;
        for (size_t i = 0; i < profile_files_count; i++) {
            const struct embed_file *file = &profile_files[i];
            const struct profile *profile;
            struct err_text why;
            enum err err = profile_set_add(set, (const char *)file->data, file->size,
                                           &profile, &why);
            if (err != ERR_OK && err != ERR_NOT_FOUND)
                log_fatal("built-in profile is broken file=%s why=%s", file->name,
                          why.text);
        }
    }
    assert(set->count == profile_files_count);
    return set;
}

void profile_set_destroy(struct profile_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        forget(set->profiles[i]);
    free(set->profiles);
    free(set);
}
