#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
TOKEN=ykcs11
. "$top_srcdir/tests/tokens/suite.sh"

suite_run
