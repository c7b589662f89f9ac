# Integration tests: shell scripts in TAP, each with tokens and servers of its
# own on loopback.
# `make check` runs the first, `make check-all` all three, and those that take longest
# begin first.
integ_core = \
	tests/integ/010-cli.t \
	tests/integ/100-sandbox.t \
	tests/integ/110-vectors.t \
	tests/integ/215-vendor-rules.t \
	tests/integ/231-tls-reasons.t \
	tests/integ/400-bad-input.t \
	tests/integ/410-answers.t \
	tests/integ/430-jwks-check.t \
	tests/integ/600-pin.t \
	tests/integ/630-prompts.t \
	tests/integ/640-failover.t \
	tests/integ/650-selection.t \
	tests/integ/660-pin-memory.t \
	tests/integ/700-completion.t \
	tests/integ/720-exec.t \
	tests/integ/725-formats.t \
	tests/integ/727-agent-answers.t \
	tests/integ/730-agent-client.t \
	tests/integ/800-man-examples.t
integ_slow = \
	tests/integ/205-server-modes.t \
	tests/integ/230-mtls-key.t \
	tests/integ/500-token-piv.t \
	tests/integ/500-token-tpm2.t \
	tests/integ/741-agent-life.t \
	tests/integ/765-agent-soak.t \
	tests/integ/770-agent-kill.t
integ_more = \
	tests/integ/120-verifiers.t \
	tests/integ/200-servers.t \
	tests/integ/210-discovery.t \
	tests/integ/220-vendors.t \
	tests/integ/235-mtls-tokens.t \
	tests/integ/240-retries.t \
	tests/integ/300-calls.t \
	tests/integ/420-tls.t \
	tests/integ/440-doctor.t \
	tests/integ/500-token-nss.t \
	tests/integ/500-token-opencryptoki.t \
	tests/integ/500-token-p11-kit-client.t \
	tests/integ/500-token-p11-kit-proxy.t \
	tests/integ/500-token-softhsm.t \
	tests/integ/500-token-ykcs11.t \
	tests/integ/610-fault-sweep.t \
	tests/integ/620-modules.t \
	tests/integ/710-ledger.t \
	tests/integ/740-agent.t \
	tests/integ/740-units.t \
	tests/integ/742-agent-policy.t \
	tests/integ/743-agent-leak.t \
	tests/integ/744-agent-ledger.t \
	tests/integ/746-agent-locks.t \
	tests/integ/748-agent-morning.t \
	tests/integ/750-systemd.t \
	tests/integ/752-agent-sandbox.t \
	tests/integ/760-agent-load.t \
	tests/integ/780-agent-canary.t \
	tests/integ/810-server-docs.t \
	tests/integ/900-no-leaks.t \
	tests/integ/910-contrib.t \
	tests/integ/940-debian.t
TESTS += $(integ_core)
EXTRA_DIST += $(integ_core) $(integ_slow) $(integ_more) \
	tests/lib/agent-run.sh \
	tests/lib/agent.sh \
	tests/lib/fixture.sh \
	tests/lib/servers.sh \
	tests/lib/softhsm.sh \
	tests/lib/tap.sh \
	tests/lib/timed.sh \
	tests/lib/tls-server.sh \
	tests/servers/answer-server.py \
	tests/servers/answer_files.py \
	tests/servers/authlib-server.py \
	tests/servers/broken-tls.py \
	tests/servers/fake-agent.py \
	tests/servers/file-server.py \
	tests/servers/flaky-server.py \
	tests/servers/glewlwyd.sh \
	tests/servers/h2-server.mjs \
	tests/servers/jwks-server.py \
	tests/servers/make-pki.sh \
	tests/servers/odd-ports.py \
	tests/servers/oidc-provider.mjs \
	tests/servers/package-lock.json \
	tests/servers/package.json \
	tests/servers/request-log.mjs \
	tests/servers/vendor-rules-test.py \
	tests/servers/vendor-server.py \
	tests/servers/vendor_case.py \
	tests/servers/vendor_claims.py \
	tests/servers/vendor_jws.py \
	tests/servers/vendor_request.py \
	tests/servers/vendor_rows.py \
	tests/servers/vendor_rules.py \
	tests/tokens/namespaces.sh \
	tests/tokens/nss.sh \
	tests/tokens/opencryptoki.sh \
	tests/tokens/p11-kit-client.sh \
	tests/tokens/p11-kit-proxy.sh \
	tests/tokens/piv.sh \
	tests/tokens/softhsm.sh \
	tests/tokens/suite.sh \
	tests/tokens/tpm2.sh \
	tests/tokens/ykcs11.sh
