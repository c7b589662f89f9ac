/* SPDX-License-Identifier: Apache-2.0 */
/* The six formats of an access token: every byte, and what readers make of
 * it. */
#include "flow/format.h"

#include "base/child.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V1 "client.authentication.k8s.io/v1"
#define EXPIRY_S 1751405484 /* 2025-07-01T21:31:24Z */

static struct secret *print(enum token_format format, const char *value,
			    const char *answer, bool assumed, const char *name)
{
	json_auto_t *members = answer ? json_loads(answer, 0, NULL) : NULL;
	const struct access_token_view view = {
		.value = value,
		.answer = members,
		.expires_at_s = EXPIRY_S,
		.expires_in_s = 300,
		.expiry_is_assumed = assumed,
		.env_name = name,
	};
	struct secret *text = NULL;

	assert_int_equal(token_format_print(format, &view, &text, NULL), PO_OK);
	assert_non_null(text);
	return text;
}

struct row {
	const char *name;
	enum token_format format;
	const char *value, *answer, *env_name;
	bool assumed;
	const char *expected;
};

static const struct row rows[] = {
	{ "raw", FORMAT_RAW, "a.b-c", NULL, NULL, false, "a.b-c\n" },
	{ "header", FORMAT_HEADER, "a.b-c", NULL, NULL, false,
	  "Authorization: Bearer a.b-c\n" },
	{ "json: members in the server's order, ours last", FORMAT_JSON, "t",
	  "{\"token_type\":\"bearer\",\"access_token\":\"t\",\"expires_in\":"
	  "\"300\",\"scope\":null}",
	  NULL, false,
	  "{\"token_type\":\"bearer\",\"access_token\":\"t\",\"expires_in\":"
	  "\"300\",\"scope\":null,\"expires_at\":1751405484}\n" },
	{ "json: an assumed expiry says so", FORMAT_JSON, "t",
	  "{\"access_token\":\"t\"}", NULL, true,
	  "{\"access_token\":\"t\",\"expires_at\":1751405484,"
	  "\"expires_in_assumed\":true}\n" },
	{ "json: a server's own expires_at gives way", FORMAT_JSON, "t",
	  "{\"expires_at\":\"x\",\"access_token\":\"t\"}", NULL, false,
	  "{\"expires_at\":1751405484,\"access_token\":\"t\"}\n" },
	{ "env", FORMAT_ENV, "a~b/c+d==", NULL, NULL, false,
	  "ACCESS_TOKEN=a~b/c+d==\nACCESS_TOKEN_EXPIRES_AT=1751405484\n" },
	{ "env: another name", FORMAT_ENV, "t", NULL, "_My1", false,
	  "_My1=t\n_My1_EXPIRES_AT=1751405484\n" },
	{ "env: no home of anybody", FORMAT_ENV, "~root", NULL, NULL, false,
	  "ACCESS_TOKEN=\"~root\"\nACCESS_TOKEN_EXPIRES_AT=1751405484\n" },
	{ "kube", FORMAT_KUBE, "t", NULL, NULL, false,
	  "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":"
	  "{\"token\":\"t\",\"expirationTimestamp\":\"2025-07-01T21:31:24Z\"}"
	  "}\n" },
	{ "executable", FORMAT_EXECUTABLE, "t", NULL, NULL, false,
	  "{\"version\":1,\"success\":true,\"token_type\":"
	  "\"urn:ietf:params:oauth:token-type:jwt\",\"id_token\":\"t\","
	  "\"expiration_time\":1751405484}\n" },
};

ROWS(rows, print_row)
{
	po_auto(secret) *text = print(row->format, row->value, row->answer,
				      row->assumed, row->env_name);

	assert_string_equal(secret_reveal(text), row->expected);
	assert_int_equal(secret_len(text), strlen(row->expected));
}

struct kube_row {
	const char *name, *info, *version;
};

static const struct kube_row kube_rows[] = {
	{ "kube: v1 is asked for", "{\"apiVersion\":\"" V1 "\"}", V1 },
	{ "kube: v1beta1 is asked for",
	  "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "beta1\"}",
	  V1 "beta1" },
	{ "kube: a version of tomorrow", "{\"apiVersion\":\"" V1 "0\"}", V1 },
	{ "kube: no version", "{}", V1 },
	{ "kube: a version that is no text", "{\"apiVersion\":1}", V1 },
	{ "kube: no JSON", V1 "beta1", V1 },
};

ROWS(kube_rows, kube_row)
{
	po_auto(secret) *text = NULL;
	json_auto_t *credential = NULL;

	assert_int_equal(setenv("KUBERNETES_EXEC_INFO", row->info, 1), 0);
	text = print(FORMAT_KUBE, "t", NULL, false, NULL);
	assert_int_equal(unsetenv("KUBERNETES_EXEC_INFO"), 0);
	credential = json_loads(secret_reveal(text), 0, NULL);
	assert_string_equal(json_text(credential, "apiVersion"), row->version);
}

