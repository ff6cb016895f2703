// SPDX-License-Identifier: Apache-2.0
/*
 * status - what the agent says about itself: retained on the broker, and in a file.
 *
 * Pure but for status_write().
 */
#ifndef COLDCHAIN_EDGE_AGENT_STATUS_H
#define COLDCHAIN_EDGE_AGENT_STATUS_H

#include "base/buf.h"
#include "edge-agent/incidents.h"
#include "edge-agent/rules.h"
#include "edge-agent/settings.h"

#define STATUS_OFFLINE_MAX 64

/* JSON: state, version, each channel's calibration, and the zones' rules in force. */
void status_online(const struct settings *settings, const struct rules *rules,
                   int64_t wall_ms, struct buf *out);
/* JSON with the reason, a word; also the last will. Returns text. */
const char *status_offline(char text[STATUS_OFFLINE_MAX], const char *reason);

/* The counters of the status file, in the order in which they are written. */
#define STATUS_LIST(X) \
    X(wall_ms)           /* of the (virtual) clock */ \
    X(readings_expected) /* what the sensors' intervals promised, in this run */ \
    X(readings_taken)    /* in this run */ \
    X(readings_bad)      /* of these, of bad quality */ \
    X(readings_dropped)  /* no room on disk or in memory */ \
    X(readings_thinned) \
    X(packs_lost)       /* given up for space */ \
    X(readings_waiting) /* taken, and not in a pack yet */ \
    X(readings_stored)  /* in all packs of the journal, of former runs too */ \
    X(readings_acked)   /* of these */ \
    X(packs_stored) \
    X(packs_acked) \
    X(packs_published) /* in this run, with those sent again */ \
    X(packs_resent) \
    X(packs_rejected) /* kept in the collector's quarantine */ \
    X(acks) \
    X(acks_ignored) \
    X(rewinds) \
    X(backlog)       /* packs that wait for an ack */ \
    X(journal_bytes) /* on disk */ \
    X(bytes_written) /* to the journal, in this run */ \
    X(syncs) \
    X(tap_missed)     /* packs that the local listener did not take, in this run */ \
    X(rules_taken)    /* other rules than before came from the collector, in this run */ \
    X(rules_refused)  /* and were not rules, in this run */ \
    X(rules_unknown)  /* so much of those in force is not known here */ \
    X(rules_left_out) /* so many of them are not judged for it */ \
    X(unacked_ms)     /* so long packs have waited without any ack */ \
    X(alarm_runs)     /* of alarm.command, in this run */ \
    X(alarm_runs_failed) \
    X(incidents_open) /* found here, by the zones' rules */ \
    X(incident_runs)  /* of alarm.on_incident, in this run */ \
    X(incident_runs_failed)

struct status {
    bool is_connected;
    bool has_ended;                    /* all sensors are through */
    bool is_ringing;                   /* acks have stopped for alarm.no_ack_after */
    uint64_t rules_version;            /* of the zones' rules in force; 0: none */
    const struct incidents *incidents; /* NULL: nobody judges; borrowed */
#define X(name) uint64_t name;
    STATUS_LIST(X)
#undef X
};

void status_format(const struct status *status, struct buf *out);
/* Replaces the file atomically: a reader sees the old or the new, whole. */
MUST_CHECK enum err status_write(const struct status *status, const char *path);

#endif
