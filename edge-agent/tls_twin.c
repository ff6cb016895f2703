// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/tls_twin.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/mqtt.h"
#include "net/mqtt_uri.h"

#define SUFFIX "-tls"

/* A uri that cannot be read is refused where the settings are. */
static bool wants_tls(const struct settings *settings)
{
    struct mqtt_uri uri;
    struct err_text ignored;
    return settings->mqtt.uri != NULL &&
           mqtt_uri_parse(&uri, settings->mqtt.uri, &ignored) == ERR_OK && uri.is_tls;
}

enum err tls_twin_become(const struct settings *settings, char **argv,
                         struct err_text *why)
{
    if (!wants_tls(settings) || mqtt_can_tls())
        return ERR_OK;
    char own[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    if (len < 0)
        return err_set(why, ERR_IO, "/proc/self/exe: %s", strerror(errno));
    own[len] = '\0';
    char *twin = mem_format("%s" SUFFIX, own);
    execv(twin, argv);
    enum err err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    err_set(why, err, "mqtts:// needs %s, which cannot be run: %s; install it beside %s",
            twin, strerror(errno), own);
    free(twin);
    return err;
}
