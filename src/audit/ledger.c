/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/ledger.h"

#include "audit/ledger_file.h"
#include "base/clock.h"
#include "base/dirs.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_TRIES 32 /* each for one rotation by another process */
#define LINES_MAX (3 * LEDGER_RECORD_MAX) /* rotate, torn and the record */
#define FIRST_MAX 4096 /* bytes: a record "rotate" is shorter */
#define ZEROS                              \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"
_Static_assert(sizeof(ZEROS) == LEDGER_HASH_LEN + 1, "one hash");

enum po_status ledger_default_path(char out[static PATH_MAX],
				   struct po_error *err)
{
	char folder[PATH_MAX];
	enum po_status st = dirs_make(DIRS_STATE, ".", folder, err);

	if (st != PO_OK)
		return st;
	if (!dirs_find(DIRS_STATE, LEDGER_FILE_NAME, out))
		return ledger_fail(err, ENAMETOOLONG, "open", LEDGER_FILE_NAME);
	return PO_OK;
}

/* ---- the file, locked ---------------------------------------------------- */

static enum po_status check_file(const struct stat *sb, const char *path,
				 struct po_error *err)
{
	if (!S_ISREG(sb->st_mode))
		return po_fail(err, PO_E_CONFIG, 0,
			       "'%s' is not a regular file", path);
	if (sb->st_uid != geteuid() && sb->st_uid != 0)
		return po_fail(err, PO_E_CONFIG, 0,
			       "'%s' belongs to another user (uid %u)", path,
			       (unsigned int)sb->st_uid);
	if (sb->st_mode & (S_IRWXG | S_IRWXO))
		return po_fail(err, PO_E_CONFIG, 0,
			       "'%s' is open to others (mode %04o); "
			       "chmod 600 it",
			       path, (unsigned int)(sb->st_mode & 07777));
	return PO_OK;
}

/* False: another process has rotated the file since it was opened. */
static bool is_still(const char *path, const struct stat *sb)
{
	struct stat now;

	return lstat(path, &now) == 0 && now.st_dev == sb->st_dev &&
	       now.st_ino == sb->st_ino;
}

/* Once; *ret_fd -1: the file was rotated meanwhile. */
static enum po_status try_open(const struct ledger *ledger, int *ret_fd,
			       struct po_error *err)
{
	const char *path = ledger->path;
	struct stat sb;
	enum po_status st;
	/* O_NONBLOCK: a FIFO must not hang us before it is refused */
	int fd = open(path,
		      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			      O_NONBLOCK,
		      0600);

	*ret_fd = -1;
	if (fd < 0)
		return ledger_fail(err, errno, "open", path);
	if (fstat(fd, &sb) != 0)
		st = ledger_fail(err, errno, "examine", path);
	else
		st = check_file(&sb, path, err);
	if (st == PO_OK)
		st = ledger_lock(ledger, fd, LOCK_EX, err);
	if (st == PO_OK && is_still(path, &sb))
		*ret_fd = fd;
	else
		(void)close(fd);
	return st;
}

static enum po_status open_locked(const struct ledger *ledger, int *ret_fd,
				  struct po_error *err)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		enum po_status st = try_open(ledger, ret_fd, err);

		if (st != PO_OK || *ret_fd >= 0)
			return st;
	}
	return po_fail(err, PO_E_CONFIG, EBUSY,
		       "'%s' is being replaced all the time", ledger->path);
}

/* ---- one writing --------------------------------------------------------- */

struct writing {
	const struct ledger *ledger;
	int fd; /* locked; owned */
	struct ledger_tail tail;
	struct ledger_place place; /* of the last record, written or to be */
	struct buf lines;          /* to be written at once; owned */
	char *torn;                /* owned; NULL: the last line is whole */
	size_t torn_len;
};

static void writing_clear(struct writing *w)
{
	if (w->fd >= 0)
		(void)close(w->fd); /* and with it the lock */
	w->fd = -1;
	free(w->torn);
	w->torn = NULL;
	buf_clear(&w->lines);
}

