/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "inventory/inventory.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/inventory/node.h"

#define CARDS_MAX 4
#define FORGET_MS 1000
#define TEXT_MAX 256
#define N_ROUNDS 300

/* A card that the test plugs, pulls, breaks and mends. */
struct card {
	bool plugged;
	const char *name;
	const char *uuid;
	const char *serial;
	const char *bdf;
	const char *firmware;
	const char *fault; /* what the scan finds, NULL for nothing */
	const char *error; /* what the probe says, NULL when it works */
};

/* What a driver sees. */
struct bus {
	struct card cards[CARDS_MAX];
	int scan_error; /* found after all cards; 0 for none */
	char flood;	/* letter of DEVICES_MAX cards more; '\0' for none */
	int shortage;	/* that every probe meets; 0 for none */
};

static struct bus first_bus;
static struct bus second_bus;
static size_t n_probes;

static int probe_bus(const struct bus *bus, const struct device *device, struct error *err)
{
	n_probes++;
	if (bus->shortage)
		return error_set(err, bus->shortage, "want of something");
	for (size_t i = 0; i < CARDS_MAX; i++) {
		const struct card *card = &bus->cards[i];

		if (card->plugged && strcmp(card->bdf, device->bdf) == 0)
			return card->error ? error_set(err, EIO, "%s", card->error) : 0;
	}
	return error_set(err, ENODEV, "no card at '%s'", device->bdf);
}

static int scan_flood(const struct bus *bus, const struct driver *driver, struct device_list *list)
{
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		struct device *device = device_new(driver);

		assert_non_null(device);
		(void)snprintf(device->uuid, sizeof(device->uuid), "%c%05zu", bus->flood, i);
		assert_int_equal(device_list_add(list, device), 0);
	}
	return 0;
}

static int scan_bus(const struct bus *bus, const struct driver *driver, struct device_list *list,
		    struct error *err)
{
	if (bus->flood)
		return scan_flood(bus, driver, list);
	for (size_t i = 0; i < CARDS_MAX; i++) {
		const struct card *card = &bus->cards[i];
		struct device *device;

		if (!card->plugged)
			continue;
		device = device_new(driver);
		if (!device)
			return error_set(err, ENOMEM, "no memory for a card");
		(void)str_copy(device->name, sizeof(device->name), card->name);
		(void)str_copy(device->uuid, sizeof(device->uuid), card->uuid);
		(void)str_copy(device->serial, sizeof(device->serial), card->serial);
		(void)str_copy(device->bdf, sizeof(device->bdf), card->bdf);
		(void)str_copy(device->firmware_version, sizeof(device->firmware_version),
			       card->firmware);
		if (card->fault)
			device_set_fault(device, "%s", card->fault);
		if (device_list_add(list, device) < 0) {
			device_unref(device);
			return error_set(err, ENOMEM, "no memory for a list");
		}
	}
	if (bus->scan_error)
		return error_set(err, bus->scan_error, "the bus is stuck");
	return 0;
}

static int first_scan(const struct driver *driver, const struct host *host,
		      struct device_list *list, struct error *err);
static int second_scan(const struct driver *driver, const struct host *host,
		       struct device_list *list, struct error *err);

static int first_probe(const struct host *host, const struct device *device, struct error *err)
{
	(void)host;
	return probe_bus(&first_bus, device, err);
}

static int second_probe(const struct host *host, const struct device *device, struct error *err)
{
	(void)host;
	return probe_bus(&second_bus, device, err);
}

static const struct driver first = { .name = "first", .scan = first_scan, .probe = first_probe };
static const struct driver second = { .name = "second",
				      .scan = second_scan,
				      .probe = second_probe };
static const struct driver *const drivers[] = { &first, &second };

static int first_scan(_unused_ const struct driver *driver, const struct host *host,
		      struct device_list *list, struct error *err)
{
	(void)host;
	return scan_bus(&first_bus, &first, list, err);
}

static int second_scan(_unused_ const struct driver *driver, const struct host *host,
		       struct device_list *list, struct error *err)
{
	(void)host;
	return scan_bus(&second_bus, &second, list, err);
}

/* One test's inventory, with the latest snapshot at hand. */
struct fixture {
	struct inventory *inventory;
	struct snapshot *snapshot;
};

