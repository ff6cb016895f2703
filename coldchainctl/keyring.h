// SPDX-License-Identifier: Apache-2.0
/*
 * keyring - what `coldchainctl login` keeps: a token for each API.
 *
 * One line per API, "URL TOKEN", in $XDG_CONFIG_HOME/coldchain/tokens (else
 * ~/.config/coldchain/tokens), mode 0600 in a folder of mode 0700. A token is given to
 * the address it was made for and to no other. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_KEYRING_H
#define COLDCHAIN_COLDCHAINCTL_KEYRING_H

#include "base/buf.h"
#include "base/err.h"

/* Adds the path; INVALID: neither XDG_CONFIG_HOME nor HOME is set. */
MUST_CHECK enum err keyring_path(struct buf *path, struct err_text *why);
/* Adds the token kept for that API; NOT_FOUND. DENIED: others may read the file. */
MUST_CHECK enum err keyring_find(struct buf *token, const char *api,
                                 struct err_text *why);
/* Keeps it in place of the one before; NULL: keeps none. */
MUST_CHECK enum err keyring_keep(const char *api, const char *token,
                                 struct err_text *why);
/* A file that holds a token alone, and that its owner alone may read. */
MUST_CHECK enum err keyring_write(const char *path, const char *text,
                                  struct err_text *why);

#endif
