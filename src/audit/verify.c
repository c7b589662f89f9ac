/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/verify.h"

#include "audit/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE (2 * LEDGER_RECORD_MAX)

struct line {
	const char *file;
	uint64_t number;  /* from 1 */
	const char *text; /* without its newline */
	size_t len;
	bool is_unfinished; /* there is no newline */
	bool is_in_newest;  /* file */
};

/* ---- the lines of all files ---------------------------------------------- */

struct walk {
	const struct ledger *ledger;
	enum po_status (*each)(void *user, const struct line *line,
			       struct po_error *err);
	void *user;
	size_t files;
};

struct reader { /* of one file */
	int fd;
	off_t left; /* to be read: what came later is not of this ledger */
	struct line line;
	char *text; /* READ_SIZE bytes; owned */
	size_t len;
};

static enum po_status fault(struct po_error *err, const struct line *l,
			    const char *what)
{
	return po_fail(err, PO_E_CRYPTO, 0, "%s:%llu: %s", l->file,
		       (unsigned long long)l->number, what);
}

/* Hands out the whole lines that are in the buffer; moves the rest down. */
static enum po_status take_lines(const struct walk *w, struct reader *r,
				 struct po_error *err)
{
	enum po_status st = PO_OK;
	const char *from = r->text;
	const char *end = r->text + r->len;
	const char *newline;

	while (st == PO_OK &&
	       (newline = memchr(from, '\n', (size_t)(end - from)))) {
		r->line.number++;
		r->line.text = from;
		r->line.len = (size_t)(newline - from);
		st = w->each(w->user, &r->line, err);
		from = newline + 1;
	}
	r->len = (size_t)(end - from);
	memmove(r->text, from, r->len);
	return st;
}

static enum po_status read_some(struct reader *r, struct po_error *err)
{
	size_t room = READ_SIZE - r->len;
	size_t want = r->left < (off_t)room ? (size_t)r->left : room;
	ssize_t n = read(r->fd, r->text + r->len, want);

	if (n < 0 && errno == EINTR)
		return PO_OK;
	if (n < 0)
		return ledger_fail(err, errno, "read", r->line.file);
	r->len += (size_t)n;
	r->left = n > 0 ? r->left - n : 0;
	return PO_OK;
}

static enum po_status read_lines(const struct walk *w, struct reader *r,
				 struct po_error *err)
{
	enum po_status st = PO_OK;

	while (st == PO_OK && r->left > 0) {
		st = read_some(r, err);
		if (st == PO_OK)
			st = take_lines(w, r, err);
		if (st == PO_OK && r->len > LEDGER_RECORD_MAX) {
			r->line.number++;
			st = fault(err, &r->line, "the line is too long");
		}
	}
	if (st != PO_OK || r->len == 0)
		return st;
	r->line.number++;
	r->line.text = r->text;
	r->line.len = r->len;
	r->line.is_unfinished = true;
	return w->each(w->user, &r->line, err);
}

static enum po_status size_of(int fd, const char *file, off_t *ret_size,
			      struct po_error *err)
{
	struct stat sb;

	if (fstat(fd, &sb) != 0)
		return ledger_fail(err, errno, "examine", file);
	if (!S_ISREG(sb.st_mode))
		return po_fail(err, PO_E_CONFIG, 0,
			       "'%s' is not a regular file", file);
	*ret_size = sb.st_size;
	return PO_OK;
}

static enum po_status walk_file(struct walk *w, int fd, struct line line,
				off_t size, struct po_error *err)
{
	struct reader r = { .fd = fd, .left = size, .line = line };
	enum po_status st;

	r.text = malloc(READ_SIZE);
	if (!r.text)
		return po_no_memory(err);
	w->files++;
	st = read_lines(w, &r, err);
	free(r.text);
	return st;
}

static enum po_status walk_full(struct walk *w, unsigned int number,
				bool is_newest, struct po_error *err)
{
	char file[PATH_MAX];
	struct line line = { .file = file, .is_in_newest = is_newest };
	enum po_status st;
	off_t size = 0;
	int fd;

	if (!ledger_numbered(w->ledger->path, number, file))
		return ledger_fail(err, ENAMETOOLONG, "open", w->ledger->path);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ledger_fail(err, errno, "open", file);
	st = size_of(fd, file, &size, err);
	if (st == PO_OK)
		st = walk_file(w, fd, line, size, err);
	(void)close(fd);
	return st;
}

