// SPDX-License-Identifier: Apache-2.0
/*
 * sim_world - what surrounds a simulated zone: weather, sun, doors, the road.
 *
 * Every function is of parameters and time only. Pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_SIM_WORLD_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_SIM_WORLD_H

#include "edge-agent/sensors/sim.h"

struct sim_place {
    double latitude;
    double longitude;
    bool is_standing;
    bool door_open;
};

/* Whether a failure of that kind holds at the time; the fault itself, or NULL. */
const struct sim_fault *sim_fault_at(const struct sim_params *params,
                                     enum sim_fault_kind kind, const char *channel,
                                     int64_t time_ms);

double sim_outside_C(const struct sim_params *params, int64_t time_ms);
/* Outside temperature as the skin feels it, with the sun. */
double sim_skin_C(const struct sim_params *params, int64_t time_ms);
double sim_outside_vapour(const struct sim_params *params, int64_t time_ms);
bool sim_door_open(const struct sim_params *params, int64_t time_ms);
/* The first stop when there is but one; zeros without stops. */
struct sim_place sim_place_at(const struct sim_params *params, int64_t time_ms);

/* Density of saturated vapour over water, kg/m3 (Magnus form of WMO, R_v = 461.5). */
double sim_saturation_kg_m3(double temperature_C);

#endif
