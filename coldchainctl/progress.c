// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/width.h"

#define DRAW_EACH_MS (1000 / PROGRESS_PER_SECOND)
#define BAR_COLUMNS  20
#define TEXT_SIZE    160

static void put_amount(char text[32], double amount, const char *unit)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    if (strcmp(unit, "B") != 0) {
        snprintf(text, 32, "%.0f %s", amount, unit);
        return;
    }
    size_t step = 0;
    for (; amount >= 1024 && step + 1 < sizeof names / sizeof names[0]; step++)
        amount /= 1024;
    snprintf(text, 32, step == 0 ? "%.0f %s" : "%.1f %s", amount, names[step]);
}

/* "0:12", "1:02:03" */
static void put_time(char text[32], double seconds)
{
    uint64_t left = (uint64_t)(seconds + 0.5);
    if (left >= 3600)
        snprintf(text, 32, "%" PRIu64 ":%02d:%02d", left / 3600, (int)(left / 60 % 60),
                 (int)(left % 60));
    else
        snprintf(text, 32, "%d:%02d", (int)(left / 60), (int)(left % 60));
}

void progress_format(const struct progress *progress, int64_t ms, char *text, size_t size)
{
    char done[32];
    char rate[32];
    char left[32] = "-:--";
    double per_second = ms > 0 ? (double)progress->done * 1000 / (double)ms : 0;
    put_amount(done, (double)progress->done, progress->unit);
    put_amount(rate, per_second, progress->unit);
    if (progress->total == 0) {
        snprintf(text, size, "%s  %s  %s/s", progress->label, done, rate);
        return;
    }
    uint64_t capped = progress->done < progress->total ? progress->done : progress->total;
    double share = (double)capped / (double)progress->total;
    int filled = (int)(share * BAR_COLUMNS);
    if (per_second > 0)
        put_time(left, (double)(progress->total - capped) / per_second);
    snprintf(text, size, "%s  [%.*s%.*s] %3d%%  %s  %s/s  %s", progress->label, filled,
             "####################", BAR_COLUMNS - filled, "....................",
             (int)(share * 100), done, rate, left);
}

static void draw(struct progress *progress, int64_t now_ms)
{
    char text[TEXT_SIZE];
    progress_format(progress, now_ms - progress->begun_ms, text, sizeof text);
    /* The last column stays free: some terminals go to the next line there. */
    size_t len = width_fit(text, strlen(text), progress->columns - 1);
    fprintf(progress->out, "\r\033[K%.*s", (int)len, text);
    fflush(progress->out);
    progress->drawn_ms = now_ms;
}

void progress_begin_at(struct progress *progress, int64_t now_ms)
{
    assert(progress->out == NULL || progress->columns > 0);
    progress->begun_ms = now_ms;
    if (progress->out != NULL)
        draw(progress, now_ms);
}

void progress_begin(struct progress *progress, const char *label, const char *unit,
                    uint64_t total)
{
    *progress = (struct progress){.label = label,
                                  .unit = unit,
                                  .total = total,
                                  .columns = screen_room(stderr),
                                  .out = screen_has_cursor(stderr) ? stderr : NULL};
    progress_begin_at(progress, clock_real_ms());
}

void progress_set_at(struct progress *progress, uint64_t done, int64_t now_ms)
{
    if (done > progress->done)
        progress->done = done;
    if (progress->out != NULL && now_ms - progress->drawn_ms >= DRAW_EACH_MS)
        draw(progress, now_ms);
}

void progress_set(struct progress *progress, uint64_t done)
{
    progress_set_at(progress, done, progress->out != NULL ? clock_real_ms() : 0);
}

void progress_add(struct progress *progress, uint64_t done)
{
    progress_set(progress, progress->done + done);
}

void progress_end(struct progress *progress)
{
    if (progress->out != NULL) {
        fputs("\r\033[K", progress->out);
        fflush(progress->out);
    }
    progress->out = NULL;
}
