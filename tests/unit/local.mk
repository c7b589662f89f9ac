# Unit programs: NAME-test.c and, out of libunit.a, main() and what several of
# them share. A program has a line of its own only for what the others do without.
unit_tests =
# src/base
unit_tests += tests/unit/account-test tests/unit/base64url-test \
	tests/unit/buf-test tests/unit/child-test \
	tests/unit/error-json-test tests/unit/error-test \
	tests/unit/findings-test tests/unit/fs-test tests/unit/json-test \
	tests/unit/log-test tests/unit/sandbox-test tests/unit/secret-test \
	tests/unit/text-test
# src/audit
unit_tests += tests/unit/ledger-test tests/unit/requester-test \
	tests/unit/verify-test
# src/key
unit_tests += tests/unit/alg-test tests/unit/certificate-test \
	tests/unit/jwk-test tests/unit/kid-test tests/unit/pubkey-test \
	tests/unit/signer-test tests/unit/x5t-test
# src/cryptoki
unit_tests += tests/unit/ckr-test tests/unit/device-test tests/unit/evp-test \
	tests/unit/inventory-test tests/unit/login-test tests/unit/pcsc-test \
	tests/unit/pin-test tests/unit/pinentry-test \
	tests/unit/selection-test tests/unit/uri-test
# src/jose
unit_tests += tests/unit/jws-test tests/unit/jwt-test
# src/http
unit_tests += tests/unit/http-curl-test tests/unit/http-fields-test \
	tests/unit/http-options-test tests/unit/http-tls-test \
	tests/unit/http-unix-test tests/unit/http-url-test
# src/oauth
unit_tests += tests/unit/access-token-test tests/unit/assertion-test \
	tests/unit/discovery-test tests/unit/extension-test \
	tests/unit/jwk-check-test tests/unit/jwks-check-test \
	tests/unit/refusal-test tests/unit/scope-test \
	tests/unit/token-request-test
# src/conf
unit_tests += tests/unit/config-file-test tests/unit/digest-test \
	tests/unit/profile-json-test tests/unit/servers-test
# src/cache
unit_tests += tests/unit/cached-token-test
# src/flow
unit_tests += tests/unit/audit-test tests/unit/check-jwks-test \
	tests/unit/diagnose-test \
	tests/unit/discover-test tests/unit/doctor-test \
	tests/unit/exchange-test tests/unit/format-test \
	tests/unit/get-token-test tests/unit/tls-identity-test
# src/agent
unit_tests += tests/unit/agent-client-test tests/unit/agent-test \
	tests/unit/broker-ask-test \
	tests/unit/broker-lock-test tests/unit/broker-time-test \
	tests/unit/channel-test tests/unit/control-test tests/unit/listen-test \
	tests/unit/pins-test tests/unit/policy-test tests/unit/routes-test \
	tests/unit/served-test tests/unit/server-test tests/unit/sinks-test \
	tests/unit/status-test tests/unit/systemd-test \
	tests/unit/worker-jobs-test tests/unit/workers-life-test \
	tests/unit/workers-test
# src/cmd
unit_tests += tests/unit/cmd-keys-test tests/unit/options-test
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = \
	tests/unit/agent-bench.c tests/unit/agent-bench.h \
	tests/unit/broker-asked.c tests/unit/broker-asked.h \
	tests/unit/fake-clock.c tests/unit/fake-clock.h \
	tests/unit/fake-http.c tests/unit/fake-http.h \
	tests/unit/fake-server.c tests/unit/fake-server.h \
	tests/unit/fake-workers.c tests/unit/fake-workers.h \
	tests/unit/freed.c tests/unit/freed.h \
	tests/unit/in-child.c tests/unit/in-child.h \
	tests/unit/jwk-set.c tests/unit/jwk-set.h \
	tests/unit/profile-option.h tests/unit/request-fields.h \
	tests/unit/response.h \
	tests/unit/soft-signer.c tests/unit/soft-signer.h \
	tests/unit/soft-token.c tests/unit/soft-token.h \
	tests/unit/test-data.c tests/unit/test-data.h \
	tests/unit/test-folder.c tests/unit/test-folder.h \
	tests/unit/unit.c tests/unit/unit.h

