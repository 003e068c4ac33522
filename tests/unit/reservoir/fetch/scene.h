/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store, a server and a fetcher between them.
 *
 * Source: tests/unit/reservoir/fetch/origin.h
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "reservoir/fetch/fetch.h"
#include "tests/folder.h"
#include "tests/unit/reservoir/fetch/origin.h"

#define BODY_SIZE ((size_t)3 * 1024 * 1024)

struct scene {
	char dir[FOLDER_MAX];
	struct store *store;
	struct origin *origin;
	struct fetcher *fetcher;
	unsigned char *body;  /* BODY_SIZE bytes that do not repeat */
	struct digest digest; /* of @body */
};

/* What done() was told. */
struct got {
	unsigned int calls;
	struct fetch_result result; /* without data and url */
	struct strbuf data;
	char url[FETCH_URL_MAX];
};

/**
 * scene_open() - Make a scene.
 * @scene: to be filled, and closed with scene_close()
 * @fn: answers of the server; called with @scene
 *
 * Eight transfers at once, four tries, a second without a byte.
 */
void scene_open(struct scene *scene, origin_fn fn);

/**
 * scene_close() - Remove a scene.
 * @scene: scene
 */
void scene_close(struct scene *scene);

/**
 * scene_fetcher() - Begin with another fetcher, as another run would.
 * @scene: scene
 * @settings: limits
 */
void scene_fetcher(struct scene *scene, const struct fetch_settings *settings);

/**
 * scene_settings() - The limits of a scene.
 *
 * Return: settings.
 */
struct fetch_settings scene_settings(void);

/**
 * scene_add() - Add a request.
 * @scene: scene
 * @path: path at the server
 * @request: rest of the request; its url, done and ctx are set
 * @got: filled when it is done
 */
void scene_add(struct scene *scene, const char *path, struct fetch_request request,
	       struct got *got);

/**
 * scene_fetch() - Add a request, and run.
 * @scene: scene
 * @path: path at the server
 * @request: rest of the request
 * @got: filled
 */
void scene_fetch(struct scene *scene, const char *path, struct fetch_request request,
		 struct got *got);

/**
 * got_done() - Release what was got.
 * @got: got
 */
void got_done(struct got *got);
#define _cleanup_got_ _cleanup_(got_done)
#define GOT_INIT ((struct got) { .data = STRBUF_INIT(4 * BODY_SIZE) })
