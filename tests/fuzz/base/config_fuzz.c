// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/config_demo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is printed loads again and prints the same; secrets apart, which are left out. */
static void check_round_trip(struct config *config, struct demo *demo)
{
    struct buf first = {0};
    struct buf second = {0};
    struct config again = {0};
    struct demo copy;
    struct err_text why;
    free(demo->password);
    demo->password = NULL;
    config_print(config, &first);
    if (config_load_text(&again, &demo_schema, &copy, "print", first.data, first.len,
                         &why) != ERR_OK)
        abort();
    config_print(&again, &second);
    if (strcmp(first.data, second.data) != 0)
        abort();
    config_fini(&again);
    buf_fini(&first);
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config = {0};
    struct demo demo;
    struct err_text why = {0};
    char *text = malloc(size + 1); /* a heap copy: one byte read too far is seen */
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    enum err err =
        config_load_text(&config, &demo_schema, &demo, "fuzz", text, size, &why);
    if ((err == ERR_OK) != (config.problems_count == 0))
        abort();
    if (err != ERR_OK && why.text[0] == '\0')
        abort();
    if (err == ERR_OK)
        check_round_trip(&config, &demo);
    config_fini(&config);
    free(text);
    return 0;
}
