// SPDX-License-Identifier: Apache-2.0
/*
 * sampler - reads the sensors when they are due and hands their readings to the recorder.
 *
 * Times of reading lie on a grid of the (virtual) boot clock, so that wall clock steps
 * neither bunch nor skip readings. Under a virtual clock every point of the grid is read,
 * however fast it runs; in real time a point that was missed is missed. Belongs to the
 * loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SAMPLER_H
#define COLDCHAIN_EDGE_AGENT_SAMPLER_H

#include "base/loop.h"
#include "edge-agent/recorder.h"

struct sampler;

struct sampler_options {
    const struct settings *settings;
    const struct clock *clock;
    struct loop *loop;
    struct recorder *recorder;
    const struct spool *spool; /* how far resumable sensors were */
    void *context;
    /* The uplink is far behind: sensors that could go on at once wait. */
    bool (*is_congested)(void *context);
    /* All sensors have ended, and their last readings are on stable storage. */
    void (*on_ended)(void *context);
    /* The journal is beyond help. */
    void (*on_failed)(void *context, enum err err);
};

struct sampler_counts {
    uint64_t expected; /* readings that the sensors' intervals promised */
    uint64_t taken;
    uint64_t bad; /* of these, of bad quality */
};

/* Opens the sensors and starts reading. Everything in options outlives the sampler. */
MUST_CHECK enum err sampler_open(struct sampler **sampler,
                                 const struct sampler_options *options,
                                 struct err_text *why);
/* Accepts NULL. Readings taken so far stay with the recorder. */
void sampler_close(struct sampler *sampler);

/* No more readings from now on. */
void sampler_stop(struct sampler *sampler);
bool sampler_has_ended(const struct sampler *sampler);
const struct sampler_counts *sampler_counts(const struct sampler *sampler);

#endif