/* The ledger as it is at one moment; fd -1: the file itself is not there. */
struct extent {
	int fd;
	off_t size;
	struct ledger_numbers numbers; /* owned */
};

static enum po_status measure(const struct ledger *ledger, struct extent *e,
			      struct po_error *err)
{
	const char *path = ledger->path;
	enum po_status st = PO_OK;

	*e = (struct extent){ .size = 0 };
	e->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (e->fd < 0 && errno != ENOENT)
		return ledger_fail(err, errno, "open", path);
	/* under the lock nobody is in the middle of a line, or of a rotation */
	if (e->fd >= 0)
		st = ledger_lock(ledger, e->fd, LOCK_SH, err);
	if (st == PO_OK)
		st = ledger_numbers_of(path, &e->numbers, err);
	if (st == PO_OK && e->fd >= 0)
		st = size_of(e->fd, path, &e->size, err);
	if (e->fd >= 0)
		(void)flock(e->fd, LOCK_UN);
	if (st == PO_OK && e->fd < 0 && e->numbers.count == 0)
		st = ledger_fail(err, ENOENT, "open", path);
	return st;
}

static enum po_status walk(struct walk *w, struct po_error *err)
{
	struct line line = { .file = w->ledger->path, .is_in_newest = true };
	struct extent e;
	enum po_status st = measure(w->ledger, &e, err);

	for (size_t i = 0; st == PO_OK && i < e.numbers.count; i++)
		st = walk_full(w, e.numbers.items[i],
			       e.size == 0 && i + 1 == e.numbers.count, err);
	if (st == PO_OK && e.fd >= 0)
		st = walk_file(w, e.fd, line, e.size, err);
	if (e.fd >= 0)
		(void)close(e.fd);
	ledger_numbers_clear(&e.numbers);
	return st;
}

/* ---- the chain ----------------------------------------------------------- */

struct checking {
	struct ledger_report *report;
	const char *wanted; /* hash; NULL: none */
	bool found;
};

/* A file begins with the first record of all, or goes on from another file. */
static bool may_begin_file(const json_t *record, uint64_t seq)
{
	const char *event = json_text(record, "event");

	return seq == 1 || (event && strcmp(event, "rotate") == 0);
}

static enum po_status check_first(const struct line *l, const json_t *record,
				  const struct ledger_place *place,
				  struct checking *c, struct po_error *err)
{
	const char *prev = json_text(record, "prev");

	c->report->first_seq = place->seq;
	c->report->older_removed = place->seq != 1;
	if (place->seq == 1 && strspn(prev, "0") != LEDGER_HASH_LEN)
		return fault(err, l, "the first record has one before it");
	return PO_OK;
}

static enum po_status check_next(const struct line *l, const json_t *record,
				 const struct ledger_place *place,
				 const struct ledger_report *report,
				 struct po_error *err)
{
	uint64_t due = report->last_seq + 1;

	if (place->seq != due)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "%s:%llu: record %llu stands where record %llu "
			       "should",
			       l->file, (unsigned long long)l->number,
			       (unsigned long long)place->seq,
			       (unsigned long long)due);
	if (strcmp(json_text(record, "prev"), report->head) != 0)
		return fault(err, l, "it does not follow the record before it");
	return PO_OK;
}

/* The line in itself: its form, and that its hash is of its content. */
static enum po_status check_line(const struct line *l, json_t **ret_record,
				 struct ledger_place *ret_place,
				 struct po_error *err)
{
	char hash[LEDGER_HASH_LEN + 1];
	const char *prev;

	if (l->len >= LEDGER_RECORD_MAX)
		return fault(err, l, "the line is too long");
	if (!ledger_line_place(l->text, l->len, ret_place) ||
	    json_parse_object(l->text, l->len, ret_record, NULL) != PO_OK)
		return fault(err, l, "it is not a record");
	if (!ledger_sha256(l->text, l->len - LEDGER_HASH_BYTES, hash))
		return po_no_memory(err);
	if (strcmp(hash, ret_place->hash) != 0)
		return fault(err, l, "the record was changed");
	prev = json_text(*ret_record, "prev");
	if (!prev || !ledger_is_hash(prev))
		return fault(err, l, "it is not a record");
	return PO_OK;
}

static enum po_status check(void *user, const struct line *l,
			    struct po_error *err)
{
	struct checking *c = user;
	struct ledger_report *report = c->report;
	json_auto_t *record = NULL;
	struct ledger_place place = { .seq = 0 };
	enum po_status st;

