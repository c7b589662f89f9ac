# unit tests of src/base
check_PROGRAMS += tests/unit/base64url-test tests/unit/buf-test \
	tests/unit/error-test tests/unit/fs-test tests/unit/json-test \
	tests/unit/secret-test tests/unit/text-test
TESTS += tests/unit/base64url-test tests/unit/buf-test \
	tests/unit/error-test tests/unit/fs-test tests/unit/json-test \
	tests/unit/secret-test tests/unit/text-test

# Programs that look at what memory holds when it is freed.
FREED_FILES = tests/unit/freed.c tests/unit/freed.h
FREED_LINK = $(AM_LDFLAGS) -Wl,--wrap=free

# Programs that say themselves what time it is.
FAKE_CLOCK_FILES = tests/unit/fake-clock.c tests/unit/fake-clock.h

check_PROGRAMS += tests/unit/account-test
TESTS += tests/unit/account-test
tests_unit_account_test_SOURCES = tests/unit/account-test.c
tests_unit_account_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_account_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_base64url_test_SOURCES = tests/unit/base64url-test.c
tests_unit_base64url_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_base64url_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_buf_test_SOURCES = tests/unit/buf-test.c $(FREED_FILES)
tests_unit_buf_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_buf_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_error_test_SOURCES = tests/unit/error-test.c
tests_unit_error_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_error_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_fs_test_SOURCES = tests/unit/fs-test.c
tests_unit_fs_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_fs_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_json_test_SOURCES = tests/unit/json-test.c $(FREED_FILES)
tests_unit_json_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_json_test_LDFLAGS = $(FREED_LINK)
tests_unit_json_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_secret_test_SOURCES = tests/unit/secret-test.c $(FREED_FILES)
tests_unit_secret_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_secret_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_text_test_SOURCES = tests/unit/text-test.c
tests_unit_text_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_text_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/findings-test
TESTS += tests/unit/findings-test
tests_unit_findings_test_SOURCES = tests/unit/findings-test.c
tests_unit_findings_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_findings_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/sandbox-test
TESTS += tests/unit/sandbox-test
tests_unit_sandbox_test_SOURCES = tests/unit/sandbox-test.c
tests_unit_sandbox_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_sandbox_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syscall
tests_unit_sandbox_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/error-json-test
TESTS += tests/unit/error-json-test
tests_unit_error_json_test_SOURCES = tests/unit/error-json-test.c
tests_unit_error_json_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_error_json_test_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
