noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/account.c src/base/account.h \
	src/base/base64url.c src/base/base64url.h \
	src/base/buf.c src/base/buf.h \
	src/base/child.c src/base/child.h \
	src/base/clock.c src/base/clock.h \
	src/base/compiler.h \
	src/base/dirs.c src/base/dirs.h \
	src/base/environment.c src/base/environment.h \
	src/base/error.c src/base/error.h \
	src/base/findings.c src/base/findings.h \
	src/base/fs.c src/base/fs.h \
	src/base/interrupt.c src/base/interrupt.h \
	src/base/json.c src/base/json.h \
	src/base/log.c src/base/log.h \
	src/base/rng.c src/base/rng.h \
	src/base/secret.c src/base/secret.h \
	src/base/text.c src/base/text.h
BASE_LIBS = libbase.a $(JANSSON_LIBS) $(CRYPTO_LIBS)
