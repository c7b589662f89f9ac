/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/doctor.h"

#include "base/clock.h"
#include "base/text.h"
#include "flow/assertion_source.h"
#include "flow/check_jwks.h"
#include "flow/discover.h"
#include "flow/exchange.h"
#include "flow/get_token.h"
#include "flow/tls_identity.h"
#include "oauth/assertion.h"
#include "oauth/token_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_S 86400
#define EXPIRY_WARNING_DAYS 30
#define CLOCK_WARNING_S 10

struct visit {
	const struct po_env *env;
	struct profile *profile;
	struct findings *findings;
	struct causes *causes;
	struct assertion_source *source;  /* owned */
	struct server_metadata *metadata; /* owned; NULL: none */
	const struct open_key *key;       /* NULL: none could be reached */
	const struct identity *id;
	struct evidence evidence;
};

#define OK(v, check, ...) \
	findings_add((v)->findings, FINDING_OK, check, NULL, __VA_ARGS__)
#define WARN(v, check, remedy, ...) \
	findings_add((v)->findings, FINDING_WARNING, check, remedy, __VA_ARGS__)
#define FAIL(v, check, err, remedy) \
	findings_fail((v)->findings, check, err, remedy)

/* ---- the token ---------------------------------------------------------- */

/* The step that an error of opening or unlocking belongs to. */
static const char *step_of(enum po_status st)
{
	switch (st) {
	case PO_E_CONFIG:
	case PO_E_USAGE: return "configuration";
	case PO_E_TOKEN:
	case PO_E_DEVICE: return "token";
	case PO_E_PIN:
	case PO_E_PIN_LOCKED:
	case PO_E_USER: return "pin";
	case PO_E_POLICY: return "key-policy";
	case PO_E_CRYPTO: return "certificate";
	default: return "key";
	}
}

static const char *remedy_of(enum po_status st)
{
	switch (st) {
	case PO_E_TOKEN:
		return "look at module and key in the profile; 'p11oauth keys "
		       "--module PATH' shows what a module sees";
	case PO_E_NOT_FOUND:
	case PO_E_AMBIGUOUS:
		return "'p11oauth keys --login' shows the keys with their URIs";
	case PO_E_PIN: return "look at pin-from";
	case PO_E_PIN_LOCKED:
		return "unlock it with the token's own tool and its SO PIN or "
		       "PUK";
	case PO_E_DEVICE:
		return "take the device out and in, or restart its service";
	default: return NULL;
	}
}

static void say_pin(struct visit *v, const struct signer_pin *pin)
{
	if (pin->is_locked)
		WARN(v, "pin", remedy_of(PO_E_PIN_LOCKED), "the PIN is locked");
	else if (pin->is_final_try)
		WARN(v, "pin", "use the token once with its right PIN",
		     "one try is left; no stored PIN is spent on it");
	else if (pin->is_count_low)
		WARN(v, "pin", "use the token once with its right PIN",
		     "a wrong PIN was tried");
	else if (!pin->is_needed)
		OK(v, "pin", "the token wants no login");
	else
		OK(v, "pin", "the token reports no wrong tries%s",
		   pin->is_pinpad ? "; it is typed on the device" : "");
}

static bool check_module(struct visit *v)
{
	const char *path = v->profile->module;
	struct po_error why = { 0 };

	if (path && path[0] == '/' && access(path, R_OK) != 0) {
		(void)po_fail(&why, PO_E_TOKEN, errno,
			      "cannot read the module '%s': %s", path,
			      strerror(errno));
		FAIL(v, "module", &why,
		     "install the device's package, or look at module in the "
		     "profile");
		return false;
	}
	OK(v, "module", "%s",
	   path ? path : "the one of the URI, or the default");
	return true;
}

/* Each key of the profile: is its token there? No login. */
static bool check_tokens(struct visit *v)
{
	bool any = false;

	if (!check_module(v))
		return false;

	for (size_t i = 0; v->profile->key[i]; i++) {
		po_auto(open_key) *key = NULL;
		struct po_error why = { 0 };
		enum po_status st =
			open_key(v->env, v->profile, i, NULL, &key, &why);

		if (st != PO_OK) {
			(void)po_context(&why, st, "key '%s'",
					 v->profile->key[i]);
			FAIL(v, step_of(st), &why, remedy_of(st));
			continue;
		}
		OK(v, "token", "'%s' (serial %s)", key->signer->token_label,
		   key->signer->token_serial);
		say_pin(v, &key->signer->pin);
		any = true;
	}
	return any;
}

