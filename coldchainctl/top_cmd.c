// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/spark.h"
#include "coldchainctl/terminal.h"
#include "coldchainctl/top.h"

#define TIMEOUT_MS 3000 /* a key waits so long while the API hangs */
#define PASTS_AT_ONCE \
    12                   /* zones whose past is asked for between two looks at the keys \
                          */
#define COLUMNS_LEAST 30 /* lines are cut there on what is narrower */
#define COLUMNS_MOST  400
#define HOUR_MS       ((int64_t)3600000)

struct top_args {
    struct client_args client;
    const char *order;
    double every_s;
    double hours;
    bool is_once;
};

#define FIELD(option, kind, field, what, name_of, about) \
    .name = option, .type = kind, .offset = offsetof(struct top_args, field), \
    .value = what, .arg = name_of, .help = about

static const struct option options[] = {
    CLIENT_OPTIONS(struct top_args, client),
    {FIELD("every", OPTION_NUMBER, every_s, "seconds", "S", "between two looks (5)"),
     .least = 1, .most = 3600},
    {FIELD("hours", OPTION_NUMBER, hours, "hours", "H", "of the past that are drawn (1)"),
     .least = 1, .most = 72},
    {FIELD("sort", OPTION_TEXT, order, "an order", "ORDER",
           "urgency (first), name, temperature or age"),
     .words = "urgency name temperature age"},
    {FIELD("once", OPTION_FLAG, is_once, NULL, NULL,
           "one frame of all zones, as into a pipe")},
    {.name = NULL},
};

/* The screen and what is behind it. */
struct watch {
    struct client *client;
    struct top top;
    struct top_view view;
    struct err_text trouble;
    int64_t every_ms;
    int64_t asked_ms; /* real time of the last answer */
    int64_t next_ms;  /* real time of the next question */
};

static int64_t wall_ms(void)
{
    struct clock clock;
    clock_init(&clock);
    return clock_wall_ms(&clock);
}

/* ---- asking --------------------------------------------------------------------------
 */

static enum err ask_past(struct watch *watch, struct top_zone *zone, struct err_text *why)
{
    struct buf path = {0};
    json_t *page = NULL;
    char from[CLOCK_ISO_MAX];
    buf_text(&path, "/api/v1/zones/");
    client_escape(&path, zone->id);
    buf_text(&path, "/readings?limit=20000");
    client_param(&path, "channel", zone->channel);
    client_param(&path, "from",
                 clock_format_iso(from, watch->top.as_of_ms - watch->top.span_ms));
    enum err err = client_get(watch->client, path.data, &page, why);
    if (err == ERR_OK)
        top_take_past(&watch->top, zone, json_object_get(page, "readings"));
    else if (err != ERR_OFFLINE && err != ERR_TIMEOUT)
        zone->has_past = true; /* it would be no better the next time */
    json_decref(page);
    buf_fini(&path);
    return err;
}

/* Of zones that are on the screen, a few at a time; true when there are more. */
static bool ask_pasts(struct watch *watch, size_t most)
{
    struct top *top = &watch->top;
    struct err_text why;
    size_t room = watch->view.lines == 0 ? top->count : watch->view.lines;
    size_t asked = 0;
    for (size_t i = watch->view.first; i < top->count && i < watch->view.first + room;
         i++) {
        struct top_zone *zone = &top->zones[i];
        if (zone->has_past || zone->channel[0] == '\0')
            continue;
        if (asked++ >= most)
            return true;
        if (ask_past(watch, zone, &why) != ERR_OK && !zone->has_past)
            return false; /* the next look tells */
    }
    return false;
}

static enum err ask(struct watch *watch, struct err_text *why)
{
    json_t *zones = NULL;
    json_t *incidents = NULL;
    enum err err = client_get(watch->client, "/api/v1/zones", &zones, why);
    if (err == ERR_OK)
        err = client_get(watch->client,
                         "/api/v1/incidents?state=open,recovering,unknown&limit=1000",
                         &incidents, why);
    if (err == ERR_OK) {
        top_take_zones(&watch->top, zones, wall_ms());
        top_take_incidents(&watch->top, json_object_get(incidents, "incidents"));
        top_sort(&watch->top);
        watch->asked_ms = clock_real_ms();
    }
    json_decref(zones);
    json_decref(incidents);
    return err;
}

