// SPDX-License-Identifier: Apache-2.0
/*
 * upgrade - may this program open what lies in the data folder? Asked before anything is
 * opened for writing, so that a refusal leaves everything to the program that wrote it.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_UPGRADE_H
#define COLDCHAIN_COLLECTOR_STORE_UPGRADE_H

#include "base/err.h"

/*
 * UNSUPPORTED: one of the stores is newer than this program. FULL: stores are older, and
 * there is no room for the copies that an upgrade keeps. Stores that are absent are fine.
 */
MUST_CHECK enum err upgrade_check(const char *state_path, const char *history_dir,
                                  struct err_text *why);

#endif