static void plug(struct bus *bus, size_t i, const char *name)
{
	static const struct card cards[CARDS_MAX] = {
		{ true, "", "U0", "S0", "b0", "1.0", NULL, NULL },
		{ true, "", "U1", "S1", "b1", "1.0", NULL, NULL },
		{ true, "", "U2", "S2", "b2", "1.0", NULL, NULL },
		{ true, "", "U3", "S3", "b3", "1.0", NULL, NULL },
	};

	bus->cards[i] = cards[i];
	bus->cards[i].name = name;
}

static int setup(void **state)
{
	static const struct inventory_policy policy = {
		.health = { .unhealthy_after = 2, .healthy_after = 3 },
		.forget_after_ms = FORGET_MS,
	};
	static const struct host host = { .root_fd = -1, .root = "/" };
	static struct fixture fixture;

	first_bus = (struct bus) { 0 };
	second_bus = (struct bus) { 0 };
	if (inventory_new(&host, drivers, ARRAY_SIZE(drivers), &policy, &fixture.inventory, NULL) <
	    0)
		return -1;
	fixture.snapshot = inventory_snapshot(fixture.inventory);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	snapshot_unref(f->snapshot);
	inventory_free(f->inventory);
	return 0;
}

/* Checks that there is a new snapshot exactly if @r says so, and fetches it. */
static int refresh(struct fixture *f, int r)
{
	struct snapshot *before = f->snapshot;

	f->snapshot = inventory_snapshot(f->inventory);
	if (r == 0)
		assert_ptr_equal(f->snapshot, before);
	if (r == 1)
		assert_int_equal(f->snapshot->generation, before->generation + 1);
	snapshot_unref(before);
	return r;
}

static int rescan(struct fixture *f, uint64_t now_ms)
{
	return refresh(f, inventory_rescan(f->inventory, now_ms, NULL));
}

static int probe(struct fixture *f)
{
	return refresh(f, inventory_probe(f->inventory, NULL));
}

/* What is listed, as "U0=npu0 U1!npu1 U2?npu2": healthy, unhealthy, gone. */
static void assert_listed(const struct fixture *f, const char *expected)
{
	char text[TEXT_MAX] = "";
	size_t len = 0;

	for (size_t i = 0; i < f->snapshot->n_devices; i++) {
		const struct device_state *it = &f->snapshot->devices[i];
		char mark = it->healthy ? '=' : '!';

		assert_true(it->present || !it->healthy);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%c%s",
					i > 0 ? " " : "", it->id, it->present ? mark : '?',
					it->device->name);
		assert_true(len < sizeof(text));
	}
	assert_string_equal(text, expected);
}

static void assert_reason(const struct fixture *f, const char *id, const char *expected)
{
	const struct device_state *it = snapshot_find(f->snapshot, id);

	assert_non_null(it);
	assert_string_equal(it->reason, expected);
}

static void starts_empty(void **state)
{
	struct fixture *f = *state;

	assert_listed(f, "");
	assert_int_equal(rescan(f, 0), 0);
	assert_int_equal(probe(f), 0);
	assert_listed(f, "");
}

static void adds_devices(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 1, "npu1");
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U1=npu1");
	assert_reason(f, "U1", "");
	plug(&first_bus, 0, "npu0");
	plug(&second_bus, 2, "gpu0");
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu0 U1=npu1 U2=gpu0");
	assert_int_equal(rescan(f, 0), 0);
	assert_int_equal(probe(f), 0);
}

static void keeps_equal_objects(void **state)
{
	struct fixture *f = *state;
	const struct device *before[2];

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	assert_int_equal(rescan(f, 0), 1);
	before[0] = f->snapshot->devices[0].device;
	before[1] = f->snapshot->devices[1].device;
	first_bus.cards[1].firmware = "2.0";
	assert_int_equal(rescan(f, 0), 1);
	assert_ptr_equal(f->snapshot->devices[0].device, before[0]);
	assert_ptr_not_equal(f->snapshot->devices[1].device, before[1]);
	assert_string_equal(f->snapshot->devices[1].device->firmware_version, "2.0");
	assert_int_equal(rescan(f, 0), 0);
}

/* The first verdict decides alone; a fault of the scan spares the probe. */
static void judges_new_devices(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	plug(&first_bus, 2, "npu2");
	first_bus.cards[1].error = "it burns";
	first_bus.cards[2].fault = "no device file";
	first_bus.cards[2].error = "never asked";
	n_probes = 0;
	assert_int_equal(rescan(f, 0), 1);
	assert_int_equal(n_probes, 2);
	assert_listed(f, "U0=npu0 U1!npu1 U2!npu2");
	assert_reason(f, "U1", "it burns");
	assert_reason(f, "U2", "no device file");
}

