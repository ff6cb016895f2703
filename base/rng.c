// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <assert.h>
#include <math.h>

#define GOLDEN_GAMMA 0x9e3779b97f4a7c15u
#define TWO_PI       6.283185307179586

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The upper 53 bits fill a double exactly. */
static double unit_of(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

uint64_t rng_next(struct rng *rng)
{
    rng->state += GOLDEN_GAMMA;
    return mix(rng->state);
}

double rng_uniform(struct rng *rng)
{
    return unit_of(rng_next(rng));
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    assert(bound > 0);
    /* The bias of the remainder is below bound / 2^64: nothing a simulation sees. */
    return rng_next(rng) % bound;
}

bool rng_chance(struct rng *rng, double chance)
{
    return rng_uniform(rng) < chance;
}

uint64_t rng_hash(uint64_t seed, uint64_t number)
{
    return mix(mix(seed + GOLDEN_GAMMA) ^ (number * GOLDEN_GAMMA + GOLDEN_GAMMA));
}

double rng_hash_uniform(uint64_t seed, uint64_t number)
{
    return unit_of(rng_hash(seed, number));
}

double rng_hash_normal(uint64_t seed, uint64_t number)
{
    /* Box and Muller 1958; 1 - u keeps the logarithm finite. */
    double radius = sqrt(-2 * log(1 - rng_hash_uniform(seed, number)));
    return radius * cos(TWO_PI * rng_hash_uniform(~seed, number));
}

uint64_t rng_seed_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}
