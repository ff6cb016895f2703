// SPDX-License-Identifier: Apache-2.0
/*
 * err - the one way in which functions fail, and a sentence for a person.
 *
 * What can fail returns `enum err`; where somebody has to act there is also a
 * `struct err_text` which the caller owns. Foreign codes stop at the adapters.
 */
#ifndef COLDCHAIN_BASE_ERR_H
#define COLDCHAIN_BASE_ERR_H

#define ERR_LIST(X) \
    X(OK, "no error") \
    X(IO, "input/output error") \
    X(FULL, "no space left") \
    X(CORRUPT, "stored data is damaged") \
    X(INVALID, "value not allowed") \
    X(NOT_FOUND, "not found") \
    X(OFFLINE, "peer not reachable") \
    X(EXISTS, "exists already") \
    X(CONFLICT, "changed by somebody else") \
    X(DENIED, "not permitted") \
    X(LIMIT, "more than is allowed") \
    X(BUSY, "in use") \
    X(TIMEOUT, "took too long") \
    X(UNSUPPORTED, "not supported")

enum err {
#define X(name, text) ERR_##name,
    ERR_LIST(X)
#undef X
};

/* A sentence for a person; owned by the caller, never allocated. */
struct err_text {
    char text[512];
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* "ERR_IO" style short name, and the text of the list above. */
const char *err_name(enum err err);
const char *err_about(enum err err);

/* Writes the sentence (why may be NULL) and returns err. Keeps errno. */
enum err err_set(struct err_text *why, enum err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ENOSPC and EDQUOT are FULL, ENOENT is NOT_FOUND, EEXIST is EXISTS, ... else IO. */
enum err err_from_errno(int number);

#endif
