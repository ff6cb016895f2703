// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "edge-agent/sensors/devfile.h"
#include "edge-agent/sensors/sysfs_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number is finite; a probe that is accepted stays in its folder and says what it was.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct sysfs_probe probe;
    double value;
    double divide = 0;
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (devfile_number(&value, text, size) && !isfinite(value))
        abort();
    if (sysfs_parse(&probe, text, NULL) == ERR_OK) {
        if (strchr(probe.input, '/') != NULL || probe.input[0] == '\0' ||
            strstr(text, probe.input) == NULL || strstr(text, probe.chip) == NULL)
            abort();
        if (sysfs_unit(probe.is_iio, probe.input, &divide) != NULL && divide <= 0)
            abort();
    }
    free(text);
    return 0;
}
