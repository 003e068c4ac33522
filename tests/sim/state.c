/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/state.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "tests/sim/tree.h"

#define HEADER "silica-sim 1"
#define STATE_MAX (1024 * 1024) /* 8192 cards of at most 60 bytes, twice */

static const char *const node_kind_names[] = {
	[NODE_KIND_REAL] = "real",
	[NODE_KIND_LINKS] = "links",
};
static_assert(ARRAY_SIZE(node_kind_names) == _NODE_KIND_MAX, "a name for every kind");

static const char *const presence_names[] = { "unplugged", "present" };
static const char *const health_names[] = { "healthy", "failed" };

static int find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

void state_done(struct sim *sim)
{
	cleanup_closep(&sim->root_fd);
	cleanup_freep(&sim->cards);
	*sim = SIM_INIT;
}

/* The first number that none of the cards before this one has. */
static uint32_t next_index(const struct card *cards, uint32_t n, const struct layout *layout)
{
	for (uint32_t i = n; i > 0; i--)
		if (layout_shares_numbers(cards[i - 1].layout, layout))
			return cards[i - 1].index + layout_numbers(cards[i - 1].layout);
	return 0;
}

static void init_card(struct card *cards, uint32_t ordinal, const struct layout *layout,
		      uint32_t number)
{
	struct card *card = &cards[ordinal];

	*card = (struct card) {
		.layout = layout,
		.ordinal = ordinal,
		.index = next_index(cards, ordinal, layout),
		.present = true,
	};
	/* "rngd0", but "mi210-0": a family may end in a digit itself. */
	(void)snprintf(card->handle, sizeof(card->handle), "%s%s%" PRIu32, layout->name,
		       isdigit((unsigned char)layout->name[strlen(layout->name) - 1]) ? "-" : "",
		       number);
}

static int init_cards(struct sim *sim, struct error *err)
{
	const struct description *description = &sim->description;
	uint32_t ordinal = 0;

	for (size_t i = 0; i < description->n_families; i++)
		sim->n_cards += description->families[i].count;
	/* One more, because calloc(0) may give NULL. */
	sim->cards = calloc(sim->n_cards + 1, sizeof(*sim->cards));
	if (!sim->cards) {
		(void)error_set(err, ENOMEM, "no memory for %zu cards", sim->n_cards);
		return -ENOMEM; /* in plain sight of the analyser */
	}
	for (size_t i = 0; i < description->n_families; i++)
		for (uint32_t k = 0; k < description->families[i].count; k++, ordinal++)
			init_card(sim->cards, ordinal, description->families[i].layout, k);
	return 0;
}

static int init_sim(struct sim *sim, const char *text, struct error *err)
{
	int r = description_parse(text, &sim->description, err);

	if (r < 0)
		return error_wrap(err, r, "description");
	/* It fits: the parser has the same limit. */
	(void)str_copy(sim->text, sizeof(sim->text), text);
	return init_cards(sim, err);
}

static int open_root(const char *dir, struct error *err)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno, "open directory '%s': %s", dir, strerror(errno));
	if (flock(fd, LOCK_EX) < 0)
		return error_set(err, errno, "lock '%s': %s", dir, strerror(errno));
	return TAKE_FD(fd);
}

int state_new(struct sim *sim, const char *dir, const char *text, struct error *err)
{
	_cleanup_sim_ struct sim new = SIM_INIT;
	int r = init_sim(&new, text, err);

	if (r < 0)
		return r;
	r = tree_mkdirs(AT_FDCWD, dir, err);
	if (r < 0)
		return r;
	new.root_fd = open_root(dir, err);
	if (new.root_fd < 0)
		return new.root_fd;
	if (faccessat(new.root_fd, STATE_FILE, F_OK, 0) == 0)
		return error_set(err, EEXIST, "'%s' holds a simulated node already", dir);
	*sim = new;
	new = SIM_INIT;
	return 0;
}

