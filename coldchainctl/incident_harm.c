// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/incident_harm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

/* With one digit; "-" when it is absent. */
static const char *degrees(char text[SHOW_SIZE], const json_t *harm, const char *key)
{
    const json_t *value = json_object_get(harm, key);
    if (!json_is_number(value))
        return "-";
    snprintf(text, SHOW_SIZE, "%.1f", json_number_value(value));
    return text;
}

/* "1h50m", of minutes. */
static const char *span(char text[SHOW_SIZE], const json_t *harm, const char *key)
{
    const json_t *value = json_object_get(harm, key);
    double minutes = round(json_number_value(value));
    if (!json_is_number(value))
        return "-";
    if (minutes < 60)
        snprintf(text, SHOW_SIZE, "%.0fm", minutes);
    else
        snprintf(text, SHOW_SIZE, "%.0fh%02.0fm", floor(minutes / 60), fmod(minutes, 60));
    return text;
}

static void print_goods(const json_t *harm, int columns)
{
    char mid[SHOW_SIZE];
    char low[SHOW_SIZE];
    char high[SHOW_SIZE];
    if (!json_is_number(json_object_get(harm, "goods")))
        return;
    show_fact(columns, "goods now", say("%s °C (%s to %s)"), degrees(mid, harm, "goods"),
              degrees(low, harm, "goods_low"), degrees(high, harm, "goods_high"));
    show_fact(columns, "goods' band", say("%s to %s °C"), degrees(low, harm, "band_low"),
              degrees(high, harm, "band_high"));
}

static void print_wait(const json_t *harm, int columns)
{
    char mid[SHOW_SIZE];
    char low[SHOW_SIZE];
    char high[SHOW_SIZE];
    char least_h[SHOW_SIZE];
    char most_h[SHOW_SIZE];
    if (json_is_number(json_object_get(harm, "minutes")))
        show_fact(columns, "until harm", say("%s (%s to %s), if the air stays so"),
                  span(mid, harm, "minutes"), span(low, harm, "minutes_low"),
                  span(high, harm, "minutes_high"));
    else
        show_fact(columns, "until harm",
                  say("%s to %s, if the air stays so (tau %s to %s h assumed)"),
                  span(low, harm, "minutes_low"), span(high, harm, "minutes_high"),
                  show_number(least_h, harm, "tau_low"),
                  show_number(most_h, harm, "tau_high"));
}

void incident_harm(const json_t *incident, int columns)
{
    char air[SHOW_SIZE];
    char at[SHOW_SIZE];
    const json_t *harm = json_object_get(incident, "harm");
    const char *outlook = show_text(harm, "outlook");
    if (!json_is_object(harm))
        return;
    show_fact(columns, "air", say("%s °C at %s"), degrees(air, harm, "air"),
              show_time(at, harm, "at"));
    print_goods(harm, columns);
    if (strcmp(outlook, "comes") == 0)
        print_wait(harm, columns);
    else if (strcmp(outlook, "stays") == 0)
        show_fact(columns, "until harm", "%s", say("never, while the air stays so"));
    else if (strcmp(outlook, "there") == 0)
        show_fact(columns, "until harm", "%s", say("the goods are out of their band"));
}
