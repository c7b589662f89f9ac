/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/format.h"

#include "base/environment.h"
#include "base/text.h"

#include <string.h>

#define FORMAT_TEXT_MAX (2 * JSON_TEXT_MAX)
#define KUBE_GROUP "client.authentication.k8s.io/"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

const char *const token_format_words[] = {
	[FORMAT_RAW] = "raw",
	[FORMAT_JSON] = "json",
	[FORMAT_HEADER] = "header",
	[FORMAT_ENV] = "env",
	[FORMAT_KUBE] = "kube-exec-credential",
	[FORMAT_EXECUTABLE] = "executable",
	NULL,
};

bool token_format_parse(const char *name, enum token_format *ret_format)
{
	int i = text_word_index(name, token_format_words);

	if (i < 0)
		return false;
	*ret_format = (enum token_format)i;
	return true;
}

bool token_format_is_env_name(const char *name)
{
	return name[0] && !strchr(DIGITS, name[0]) &&
	       strspn(name, LETTERS DIGITS "_") == strlen(name);
}

/* The server's answer as it came, and what it leaves to be worked out. */
static bool add_json(struct buf *out, const struct access_token_view *t)
{
	/* jansson copies one level, and counts references on what is below */
	json_auto_t *answer = json_copy((json_t *)(uintptr_t)t->answer);

	return answer &&
	       json_object_set_new(answer, "expires_at",
				   json_integer(t->expires_at_s)) == 0 &&
	       (!t->expiry_is_assumed ||
		json_object_set_new(answer, "expires_in_assumed",
				    json_true()) == 0) &&
	       json_compact(out, answer);
}

/*
 * One value of an assignment: bare where that is safe, for readers that know
 * no quotes (docker --env-file), else in double quotes with the escapes that
 * a shell and systemd's EnvironmentFile= agree on. A leading ~ is a home.
 */
static bool add_env_value(struct buf *out, const char *value)
{
	if (value[0] != '~' &&
	    value[strspn(value, LETTERS DIGITS "-._~+/=")] == '\0')
		return buf_adds(out, value);
	if (!buf_adds(out, "\""))
		return false;
	for (; *value; value++)
		if ((strchr("\"\\`$", *value) && !buf_adds(out, "\\")) ||
		    !buf_add(out, value, 1))
			return false;
	return buf_adds(out, "\"");
}

static bool add_env(struct buf *out, const struct access_token_view *t)
{
	const char *name = t->env_name ? t->env_name : TOKEN_FORMAT_ENV_NAME;

	return buf_addf(out, "%s=", name) && add_env_value(out, t->value) &&
	       buf_addf(out, "\n%s_EXPIRES_AT=%lld", name,
			(long long)t->expires_at_s);
}

/* The version that the caller wants to read; v1 unless it says otherwise. */
static const char *kube_version(void)
{
	const char *info = environment_get("KUBERNETES_EXEC_INFO");
	json_auto_t *wish = NULL;
	const char *version;

	if (!info ||
	    json_parse_object(info, strlen(info), &wish, NULL) != PO_OK)
		return KUBE_GROUP "v1";
	version = json_text(wish, "apiVersion");
	if (version && strcmp(version, KUBE_GROUP "v1beta1") == 0)
		return KUBE_GROUP "v1beta1";
	return KUBE_GROUP "v1";
}

static bool add_kube(struct buf *out, const struct access_token_view *t)
{
	json_auto_t *credential = NULL;
	char expiry[32];

	text_utc(expiry, t->expires_at_s);
	credential =
		json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion",
			  kube_version(), "kind", "ExecCredential", "status",
			  "token", t->value, "expirationTimestamp", expiry);
	return credential && json_compact(out, credential);
}

static bool add_executable(struct buf *out, const struct access_token_view *t)
{
	json_auto_t *answer = json_pack("{s:i, s:b, s:s, s:s, s:I}", "version",
					1, "success", 1, "token_type",
					"urn:ietf:params:oauth:token-type:jwt",
					"id_token", t->value, "expiration_time",
					(json_int_t)t->expires_at_s);

	return answer && json_compact(out, answer);
}

bool token_format_add_failure(struct buf *out, const struct po_error *why)
{
	json_auto_t *answer = NULL;
	po_auto_buf code = { 0 }, message = { 0 };

	buf_init(&code, 16);
	buf_init(&message, 4 * sizeof(why->text)); /* each byte as \xNN */
	if (!buf_addf(&code, "%d", -(int)why->status) ||
	    !text_add_printable(&message, why->text, strlen(why->text)))
		return false;
	answer = json_pack("{s:i, s:b, s:s, s:s}", "version", 1, "success", 0,
			   "code", buf_text(&code), "message",
			   buf_text(&message));
	return answer && json_compact(out, answer) && buf_adds(out, "\n");
}

static bool add(struct buf *out, enum token_format format,
		const struct access_token_view *t)
{
	switch (format) {
	case FORMAT_RAW: return buf_adds(out, t->value);
	case FORMAT_JSON: return add_json(out, t);
	case FORMAT_HEADER:
		return buf_adds(out, "Authorization: Bearer ") &&
		       buf_adds(out, t->value);
	case FORMAT_ENV: return add_env(out, t);
	case FORMAT_KUBE: return add_kube(out, t);
	case FORMAT_EXECUTABLE: return add_executable(out, t);
	}
	return false;
}

enum po_status token_format_print(enum token_format format,
				  const struct access_token_view *token,
				  struct secret **ret_text,
				  struct po_error *err)
{
	struct secret *text = NULL;
	po_auto_buf out = { 0 };

	if (format == FORMAT_ENV && token->env_name &&
	    !token_format_is_env_name(token->env_name))
		return po_fail(err, PO_E_USAGE, 0,
			       "'%s' is no name of an environment variable",
			       token->env_name);
	if (format == FORMAT_JSON && !token->answer)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "there is no answer to show");
	buf_init(&out, FORMAT_TEXT_MAX);
	if (add(&out, format, token) && buf_adds(&out, "\n"))
		text = secret_from(out.data, out.len);
	if (!text)
		return po_no_memory(err);
	*ret_text = text;
	return PO_OK;
}