static void refresh(struct watch *watch)
{
    enum err err = ask(watch, &watch->trouble);
    watch->view.trouble = err == ERR_OK ? NULL : watch->trouble.text;
    watch->next_ms = clock_real_ms() + watch->every_ms;
}

/* ---- drawing -------------------------------------------------------------------------
 */

static size_t bounded(size_t columns)
{
    return columns < COLUMNS_LEAST  ? COLUMNS_LEAST
           : columns > COLUMNS_MOST ? COLUMNS_MOST
                                    : columns;
}

/* Each line over what was there, and the rest of the screen empty: nothing flickers. */
static void draw_screen(struct watch *watch)
{
    struct buf frame = {0};
    struct buf screen = {0};
    size_t columns;
    terminal_size(&columns, &watch->view.lines);
    watch->view.columns = bounded(columns);
    watch->view.elapsed_ms = watch->asked_ms > 0 ? clock_real_ms() - watch->asked_ms : 0;
    top_draw(&frame, &watch->top, &watch->view);
    buf_text(&screen, "\033[H");
    for (size_t i = 0; i < frame.len; i++) {
        if (frame.data[i] == '\n')
            buf_text(&screen, "\033[K\r");
        buf_u8(&screen, (uint8_t)frame.data[i]);
    }
    buf_text(&screen, "\033[K\033[J");
    fwrite(screen.data, 1, screen.len, stdout);
    fflush(stdout);
    buf_fini(&frame);
    buf_fini(&screen);
}

/* A file has no use for blanks at the ends of its lines. */
static void print_trimmed(const struct buf *frame)
{
    for (size_t start = 0; start < frame->len;) {
        const char *line = frame->data + start;
        const char *end = memchr(line, '\n', frame->len - start);
        size_t len = end != NULL ? (size_t)(end - line) : frame->len - start;
        size_t kept = len;
        while (kept > 0 && line[kept - 1] == ' ')
            kept--;
        printf("%.*s\n", (int)kept, line);
        start += len + 1;
    }
}

static void draw_once(struct watch *watch)
{
    struct buf frame = {0};
    const char *said = getenv("COLUMNS");
    size_t columns = said != NULL ? strtoul(said, NULL, 10) : 0;
    size_t lines;
    if (columns == 0)
        terminal_size(&columns, &lines);
    watch->view.columns = bounded(columns);
    top_draw(&frame, &watch->top, &watch->view);
    print_trimmed(&frame);
    buf_fini(&frame);
}

/* ---- keys ----------------------------------------------------------------------------
 */

static void move(struct watch *watch, int64_t by)
{
    int64_t last = (int64_t)watch->top.count - 1;
    int64_t to = (int64_t)watch->view.chosen + by;
    watch->view.chosen = to < 0 || last < 0 ? 0 : (size_t)(to > last ? last : to);
}

/* False: it is time to go. */
static bool take_event(struct watch *watch, int event)
{
    int64_t page = (int64_t)watch->view.lines / 2;
    switch (event) {
    case 'q':
    case 'Q':
    case TERMINAL_ENDED:
        return false;
    case 'k':
    case TERMINAL_UP:
        move(watch, -1);
        break;
    case 'j':
    case TERMINAL_DOWN:
        move(watch, 1);
        break;
    case TERMINAL_PAGE_UP:
        move(watch, -page);
        break;
    case TERMINAL_PAGE_DOWN:
    case ' ':
        move(watch, page);
        break;
    case 'g':
    case TERMINAL_HOME:
        move(watch, INT32_MIN);
        break;
    case 'G':
    case TERMINAL_END:
        move(watch, INT32_MAX);
        break;
    case 's':
        watch->top.order = (watch->top.order + 1) % TOP_ORDERS;
        top_sort(&watch->top);
        break;
    case 'r':
        watch->next_ms = 0;
        break;
    default:
        break;
    }
    return true;
}

