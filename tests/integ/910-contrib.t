#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The CI examples in contrib/ci, their own lines, against contrib/sandbox; what
# installs packages or clones is left out.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

fixture_rsa job 2048
start_server as /usr/bin/python3 "$top_srcdir/contrib/sandbox/sandbox.py" --state "$W/as" \
	--client "my-job=$W/job.pem"
mkdir "$W/bin"
ln -s "$(cd "$(dirname "$P11OAUTH")" && pwd)/p11oauth" "$W/bin/p11oauth"
PATH=$W/bin:$PATH

# in_job SCRIPT: as the CI's shell runs it, where p11oauth/ is the source.
in_job() {
	ln -s "$(cd "$top_srcdir" && pwd)" p11oauth
	P11OAUTH_CACERT=$SERVER_CA CLIENT_ID=my-job SCOPE='system/*.read'
	export P11OAUTH_CACERT TOKEN_ENDPOINT CLIENT_ID SCOPE
	[ -s "$1" ]
	bash -e -o pipefail "$1"
	[ "$(wc -c <access-token)" -gt 20 ]
	[ ! -e job.key ]
}
the_github_action_is_valid() {
	JOB_KEY=$(cat "$W/job.key") JOB_CERT=$(cat "$W/job.pem") GITHUB_ENV=$T/env
	export JOB_KEY JOB_CERT GITHUB_ENV
	/usr/bin/python3 - "$top_srcdir/contrib/ci/github-actions.yml" >"$T/script" <<-'END'
		import sys, yaml
		steps = yaml.safe_load(open(sys.argv[1]))["jobs"]["access-token"]["steps"]
		runs = {step["name"]: step["run"] for step in steps if "run" in step}
		# what one step puts into $GITHUB_ENV, the next one has
		print(runs["token"], 'set -a; . "$GITHUB_ENV"; set +a', runs["use"], sep="\n")
	END
	in_job "$T/script"
}
the_gitlab_job_is_valid() {
	JOB_KEY=$W/job.key JOB_CERT=$W/job.pem
	export JOB_KEY JOB_CERT
	/usr/bin/python3 - "$top_srcdir/contrib/ci/gitlab-ci.yml" >"$T/script" <<-'END'
		import sys, yaml
		print("\n".join(yaml.safe_load(open(sys.argv[1]))["access-token"]["script"]))
	END
	in_job "$T/script"
}
token_with_a_key_of_its_own() {
	"$top_srcdir/contrib/softhsm-token" "$T/token" ci >"$T/lines"
	{ echo 'profile own {'; cat "$T/lines"; echo '}'; } >"$T/conf"
	SOFTHSM2_CONF=$T/token/softhsm2.conf
	export SOFTHSM2_CONF
	"$P11OAUTH" jwks own --config "$T/conf" | jq -e '.keys | length == 1'
	expect 2 "$top_srcdir/contrib/softhsm-token" "$T/token"
}
the_kubernetes_manifest_is_valid() {
	manifest=$top_srcdir/contrib/kubernetes/sidecar.yaml
	/usr/bin/python3 "$top_srcdir/tests/tools/check-kubernetes.py" "$manifest" >"$T/all"
	# a program without the agent does not know the agent's settings
	if grep -q '"allow-uid"' "$top_srcdir/src/conf/settings.c"; then
		cp "$T/all" "$T/conf"
	else
		sed '/^agent {/,/^}/d; /allow-uid/d' "$T/all" >"$T/conf"
	fi
	"$P11OAUTH" profile check fhir --config "$T/conf" >"$T/check"
	has "$T/check" cred:fhir.pin
	# what is in capitals is in the README
	grep -oE '\b[A-Z]{2,}-[A-Z0-9-]*[A-Z]\b' "$manifest" | sort -u >"$T/words"
	[ "$(wc -l <"$T/words")" -ge 5 ]
	while read -r word; do
		grep -qF "\`$word\`" "$top_srcdir/contrib/kubernetes/README.md" || { echo "$word"; return 1; }
	done <"$T/words"
}

run_tests the_github_action_is_valid the_gitlab_job_is_valid \
	token_with_a_key_of_its_own the_kubernetes_manifest_is_valid
