/* SPDX-License-Identifier: Apache-2.0 */
/* Files: read with a limit, private or refused, written whole or not at all. */
#include "base/fs.h"

#include "test-folder.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static size_t count_entries(void)
{
	DIR *dir = opendir(".");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	assert_int_equal(closedir(dir), 0);
	return n;
}

BEFORE_EACH
{
	folder_enter();
}

AFTER_EACH
{
	int left = access(".f.new", F_OK); /* fs_write_owned()'s own */

	folder_leave();
	assert_int_equal(left, -1);
}

TEST(read_at_max_and_one_more)
{
	struct po_error err = { 0 };
	po_auto_buf ok = { 0 }, small = { 0 };

	make("f", "12345", 0644);
	buf_init(&ok, 5);
	buf_init(&small, 4);
	assert_int_equal(fs_read("f", &ok, NULL), PO_OK);
	assert_string_equal(buf_text(&ok), "12345");
	assert_int_equal(fs_read("f", &small, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "'f' is larger than 4 bytes"));
}

TEST(read_empty)
{
	po_auto_buf out = { 0 };

	make("f", "", 0644);
	buf_init(&out, 5);
	assert_int_equal(fs_read("f", &out, NULL), PO_OK);
	assert_int_equal(out.len, 0);
}

TEST(read_absent_and_folder)
{
	struct po_error err = { 0 };
	po_auto_buf out = { 0 };

	buf_init(&out, 5);
	assert_int_equal(fs_read("absent", &out, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "'absent'"));
	po_error_clear(&err);
	assert_int_equal(fs_read(".", &out, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "directory"));
}

TEST(read_standard_input)
{
	int saved = dup(STDIN_FILENO);
	po_auto_buf out = { 0 };
	int fd;

	make("f", "from stdin", 0644);
	fd = open("f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	buf_init(&out, 50);
	assert_int_equal(fs_read("-", &out, NULL), PO_OK);
	assert_string_equal(buf_text(&out), "from stdin");
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(saved), 0);
	assert_int_equal(close(fd), 0);
}

