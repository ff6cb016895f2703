// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const struct {
    const char *priority; /* sd-daemon(3) */
    const char *word;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"<3>", "error"},
    [LOG_LEVEL_WARN] = {"<4>", "warn"},
    [LOG_LEVEL_INFO] = {"<6>", "info"},
    [LOG_LEVEL_DEBUG] = {"<7>", "debug"},
};

static atomic_int least_urgent = LOG_LEVEL_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* under lock */
static char previous[LINE_MAX_BYTES];
static unsigned repeats;

void log_set_level(enum log_level level)
{
    atomic_store(&least_urgent, (int)level);
}

static void put(enum log_level level, const char *text)
{
    char line[LINE_MAX_BYTES + 64];
    int len;
    if (getenv("JOURNAL_STREAM") != NULL) {
        len = snprintf(line, sizeof line, "%s%s\n", levels[level].priority, text);
    } else {
        struct timespec now;
        struct tm parts;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &parts);
        char stamp[32];
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
        len = snprintf(line, sizeof line, "%s.%03ldZ %-5s %s\n", stamp,
                       now.tv_nsec / 1000000, levels[level].word, text);
    }
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0) {
        /* there is nobody left to tell */
    }
}

static void put_counted(enum log_level level, const char *text)
{
    pthread_mutex_lock(&lock);
    if (level <= LOG_LEVEL_WARN && strcmp(text, previous) == 0) {
        repeats++;
    } else {
        if (repeats > 0) {
            char note[64];
            snprintf(note, sizeof note, "last warning repeated times=%u", repeats);
            put(LOG_LEVEL_WARN, note);
        }
        repeats = 0;
        snprintf(previous, sizeof previous, "%s", text);
        put(level, text);
    }
    pthread_mutex_unlock(&lock);
}

/* A line is one line, whatever a peer put into a name or a reason. */
static void make_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if ((int)level > atomic_load(&least_urgent))
        return;
    int saved = errno;
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    make_one_line(text);
    put_counted(level, text);
    errno = saved;
}

void log_fatal(const char *fmt, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    make_one_line(text);
    put(LOG_LEVEL_ERROR, text);
    abort();
}
