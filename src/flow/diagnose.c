/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/diagnose.h"

#include "base/text.h"
#include "oauth/assertion.h"
#include "oauth/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_NOISE_S 5
#define SET_CHANGE_RECENT_S ((int64_t)29 * 3600) /* the longest cache known */

bool diagnose_clock(const struct http_response *response, int64_t now_s,
		    int64_t *ret_ahead_s)
{
	int64_t date_s = 0;

	if (!http_date_s(response->date, &date_s))
		return false;
	*ret_ahead_s = now_s - date_s;
	return true;
}

/* ---- the list ----------------------------------------------------------- */

static void add(struct causes *causes, int weight, const char *name,
		const char *remedy, const char *fmt, ...) PO_PRINTF(5, 6);

/* Keeps the list in order; among equals the first stays first. */
static void add(struct causes *causes, int weight, const char *name,
		const char *remedy, const char *fmt, ...)
{
	struct cause *c;
	size_t at = 0;
	va_list ap;

	while (at < causes->count && causes->items[at].weight >= weight)
		at++;
	if (causes->count == DIAGNOSE_CAUSES_MAX)
		causes->count--;
	memmove(&causes->items[at + 1], &causes->items[at],
		(causes->count - at) * sizeof(struct cause));
	causes->count++;
	c = &causes->items[at];
	*c = (struct cause){ .weight = weight, .name = name };
	(void)snprintf(c->remedy, sizeof(c->remedy), "%s", remedy);
	va_start(ap, fmt);
	(void)vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
}

static bool is_word(const char *value, const char *word)
{
	return value && strcmp(value, word) == 0;
}

/* ---- one kind of cause each --------------------------------------------- */

static int64_t lifetime_of(const struct profile *p)
{
	return p->lifetime_s ? p->lifetime_s : ASSERTION_LIFETIME_DEFAULT_S;
}

/* Too far ahead, exp is beyond five minutes or iat in the future; too far
 * behind, the assertion has expired when it comes. */
static void look_at_clock(const struct evidence *e, struct causes *causes)
{
	int64_t lifetime_s = lifetime_of(e->profile);
	int64_t ahead_s = 0;
	char remedy[DIAGNOSE_TEXT_MAX];
	bool is_fatal;

	if (!e->response || !diagnose_clock(e->response, e->now_s, &ahead_s) ||
	    llabs(ahead_s) <= CLOCK_NOISE_S)
		return;
	(void)snprintf(remedy, sizeof(remedy),
		       "set the clock, or clock-offset = %lld in the profile",
		       (long long)(e->profile->clock_offset_s - ahead_s));
	is_fatal = ahead_s > 0 ? ahead_s + lifetime_s > ASSERTION_LIFETIME_MAX_S
			       : -ahead_s >= lifetime_s;
	add(causes, is_fatal ? 100 : 30,
	    ahead_s > 0 ? "clock-fast" : "clock-slow", remedy,
	    "the clock here is %lld s %s the server's",
	    (long long)llabs(ahead_s), ahead_s > 0 ? "ahead of" : "behind");
}

static void look_at_lifetime(const struct evidence *e, struct causes *causes)
{
	int64_t lifetime_s = lifetime_of(e->profile);

	if (lifetime_s > ASSERTION_LIFETIME_DEFAULT_S)
		add(causes, 65, "lifetime",
		    "lifetime = 240 or less leaves room for clocks and caps",
		    "an assertion lives %lld s, and servers cap that at 300 s "
		    "or less by their own clock",
		    (long long)lifetime_s);
}

