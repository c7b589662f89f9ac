# Lints are tests, too.
lints = tests/lint/docs.t tests/lint/layers.t tests/lint/source.t
TESTS += $(lints)
EXTRA_DIST += $(lints)