/* ---- lines --------------------------------------------------------------- */

static void time_now(const struct po_clock *clock, char out[static 32])
{
	int64_t now_ms = clock_now_ms(clock);
	time_t now_s = (time_t)(now_ms / 1000);
	struct tm tm;
	size_t n = gmtime_r(&now_s, &tm)
			   ? strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm)
			   : 0;

	(void)snprintf(out + n, 32 - n, ".%03dZ", (int)(now_ms % 1000));
}

/* Adds the line of one record, and moves the place on to it. */
static enum po_status add_line(struct writing *w, const json_t *record,
			       struct po_error *err)
{
	struct ledger_place *place = &w->place;
	char time[32], hash[LEDGER_HASH_LEN + 1];
	po_auto_buf members = { 0 };
	po_auto_buf line = { 0 };

	time_now(w->ledger->clock, time);
	buf_init(&members, LEDGER_RECORD_MAX);
	buf_init(&line, LEDGER_RECORD_MAX);
	if (!json_compact(&members, record) ||
	    !buf_addf(&line, "{\"seq\":%llu,\"time\":\"%s\",",
		      (unsigned long long)place->seq + 1, time) ||
	    !buf_add(&line, members.data + 1, members.len - 2) ||
	    !buf_addf(&line, ",\"prev\":\"%s\"", place->hash) ||
	    !ledger_sha256(line.data, line.len, hash) ||
	    !buf_addf(&line, LEDGER_HASH_MEMBER "%s\"}\n", hash))
		return po_fail(err, PO_E_INTERNAL, 0,
			       "a record of more than %d bytes",
			       LEDGER_RECORD_MAX);
	if (!buf_add(&w->lines, line.data, line.len))
		return po_no_memory(err);
	place->seq++;
	memcpy(place->hash, hash, sizeof(hash));
	return PO_OK;
}

static enum po_status check_record(const json_t *record, struct po_error *err)
{
	static const char *const ours[] = { "seq", "time", "prev", "hash" };
	bool sound = json_object_size(record) > 0;

	for (size_t i = 0; sound && i < PO_ARRAY_SIZE(ours); i++)
		sound = !json_object_get(record, ours[i]);
	if (sound)
		return PO_OK;
	return po_fail(err, PO_E_INTERNAL, 0, "no record for a ledger");
}

/* Takes over record; NULL: there was no memory for it. */
static enum po_status add_event(struct writing *w, json_t *record,
				struct po_error *err)
{
	enum po_status st =
		record ? add_line(w, record, err) : po_no_memory(err);

	json_decref(record);
	return st;
}

static enum po_status read_torn(struct writing *w, struct po_error *err)
{
	size_t len = (size_t)(w->tail.size - w->tail.end);
	ssize_t n;

	w->torn = malloc(len);
	if (!w->torn)
		return po_no_memory(err);
	n = pread(w->fd, w->torn, len, w->tail.end);
	if (n != (ssize_t)len)
		return ledger_fail(err, n < 0 ? errno : EIO, "read",
				   w->ledger->path);
	w->torn_len = len;
	return PO_OK;
}

/* What a writer left that was killed is evidence of that, and no more. */
static enum po_status add_torn(struct writing *w, struct po_error *err)
{
	char hash[LEDGER_HASH_LEN + 1];
	enum po_status st = read_torn(w, err);

	if (st != PO_OK)
		return st;
	if (!ledger_sha256(w->torn, w->torn_len, hash))
		return po_no_memory(err);
	return add_event(w,
			 json_pack("{s:s, s:I, s:s}", "event", "torn", "bytes",
				   (json_int_t)w->torn_len, "sha256", hash),
			 err);
}

static enum po_status place_in(const char *path, struct ledger_place *ret_place,
			       struct po_error *err)
{
	struct ledger_tail tail;
	enum po_status st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return ledger_fail(err, errno, "open", path);
	st = ledger_read_tail(fd, path, &tail, err);
	(void)close(fd);
	if (st == PO_OK)
		*ret_place = tail.place;
	return st;
}