/* Values that no server sends either: the quoting must not depend on it. */
TEST(env_survives_a_shell)
{
	static const char *const values[] = {
		"a.b-c_~+/==", "~",  "~root/x",   "a:~b", "$HOME", "`id`",
		"a b",         "'x", "\"x\\\"\\", "!!",   "*",     "x#y;z&",
	};
	char sh[] = "sh", option[] = "-c";
	char script[] = "eval \"$TEXT\"; printf %s-%s \"$ACCESS_TOKEN\" "
			"\"$ACCESS_TOKEN_EXPIRES_AT\"";
	char *const argv[] = { sh, option, script, NULL };

	for (size_t i = 0; i < PO_ARRAY_SIZE(values); i++) {
		po_auto(secret) *got = secret_new(64);
		struct child shell;
		po_auto(secret) *text =
			print(FORMAT_ENV, values[i], NULL, false, NULL);

		assert_int_equal(setenv("TEXT", secret_reveal(text), 1), 0);
		assert_int_equal(child_start(argv, 10, &shell, NULL), PO_OK);
		assert_int_equal(child_read_line(&shell, got, NULL), PO_OK);
		assert_int_equal(child_end(&shell), 0);
		assert_memory_equal(secret_reveal(got), values[i],
				    strlen(values[i]));
		assert_string_equal(secret_reveal(got) + strlen(values[i]),
				    "-1751405484");
	}
}

TEST(names_of_variables)
{
	static const char *const bad[] = { "",    "1A", "A-B",
					   "A B", "A=", "\xc3\xa4" };
	const struct access_token_view view = { .value = "t",
						.env_name = "A-B" };
	struct secret *text = NULL;
	struct po_error err = { 0 };

	assert_true(token_format_is_env_name("A1_b"));
	for (size_t i = 0; i < PO_ARRAY_SIZE(bad); i++)
		assert_false(token_format_is_env_name(bad[i]));
	assert_int_equal(token_format_print(FORMAT_ENV, &view, &text, &err),
			 PO_E_USAGE);
	assert_non_null(strstr(err.text, "'A-B'"));
	assert_null(text);
}

TEST(no_answer_no_json)
{
	const struct access_token_view view = { .value = "t" };
	struct secret *text = NULL;

	assert_int_equal(token_format_print(FORMAT_JSON, &view, &text, NULL),
			 PO_E_INTERNAL);
	assert_null(text);
}

/* The caller's own members stay as they were. */
TEST(the_answer_is_not_changed)
{
	json_auto_t *answer = json_pack("{s:s}", "access_token", "t");
	const struct access_token_view view = { .value = "t",
						.answer = answer,
						.expiry_is_assumed = true };
	po_auto(secret) *text = NULL;

	assert_int_equal(token_format_print(FORMAT_JSON, &view, &text, NULL),
			 PO_OK);
	assert_int_equal(json_object_size(answer), 1);
}

TEST(at_max_and_one_more)
{
	size_t max = 2 * (size_t)JSON_TEXT_MAX;
	char *value = malloc(max + 1);
	struct access_token_view view = { .value = value };
	po_auto(secret) *text = NULL;
	struct secret *none = NULL;

	assert_non_null(value);
	memset(value, 'x', max);
	value[max] = '\0';
	assert_int_equal(token_format_print(FORMAT_RAW, &view, &none, NULL),
			 PO_E_INTERNAL);
	assert_null(none);
	view.value = value + 1; /* and the newline */
	assert_int_equal(token_format_print(FORMAT_RAW, &view, &text, NULL),
			 PO_OK);
	assert_int_equal(secret_len(text), max);
	free(value);
}

TEST(failures)
{
	struct po_error err = { 0 };
	po_auto_buf out = { 0 }, small = { 0 };

	(void)po_fail(&err, PO_E_REFUSED, 401, "no: \"x\"\n\xc3");
	buf_init(&out, 1024);
	buf_init(&small, 20);
	assert_true(token_format_add_failure(&out, &err));
	assert_string_equal(buf_text(&out),
			    "{\"version\":1,\"success\":false,\"code\":\"13\","
			    "\"message\":\"no: \\\"x\\\"\\\\x0a\\\\xc3\"}\n");
	assert_false(token_format_add_failure(&small, &err));
}

TEST(words)
{
	enum token_format format = FORMAT_RAW;

	assert_true(token_format_parse("executable", &format));
	assert_int_equal(format, FORMAT_EXECUTABLE);
	for (int i = 0; token_format_words[i]; i++) {
		assert_true(token_format_parse(token_format_words[i], &format));
		assert_int_equal(format, i);
	}
	assert_false(token_format_parse("Raw", &format));
	assert_false(token_format_parse("", &format));
	assert_int_equal(format, FORMAT_EXECUTABLE);
}
