// SPDX-License-Identifier: Apache-2.0
/*
 * devices - devices, their channels, and what is exchanged on them.
 */
#include <stdio.h>
#include <string.h>

#include "collector/command/internal.h"
#include "telemetry/channel.h"

static enum err belongs_elsewhere(const struct change *change,
                                  const struct entity *device, const char *org,
                                  struct err_text *why)
{
    /* Who belongs to one organisation is not told of another. */
    bool is_told =
        change->command->org[0] == '\0' || strcmp(change->command->org, device->org) == 0;
    return err_set(
        why, ERR_EXISTS,
        "device '%s' is declared under %s '%s' already, so it cannot be one of "
        "'%s'; archive it there, or give the other a new identifier",
        device->id, is_told ? "organisation" : "another organisation than",
        is_told ? device->org : org, org);
}

enum err device_put(struct change *change, struct err_text *why)
{
    struct entity device = {0};
    struct entity org = {0};
    enum err err =
        change_merge(change, "device", change_text(change, "id"), &device, why);
    if (err == ERR_OK)
        err = change_need(change, "org", entity_text(&device, "org"), &org, why);
    if (err == ERR_OK && device.version > 0 && strcmp(device.org, org.id) != 0 &&
        !json_is_true(json_object_get(device.body, "archived")))
        err = belongs_elsewhere(change, &device, org.id, why);
    if (err == ERR_OK) {
        snprintf(device.org, sizeof device.org, "%.64s", org.id);
        err = change_put(change, &device, org.id);
    }
    entity_fini(&device);
    entity_fini(&org);
    return err;
}

enum err device_declare(struct change *change, const char *id, const char *org,
                        struct err_text *why)
{
    struct entity device = {0};
    enum err err = change_get(change, "device", id, &device);
    if (err == ERR_OK && device.body == NULL) {
        device.body = json_pack("{s:s}", "org", org);
        snprintf(device.org, sizeof device.org, "%s", org);
        err = change_put(change, &device, org);
    } else if (err == ERR_OK && strcmp(device.org, org) != 0) {
        err = belongs_elsewhere(change, &device, org, why);
    } else if (err == ERR_OK && json_is_true(json_object_get(device.body, "archived"))) {
        err =
            err_set(why, ERR_INVALID, "device '%s' is archived; bring it back first", id);
    }
    entity_fini(&device);
    return err;
}

enum err device_archive(struct change *change, struct err_text *why)
{
    struct entity device = {0};
    const char *id = change_text(change, "id");
    enum err err = change_open(change, "device", id, &device, why);
    if (err == ERR_OK && device.body == NULL)
        err = err_set(why, ERR_NOT_FOUND, "there is no device '%s'", id);
    if (err == ERR_OK) {
        if (json_is_false(json_object_get(change->body, "archived")))
            json_object_del(device.body, "archived");
        else
            json_object_set_new(device.body, "archived", json_true());
        err = change_put(change, &device, device.org);
    }
    entity_fini(&device);
    return err;
}

enum err device_replace(struct change *change, struct err_text *why)
{
    struct entity device = {0};
    const char *id = change_text(change, "id");
    const char *by = change_text(change, "by");
    int64_t at_ms = change_ms(change, "at", change->now_ms);
    enum err err = change_open(change, "device", id, &device, why);
    if (err == ERR_OK && device.body == NULL)
        err = err_set(why, ERR_NOT_FOUND, "there is no device '%s'", id);
    if (err == ERR_OK && strcmp(id, by) == 0)
        err = err_set(why, ERR_INVALID, "a device does not replace itself");
    if (err == ERR_OK && entity_text(&device, "replaced_by")[0] != '\0')
        err = err_set(why, ERR_EXISTS, "device '%s' was replaced by '%s' already", id,
                      entity_text(&device, "replaced_by"));
    if (err == ERR_OK) {
        json_object_set_new(device.body, "replaced_by", json_string(by));
        json_object_set_new(device.body, "replaced_at", json_integer(at_ms));
        err = change_put(change, &device, device.org);
    }
    if (err == ERR_OK)
        err = device_declare(change, by, device.org, why);
    if (err == ERR_OK)
        err = placements_hand_over(change, device.org, id, by, at_ms, why);
    entity_fini(&device);
    return err;
}

/* ---- channels -------------------------------------------------------------------------
 */

static enum err open_channel(struct change *change, struct entity *channel,
                             struct err_text *why)
{
    struct entity device = {0};
    struct channel name;
    char id[200];
    const char *of = change_text(change, "device");
    const char *text = change_text(change, "channel");
    if (channel_parse(&name, text) != ERR_OK)
        return err_set(why, ERR_INVALID,
                       "'%s' is not a channel, such as air_temperature-2", text);
    enum err err = change_need(change, "device", of, &device, why);
    snprintf(id, sizeof id, "%s/%s", of, text);
    if (err == ERR_OK)
        err = change_open(change, "channel", id, channel, why);
    if (err == ERR_OK && channel->body == NULL)
        channel->body = json_pack("{s:s, s:s}", "device", of, "channel", text);
    snprintf(channel->org, sizeof channel->org, "%s", device.org);
    entity_fini(&device);
    return err;
}

enum err channel_calibrate(struct change *change, struct err_text *why)
{
    static const char *const fields[] = {"offset", "gain", "certificate",
                                         "by",     "due",  NULL};
    struct entity channel = {0};
    enum err err = open_channel(change, &channel, why);
    int64_t from_ms = change_ms(change, "from", change->now_ms);
    if (err == ERR_OK && change_has(change, "due") &&
        change_ms(change, "due", 0) <= from_ms)
        err = err_set(why, ERR_INVALID, "a calibration is due after it was made");
    if (err == ERR_OK) {
        change_add_dated(change, &channel, "calibrations", fields);
        err = change_put(change, &channel, change_text(change, "device"));
    }
    entity_fini(&channel);
    return err;
}

enum err probe_swap(struct change *change, struct err_text *why)
{
    static const char *const fields[] = {"serial", NULL};
    struct entity channel = {0};
    enum err err = open_channel(change, &channel, why);
    if (err == ERR_OK) {
        change_add_dated(change, &channel, "probes", fields);
        err = change_put(change, &channel, change_text(change, "device"));
    }
    entity_fini(&channel);
    return err;
}
