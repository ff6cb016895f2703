// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/message_harm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collector/notify/message.h"
#include "collector/notify/template.h"

#define TEXT_SIZE 96
#define OLD_MS    INT64_C(300000) /* say of when it is */
#define MINUTE_MS 60000.0

static void put_text(char text[TEXT_SIZE], struct buf *from)
{
    snprintf(text, TEXT_SIZE, "%s", from->data != NULL ? from->data : "");
    buf_fini(from);
}

static void format_range(char text[TEXT_SIZE], enum words_language language,
                         const char *low, const char *high)
{
    struct buf out = {0};
    const struct template_value ends[] = {{"low", low}, {"high", high}};
    words_say(low[0] == '\0'    ? WORDS_AT_MOST
              : high[0] == '\0' ? WORDS_AT_LEAST
                                : WORDS_RANGE,
              language, ends, 2, &out);
    put_text(text, &out);
}

static void format_C(char text[TEXT_SIZE], double celsius)
{
    snprintf(text, TEXT_SIZE, "%.1f °C", celsius);
}

/* "5.1 °C (4.8 to 5.6)" */
static void format_goods(char text[TEXT_SIZE], enum words_language language,
                         const struct thermal *goods)
{
    char low[TEXT_SIZE];
    char high[TEXT_SIZE];
    char range[TEXT_SIZE];
    char mid[TEXT_SIZE];
    snprintf(low, sizeof low, "%.1f", goods->low);
    snprintf(high, sizeof high, "%.1f", goods->high);
    format_C(mid, goods->mid);
    format_range(range, language, low, high);
    if (strcmp(low, high) == 0)
        snprintf(text, TEXT_SIZE, "%s", mid);
    else
        snprintf(text, TEXT_SIZE, "%.20s (%.60s)", mid, range);
}

static void format_band(char text[TEXT_SIZE], enum words_language language,
                        const struct harm *harm)
{
    char low[TEXT_SIZE] = "";
    char high[TEXT_SIZE] = "";
    if (!isnan(harm->band_low_C) && !isnan(harm->band_high_C))
        snprintf(low, sizeof low, "%.1f", harm->band_low_C);
    else if (!isnan(harm->band_low_C))
        format_C(low, harm->band_low_C);
    if (!isnan(harm->band_high_C))
        format_C(high, harm->band_high_C);
    format_range(text, language, low, high);
}

static void format_minutes(char text[TEXT_SIZE], enum words_language language,
                           double minutes)
{
    if (minutes < 1)
        snprintf(text, TEXT_SIZE, "%s", words(WORDS_NOW, language));
    else
        message_span(text, TEXT_SIZE, (int64_t)(minutes * MINUTE_MS));
}

/* "1 h 50 min (1 h 20 min–2 h 40 min)" */
static void format_wait(char text[TEXT_SIZE], const char *soonest, const char *latest,
                        enum words_language language, const struct harm *harm)
{
    char mid[TEXT_SIZE];
    format_minutes(mid, language, harm->minutes.mid);
    if (strcmp(soonest, latest) == 0)
        snprintf(text, TEXT_SIZE, "%s", mid);
    else
        snprintf(text, TEXT_SIZE, "%.24s (%.24s–%.24s)", mid, soonest, latest);
}

static enum words_phrase phrase_of(const struct harm *harm)
{
    switch (harm->outlook) {
    case HARM_UNSAID:
        return WORDS_HARM_UNSAID;
    case HARM_STAYS:
        return harm->is_cold ? WORDS_HARM_STAYS_COLD : WORDS_HARM_STAYS_WARM;
    case HARM_COMES:
        return harm->basis == HARM_ASSUMED ? WORDS_HARM_ASSUMED : WORDS_HARM_COMES;
    case HARM_THERE:
        return WORDS_HARM_THERE;
    }
    return WORDS_HARM_UNSAID;
}

/* A prediction of the goods says it in its own words. */
static bool is_said(const struct incident *incident)
{
    bool is_own = incident->kind == ALERT_PREDICTED &&
                  strcmp(incident->quantity, "product_temperature") == 0;
    return incident->harm.at_ms != 0 && incident->state != INCIDENT_CLOSED && !is_own;
}

void message_harm_say(const struct incident *incident, enum words_language language,
                      struct message_times *times, int64_t told_ms, struct buf *out)
{
    const struct harm *harm = &incident->harm;
    char air[TEXT_SIZE];
    char limit[TEXT_SIZE];
    char goods[TEXT_SIZE];
    char soonest[TEXT_SIZE];
    char latest[TEXT_SIZE];
    char wait[TEXT_SIZE];
    char tau[TEXT_SIZE];
    if (!is_said(incident))
        return;
    format_C(air, harm->air_C);
    format_C(limit, harm_limit_C(harm));
    format_goods(goods, language, &harm->goods_C);
    format_minutes(soonest, language, harm->minutes.low);
    format_minutes(latest, language, harm->minutes.high);
    format_wait(wait, soonest, latest, language, harm);
    snprintf(tau, sizeof tau, "%g–%g h", harm->tau_low_h, harm->tau_high_h);
    const struct template_value values[] = {
        {"air", air},         {"limit", limit},   {"goods", goods}, {"minutes", wait},
        {"soonest", soonest}, {"latest", latest}, {"tau", tau},
    };
    words_say(phrase_of(harm), language, values, sizeof values / sizeof values[0], out);
    if (told_ms - harm->at_ms <= OLD_MS)
        return;
    char at[MESSAGE_TIME_SIZE];
    message_time(at, times, harm->at_ms);
    const struct template_value as_of = {"at", at};
    words_say(WORDS_HARM_AS_OF, language, &as_of, 1, out);
}

void message_harm_detail(const struct incident *incident, enum words_language language,
                         struct buf *out)
{
    const struct harm *harm = &incident->harm;
    if (!is_said(incident) || !harm->has_goods || harm->outlook == HARM_THERE)
        return;
    char text[TEXT_SIZE];
    format_goods(text, language, &harm->goods_C);
    const struct template_value goods = {"goods", text};
    words_say(WORDS_HARM_GOODS, language, &goods, 1, out);
    if (isnan(harm->band_low_C) && isnan(harm->band_high_C))
        return;
    format_band(text, language, harm);
    const struct template_value band = {"band", text};
    words_say(WORDS_HARM_BAND, language, &band, 1, out);
}

json_t *message_harm_json(const struct harm *harm)
{
    json_t *root = harm_to_json(harm);
    char at[CLOCK_ISO_MAX];
    if (json_is_null(root))
        return root;
    json_object_del(root, "at_ms");
    json_object_set_new(root, "at", json_string(clock_format_iso(at, harm->at_ms)));
    return root;
}
