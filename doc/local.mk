# man pages in mdoc: one per command, and the files and statuses they share
dist_man_MANS += \
	doc/man/p11oauth-agent.1 \
	doc/man/p11oauth-assertion.1 \
	doc/man/p11oauth-audit-find.1 \
	doc/man/p11oauth-audit-rotate.1 \
	doc/man/p11oauth-audit-verify.1 \
	doc/man/p11oauth-cert.1 \
	doc/man/p11oauth-completion.1 \
	doc/man/p11oauth-doctor.1 \
	doc/man/p11oauth-exec.1 \
	doc/man/p11oauth-exit-status.7 \
	doc/man/p11oauth-header.1 \
	doc/man/p11oauth-help.1 \
	doc/man/p11oauth-jwks-check.1 \
	doc/man/p11oauth-jwks.1 \
	doc/man/p11oauth-jwt-inspect.1 \
	doc/man/p11oauth-jwt-verify.1 \
	doc/man/p11oauth-keys.1 \
	doc/man/p11oauth-lock.1 \
	doc/man/p11oauth-profile-check.1 \
	doc/man/p11oauth-profile-list.1 \
	doc/man/p11oauth-server-list.1 \
	doc/man/p11oauth-server-show.1 \
	doc/man/p11oauth-status.1 \
	doc/man/p11oauth-token.1 \
	doc/man/p11oauth-unlock.1 \
	doc/man/p11oauth-version.1 \
	doc/man/p11oauth.1 \
	doc/man/p11oauth.conf.5
EXTRA_DIST += doc/tokens.md \
	doc/servers/README.md \
	doc/servers/athenahealth-okta.md \
	doc/servers/auth0.md \
	doc/servers/careevolution.md \
	doc/servers/cms.md \
	doc/servers/entra.md \
	doc/servers/epic.md \
	doc/servers/fapi2.md \
	doc/servers/google.md \
	doc/servers/identityserver.md \
	doc/servers/keycloak.md \
	doc/servers/medplum-aidbox.md \
	doc/servers/oracle-health.md \
	doc/servers/smart.md \
	doc/servers/udap.md
