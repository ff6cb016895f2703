// SPDX-License-Identifier: Apache-2.0
/* coldchain-agent - reads sensors, keeps what they say, and delivers it. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/options.h"
#include "edge-agent/agent.h"
#include "edge-agent/sensors_list.h"
#include "edge-agent/tls_twin.h"

static enum err run(const struct options *options, const struct settings *settings,
                    struct err_text *why)
{
    struct clock clock;
    options_clock(options, &clock);
    struct agent_run_options run_options = {
        .clock = &clock,
        .exit_when_drained = options->extra,
    };
    return agent_run(settings, &run_options, why);
}

int main(int argc, char **argv)
{
    struct options options = {
        .program = "coldchain-agent",
        .about = "Reads sensors, keeps what they say, and delivers it.",
        .examples = "coldchain-agent --config examples/agent-room.yaml --check\n"
                    "coldchain-agent --config replay.yaml --exit-when-drained\n"
                    "coldchain-agent sensors   # lists the probes of this machine\n",
        .extra_name = "exit-when-drained",
        .extra_help = "end when all sensors have ended and everything is acknowledged",
        .config_path = "/etc/coldchain/agent.yaml",
    };
    struct config config = {0};
    struct settings settings = {0};
    struct err_text why = {0};
    enum err err = ERR_OK;

    mallopt(M_ARENA_MAX, 1); /* a few threads that seldom allocate share one */
    if (argc >= 2 && strcmp(argv[1], "sensors") == 0)
        return sensors_list_run(argc - 1, (const char *const *)argv + 1);
    enum options_result result = options_parse(&options, argc, (const char *const *)argv);
    if (result == OPTIONS_RUN)
        result = options_load(&options, &config, &settings_schema, &settings);
    if (result == OPTIONS_RUN)
        err = tls_twin_become(&settings, argv, &why);
    if (result == OPTIONS_RUN && err == ERR_OK) {
        crypto_init();
        malloc_trim(0); /* what reading the configuration took */
        err = run(&options, &settings, &why);
    }
    if (err != ERR_OK)
        log_error("%s", why.text);
    config_fini(&config);
    return err == ERR_OK && result != OPTIONS_WRONG ? EXIT_SUCCESS : EXIT_FAILURE;
}