static void check_certificate(struct visit *v)
{
	const struct certificate *cert = v->key->signer->cert;
	int64_t now_s = clock_now_s(v->env->clock), left_days;
	char date[32];

	if (!cert) {
		OK(v, "certificate",
		   "none beside the key; none is needed for "
		   "kid %s",
		   v->profile->kid);
		return;
	}
	left_days = (certificate_not_after_s(cert) - now_s) / DAY_S;
	text_utc(date, certificate_not_after_s(cert));
	if (now_s < certificate_not_before_s(cert))
		WARN(v, "certificate", "look at the clock",
		     "'%s' is not valid yet", certificate_subject(cert));
	else if (now_s > certificate_not_after_s(cert))
		WARN(v, "certificate",
		     "renew it and register the new one; some servers refuse "
		     "an expired one with a bare invalid_client",
		     "'%s' expired on %s", certificate_subject(cert), date);
	else if (left_days < EXPIRY_WARNING_DAYS)
		WARN(v, "certificate", "renew it in time",
		     "'%s' expires in %lld days, on %s",
		     certificate_subject(cert), (long long)left_days, date);
	else
		OK(v, "certificate", "'%s' is of this key and valid until %s",
		   certificate_subject(cert), date);
	if (!certificate_may_sign(cert))
		WARN(v, "certificate", "have one issued for signatures",
		     "its keyUsage does not allow digital signatures");
}

static void check_key(struct visit *v)
{
	struct open_key *key = NULL;
	struct po_error why = { 0 };
	enum po_status st = assertion_source_key(v->source, &key, &why);
	char type[16];

	if (st != PO_OK) {
		FAIL(v, step_of(st), &why, remedy_of(st));
		return;
	}
	v->key = assertion_source_last(v->source, &v->id);
	pubkey_describe(key->signer->pubkey, type);
	OK(v, "key", "%s, %s, kid %s", key->signer->uri, type,
	   v->id->kid[0] ? v->id->kid : "(none)");
	check_certificate(v);
}

/* ---- the server --------------------------------------------------------- */

static void check_discovery(struct visit *v)
{
	po_auto_http_response response = { 0 };
	struct po_error why = { 0 };
	enum po_status st;

	http_response_init(&response);
	st = discover(v->env, v->profile, DISCOVER_FRESH, &v->metadata,
		      &response, &why);
	if (st != PO_OK) {
		FAIL(v, "discovery", &why,
		     "look at fhir-base or issuer, or set token-endpoint");
		return;
	}
	if (!v->metadata) {
		if (v->profile->fhir_base || v->profile->issuer)
			WARN(v, "discovery", NULL,
			     "the server publishes no metadata; the "
			     "token-endpoint of the profile is used");
		return;
	}
	OK(v, "discovery", "%s leads to %s", v->profile->discovered_at,
	   v->profile->token_endpoint);
	discover_doubts(v->profile, v->metadata, v->findings);
}

static void check_algorithm(struct visit *v)
{
	const json_t *listed =
		v->metadata ? server_metadata_list(
				      v->metadata,
				      "token_endpoint_auth_signing_alg_values_"
				      "supported")
			    : NULL;
	const char *name = alg_name(v->id->alg);

	if (listed && !server_metadata_lists(listed, name))
		WARN(v, "algorithm",
		     "leave algorithm out of the profile, or use a key of "
		     "another type",
		     "%s is not among those that the server lists", name);
	else
		OK(v, "algorithm", "%s%s", name,
		   listed ? ", which the server lists" : "");
}

/* An assertion of this clock must be valid at the server's. */
static void check_clock(struct visit *v, const struct http_response *response)
{
	const struct profile *p = v->profile;
	int64_t lifetime_s =
		p->lifetime_s ? p->lifetime_s : ASSERTION_LIFETIME_DEFAULT_S;
	int64_t now_s = clock_now_s(v->env->clock) + p->clock_offset_s;
	int64_t ahead_s = 0;
	const char *where;

	if (!diagnose_clock(response, now_s, &ahead_s)) {
		WARN(v, "clock", NULL, "the server does not tell its time");
		return;
	}
	where = ahead_s > 0 ? "ahead of" : "behind";
	if (ahead_s > ASSERTION_LIFETIME_MAX_S - lifetime_s ||
	    -ahead_s >= lifetime_s) {
		struct po_error why = { 0 };
		char remedy[128];

		(void)po_fail(&why, PO_E_REFUSED, 0,
			      "the clock here is %lld s %s the server's: it "
			      "will refuse assertions",
			      (long long)llabs(ahead_s), where);
		(void)snprintf(remedy, sizeof(remedy),
			       "set the clock, or clock-offset = %lld",
			       (long long)(p->clock_offset_s - ahead_s));
		FAIL(v, "clock", &why, remedy);
	} else if (llabs(ahead_s) > CLOCK_WARNING_S) {
		WARN(v, "clock", "set the clock",
		     "the clock here is %lld s %s the server's",
		     (long long)llabs(ahead_s), where);
	} else {
		OK(v, "clock", "within %lld s of the server's",
		   (long long)llabs(ahead_s) + 1);
	}
}

/* Any answer will do: it is about the way there. */
static void check_connection(struct visit *v)
{
	struct http_request request = {
		.method = HTTP_GET,
		.url = v->profile->token_endpoint,
		.accept = TOKEN_REQUEST_ACCEPT,
		.ca_file = v->profile->cacert,
		.timeout_ms = v->profile->timeout_s * 1000,
		.allow_loopback_http = v->profile->allow_loopback_http,
	};
	po_auto_http_response response = { 0 };
	struct po_error why = { 0 };

	if (profile_uses_tls(v->profile))
		return; /* the server may want a certificate: see exchange */
	http_response_init(&response);
	if (v->env->http->perform(v->env->http, &request, &response, &why) !=
	    PO_OK) {
		FAIL(v, "connection", &why,
		     response.failure == HTTP_FAILED_TLS
			     ? "look at the server's certificate, or name its "
			       "CA with cacert"
			     : "look at the URL, the network and proxy "
			       "variables");
		return;
	}
	OK(v, "connection", "%s answers, its certificate chain is good",
	   v->profile->token_endpoint);
	check_clock(v, &response);
}