# What a program is linked with that has no LDADD of its own: only these. That a
# layer needs none above it is a matter of its includes (tests/lint/layers.t).
LDADD = tests/unit/libunit.a libcmd.a $(AGENT_LIBS) $(CMOCKA_LIBS)
AM_CPPFLAGS += $(CMOCKA_CFLAGS)

tests_unit_ckr_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_evp_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_uri_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)

# What is loaded as a module (paper-token.h).
paper_token = tests/unit/paper-signer.c tests/unit/paper-signer.h \
	tests/unit/paper-token.c tests/unit/paper-token.h
paper_token_link = $(AM_LDFLAGS) -Wl,--wrap=dlopen -Wl,--wrap=dlsym
tests_unit_inventory_test_SOURCES = tests/unit/inventory-test.c $(paper_token)
tests_unit_inventory_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_inventory_test_LDFLAGS = $(paper_token_link)
tests_unit_login_test_SOURCES = tests/unit/login-test.c $(paper_token)
tests_unit_login_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_login_test_LDFLAGS = $(paper_token_link)
tests_unit_selection_test_SOURCES = tests/unit/selection-test.c $(paper_token)
tests_unit_selection_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_selection_test_LDFLAGS = $(paper_token_link)

tests_unit_pcsc_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=dlopen -Wl,--wrap=dlsym -Wl,--wrap=dlclose -Wl,--wrap=poll

tests_unit_pinentry_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=child_start -Wl,--wrap=child_write \
	-Wl,--wrap=child_read_line -Wl,--wrap=child_end

# What a key is on (soft-token.h).
soft_token_link = $(AM_LDFLAGS) -Wl,--wrap=token_signer_open \
	-Wl,--wrap=token_signer_refresh -Wl,--wrap=token_signer_check
tests_unit_doctor_test_LDFLAGS = $(soft_token_link)
tests_unit_worker_jobs_test_LDFLAGS = $(soft_token_link)

tests_unit_exchange_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=tls_identity_of \
	-Wl,--wrap=audit_sign_tls -Wl,--wrap=token_signer_run

tests_unit_tls_identity_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=token_signer_evp

# These look at what memory holds when it is freed (freed.h).
freed_link = $(AM_LDFLAGS) -Wl,--wrap=free
tests_unit_agent_client_test_LDFLAGS = $(freed_link) -Wl,--wrap=geteuid
tests_unit_http_options_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=libcurl_load
tests_unit_json_test_LDFLAGS = $(freed_link)
tests_unit_jws_test_LDFLAGS = $(freed_link)
tests_unit_sandbox_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syscall

# What a command prints.
tests_unit_cmd_keys_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=inventory_read -Wl,--wrap=output_text -Wl,--wrap=output_json

# These look at what is warned of.
warn_link = $(AM_LDFLAGS) -Wl,--wrap=log_warn
tests_unit_audit_test_LDFLAGS = $(warn_link)
tests_unit_broker_time_test_LDFLAGS = $(warn_link)
tests_unit_discover_test_LDFLAGS = $(warn_link)
tests_unit_get_token_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_get_token_test_LDFLAGS = $(soft_token_link) -Wl,--wrap=log_warn
tests_unit_served_test_LDFLAGS = $(warn_link)
tests_unit_workers_life_test_LDFLAGS = $(warn_link)
tests_unit_workers_test_LDFLAGS = $(warn_link)

# These have the real agent, the real server and the real workers, before their
# doubles are found.
tests_unit_agent_test_LDADD = libagent.a $(LDADD)
tests_unit_agent_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=systemd_notify
tests_unit_server_test_LDADD = libagent.a $(LDADD)
tests_unit_server_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt
workers_bench = tests/unit/workers-bench.c tests/unit/workers-bench.h
tests_unit_workers_life_test_SOURCES = tests/unit/workers-life-test.c $(workers_bench)
tests_unit_workers_test_SOURCES = tests/unit/workers-test.c $(workers_bench)
tests_unit_workers_life_test_LDADD = libagent.a $(LDADD)
tests_unit_workers_test_LDADD = libagent.a $(LDADD)
