// SPDX-License-Identifier: Apache-2.0
/*
 * routes - the whole interface, and the short answers.
 */
#include <string.h>

#include "base/embed.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"
#include "collector/metrics.h"

static void get_health(struct api_call *call)
{
    buf_text(&call->out, "{\"status\":\"alive\"}");
}

static void get_ready(struct api_call *call)
{
    struct err_text why = {0};
    switch ((int)api_ask_ready(call, &why)) {
    case ERR_OK:
        buf_text(&call->out, "{\"status\":\"ready\"}");
        break;
    case ERR_BUSY:
        api_refuse(call, PROBLEM_NOT_READY, NULL);
        break;
    case ERR_OFFLINE:
        api_refuse(call, PROBLEM_BROKER_NOT_REACHED, NULL);
        break;
    case ERR_TIMEOUT:
        api_refuse(call, PROBLEM_BUSY, NULL);
        break;
    default:
        api_refuse(call, PROBLEM_HISTORY_STOPPED, "why", why.text, NULL);
    }
}

static void get_metrics(struct api_call *call)
{
    metrics_format(&call->out);
    call->content_type = "text/plain; version=0.0.4; charset=utf-8";
}

static void get_zones(struct api_call *call)
{
    api_list_live(call, API_LIVE_ZONES, api_keeps_zone);
}

static void get_devices(struct api_call *call)
{
    api_list_live(call, API_LIVE_DEVICES, api_keeps_device);
}

static void get_placements(struct api_call *call)
{
    api_list_live(call, API_LIVE_PLACEMENTS, api_keeps_placement);
}

static void get_status(struct api_call *call)
{
    api_ask_live(call, API_LIVE_STATUS, &call->out);
}

/* The whole installation's, like what they tell of. */
static void get_channels(struct api_call *call)
{
    api_ask_live(call, API_LIVE_CHANNELS, &call->out);
}

extern const struct embed_file api_files[];

static void get_openapi(struct api_call *call)
{
    buf_add(&call->out, api_files[0].data, api_files[0].size);
    call->content_type = "application/yaml";
}

#define READINGS_PARAMS "from to channel limit skip format"
#define SERIES_PARAMS   "from to channel buckets"

/* Who reads what is filtered for him. */
#define READERS (ACCESS_PEOPLE | ACCESS_INTEGRATOR)
/* Whom an organisation shows its devices and troubles. */
#define INSIDERS (ACCESS_STAFF | ACCESS_INTEGRATOR)

/* Who changes what is declared. */
#define ADMINS (ACCESS_ADMIN | ACCESS_INTEGRATOR)

/* All of it, or some fields of it. */
#define ENTITY(name, verb, what) \
    ROUTE_VERB("PUT", "/api/v1/" name "/*", ADMINS, REGISTRY, COMMAND, verb, \
               "makes or replaces " what), \
        ROUTE_VERB("PATCH", "/api/v1/" name "/*", ADMINS, REGISTRY, COMMAND, verb, \
                   "changes " what)

