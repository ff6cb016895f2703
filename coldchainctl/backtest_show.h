// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_show - the result of a backtest, for people and for programs.
 *
 * Everything is borrowed and goes to stdout; warnings go to stderr. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_BACKTEST_SHOW_H
#define COLDCHAIN_COLDCHAINCTL_BACKTEST_SHOW_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"
#include "coldchainctl/backtest.h"

#define BACKTEST_SHOWN 20 /* firings of a list that is not asked for whole */

/* One result: rules, firings, harm, pictures. */
void backtest_show(const struct backtest *test, bool shows_all);
/* Several, as figures side by side. */
void backtest_compare(const struct backtest *const *tests, size_t count);
/* Appended to `out`: a course per channel, and what was open and harmed below it. */
void backtest_picture(const struct backtest *test, size_t columns, bool is_utf8,
                      struct buf *out);
/* As SVG or PNG, by the ending of `path`. */
MUST_CHECK enum err backtest_plot(const struct backtest *test, const char *path,
                                  struct err_text *why);
/* New references. */
json_t *backtest_json(const struct backtest *test);
/* Rules that watch nothing, or would be open most of the time: texts, "FILE:LINE: ...".
 */
json_t *backtest_warnings(const struct backtest *test);

#endif
