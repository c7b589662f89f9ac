/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/output.h"

#include "base/fs.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSON_OUTPUT_MAX (64 * 1024 * 1024)

static int result_fd = STDOUT_FILENO;

enum po_status output_init(struct po_error *err)
{
	int null;

	/* a file that we open must never take the place of a stream */
	do {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (null >= 0 && null <= STDERR_FILENO);
	result_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (null < 0 || result_fd < 0 || dup2(null, STDOUT_FILENO) < 0)
		return po_fail(err, PO_E_INTERNAL, errno,
			       "cannot set up standard output: %s",
			       strerror(errno));
	(void)close(null);
	return PO_OK;
}

void output_show_chatter(bool show)
{
	if (show && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		log_warn("what the module prints is lost");
}

bool output_give_back(void)
{
	return dup2(result_fd, STDOUT_FILENO) >= 0;
}

static enum po_status put(const char *data, size_t len, struct po_error *err)
{
	while (len > 0) {
		ssize_t n = write(result_fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return po_fail(err, PO_E_INTERNAL, errno,
				       "cannot write the result: %s",
				       strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return PO_OK;
}

enum po_status output_text(const char *text, struct po_error *err)
{
	return put(text, strlen(text), err);
}

static int add_chunk(const char *data, size_t len, void *out)
{
	return buf_add(out, data, len) ? 0 : -1;
}

enum po_status output_json(const json_t *value, struct po_error *err)
{
	po_auto_buf text = { 0 };

	buf_init(&text, JSON_OUTPUT_MAX);
	if (json_dump_callback(value, add_chunk, &text, JSON_INDENT(2)) != 0 ||
	    !buf_adds(&text, "\n"))
		return po_no_memory(err);
	return put(text.data, text.len, err);
}

static bool others_may_read(int fd)
{
	struct stat sb;

	return fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
	       (sb.st_mode & (S_IRGRP | S_IROTH));
}

enum po_status output_credential(const char *path, const char *text, size_t len,
				 struct po_error *err)
{
	po_auto_buf line = { 0 };

	buf_init(&line, len + 1);
	if (!buf_add(&line, text, len) || !buf_adds(&line, "\n"))
		return po_no_memory(err);
	if (path)
		return po_context(
			err, fs_write_private(path, line.data, line.len, err),
			"--output");
	if (others_may_read(result_fd))
		log_warn("others can read the file that the credential goes "
			 "to; --output writes one that they cannot");
	return put(line.data, line.len, err);
}
