#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Completion in real shells: what a person sees after pressing tab.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

mkdir "$W/bin"
ln -s "$(cd "$(dirname "$P11OAUTH")" && pwd)/p11oauth" "$W/bin/p11oauth"
PATH=$W/bin:$PATH
profile careevolution 'client-id = "x"'
profile other 'client-id = "y"'

# offers WORD...: what bash would offer for the last of the words.
offers() {
	p11oauth completion bash >"$T/completion"
	cat >"$T/script" <<-'END'
	. "$1"; shift
	COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
	compopt() { :; }
	_p11oauth
	printf '%s\n' "${COMPREPLY[@]}"
	END
	bash "$T/script" "$T/completion" p11oauth "$@" | sort >"$T/offered"
	cat "$T/offered"
}
bash_completes_commands() { offers to; [ "$(cat "$T/offered")" = token ]; }
bash_second_words() { offers jwt ''; [ "$(tr '\n' ' ' <"$T/offered")" = "inspect verify " ]; }
bash_completes_options() { offers token --token-e; [ "$(cat "$T/offered")" = --token-endpoint= ]; }
bash_words_of_an_option() { offers token --algorithm = ES; [ "$(tr '\n' ' ' <"$T/offered")" = "ES256 ES384 ES512 " ]; }
bash_words_of_an_own_option() { offers token --format = k; [ "$(cat "$T/offered")" = kube-exec-credential ]; }
bash_completes_profiles() { offers token care; [ "$(cat "$T/offered")" = careevolution ]; }
# "jwks" is a command and the first word of another
bash_command_in_front_of_a_verb() {
	offers jwks ''; [ "$(tr '\n' ' ' <"$T/offered")" = "careevolution check other " ]
	offers jwks --mod; has "$T/offered" --module=
	offers jwks check --cac; [ "$(cat "$T/offered")" = --cacert= ]
}
bash_completes_shells() { offers completion ''; has "$T/offered" zsh; }
zsh_script_is_sound() {
	p11oauth completion zsh >"$T/_p11oauth"
	zsh -n "$T/_p11oauth"
	head -n 1 "$T/_p11oauth" | grep -q '^#compdef p11oauth$'
	# the tables that both shells share, asked by zsh
	cat >"$T/script" <<-'END'
	compdef() { :; }
	. $1
	__p11oauth_tables token --kid; print -r -- $po_words
	__p11oauth_tables 'jwt verify' ''; print -r -- $po_options
	END
	zsh -f "$T/script" "$T/_p11oauth" >"$T/out"
	has "$T/out" jwk-thumbprint
	has "$T/out" --clock-skew=
}
every_option_is_completed() {
	p11oauth completion bash >"$T/completion"
	p11oauth --dump-options | cut -f2 | sort -u >"$T/options"
	[ "$(wc -l <"$T/options")" -ge 30 ]
	while read -r option; do has "$T/completion" " $option"; done <"$T/options"
}
an_unknown_shell_is_refused() { fails 2 "bash and zsh" "$P11OAUTH" completion fish; }

run_tests bash_completes_commands bash_second_words bash_completes_options \
	bash_words_of_an_option bash_words_of_an_own_option bash_completes_profiles \
	bash_command_in_front_of_a_verb bash_completes_shells zsh_script_is_sound \
	every_option_is_completed an_unknown_shell_is_refused