/* Between two looks the ages go on. */
static int64_t until_next(const struct watch *watch)
{
    int64_t left_ms = watch->next_ms - clock_real_ms();
    return left_ms < 0 ? 0 : left_ms > 1000 ? 1000 : left_ms;
}

static void follow(struct watch *watch)
{
    for (;;) {
        if (clock_real_ms() >= watch->next_ms)
            refresh(watch);
        draw_screen(watch);
        bool has_more = watch->view.trouble == NULL && ask_pasts(watch, PASTS_AT_ONCE);
        if (!take_event(watch, terminal_wait(has_more ? 0 : until_next(watch))))
            return;
    }
}

/* Ctrl-C is a way to go; who asks by another signal is told that it was that. */
static void end_as_asked(int number)
{
    if (number == 0 || number == SIGINT)
        return;
    signal(number, SIG_DFL);
    raise(number);
}

static enum err run_screen(struct watch *watch, struct err_text *why)
{
    enum err err =
        ask(watch, why); /* what is asked wrongly is said on the shell's screen */
    if (err == ERR_OK)
        err = terminal_open(why);
    if (err != ERR_OK)
        return err;
    watch->next_ms = clock_real_ms() + watch->every_ms;
    watch->view.has_cursor = true;
    follow(watch);
    terminal_close();
    end_as_asked(terminal_signal());
    return ERR_OK;
}

static enum err run_once(struct watch *watch, struct err_text *why)
{
    enum err err = ask(watch, why);
    if (err != ERR_OK)
        return err;
    ask_pasts(watch, SIZE_MAX);
    draw_once(watch);
    return ERR_OK;
}

static int top_run(int argc, char **argv)
{
    struct top_args args = {.order = "urgency", .every_s = 5, .hours = 1};
    struct watch watch = {
        .view = {.is_utf8 = spark_is_utf8(), .has_color = screen_has_color(stdout)}};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("top", "%s", why.text);
    if (argc > 1)
        return command_usage("top", "nothing is expected behind the options");
    if (!top_parse_order(&watch.top.order, args.order))
        return command_usage("top", "--sort takes urgency, name, temperature or age");
    watch.every_ms = (int64_t)(args.every_s * 1000);
    watch.top.span_ms = (int64_t)(args.hours * (double)HOUR_MS);
    enum err err = client_open(&watch.client, &args.client, &why);
    if (err == ERR_OK) {
        client_set_timeout(watch.client, TIMEOUT_MS);
        watch.view.where = client_url(watch.client);
        bool is_screen = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
        err = args.is_once || !is_screen ? run_once(&watch, &why)
                                         : run_screen(&watch, &why);
    }
    top_fini(&watch.top);
    client_close(watch.client);
    return err == ERR_OK ? COMMAND_OK : command_fail("top", err, &why);
}

const struct command top_command = {
    .name = "top",
    .summary = "zones as they are now, on a screen that follows",
    .usage = "[--every S] [--hours H] [--sort ORDER] [--once] [options]\n",
    .about =
        "A line a zone: its state, the temperature of its air (of several probes the one "
        "farthest outside of the band), humidity, band, age, and the course of the last "
        "hours; open incidents above. Of each stretch of time the course shows the value "
        "that is farthest from the middle of the band. A narrow terminal leaves out band "
        "and humidity. While the collector does not answer, what is known stays and its "
        "age grows.\n"
        "Keys: q or Ctrl-C quits; j, k, arrows, page keys, g and G move; s sorts by "
        "urgency, name, temperature or age; r looks at once. Without a terminal, or with "
        "--once, one frame of all zones is printed, COLUMNS wide. NO_COLOR is respected; "
        "where the locale is not UTF-8 the course is drawn in ASCII.\n",
    .options = options,
    .examples = "coldchainctl top\n"
                "coldchainctl top --hours 12 --sort temperature\n"
                "COLUMNS=120 coldchainctl top --once\n",
    .statuses = "0 shown, or left by q or Ctrl-C\n"
                "1 the API could not be asked at the start\n"
                "2 wrong usage\n",
    .run = top_run,
};
