// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/heartbeat.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/pipeline/beat.h"

struct heartbeat {
    struct heartbeat_options options;
    struct loop_timer *timer;
    bool is_withheld;
};

/* Said when it changes, not at each turn. */
static void note(struct heartbeat *heartbeat, enum err err, const struct err_text *why)
{
    bool is_withheld = err != ERR_OK;
    if (is_withheld && !heartbeat->is_withheld)
        log_warn("the heartbeat is withheld: %s",
                 why->text[0] != '\0' ? why->text : err_about(err));
    if (!is_withheld && heartbeat->is_withheld)
        log_info("the heartbeat goes on");
    heartbeat->is_withheld = is_withheld;
}

static void on_timer(void *context)
{
    struct heartbeat *heartbeat = context;
    const struct heartbeat_options *options = &heartbeat->options;
    struct err_text why = {0};
    enum err err = options->ready(options->context, &why);
    note(heartbeat, err, &why);
    if (err == ERR_OK) {
        struct buf body = {0};
        beat_format(clock_wall_ms(options->clock), &body);
        options->append(options->context, body.data, body.len);
        buf_fini(&body);
    }
    loop_timer_arm(heartbeat->timer, options->every_ms);
}

struct heartbeat *heartbeat_create(const struct heartbeat_options *options)
{
    assert(options->every_ms > 0 && options->ready != NULL && options->append != NULL);
    struct heartbeat *heartbeat = mem_alloc(sizeof *heartbeat);
    heartbeat->options = *options;
    heartbeat->timer = loop_timer_create(options->loop, on_timer, heartbeat);
    loop_timer_arm(heartbeat->timer, options->every_ms);
    return heartbeat;
}

void heartbeat_destroy(struct heartbeat *heartbeat)
{
    if (heartbeat == NULL)
        return;
    loop_timer_destroy(heartbeat->timer);
    free(heartbeat);
}