static void fails_and_recovers(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);

	first_bus.cards[0].error = "it burns";
	assert_int_equal(probe(f), 0);
	assert_listed(f, "U0=npu0");
	assert_int_equal(probe(f), 1);
	assert_listed(f, "U0!npu0");
	assert_reason(f, "U0", "it burns");
	assert_int_equal(probe(f), 0);

	first_bus.cards[0].error = "it smokes";
	assert_int_equal(probe(f), 1);
	assert_reason(f, "U0", "it smokes");

	first_bus.cards[0].error = NULL;
	assert_int_equal(probe(f), 0);
	assert_int_equal(probe(f), 0);
	assert_listed(f, "U0!npu0");
	assert_reason(f, "U0", "it smokes");
	assert_int_equal(probe(f), 1);
	assert_listed(f, "U0=npu0");
	assert_reason(f, "U0", "healthy again after 3 good probes");
	assert_int_equal(probe(f), 0);
}

/* One bad probe in between begins the count anew; a rescan counts as a probe. */
static void counts_probes_in_a_row(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	first_bus.cards[0].error = "it burns";
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].error = NULL;
	assert_int_equal(probe(f), 0);
	assert_int_equal(rescan(f, 0), 0);
	first_bus.cards[0].error = "it burns";
	assert_int_equal(probe(f), 0);
	first_bus.cards[0].error = NULL;
	assert_int_equal(rescan(f, 0), 0);
	assert_int_equal(probe(f), 0);
	assert_listed(f, "U0!npu0");
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu0");
}

/* A fault that appears in a rescan counts for every probe until the next one. */
static void takes_scan_fault_for_bad_probe(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].fault = "no device file";
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu0");
	assert_int_equal(probe(f), 1);
	assert_listed(f, "U0!npu0");
	assert_reason(f, "U0", "no device file");
	first_bus.cards[0].fault = NULL;
	assert_int_equal(probe(f), 0);
	assert_int_equal(rescan(f, 0), 1);
	assert_int_equal(probe(f), 0);
	assert_int_equal(probe(f), 1);
	assert_listed(f, "U0=npu0");
}

static void follows_renumbering(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	first_bus.cards[1].error = "it burns";
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].name = "npu1";
	first_bus.cards[1].name = "npu0";
	first_bus.cards[0].bdf = "b1";
	first_bus.cards[1].bdf = "b0";
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu1 U1!npu0");
	assert_reason(f, "U1", "it burns");
}

static void lists_what_is_gone(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].plugged = false;
	assert_int_equal(rescan(f, 5000), 1);
	assert_listed(f, "U0?npu0 U1=npu1");
	assert_reason(f, "U0", "gone: no longer found by driver 'first'");

	/* It is not asked any more. */
	n_probes = 0;
	assert_int_equal(probe(f), 0);
	assert_int_equal(n_probes, 1);

	assert_int_equal(rescan(f, 5000 + FORGET_MS - 1), 0);
	assert_listed(f, "U0?npu0 U1=npu1");
	assert_int_equal(rescan(f, 5000 + FORGET_MS), 1);
	assert_listed(f, "U1=npu1");
}

static void takes_back_what_returns(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].plugged = false;
	assert_int_equal(rescan(f, 1), 1);
	plug(&first_bus, 0, "npu7");
	first_bus.cards[0].bdf = "b7";
	assert_int_equal(rescan(f, 500), 1);
	assert_listed(f, "U0!npu7");
	assert_reason(f, "U0", "found again; healthy after 3 good probes in a row");
	assert_int_equal(probe(f), 0);
	assert_int_equal(probe(f), 1);
	assert_listed(f, "U0=npu7");
	assert_reason(f, "U0", "healthy again after 3 good probes");

	/* The time of being gone begins anew. */
	first_bus.cards[0].plugged = false;
	assert_int_equal(rescan(f, 1200), 1);
	assert_int_equal(rescan(f, 1200 + FORGET_MS - 1), 0);
	assert_listed(f, "U0?npu7");
}

