// SPDX-License-Identifier: Apache-2.0
/*
 * tls_twin - the agent is installed twice: without TLS it takes half the memory, and
 * becomes its twin where the broker wants TLS (docs/decisions/0008).
 */
#ifndef COLDCHAIN_EDGE_AGENT_TLS_TWIN_H
#define COLDCHAIN_EDGE_AGENT_TLS_TWIN_H

#include "base/err.h"
#include "edge-agent/settings.h"

/*
 * Replaces this process by the twin with the same arguments if the broker of `settings`
 * wants TLS and this program cannot; else returns ERR_OK. NOT_FOUND, IO: the twin cannot
 * be run.
 */
MUST_CHECK enum err tls_twin_become(const struct settings *settings, char **argv,
                                    struct err_text *why);

#endif
