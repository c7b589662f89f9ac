# unit tests of src/http
check_PROGRAMS += tests/unit/http-url-test tests/unit/http-curl-test
TESTS += tests/unit/http-url-test tests/unit/http-curl-test
tests_unit_http_url_test_SOURCES = tests/unit/http-url-test.c
tests_unit_http_url_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_http_url_test_LDADD = $(HTTP_LIBS) $(UNIT_LIBS)
tests_unit_http_curl_test_SOURCES = tests/unit/http-curl-test.c \
	tests/unit/request-fields.h
tests_unit_http_curl_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_http_curl_test_LDADD = $(HTTP_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/http-fields-test
TESTS += tests/unit/http-fields-test
tests_unit_http_fields_test_SOURCES = tests/unit/http-fields-test.c
tests_unit_http_fields_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_http_fields_test_LDADD = $(HTTP_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/http-tls-test
TESTS += tests/unit/http-tls-test
tests_unit_http_tls_test_SOURCES = tests/unit/http-tls-test.c $(TEST_DATA_FILES)
tests_unit_http_tls_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_http_tls_test_LDADD = libhttp.a $(KEY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/http-unix-test
TESTS += tests/unit/http-unix-test
tests_unit_http_unix_test_SOURCES = tests/unit/http-unix-test.c \
	tests/unit/request-fields.h
tests_unit_http_unix_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_http_unix_test_LDADD = $(HTTP_LIBS) $(UNIT_LIBS)
