/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of a card that follow from its handle and the description, so that two
 * runs with the same description make the same node.
 *
 * Source: FNV-1a by Fowler, Noll and Vo, with the finaliser of SplitMix64;
 * RFC 9562 section 5.4 for the bits of a version 4 UUID
 */
#pragma once

#include <stdint.h>

#include "tests/sim/sim.h"

/**
 * card_hash() - 64 bits that stand for a card.
 * @card: card; only its handle counts
 * @salt: gives unrelated values for different purposes
 *
 * Return: the same value in every run.
 */
uint64_t card_hash(const struct card *card, uint64_t salt);

/**
 * card_uuid() - The UUID of a card.
 * @sim: simulated node, whose description may ask for zeros
 * @card: card
 * @ret: buffer of SIM_UUID_MAX bytes; upper case, 8-4-4-4-12
 */
void card_uuid(const struct sim *sim, const struct card *card, char *ret);

/**
 * card_numa() - The NUMA node that a card was dealt to.
 * @sim: simulated node
 * @card: card
 *
 * Return: NUMA node, or -1 if the machine has none.
 */
int32_t card_numa(const struct sim *sim, const struct card *card);
