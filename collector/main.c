// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/options.h"
#include "collector/collector.h"
#include "collector/config.h"

static enum err start(const struct options *options, struct config *config,
                      struct settings *settings, struct err_text *why)
{
    enum err err =
        config_load(config, &settings_schema, settings, options->config_path, why);
    if (err != ERR_OK) {
        fprintf(stderr, "%s", config->problems.len > 0 ? config->problems.data : "");
        return err;
    }
    if (options->print_config) {
        struct buf text = {0};
        config_print(config, &text);
        fputs(text.data, stdout);
        buf_fini(&text);
    }
    if (options->check_only)
        printf("%s: in order\n", options->config_path);
    if (options->print_config || options->check_only)
        return ERR_OK;
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

    enum options_result asked = options_parse(&options, argc, (const char *const *)argv);
    if (asked != OPTIONS_RUN)
        return asked == OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    crypto_init();
    enum err err = start(&options, &config, &settings, &why);
    if (err != ERR_OK)
        log_error("%s", why.text);
    config_fini(&config);
    return err == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
