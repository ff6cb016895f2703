// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors_list.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "edge-agent/sensors/sensors.h"

#define EXIT_USAGE 2

static const char help[] =
    "usage: coldchain-agent sensors [--json] [--root DIR]\n"
    "\n"
    "Lists every probe that the drivers find on this machine, with its present value and\n"
    "the `probe` to copy into a channel of the configuration. Reads only.\n"
    "\n"
    "  --json      an array of objects: driver, probe, unit, value, quality, reason\n"
    "  --root DIR  look below this folder instead of /\n"
    "\n"
    "examples:\n"
    "  coldchain-agent sensors\n"
    "  coldchain-agent sensors --json | jq '.[] | select(.driver == \"w1\")'\n"
    "\n"
    "exit status: 0 listed, also when there is none, 2 wrong usage\n";

struct listing {
    json_t *found; /* NULL: a table for people */
    size_t count;
};

static void add_json(json_t *list, const struct sensor_found *found)
{
    json_t *one = json_object();
    bool is_good = found->quality == QUALITY_GOOD && isfinite(found->value);
    json_object_set_new(one, "driver", json_string(found->driver));
    json_object_set_new(one, "probe", json_string(found->probe));
    json_object_set_new(one, "unit",
                        found->unit != NULL ? json_string(found->unit) : json_null());
    json_object_set_new(one, "value", is_good ? json_real(found->value) : json_null());
    json_object_set_new(one, "quality", json_string(quality_name(found->quality)));
    json_object_set_new(one, "reason", json_string(is_good ? "" : found->reason));
    json_array_append_new(list, one);
}

static void on_found(void *context, const struct sensor_found *found)
{
    struct listing *listing = context;
    listing->count++;
    if (listing->found != NULL) {
        add_json(listing->found, found);
        return;
    }
    if (listing->count == 1)
        printf("%-7s %-42s %12s\n", "DRIVER", "PROBE", "NOW");
    if (found->quality == QUALITY_GOOD)
        printf("%-7s %-42s %8.3f %s\n", found->driver, found->probe, found->value,
               found->unit);
    else
        printf("%-7s %-42s %12s (%s)\n", found->driver, found->probe,
               quality_name(found->quality), found->reason);
}

static bool take_words(int argc, const char *const *argv, bool *is_json,
                       const char **root)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            *is_json = true;
        } else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc) {
            *root = argv[++i];
        } else {
            fprintf(stderr,
                    "coldchain-agent sensors: '%s' is not understood; see "
                    "'coldchain-agent sensors --help'\n",
                    argv[i]);
            return false;
        }
    }
    return true;
}

int sensors_list_run(int argc, const char *const *argv)
{
    bool is_json = false;
    const char *root = "/";
    struct listing listing = {0};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return 0;
    }
    if (!take_words(argc, argv, &is_json, &root))
        return EXIT_USAGE;
    listing.found = is_json ? json_array() : NULL;
    for (size_t i = 0; sensor_at(i) != NULL; i++)
        if (sensor_at(i)->list != NULL)
            sensor_at(i)->list(root, &listing, on_found);
    if (is_json) {
        json_dumpf(listing.found, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(listing.found);
    } else if (listing.count == 0) {
        printf("no probe was found below %s: docs/sensors says how each is wired\n",
               root);
    }
    return 0;
}
