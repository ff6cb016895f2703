// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const names[] = {
#define X(name, text) #name,
    ERR_LIST(X)
#undef X
};
static const char *const texts[] = {
#define X(name, text) text,
    ERR_LIST(X)
#undef X
};
static_assert(COUNT(names) == COUNT(texts), "one name and one text per error");

const char *err_name(enum err err)
{
    assert((size_t)err < COUNT(names));
    return names[err];
}

const char *err_about(enum err err)
{
    assert((size_t)err < COUNT(texts));
    return texts[err];
}

enum err err_set(struct err_text *why, enum err err, const char *fmt, ...)
{
    if (why == NULL)
        return err;
    int saved = errno;
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->text, sizeof why->text, fmt, args);
    va_end(args);
    errno = saved;
    return err;
}

enum err err_from_errno(int number)
{
    switch (number) {
    case 0:
        return ERR_OK;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case EINVAL:
        return ERR_INVALID;
    case EBUSY:
    case EAGAIN:
        return ERR_BUSY;
    case EMFILE:
    case ENFILE:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}
