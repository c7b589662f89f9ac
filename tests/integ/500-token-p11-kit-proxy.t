#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
TOKEN=p11-kit-proxy
. "$top_srcdir/tests/tokens/suite.sh"

suite_run
