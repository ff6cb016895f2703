// SPDX-License-Identifier: Apache-2.0
/*
 * Rules that have not been able to judge for a day: nobody hears of what they watch.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "coldchainctl/doctor.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

#define ZONES_MAX 200 /* each is a question */
#define TOLD_MAX  5

static const char area[] = "rules";

struct blind {
    size_t zones;
    size_t rules;
    size_t count;
};

/* What passes by itself within hours is no news; what never began has no beginning. */
static bool is_lasting(const struct doctor *doctor, const json_t *channel)
{
    int64_t since_ms;
    const char *why = show_text(channel, "why");
    if (strcmp(show_text(channel, "state"), "unavailable") != 0)
        return false;
    if (clock_parse_iso(&since_ms, show_text(channel, "since")))
        return doctor->now_ms - since_ms >= DOCTOR_DAY_MS;
    return strcmp(why, "filling") != 0 && strcmp(why, "learning") != 0;
}

static void say_blind(struct doctor *doctor, const char *zone, const json_t *rule,
                      const json_t *channel)
{
    char since[SHOW_SIZE];
    bool is_zh = !doctor->is_for_programs && say_language() == SAY_ZH;
    const char *text = show_text(channel, is_zh ? "text_zh" : "text");
    const char *todo = "see 'coldchainctl rules ZONE' and docs/rules.md: give what it "
                       "lacks, or a rule of another kind in its place";
    bool is_known = json_is_string(json_object_get(channel, "since"));
    if (strcmp(show_text(channel, "device"), "-") == 0)
        doctor_say(doctor, DOCTOR_WARNING, area, todo, "%s: rule %s judges nothing: %s",
                   zone, show_text(rule, "id"), text);
    else if (is_known)
        doctor_say(doctor, DOCTOR_WARNING, area, todo,
                   "%s: rule %s does not judge %s %s since %s: %s", zone,
                   show_text(rule, "id"), show_text(channel, "device"),
                   show_text(channel, "channel"), show_time(since, channel, "since"),
                   text);
    else
        doctor_say(doctor, DOCTOR_WARNING, area, todo,
                   "%s: rule %s does not judge %s %s: %s", zone, show_text(rule, "id"),
                   show_text(channel, "device"), show_text(channel, "channel"), text);
}

static void look_rule(struct doctor *doctor, struct blind *blind, const char *zone,
                      const json_t *rule)
{
    size_t i;
    json_t *channel;
    blind->rules++;
    json_array_foreach(json_object_get(rule, "channels"), i, channel)
    {
        if (is_lasting(doctor, channel) && blind->count++ < TOLD_MAX)
            say_blind(doctor, zone, rule, channel);
    }
}

static bool look_zone(struct doctor *doctor, struct blind *blind, const char *zone)
{
    struct buf path = {0};
    struct err_text why = {""};
    json_t *answer = NULL;
    size_t i;
    json_t *rule;
    buf_text(&path, "/api/v1/zones/");
    client_escape(&path, zone);
    buf_text(&path, "/rules");
    enum err err = client_get(doctor->client, path.data, &answer, &why);
    json_array_foreach(json_object_get(answer, "rules"), i, rule)
        look_rule(doctor, blind, zone, rule);
    json_decref(answer);
    buf_fini(&path);
    if (err != ERR_OK && err != ERR_NOT_FOUND) /* of others, or gone meanwhile */
        doctor_say(doctor, DOCTOR_WARNING, area, "see the collector's log",
                   "what they can judge cannot be asked: %s", why.text);
    blind->zones++;
    return err == ERR_OK || err == ERR_NOT_FOUND;
}

static void say_all(struct doctor *doctor, const struct blind *blind, size_t zones)
{
    if (blind->count > TOLD_MAX)
        doctor_say(doctor, DOCTOR_WARNING, area, "see 'coldchainctl rules'",
                   "%zu more that have not judged for a day", blind->count - TOLD_MAX);
    if (blind->count == 0)
        doctor_say(doctor, DOCTOR_OK, area, NULL,
                   "%zu in %zu zones: none has been unable to judge for a day",
                   blind->rules, blind->zones);
    if (zones > blind->zones)
        doctor_say(doctor, DOCTOR_OK, area, NULL,
                   "%zu zones more were not looked at: 'coldchainctl rules' does",
                   zones - blind->zones);
}

void doctor_look_rules(struct doctor *doctor)
{
    struct blind blind = {0};
    struct err_text why = {""};
    json_t *zones = NULL;
    if (!doctor->is_answering)
        return;
    if (client_get(doctor->client, "/api/v1/zones", &zones, &why) != ERR_OK) {
        doctor_say(doctor, DOCTOR_WARNING, area, "see the collector's log",
                   "what they can judge cannot be asked: %s", why.text);
        return;
    }
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < json_array_size(zones) && i < ZONES_MAX; i++)
        goes_on = look_zone(doctor, &blind, show_text(json_array_get(zones, i), "id"));
    if (goes_on)
        say_all(doctor, &blind, json_array_size(zones));
    json_decref(zones);
}
