EXTRA_DIST += contrib/check contrib/ci-extra contrib/packages.sh \
	contrib/quickstart contrib/sandbox/make-pki contrib/sandbox/sandbox.py
