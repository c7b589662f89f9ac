noinst_LIBRARIES += libkey.a
libkey_a_SOURCES = \
	src/key/alg.c src/key/alg.h \
	src/key/certificate.c src/key/certificate.h \
	src/key/jwk.c src/key/jwk.h \
	src/key/kid.c src/key/kid.h \
	src/key/pubkey.c src/key/pubkey.h \
	src/key/signature.c \
	src/key/signer.c src/key/signer.h \
	src/key/x5t.c src/key/x5t.h
KEY_LIBS = libkey.a $(BASE_LIBS)
