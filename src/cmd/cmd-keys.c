/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/key-json.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "conf/profile.h"
#include "cryptoki/inventory.h"
#include "flow/env.h"

#include <string.h>

#define TEXT_MAX (64 * 1024 * 1024)

struct keys_opts {
	bool login;
};

static const struct opt opts[] = {
	{ "login", 'l', OPT_FLAG, offsetof(struct keys_opts, login), NULL,
	  "log in first, to see private keys as well", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static const struct {
	const char *name;
	size_t offset;
} claims[] = {
	{ "sign", offsetof(struct inventory_key, sign) },
	{ "sensitive", offsetof(struct inventory_key, sensitive) },
	{ "extractable", offsetof(struct inventory_key, extractable) },
	{ "always-sensitive",
	  offsetof(struct inventory_key, always_sensitive) },
	{ "never-extractable",
	  offsetof(struct inventory_key, never_extractable) },
	{ "local", offsetof(struct inventory_key, local) },
	{ "always-authenticate",
	  offsetof(struct inventory_key, always_authenticate) },
};

static enum claim claim_at(const struct inventory_key *key, size_t i)
{
	return *(const enum claim *)(const void *)((const char *)key +
						   claims[i].offset);
}

/* ---- JSON --------------------------------------------------------------- */

static bool set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

static bool set_claims(json_t *object, const struct inventory_key *key)
{
	json_t *list = json_object();

	for (size_t i = 0; i < PO_ARRAY_SIZE(claims); i++) {
		enum claim c = claim_at(key, i);

		if (c != CLAIM_UNKNOWN &&
		    !set(list, claims[i].name, json_boolean(c == CLAIM_YES))) {
			json_decref(list);
			return false;
		}
	}
	return set(object, "claimed", list);
}

static bool set_names(json_t *object, const struct inventory_key *key)
{
	struct thumbprints prints;
	char type[16];

	if (!key->pubkey)
		return set(object, "type", json_null());
	pubkey_describe(key->pubkey, type);
	if (thumbprints_of(key->pubkey, key->cert, &prints, NULL) != PO_OK ||
	    !set(object, "type", json_string(type)) ||
	    !set(object, "bits",
		 json_integer((json_int_t)pubkey_bits(key->pubkey))) ||
	    !set(object, "jwk_thumbprint", json_string(prints.jwk)) ||
	    !set(object, "spki_sha256", json_string(prints.spki)))
		return false;
	return !key->cert ||
	       (set(object, "x5t", json_string(prints.x5t)) &&
		set(object, "x5t#S256", json_string(prints.x5t_s256)) &&
		set(object, "x5t_hex", json_string(prints.x5t_hex)));
}

static json_t *key_json(const struct inventory_key *key, int64_t now_s)
{
	json_auto_t *object = json_object();
	char id[2 * SIGNER_ID_MAX + 1];

	text_hex_upper(id, key->id, key->id_len);
	if (!set(object, "uri", json_string(key->uri)) ||
	    !set(object, "label", json_string(key->label)) ||
	    !set(object, "id", json_string(id)) || !set_names(object, key) ||
	    !set(object, "private_key_seen", json_boolean(key->has_private)))
		return NULL;
	if (key->has_private && !set_claims(object, key))
		return NULL;
	if (key->cert &&
	    (!set(object, "certificate", certificate_json(key->cert, now_s)) ||
	     !set(object, "certificate_matches",
		  json_boolean(key->cert_matches))))
		return NULL;
	return po_steal(object);
}

static json_t *token_json(const struct inventory_token *t, int64_t now_s)
{
	json_auto_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:[]}",
		"uri", t->uri, "label", t->label, "manufacturer",
		t->manufacturer, "model", t->model, "serial", t->serial,
		"initialized", t->initialized, "login_required",
		t->login_required, "pin_count_low", t->pin_count_low,
		"pin_final_try", t->pin_final_try, "pin_locked", t->pin_locked,
		"protected_authentication_path", t->pinpad, "keys");
	json_t *keys = json_object_get(object, "keys"); /* belongs to object */

	if (t->fault[0] && !set(object, "fault", json_string(t->fault)))
		return NULL;

	for (size_t i = 0; keys && i < t->key_count; i++)
		if (json_array_append_new(keys, key_json(&t->keys[i], now_s)))
			return NULL;
	return po_steal(object);
}

static enum po_status print_json(const struct inventory *inv, int64_t now_s,
				 struct po_error *err)
{
	json_auto_t *value = json_pack("{s:[]}", "tokens");
	json_t *tokens = json_object_get(value, "tokens");

	for (size_t i = 0; i < inv->token_count; i++)
		if (json_array_append_new(tokens,
					  token_json(&inv->tokens[i], now_s)))
			return po_no_memory(err);
	return value ? output_json(value, err) : po_no_memory(err);
}

/* ---- text --------------------------------------------------------------- */