/* Where the chain stands when the file itself is new: in the last full one,
 * if there is one. old: its path, or "". */
static enum po_status last_full(const char *path, char old[static PATH_MAX],
				struct ledger_place *ret_place,
				struct po_error *err)
{
	struct ledger_numbers numbers;
	enum po_status st = ledger_numbers_of(path, &numbers, err);
	unsigned int last;

	old[0] = '\0';
	if (st != PO_OK)
		return st;
	last = numbers.count ? numbers.items[numbers.count - 1] : 0;
	ledger_numbers_clear(&numbers);
	if (last == 0)
		return PO_OK;
	if (!ledger_numbered(path, last, old))
		return ledger_fail(err, ENAMETOOLONG, "open", path);
	return place_in(old, ret_place, err);
}

/*
 * A new file goes on with the chain of the last full one, whoever made it:
 * between the renaming and this, any process may have come first.
 */
static enum po_status add_rotate(struct writing *w, struct po_error *err)
{
	po_auto_buf from = { 0 };
	char old[PATH_MAX];
	enum po_status st = last_full(w->ledger->path, old, &w->place, err);

	if (st != PO_OK || !old[0])
		return st;
	buf_init(&from, 4 * (size_t)PATH_MAX); /* a name need not be UTF-8 */
	if (!text_add_printable(&from, basename(old), strlen(basename(old))))
		return po_no_memory(err);
	return add_event(w,
			 json_pack("{s:s, s:s}", "event", "rotate", "from",
				   buf_text(&from)),
			 err);
}

/* Opens the file, and prepares what has to come before any other record. */
static enum po_status start(struct writing *w, const struct ledger *ledger,
			    struct po_error *err)
{
	enum po_status st;

	*w = (struct writing){ .ledger = ledger, .fd = -1 };
	memcpy(w->place.hash, ZEROS, sizeof(w->place.hash));
	buf_init(&w->lines, LINES_MAX);
	st = open_locked(ledger, &w->fd, err);
	if (st == PO_OK)
		st = ledger_read_tail(w->fd, ledger->path, &w->tail, err);
	if (st != PO_OK)
		return st;
	if (w->tail.place.seq)
		w->place = w->tail.place;
	else
		st = add_rotate(w, err);
	if (st == PO_OK && w->tail.end < w->tail.size)
		st = add_torn(w, err);
	return st;
}

/* 0, or errno. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A new name is on the disk when its folder is. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd, e = 0;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (fsync(fd) != 0 && errno != EINVAL)
		e = errno;
	(void)close(fd);
	return e;
}

/* The file as it was found. What cannot be undone shows as torn. */
static void undo(const struct writing *w)
{
	if (ftruncate(w->fd, w->tail.end) == 0 && w->torn)
		(void)write_all(w->fd, w->torn, w->torn_len);
}

static enum po_status commit(const struct writing *w, bool sync,
			     struct po_error *err)
{
	int e = 0;

	if (w->torn && ftruncate(w->fd, w->tail.end) != 0)
		return ledger_fail(err, errno, "cut", w->ledger->path);
	e = write_all(w->fd, w->lines.data, w->lines.len);
	if (!e && sync && fdatasync(w->fd) != 0)
		e = errno;
	if (!e && sync && w->tail.size == 0)
		e = sync_folder(w->ledger->path);
	if (!e)
		return PO_OK;
	undo(w);
	return ledger_fail(err, e, "write", w->ledger->path);
}

/* ---- full files ---------------------------------------------------------- */

/* The number of the file before, as the first record tells; 0: none. */
static unsigned int number_before(int fd)
{
	char text[FIRST_MAX];
	json_auto_t *record = NULL;
	ssize_t n = pread(fd, text, sizeof(text), 0);
	const char *end = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
	const char *from;

	if (!end || json_parse_object(text, (size_t)(end - text), &record,
				      NULL) != PO_OK)
		return 0;
	from = json_text(record, "from");
	return from ? ledger_number_in(from) : 0;
}

