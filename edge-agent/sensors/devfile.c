// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/devfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"

/* A driver that says "again" each time is asked so often. */
#define TRIES_MAX 3

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static enum err from_errno(int number)
{
    if (number == ENODEV || number == ENXIO || number == ENOTDIR)
        return ERR_NOT_FOUND;
    if (number == ETIMEDOUT || number == EAGAIN)
        return ERR_TIMEOUT;
    return err_from_errno(number);
}

/* Not ready: waits, at most until the end. A file of /sys is always "ready". */
static bool may_try_again(int fd, int *tries, int64_t end_ms)
{
    int64_t left_ms = end_ms - clock_real_ms();
    if (left_ms <= 0 || ++*tries > TRIES_MAX)
        return false;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, left_ms > 60000 ? 60000 : (int)left_ms) > 0;
}

static enum err read_all(struct devfile *file, int fd, int64_t end_ms)
{
    int tries = 0;
    file->len = 0;
    while (file->len <= DEVFILE_MAX) {
        ssize_t got = read(fd, file->text + file->len, DEVFILE_MAX + 1 - file->len);
        if (got == 0)
            return ERR_OK;
        if (got > 0)
            file->len += (size_t)got;
        else if (errno == EAGAIN && !may_try_again(fd, &tries, end_ms))
            return ERR_TIMEOUT;
        else if (errno != EAGAIN && errno != EINTR)
            return from_errno(errno);
        if (got > 0 && clock_real_ms() > end_ms)
            return ERR_TIMEOUT; /* something drips without end */
    }
    return ERR_LIMIT;
}

enum err devfile_read(struct devfile *file, int64_t end_ms, const char *path,
                      struct err_text *why)
{
    *file = (struct devfile){.len = 0};
    /* Not to be caught by a FIFO, nor to make a terminal ours. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int number = errno;
        return err_set(why, from_errno(number), "%s: %s", path, strerror(number));
    }
    enum err err = read_all(file, fd, end_ms);
    close(fd);
    if (err == ERR_LIMIT)
        return err_set(why, err, "%s is longer than %d bytes", path, DEVFILE_MAX);
    if (err != ERR_OK)
        return err_set(why, err, "%s: %s", path, err_about(err));
    while (file->len > 0 && is_space(file->text[file->len - 1]))
        file->len--;
    file->text[file->len] = '\0';
    if (file->len == 0 || memchr(file->text, '\0', file->len) != NULL)
        return err_set(why, ERR_CORRUPT, "%s is %s", path,
                       file->len == 0 ? "empty" : "no text");
    return ERR_OK;
}

enum quality devfile_quality(enum err err)
{
    if (err == ERR_NOT_FOUND)
        return QUALITY_OPEN;
    return err == ERR_TIMEOUT || err == ERR_BUSY ? QUALITY_TIMEOUT : QUALITY_FAULT;
}

bool devfile_number(double *value, const char *text, size_t len)
{
    while (len > 0 && is_space(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_space(text[len - 1]))
        len--;
    return len > 0 && number_scan(value, text, len) == len;
}

void channel_note(struct channel_note *note, const char *sensor, const char *channel,
                  enum quality quality, const char *reason)
{
    enum quality before = note->quality;
    note->quality = quality;
    note->bad += quality != QUALITY_GOOD;
    if (quality == before)
        return;
    if (quality != QUALITY_GOOD) {
        log_warn("channel bad sensor=%s channel=%s quality=%s reason=\"%s\"", sensor,
                 channel, quality_name(quality), reason);
        return;
    }
    log_info("channel good again sensor=%s channel=%s bad=%llu", sensor, channel,
             (unsigned long long)note->bad);
    note->bad = 0;
}
