// SPDX-License-Identifier: Apache-2.0
/*
 * rng - numbers that look random and repeat by seed: simulations, jitter, tests.
 *
 * splitmix64 (Steele, Lea, Flood 2014: "Fast splittable pseudorandom number generators").
 * Never for secrets or identities: those come from base/crypto.h. One thread per struct.
 */
#ifndef COLDCHAIN_BASE_RNG_H
#define COLDCHAIN_BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state; /* any value is a seed */
};

uint64_t rng_next(struct rng *rng);
/* [0, 1) */
double rng_uniform(struct rng *rng);
/* [0, bound); bound > 0 */
uint64_t rng_below(struct rng *rng, uint64_t bound);
/* True `chance` of the time. */
bool rng_chance(struct rng *rng, double chance);

/* The same for the same two numbers: randomness that is a function of a place or time. */
uint64_t rng_hash(uint64_t seed, uint64_t number);
/* [0, 1) and a standard normal, out of one such hash. */
double rng_hash_uniform(uint64_t seed, uint64_t number);
double rng_hash_normal(uint64_t seed, uint64_t number);
/* A seed out of a name (FNV-1a). */
uint64_t rng_seed_of(const char *text);

#endif
