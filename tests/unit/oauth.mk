# unit tests of src/oauth
check_PROGRAMS += \
	tests/unit/access-token-test \
	tests/unit/assertion-test \
	tests/unit/discovery-test \
	tests/unit/extension-test \
	tests/unit/jwk-check-test \
	tests/unit/jwks-check-test \
	tests/unit/refusal-test \
	tests/unit/scope-test \
	tests/unit/token-request-test
TESTS += \
	tests/unit/access-token-test \
	tests/unit/assertion-test \
	tests/unit/discovery-test \
	tests/unit/extension-test \
	tests/unit/jwk-check-test \
	tests/unit/jwks-check-test \
	tests/unit/refusal-test \
	tests/unit/scope-test \
	tests/unit/token-request-test

tests_unit_access_token_test_SOURCES = tests/unit/access-token-test.c \
	tests/unit/response.h
tests_unit_access_token_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_access_token_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_assertion_test_SOURCES = tests/unit/assertion-test.c \
	tests/unit/soft-signer.c tests/unit/soft-signer.h \
	tests/unit/test-data.c tests/unit/test-data.h
tests_unit_assertion_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_assertion_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_refusal_test_SOURCES = tests/unit/refusal-test.c \
	tests/unit/response.h
tests_unit_refusal_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_refusal_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_scope_test_SOURCES = tests/unit/scope-test.c
tests_unit_scope_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_scope_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_token_request_test_SOURCES = tests/unit/token-request-test.c
tests_unit_token_request_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_token_request_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_discovery_test_SOURCES = tests/unit/discovery-test.c
tests_unit_discovery_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_discovery_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_extension_test_SOURCES = tests/unit/extension-test.c
tests_unit_extension_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_extension_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_jwk_check_test_SOURCES = tests/unit/jwk-check-test.c \
	tests/unit/jwk-set.c tests/unit/jwk-set.h tests/unit/response.h \
	tests/unit/test-data.c tests/unit/test-data.h
tests_unit_jwk_check_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_jwk_check_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
tests_unit_jwks_check_test_SOURCES = tests/unit/jwks-check-test.c \
	tests/unit/jwk-set.c tests/unit/jwk-set.h tests/unit/response.h \
	tests/unit/test-data.c tests/unit/test-data.h
tests_unit_jwks_check_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_jwks_check_test_LDADD = $(OAUTH_LIBS) $(UNIT_LIBS)