static void look_at_set(const struct evidence *e, struct causes *causes)
{
	const char *kid = e->id ? e->id->kid : "";
	const char *url = e->profile->jwks_url;

	switch (e->set) {
	case SET_NOT_LOOKED_AT: break;
	case SET_CHAIN_INCOMPLETE:
		add(causes, 97, "jwks-chain",
		    "let its host send the intermediate certificates, too",
		    "the server cannot read '%.256s': its host sends an "
		    "incomplete certificate chain",
		    url);
		break;
	case SET_UNREACHABLE:
		add(causes, 90, "jwks-unreachable",
		    "make it readable for everybody, over https",
		    "our JWK Set at '%.256s' cannot be read", url);
		break;
	case SET_BROKEN:
		add(causes, 88, "jwks-broken", "publish it anew",
		    "our JWK Set at '%.256s' is not sound", url);
		break;
	case SET_WITHOUT_OUR_KID:
		add(causes, 96, "kid-not-in-set",
		    "publish the output of 'p11oauth jwks', or set kid to a "
		    "name that is in the set",
		    "kid '%.128s' is not in our JWK Set at '%.256s'", kid, url);
		break;
	case SET_WITH_ANOTHER_KEY:
		add(causes, 96, "kid-of-another-key",
		    "publish the output of 'p11oauth jwks'",
		    "kid '%.128s' names another key in our JWK Set at "
		    "'%.256s'",
		    kid, url);
		break;
	case SET_GOOD: {
		int64_t age_s = e->now_s - e->set_changed_s;

		if (e->set_changed_s && age_s < SET_CHANGE_RECENT_S)
			add(causes, age_s < e->set_kept_s ? 75 : 55,
			    "stale-set",
			    "wait until the server reads it again; next time "
			    "publish first and sign later",
			    "our JWK Set changed %lld s ago, and the server "
			    "may still use a copy from before",
			    (long long)(age_s > 0 ? age_s : 0));
		break;
	}
	}
}

static bool names_certificate(const struct profile *p)
{
	return p->x5t || p->x5t_s256 || (p->kid && strstr(p->kid, "x5t")) ||
	       (p->x5c && strcmp(p->x5c, "none") != 0);
}

static void look_at_certificate(const struct evidence *e, struct causes *causes)
{
	const struct certificate *cert = e->key ? e->key->signer->cert : NULL;
	bool is_name = names_certificate(e->profile);
	char date[32];

	if (!cert)
		return;
	if (e->now_s > certificate_not_after_s(cert)) {
		text_utc(date, certificate_not_after_s(cert));
		add(causes, is_name ? 93 : 50, "certificate-expired",
		    "renew it and register the new one",
		    "the certificate expired on %s, and many servers refuse "
		    "an expired one",
		    date);
	}
	if (e->now_s < certificate_not_before_s(cert)) {
		text_utc(date, certificate_not_before_s(cert));
		add(causes, is_name ? 93 : 50, "certificate-not-yet-valid",
		    "wait, or look at the clock",
		    "the certificate is not valid before %s", date);
	}
	if (is_name && e->set == SET_NOT_LOOKED_AT)
		add(causes, 45, "other-certificate-registered",
		    "compare the thumbprints of 'p11oauth cert' with those "
		    "that the server shows, and register this certificate",
		    "the server may have another certificate of this client "
		    "than '%.128s' (x5t %s)",
		    certificate_subject(cert), e->id ? e->id->x5t : "?");
}

static void look_at_algorithm(const struct evidence *e, struct causes *causes)
{
	const json_t *listed =
		e->metadata ? server_metadata_list(
				      e->metadata,
				      "token_endpoint_auth_signing_alg_values_"
				      "supported")
			    : NULL;

	if (!e->id || json_array_size(listed) == 0 ||
	    server_metadata_lists(listed, alg_name(e->id->alg)))
		return;
	add(causes, 94, "algorithm-not-offered",
	    "leave algorithm out of the profile, or use a key of another type",
	    "the server does not list the algorithm %s", alg_name(e->id->alg));
}

static void look_at_jku(const struct evidence *e, struct causes *causes)
{
	const struct profile *p = e->profile;

	if (p->jku && p->jwks_url && strcmp(p->jku, p->jwks_url) != 0)
		add(causes, 92, "jku-mismatch",
		    "jku is the registered URL byte for byte, or is left out",
		    "the assertion names the JWK Set '%.200s', and ours is at "
		    "'%.200s'",
		    p->jku, p->jwks_url);
	else if (p->jku)
		add(causes, 20, "jku-mismatch",
		    "jku is the registered URL byte for byte, or is left out",
		    "the server may have another JWK Set URL than '%.256s'",
		    p->jku);
}

