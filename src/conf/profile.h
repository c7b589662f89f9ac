/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - the settings of one client at one authorization server, and
 * where each came from.
 *
 * One table (profile_settings) is the whole vocabulary: its names are the keys
 * of the configuration file, the long options of the commands and, as
 * P11OAUTH_NAME, the environment variables. Flags win over the environment,
 * the environment over the file.
 */
#ifndef PO_CONF_PROFILE_H
#define PO_CONF_PROFILE_H

#include "base/error.h"
#include "conf/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROFILE_LIST_MAX 32
#define PROFILE_TEXT_MAX 16384 /* bytes of one value */

enum setting_kind {
	SETTING_TEXT,    /* char * */
	SETTING_LIST,    /* char *[PROFILE_LIST_MAX + 1], NULL-terminated */
	SETTING_SECONDS, /* int64_t, as text_to_seconds() reads it, from min */
	SETTING_OFFSET,  /* int64_t, the same with an optional sign */
	SETTING_BYTES,   /* int64_t, digits only, 1 .. max */
	SETTING_BOOL,    /* bool */
};

/* What a setting is for; a command takes the options of its groups. */
enum setting_group {
	SETTING_FOR_TOKEN = 1 << 0,     /* reaching the token */
	SETTING_FOR_KEY = 1 << 1,       /* finding the key on it */
	SETTING_FOR_IDENTITY = 1 << 2,  /* kid, x5t, … */
	SETTING_FOR_ASSERTION = 1 << 3, /* claims */
	SETTING_FOR_EXCHANGE = 1 << 4,  /* the request to the server */
	SETTING_FOR_CHECKS = 1 << 5,    /* what doctor looks at besides */
	SETTING_FOR_FETCH = 1 << 6,     /* any request; besides the exchange */
	/* what the agent alone heeds, in a file alone: its callers are not to
	 * choose, and an environment would hold for all profiles */
	SETTING_FOR_AGENT = 1 << 7,
};

/* Where a setting may stand; those of a profile are options as well. */
enum setting_place {
	SETTING_IN_PROFILE,
	SETTING_IN_BOTH,   /* a server's rules give the default */
	SETTING_IN_SERVER, /* a server's rules alone */
};

struct setting {
	const char *name; /* "token-endpoint" */
	enum setting_kind kind;
	unsigned int group; /* enum setting_group; 0: SETTING_IN_SERVER */
	enum setting_place place;
	size_t offset;    /* of the field in struct profile */
	const char *arg;  /* "URL", for --help; NULL for a SETTING_BOOL */
	const char *help; /* one line, no full stop */
	const char *const *words; /* NULL: any text; else what is accepted
				   * (a word that ends in ':' is a prefix) */
	bool only_words;          /* anything else is refused here already */
	bool only_option;         /* not in a file, nor in the environment */
	int64_t min, max;         /* of a number */
};

extern const struct setting profile_settings[];
extern const size_t profile_settings_count;
#define PROFILE_SETTINGS_MAX 96

enum origin_kind {
	ORIGIN_DEFAULT,
	ORIGIN_SERVER,    /* the rules of the server's kind */
	ORIGIN_DISCOVERY, /* what the server publishes of itself */
	ORIGIN_FILE,
	ORIGIN_ENVIRONMENT,
	ORIGIN_OPTION,
};

struct origin {
	enum origin_kind kind;
	const char *file; /* borrowed from the struct config */
	int line;         /* 0: none */
};

