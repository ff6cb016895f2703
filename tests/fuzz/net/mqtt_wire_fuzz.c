// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/mqtt_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte is that of the fixed header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum mqtt_packet types[] = {MQTT_PACKET_CONNACK, MQTT_PACKET_PUBACK,
                                             MQTT_PACKET_SUBACK};
    if (size == 0)
        return 0;
    /* A copy of its own length: reading behind it is seen. */
    uint8_t *body = malloc(size > 1 ? size - 1 : 1);
    if (body == NULL)
        abort();
    memcpy(body, data + 1, size - 1);
    struct mqtt_answer answer;
    enum err err = mqtt_wire_parse(&answer, types[data[0] % 3], body, size - 1);
    if (err != ERR_OK && err != ERR_CORRUPT)
        abort();
    if (err == ERR_OK && (answer.reason < 0 || answer.reason > 0xFF))
        abort();
    free(body);
    return 0;
}
