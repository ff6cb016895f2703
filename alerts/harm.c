// SPDX-License-Identifier: Apache-2.0
#include "alerts/harm.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/shared.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR_MIN     60.0

static const char *const outlooks[] = {
#define X(name, text) [HARM_##name] = text,
    HARM_OUTLOOK_LIST(X)
#undef X
};

static const char *const bases[] = {
#define X(name, text) [HARM_##name] = text,
    HARM_BASIS_LIST(X)
#undef X
};

const char *harm_outlook_name(enum harm_outlook outlook)
{
    assert((size_t)outlook < COUNT(outlooks));
    return outlooks[outlook];
}

const char *harm_basis_name(enum harm_basis basis)
{
    assert((size_t)basis < COUNT(bases));
    return bases[basis];
}

/* ---- the look --------------------------------------------------------------------- */

static bool is_general(const struct thermal_body *body)
{
    static const struct thermal_body general[] = {
        {THERMAL_PACKED_H, THERMAL_PACKED_LEAST_H, THERMAL_PACKED_MOST_H},
        {DEFAULT_TAU_H, DEFAULT_FASTEST_H, DEFAULT_SLOWEST_H},
    };
    for (size_t i = 0; i < COUNT(general); i++)
        if (body->tau_h == general[i].tau_h && body->fastest_h == general[i].fastest_h &&
            body->slowest_h == general[i].slowest_h)
            return true;
    return false;
}

static enum harm_basis basis_of(const struct product *product)
{
    if (product->is_fitted)
        return HARM_FITTED;
    return is_general(&product->body) ? HARM_ASSUMED : HARM_STATED;
}

/* Loads that are still on their way count when they are beyond the rest. */
static struct thermal goods_of(const struct product *product, bool is_cold)
{
    struct thermal goods = product->C;
    if (is_cold && product->coldest_C < goods.mid)
        return thermal_unknown(fmin(goods.low, product->coldest_C), product->coldest_C,
                               product->coldest_C);
    if (!is_cold && product->warmest_C > goods.mid)
        return thermal_unknown(product->warmest_C, product->warmest_C,
                               fmax(goods.high, product->warmest_C));
    return goods;
}

double harm_limit_C(const struct harm *harm)
{
    return harm->is_cold ? harm->band_low_C : harm->band_high_C;
}

static bool is_past(const struct harm *harm)
{
    return harm->is_cold ? harm->goods_C.mid <= harm->band_low_C
                         : harm->goods_C.mid >= harm->band_high_C;
}

static void look_ahead(struct harm *harm, const struct thermal_body *body)
{
    struct thermal hours;
    if (isnan(harm_limit_C(harm)))
        return;
    if (is_past(harm)) {
        harm->outlook = HARM_THERE;
    } else if (!thermal_reach(&harm->goods_C, body, harm->air_C, harm_limit_C(harm),
                              !harm->is_cold, &hours)) {
        harm->outlook = HARM_STAYS;
    } else {
        harm->outlook = HARM_COMES;
        harm->minutes = (struct thermal){
            .low = hours.low * HOUR_MIN,
            .mid = harm->basis == HARM_ASSUMED ? (double)NAN : hours.mid * HOUR_MIN,
            .high = hours.high * HOUR_MIN};
    }
}

struct harm harm_of_air(int64_t at_ms, double air_C)
{
    return (struct harm){.at_ms = at_ms,
                         .air_C = air_C,
                         .band_low_C = (double)NAN,
                         .band_high_C = (double)NAN};
}

struct harm harm_look(const struct harm_air *air, const struct product *product,
                      bool is_freezing)
{
    struct harm harm = harm_of_air(air->at_ms, air->C);
    harm.band_low_C = air->band_low_C;
    harm.band_high_C = air->band_high_C;
    if (isnan(product->C.mid))
        return harm;
    if (air->C < air->band_low_C)
        harm.is_cold = true;
    else if (!(air->C > air->band_high_C))
        harm.is_cold = is_freezing;
    harm.has_goods = true;
    harm.goods_C = goods_of(product, harm.is_cold);
    harm.basis = basis_of(product);
    harm.tau_low_h = product->body.fastest_h;
    harm.tau_high_h = product->body.slowest_h;
    look_ahead(&harm, &product->body);
    return harm;
}

/* ---- as JSON ---------------------------------------------------------------------- */