const struct api_route api_routes[] = {
    ROUTE("GET", "/healthz", ACCESS_ANYONE, NONE, NONE, "", get_health,
          "the process is alive"),
    ROUTE("GET", "/readyz", ACCESS_ANYONE, NONE, NONE, "", get_ready,
          "it does its work: 200, else 503 and why not"),
    ROUTE("GET", "/setup/*", ACCESS_SETUP | ACCESS_ANONYMOUS, NONE, SELF, "",
          api_get_setup, "the page that makes the first admin"),
    ROUTE("POST", "/setup/*", ACCESS_SETUP | ACCESS_ANONYMOUS, NONE, SELF, "", api_set_up,
          "makes the first admin, once: {\"login\", \"name\", \"password\"}"),
    ROUTE("GET", "/v1/ack", ACCESS_ANYONE, NONE, NONE, "t", api_get_ack,
          "the page behind a message's link; changes nothing"),
    ROUTE("POST", "/v1/ack", ACCESS_ANYONE, NONE, NONE, "t", api_acknowledge_by_link,
          "its button: whoever was told has taken it"),
    ROUTE("POST", "/v1/replies", ACCESS_ANYONE, NONE, NONE, "", api_take_reply,
          "somebody's answer to a message, signed by the gateway that brings it"),
    ROUTE("GET", "/api/v1/openapi.yaml", ACCESS_ANYONE, NONE, NONE, "", get_openapi,
          "this interface, for programs (OpenAPI)"),
    ROUTE("POST", "/api/v1/login", ACCESS_ANYONE, NONE, NONE, "", api_sign_in,
          "begins a session: {\"login\", \"password\"}"),
    ROUTE("POST", "/api/v1/logout", ACCESS_PEOPLE, NONE, SELF, "", api_sign_out,
          "ends the session"),
    ROUTE("GET", "/api/v1/me", ACCESS_ANYONE & ~ACCESS_ANONYMOUS, READ, SELF, "",
          api_get_me, "who asks, and what he may"),
    ROUTE("POST", "/api/v1/me/password", ACCESS_PEOPLE, NONE, SELF, "",
          api_change_own_password, "a new password: {\"old\", \"new\"}"),
    ROUTE("POST", "/api/v1/me/sessions/end", ACCESS_PEOPLE, NONE, SELF, "",
          api_end_own_sessions, "ends the caller's other sessions"),
    ROUTE("GET", "/api/v1/people", ACCESS_ADMIN, NONE, LIST, "limit after",
          api_get_people, "who there is"),
    ROUTE_VERB("POST", "/api/v1/people", ACCESS_ADMIN, NONE, COMMAND, "person.add",
               "adds a person"),
    ROUTE_VERB("PATCH", "/api/v1/people/*", ACCESS_ADMIN, NONE, COMMAND, "person.change",
               "changes what is given, and ends the sessions"),
    ROUTE_VERB("DELETE", "/api/v1/people/*", ACCESS_ADMIN, NONE, COMMAND, "person.erase",
               "erases what is kept about a person; the id stays"),
    ROUTE_VERB("POST", "/api/v1/people/*/sessions/end", ACCESS_ADMIN, NONE, COMMAND,
               "person.sign_out", "ends all sessions of a person"),
    ROUTE("GET", "/api/v1/tokens", ACCESS_ADMIN, NONE, LIST, "limit after",
          api_get_tokens, "tokens and links, without their secrets"),
    ROUTE_VERB("POST", "/api/v1/tokens", ACCESS_ADMIN, NONE, COMMAND, "token.make",
               "makes a token or a link; the answer holds its secret, once"),
    ROUTE_VERB("DELETE", "/api/v1/tokens/*", ACCESS_ADMIN, NONE, COMMAND, "token.revoke",
               "revokes it"),
    ROUTE("GET", "/api/v1/grants", ACCESS_ADMIN, NONE, LIST, "limit after",
          api_get_grants, "which zones are shown to whom, and when"),
    ROUTE_VERB("POST", "/api/v1/grants", ACCESS_ADMIN, NONE, COMMAND, "grant.make",
               "shows a zone for a time"),
    ROUTE_VERB("DELETE", "/api/v1/grants/*", ACCESS_ADMIN, NONE, COMMAND, "grant.end",
               "shows it no longer"),
    ROUTE("GET", "/metrics", INSIDERS, METRICS, WHOLE, "", get_metrics,
          "counters for Prometheus"),
    ROUTE("GET", "/api/v1/status", READERS, READ, NONE, "", get_status,
          "positions, connection, version"),
    ROUTE("GET", "/api/v1/zones", READERS | ACCESS_SHARE, READ, LIST, "", get_zones,
          "zones with last values and their age"),
    ROUTE("GET", "/api/v1/zones/*/readings", READERS | ACCESS_SHARE, READ, ZONE,
          READINGS_PARAMS, api_get_zone_readings, "what measured a zone"),
    ROUTE("GET", "/api/v1/zones/*/series", READERS | ACCESS_SHARE, READ, ZONE,
          SERIES_PARAMS, api_get_zone_series,
          "the same, as few points that hide nothing"),
    ROUTE("GET", "/api/v1/zones/*/suppressions", READERS, READ, ZONE, "from to limit",
          api_get_suppressions, "what its rules kept back, and why"),
    ROUTE("GET", "/api/v1/zones/*/rules", INSIDERS, READ, ZONE, "", api_get_zone_rules,
          "which of its rules can judge now, why others cannot, and its goods"),
    ROUTE("GET", "/api/v1/devices", INSIDERS, READ, LIST, "", get_devices,
          "devices, declared or only seen"),
    ROUTE("GET", "/api/v1/devices/*/*/readings", INSIDERS, READ, DEVICE, READINGS_PARAMS,
          api_get_readings, "readings of ORG/DEVICE"),
    ROUTE("GET", "/api/v1/devices/*/*/series", INSIDERS, READ, DEVICE, SERIES_PARAMS,
          api_get_series, "the same, as few points that hide nothing"),
    ROUTE("GET", "/api/v1/placements", INSIDERS, READ, LIST, "", get_placements,
          "which channel measures what"),
    ROUTE("GET", "/api/v1/stream", READERS, READ, LIST, "after", api_get_stream,
          "what changes, as it changes: Server-Sent Events"),
    ROUTE("GET", "/api/v1/incidents", READERS, READ, LIST,
          "state zone cause from to limit cursor withdrawn", api_get_incidents,
          "the newest first"),
    ROUTE("GET", "/api/v1/incidents/*", READERS, READ, INCIDENT, "", api_get_incident,
          "one, with its cause, transitions, comments and messages"),
    ROUTE_VERB("POST", "/api/v1/incidents/*/acknowledge", INSIDERS, INCIDENTS, INCIDENT,
               "incident.acknowledge", "somebody has taken it: {\"reason\": \"...\"}"),
    ROUTE_VERB("POST", "/api/v1/incidents/*/assign", INSIDERS, INCIDENTS, INCIDENT,
               "incident.assign", "says whose it is: {\"to\": \"p-...\"}"),
    ROUTE_VERB("POST", "/api/v1/incidents/*/snooze", INSIDERS, INCIDENTS, INCIDENT,
               "incident.snooze", "puts it off: {\"for\": \"4h\"}"),
    ROUTE_VERB("POST", "/api/v1/incidents/*/close", INSIDERS, INCIDENTS, INCIDENT,
               "incident.close", "it is over: why, what was done, what of the product"),
    ROUTE_VERB("POST", "/api/v1/incidents/*/comment", INSIDERS, INCIDENTS, INCIDENT,
               "incident.comment", "says something of it: {\"text\": \"...\"}"),
    ROUTE("GET", "/api/v1/quarantine", INSIDERS, READ, LIST, "limit after",
          api_get_quarantine, "what could not be used, and why"),
    ROUTE("GET", "/api/v1/outbox", INSIDERS, READ, LIST, "limit after", api_get_outbox,
          "messages and what became of them"),
    ROUTE("GET", "/api/v1/sinks", INSIDERS, METRICS, WHOLE, "", api_get_sinks,
          "how far the other stores are"),
    ROUTE("GET", "/api/v1/alarm-channels", INSIDERS, METRICS, WHOLE, "", get_channels,
          "how people are told, whether it works and can ring now"),
    ROUTE_VERB("POST", "/api/v1/alarm-channels/*/test", ACCESS_ADMIN, NONE, WHOLE,
               "notify.test", "sends a test message over it"),
    ROUTE("GET", "/api/v1/verbs", READERS, READ, NONE, "", api_get_verbs,
          "everything that can be changed"),
    ROUTE("POST", "/api/v1/commands", INSIDERS, REGISTRY, COMMAND, "", api_post_command,
          "any verb: {\"verb\": \"zone.put\", \"body\": {...}, \"reason\": \"...\"}"),
    ROUTE("GET", "/api/v1/audit", ADMINS, REGISTRY, WHOLE, "limit after", api_get_audit,
          "who changed what, when and why"),
    ROUTE("GET", "/api/v1/audit/verify", ADMINS, REGISTRY, WHOLE, "", api_verify_audit,
          "whether the audit is as it was written"),
    ROUTE(
        "GET", "/api/v1/entities/*", INSIDERS, READ, LIST, "limit after",
        api_get_entities,
        "what is declared of a kind: org, site, zone, device, channel, placement, rule"),
    ROUTE("GET", "/api/v1/entities/*/*", INSIDERS, READ, LIST, "", api_get_entity,
          "one of them, with its version"),
    ROUTE("GET", "/api/v1/channels/*/*", INSIDERS, READ, LIST, "", api_get_channel,
          "calibrations and probes of DEVICE/CHANNEL"),
    ENTITY("orgs", "org.put", "an organisation"),
    ENTITY("sites", "site.put", "a place or vehicle"),
    ENTITY("zones", "zone.put", "a zone"),
    ENTITY("devices", "device.put", "a device"),
    ENTITY("rules", "rule.put", "a rule"),
    ROUTE_VERB("DELETE", "/api/v1/rules/*", ADMINS, REGISTRY, COMMAND, "rule.delete",
               "takes a rule away"),
    ROUTE_VERB("POST", "/api/v1/sites/*/archive", ADMINS, REGISTRY, COMMAND,
               "site.archive", "takes a place out of use"),
    ROUTE_VERB("POST", "/api/v1/sites/*/plate", INSIDERS, REGISTRY, COMMAND,
               "vehicle.plate", "a vehicle has another plate or lessor"),
    ROUTE_VERB("POST", "/api/v1/zones/*/archive", ADMINS, REGISTRY, COMMAND,
               "zone.archive", "takes a zone out of use"),
    ROUTE_VERB("POST", "/api/v1/zones/*/duty", INSIDERS, REGISTRY, COMMAND, "zone.duty",
               "puts a zone on or off duty"),
    ROUTE_VERB("POST", "/api/v1/zones/*/steps", INSIDERS, REGISTRY, COMMAND,
               "zone.plan_step", "plans another band for a time"),
    ROUTE_VERB("POST", "/api/v1/zones/*/maintenance", INSIDERS, REGISTRY, COMMAND,
               "zone.maintenance", "says when somebody works there"),
    ROUTE_VERB("POST", "/api/v1/zones/*/load", INSIDERS, REGISTRY, COMMAND, "zone.load",
               "goods come in, warm or not"),
    ROUTE_VERB("POST", "/api/v1/zones/*/unload", INSIDERS, REGISTRY, COMMAND,
               "zone.unload", "goods have left"),
    ROUTE_VERB("POST", "/api/v1/devices/*/archive", ADMINS, REGISTRY, COMMAND,
               "device.archive", "takes a device out of use"),
    ROUTE_VERB("POST", "/api/v1/devices/*/replace", INSIDERS, REGISTRY, COMMAND,
               "device.replace", "another device takes its place"),
    ROUTE_VERB("POST", "/api/v1/channels/*/*/calibrate", INSIDERS, REGISTRY, COMMAND,
               "channel.calibrate", "a channel was calibrated"),
    ROUTE_VERB("POST", "/api/v1/channels/*/*/swap", INSIDERS, REGISTRY, COMMAND,
               "probe.swap", "a channel has another probe"),
    ROUTE_VERB("POST", "/api/v1/placements", INSIDERS, REGISTRY, COMMAND, "placement.put",
               "a device or channel measures a zone"),
    ROUTE_VERB("POST", "/api/v1/placements/move", INSIDERS, REGISTRY, COMMAND,
               "placement.move", "it measures another zone"),
    ROUTE_VERB("POST", "/api/v1/placements/end", INSIDERS, REGISTRY, COMMAND,
               "placement.end", "it measures that zone no longer"),
    ROUTE_VERB("PATCH", "/api/v1/placements/*", INSIDERS, REGISTRY, COMMAND,
               "placement.correct", "puts a placement right"),
    ROUTE("POST", "/api/v1/devices/*/*/packs", ACCESS_STAFF, NONE, ORG, "epoch seq",
          api_take_pack, "a pack of a device without a connection, such as of a file"),
    ROUTE("POST", "/api/v1/backups", ACCESS_ADMIN, NONE, WHOLE, "", api_begin_backup,
          "stages a backup of all stores: its files and their sizes"),
    ROUTE("GET", "/api/v1/backups/*/file", ACCESS_ADMIN, NONE, WHOLE, "name offset limit",
          api_read_backup, "a piece of one of its files"),
    ROUTE("POST", "/api/v1/backups/*/end", ACCESS_ADMIN, NONE, WHOLE, "", api_end_backup,
          "it was fetched: what is staged goes"),
    {.method = NULL},
};
