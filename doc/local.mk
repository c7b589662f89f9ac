# man pages: one per command, in mdoc