	if (l->is_unfinished && l->is_in_newest) {
		(void)snprintf(report->unfinished, sizeof(report->unfinished),
			       "%s:%llu", l->file,
			       (unsigned long long)l->number);
		return PO_OK;
	}
	if (l->is_unfinished)
		return fault(err, l, "the line is cut off");
	st = check_line(l, &record, &place, err);
	if (st == PO_OK && report->records > 0)
		st = check_next(l, record, &place, report, err);
	else if (st == PO_OK)
		st = check_first(l, record, &place, c, err);
	if (st == PO_OK && l->number == 1 && !may_begin_file(record, place.seq))
		st = fault(err, l, "the records before it are missing");
	if (st != PO_OK)
		return st;
	report->records++;
	report->last_seq = place.seq;
	memcpy(report->head, place.hash, sizeof(report->head));
	c->found = c->found || (c->wanted && !strcmp(c->wanted, place.hash));
	return PO_OK;
}

enum po_status ledger_verify(const struct ledger *ledger, const char *head,
			     struct ledger_report *ret_report,
			     struct po_error *err)
{
	struct checking c = { .report = ret_report, .wanted = head };
	struct walk w = { .ledger = ledger, .each = check, .user = &c };
	enum po_status st;

	*ret_report = (struct ledger_report){ .records = 0 };
	st = walk(&w, err);
	ret_report->files = w.files;
	if (st == PO_OK && head && !c.found)
		st = po_fail(err, PO_E_CRYPTO, 0,
			     "%s: no record has the hash %s: the end of the "
			     "chain was cut off, or all of it replaced",
			     ledger->path, head);
	return st;
}

/* ---- the search ---------------------------------------------------------- */

struct search {
	const struct ledger_filter *filter;
	ledger_found *found;
	void *user;
	char *ret_at;
	json_int_t *seqs; /* of the records "sign" that fit, rising; owned */
	size_t count, room;
};

static bool is_text(const json_t *record, const char *name, const char *wanted)
{
	const char *text = json_text(record, name);

	return !wanted || (text && strcmp(text, wanted) == 0);
}

static bool fits(const json_t *record, const struct ledger_filter *f)
{
	const char *time = json_text(record, "time");

	return is_text(record, "event", "sign") &&
	       is_text(record, "jti", f->jti) &&
	       is_text(record, "profile", f->profile) &&
	       (!f->since || (time && strcmp(time, f->since) >= 0));
}

static bool keep(struct search *s, json_int_t seq)
{
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		json_int_t *seqs =
			reallocarray(s->seqs, room, sizeof(*s->seqs));

		if (!seqs)
			return false;
		s->seqs = seqs;
		s->room = room;
	}
	s->seqs[s->count++] = seq;
	return true;
}

static int compare_seqs(const void *a, const void *b)
{
	const json_int_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool refers(const struct search *s, const json_t *record)
{
	const json_t *of = json_object_get(record, "of");
	json_int_t seq = json_integer_value(of);

	return json_is_integer(of) && s->count > 0 &&
	       bsearch(&seq, s->seqs, s->count, sizeof(seq), compare_seqs);
}

static enum po_status find(void *user, const struct line *l,
			   struct po_error *err)
{
	struct search *s = user;
	json_auto_t *record = NULL;
	bool is_ours;

	if (l->is_unfinished ||
	    json_parse_object(l->text, l->len, &record, NULL) != PO_OK) {
		if (!s->ret_at[0])
			(void)snprintf(s->ret_at, LEDGER_AT_MAX, "%s:%llu",
				       l->file, (unsigned long long)l->number);
		return PO_OK;
	}
	is_ours = fits(record, s->filter);
	if (is_ours &&
	    !keep(s, json_integer_value(json_object_get(record, "seq"))))
		return po_no_memory(err);
	if (!is_ours && !refers(s, record))
		return PO_OK;
	return s->found(s->user, l->text, l->len, record, err);
}

enum po_status ledger_find(const struct ledger *ledger,
			   const struct ledger_filter *filter,
			   ledger_found *found, void *user,
			   char ret_at[static LEDGER_AT_MAX],
			   struct po_error *err)
{
	struct search s = {
		.filter = filter, .found = found, .user = user, .ret_at = ret_at
	};
	struct walk w = { .ledger = ledger, .each = find, .user = &s };
	enum po_status st;

	ret_at[0] = '\0';
	st = walk(&w, err);
	free(s.seqs);
	return st;
}
