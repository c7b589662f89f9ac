#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every include of another layer under src/ is allowed by src/layers.txt, and each
# foreign library has its one seam.
cd "$top_srcdir/src" || exit 99
bad=$(find . -name '*.[ch]' | sed 's,^\./,,' | sort | xargs awk '
	FILENAME == "layers.txt" {
		if (/^#/ || !NF) next
		sub(/:$/, "", $1)
		for (i = 1; i <= NF; i++) ok[$1, $i] = 1
		next
	}
	match($0, /^#[ \t]*include "[^"\/]+\//) {
		split(FILENAME, f, "/"); split($0, q, "\""); split(q[2], d, "/")
		seen++
		if (!((f[1], d[1]) in ok))
			print FILENAME ":" FNR ": " f[1] " must not include " q[2]
	}
	END { if (!seen) print "no #include seen: is this test still real?" }
	' layers.txt)

# seam PATTERN FOLDER: lines with PATTERN outside FOLDER; there are some inside
seam() {
	grep -rqE "$1" "$2" || echo "nothing uses '$1' in $2: is this test still real?"
	grep -rnE "$1" . --include='*.[ch]' | sed 's,^\./,,' | grep -v "^$2"
}
foreign=$(
	seam 'include <p11-kit/' cryptoki/
	seam 'include <libp11' cryptoki/evp.c
	seam 'include <openssl/engine' cryptoki/evp.c
	seam 'include <curl/' http/
	seam 'include <openssl/ssl' http/tls.c
	seam 'include <confuse' conf/
	seam 'include <jansson' base/json.h
	seam 'include <microhttpd' agent/microhttpd.h
	seam 'secure_getenv\(' base/environment.c
	seam 'MODULE_CALL\(' cryptoki/
	# every call into a module goes through it
	grep -rnE '[>.]C_[A-Z][A-Za-z]*\(' . --include='*.[ch]'
)
echo 1..2
status=0
report() {
	if [ -z "$3" ]; then echo "ok $1 - $2"; return; fi
	printf '%s\n' "$3" | sed 's/^/# /'
	echo "not ok $1 - $2"
	status=1
}
report 1 layers "$bad"
report 2 seams "$foreign"
exit "$status"
