noinst_LIBRARIES += libcryptoki.a
libcryptoki_a_SOURCES = \
	src/cryptoki/ckr.c src/cryptoki/ckr.h \
	src/cryptoki/device.c src/cryptoki/device.h \
	src/cryptoki/evp.c src/cryptoki/evp.h \
	src/cryptoki/find.c src/cryptoki/find.h \
	src/cryptoki/inventory.c src/cryptoki/inventory.h \
	src/cryptoki/login.c src/cryptoki/login.h \
	src/cryptoki/module.c src/cryptoki/module.h \
	src/cryptoki/object.c src/cryptoki/object.h \
	src/cryptoki/one_key.c src/cryptoki/one_key.h \
	src/cryptoki/pcsc.c src/cryptoki/pcsc.h \
	src/cryptoki/pin.c src/cryptoki/pin.h \
	src/cryptoki/pin_memory.c src/cryptoki/pin_memory.h \
	src/cryptoki/pin_prompt.c src/cryptoki/pin_prompt.h \
	src/cryptoki/pinentry.c src/cryptoki/pinentry.h \
	src/cryptoki/policy.c src/cryptoki/policy.h \
	src/cryptoki/sign.c src/cryptoki/sign.h \
	src/cryptoki/slot.c src/cryptoki/slot.h \
	src/cryptoki/token_signer.c src/cryptoki/token_signer.h \
	src/cryptoki/token_signer_impl.h \
	src/cryptoki/token_tls.c \
	src/cryptoki/uri.c src/cryptoki/uri.h
libcryptoki_a_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS) $(LIBP11_CFLAGS)
CRYPTOKI_LIBS = libcryptoki.a $(LIBP11_LIBS) $(KEY_LIBS) $(P11KIT_LIBS)
