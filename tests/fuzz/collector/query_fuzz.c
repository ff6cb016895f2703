// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/api/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * What matches is made of identifiers; what is taken for a number is in its bounds; a tag
 * is known only to who says it; an address that is found stands at the end.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const patterns[] = {"/healthz", "/api/v1/incidents/*",
                                           "/api/v1/devices/*/*/readings"};
    char parts[QUERY_PARTS_MAX][ID_SIZE] = {{0}};
    char *text = mem_strndup((const char *)data, size);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (query_match(patterns[i], text, parts) && i > 0 && !id_is_valid(parts[0]))
            abort();
    int64_t ms;
    uint64_t number;
    if (query_time(&ms, text, 0) == ERR_OK && text[0] == '\0')
        abort();
    if (query_number(&number, text, 1, 1000, 7) == ERR_OK &&
        (number < 1 || number > 1000))
        abort();
    char address[INET6_ADDRSTRLEN];
    size_t len = strlen(text);
    if (query_last_address(text, address) &&
        (strlen(address) > len || strcmp(text + len - strlen(address), address) != 0))
        abort();
    if (query_tag_is_known(text, "W/\"0123456789abcdef\"") && strchr(text, '*') == NULL &&
        strstr(text, "\"0123456789abcdef\"") == NULL)
        abort();
    free(text);
    return 0;
}
