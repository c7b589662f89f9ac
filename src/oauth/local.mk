noinst_LIBRARIES += liboauth.a
liboauth_a_SOURCES = \
	src/oauth/access_token.c src/oauth/access_token.h \
	src/oauth/assertion.c src/oauth/assertion.h \
	src/oauth/discovery.c src/oauth/discovery.h \
	src/oauth/extension.c src/oauth/extension.h \
	src/oauth/jwk_check.c src/oauth/jwk_check.h \
	src/oauth/jwks_check.c src/oauth/jwks_check.h \
	src/oauth/refusal.c src/oauth/refusal.h \
	src/oauth/scope.c \
	src/oauth/token_request.c src/oauth/token_request.h
OAUTH_LIBS = liboauth.a libhttp.a $(JOSE_LIBS)
