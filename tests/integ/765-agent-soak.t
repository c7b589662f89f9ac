#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A time-lapse of an agent's life: access tokens of five seconds, twenty callers,
# and what can go wrong, at random, for $SOAK_SECONDS. $SOAK_SEED repeats a run.
. "$top_srcdir/tests/tokens/namespaces.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent-run.sh"
. "$top_srcdir/tests/tokens/tpm2.sh"

SECONDS_LONG=${SOAK_SECONDS:-30}
TOKEN_TTL_S=5
token_up "$W/tpm"
TPM_MODULE=$TOKEN_MODULE TPM_PIN=$TOKEN_PIN
# to a TPM each power cut is a failed try: here there are many
tpm2_dictionarylockout --setup-parameters --max-tries=100000 --recovery-time=1 \
	--lockout-recovery-time=1
softhsm_new "$W/hsm" soft 428163
for key in soft-rsa:01 soft-ec:02; do
	case $key in
	soft-rsa*) fixture_rsa soft-rsa 2048 ;;
	*) fixture_ec soft-ec P-384 ;;
	esac
	softhsm_import "$W/${key%:*}.key" "$W/${key%:*}.pem" "${key#*:}" "${key%:*}"
done
(umask 077; echo "$TPM_PIN" >"$W/tpm.pin")
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null

# soak_profile NAME CLIENT SCOPE MODULE PIN-FILE KEY
soak_profile() {
	profile "$1" "client-id = \"$2\"" "scope = \"$3\"" "module = \"$4\"" \
		"pin-from = \"file:$5\"" "key = \"$6\"" 'token-timeout = 2' 'timeout = 3' \
		'retry-time = 0' 'token-endpoint = "https://localhost:@PORT@/token"' \
		'audience = "@AUDIENCE@"' "cacert = \"$W/pki/ca.pem\""
}
ALL='system/*.read' PATIENT=system/Patient.read
FAULT=$top_builddir/tests/fault/fault-module.so
soak_profile rsa backend "$ALL" "$FAULT" "$SOFTHSM_PIN_FILE" 'pkcs11:token=soft;object=soft-rsa'
soak_profile rsa-patient second "$PATIENT" "$FAULT" "$SOFTHSM_PIN_FILE" 'pkcs11:token=soft;object=soft-rsa'
soak_profile ec second "$ALL" "$SOFTHSM_MODULE" "$SOFTHSM_PIN_FILE" 'pkcs11:token=soft;object=soft-ec'
soak_profile tpm third "$ALL" "$TPM_MODULE" "$W/tpm.pin" 'pkcs11:token=lab;object=p256'
P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_CONTROL=$W/control
export P11FAULT_MODULE P11FAULT_CONTROL
: >"$W/control"
mv "$W/p11oauth.conf" "$W/conf.in"
configure_at() { sed "s,@PORT@,$1,; s,@AUDIENCE@,$2," "$W/conf.in" >"$W/p11oauth.conf"; }
configure_at 1 https://localhost/
"$P11OAUTH" jwks rsa ec tpm | jq 'del(.keys[].alg)' >"$W/jwks.json"
start_server oidc node "$top_srcdir/tests/servers/oidc-provider.mjs" --log "$W/requests" \
	--jwks "$W/jwks.json" --tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" \
	--ca "$W/pki/ca.pem" --access-token-ttl "$TOKEN_TTL_S" --more-client second --more-client third
configure_at '$PORT' "$TOKEN_ENDPOINT"
mv "$W/p11oauth.conf" "$W/conf.in"

tpm_holds() {
	for what in transient loaded-session saved-session; do
		echo "$what: $(tpm2_getcap "handles-$what" | tr '\n' ' ')"
	done
}
the_agent_survives_every_fault() {
	tpm2_flush
	tpm_holds >"$W/tpm.before"
	cat >"$T/agent" <<-EOS
		sed "s,\\\$PORT,\$PORT," "$W/conf.in" >"$W/p11oauth.conf"
		export P11FAULT_CLOCK="$W/clock" LD_PRELOAD="$top_builddir/tests/fault/clock-shift.so"
		exec "$P11OAUTH" agent --socket "$W/agent.sock"
	EOS
	printf '\0\0\0\0\0\0\0\0' >"$W/clock"
	memory=
	if is_sanitized; then
		memory=--no-memory ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
		export ASAN_OPTIONS
	fi
	ledger=$W/state/p11oauth/audit.jsonl
	XDG_STATE_HOME=$W/state
	export XDG_STATE_HOME
	got=0
	/usr/bin/python3 "$top_srcdir/tests/tools/agent-soak.py" --agent "$(cat "$T/agent")" \
		--socket "$W/agent.sock" --control "$W/control" --tokens "$W/hsm/tokens" \
		--ledger "$ledger" --upstream "$TOKEN_ENDPOINT" \
		--introspect-as "$(echo "$server_ready" | jq -r .introspection_user)" \
		--cert "$W/pki/good.pem" --key "$W/pki/good.key" --ca "$W/pki/ca.pem" \
		--profile "rsa=backend/$ALL" --profile "rsa-patient=second/$PATIENT" \
		--profile "ec=second/$ALL" --profile "tpm=third/$ALL" \
		--swtpm "swtpm socket --tpm2 --tpmstate dir=$TPM2_DIR/state --flags not-need-init,startup-clear --server type=tcp,bindaddr=127.0.0.1,port=$TPM2_PORT --ctrl type=tcp,bindaddr=127.0.0.1,port=$((TPM2_PORT + 1))" \
		--swtpm-pid-file "$W/pids/swtpm" --clock "$W/clock" --seconds "$SECONDS_LONG" \
		${SOAK_SEED:+--seed "$SOAK_SEED"} ${SOAK_VERBOSE:+--verbose} $memory 2>"$T/err" || got=$?
	# what the agent said, each kind of line once
	sed -E 's/[0-9]+/N/g' "$T/err" | sort | uniq -c | sort -rn | head -n 40
	no_sanitizer_spoke "$T/err"
	[ "$got" -eq 0 ]
}
the_ledger_verifies() {
	expect 0 "$P11OAUTH" audit verify "$W/state/p11oauth/audit.jsonl"
	cat "$T/out"
}
# All of what the server itself says it saw, not only the proxy before it.
each_jti_is_in_one_record() {
	jq -r 'select(.event == "sign") | .jti' "$W"/state/p11oauth/audit.jsonl* | sort >"$T/signed"
	jq -r 'select(.path == "/token") | .claims.jti' "$W/requests" | sort >"$T/seen"
	[ "$(wc -l <"$T/seen")" -gt 10 ]
	[ -z "$(uniq -d "$T/signed")" ]
	[ -z "$(uniq -d "$T/seen")" ]
	comm -13 "$T/signed" "$T/seen" >"$T/unknown"
	empty "$T/unknown"
}
the_tpm_is_as_it_was() {
	tpm_holds >"$T/after"
	diff "$W/tpm.before" "$T/after"
}
nothing_is_left() {
	[ "$(find "$W/state" "$W" -maxdepth 1 -name 'core*' | wc -l)" -eq 0 ]
	[ ! -e "$W/agent.sock" ]
	[ ! -e "$W/agent.sock.lock" ]
}

run_tests the_agent_survives_every_fault the_ledger_verifies each_jti_is_in_one_record \
	the_tpm_is_as_it_was nothing_is_left
