// SPDX-License-Identifier: Apache-2.0
/*
 * influx_delete - taking back points that turned out to be wrong.
 *
 * InfluxDB 1.x deletes by InfluxQL over /query, 2.x by a predicate over /api/v2/delete;
 * both take a range of time and tags. 3.x and most of those that merely take line
 * protocol delete nothing: that is said once, and the points stay.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/store/influx_internal.h"

#define NS_PER_S INT64_C(1000000000)

void influx_delete_later(struct influx *influx, const struct influx_delete *deletion)
{
    mem_grow(&influx->deletes, &influx->delete_capacity, influx->delete_count + 1,
             sizeof *influx->deletes);
    influx->deletes[influx->delete_count++] = *deletion;
}

/* Names are identifiers (telemetry/topic.h), so nothing in them needs quoting. */
static void put_tags(const struct influx_delete *deletion, char quote, struct buf *out)
{
    for (size_t i = 0; i < 2 && deletion->tags[i].key != NULL; i++)
        buf_format(out, " AND \"%s\"=%c%s%c", deletion->tags[i].key, quote,
                   deletion->tags[i].value, quote);
}

static void put_encoded(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (isalnum((unsigned char)*text))
            buf_add(out, text, 1);
        else
            buf_format(out, "%%%02X", (unsigned char)*text);
}

static void put_influxql(const struct influx_delete *deletion, struct buf *out)
{
    struct buf text = {0};
    buf_format(&text, "DELETE FROM \"%s\" WHERE time >= %" PRId64 " AND time < %" PRId64,
               deletion->measurement, deletion->from_ns, deletion->to_ns);
    put_tags(deletion, '\'', &text);
    buf_text(out, "q=");
    put_encoded(out, text.data);
    buf_fini(&text);
}

static void put_instant(struct buf *out, int64_t ns)
{
    struct tm tm;
    char text[64];
    time_t seconds = (time_t)(ns / NS_PER_S);
    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        text[0] = '\0';
    buf_format(out, "\"%s.%09" PRId64 "Z\"", text, ns % NS_PER_S);
}

static void put_predicate(const struct influx_delete *deletion, struct buf *out)
{
    buf_text(out, "{\"start\":");
    put_instant(out, deletion->from_ns);
    buf_text(out, ",\"stop\":");
    put_instant(out, deletion->to_ns);
    buf_format(out, ",\"predicate\":\"_measurement=\\\"%s\\\"", deletion->measurement);
    for (size_t i = 0; i < 2 && deletion->tags[i].key != NULL; i++)
        buf_format(out, " AND %s=\\\"%s\\\"", deletion->tags[i].key,
                   deletion->tags[i].value);
    buf_text(out, "\"}");
}

/* What is no answer of a server that deletes: it has no such thing, or refuses this. */
static bool is_final(int status)
{
    return status >= 400 && status < 500 && status != 401 && status != 403 &&
           status != 408 && status != 429;
}

static enum influx_verdict judge(const struct influx_answer *answer)
{
    int status = answer->status;
    if (status == 200 || status == 204)
        return strstr(answer->said, "\"error\"") == NULL ? INFLUX_ACCEPTED
                                                         : INFLUX_REFUSED;
    if (status == 401 || status == 403)
        return INFLUX_MISCONFIGURED;
    return is_final(status) ? INFLUX_REFUSED : INFLUX_RETRY;
}

static enum influx_verdict send_delete(struct influx *influx,
                                       const struct influx_delete *deletion,
                                       int64_t *retry_after_ms)
{
    bool is_v1 = influx->options.settings->influx.version == 0;
    struct buf body = {0};
    if (is_v1)
        put_influxql(deletion, &body);
    else
        put_predicate(deletion, &body);
    struct influx_answer answer;
    influx_post(influx, influx->delete_url,
                is_v1 ? "Content-Type: application/x-www-form-urlencoded"
                      : "Content-Type: application/json",
                NULL, &body, &answer);
    enum influx_verdict verdict = judge(&answer);
    *retry_after_ms = answer.retry_after_ms;
    influx_answered(influx, &answer, verdict);
    buf_fini(&body);
    return verdict;
}

bool influx_run_deletes(struct influx *influx)
{
    while (influx->delete_count > 0) {
        const struct influx_delete *first = &influx->deletes[0];
        int64_t retry_after_ms = -1;
        enum influx_verdict verdict = influx->delete_url[0] != '\0'
                                          ? send_delete(influx, first, &retry_after_ms)
                                          : INFLUX_REFUSED;
        if (verdict == INFLUX_RETRY || verdict == INFLUX_MISCONFIGURED) {
            influx_put_off(influx, verdict, retry_after_ms);
            return false;
        }
        if (verdict == INFLUX_REFUSED)
            log_warn("influx deletes nothing, points that were corrected stay beside "
                     "those that are right measurement=%s: %s",
                     first->measurement, influx->last_error);
        influx->delete_count--;
        memmove(influx->deletes, influx->deletes + 1,
                influx->delete_count * sizeof *influx->deletes);
    }
    return true;
}
