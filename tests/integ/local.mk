# Integration tests: shell scripts in TAP, each with tokens and servers of its
# own on loopback.
integ_tests = \
	tests/integ/010-cli.t \
	tests/integ/100-sandbox.t \
	tests/integ/110-vectors.t \
	tests/integ/120-verifiers.t \
	tests/integ/200-servers.t \
	tests/integ/205-server-modes.t \
	tests/integ/210-discovery.t \
	tests/integ/215-vendor-rules.t \
	tests/integ/220-vendors.t \
	tests/integ/240-retries.t \
	tests/integ/300-calls.t \
	tests/integ/400-bad-input.t \
	tests/integ/410-answers.t \
	tests/integ/420-tls.t \
	tests/integ/430-jwks-check.t \
	tests/integ/440-doctor.t \
	tests/integ/500-token-nss.t \
	tests/integ/500-token-opencryptoki.t \
	tests/integ/500-token-p11-kit-client.t \
	tests/integ/500-token-p11-kit-proxy.t \
	tests/integ/500-token-piv.t \
	tests/integ/500-token-softhsm.t \
	tests/integ/500-token-tpm2.t \
	tests/integ/500-token-ykcs11.t \
	tests/integ/600-pin.t \
	tests/integ/610-fault-sweep.t \
	tests/integ/620-modules.t \
	tests/integ/630-prompts.t \
	tests/integ/640-failover.t \
	tests/integ/650-selection.t \
	tests/integ/660-pin-memory.t \
	tests/integ/700-completion.t \
	tests/integ/800-man-examples.t \
	tests/integ/810-server-docs.t \
	tests/integ/900-no-leaks.t \
	tests/integ/910-contrib.t
TESTS += $(integ_tests)
EXTRA_DIST += $(integ_tests) \
	tests/lib/fixture.sh \
	tests/lib/servers.sh \
	tests/lib/softhsm.sh \
	tests/lib/tap.sh \
	tests/servers/answer-server.py \
	tests/servers/authlib-server.py \
	tests/servers/broken-tls.py \
	tests/servers/file-server.py \
	tests/servers/flaky-server.py \
	tests/servers/glewlwyd.sh \
	tests/servers/jwks-server.py \
	tests/servers/make-pki.sh \
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
	tests/servers/wild-server.py \
	tests/servers/wild_answers.py \
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
