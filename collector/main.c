// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/options.h"
#include "collector/collector.h"
#include "collector/config.h"

static enum err run(const struct options *options, const struct settings *settings,
                    struct err_text *why)
{
    struct clock clock;
    options_clock(options, &clock);
    return collector_run(settings, &clock, why);
}

int main(int argc, char **argv)
{
    struct options options = {
        .program = "coldchain-collector",
        .about = "takes readings from the broker, judges, keeps and passes them on",
        .examples = "  coldchain-collector /etc/coldchain/collector.yaml\n"
                    "  coldchain-collector --check collector.yaml\n",
        .config_path = "/etc/coldchain/collector.yaml",
    };
    struct config config = {0};
    struct settings settings = {0};
    struct err_text why = {0};
    enum err err = ERR_OK;

    enum options_result result = options_parse(&options, argc, (const char *const *)argv);
    if (result == OPTIONS_RUN)
        result = options_load(&options, &config, &settings_schema, &settings);
    if (result == OPTIONS_RUN) {
        crypto_init();
        err = run(&options, &settings, &why);
    }
    if (err != ERR_OK)
        log_error("%s", why.text);
    config_fini(&config);
    return err == ERR_OK && result != OPTIONS_WRONG ? EXIT_SUCCESS : EXIT_FAILURE;
}