struct profile { /* texts owned; NULL: not set */
	char *name;
	/* the key */
	char *key[PROFILE_LIST_MAX + 1];
	char *module;
	char *module_init_args;
	int64_t token_timeout_s;              /* 0: the default */
	char *pin_from[PROFILE_LIST_MAX + 1]; /* one for all keys, or each its
					       * own */
	char *pinentry;
	bool retry_pin;
	char *key_spki[PROFILE_LIST_MAX + 1];
	char *key_policy[PROFILE_LIST_MAX + 1];
	char *certificate_file;
	char *certificate_expiry; /* "warn" or "error" */
	/* identity */
	char *algorithm;
	char *kid;
	bool x5t;
	bool x5t_s256;
	char *x5c; /* "none", "leaf" or "chain" */
	char *jku;
	/* the assertion */
	char *client_id;
	char *assertion_issuer;
	char *server;
	char *audience;
	char *issuer;
	char *fhir_base;
	char *token_endpoint;
	char *mtls_token_endpoint;
	int64_t lifetime_s; /* 0: the default */
	int64_t clock_offset_s;
	char *hl7_b2b[PROFILE_LIST_MAX + 1];
	/* the exchange */
	char *client_auth;
	bool tls_certificate;
	char *scope;
	bool require_scope;
	char *param[PROFILE_LIST_MAX + 1];
	char *cacert;
	int64_t timeout_s; /* 0: the default */
	int64_t retry_time_s;
	bool no_overlap;
	bool allow_loopback_http;
	/* checks */
	char *jwks_url;
	/* the agent */
	char *allow_uid[PROFILE_LIST_MAX + 1]; /* names or numbers */
	char *allow_gid[PROFILE_LIST_MAX + 1];
	char *allow_scope[PROFILE_LIST_MAX + 1];
	char *module_paths[PROFILE_LIST_MAX + 1];
	struct sink *sinks; /* owned; from a file alone */
	size_t sink_count;
	/* the server's rules alone */
	char *summary, *source, *unknown;       /* for people */
	char *algorithms[PROFILE_LIST_MAX + 1]; /* in the order of preference */
	char *typ;                              /* "none": not sent */
	bool iat, nbf;
	char *grant;    /* "client_credentials" or "jwt-bearer" */
	char *scope_in; /* "form", "claim" */
	bool need_scope;
	bool send_client_id; /* in the form, besides the assertion */
	char *form[PROFILE_LIST_MAX + 1]; /* NAME=VALUE */
	char *extension;                  /* "hl7-b2b": needed */
	bool retry_refusal;
	int64_t assertion_max; /* bytes; 0: no limit known */

	struct origin origin[PROFILE_SETTINGS_MAX]; /* as profile_settings */
	char *discovered_at; /* owned; the URL of what ORIGIN_DISCOVERY means */
};

/* NULL when memory is out. name may be NULL: a profile of options only. */
struct profile *profile_new(const char *name) PO_MUST_CHECK;
struct profile *profile_copy(const struct profile *profile) PO_MUST_CHECK;
void profile_free(struct profile *profile);
PO_DEFINE_AUTO(profile, profile_free);

const struct setting *profile_setting(const char *name); /* NULL: none */

/*
 * Sets one value from its text. A list grows while origin stays of one kind
 * and starts anew when a stronger kind speaks. Fails as profile_fault() does
 * when the text is not of the setting's kind.
 */
enum po_status profile_set(struct profile *profile,
			   const struct setting *setting, const char *text,
			   const struct origin *origin,
			   struct po_error *err) PO_MUST_CHECK;

/* Takes what the environment says (P11OAUTH_TOKEN_ENDPOINT, …). */
enum po_status profile_apply_environment(struct profile *profile,
					 struct po_error *err) PO_MUST_CHECK;

/*
 * Takes from the rules of a server what the profile leaves open. False: out of
 * memory.
 */
bool profile_take_rules(struct profile *profile,
			const struct profile *rules) PO_MUST_CHECK;

/* A value that the server publishes, in the document at profile->discovered_at.
 * A list grows. */
enum po_status profile_discover(struct profile *profile, const char *name,
				const char *text,
				struct po_error *err) PO_MUST_CHECK;

bool profile_has(const struct profile *profile, const char *name);

/* True when a person set it: file, environment or option, not the rules. */
bool profile_chose(const struct profile *profile, const char *name);

/*
 * The claim aud: one string, byte for byte as configured: the token endpoint,
 * the issuer or a literal (RFC 7523 section 3, RFC 10070). NULL: what it needs
 * is not set. Borrowed from the profile.
 */
const char *profile_audience(const struct profile *profile);

/*
 * Fails on behalf of a setting and says where its value stands:
 * "FILE:LINE: scope: TEXT" (PO_E_CONFIG), "--scope: TEXT" or
 * "P11OAUTH_SCOPE: TEXT" (PO_E_USAGE).
 */
enum po_status profile_fault(const struct profile *profile, const char *name,
			     struct po_error *err, const char *fmt, ...)
	PO_PRINTF(4, 5);

/*
 * Fails because name is not set, and says how to set it: PO_E_CONFIG for a
 * named profile, PO_E_USAGE without one.
 */
enum po_status profile_missing(const struct profile *profile, const char *name,
			       struct po_error *err);

/*
 * The same for a value that a lower layer refused: when st is PO_E_USAGE, puts
 * where the value of name stands in front of err's text and returns the
 * status that fits the origin; other statuses pass through.
 */
enum po_status profile_blame(const struct profile *profile, const char *name,
			     enum po_status st, struct po_error *err);

#endif
