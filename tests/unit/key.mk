# unit tests of src/key
check_PROGRAMS += tests/unit/alg-test tests/unit/certificate-test \
	tests/unit/jwk-test tests/unit/kid-test tests/unit/pubkey-test \
	tests/unit/signer-test tests/unit/x5t-test
TESTS += tests/unit/alg-test tests/unit/certificate-test \
	tests/unit/jwk-test tests/unit/kid-test tests/unit/pubkey-test \
	tests/unit/signer-test tests/unit/x5t-test

# What the tests of this layer and of those above it share.
TEST_DATA_FILES = tests/unit/test-data.c tests/unit/test-data.h
SOFT_SIGNER_FILES = tests/unit/soft-signer.c tests/unit/soft-signer.h \
	$(TEST_DATA_FILES)

tests_unit_alg_test_SOURCES = tests/unit/alg-test.c $(TEST_DATA_FILES)
tests_unit_alg_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_alg_test_LDADD = $(KEY_LIBS) $(UNIT_LIBS)
tests_unit_certificate_test_SOURCES = tests/unit/certificate-test.c \
	$(TEST_DATA_FILES)
tests_unit_certificate_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_certificate_test_LDADD = $(KEY_LIBS) $(UNIT_LIBS)
tests_unit_jwk_test_SOURCES = tests/unit/jwk-test.c $(TEST_DATA_FILES)
tests_unit_jwk_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_jwk_test_LDADD = $(KEY_LIBS) $(UNIT_LIBS)
tests_unit_kid_test_SOURCES = tests/unit/kid-test.c $(TEST_DATA_FILES)
tests_unit_kid_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_kid_test_LDADD = $(KEY_LIBS) $(UNIT_LIBS)
tests_unit_pubkey_test_SOURCES = tests/unit/pubkey-test.c $(TEST_DATA_FILES)
tests_unit_pubkey_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_pubkey_test_LDADD = $(KEY_LIBS) $(UNIT_LIBS)
tests_unit_signer_test_SOURCES = tests/unit/signer-test.c $(SOFT_SIGNER_FILES)
tests_unit_signer_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_signer_test_LDADD = $(KEY_LIBS) $(UNIT_LIBS)
tests_unit_x5t_test_SOURCES = tests/unit/x5t-test.c $(TEST_DATA_FILES)
tests_unit_x5t_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_x5t_test_LDADD = $(KEY_LIBS) $(UNIT_LIBS)

EXTRA_DIST += tests/data/README.md \
	tests/data/certs/ed25519.pem tests/data/certs/encipherment.pem \
	tests/data/certs/intermediate.pem tests/data/certs/leaf.pem \
	tests/data/certs/rfc8705_A.pem tests/data/certs/root.pem \
	tests/data/certs/rsa1024.pem tests/data/certs/same-name.pem \
	tests/data/certs/secp256k1.pem \
	tests/data/sandbox/cert.pem tests/data/sandbox/key.pem \
	tests/data/vectors/rfc7515_A.2.json \
	tests/data/vectors/rfc7515_A.3.json \
	tests/data/vectors/rfc7515_A.4.json \
	tests/data/vectors/rfc7517_B.json \
	tests/data/vectors/rfc7520_4.1.json \
	tests/data/vectors/rfc7520_4.2.json \
	tests/data/vectors/rfc7520_4.3.json \
	tests/data/vectors/rfc7638_3.1.json \
	tests/data/vectors/rfc9449.json \
	tests/data/vectors/smart_ES384.json \
	tests/data/vectors/smart_RS384.json