/* Our own set, as a server reads it. */
static void check_set(struct visit *v)
{
	struct jwks_expected expected = { 0 };
	struct jwks_verdict verdict;
	po_auto_findings set = { 0 };

	if (!v->profile->jwks_url)
		return;
	if (v->key) {
		expected.key = v->key->signer->pubkey;
		expected.kid = v->id->kid;
	}
	check_jwks(v->env, v->profile, v->profile->jwks_url,
		   v->key ? &expected : NULL, &set, &verdict);
	json_decref(verdict.keys);
	for (size_t i = 0; i < set.count; i++)
		findings_take(v->findings, &set.items[i], "jwks-url");
	v->evidence.set = verdict.state;
	v->evidence.set_changed_s = verdict.changed_s;
	v->evidence.set_kept_s = verdict.kept_s;
}

/* ---- the exchange ------------------------------------------------------- */

static void check_scope(struct visit *v, const struct access_token *token)
{
	const char *asked = v->profile->scope;

	if (!asked)
		return;
	if (access_token_grants(token, asked))
		OK(v, "scope", "granted as asked: %s",
		   token->scope ? token->scope : asked);
	else
		WARN(v, "scope", "compare it with the registration",
		     "asked for '%s', granted '%s'", asked,
		     token->scope ? token->scope : "");
}

static void check_answer(struct visit *v, const struct secret *form,
			 struct exchange *exchange)
{
	po_auto_http_response response = { 0 };
	po_auto(access_token) *token = NULL;
	struct po_error why = { 0 };
	enum po_status st;

	http_response_init(&response);
	st = get_token_send(v->env, exchange, form, &token, &response, &why);
	if (st == PO_OK) {
		OK(v, "exchange", "an access token for %lld s",
		   (long long)token->expires_in_s);
		check_scope(v, token);
		return;
	}
	if (st == PO_E_REFUSED) {
		v->evidence.response = &response;
		v->evidence.now_s =
			clock_now_s(v->env->clock) + v->profile->clock_offset_s;
		diagnose(&v->evidence, v->causes);
		v->evidence.response = NULL; /* ours, and soon gone */
	}
	FAIL(v, "exchange", &why,
	     v->causes->count ? v->causes->items[0].remedy : NULL);
}

static void check_exchange(struct visit *v)
{
	po_auto(exchange) *exchange = exchange_new(v->env, v->profile);
	po_auto(secret) *form = NULL;
	struct po_error why = { 0 };
	enum po_status st;

	if (!exchange)
		return;
	st = get_token_form(v->profile, v->source, exchange, &form, &why);
	if (st != PO_OK) {
		FAIL(v, "signature", &why, remedy_of(st));
		return;
	}
	OK(v, "signature", "%s",
	   profile_tls_is_proof(v->profile) ? "the handshake will want one"
					    : "made by the token and verified");
	v->key = v->evidence.key = assertion_source_last(v->source, &v->id);
	v->evidence.id = v->id;
	check_answer(v, form, exchange);
}

static bool check_configuration(struct visit *v)
{
	struct po_error why = { 0 };
	const struct profile *p = v->profile;
	enum po_status st = get_token_check(p, &why);

	if (st != PO_OK) {
		FAIL(v, "configuration", &why, NULL);
		return false;
	}
	if (p->scope &&
	    (strstr(p->scope, "user/") || strstr(p->scope, "patient/")))
		WARN(v, "configuration", "ask for system/ scopes",
		     "no user and no patient is there to ask for: scope '%s'",
		     p->scope);
	OK(v, "configuration", "server rules '%s', client id '%.128s'",
	   p->server ? p->server : "smart", p->client_id);
	return true;
}

void doctor(const struct doctor_request *request, struct findings *findings,
	    struct causes *causes)
{
	struct visit v = {
		.env = request->env,
		.profile = request->profile,
		.findings = findings,
		.causes = causes,
		.evidence = { .profile = request->profile },
	};

	causes->count = 0;
	if (!check_configuration(&v))
		return;
	v.source = assertion_source_new(v.env, v.profile);
	if (!v.source)
		return;
	check_discovery(&v); /* a prompt for a PIN says what it is for */
	if (check_tokens(&v))
		check_key(&v);
	if (v.key)
		check_algorithm(&v);
	if (v.profile->token_endpoint)
		check_connection(&v);
	v.evidence.metadata = v.metadata;
	v.evidence.key = v.key;
	v.evidence.id = v.id;
	check_set(&v);
	if (v.key && v.profile->token_endpoint && !request->no_sign)
		check_exchange(&v);
	assertion_source_free(v.source);
	server_metadata_free(v.metadata);
}
