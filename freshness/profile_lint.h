// SPDX-License-Identifier: Apache-2.0
/*
 * profile_lint - whether a profile's numbers fit together and say where they are from.
 *
 * Errors would make the model wrong or its numbers groundless; warnings are conflicts
 * that the sources themselves have, or things that cannot be stated. Ranges, units and
 * unknown keys are the parser's affair. Lint after profile_inherit(). Pure.
 */
#ifndef COLDCHAIN_FRESHNESS_PROFILE_LINT_H
#define COLDCHAIN_FRESHNESS_PROFILE_LINT_H

#include <stddef.h>

#include "freshness/profile.h"

enum lint_severity { LINT_WARNING, LINT_ERROR };

/* Texts are borrowed for the call. */
typedef void lint_sink(void *context, enum lint_severity severity, const char *key,
                       const char *text);

/* The number of errors; every finding goes to the sink. */
size_t profile_lint(const struct profile *profile, lint_sink *sink, void *context);

#endif
