/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/requester.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CGROUP_MAX 8192

/* A path may hold any byte, a JSON text may not. */
static json_t *text_or_null(const char *text)
{
	po_auto_buf shown = { 0 };

	buf_init(&shown, 4 * (size_t)PATH_MAX);
	if (!*text)
		return json_null();
	if (!text_add_printable(&shown, text, strlen(text)))
		return NULL;
	return json_string(buf_text(&shown));
}

json_t *requester_json(const struct requester *r)
{
	return json_pack("{s:I, s:I, s:I, s:o, s:o}", "uid", (json_int_t)r->uid,
			 "gid", (json_int_t)r->gid, "pid", (json_int_t)r->pid,
			 "executable", text_or_null(r->executable), "unit",
			 text_or_null(r->unit));
}

static bool take_id(const json_t *value, const char *name, json_int_t max,
		    json_int_t *ret_id)
{
	const json_t *id = json_object_get(value, name);

	*ret_id = json_integer_value(id);
	return json_is_integer(id) && *ret_id >= 0 && *ret_id <= max;
}

static bool take_text(const json_t *value, const char *name, char *out,
		      size_t size)
{
	const json_t *text = json_object_get(value, name);
	size_t len = json_string_length(text);

	out[0] = '\0';
	if (json_is_null(text))
		return true;
	if (!json_is_string(text) || len >= size)
		return false;
	memcpy(out, json_string_value(text), len + 1);
	return true;
}

bool requester_from_json(const json_t *value, struct requester *r)
{
	json_int_t uid, gid, pid;

	if (!take_id(value, "uid", UINT32_MAX, &uid) ||
	    !take_id(value, "gid", UINT32_MAX, &gid) ||
	    !take_id(value, "pid", INT32_MAX, &pid) ||
	    !take_text(value, "executable", r->executable,
		       sizeof(r->executable)) ||
	    !take_text(value, "unit", r->unit, sizeof(r->unit)))
		return false;
	r->uid = (uid_t)uid;
	r->gid = (gid_t)gid;
	r->pid = (pid_t)pid;
	return true;
}

static void read_executable(const char *folder, struct requester *r)
{
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/exe", folder);
	n = readlink(path, r->executable, sizeof(r->executable) - 1);
	r->executable[n > 0 ? n : 0] = '\0';
}

static bool ends_with(const char *word, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && memcmp(word + len - n, end, n) == 0;
}

static void take_unit(const char *line, size_t len,
		      char unit[static REQUESTER_UNIT_MAX])
{
	const char *end = line + len;

	for (const char *word = memchr(line, '/', len); word && word < end;) {
		const char *next;
		size_t n;

		word++;
		next = memchr(word, '/', (size_t)(end - word));
		n = (size_t)((next ? next : end) - word);
		if (n < REQUESTER_UNIT_MAX && (ends_with(word, n, ".service") ||
					       ends_with(word, n, ".scope"))) {
			memcpy(unit, word, n);
			unit[n] = '\0';
		}
		word = next;
	}
}

void requester_unit(const char *cgroup, char unit[static REQUESTER_UNIT_MAX])
{
	unit[0] = '\0';
	for (const char *line = cgroup; *line;) {
		size_t len = strcspn(line, "\n");

		/* the unified hierarchy, or systemd's own of version 1 */
		if (strncmp(line, "0::/", 4) == 0 ||
		    memmem(line, len, ":name=systemd:/", 15))
			take_unit(line, len, unit);
		line += len + (line[len] == '\n');
	}
}

static void read_unit(const char *folder, struct requester *r)
{
	char path[64], text[CGROUP_MAX];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/cgroup", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	requester_unit(text, r->unit);
}

void requester_of_pid(pid_t pid, uid_t uid, gid_t gid, struct requester *r)
{
	char folder[32];

	r->uid = uid;
	r->gid = gid;
	r->pid = pid;
	(void)snprintf(folder, sizeof(folder), "/proc/%d", (int)pid);
	read_executable(folder, r);
	read_unit(folder, r);
}

void requester_self(struct requester *r)
{
	requester_of_pid(getpid(), getuid(), getgid(), r);
}