static bool add_claims(struct buf *out, const struct inventory_key *key)
{
	const char *separator = "";

	if (!key->has_private)
		return buf_adds(out, "    private key not seen (--login "
				     "shows it)\n");
	if (!buf_adds(out, "    claimed     "))
		return false;
	for (size_t i = 0; i < PO_ARRAY_SIZE(claims); i++) {
		enum claim c = claim_at(key, i);

		if (c == CLAIM_UNKNOWN)
			continue;
		if (!buf_addf(out, "%s%s%s", separator,
			      c == CLAIM_YES ? "" : "not ", claims[i].name))
			return false;
		separator = ", ";
	}
	return buf_adds(out, "\n");
}

static bool add_names(struct buf *out, const struct inventory_key *key)
{
	struct thumbprints prints;
	char type[16];

	if (!key->pubkey)
		return buf_adds(out, "    type        not for JOSE, or not "
				     "readable\n");
	pubkey_describe(key->pubkey, type);
	if (thumbprints_of(key->pubkey, key->cert, &prints, NULL) != PO_OK ||
	    !buf_addf(out, "    type        %s\n", type) ||
	    !buf_addf(out, "    thumbprint  %s\n", prints.jwk) ||
	    !buf_addf(out, "    SPKI        %s\n", prints.spki))
		return false;
	return !key->cert ||
	       (buf_addf(out, "    x5t-hex     %s\n", prints.x5t_hex) &&
		buf_addf(out, "    x5t         %s\n", prints.x5t) &&
		buf_addf(out, "    x5t#S256    %s\n", prints.x5t_s256));
}

static bool add_key(struct buf *out, const struct inventory_key *key,
		    int64_t now_s)
{
	if (!buf_adds(out, "  key '") ||
	    !text_add_printable(out, key->label, strlen(key->label)) ||
	    !buf_addf(out, "'\n    uri         %s\n", key->uri) ||
	    !add_names(out, key))
		return false;
	if (key->cert &&
	    (!buf_addf(out, "    certificate %s%s\n    valid       ",
		       certificate_subject(key->cert),
		       key->cert_matches ? "" : " - OF ANOTHER KEY") ||
	     !certificate_add_validity(key->cert, now_s, out) ||
	     !buf_adds(out, "\n")))
		return false;
	return add_claims(out, key);
}

static const char *pin_state(const struct inventory_token *t)
{
	if (t->pin_locked)
		return ", PIN LOCKED";
	if (t->pin_final_try)
		return ", LAST TRY before the PIN locks";
	if (t->pin_count_low)
		return ", a wrong PIN was tried";
	return "";
}

static bool add_token(struct buf *out, const struct inventory_token *t,
		      int64_t now_s)
{
	if (!buf_adds(out, "token '") ||
	    !text_add_printable(out, t->label, strlen(t->label)) ||
	    !buf_adds(out, "' (") ||
	    !text_add_printable(out, t->model, strlen(t->model)) ||
	    !buf_addf(out, "%s)%s\n  uri %s\n",
		      t->initialized ? "" : ", not initialised", pin_state(t),
		      t->uri))
		return false;
	if (t->fault[0] &&
	    (!buf_adds(out, "  NOT READABLE: ") ||
	     !text_add_printable(out, t->fault, strlen(t->fault)) ||
	     !buf_adds(out, "\n")))
		return false;
	for (size_t i = 0; i < t->key_count; i++)
		if (!add_key(out, &t->keys[i], now_s))
			return false;
	return true;
}

static enum po_status print_text(const struct inventory *inv, int64_t now_s,
				 struct po_error *err)
{
	po_auto_buf out = { 0 };

	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < inv->token_count; i++)
		if (!add_token(&out, &inv->tokens[i], now_s))
			return po_no_memory(err);
	return output_text(buf_text(&out), err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct keys_opts *o = ctx->opts;
	const struct command_line *line = ctx->line;
	const struct profile *p = ctx->profile;
	const struct pin_purpose purpose = { .profile = p->name };
	struct inventory_request req = {
		.clock = ctx->env->clock,
		.module = p->module,
		.uri = line->operand_count ? line->operands[0] : NULL,
		.init_args = p->module_init_args,
		.timeout_s = p->token_timeout_s,
		.login = o->login,
		.pin = { .from = p->pin_from[0],
			 .pinentry = p->pinentry,
			 .purpose = &purpose,
			 .retry = p->retry_pin },
	};
	po_auto(inventory) *inv = NULL;
	enum po_status st = inventory_read(&req, &inv, err);
	int64_t now_s = clock_now_s(ctx->env->clock);

	if (st != PO_OK)
		return st;
	if (ctx->json)
		return print_json(inv, now_s, err);
	return print_text(inv, now_s, err);
}

const struct cmd cmd_keys = {
	.name = "keys",
	.summary = "show the tokens of a module and the keys on them",
	.operands = "[URI]",
	.operands_max = 1,
	.needs = CMD_PROFILE_OPTION | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN,
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct keys_opts),
	.run = run,
};