/* After being forgotten it is a new device. */
static void begins_anew_after_forgetting(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].plugged = false;
	assert_int_equal(rescan(f, 0), 1);
	assert_int_equal(rescan(f, FORGET_MS), 1);
	assert_listed(f, "");
	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, FORGET_MS), 1);
	assert_listed(f, "U0=npu0");
	assert_reason(f, "U0", "");
}

/* The IDs of two cards with one UUID stay whichever of them goes, for good even. */
static void keeps_ids_of_duplicates(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	first_bus.cards[1].uuid = "U0";
	first_bus.cards[1].serial = "";
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "S0=npu0 b1=npu1");
	first_bus.cards[1].plugged = false;
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "S0=npu0 b1?npu1");
	first_bus.cards[1].plugged = true;
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "S0=npu0 b1!npu1");
	first_bus.cards[1].plugged = false;
	assert_int_equal(rescan(f, 0), 1);
	assert_int_equal(rescan(f, FORGET_MS), 1);
	assert_listed(f, "S0=npu0");
}

/* A card that comes later with the same UUID does not rename the first one. */
static void keeps_id_beside_late_duplicate(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	plug(&first_bus, 1, "npu1");
	first_bus.cards[1].uuid = "U0";
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "S1=npu1 U0=npu0");
}

/* A crashed card that tells nothing any more, falls off the bus, and is reset. */
static void keeps_id_through_crash(void **state)
{
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].uuid = "";
	first_bus.cards[0].serial = "";
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu0");
	first_bus.cards[0].plugged = false;
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0?npu0");
	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0!npu0");
}

static void leaves_out_what_has_no_identity(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		plug(&first_bus, i, "npu0");
		first_bus.cards[i].uuid = "00000000-0000-0000-0000-000000000000";
		first_bus.cards[i].serial = "";
		first_bus.cards[i].bdf = i == 0 ? "" : "b1";
	}
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "b1=npu0");
	assert_int_equal(rescan(f, 0), 0);
}

static void keeps_devices_when_a_scan_fails(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	plug(&second_bus, 2, "gpu0");
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[1].plugged = false;
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu0 U1?npu1 U2=gpu0");

	/* Half of the list before the error: nothing of it counts, nothing is forgotten. */
	first_bus.cards[0].plugged = false;
	first_bus.scan_error = EMFILE;
	plug(&first_bus, 3, "npu3");
	assert_int_equal(refresh(f, inventory_rescan(f->inventory, FORGET_MS, &err)), -EMFILE);
	assert_int_equal(err.code, EMFILE);
	assert_string_equal(err.msg, "scan by driver 'first': the bus is stuck");
	assert_listed(f, "U0=npu0 U1?npu1 U2=gpu0");

	/* The other driver's devices are current. */
	second_bus.cards[2].plugged = false;
	assert_int_equal(rescan(f, FORGET_MS), -EMFILE);
	assert_listed(f, "U0=npu0 U1?npu1 U2?gpu0");

	first_bus.scan_error = 0;
	assert_int_equal(rescan(f, FORGET_MS), 1);
	assert_listed(f, "U0?npu0 U2?gpu0 U3=npu3");
}

static void tells_first_of_two_failures(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };

	first_bus.scan_error = EMFILE;
	second_bus.scan_error = EIO;
	assert_int_equal(inventory_rescan(f->inventory, 0, &err), -EMFILE);
	assert_string_equal(err.msg, "scan by driver 'first': the bus is stuck");
	first_bus.scan_error = 0;
	assert_int_equal(inventory_rescan(f->inventory, 0, &err), -EIO);
	assert_string_equal(err.msg, "scan by driver 'second': the bus is stuck");
}

static void snapshots_outlive_inventory(void **state)
{
	struct fixture *f = *state;
	struct snapshot *old;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	old = snapshot_ref(f->snapshot);
	first_bus.cards[0].plugged = false;
	assert_int_equal(rescan(f, 0), 1);
	inventory_free(f->inventory);
	f->inventory = NULL;
	inventory_free(NULL);
	assert_string_equal(old->devices[0].device->name, "npu0");
	assert_true(old->devices[0].healthy);
	snapshot_unref(old);
}

