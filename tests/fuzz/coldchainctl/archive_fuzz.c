// SPDX-License-Identifier: Apache-2.0
/*
 * archive_fuzz - foreign bytes as the .tar of a backup: walked, and held against its
 * manifest.
 *
 * The first byte says what is mended before: bit 0 gives each header that is reached the
 * checksum it should have. Otherwise nothing behind a checksum would ever be reached.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "coldchainctl/archive.h"
#include "coldchainctl/manifest.h"

#define BLOCK     512
#define INPUT_MAX (1u << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t files;
    uint64_t announced; /* of the file under way */
    uint64_t left;
    uint64_t bytes;
};

static enum err on_begin(void *context, const char *name, uint64_t size,
                         struct err_text *why)
{
    struct seen *seen = context;
    (void)why;
    if (seen->left != 0 || !archive_is_name(name) || strlen(name) >= ARCHIVE_NAME_MAX ||
        name[0] == '/' || strstr(name, "..") == name || strstr(name, "/..") != NULL)
        abort();
    seen->files++;
    seen->announced = size;
    seen->left = size;
    return ERR_OK;
}

static enum err on_data(void *context, const void *data, size_t len, struct err_text *why)
{
    struct seen *seen = context;
    (void)why;
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum ^= ((const uint8_t *)data)[i];
    if (seen->files == 0 || len == 0 || len > seen->left || (sum == 0 && len > INPUT_MAX))
        abort();
    seen->left -= len;
    seen->bytes += len;
    return ERR_OK;
}

static void mend(uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
        unsigned sum = 0;
        char text[8];
        if (memcmp(bytes + at + 257, "ustar", 5) != 0)
            continue;
        for (size_t i = 0; i < BLOCK; i++)
            sum += i >= 148 && i < 156 ? ' ' : bytes[at + i];
        snprintf(text, sizeof text, "%06o", sum & 0777777);
        memcpy(bytes + at + 148, text, 7);
    }
}

static void walk(const char *path, size_t size)
{
    struct seen seen = {.files = 0};
    struct err_text why = {""};
    const struct archive_visitor visitor = {
        .context = &seen, .begin = on_begin, .data = on_data};
    enum err err = archive_read(path, &visitor, &why);
    if ((err == ERR_OK && seen.left != 0) || seen.bytes > size ||
        (err == ERR_OK) != (why.text[0] == '\0'))
        abort();
}

/* What is called whole holds what its manifest names, each once. */
static void verify(const char *path, size_t size)
{
    struct manifest_check check;
    struct err_text why = {""};
    enum err err = manifest_verify(&check, path, NULL, "verify", &why);
    if ((err == ERR_OK) != (why.text[0] == '\0') || check.bytes > size ||
        (err == ERR_OK && (json_object_size(check.found) != check.files + 1 ||
                           !json_is_object(check.said))))
        abort();
    manifest_check_fini(&check);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    uint8_t *bytes = malloc(size);
    int fd = memfd_create("archive", MFD_CLOEXEC);
    char path[64];
    if (bytes == NULL || fd < 0)
        abort();
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1) != 0)
        mend(bytes, size - 1);
    if (write(fd, bytes, size - 1) != (ssize_t)(size - 1))
        abort();
    free(bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    walk(path, size);
    verify(path, size);
    close(fd);
    return 0;
}
