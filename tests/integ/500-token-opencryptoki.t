#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
TOKEN=opencryptoki
. "$top_srcdir/tests/tokens/suite.sh"

suite_run
