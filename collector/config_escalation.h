// SPDX-License-Identifier: Apache-2.0
/*
 * config_escalation - the settings of who is told when: contacts, duties, policies.
 *
 * They stay in the file: neither journal nor state.db holds an address, only contacts'
 * ids. See docs/decisions/0009-who-is-told-is-a-setting.md.
 */
#ifndef COLDCHAIN_COLLECTOR_CONFIG_ESCALATION_H
#define COLDCHAIN_COLLECTOR_CONFIG_ESCALATION_H

#include <stddef.h>
#include <stdint.h>

#include "alerts/escalation.h"
#include "base/config.h"

struct config_address {
    char *channel;
    char *to;     /* NULL: the channel's own receivers */
    char *sender; /* who answers as the contact there; NULL: `to` */
    char **quiet;
    size_t quiet_count; /* none: the contact's */
};

struct config_contact {
    char *id;
    char *person; /* id of who signs in; NULL: the contact stands for itself */
    char *time_zone;
    char **quiet;
    size_t quiet_count;
    struct config_address *addresses;
    size_t address_count;
};

struct config_shift {
    char *contact;
    char **hours;
    size_t hours_count;
    char *from; /* RFC 3339 */
    char *to;
};

struct config_duty {
    char *id;
    char *time_zone;
    struct config_shift *shifts;
    size_t shift_count;
};

struct config_step {
    char *duty;
    int64_t after_ms;
    int64_t repeat_ms;
    int64_t most;
};

struct config_policy {
    char *id;
    enum alert_severity severity;
    char **zones;
    size_t zone_count;
    char **sites;
    size_t site_count;
    struct config_step *steps;
    size_t step_count;
    char *last_resort;
};

struct config_escalation {
    char *time_zone;
    char *link;
    int64_t link_ms;
    int64_t path_ms;
    struct config_contact *contacts;
    size_t contact_count;
    struct config_duty *duties;
    size_t duty_count;
    struct config_policy *policies;
    size_t policy_count;
};

extern const struct config_schema config_contact_schema;
extern const struct config_schema config_duty_schema;
extern const struct config_schema config_policy_schema;

/* Whether a policy can tell over it: there are some, and a contact's address names it. */
bool config_escalation_tells_over(const struct config_escalation *escalation,
                                  const char *channel);

/* Of a setting that may be absent. */
void config_check_time_zone(struct config *config, char *const *name);
/* What contradicts itself, or names what is not there. */
void config_check_escalation(struct config *config,
                             const struct config_escalation *escalation,
                             const char *const *channels, size_t channel_count);

#endif