static void put_number(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void put_goods(json_t *root, const struct harm *harm)
{
    bool comes = harm->outlook == HARM_COMES;
    put_number(root, "goods", harm->goods_C.mid);
    put_number(root, "goods_low", harm->goods_C.low);
    put_number(root, "goods_high", harm->goods_C.high);
    json_object_set_new(root, "side", json_string(harm->is_cold ? "cold" : "warm"));
    put_number(root, "minutes", comes ? harm->minutes.mid : (double)NAN);
    put_number(root, "minutes_low", comes ? harm->minutes.low : (double)NAN);
    put_number(root, "minutes_high", comes ? harm->minutes.high : (double)NAN);
    json_object_set_new(root, "tau_from", json_string(harm_basis_name(harm->basis)));
    put_number(root, "tau_low", harm->tau_low_h);
    put_number(root, "tau_high", harm->tau_high_h);
}

json_t *harm_to_json(const struct harm *harm)
{
    static const char *const of_goods[] = {
        "goods",       "goods_low",    "goods_high", "side",    "minutes",
        "minutes_low", "minutes_high", "tau",        "tau_low", "tau_high"};
    if (harm->at_ms == 0)
        return json_null();
    json_t *root = json_pack("{s:I, s:s}", "at_ms", (json_int_t)harm->at_ms, "outlook",
                             harm_outlook_name(harm->outlook));
    assert(root != NULL);
    put_number(root, "air", harm->air_C);
    put_number(root, "band_low", harm->band_low_C);
    put_number(root, "band_high", harm->band_high_C);
    if (harm->has_goods)
        put_goods(root, harm);
    for (size_t i = 0; !harm->has_goods && i < COUNT(of_goods); i++)
        json_object_set_new(root, of_goods[i], json_null());
    return root;
}

void harm_format(char text[HARM_TEXT_SIZE], const struct harm *harm)
{
    text[0] = '\0';
    if (harm->at_ms == 0)
        return;
    json_t *root = harm_to_json(harm);
    size_t len = json_dumpb(root, text, HARM_TEXT_SIZE - 1,
                            JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(len > 0 && len < HARM_TEXT_SIZE);
    text[len] = '\0';
    json_decref(root);
}

static double number_of(const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int index_of(const char *const *names, size_t count, const json_t *value)
{
    const char *name = json_string_value(value);
    for (size_t i = 0; name != NULL && i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

static bool read_goods(struct harm *harm, const json_t *root)
{
    const char *side = json_string_value(json_object_get(root, "side"));
    int basis = index_of(bases, COUNT(bases), json_object_get(root, "tau_from"));
    if (side == NULL || basis < 0)
        return false;
    harm->has_goods = true;
    harm->goods_C = (struct thermal){.low = number_of(root, "goods_low"),
                                     .mid = number_of(root, "goods"),
                                     .high = number_of(root, "goods_high")};
    harm->is_cold = strcmp(side, "cold") == 0;
    if (harm->outlook == HARM_COMES)
        harm->minutes = (struct thermal){.low = number_of(root, "minutes_low"),
                                         .mid = number_of(root, "minutes"),
                                         .high = number_of(root, "minutes_high")};
    harm->basis = (enum harm_basis)basis;
    harm->tau_low_h = number_of(root, "tau_low");
    harm->tau_high_h = number_of(root, "tau_high");
    return !isnan(harm->goods_C.low) && !isnan(harm->goods_C.mid) &&
           !isnan(harm->goods_C.high);
}

static bool read_harm(struct harm *harm, const json_t *root)
{
    int outlook = index_of(outlooks, COUNT(outlooks), json_object_get(root, "outlook"));
    *harm = harm_of_air(json_integer_value(json_object_get(root, "at_ms")),
                        number_of(root, "air"));
    if (harm->at_ms == 0 || outlook < 0 || isnan(harm->air_C))
        return false;
    harm->outlook = (enum harm_outlook)outlook;
    harm->band_low_C = number_of(root, "band_low");
    harm->band_high_C = number_of(root, "band_high");
    return json_is_null(json_object_get(root, "goods")) || read_goods(harm, root);
}

bool harm_parse(struct harm *harm, const char *text)
{
    *harm = (struct harm){0};
    if (text[0] == '\0')
        return true;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool is_good = root != NULL && read_harm(harm, root);
    if (!is_good)
        *harm = (struct harm){0};
    json_decref(root);
    return is_good;
}
