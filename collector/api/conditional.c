// SPDX-License-Identifier: Apache-2.0
/*
 * conditional - who asks again and knows the answer gets 304 and no body (RFC 9110, 13).
 *
 * An entity's tag is its version, the same that a change names in If-Match. All other
 * answers have one over their bytes. The age of a value grows while the value stays: it
 * is left out, and the tag is a weak one.
 */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"

#define TAG_BYTES 8 /* of the digest, in hex */

/*
 * True when ages were left out. No text of JSON holds an unescaped quote, so this is a
 * key wherever it stands.
 */
static bool add_without_ages(struct crypto_digest *digest, const char *text)
{
    static const char key[] = "\"age_ms\":";
    const char *rest = text;
    for (const char *at; (at = strstr(rest, key)) != NULL;) {
        size_t len = (size_t)(at - rest) + sizeof key - 1;
        crypto_digest_add(digest, rest, len);
        rest += len;
        rest += strspn(rest, "-0123456789");
    }
    crypto_digest_add(digest, rest, strlen(rest));
    return rest != text;
}

static void make_tag(struct api_call *call)
{
    struct crypto_digest digest;
    uint8_t bytes[CRYPTO_DIGEST_BYTES];
    char hex[2 * CRYPTO_DIGEST_BYTES + 1];
    crypto_digest_begin(&digest);
    bool has_ages =
        add_without_ages(&digest, call->out.data != NULL ? call->out.data : "");
    crypto_digest_end(&digest, bytes);
    crypto_hex(hex, bytes, sizeof bytes);
    snprintf(call->etag, sizeof call->etag, "%s\"%.*s\"", has_ages ? "W/" : "",
             2 * TAG_BYTES, hex);
}

static bool has_tag(const struct api_call *call)
{
    static const char start[] = "/api/v1/";
    return call->status == MHD_HTTP_OK && call->stream == NULL &&
           strcmp(call->route->method, "GET") == 0 &&
           strncmp(call->route->pattern, start, sizeof start - 1) == 0 &&
           strcmp(call->content_type, "application/octet-stream") != 0;
}

void api_make_conditional(struct api_call *call)
{
    if (!has_tag(call))
        return;
    if (call->etag[0] == '\0')
        make_tag(call);
    const char *tags = MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (tags == NULL || !query_tag_is_known(tags, call->etag))
        return;
    buf_clear(&call->out);
    call->status = MHD_HTTP_NOT_MODIFIED;
}
