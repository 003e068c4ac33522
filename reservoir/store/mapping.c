/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler finds the mapping by its address, in a table that it needs no lock for: a
 * fault is one of the thread that reads, so what it finds there is not about to go.
 */
#include "reservoir/store/mapping.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/macro.h"

struct slot {
	atomic_uintptr_t start; /* 0: free */
	atomic_size_t len;
	atomic_bool lost;
};

static struct slot slots[MAPPINGS_MAX];
static void (*on_lost)(void);

static struct slot *find(uintptr_t address)
{
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		uintptr_t start = atomic_load(&slots[i].start);

		if (start && address >= start && address - start < atomic_load(&slots[i].len))
			return &slots[i];
	}
	return NULL;
}

static bool fill_with_zeros(struct slot *slot)
{
	void *start = (void *)atomic_load(&slot->start); // NOLINT(performance-no-int-to-ptr)

	/* Whoever sees zeros sees this, too. */
	atomic_store(&slot->lost, true);
	return mmap(start, atomic_load(&slot->len), PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

static void on_bus_error(int signo, siginfo_t *info, _unused_ void *context)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	int saved_errno = errno;
	struct slot *slot = find((uintptr_t)info->si_addr);

	/* What is none of ours ends the process when it is tried again. */
	if (!slot || !fill_with_zeros(slot))
		(void)sigaction(signo, &standard, NULL);
	else if (on_lost)
		on_lost();
	errno = saved_errno;
}

int mapping_guard(void (*lost)(void))
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	on_lost = lost;
	return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

static size_t take_slot(void *data, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		uintptr_t none = 0;

		if (atomic_load(&slots[i].start) != 0 ||
		    !atomic_compare_exchange_strong(&slots[i].start, &none, (uintptr_t)data))
			continue;
		atomic_store(&slots[i].lost, false);
		atomic_store(&slots[i].len, len);
		return i;
	}
	return MAPPINGS_MAX;
}

int mapping_open(int fd, size_t len, struct mapping *ret)
{
	void *data = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	if (data == MAP_FAILED)
		return -errno;
	*ret = (struct mapping) { .data = data, .len = len, .slot = take_slot(data, len) };
	return 0;
}

void mapping_close(struct mapping *mapping)
{
	int saved_errno = errno;

	if (!mapping->data)
		return;
	if (mapping->slot < MAPPINGS_MAX) {
		atomic_store(&slots[mapping->slot].len, 0);
		atomic_store(&slots[mapping->slot].start, 0);
	}
	(void)munmap(mapping->data, mapping->len);
	*mapping = (struct mapping) { 0 };
	errno = saved_errno;
}

bool mapping_is_lost(const struct mapping *mapping)
{
	return mapping->data && mapping->slot < MAPPINGS_MAX &&
	       atomic_load(&slots[mapping->slot].lost);
}
