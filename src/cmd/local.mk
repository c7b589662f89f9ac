noinst_LIBRARIES += libcmd.a
libcmd_a_SOURCES = \
	src/cmd/access-token.c src/cmd/access-token.h \
	src/cmd/agent-connect.c src/cmd/agent-connect.h \
	src/cmd/audit-path.c src/cmd/audit-path.h \
	src/cmd/cmd-agent.c \
	src/cmd/cmd-assertion.c \
	src/cmd/cmd-audit-find.c \
	src/cmd/cmd-audit-rotate.c \
	src/cmd/cmd-audit-verify.c \
	src/cmd/cmd-cert.c \
	src/cmd/cmd-completion.c \
	src/cmd/cmd-doctor.c \
	src/cmd/cmd-exec.c \
	src/cmd/cmd-header.c \
	src/cmd/cmd-help.c \
	src/cmd/cmd-jwks.c \
	src/cmd/cmd-jwks-check.c \
	src/cmd/cmd-jwt-inspect.c \
	src/cmd/cmd-jwt-verify.c \
	src/cmd/cmd-keys.c \
	src/cmd/cmd-lock.c \
	src/cmd/cmd-profile-check.c \
	src/cmd/cmd-profile-list.c \
	src/cmd/cmd-server-list.c \
	src/cmd/cmd-server-show.c \
	src/cmd/cmd-status.c \
	src/cmd/cmd-token.c \
	src/cmd/cmd-unlock.c \
	src/cmd/cmd-version.c \
	src/cmd/commands.c src/cmd/commands.h \
	src/cmd/findings-text.c src/cmd/findings-text.h \
	src/cmd/help.h \
	src/cmd/jwt-input.c src/cmd/jwt-input.h \
	src/cmd/key-json.c src/cmd/key-json.h \
	src/cmd/options.c src/cmd/options.h \
	src/cmd/output.c src/cmd/output.h \
	src/cmd/process.c src/cmd/process.h \
	src/cmd/setting-text.c src/cmd/setting-text.h

bin_PROGRAMS += p11oauth
p11oauth_SOURCES = src/cmd/main.c
p11oauth_LDADD = libcmd.a $(AGENT_LIBS)

# Completion comes out of the option tables of the program just built.
completions = p11oauth.bash _p11oauth
CLEANFILES += $(completions)
p11oauth.bash: p11oauth$(EXEEXT)
	$(AM_V_GEN)./p11oauth$(EXEEXT) completion bash >$@.tmp && mv $@.tmp $@
_p11oauth: p11oauth$(EXEEXT)
	$(AM_V_GEN)./p11oauth$(EXEEXT) completion zsh >$@.tmp && mv $@.tmp $@
all-local: $(completions)
install-data-local: $(completions)
	$(MKDIR_P) '$(DESTDIR)$(bashcompdir)' '$(DESTDIR)$(zshcompdir)'
	$(INSTALL_DATA) p11oauth.bash '$(DESTDIR)$(bashcompdir)/p11oauth'
	$(INSTALL_DATA) _p11oauth '$(DESTDIR)$(zshcompdir)/_p11oauth'
uninstall-local:
	rm -f '$(DESTDIR)$(bashcompdir)/p11oauth' \
		'$(DESTDIR)$(zshcompdir)/_p11oauth'