/* Takes the next line off *@rest; NULL when there is none. */
static char *next_line(char **rest)
{
	char *line = *rest;
	char *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static int parse_header(struct sim *sim, char **rest, struct error *err)
{
	const char *header = next_line(rest);
	const char *description = header ? next_line(rest) : NULL;
	const char *nodes = description ? next_line(rest) : NULL;
	int kind;

	if (!nodes || strcmp(header, HEADER) != 0)
		return error_set(err, EINVAL, "'%s' does not begin with '%s'", STATE_FILE, HEADER);
	description = str_starts_with(description, "description ");
	nodes = str_starts_with(nodes, "nodes ");
	kind = nodes ? find_name(node_kind_names, ARRAY_SIZE(node_kind_names), nodes) : -EINVAL;
	if (!description || kind < 0)
		return error_set(err, EINVAL, "'%s' lacks description or nodes", STATE_FILE);
	sim->node_kind = (enum node_kind)kind;
	return init_sim(sim, description, err);
}

/* Takes the next word off *@rest; "" when there is none. */
static const char *next_word(char **rest)
{
	const char *word = *rest ? strsep(rest, " ") : NULL;

	return word ? word : "";
}

static int parse_card(struct card *card, char *line)
{
	const char *handle = next_word(&line);
	const char *index = next_word(&line);
	const char *presence = next_word(&line);
	const char *health = line ? line : "";
	int present;
	int failed;

	if (strcmp(handle, card->handle) != 0)
		return -EINVAL;
	present = find_name(presence_names, ARRAY_SIZE(presence_names), presence);
	failed = find_name(health_names, ARRAY_SIZE(health_names), health);
	if (present < 0 || failed < 0 || parse_u32(index, SIM_INDEX_MAX, &card->index) < 0)
		return -EINVAL;
	card->present = present;
	card->failed = failed;
	return 0;
}

static int parse_state(struct sim *sim, char *text, struct error *err)
{
	int r = parse_header(sim, &text, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sim->n_cards; i++) {
		char *line = next_line(&text);

		if (!line || parse_card(&sim->cards[i], line) < 0)
			return error_set(err, EINVAL, "'%s' has no good line for '%s'", STATE_FILE,
					 sim->cards[i].handle);
	}
	if (*text != '\0')
		return error_set(err, EINVAL, "'%s' has more lines than cards", STATE_FILE);
	return 0;
}

int state_open(struct sim *sim, const char *dir, struct error *err)
{
	_cleanup_sim_ struct sim loaded = SIM_INIT;
	_cleanup_free_ char *text = malloc(STATE_MAX);
	ssize_t len;
	int r;

	if (!text)
		return error_set(err, ENOMEM, "no memory for the state");
	loaded.root_fd = open_root(dir, err);
	if (loaded.root_fd < 0)
		return loaded.root_fd;
	len = file_read(loaded.root_fd, STATE_FILE, text, STATE_MAX, err);
	if (len < 0)
		return error_wrap(err, (int)len, "'%s' is no simulated node", dir);
	r = parse_state(&loaded, text, err);
	if (r < 0)
		return r;
	*sim = loaded;
	loaded = SIM_INIT;
	return 0;
}

int state_save(const struct sim *sim, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(STATE_MAX - 1);
	int r;

	strbuf_printf(&text, "%s\ndescription %s\nnodes %s\n", HEADER, sim->text,
		      node_kind_names[sim->node_kind]);
	for (size_t i = 0; i < sim->n_cards; i++) {
		const struct card *card = &sim->cards[i];

		strbuf_printf(&text, "%s %" PRIu32 " %s %s\n", card->handle, card->index,
			      presence_names[card->present], health_names[card->failed]);
	}
	r = strbuf_error(&text);
	if (r < 0)
		return error_set(err, -r, "state: %s", strerror(-r));
	return tree_replace(sim->root_fd, STATE_FILE, text.data, text.len, err);
}

int state_find_card(struct sim *sim, const char *handle, struct card **ret, struct error *err)
{
	for (size_t i = 0; i < sim->n_cards; i++) {
		if (strcmp(sim->cards[i].handle, handle) != 0)
			continue;
		*ret = &sim->cards[i];
		return 0;
	}
	return error_set(err, ENOENT, "there is no card '%s'", handle);
}