/* The snapshot of before stays, and the next rescan makes up for it. */
static void rescans_without_memory(void **state)
{
	struct fixture *f = *state;
	size_t n_failed = 1;
	size_t n_tries;

	plug(&first_bus, 0, "npu0");
	assert_int_equal(rescan(f, 0), 1);
	plug(&first_bus, 1, "npu1");
	first_bus.cards[0].name = "npu7";
	for (n_tries = 0; n_failed > 0; n_tries++) {
		struct error err = { 0 };
		int r;

		memory_fail_after(n_tries);
		r = inventory_rescan(f->inventory, 0, &err);
		n_failed = memory_restore();
		assert_int_equal(r, n_failed > 0 ? -ENOMEM : 1);
		assert_int_equal(err.code, n_failed > 0 ? ENOMEM : 0);
		(void)refresh(f, r);
		assert_listed(f, n_failed > 0 ? "U0=npu0" : "U0=npu7 U1=npu1");
	}
	assert_true(n_tries > 12);
}

/* What could not be shown is shown as soon as there is memory. */
static void probes_without_memory(void **state)
{
	struct fixture *f = *state;
	int r;

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	assert_int_equal(rescan(f, 0), 1);
	first_bus.cards[0].error = "it burns";
	first_bus.cards[1].error = "it smokes";
	for (size_t i = 0; i < 3; i++) {
		memory_fail_after(0);
		r = inventory_probe(f->inventory, NULL);
		assert_int_equal(memory_restore(), i > 0 ? 2 : 0);
		assert_int_equal(refresh(f, r), i > 0 ? -ENOMEM : 0);
		assert_listed(f, "U0=npu0 U1=npu1");
	}
	assert_int_equal(probe(f), 1);
	assert_listed(f, "U0!npu0 U1!npu1");
	assert_reason(f, "U1", "it smokes");

	first_bus.cards[0].error = NULL;
	first_bus.cards[1].error = NULL;
	for (size_t i = 0; i < 4; i++) {
		memory_fail_after(0);
		r = inventory_probe(f->inventory, NULL);
		assert_int_equal(memory_restore(), i > 1 ? 2 : 0);
		assert_int_equal(refresh(f, r), i > 1 ? -ENOMEM : 0);
	}
	assert_int_equal(probe(f), 1);
	assert_listed(f, "U0=npu0 U1=npu1");
	assert_reason(f, "U1", "healthy again after 3 good probes");
}

static void is_made_without_memory(void **state)
{
	static const struct inventory_policy policy = { .forget_after_ms = 0 };
	size_t n_failed = 1;
	size_t n_tries;

	(void)state;
	for (n_tries = 0; n_failed > 0; n_tries++) {
		struct inventory *inventory = NULL;
		int r;

		memory_fail_after(n_tries);
		r = inventory_new(NULL, drivers, 0, &policy, &inventory, NULL);
		n_failed = memory_restore();
		assert_int_equal(r, n_failed > 0 ? -ENOMEM : 0);
		assert_int_equal(!inventory, n_failed > 0);
		inventory_free(inventory);
	}
	assert_int_equal(n_tries, 4);
}

/* With no time to be remembered in, what is gone is dropped at once. */
static void forgets_at_once(void **state)
{
	static const struct inventory_policy policy = { .health = { 1, 1 } };
	_cleanup_(inventory_freep) struct inventory *inventory = NULL;
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;

	(void)state;
	assert_int_equal(inventory_new(NULL, drivers, 2, &policy, &inventory, NULL), 0);
	plug(&first_bus, 0, "npu0");
	assert_int_equal(inventory_rescan(inventory, 9, NULL), 1);
	first_bus.cards[0].plugged = false;
	assert_int_equal(inventory_rescan(inventory, 9, NULL), 1);
	snapshot = inventory_snapshot(inventory);
	assert_int_equal(snapshot->n_devices, 0);
}

/* A bus on which all cards are others in every scan does not pile up what is gone. */
static void bounds_what_is_gone(void **state)
{
	struct fixture *f = *state;

	first_bus.flood = 'A';
	assert_int_equal(rescan(f, 0), 1);
	assert_int_equal(f->snapshot->n_devices, DEVICES_MAX);
	first_bus.flood = 'B';
	assert_int_equal(rescan(f, 1), 1);
	assert_int_equal(f->snapshot->n_devices, 2 * DEVICES_MAX);
	first_bus.flood = 'C';
	assert_int_equal(rescan(f, 2), 1);
	assert_int_equal(f->snapshot->n_devices, 2 * DEVICES_MAX);
	assert_non_null(snapshot_find(f->snapshot, "A00000"));
	assert_non_null(snapshot_find(f->snapshot, "C00000"));
	assert_null(snapshot_find(f->snapshot, "B00000"));
}

