noinst_LIBRARIES += libjose.a
libjose_a_SOURCES = \
	src/jose/jws.c src/jose/jws.h \
	src/jose/jwt.c src/jose/jwt.h
JOSE_LIBS = libjose.a $(KEY_LIBS)
