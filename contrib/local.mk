EXTRA_DIST += contrib/check contrib/ci-extra contrib/coverage contrib/fresh-all \
	contrib/fresh-machine contrib/packages.sh \
	contrib/quickstart contrib/softhsm-token contrib/ci/github-actions.yml \
	contrib/ci/gitlab-ci.yml contrib/git-hooks/pre-commit \
	contrib/sandbox/README.md contrib/sandbox/make-pki contrib/sandbox/sandbox.py

# The agent's units know where the program and its configuration are.
units = contrib/systemd/p11oauth-agent.service \
	contrib/systemd/p11oauth-agent.socket \
	contrib/systemd/user/p11oauth-agent.service
CLEANFILES += $(units) contrib/systemd/p11oauth.conf
$(units): Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd/user && \
	sed -e 's,[@]bindir[@],$(bindir),g' -e 's,[@]sysconfdir[@],$(sysconfdir),g' \
		'$(srcdir)/$@.in' >$@.tmp && mv $@.tmp $@
contrib/systemd/p11oauth-agent.service: contrib/systemd/p11oauth-agent.service.in
contrib/systemd/p11oauth-agent.socket: contrib/systemd/p11oauth-agent.socket.in
contrib/systemd/user/p11oauth-agent.service: contrib/systemd/user/p11oauth-agent.service.in
contrib/systemd/p11oauth.conf: contrib/systemd/p11oauth.sysusers
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	cp '$(srcdir)/contrib/systemd/p11oauth.sysusers' $@
systemdsystemunit_DATA = contrib/systemd/p11oauth-agent.service \
	contrib/systemd/p11oauth-agent.socket
nodist_systemduserunit_DATA = contrib/systemd/user/p11oauth-agent.service
dist_systemduserunit_DATA = contrib/systemd/user/p11oauth-agent.socket
sysusers_DATA = contrib/systemd/p11oauth.conf

dropinsdir = $(docdir)/examples/p11oauth-agent.service.d
dist_dropins_DATA = \
	contrib/systemd/p11oauth-agent.service.d/memory.conf \
	contrib/systemd/p11oauth-agent.service.d/network.conf \
	contrib/systemd/p11oauth-agent.service.d/pcscd.conf \
	contrib/systemd/p11oauth-agent.service.d/pin-credential.conf \
	contrib/systemd/p11oauth-agent.service.d/sinks.conf \
	contrib/systemd/p11oauth-agent.service.d/tpm.conf \
	contrib/systemd/p11oauth-agent.service.d/usb.conf \
	contrib/systemd/p11oauth-agent.service.d/vendor-module.conf
EXTRA_DIST += contrib/kubernetes/README.md contrib/kubernetes/sidecar.yaml
EXTRA_DIST += contrib/build-deb \
	contrib/debian/README.Debian \
	contrib/debian/changelog \
	contrib/debian/control \
	contrib/debian/copyright \
	contrib/debian/p11oauth.conf \
	contrib/debian/p11oauth.dirs \
	contrib/debian/p11oauth.examples \
	contrib/debian/p11oauth.postrm \
	contrib/debian/rules \
	contrib/debian/source/format
EXTRA_DIST += contrib/systemd/p11oauth.sysusers \
	contrib/systemd/p11oauth-agent.service.in \
	contrib/systemd/p11oauth-agent.socket.in \
	contrib/systemd/user/p11oauth-agent.service.in

# From a clone, as root: on machines where nobody was before.
.PHONY: fresh
fresh:
	'$(srcdir)/contrib/fresh-all'
