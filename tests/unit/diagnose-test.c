/* SPDX-License-Identifier: Apache-2.0 */
/* Why a server refused: the right cause comes first. */
#include "flow/diagnose.h"

#include "response.h"
#include "test-data.h"
#include "unit.h"

#include <stdlib.h>

#define NOW_S 1800000000 /* Fri, 15 Jan 2027 08:00:00 GMT */
#define DATE "Fri, 15 Jan 2027 08:00:00 GMT"

/* not const: a profile owns its texts */
static char endpoint[] = "https://as.example/token";
static char with_slash[] = "https://as.example/token/";
static char issuer[] = "https://as.example";
static char set_url[] = "https://client.example/jwks.json";
static char other_url[] = "https://client.example/old.json";
static char by_issuer[] = "issuer";
static char strict_typ[] = "client-authentication+jwt";
static char smart_typ[] = "JWT";
static char hex[] = "x5t-hex";
static char client[] = "c";

/* What a row changes of a client that is all right. */
struct row {
	const char *name;
	const char *cause; /* the one that must be first */
	void (*change)(struct evidence *e, struct profile *p);
};

static void nothing(struct evidence *e, struct profile *p)
{
	(void)e;
	(void)p;
}

static void clock_fast(struct evidence *e, struct profile *p)
{
	(void)p;
	e->now_s = NOW_S + 420;
}

static void clock_slow(struct evidence *e, struct profile *p)
{
	(void)p;
	e->now_s = NOW_S - 300;
}

static void clock_a_little_fast(struct evidence *e, struct profile *p)
{
	(void)p;
	e->now_s = NOW_S + 20;
	e->set = SET_WITHOUT_OUR_KID;
}

static void kid_missing(struct evidence *e, struct profile *p)
{
	(void)p;
	e->set = SET_WITHOUT_OUR_KID;
}

static void other_key(struct evidence *e, struct profile *p)
{
	(void)p;
	e->set = SET_WITH_ANOTHER_KEY;
}

static void chain(struct evidence *e, struct profile *p)
{
	(void)p;
	e->set = SET_CHAIN_INCOMPLETE;
}

static void stale(struct evidence *e, struct profile *p)
{
	(void)p;
	e->set = SET_GOOD;
	e->set_changed_s = NOW_S - 60;
	e->set_kept_s = 3600;
}

static void good_set(struct evidence *e, struct profile *p)
{
	(void)p;
	e->set = SET_GOOD;
	e->set_changed_s = NOW_S - 40 * 86400;
}

/* As a person does in a file. */
static void choose(struct profile *p, const char *name)
{
	p->origin[profile_setting(name) - profile_settings].kind = ORIGIN_FILE;
}

static void slash(struct evidence *e, struct profile *p)
{
	(void)e;
	choose(p, "audience");
	p->audience = with_slash;
}

static void issuer_for_smart(struct evidence *e, struct profile *p)
{
	(void)e;
	choose(p, "audience");
	p->issuer = issuer;
	p->audience = by_issuer;
	p->token_endpoint = endpoint;
}

static void endpoint_for_strict(struct evidence *e, struct profile *p)
{
	(void)e;
	choose(p, "audience");
	p->typ = strict_typ;
}

/* Auth0 has it so, and its section says so. */
static void issuer_by_the_rules(struct evidence *e, struct profile *p)
{
	(void)e;
	p->issuer = issuer;
	p->audience = by_issuer;
}

static void long_life(struct evidence *e, struct profile *p)
{
	(void)e;
	p->lifetime_s = 300;
}

static void algorithm(struct evidence *e, struct profile *p)
{
	static struct server_metadata metadata;

	(void)p;
	metadata.document = json_pack(
		"{s:[s]}", "token_endpoint_auth_signing_alg_values_supported",
		"ES384");
	e->metadata = &metadata;
}

static void jku(struct evidence *e, struct profile *p)
{
	(void)e;
	p->jku = other_url;
	p->jwks_url = set_url;
}

static void expired(struct evidence *e, struct profile *p)
{
	p->kid = hex;
	e->now_s = 4960000000; /* 2127 */
	e->response = NULL;    /* set by the test, without a date */
}

static void by_certificate(struct evidence *e, struct profile *p)
{
	(void)e;
	p->kid = hex;
}

