noinst_LIBRARIES += libflow.a
libflow_a_SOURCES = \
	src/flow/assertion_source.c src/flow/assertion_source.h \
	src/flow/audit.c src/flow/audit.h \
	src/flow/check.c \
	src/flow/check_jwks.c src/flow/check_jwks.h \
	src/flow/diagnose.c src/flow/diagnose.h \
	src/flow/discover.c src/flow/discover.h \
	src/flow/doctor.c src/flow/doctor.h \
	src/flow/env.c src/flow/env.h \
	src/flow/exchange.c src/flow/exchange.h \
	src/flow/format.c src/flow/format.h \
	src/flow/get_token.c src/flow/get_token.h \
	src/flow/identity.c \
	src/flow/key_desk.c src/flow/key_desk.h \
	src/flow/metadata_cache.c src/flow/metadata_cache.h \
	src/flow/open_key.c src/flow/open_key.h \
	src/flow/tls_identity.c src/flow/tls_identity.h
FLOW_LIBS = libflow.a libconf.a liboauth.a libhttp.a libjose.a libcryptoki.a \
	libkey.a libaudit.a libbase.a $(CONFUSE_LIBS) $(LIBP11_LIBS) $(P11KIT_LIBS) \
	$(JANSSON_LIBS) $(CRYPTO_LIBS)
