# Programs and scripts that tests use; none is a test.
check_PROGRAMS += tests/tools/jws-sign tests/tools/populate tests/tools/tls-client
tests_tools_jws_sign_SOURCES = tests/tools/jws-sign.c
tests_tools_jws_sign_LDADD = $(FLOW_LIBS)
tests_tools_populate_SOURCES = tests/tools/populate.c
tests_tools_populate_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_tools_populate_LDADD = $(CRYPTO_LIBS)
tests_tools_tls_client_SOURCES = tests/tools/tls-client.c
tests_tools_tls_client_LDADD = $(FLOW_LIBS)
EXTRA_DIST += \
	tests/tools/agent-kill.py \
	tests/tools/agent-load.py \
	tests/tools/agent-post.py \
	tests/tools/agent-soak.py \
	tests/tools/certificate.py \
	tests/tools/check-kubernetes.py \
	tests/tools/fault-sweep.py \
	tests/tools/jwk-to-pem.py \
	tests/tools/jwt-sign.py \
	tests/tools/loopback-up.py \
	tests/tools/memory-scan.py \
	tests/tools/peak-rss.py \
	tests/tools/pinentry.py \
	tests/tools/piv-card.py \
	tests/tools/pkcs11-calls.py \
	tests/tools/pty-run.py \
	tests/tools/slow-proxy.py \
	tests/tools/soak_faults.py \
	tests/tools/soak_proxy.py \
	tests/tools/systemd-harness.py \
	tests/tools/tamper.py \
	tests/tools/unix-http.py \
	tests/tools/without-landlock.py
