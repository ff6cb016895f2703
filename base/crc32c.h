// SPDX-License-Identifier: Apache-2.0
/*
 * crc32c - the Castagnoli checksum (RFC 3720, appendix B.4), in hardware where there is
 * any.
 *
 * Pure; any thread. crc32c(0, "123456789", 9) is 0xE3069283.
 */
#ifndef COLDCHAIN_BASE_CRC32C_H
#define COLDCHAIN_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues from `seed` (0 to begin, or the result for the bytes before). */
uint32_t crc32c(uint32_t seed, const void *data, size_t len);

#endif
