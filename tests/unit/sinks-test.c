/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks: what is in them, whose they are, and when. */
#include "agent/sinks.h"

#include "base/fs.h"
#include "test-folder.h"
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX / 2];

BEFORE_EACH
{
	folder_enter();
	assert_non_null(getcwd(folder, sizeof(folder)));
}

AFTER_EACH
{
	folder_leave();
}

/* The caller's; "sink" N stands at conf:N. */
static struct profile *profile_with(size_t count)
{
	struct profile *p = profile_new("p");
	int n;

	assert_non_null(p);
	p->sinks = calloc(count, sizeof(*p->sinks));
	assert_non_null(p->sinks);
	p->sink_count = count;
	for (size_t i = 0; i < count; i++) {
		struct sink *s = &p->sinks[i];

		n = asprintf(&s->path, "%s/%c", folder, (char)('a' + i));
		assert_true(n > 0);
		s->mode = 0600;
		s->file = "conf";
		s->line = (int)i + 1;
	}
	return p;
}

static enum po_status write_token(const struct profile *p, const char *value,
				  struct po_error *err)
{
	json_auto_t *answer = json_pack("{s:s}", "access_token", value);
	const struct access_token_view view = { .value = value,
						.answer = answer,
						.expires_at_s = 1751405484,
						.expires_in_s = 300 };

	return sinks_write(p, &view, err);
}

static void assert_file(const char *path, const char *text, mode_t mode)
{
	po_auto_buf out = { 0 };
	struct stat sb;

	buf_init(&out, 4096);
	assert_int_equal(lstat(path, &sb), 0);
	assert_true(S_ISREG(sb.st_mode));
	assert_int_equal(sb.st_mode & 07777, mode);
	assert_int_equal(fs_read(path, &out, NULL), PO_OK);
	assert_string_equal(buf_text(&out), text);
}

TEST(no_sinks_no_files)
{
	po_auto(profile) *p = profile_new("p");

	assert_int_equal(write_token(p, "t", NULL), PO_OK);
	sinks_remove(p);
}

TEST(each_is_written_and_goes)
{
	po_auto(profile) *p = profile_with(2);

	p->sinks[1].mode = 0640;
	p->sinks[1].format = strdup("header");
	assert_int_equal(write_token(p, "t1", NULL), PO_OK);
	assert_file("a", "t1\n", 0600);
	assert_file("b", "Authorization: Bearer t1\n", 0640);
	assert_int_equal(write_token(p, "t2", NULL), PO_OK);
	assert_file("a", "t2\n", 0600);
	assert_file("b", "Authorization: Bearer t2\n", 0640);
	assert_int_equal(unlink("a"), 0);
	sinks_remove(p); /* one is gone already */
	assert_int_equal(access("b", F_OK), -1);
}

/* What a section may say is what can be written, and is written so. */
TEST(all_formats)
{
	static const char *const texts[] = {
		"t\n",
		"{\"access_token\":\"t\",\"expires_at\":1751405484}\n",
		"Authorization: Bearer t\n",
		"ACCESS_TOKEN=t\nACCESS_TOKEN_EXPIRES_AT=1751405484\n",
		"{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
		"\"ExecCredential\",\"status\":{\"token\":\"t\","
		"\"expirationTimestamp\":\"2025-07-01T21:31:24Z\"}}\n",
		"{\"version\":1,\"success\":true,\"token_type\":"
		"\"urn:ietf:params:oauth:token-type:jwt\",\"id_token\":\"t\","
		"\"expiration_time\":1751405484}\n",
	};
	size_t n = 0;

	for (; sink_formats[n]; n++) {
		po_auto(profile) *p = profile_with(1);

		assert_string_equal(sink_formats[n], token_format_words[n]);
		p->sinks[0].format = strdup(sink_formats[n]);
		assert_int_equal(write_token(p, "t", NULL), PO_OK);
		assert_file("a", texts[n], 0600);
	}
	assert_null(token_format_words[n]);
	assert_int_equal(n, PO_ARRAY_SIZE(texts));
}

/*
 * Of the events of the new file: each change of owner or mode comes before the
 * first byte, so whoever may open it then may open it now.
 */
