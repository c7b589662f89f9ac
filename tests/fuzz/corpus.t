#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every fuzz target holds on every input of its corpus.
. "$top_srcdir/tests/lib/tap.sh"

corpus() {
	[ "$(find "$top_srcdir/tests/data/fuzz/$1" -type f | wc -l)" -ge 3 ]
	"$top_builddir/tests/fuzz/fuzz-$1" "$top_srcdir/tests/data/fuzz/$1"/*
}
access_token() { corpus access-token; }
base64url() { corpus base64url; }
certificate() { corpus certificate; }
config() { corpus config; }
discovery() { corpus discovery; }
jwk() { corpus jwk; }
jwks_check() { corpus jwks-check; }
jws() { corpus jws; }
ledger() { corpus ledger; }
uri() { corpus uri; }

run_tests access_token base64url certificate config discovery jwk jwks_check jws ledger uri
