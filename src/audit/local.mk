noinst_LIBRARIES += libaudit.a
libaudit_a_SOURCES = \
	src/audit/ledger.c src/audit/ledger.h \
	src/audit/ledger_file.c src/audit/ledger_file.h \
	src/audit/requester.c src/audit/requester.h \
	src/audit/verify.c src/audit/verify.h
AUDIT_LIBS = libaudit.a $(BASE_LIBS)
