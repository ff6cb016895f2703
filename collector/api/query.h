// SPDX-License-Identifier: Apache-2.0
/*
 * query - what stands in a URL, read strictly. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_API_QUERY_H
#define COLDCHAIN_COLLECTOR_API_QUERY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/reading.h"

#define QUERY_PARTS_MAX 2 /* "*" in a pattern */

/*
 * Whether `path` is of the form of `pattern`, in which "*" stands for one identifier
 * ([A-Za-z0-9_-]{1,64}). A pattern given as a path does not match: "*" is none.
 */
bool query_match(const char *pattern, const char *path,
                 char parts[QUERY_PARTS_MAX][ID_SIZE]);

/* RFC 3339 or milliseconds since the epoch; NULL gives `fallback`. */
MUST_CHECK enum err query_time(int64_t *ms, const char *text, int64_t fallback);
/* A whole number in [least, most]; NULL gives `fallback`. */
MUST_CHECK enum err query_number(uint64_t *number, const char *text, uint64_t least,
                                 uint64_t most, uint64_t fallback);

/*
 * Whether `etag` is in the list of If-None-Match, or that is "*"; weakly (RFC 9110,
 * 8.8.3.2): W/ makes no difference.
 */
bool query_tag_is_known(const char *list, const char *etag);
/* The last address of X-Forwarded-For, IPv4 or IPv6; false when that is none. Proxies add
 * at the end: what stands before was said by somebody else. */
bool query_last_address(const char *list, char address[INET6_ADDRSTRLEN]);

#endif
