/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "cmd/agent-connect.h"
#include "cmd/options.h"
#include "cmd/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct status_opts {
	const char *socket;
};

static const struct opt opts[] = {
	{ "socket", 0, OPT_STRING, offsetof(struct status_opts, socket), "PATH",
	  "the agent's socket", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

#define DURATION_LEN 32

/* "90 s", "12 min", "3 h", "80 days": the unit that has two digits or so. */
static const char *duration(int64_t s, char out[static DURATION_LEN])
{
	static const struct {
		int64_t from_s, unit_s;
		const char *unit;
	} units[] = { { (int64_t)2 * 86400, 86400, "days" },
		      { 2 * 3600, 3600, "h" },
		      { 2 * 60, 60, "min" },
		      { INT64_MIN, 1, "s" } };
	size_t i = 0;

	while (s < units[i].from_s)
		i++;
	(void)snprintf(out, DURATION_LEN, "%" PRId64 " %s", s / units[i].unit_s,
		       units[i].unit);
	return out;
}

static int64_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *names(const json_t *list, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name && !buf_addf(out, "%s%s", i ? ", " : "", name))
			break; /* the first of very many */
	}
	return buf_text(out);
}

/* ---- parts -------------------------------------------------------------- */

static bool add_head(struct buf *out, const json_t *s, const char *socket)
{
	char up[DURATION_LEN];

	return agent_add_line(out,
			      "agent %s, process %" PRId64 ", up %s, at %s",
			      agent_text(s, "version", "?"), number(s, "pid"),
			      duration(number(s, "uptime_s"), up), socket);
}

static const char *state_of(const json_t *profile)
{
	if (json_is_false(json_object_get(profile, "allowed")))
		return "not allowed to you";
	return json_is_true(json_object_get(profile, "locked")) ? "locked"
								: "unlocked";
}

static bool add_certificate(struct buf *out, const json_t *c)
{
	const json_t *after = json_object_get(c, "not_after");
	const json_t *warning = json_object_get(c, "warning");
	int64_t days = number(c, "days_left");
	char until[32] = "?";

	if (!json_is_object(c))
		return true;
	if (json_is_string(after))
		(void)snprintf(until, sizeof(until), "%s",
			       json_string_value(after));
	else if (json_is_integer(after))
		text_utc(until, json_integer_value(after));
	return agent_add_line(out,
			      "  certificate   %s, %s%" PRId64 " days%s, %s",
			      agent_text(c, "subject", "?"),
			      days < 0 ? "ended " : "", days < 0 ? -days : days,
			      days < 0 ? " ago" : " left", until) &&
	       (!json_is_integer(warning) ||
		agent_add_line(out, days < 0
					    ? "  WARNING       the certificate "
					      "has ended"
					    : "  WARNING       the certificate "
					      "ends soon; renew it"));
}

static bool add_access_token(struct buf *out, const json_t *t)
{
	const json_t *error = json_object_get(t, "last_error");
	int64_t failures = number(t, "failures");
	char ends[DURATION_LEN], renewed[DURATION_LEN];

	if (!agent_add_line(out,
			    "  access token  %s: ends in %s, renewed in %s",
			    agent_text(t, "scope", "(no scope)"),
			    duration(number(t, "expires_in"), ends),
			    duration(number(t, "renewal_in"), renewed)))
		return false;
	if (failures > 0 &&
	    !agent_add_line(out, "                %" PRId64 " failures",
			    failures))
		return false;
	return !json_is_object(error) ||
	       agent_add_line(out, "                last error: %s (%s)",
			      agent_text(error, "message", "?"),
			      agent_text(error, "status", "?"));
}

static bool add_profile(struct buf *out, const json_t *p)
{
	const json_t *token = json_object_get(p, "token");
	const json_t *list = json_object_get(p, "access_tokens");

	if (!agent_add_line(out, "profile %s: %s", agent_text(p, "name", "?"),
			    state_of(p)) ||
	    (json_is_object(token) &&
	     !agent_add_line(out, "  token         '%s', serial %s: %s",
			     agent_text(token, "label", "?"),
			     agent_text(token, "serial", "?"),
			     agent_text(token, "state", "unknown"))) ||
	    !add_certificate(out, json_object_get(p, "certificate")))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!add_access_token(out, json_array_get(list, i)))
			return false;
	return true;
}

static bool add_worker(struct buf *out, const json_t *w)
{
	po_auto_buf profiles = { 0 };

	buf_init(&profiles, 2048);
	return agent_add_line(out,
			      "worker %s: %s, process %" PRId64 ", %" PRId64
			      " restarts, for %s",
			      agent_text(w, "module", "?"),
			      agent_text(w, "state", "?"), number(w, "pid"),
			      number(w, "restarts"),
			      names(json_object_get(w, "profiles"), &profiles));
}

static bool add_all(struct buf *out, const json_t *s, const char *socket)
{
	const json_t *profiles = json_object_get(s, "profiles");
	const json_t *workers = json_object_get(s, "workers");
	const json_t *ledger = json_object_get(s, "ledger");

	if (!add_head(out, s, socket))
		return false;
	for (size_t i = 0; i < json_array_size(profiles); i++)
		if (!add_profile(out, json_array_get(profiles, i)))
			return false;
	for (size_t i = 0; i < json_array_size(workers); i++)
		if (!add_worker(out, json_array_get(workers, i)))
			return false;
	return !json_is_object(ledger) ||
	       agent_add_line(out, "ledger %s: record %" PRId64 ", %s",
			      agent_text(ledger, "path", "?"),
			      number(ledger, "seq"),
			      agent_text(ledger, "hash", "?"));
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct status_opts *o = ctx->opts;
	json_auto_t *status = NULL;
	po_auto_buf text = { 0 };
	struct agent_client agent;
	enum po_status st = agent_connect(ctx, o->socket, &agent, err);

	if (st == PO_OK)
		st = agent_get_status(&agent, &status, err);
	if (st != PO_OK)
		return st;
	if (ctx->json)
		return output_json(status, err);
	buf_init(&text, (size_t)4 * JSON_TEXT_MAX);
	if (!add_all(&text, status, agent.socket))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

const struct cmd cmd_status = {
	.name = "status",
	.summary = "show what the agent holds",
	.operands = "",
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct status_opts),
	.run = run,
};