TEST(mode_before_secret)
{
	po_auto(profile) *p = profile_with(1);
	char events[4096] __attribute__((aligned(8)));
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int attributes = 0, bytes = 0, moves = 0;
	ssize_t len;

	p->sinks[0].mode = 0440;
	assert_true(fd >= 0);
	assert_true(inotify_add_watch(fd, folder,
				      IN_ATTRIB | IN_MODIFY | IN_MOVED_TO) >=
		    0);
	assert_int_equal(write_token(p, "t", NULL), PO_OK);
	len = read(fd, events, sizeof(events));
	assert_true(len > 0);
	for (char *at = events; at < events + len;) {
		const struct inotify_event *e = (const void *)at;

		at += sizeof(*e) + e->len;
		if (e->mask & IN_ATTRIB) {
			assert_int_equal(bytes, 0);
			attributes++;
		}
		bytes += (e->mask & IN_MODIFY) != 0;
		if (e->mask & IN_MOVED_TO) {
			assert_true(bytes > 0);
			assert_string_equal(e->name, "a");
			moves++;
		} else {
			assert_string_equal(e->name, ".a.new");
		}
	}
	assert_true(attributes > 0);
	assert_int_equal(moves, 1);
	assert_file("a", "t\n", 0440);
	assert_int_equal(close(fd), 0);
}

/* By name and by number; only root can give a file away. */
TEST(owner_and_group)
{
	po_auto(profile) *p = profile_with(2);
	struct po_error err = { 0 };
	struct stat sb;

	p->sinks[0].owner = strdup("daemon");
	p->sinks[0].group = strdup("4321");
	p->sinks[1].owner = strdup("4321");
	if (geteuid() != 0) {
		assert_int_equal(write_token(p, "t", &err), PO_E_CONFIG);
		assert_non_null(strstr(err.text, "CAP_CHOWN"));
		assert_int_equal(access("a", F_OK), -1);
		return;
	}
	assert_int_equal(write_token(p, "t", NULL), PO_OK);
	assert_int_equal(stat("a", &sb), 0);
	assert_int_equal(sb.st_uid, 1);
	assert_int_equal(sb.st_gid, 4321);
	assert_int_equal(stat("b", &sb), 0);
	assert_int_equal(sb.st_uid, 4321);
	assert_int_equal(sb.st_gid, getegid());
}

TEST(unknown_accounts)
{
	po_auto(profile) *p = profile_with(2);
	struct po_error err = { 0 };

	p->sinks[0].owner = strdup("nobody-has-this-name");
	p->sinks[1].group = strdup("nor-this");
	assert_int_equal(write_token(p, "t", &err), PO_E_CONFIG);
	assert_string_equal(err.text, "conf:1: sink: owner: there is no user "
				      "'nobody-has-this-name'");
	free(p->sinks[0].owner);
	p->sinks[0].owner = NULL;
	po_error_clear(&err);
	assert_int_equal(write_token(p, "t", &err), PO_E_CONFIG);
	assert_string_equal(
		err.text, "conf:2: sink: group: there is no group 'nor-this'");
	assert_file("a", "t\n", 0600);
	assert_int_equal(access("b", F_OK), -1);
}

/* One that fails does not keep the others back; the first one is told. */
TEST(missing_folder)
{
	po_auto(profile) *p = profile_with(3);
	struct po_error err = { 0 };

	free(p->sinks[0].path);
	p->sinks[0].path = strdup("/nowhere/at/all/a");
	free(p->sinks[2].path);
	p->sinks[2].path = strdup("/nowhere/else/c");
	assert_int_equal(write_token(p, "t", &err), PO_E_CONFIG);
	assert_string_equal(err.text,
			    "conf:1: sink: cannot write '/nowhere/at/all/a': "
			    "there is no folder '/nowhere/at/all/'; create it "
			    "first");
	assert_file("b", "t\n", 0600);
}

TEST(a_link_is_replaced)
{
	po_auto(profile) *p = profile_with(1);
	struct stat sb;

	assert_int_equal(fs_write_private("victim", "v", 1, NULL), PO_OK);
	assert_int_equal(symlink("victim", "a"), 0);
	assert_int_equal(write_token(p, "t", NULL), PO_OK);
	assert_file("a", "t\n", 0600);
	assert_file("victim", "v", 0600);
	assert_int_equal(unlink("a"), 0);
	assert_int_equal(symlink("victim", "a"), 0);
	sinks_remove(p);
	assert_int_equal(lstat("a", &sb), -1);
	assert_file("victim", "v", 0600);
}

/* What is no file stays; nothing is lost that is not ours. */
TEST(a_folder_stays)
{
	po_auto(profile) *p = profile_with(1);

	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(write_token(p, "t", NULL), PO_E_CONFIG);
	sinks_remove(p);
	assert_int_equal(access("a", F_OK), 0);
	assert_int_equal(access(".a.new", F_OK), -1);
}
