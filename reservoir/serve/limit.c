/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/limit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

#define SETS 1024u /* with WAYS: 8192 clients at once, more than a server has connections */
#define WAYS 8u
#define LOCKS 16u
#define NS_PER_SECOND 1e9
#define NETWORK_SIZE 8u /* bytes of a /64 */

struct bucket {
	struct limit_key key;
	double tokens;
	uint64_t seen_ns; /* 0: free */
};

struct limit {
	double per_ns;
	double burst;
	pthread_mutex_t locks[LOCKS];
	struct bucket buckets[SETS][WAYS];
};

struct limit_key limit_key_of(const struct limit_key *address)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct limit_key key = *address;

	if (memcmp(key.bytes, mapped, sizeof(mapped)) != 0)
		memset(key.bytes + NETWORK_SIZE, 0, sizeof(key.bytes) - NETWORK_SIZE);
	return key;
}

int limit_new(uint64_t per_second, uint64_t burst, struct limit **ret, struct error *err)
{
	struct limit *limit = calloc(1, sizeof(*limit));

	if (!limit)
		return error_set(err, ENOMEM, "no memory for limits");
	limit->per_ns = (double)MAX(per_second, 1u) / NS_PER_SECOND;
	limit->burst = (double)MAX(burst, 1u);
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&limit->locks[i], NULL);
	*ret = limit;
	return 0;
}

void limit_free(struct limit *limit)
{
	if (!limit)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&limit->locks[i]);
	free(limit);
}

static uint32_t hash(const struct limit_key *key)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof(key->bytes); i++)
		h = (h ^ key->bytes[i]) * 16777619u;
	return h ^ (h >> 15);
}

static struct bucket *find(struct limit *limit, struct bucket *set, const struct limit_key *key,
			   uint64_t now_ns)
{
	struct bucket *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].seen_ns && memcmp(&set[i].key, key, sizeof(*key)) == 0)
			return &set[i];
		if (set[i].seen_ns < oldest->seen_ns)
			oldest = &set[i];
	}
	*oldest = (struct bucket) { .key = *key, .tokens = limit->burst, .seen_ns = now_ns };
	return oldest;
}

static uint64_t take(const struct limit *limit, struct bucket *bucket, uint64_t least,
		     uint64_t most, uint64_t now_ns, uint32_t *ret_wait_ms)
{
	double taken;

	if (now_ns > bucket->seen_ns)
		bucket->tokens += (double)(now_ns - bucket->seen_ns) * limit->per_ns;
	bucket->tokens = MIN(bucket->tokens, limit->burst);
	bucket->seen_ns = MAX(now_ns, 1u);
	if (bucket->tokens < (double)least) {
		if (ret_wait_ms)
			*ret_wait_ms =
				(uint32_t)(((double)least - bucket->tokens) / limit->per_ns / 1e6 +
					   1);
		return 0;
	}
	taken = MIN(bucket->tokens, (double)most);
	bucket->tokens -= (double)(uint64_t)taken;
	return (uint64_t)taken;
}

uint64_t limit_take(struct limit *limit, const struct limit_key *key, uint64_t least, uint64_t most,
		    uint64_t now_ns, uint32_t *ret_wait_ms)
{
	uint32_t set, n;
	uint64_t taken;

	if (!limit)
		return most;
	set = hash(key) % SETS;
	n = set % LOCKS;
	least = MIN(least, (uint64_t)limit->burst);
	(void)pthread_mutex_lock(&limit->locks[n]);
	taken = take(limit, find(limit, limit->buckets[set], key, now_ns), least, most, now_ns,
		     ret_wait_ms);
	(void)pthread_mutex_unlock(&limit->locks[n]);
	return taken;
}

void limit_give(struct limit *limit, const struct limit_key *key, uint64_t tokens, uint64_t now_ns)
{
	struct bucket *bucket;
	uint32_t set;

	if (!limit || tokens == 0)
		return;
	set = hash(key) % SETS;
	(void)pthread_mutex_lock(&limit->locks[set % LOCKS]);
	bucket = find(limit, limit->buckets[set], key, now_ns);
	bucket->tokens = MIN(bucket->tokens + (double)tokens, limit->burst);
	(void)pthread_mutex_unlock(&limit->locks[set % LOCKS]);
}
