// SPDX-License-Identifier: Apache-2.0
/*
 * news - something that changed and is committed, on its way from the pipeline to whoever
 * follows live. Plain data; texts are borrowed for the call.
 */
#ifndef COLDCHAIN_COLLECTOR_NEWS_H
#define COLDCHAIN_COLLECTOR_NEWS_H

#include <stdbool.h>

enum news_kind {
    NEWS_ZONE,     /* what measures it, or what is declared of it */
    NEWS_DEVICE,   /* its status */
    NEWS_INCIDENT, /* to be looked up in state.db */
};

struct news {
    enum news_kind kind;
    const char *id;    /* of the zone, "ORG/DEVICE", of the incident */
    const char *event; /* of an incident: "opened", "closed", ...; "" otherwise */
    const char *json;  /* of a zone or device; NULL of an incident */
    bool is_over;      /* of an incident that is closed */
};

typedef void news_fn(void *context, const struct news *news);

#endif
