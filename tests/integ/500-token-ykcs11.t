#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
TOKEN=ykcs11
. "$top_srcdir/tests/tokens/suite.sh"

polkit_refuses_this_user() { piv_refused 10; }

suite_run polkit_refuses_this_user
