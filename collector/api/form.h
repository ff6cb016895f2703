// SPDX-License-Identifier: Apache-2.0
/*
 * form - what a page without a script sends: application/x-www-form-urlencoded. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_API_FORM_H
#define COLDCHAIN_COLLECTOR_API_FORM_H

#include <stddef.h>

#include <jansson.h>

#define FORM_FIELDS_MAX 32

/*
 * An object of texts, the caller's to release. NULL when it is none: a broken escape, a
 * NUL, no UTF-8, a name twice or none, or more than FORM_FIELDS_MAX.
 */
json_t *form_parse(const char *data, size_t len);

#endif