/* The rules say what aud is; a profile that says otherwise had better be
 * right. */
static void look_at_audience(const struct evidence *e, struct causes *causes)
{
	const struct profile *p = e->profile;
	const char *aud = profile_audience(p);
	bool is_issuer = p->issuer && is_word(aud, p->issuer);
	bool is_endpoint = is_word(aud, p->token_endpoint);
	bool is_strict = is_word(p->typ, "client-authentication+jwt");

	if (!aud)
		return;
	if (!profile_chose(p, "audience") && !profile_chose(p, "typ"))
		add(causes, 15, "audience",
		    "look at the server's documentation; server = NAME in the "
		    "profile sets it",
		    "the server may want another claim aud than '%.200s'", aud);
	else if (!is_issuer && !is_endpoint)
		add(causes, 91, "audience",
		    "leave audience out of the profile: the server's rules "
		    "know it",
		    "the claim aud is '%.200s', which is not the token "
		    "endpoint byte for byte%s",
		    aud, p->issuer ? ", nor the issuer" : "");
	else if (is_strict != is_issuer)
		add(causes, 70, "audience",
		    "take the server rules that fit: smart has the token "
		    "endpoint and JWT, rfc10070 the issuer and "
		    "client-authentication+jwt",
		    "the claim aud is the %s, which does not go with typ %s",
		    is_issuer ? "issuer" : "token endpoint",
		    p->typ ? p->typ : "JWT");
}

static void look_at_status(const struct evidence *e, struct causes *causes)
{
	switch (e->response->status) {
	case 404:
	case 405:
	case 415:
		add(causes, 95, "wrong-url",
		    "look at token-endpoint: it may be a page for people, or "
		    "another service",
		    "'%.256s' does not take token requests",
		    e->profile->token_endpoint);
		break;
	case 413:
	case 414:
	case 431:
		add(causes, 95, "too-long", "leave out x5c, shorten names",
		    "the request is too long for this server");
		break;
	case 429:
		add(causes, 95, "rate-limit", "ask less often",
		    "the server is asked too often");
		break;
	default: break;
	}
}

static void look_at_client(const struct evidence *e, struct causes *causes)
{
	add(causes, e->set == SET_GOOD ? 60 : 40, "client-id",
	    "compare it with the registration: production and test have "
	    "different ones, and a new one may need a day",
	    "the server may not know the client id '%.128s', or not yet",
	    e->profile->client_id ? e->profile->client_id : "");
}

/* What other error codes say by themselves. */
static bool look_at_code(const struct evidence *e, struct causes *causes)
{
	static const struct {
		const char *code, *name, *text, *remedy;
	} codes[] = {
		{ "unauthorized_client", "grant-not-enabled",
		  "the client was recognised, but may not use this grant",
		  "ask the server's operator to enable client credentials "
		  "for it" },
		{ "invalid_scope", "scope",
		  "the server does not grant a scope that was asked for",
		  "compare scope with the registration, and v1 (.read) with "
		  "v2 (.rs) spelling" },
		{ "unsupported_grant_type", "grant-not-supported",
		  "the server does not know this grant",
		  "look at token-endpoint and server" },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(codes); i++)
		if (refusal_is(e->response, codes[i].code)) {
			add(causes, 100, codes[i].name, codes[i].remedy, "%s",
			    codes[i].text);
			return true;
		}
	return false;
}

void diagnose(const struct evidence *evidence, struct causes *ret_causes)
{
	ret_causes->count = 0;
	if (!evidence->response || look_at_code(evidence, ret_causes))
		return;
	look_at_clock(evidence, ret_causes);
	look_at_set(evidence, ret_causes);
	look_at_status(evidence, ret_causes);
	look_at_algorithm(evidence, ret_causes);
	look_at_certificate(evidence, ret_causes);
	look_at_jku(evidence, ret_causes);
	look_at_audience(evidence, ret_causes);
	look_at_lifetime(evidence, ret_causes);
	look_at_client(evidence, ret_causes);
}
