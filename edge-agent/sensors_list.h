// SPDX-License-Identifier: Apache-2.0
/*
 * sensors_list - `coldchain-agent sensors`: what is wired to this machine, and reads now.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_LIST_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_LIST_H

/* argv[0] is "sensors". The exit status: 2 for wrong usage. */
int sensors_list_run(int argc, const char *const *argv);

#endif
