#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The validators that 220-vendors.t relies on can say no: each is given a right
# request and many wrong ones, made without the program under test.
exec /usr/bin/python3 -B "$top_srcdir/tests/servers/vendor-rules-test.py"
