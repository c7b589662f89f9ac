noinst_LIBRARIES += libcryptoki.a
libcryptoki_a_SOURCES = \
	src/cryptoki/ckr.c src/cryptoki/ckr.h \
	src/cryptoki/find.c src/cryptoki/find.h \
	src/cryptoki/inventory.c src/cryptoki/inventory.h \
	src/cryptoki/login.c src/cryptoki/login.h \
	src/cryptoki/module.c src/cryptoki/module.h \
	src/cryptoki/object.c src/cryptoki/object.h \
	src/cryptoki/pin.c src/cryptoki/pin.h \
	src/cryptoki/sign.c src/cryptoki/sign.h \
	src/cryptoki/slot.c src/cryptoki/slot.h \
	src/cryptoki/token_signer.c src/cryptoki/token_signer.h \
	src/cryptoki/uri.c src/cryptoki/uri.h
libcryptoki_a_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
CRYPTOKI_LIBS = libcryptoki.a $(KEY_LIBS) $(P11KIT_LIBS)
