# Lints are tests, too.
lints = tests/lint/docs.t tests/lint/headers.t \
	tests/lint/layers.t tests/lint/names.t tests/lint/shell.t \
	tests/lint/source.t
TESTS += $(lints)
EXTRA_DIST += $(lints) tests/lint/files.sh
