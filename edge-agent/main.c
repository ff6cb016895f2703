// SPDX-License-Identifier: Apache-2.0
/* coldchain-agent - reads sensors, keeps what they say, and delivers it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/options.h"
#include "edge-agent/agent.h"

static enum err run(const struct options *options, struct config *config,
                    const struct settings *settings, struct err_text *why)
{
    if (options->print_config) {
        struct buf text = {0};
        config_print(config, &text);
        fwrite(text.data, 1, text.len, stdout);
        buf_fini(&text);
    }
    if (options->print_config || options->check_only)
        return ERR_OK;
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
                    "coldchain-agent --config replay.yaml --exit-when-drained\n",
        .extra_name = "exit-when-drained",
        .extra_help = "end when all sensors have ended and everything is acknowledged",
        .config_path = "/etc/coldchain/agent.yaml",
    };
    enum options_result result = options_parse(&options, argc, (const char *const *)argv);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    crypto_init();
    struct config config = {0};
    struct settings settings = {0};
    struct err_text why = {0};
    enum err err =
        config_load(&config, &settings_schema, &settings, options.config_path, &why);
    if (err == ERR_OK)
        err = run(&options, &config, &settings, &why);
    if (err != ERR_OK)
        log_error("%s", why.text);
    config_fini(&config);
    return err == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
