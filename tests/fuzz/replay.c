/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - runs a fuzz target on files, where libFuzzer is not linked.
 *
 * usage: TARGET FILE...
 */
#include "fuzz.h"

#include <stdio.h>

#define INPUT_MAX (1024 * 1024)

static uint8_t input[INPUT_MAX];

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t len;

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		len = fread(input, 1, sizeof(input), f);
		(void)fclose(f);
		(void)LLVMFuzzerTestOneInput(input, len);
	}
	return argc > 1 ? 0 : 2;
}
