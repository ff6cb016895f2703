// SPDX-License-Identifier: Apache-2.0
/*
 * influx_internal - what the files of the InfluxDB sink share. Nobody else includes it.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_INFLUX_INTERNAL_H
#define COLDCHAIN_COLLECTOR_STORE_INFLUX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/pipeline/decode.h"
#include "collector/store/history.h"
#include "collector/store/influx.h"
#include "collector/store/influx_policy.h"
#include "net/http.h"
#include "telemetry/channel.h"

#define SINK_NAME   "influx"
#define URL_SIZE    1024
#define HEADER_SIZE 1024
#define REASON_SIZE 512

/* One line of the batch and the record it came from. */
struct line_mark {
    size_t offset;
    size_t len;
    uint64_t position;
    uint32_t item;
};

/* Points to be deleted once the batch is through: [from_ns, to_ns) of a measurement. */
struct influx_delete {
    const char *measurement; /* constant */
    struct {
        const char *key; /* constant; NULL: no second tag */
        char value[ID_SIZE];
    } tags[2];
    int64_t from_ns;
    int64_t to_ns;
};

/* A correction that is being written anew; id 0: none. */
struct influx_rewrite {
    uint64_t id;
    bool waits; /* for history; what is new waits too */
    char org[ID_SIZE];
    char device[ID_SIZE];
    int64_t from_ms;
    int64_t to_ms;
    bool is_deleted;
    bool is_through;   /* its last page is in the batch */
    size_t last_count; /* readings at from_ms that are written */
    uint64_t lines;
    /* of the reading written last, for its place below the millisecond */
    int64_t last_ms;
    uint64_t last_seq;
    unsigned last_repeat;
    char last_channel[ID_SIZE];
};

struct influx {
    /* fixed after open */
    struct influx_options options;
    struct follower *follower;
    char url[URL_SIZE];
    char delete_url[URL_SIZE]; /* "": the server has no such thing */
    char authorization[HEADER_SIZE];

    /* owned by the follower's thread */
    struct http_client *http;
    struct decoder *decoder;
    struct buf lines;
    struct line_mark *marks;
    size_t count;
    size_t capacity;
    uint64_t cursor;         /* everything before it was accepted or refused for good */
    uint64_t batch_end;      /* the cursor once the batch is through */
    struct state *incidents; /* a reader; NULL: not opened yet, or none are written */
    uint64_t told;           /* the cursor among the transitions of incidents */
    uint64_t told_end;
    struct influx_delete *deletes;
    size_t delete_count;
    size_t delete_capacity;
    struct history_reader *history; /* NULL: not opened yet */
    struct influx_rewrite rewrite;
    uint64_t corrected; /* up to that correction all is written anew */
    unsigned failures;
    int64_t wait_until_ms; /* real time */
    size_t most_lines;     /* halved when requests are too large */
    const char *state;
    char last_error[REASON_SIZE];
    uint64_t accepted;
    uint64_t rejected;
};

/* What came of a request. */
struct influx_answer {
    int status;             /* 0: none came, `why` says why */
    int64_t retry_after_ms; /* -1: it does not say */
    const char *said;       /* of its body; "" */
    struct http_response response;
    struct err_text why;
};

/* influx.c */
/* With our credentials; `encoding` NULL: none. influx_answered() follows. */
void influx_post(struct influx *influx, const char *url, const char *type,
                 const char *encoding, const struct buf *body,
                 struct influx_answer *answer);
/* Keeps what was said unless it was accepted, and gives the answer back. */
void influx_answered(struct influx *influx, struct influx_answer *answer,
                     enum influx_verdict verdict);
/* Marks what was appended to the lines behind `start`. */
void influx_mark_lines(struct influx *influx, size_t start, uint64_t position);
/* What came of a request; `said` is the server's answer or the reason there is none. */
void influx_put_off(struct influx *influx, enum influx_verdict verdict,
                    int64_t retry_after_ms);
MUST_CHECK enum err influx_open_state(struct influx *influx, struct err_text *why);

/* influx_delete.c */
void influx_delete_later(struct influx *influx, const struct influx_delete *deletion);
/* False: later. What the server cannot delete is told once and left. */
bool influx_run_deletes(struct influx *influx);

/* influx_rewrite.c */
/*
 * Before an empty batch is filled: one page of the correction under way, or the beginning
 * of the next one. False when nothing else may be put into this batch.
 */
bool influx_rewrite_page(struct influx *influx);
/* That page was accepted. */
void influx_rewrite_accepted(struct influx *influx);

#endif
