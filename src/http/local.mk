noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
	src/http/curl.c src/http/curl.h \
	src/http/fields.c \
	src/http/http.c src/http/http.h \
	src/http/libcurl.c src/http/libcurl.h \
	src/http/resolve.c \
	src/http/tls.c src/http/tls.h \
	src/http/transfer_error.c src/http/transfer_error.h
libhttp_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
HTTP_LIBS = libhttp.a $(BASE_LIBS)