/* A number is not given twice, though old files were moved away. */
static enum po_status next_name(const struct writing *w,
				char out[static PATH_MAX], struct po_error *err)
{
	struct ledger_numbers numbers;
	unsigned int last = number_before(w->fd);
	enum po_status st = ledger_numbers_of(w->ledger->path, &numbers, err);

	if (st != PO_OK)
		return st;
	if (numbers.count && numbers.items[numbers.count - 1] > last)
		last = numbers.items[numbers.count - 1];
	ledger_numbers_clear(&numbers);
	if (last >= LEDGER_NUMBER_MAX ||
	    !ledger_numbered(w->ledger->path, last + 1, out))
		return ledger_fail(err, ENAMETOOLONG, "rename",
				   w->ledger->path);
	return PO_OK;
}

static enum po_status put_aside(const struct writing *w,
				char ret_old[static PATH_MAX],
				struct po_error *err)
{
	enum po_status st = next_name(w, ret_old, err);

	if (st == PO_OK && rename(w->ledger->path, ret_old) != 0)
		st = ledger_fail(err, errno, "rename", w->ledger->path);
	return st;
}

/*
 * A folder that lets nobody rename makes for a large file, not for a key that
 * cannot be used.
 */
static enum po_status start_with_room(struct writing *w,
				      const struct ledger *ledger,
				      struct po_error *err)
{
	char old[PATH_MAX];
	enum po_status st = start(w, ledger, err);

	if (st != PO_OK || w->tail.end < LEDGER_ROTATE_BYTES || w->torn ||
	    put_aside(w, old, NULL) != PO_OK)
		return st;
	writing_clear(w);
	return start(w, ledger, err);
}

enum po_status ledger_append(const struct ledger *ledger, const json_t *record,
			     bool sync, struct ledger_place *ret_place,
			     struct po_error *err)
{
	struct writing w;
	enum po_status st = check_record(record, err);

	if (st != PO_OK)
		return st;
	st = start_with_room(&w, ledger, err);
	if (st == PO_OK)
		st = add_line(&w, record, err);
	if (st == PO_OK)
		st = commit(&w, sync, err);
	writing_clear(&w);
	if (st == PO_OK && ret_place)
		*ret_place = w.place;
	return st;
}

enum po_status ledger_rotate(const struct ledger *ledger, char *ret_old,
			     struct po_error *err)
{
	char old[PATH_MAX];
	struct writing w;
	enum po_status st = start(&w, ledger, err);

	/* a full file ends in a whole line */
	if (st == PO_OK && w.lines.len > 0)
		st = commit(&w, /* sync= */ true, err);
	if (st == PO_OK && w.place.seq == 0)
		st = po_fail(err, PO_E_CONFIG, 0, "'%s' holds no record yet",
			     ledger->path);
	if (st == PO_OK)
		st = put_aside(&w, old, err);
	writing_clear(&w);
	if (st != PO_OK)
		return st;
	st = start(&w, ledger, err);
	if (st == PO_OK && w.lines.len > 0)
		st = commit(&w, /* sync= */ true, err);
	writing_clear(&w);
	if (st == PO_OK && ret_old)
		memcpy(ret_old, old, sizeof(old));
	return st;
}

enum po_status ledger_place_of(const struct ledger *ledger,
			       struct ledger_place *ret_place,
			       struct po_error *err)
{
	const char *path = ledger->path;
	struct ledger_place place = { .hash = ZEROS };
	struct ledger_tail tail = { .size = 0 };
	enum po_status st = PO_OK;
	char old[PATH_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno != ENOENT)
		return ledger_fail(err, errno, "open", path);
	if (fd >= 0) {
		st = ledger_lock(ledger, fd, LOCK_SH, err);
		if (st == PO_OK)
			st = ledger_read_tail(fd, path, &tail, err);
		(void)close(fd);
	}
	if (st == PO_OK && tail.place.seq)
		place = tail.place;
	else if (st == PO_OK)
		st = last_full(path, old, &place, err);
	if (st == PO_OK)
		*ret_place = place;
	return st;
}
