// SPDX-License-Identifier: Apache-2.0
/*
 * log - five verbs to stderr, with journald priorities when systemd listens.
 *
 * Lower case, no full stop, key=value tail. No secrets, no payloads above debug.
 * A line that repeats the one before it is counted, not repeated. Control characters
 * become '?', so that nobody's text can begin a line of its own. Any thread.
 */
#ifndef COLDCHAIN_BASE_LOG_H
#define COLDCHAIN_BASE_LOG_H

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* The least urgent level that is still written; INFO at first. */
void log_set_level(enum log_level level);

/* Somebody must act. */
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
/* Degraded, we cope. */
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
/* A change of state. */
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Keeps errno. */
void log_write(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes the line and ends the process (abort). */
_Noreturn void log_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