static const struct row rows[] = {
	{ "nothing is known against it", "client-id", nothing },
	{ "seven minutes fast", "clock-fast", clock_fast },
	{ "five minutes slow", "clock-slow", clock_slow },
	{ "a clock that is a little off", "kid-not-in-set",
	  clock_a_little_fast },
	{ "kid not in the set", "kid-not-in-set", kid_missing },
	{ "kid of another key", "kid-of-another-key", other_key },
	{ "incomplete chain", "jwks-chain", chain },
	{ "a set that changed just now", "stale-set", stale },
	{ "a set of long ago", "client-id", good_set },
	{ "a slash too many", "audience", slash },
	{ "the issuer, with typ JWT", "audience", issuer_for_smart },
	{ "the endpoint, with the strict typ", "audience",
	  endpoint_for_strict },
	{ "the issuer, as the rules have it", "client-id",
	  issuer_by_the_rules },
	{ "five minutes of life", "lifetime", long_life },
	{ "an algorithm that is not listed", "algorithm-not-offered",
	  algorithm },
	{ "another jku", "jku-mismatch", jku },
	{ "an expired certificate", "certificate-expired", expired },
	{ "named by its certificate", "other-certificate-registered",
	  by_certificate },
};

ROWS(rows, diagnose_row)
{
	po_auto_http_response response = { 0 };
	po_auto(certificate) *cert = data_certificate("certs/leaf.pem");
	struct signer signer = { .cert = cert };
	struct profile profile = { .client_id = client,
				   .token_endpoint = endpoint,
				   .typ = smart_typ,
				   .jwks_url = set_url };
	struct open_key key = { .signer = &signer, .profile = &profile };
	struct identity id = { .alg = ALG_RS384, .kid = "k" };
	struct evidence e = { .profile = &profile,
			      .response = &response,
			      .key = &key,
			      .id = &id,
			      .now_s = NOW_S };
	static const char body[] = "{\"error\":\"invalid_client\"}";
	struct causes *causes = calloc(1, sizeof(*causes));

	assert_non_null(causes);
	response_make(&response, 400, "application/json", body, strlen(body));
	(void)snprintf(response.date, sizeof(response.date), "%s", DATE);
	row->change(&e, &profile);
	if (!e.response) {
		response.date[0] = '\0';
		e.response = &response;
	}
	diagnose(&e, causes);
	assert_true(causes->count > 0);
	assert_string_equal(causes->items[0].name, row->cause);
	for (size_t i = 1; i < causes->count; i++)
		assert_true(causes->items[i].weight <=
			    causes->items[i - 1].weight);
	assert_true(causes->items[0].text[0] && causes->items[0].remedy[0]);
	if (e.metadata)
		json_decref(e.metadata->document);
	free(causes);
}

struct code {
	const char *name, *body;
};

static const struct code codes[] = {
	{ "grant-not-enabled", "{\"error\":\"unauthorized_client\"}" },
	{ "scope", "{\"error\":\"invalid_scope\"}" },
	{ "grant-not-supported", "{\"error\":\"unsupported_grant_type\"}" },
};

/* The code says it all: nothing else is named. */
/* What the profile adds already goes into what it should add. */
static const struct offset_row {
	const char *name, *cause, *remedy;
	int64_t offset_s, now_s;
} offsets[] = {
	{ "none yet, and fast", "clock-fast",
	  "set the clock, or clock-offset = -420 in the profile", 0,
	  NOW_S + 420 },
	{ "none yet, and slow", "clock-slow",
	  "set the clock, or clock-offset = 300 in the profile", 0,
	  NOW_S - 300 },
	{ "too little", "clock-fast",
	  "set the clock, or clock-offset = -520 in the profile", -100,
	  NOW_S + 420 },
	{ "too much", "clock-slow",
	  "set the clock, or clock-offset = -100 in the profile", -400,
	  NOW_S - 300 },
	{ "the wrong way", "clock-fast",
	  "set the clock, or clock-offset = -320 in the profile", 100,
	  NOW_S + 420 },
};

ROWS(offsets, offset_row)
{
	po_auto_http_response response = { 0 };
	struct profile profile = { .client_id = client,
				   .clock_offset_s = row->offset_s };
	struct evidence e = { .profile = &profile,
			      .response = &response,
			      .now_s = row->now_s };
	struct causes *causes = calloc(1, sizeof(*causes));

	assert_non_null(causes);
	response_make(&response, 400, NULL, "", 0);
	(void)snprintf(response.date, sizeof(response.date), "%s", DATE);
	diagnose(&e, causes);
	assert_true(causes->count > 0);
	assert_string_equal(causes->items[0].name, row->cause);
	assert_string_equal(causes->items[0].remedy, row->remedy);
	free(causes);
}

ROWS(codes, code_row)
{
	po_auto_http_response response = { 0 };
	struct profile profile = { .client_id = client };
	struct evidence e = { .profile = &profile,
			      .response = &response,
			      .now_s = NOW_S };
	struct causes *causes = calloc(1, sizeof(*causes));

	assert_non_null(causes);
	response_make(&response, 400, NULL, row->body, strlen(row->body));
	diagnose(&e, causes);
	assert_int_equal(causes->count, 1);
	assert_string_equal(causes->items[0].name, row->name);
	free(causes);
}