TEST(secret_at_capacity_and_one_more)
{
	po_auto(secret) *ok = secret_new(100);
	po_auto(secret) *small = secret_new(99);
	char text[101];
	int fd;

	memset(text, 'p', 100);
	text[100] = '\0';
	make("f", text, 0600);
	fd = open("f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fs_read_secret_fd(fd, ok, NULL), PO_OK);
	assert_string_equal(secret_reveal(ok), text);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_not_equal(fs_read_secret_fd(fd, small, NULL), PO_OK);
	assert_int_equal(close(fd), 0);
	assert_int_equal(fs_read_secret_fd(-1, ok, NULL), PO_E_CONFIG);
}

struct mode_row {
	const char *name;
	mode_t mode;
	bool ok;
};

static const struct mode_row mode_rows[] = {
	{ "private: 0600", 0600, true },
	{ "private: 0400", 0400, true },
	{ "private: group may read", 0640, false },
	{ "private: group may write", 0620, false },
	{ "private: others may read", 0604, false },
	{ "private: others may execute", 0601, false },
	{ "private: all", 0777, false },
};

ROWS(mode_rows, mode_row)
{
	struct po_error err = { 0 };
	char path[] = "fs-test.XXXXXX";
	int fd = mkstemp(path), opened = -1;

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, row->mode), 0);
	assert_int_equal(fs_open_private(path, &opened, &err),
			 row->ok ? PO_OK : PO_E_CONFIG);
	assert_int_equal(opened >= 0, row->ok);
	if (!row->ok)
		assert_non_null(strstr(err.text, "chmod 600"));
	if (opened >= 0) {
		assert_true(fcntl(opened, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(close(opened), 0);
	}
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}

TEST(private_is_a_plain_file)
{
	struct po_error err = { 0 };
	int fd = -1;

	make("f", "x", 0600);
	assert_int_equal(symlink("f", "link"), 0);
	assert_int_equal(fs_open_private("link", &fd, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "symbolic link"));
	po_error_clear(&err);
	assert_int_equal(mkfifo("fifo", 0600), 0); /* and it does not hang */
	assert_int_equal(fs_open_private("fifo", &fd, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "regular"));
	po_error_clear(&err);
	assert_int_equal(fs_open_private(".", &fd, &err), PO_E_CONFIG);
	assert_int_equal(fs_open_private("absent", &fd, NULL), PO_E_CONFIG);
	assert_int_equal(fd, -1);
}

TEST(write_replaces)
{
	struct stat sb;
	po_auto_buf out = { 0 };

	make("f", "old and longer", 0644);
	buf_init(&out, 50);
	assert_int_equal(fs_write_private("f", "new", 3, NULL), PO_OK);
	assert_int_equal(fs_read("f", &out, NULL), PO_OK);
	assert_string_equal(buf_text(&out), "new");
	assert_int_equal(stat("f", &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(count_entries(), 3);
}

/* A reader that has the old file open goes on reading the old file. */
TEST(write_is_whole)
{
	char text[8] = "";
	int fd;

	make("f", "old", 0600);
	fd = open("f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fs_write_private("f", "new", 3, NULL), PO_OK);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "old");
	assert_int_equal(close(fd), 0);
}

TEST(write_fails_without_litter)
{
	struct po_error err = { 0 };
	char *path = malloc(5000);

	assert_int_equal(fs_write_private("absent/f", "new", 3, &err),
			 PO_E_CONFIG);
	assert_non_null(strstr(err.text, "absent/f"));
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(fs_write_private("folder", "new", 3, NULL),
			 PO_E_CONFIG);
	assert_int_equal(count_entries(), 3);
	assert_non_null(path);
	memset(path, 'a', 4999);
	path[4999] = '\0';
	assert_int_equal(fs_write_private(path, "new", 3, NULL), PO_E_CONFIG);
	free(path);
}

static const struct fs_owner unchanged = { (uid_t)-1, (gid_t)-1, 0640 };

/* The text of a file that nobody but us changes. */
static void assert_file(const char *path, const char *text, mode_t mode)
{
	po_auto_buf out = { 0 };
	struct stat sb;

	buf_init(&out, 100);
	assert_int_equal(lstat(path, &sb), 0);
	assert_true(S_ISREG(sb.st_mode));
	assert_int_equal(sb.st_mode & 07777, mode);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(fs_read(path, &out, NULL), PO_OK);
	assert_string_equal(buf_text(&out), text);
}

/* Whatever the umask: the mode is said, not asked for. */
TEST(owned_replaces)
{
	static const mode_t modes[] = { 0400, 0440, 0600, 0640, 0660 };
	mode_t had = umask(0777);
	struct fs_owner owner = unchanged;
	char path[PATH_MAX];

	make("f", "old and longer", 0600);
	for (size_t i = 0; i < PO_ARRAY_SIZE(modes); i++) {
		owner.mode = modes[i];
		assert_int_equal(fs_write_owned("f", &owner, "new", 3, NULL),
				 PO_OK);
		assert_file("f", "new", modes[i]);
	}
	(void)umask(had);
	assert_non_null(getcwd(path, sizeof(path) - 2));
	(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/f");
	assert_int_equal(fs_write_owned(path, &unchanged, "", 0, NULL), PO_OK);
	assert_file("f", "", 0640);
	assert_int_equal(count_entries(), 3);
}

TEST(owned_replaces_a_link)
{
	make("victim", "v", 0600);
	assert_int_equal(symlink("victim", "f"), 0);
	assert_int_equal(fs_write_owned("f", &unchanged, "new", 3, NULL),
			 PO_OK);
	assert_file("f", "new", 0640);
	assert_file("victim", "v", 0600);
}

/* One that a killed writer left, or that somebody laid as a trap. */
TEST(owned_takes_no_old_temporary_file)
{
	struct stat sb;
	int fd;
	char text[8] = "";

	make("victim", "v", 0600);
	assert_int_equal(symlink("victim", ".f.new"), 0);
	assert_int_equal(fs_write_owned("f", &unchanged, "new", 3, NULL),
			 PO_OK);
	assert_file("victim", "v", 0600);
	assert_file("f", "new", 0640);

	make(".f.new", "", 0666);
	fd = open(".f.new", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fs_write_owned("f", &unchanged, "newer", 5, NULL),
			 PO_OK);
	assert_file("f", "newer", 0640);
	assert_int_equal(read(fd, text, sizeof(text)), 0);
	assert_int_equal(fstat(fd, &sb), 0);
	assert_int_equal(sb.st_nlink, 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(".f.new"), -1);
}

TEST(owned_fails_without_litter)
{
	struct po_error err = { 0 };
	char *path = malloc(5000);

	assert_int_equal(fs_write_owned("absent/f", &unchanged, "x", 1, &err),
			 PO_E_CONFIG);
	assert_non_null(strstr(err.text, "no folder 'absent/'; create it"));
	po_error_clear(&err);
	make("plain", "", 0600);
	assert_int_equal(fs_write_owned("plain/f", &unchanged, "x", 1, &err),
			 PO_E_CONFIG);
	assert_non_null(strstr(err.text, "Not a directory"));
	assert_int_equal(unlink("plain"), 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(fs_write_owned("folder", &unchanged, "x", 1, NULL),
			 PO_E_CONFIG);
	assert_int_equal(fs_write_owned("folder/", &unchanged, "x", 1, NULL),
			 PO_E_CONFIG);
	assert_int_equal(unlink(".folder.new"), -1);
	assert_int_equal(count_entries(), 3);
	assert_non_null(path);
	memset(path, 'a', 4999);
	path[4999] = '\0';
	assert_int_equal(fs_write_owned(path, &unchanged, "x", 1, NULL),
			 PO_E_CONFIG);
	path[NAME_MAX - 5] = '\0'; /* as long as .NAME.new may be */
	assert_int_equal(fs_write_owned(path, &unchanged, "x", 1, NULL), PO_OK);
	assert_int_equal(unlink(path), 0);
	memset(path, 'a', NAME_MAX - 4);
	path[NAME_MAX - 4] = '\0';
	assert_int_equal(fs_write_owned(path, &unchanged, "x", 1, NULL),
			 PO_E_CONFIG);
	free(path);
}

/* Root can give files away; who cannot hears what it takes. */
TEST(owned_by_another)
{
	const struct fs_owner other = { 12345, 54321, 0640 };
	const struct fs_owner group = { (uid_t)-1, 54321, 0640 };
	struct po_error err = { 0 };
	enum po_status st;
	struct stat sb;

	st = fs_write_owned("f", &other, "new", 3, &err);
	if (geteuid() != 0) {
		assert_int_equal(st, PO_E_CONFIG);
		assert_non_null(strstr(err.text, "CAP_CHOWN"));
		assert_int_equal(count_entries(), 2);
		return;
	}
	assert_int_equal(st, PO_OK);
	assert_int_equal(stat("f", &sb), 0);
	assert_int_equal(sb.st_uid, 12345);
	assert_int_equal(sb.st_gid, 54321);
	assert_file("f", "new", 0640);
	assert_int_equal(fs_write_owned("f", &group, "new", 3, NULL), PO_OK);
	assert_int_equal(stat("f", &sb), 0);
	assert_int_equal(sb.st_uid, 0);
	assert_int_equal(sb.st_gid, 54321);
}

TEST(paths)
{
	struct po_error err = { 0 };

	assert_int_equal(fs_check_path("/a/b", 4, NULL), PO_OK);
	assert_int_equal(fs_check_path("/a/b", 3, NULL), PO_E_CONFIG);
	assert_int_equal(fs_check_path("", 9, NULL), PO_E_CONFIG);
	assert_int_equal(fs_check_path("/", 9, NULL), PO_E_CONFIG);
	assert_int_equal(fs_check_path("/a\x7f", 9, NULL), PO_E_CONFIG);
	assert_int_equal(fs_check_path("/\xc3\xa4", 9, NULL), PO_OK);
	assert_int_equal(fs_check_path("a/b", 9, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "'a/b' is a relative path"));
}