/* However many devices one driver finds, the others have room for theirs. */
static void leaves_room_for_other_drivers(void **state)
{
	struct fixture *f = *state;

	plug(&second_bus, 2, "gpu0");
	first_bus.flood = 'A';
	assert_int_equal(rescan(f, 0), 1);
	assert_int_equal(f->snapshot->n_devices, DEVICES_MAX + 1);
	assert_non_null(snapshot_find(f->snapshot, "U2"));
}

/* A want of descriptors or memory in a probe says nothing about the device. */
static void shortage_is_no_verdict(void **state)
{
	static const int codes[] = { EMFILE, ENFILE, ENOMEM };
	struct fixture *f = *state;

	plug(&first_bus, 0, "npu0");
	plug(&first_bus, 1, "npu1");
	first_bus.cards[1].error = "it smokes";
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu0 U1!npu1");
	first_bus.cards[1].error = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		first_bus.shortage = codes[i];
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(probe(f), 0);
		assert_int_equal(rescan(f, 0), 0);
	}
	assert_listed(f, "U0=npu0 U1!npu1");
	/* A device that is new has no verdict to keep. */
	plug(&first_bus, 2, "npu2");
	assert_int_equal(rescan(f, 0), 1);
	assert_listed(f, "U0=npu0 U1!npu1 U2!npu2");
	assert_reason(f, "U2", "want of something");
}

struct reader {
	struct inventory *inventory;
	int stop; /* atomic */
	size_t n_read;
	size_t n_wrong;
};

/* Reads all of each snapshot while others are made; generations never fall. */
static void *read_snapshots(void *ctx)
{
	struct reader *reader = ctx;
	uint64_t generation = 0;

	while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE)) {
		_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
			inventory_snapshot(reader->inventory);

		reader->n_wrong += snapshot->generation < generation;
		generation = snapshot->generation;
		for (size_t i = 0; i < snapshot->n_devices; i++)
			reader->n_wrong += snapshot->devices[i].device->name[0] != 'n';
		reader->n_read++;
	}
	return NULL;
}

static void is_read_by_other_threads(void **state)
{
	struct fixture *f = *state;
	struct reader readers[2] = { { .inventory = f->inventory }, { .inventory = f->inventory } };
	pthread_t threads[2];

	plug(&first_bus, 0, "npu0");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_snapshots, &readers[i]), 0);
	for (size_t i = 0; i < N_ROUNDS; i++) {
		first_bus.cards[0].plugged = i % 4 != 3;
		first_bus.cards[0].error = i % 8 < 2 ? "it burns" : NULL;
		assert_true(inventory_rescan(f->inventory, i * FORGET_MS / 2, NULL) >= 0);
		assert_true(inventory_probe(f->inventory, NULL) >= 0);
	}
	for (size_t i = 0; i < 2; i++) {
		__atomic_store_n(&readers[i].stop, 1, __ATOMIC_RELEASE);
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(readers[i].n_wrong, 0);
	}
	snapshot_unref(f->snapshot);
	f->snapshot = inventory_snapshot(f->inventory);
	assert_true(f->snapshot->generation > N_ROUNDS / 8);
}

#define inventory_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		inventory_test(starts_empty),
		inventory_test(adds_devices),
		inventory_test(keeps_equal_objects),
		inventory_test(judges_new_devices),
		inventory_test(fails_and_recovers),
		inventory_test(counts_probes_in_a_row),
		inventory_test(takes_scan_fault_for_bad_probe),
		inventory_test(follows_renumbering),
		inventory_test(lists_what_is_gone),
		inventory_test(takes_back_what_returns),
		inventory_test(begins_anew_after_forgetting),
		inventory_test(keeps_ids_of_duplicates),
		inventory_test(keeps_id_beside_late_duplicate),
		inventory_test(keeps_id_through_crash),
		inventory_test(leaves_out_what_has_no_identity),
		inventory_test(keeps_devices_when_a_scan_fails),
		inventory_test(tells_first_of_two_failures),
		inventory_test(snapshots_outlive_inventory),
		inventory_test(rescans_without_memory),
		inventory_test(probes_without_memory),
		inventory_test(is_made_without_memory),
		inventory_test(forgets_at_once),
		inventory_test(bounds_what_is_gone),
		inventory_test(leaves_room_for_other_drivers),
		inventory_test(shortage_is_no_verdict),
		inventory_test(is_read_by_other_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
