# unit tests of src/jose
check_PROGRAMS += tests/unit/jws-test tests/unit/jwt-test
TESTS += tests/unit/jws-test tests/unit/jwt-test

tests_unit_jws_test_SOURCES = tests/unit/jws-test.c $(FREED_FILES) \
	$(SOFT_SIGNER_FILES)
tests_unit_jws_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_jws_test_LDFLAGS = $(FREED_LINK)
tests_unit_jws_test_LDADD = $(JOSE_LIBS) $(UNIT_LIBS)
tests_unit_jwt_test_SOURCES = tests/unit/jwt-test.c
tests_unit_jwt_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_jwt_test_LDADD = $(JOSE_LIBS) $(UNIT_LIBS)
