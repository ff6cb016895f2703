// SPDX-License-Identifier: Apache-2.0
#include "collector/api/query.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define DIGITS_MAX 18 /* fits int64_t */

static bool take_part(const char **path, char part[ID_SIZE])
{
    size_t len = strcspn(*path, "/");
    if (len >= ID_SIZE)
        return false;
    memcpy(part, *path, len);
    part[len] = '\0';
    *path += len;
    return id_is_valid(part);
}

bool query_match(const char *pattern, const char *path,
                 char parts[QUERY_PARTS_MAX][ID_SIZE])
{
    assert(pattern[0] == '/');
    size_t count = 0;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            if (count >= QUERY_PARTS_MAX || !take_part(&path, parts[count]))
                return false;
            count++;
        } else if (*pattern != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool read_digits(uint64_t *number, const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > DIGITS_MAX)
        return false;
    *number = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (!isdigit((unsigned char)*at))
            return false;
        *number = *number * 10 + (uint64_t)(*at - '0');
    }
    return true;
}

enum err query_time(int64_t *ms, const char *text, int64_t fallback)
{
    *ms = fallback;
    if (text == NULL)
        return ERR_OK;
    uint64_t number;
    if (read_digits(&number, text)) {
        *ms = (int64_t)number;
        return ERR_OK;
    }
    return clock_parse_iso(ms, text) ? ERR_OK : ERR_INVALID;
}

enum err query_number(uint64_t *number, const char *text, uint64_t least, uint64_t most,
                      uint64_t fallback)
{
    assert(least <= most);
    *number = fallback;
    if (text == NULL)
        return ERR_OK;
    return read_digits(number, text) && *number >= least && *number <= most ? ERR_OK
                                                                            : ERR_INVALID;
}

bool query_tag_is_known(const char *list, const char *etag)
{
    const char *opaque = etag + (strncmp(etag, "W/", 2) == 0 ? 2 : 0);
    size_t len = strlen(opaque);
    for (const char *at = list + strspn(list, " \t,"); *at != '\0';
         at += strspn(at, " \t,")) {
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        size_t word = strcspn(at, ", \t");
        if ((word == 1 && *at == '*') || (word == len && memcmp(at, opaque, len) == 0))
            return true;
        at += word;
    }
    return false;
}

bool query_last_address(const char *list, char address[INET6_ADDRSTRLEN])
{
    struct in6_addr bytes;
    const char *comma = strrchr(list, ',');
    const char *last = comma != NULL ? comma + 1 : list;
    last += strspn(last, " \t");
    if (strlen(last) >= INET6_ADDRSTRLEN ||
        (inet_pton(AF_INET, last, &bytes) != 1 && inet_pton(AF_INET6, last, &bytes) != 1))
        return false;
    snprintf(address, INET6_ADDRSTRLEN, "%s", last);
    return true;
}
