/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h - what every fuzz target checks besides its own property.
 *
 * A target links with libFuzzer in a build with --enable-fuzzers, else with
 * replay.c; both run each file that is named on the command line.
 */
#ifndef PO_TESTS_FUZZ_H
#define PO_TESTS_FUZZ_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_require(bool holds)
{
	if (!holds)
		abort();
}

/* A failure has a category and says something. */
static inline void fuzz_check_error(enum po_status st,
				    const struct po_error *err)
{
	fuzz_require(st < 0 && st >= PO_STATUS_LAST && err->status == st);
	fuzz_require(err->text[0] != '\0');
}

#endif
