// SPDX-License-Identifier: Apache-2.0
/*
 * routes - the whole interface, and the short answers.
 */
#include <string.h>

#include "collector/api/internal.h"
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

#define READINGS_PARAMS "from to channel limit skip format"

/* Who reads what is filtered for him. */
#define READERS (ACCESS_PEOPLE | ACCESS_INTEGRATOR)
/* Whom an organisation shows its devices and troubles. */
#define INSIDERS (ACCESS_STAFF | ACCESS_INTEGRATOR)

const struct api_route api_routes[] = {
    ROUTE("GET", "/healthz", ACCESS_ANYONE, NONE, NONE, "", get_health,
          "the process is alive"),
    ROUTE("GET", "/readyz", ACCESS_ANYONE, NONE, NONE, "", get_ready,
          "it does its work: 200, else 503 and why not"),
    ROUTE("GET", "/setup/*", ACCESS_SETUP | ACCESS_ANONYMOUS, NONE, SELF, "",
          api_get_setup, "the page that makes the first admin"),
    ROUTE("POST", "/setup/*", ACCESS_SETUP | ACCESS_ANONYMOUS, NONE, SELF, "", api_set_up,
          "makes the first admin, once: {\"login\", \"name\", \"password\"}"),
    ROUTE("POST", "/api/v1/login", ACCESS_ANYONE, NONE, NONE, "", api_sign_in,
          "begins a session: {\"login\", \"password\"}"),
    ROUTE("POST", "/api/v1/logout", ACCESS_PEOPLE, NONE, SELF, "", api_sign_out,
          "ends the session"),
    ROUTE("GET", "/api/v1/me", ACCESS_ANYONE & ~ACCESS_ANONYMOUS, READ, SELF, "",
          api_get_me, "who asks, and what he may"),
    ROUTE("GET", "/metrics", INSIDERS, METRICS, WHOLE, "", get_metrics,
          "counters for Prometheus"),
    ROUTE("GET", "/api/v1/status", READERS, READ, NONE, "", get_status,
          "positions, connection, version"),
    ROUTE("GET", "/api/v1/zones", READERS | ACCESS_SHARE, READ, LIST, "", get_zones,
          "zones with last values and their age"),
    ROUTE("GET", "/api/v1/zones/*/readings", READERS | ACCESS_SHARE, READ, ZONE,
          READINGS_PARAMS, api_get_zone_readings, "what measured a zone"),
    ROUTE("GET", "/api/v1/devices", INSIDERS, READ, LIST, "", get_devices,
          "devices, declared or only seen"),
    ROUTE("GET", "/api/v1/devices/*/*/readings", INSIDERS, READ, DEVICE, READINGS_PARAMS,
          api_get_readings, "readings of ORG/DEVICE"),
    ROUTE("GET", "/api/v1/placements", INSIDERS, READ, LIST, "", get_placements,
          "which channel measures what"),
    ROUTE("GET", "/api/v1/incidents", READERS, READ, LIST,
          "state zone from to limit cursor", api_get_incidents, "the newest first"),
    ROUTE("GET", "/api/v1/incidents/*", READERS, READ, INCIDENT, "", api_get_incident,
          "one, with its transitions and messages"),
    ROUTE("POST", "/api/v1/incidents/*/acknowledge", INSIDERS, INCIDENTS, INCIDENT, "",
          api_acknowledge, "somebody has taken it: {\"reason\": \"...\"}"),
    ROUTE("GET", "/api/v1/quarantine", INSIDERS, READ, LIST, "limit after",
          api_get_quarantine, "what could not be used, and why"),
    ROUTE("GET", "/api/v1/outbox", INSIDERS, READ, LIST, "limit after", api_get_outbox,
          "messages and what became of them"),
    ROUTE("GET", "/api/v1/sinks", INSIDERS, METRICS, WHOLE, "", api_get_sinks,
          "how far the other stores are"),
    {.method = NULL},
};
