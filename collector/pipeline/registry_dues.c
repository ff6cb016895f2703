// SPDX-License-Identifier: Apache-2.0
/*
 * registry_dues - what falls due on a day: calibrations, and the dates of devices.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/pipeline/registry_plans.h"
#include "collector/pipeline/rows.h"

static int compare_dues(const void *left, const void *right)
{
    const struct registry_due *a = left;
    const struct registry_due *b = right;
    int order = strcmp(a->org, b->org);
    if (order == 0)
        order = strcmp(a->device, b->device);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static struct rows dues_of(struct registry *registry)
{
    return (struct rows){.rows = (void **)&registry->dues,
                         .count = &registry->due_count,
                         .room = &registry->due_room,
                         .size = sizeof *registry->dues,
                         .compare = compare_dues};
}

static void put(struct registry *registry, const struct registry_due *due,
                bool is_loading)
{
    const struct rows dues = dues_of(registry);
    if (is_loading)
        rows_add(&dues, due);
    else
        rows_put(&dues, due);
}

static void drop(struct registry *registry, const struct registry_due *like)
{
    size_t kept = 0;
    for (size_t i = 0; i < registry->due_count; i++) {
        const struct registry_due *due = &registry->dues[i];
        bool is_like = due->kind == like->kind && strcmp(due->org, like->org) == 0 &&
                       strcmp(due->device, like->device) == 0 &&
                       (like->name[0] == '\0' || strcmp(due->name, like->name) == 0);
        if (!is_like)
            registry->dues[kept++] = *due;
    }
    registry->due_count = kept;
}

/* Of the calibration that began last. */
static void put_calibration(struct registry *registry, struct registry_due *due,
                            const json_t *body, bool is_loading)
{
    const json_t *list = json_object_get(body, "calibrations");
    size_t count = json_array_size(list);
    const json_t *last = count > 0 ? json_array_get(list, count - 1) : NULL;
    due->due_ms = json_integer_value(json_object_get(last, "due"));
    if (due->due_ms > 0)
        put(registry, due, is_loading);
}

static void put_dates(struct registry *registry, struct registry_due *due,
                      const json_t *body, bool is_loading)
{
    size_t i;
    json_t *date;
    if (json_is_true(json_object_get(body, "archived")))
        return;
    json_array_foreach(json_object_get(body, "dates"), i, date)
    {
        due->name =
            registry_name(registry, json_string_value(json_object_get(date, "name")));
        due->due_ms = json_integer_value(json_object_get(date, "due"));
        if (due->due_ms > 0)
            put(registry, due, is_loading);
    }
}

void registry_put_dues(struct registry *registry, const char *kind, const char *id,
                       const char *org, const json_t *body, bool is_loading)
{
    const char *slash = strchr(id, '/');
    struct registry_due due = {.org = registry_name(registry, org), .name = ""};
    if (strcmp(kind, "device") == 0) {
        due.kind = ALERT_DATE_DUE;
        due.device = registry_name(registry, id);
    } else if (strcmp(kind, "channel") == 0 && slash != NULL && slash - id < ID_SIZE) {
        char device[ID_SIZE] = "";
        memcpy(device, id, (size_t)(slash - id));
        due.kind = ALERT_CALIBRATION_DUE;
        due.device = registry_name(registry, device);
        due.name = registry_name(registry, slash + 1);
    } else {
        return;
    }
    if (!is_loading)
        drop(registry, &due);
    if (body != NULL && due.kind == ALERT_DATE_DUE)
        put_dates(registry, &due, body, is_loading);
    else if (body != NULL)
        put_calibration(registry, &due, body, is_loading);
}

void registry_sort_dues(struct registry *registry)
{
    if (registry->due_count > 0)
        qsort(registry->dues, registry->due_count, sizeof *registry->dues, compare_dues);
}
