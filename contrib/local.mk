EXTRA_DIST += contrib/check contrib/ci-extra contrib/packages.sh \
	contrib/quickstart contrib/softhsm-token contrib/ci/github-actions.yml \
	contrib/ci/gitlab-ci.yml contrib/git-hooks/pre-commit \
	contrib/sandbox/README.md contrib/sandbox/make-pki contrib/sandbox/sandbox.py
