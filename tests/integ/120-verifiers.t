#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Second opinions: assertions made with keys that were generated on the token
# hold for jose, rnbyc and Perl's Crypt::JWT, which nobody here wrote.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

MANY=500 # ES384 assertions that all must have a 96-byte signature

softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:2048 01 rsa "$W/rsa.pem"
softhsm_keygen EC:prime256v1 02 p256 "$W/p256.pem"
softhsm_keygen EC:secp384r1 03 p384 "$W/p384.pem"
softhsm_keygen EC:secp521r1 04 p521 "$W/p521.pem"

for key in rsa p256 p384 p521; do
	profile "$key" 'client-id = "verifiers"' \
		'token-endpoint = "https://as.example/token"' \
		"module = \"$SOFTHSM_MODULE\"" \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		"key = \"pkcs11:token=lab;object=$key\""
done

rnbyc_verify() { # JWS JWKS; where there is none, jose's word again
	suite_lacks package rnbyc && { jose_verify "$1" "$2"; return; }
	rnbyc -t "$(cat "$1")" -P "$2" >"$T/rnbyc.out" 2>&1 || return 1
	! grep -qi "invalid" "$T/rnbyc.out"
}
perl_verify() { # JWS JWKS ALG
	perl -MCrypt::JWT=decode_jwt -MJSON::PP=decode_json -e '
		local $/; my ($jws, $set, $alg) = @ARGV;
		open my $j, "<", $jws or die; my $token = <$j>; chomp $token;
		open my $k, "<", $set or die; my $keys = decode_json(<$k>);
		my $claims = decode_jwt(token => $token, kid_keys => $keys,
			accepted_alg => $alg, verify_exp => 1, verify_iat => 1);
		die "no claims" unless $claims->{iss} eq "verifiers";
	' "$1" "$2" "$3"
}

# flip FILE: another signature of the same length.
flip() {
	/usr/bin/python3 - "$1" <<-'END'
	import sys
	head, tail = open(sys.argv[1]).read().strip().rsplit(".", 1)
	other = "B" if tail[8] == "A" else "A"
	print(head + "." + tail[:8] + other + tail[9:])
	END
}

verified() { # PROFILE ALG
	expect 0 "$P11OAUTH" assertion "$1" --algorithm "$2"
	cp "$T/out" "$T/jws"
	expect 0 "$P11OAUTH" jwks "$1" --algorithm "$2"
	cp "$T/out" "$T/jwks"
	jose_verify "$T/jws" "$T/jwks"
	rnbyc_verify "$T/jws" "$T/jwks"
	perl_verify "$T/jws" "$T/jwks" "$2"
	# each of them can say no
	flip "$T/jws" >"$T/bad"
	refuses jose_verify "$T/bad" "$T/jwks"
	refuses rnbyc_verify "$T/bad" "$T/jwks"
	refuses perl_verify "$T/bad" "$T/jwks" "$2" 2>"$T/perl.err"
	# and so can we
	expect 0 "$P11OAUTH" jwt verify --jwks "$T/jwks" "$T/jws"
	expect 11 "$P11OAUTH" jwt verify --jwks "$T/jwks" "$T/bad"
}
verifiers_accept_rs256() { verified rsa RS256; }
verifiers_accept_rs384() { verified rsa RS384; }
verifiers_accept_rs512() { verified rsa RS512; }
verifiers_accept_ps256() { verified rsa PS256; }
verifiers_accept_ps384() { verified rsa PS384; }
verifiers_accept_ps512() { verified rsa PS512; }
verifiers_accept_es256() { verified p256 ES256; }
verifiers_accept_es384() { verified p384 ES384; }
verifiers_accept_es512() { verified p521 ES512; }

signature_bytes() {
	/usr/bin/python3 -c 'import base64, sys
sizes = set()
n = 0
for line in sys.stdin:
    tail = line.strip().rsplit(".", 1)[1]
    sizes.add(len(base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4))))
    n += 1
print(n, *sorted(sizes))'
}
es384_signatures_are_96_bytes() {
	i=0
	while [ "$i" -lt "$MANY" ]; do
		"$P11OAUTH" assertion p384 >>"$T/many"
		i=$((i + 1))
	done
	signature_bytes <"$T/many" | tee "$T/sizes"
	[ "$(cat "$T/sizes")" = "$MANY 96" ]
	# 500 assertions, 500 identifiers
	[ "$(cut -d. -f2 "$T/many" | sort -u | wc -l)" -eq "$MANY" ]
}

run_tests verifiers_accept_rs256 verifiers_accept_rs384 verifiers_accept_rs512 \
	verifiers_accept_ps256 verifiers_accept_ps384 verifiers_accept_ps512 \
	verifiers_accept_es256 verifiers_accept_es384 verifiers_accept_es512 \
	es384_signatures_are_96_bytes
