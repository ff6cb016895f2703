// SPDX-License-Identifier: Apache-2.0
/*
 * pack_labels - the labels of the first record that SenML has no word for, as one table:
 * what pack_format() writes and pack_parse() reads. Inside telemetry/ only; pure.
 *
 * A label whose value is zero or empty is not written, but for cc-at, so that a pack that
 * was read and one that was made compare equal.
 */
#ifndef COLDCHAIN_TELEMETRY_PACK_LABELS_H
#define COLDCHAIN_TELEMETRY_PACK_LABELS_H

#include "base/buf.h"
#include "base/err.h"
#include "telemetry/pack.h"
#include "telemetry/senml.h"

#define PACK_FORMAT_VERSION 1

/* Appends `"cc-dev":"..."` and so on, each followed by a comma. */
void pack_labels_format(const struct pack *pack, struct buf *out);

/*
 * Takes the label when it is one of ours; others are left alone. INVALID for a value that
 * is not allowed; UNSUPPORTED for a kind or version this program does not know.
 */
MUST_CHECK enum err pack_labels_take(struct pack *pack, const struct senml_label *label,
                                     struct err_text *why);

const char *pack_kind_name(enum pack_kind kind);

#endif
