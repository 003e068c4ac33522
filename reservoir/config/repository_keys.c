/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a repository.  Those of an ecosystem are a mapping of its name.
 */
#include <assert.h>

#include "base/macro.h"
#include "reservoir/config/config.h"
#include "reservoir/config/config_check.h"
#include "reservoir/config/config_rows.h"

#define WORDS_MAX 4096 /* packages or projects in the file; longer lists go in files */

static const char *const modes[] = {
	[REPOSITORY_MIRROR] = "mirror",
	[REPOSITORY_CACHE] = "cache",
	NULL,
};
static const char *const ecosystems[] = {
	[REPOSITORY_APT] = "apt",
	[REPOSITORY_PYPI] = "pypi",
	NULL,
};
static const char *const publishes[] = {
	[APT_VERBATIM] = "verbatim",
	[APT_CURATED] = "curated",
	NULL,
};

static_assert(ARRAY_SIZE(modes) == _REPOSITORY_MODE_MAX + 1, "every mode has a name");
static_assert(ARRAY_SIZE(ecosystems) == _REPOSITORY_ECOSYSTEM_MAX + 1, "every one has a name");
static_assert(ARRAY_SIZE(publishes) == _APT_PUBLISH_MAX + 1, "every way has a name");
static_assert(sizeof(enum repository_mode) == sizeof(uint32_t), "SCHEMA_ENUM stores 32 bits");

const char *repository_ecosystem_name(enum repository_ecosystem ecosystem)
{
	return ecosystems[ecosystem];
}

static const struct schema_key apt_keys[] = {
	{
		.name = "suites",
		WORDS(struct apt_options, suites, n_suites, reservoir_config_word),
		.required = true,
		.min = 1,
		.max = FEW_MAX,
		.text = "Suites, as in `bookworm-updates`; one that ends with `/` is a flat "
			"repository.",
	},
	{
		.name = "components",
		WORDS(struct apt_options, components, n_components, reservoir_config_word),
		.max = FEW_MAX,
		.text = "Components, as in `main`; when left out, all of the suite.",
	},
	{
		.name = "architectures",
		WORDS(struct apt_options, architectures, n_architectures, reservoir_config_word),
		.max = FEW_MAX,
		.text = "Architectures, as in `amd64`, beside `all`; when left out, all of the "
			"suite.",
	},
	{
		.name = "languages",
		WORDS(struct apt_options, languages, n_languages, reservoir_config_word),
		.max = FEW_MAX,
		.default_value = "[en]",
		.text = "Languages of package descriptions.",
	},
	{
		.name = "sources",
		BOOL(struct apt_options, sources),
		.default_value = "false",
		.text = "Source packages too.",
	},
	{
		.name = "contents",
		BOOL(struct apt_options, contents),
		.default_value = "false",
		.text = "Contents files, which `apt-file` reads.",
	},
	{
		.name = "dep11",
		BOOL(struct apt_options, dep11),
		.default_value = "true",
		.text = "AppStream metadata, which software centres read.",
	},
	{
		.name = "cnf",
		BOOL(struct apt_options, cnf),
		.default_value = "true",
		.text = "The index of command-not-found.",
	},
	{
		.name = "pdiffs",
		BOOL(struct apt_options, pdiffs),
		.default_value = "false",
		.text = "Differences between indexes; only of `verbatim`.",
	},
	{
		.name = "keyring",
		TEXT(struct apt_options, keyring.text),
		.text = "File of OpenPGP keys that may sign the suites, or folder of such files.",
	},
	{
		.name = "unverified",
		BOOL(struct apt_options, unverified),
		.default_value = "false",
		.text = "Take the suites without looking at their signatures. Whoever is between "
			"this program and the upstream can then change every package.",
	},
	{
		.name = "checkValidUntil",
		BOOL(struct apt_options, check_valid_until),
		.default_value = "true",
		.text = "Refuse suites whose `Valid-Until` has passed, as clients do; `false` for "
			"archives that nobody signs again.",
	},
	{
		.name = "publish",
		.type = SCHEMA_ENUM,
		FIELD(struct apt_options, publish),
		.values = publishes,
		.default_value = "verbatim",
		.text = "`verbatim`: the upstream's indexes and signature; `curated`: indexes of "
			"what was selected, signed with `signingKey`.",
	},
	{
		.name = "packages",
		WORDS(struct apt_options, packages, n_packages, reservoir_config_word),
		.max = WORDS_MAX,
		.text = "Packages, as in `curl`, `python3-*` or `nginx=1.22.1-9`, with all that "
			"they depend on; when left out, every package. Needs `curated`.",
	},
	{
		.name = "exclude",
		WORDS(struct apt_options, exclude, n_exclude, reservoir_config_word),
		.max = WORDS_MAX,
		.text = "Packages that are left out even when another one needs them. Needs "
			"`curated`.",
	},
	{
		.name = "recommends",
		BOOL(struct apt_options, recommends),
		.default_value = "true",
		.text = "Take what packages recommend, too.",
	},
	{
		.name = "together",
		WORDS(struct apt_options, together, n_together, reservoir_config_word),
		.max = FEW_MAX,
		.text = "Other repositories of this configuration that clients have beside this "
			"one, as security updates with their own upstream: `packages` and "
			"`exclude` of all of them are looked at together, and each takes what it "
			"has of the result. Each names the others. Needs `curated`.",
	},
	{
		.name = "signingKey",
		TEXT(struct apt_options, signing_key.text),
		.text = "File of the OpenPGP secret key that signs what is `curated`.",
	},
	{
		.name = "validFor",
		.type = SCHEMA_DURATION,
		FIELD(struct apt_options, valid_for_ms),
		.max = 49u * DAY_MS,
		.default_value = "0s",
		.text = "How long clients accept what is `curated` (`Valid-Until`); `0s` for "
			"ever.",
	},
	{
		.name = "snapshotsUrl",
		TEXT(struct apt_options, snapshots_url),
		.check = reservoir_check_url,
		.text = "URL that clients have of this server. What is `curated` then says where "
			"its snapshots are, and `apt --snapshot NAME` finds them (apt 2.9 and "
			"later).",
	},
	{
		.name = "keepIndexes",
		.type = SCHEMA_U32,
		FIELD(struct apt_options, keep_indexes),
		.max = 100,
		.default_value = "4",
		.unit = "generations",
		.text = "Earlier indexes that can still be fetched by hash, for clients that are "
			"in the middle of an update.",
	},
};

static const struct schema_key environment_keys[] = {
	{
		.name = "python",
		TEXT(struct pypi_environment, python),
		.required = true,
		.check = reservoir_check_python,
		.text = "Version of Python, as in `3.11`.",
	},
	{
		.name = "platform",
		TEXT(struct pypi_environment, platform),
		.required = true,
		.check = reservoir_check_platform,
		.text = "Platform tag, as in `manylinux_2_28_x86_64`, `musllinux_1_2_aarch64`, "
			"`win_amd64` or `macosx_11_0_arm64`.",
	},
	{
		.name = "implementation",
		TEXT(struct pypi_environment, implementation),
		.default_value = "cpython",
		.text = "`cpython` or `pypy`.",
	},
};
static const struct schema_key environment_item = {
	.name = "environments[]",
	MAPPING(environment_keys),
	.size = sizeof(struct pypi_environment),
};

static const struct schema_key pypi_keys[] = {
	{
		.name = "projects",
		WORDS(struct pypi_options, projects, n_projects, reservoir_config_word),
		.max = WORDS_MAX,
		.text = "Projects, as in `requests`, `numpy>=1.26` or `jupyter-*`.",
	},
	{
		.name = "requirements",
		WORDS(struct pypi_options, requirements, n_requirements, reservoir_config_path),
		.max = FEW_MAX,
		.text = "Requirements files with further projects.",
	},
	{
		.name = "all",
		BOOL(struct pypi_options, all),
		.default_value = "false",
		.text = "Every project that the upstream has.",
	},
	{
		.name = "exclude",
		WORDS(struct pypi_options, exclude, n_exclude, reservoir_config_word),
		.max = WORDS_MAX,
		.text = "Projects or releases that are left out, as in `requests<2.31`.",
	},
	{
		.name = "environments",
		WORDS(struct pypi_options, environments, n_environments, environment_item),
		.max = FEW_MAX,
		.text = "What packages are installed on; wheels for anything else are left out. "
			"When left out, all wheels are taken.",
	},
	{
		.name = "dependencies",
		BOOL(struct pypi_options, dependencies),
		.default_value = "true",
		.text = "Take what the projects depend on in the environments, too.",
	},
	{
		.name = "wheels",
		BOOL(struct pypi_options, wheels),
		.default_value = "true",
		.text = "Take wheels.",
	},
	{
		.name = "sdists",
		BOOL(struct pypi_options, sdists),
		.default_value = "true",
		.text = "Take source distributions.",
	},
	{
		.name = "prereleases",
		BOOL(struct pypi_options, prereleases),
		.default_value = "false",
		.text = "Take pre-releases of projects that have others.",
	},
	{
		.name = "keepNewest",
		.type = SCHEMA_U32,
		FIELD(struct pypi_options, keep_newest),
		.max = 100000,
		.default_value = "0",
		.unit = "releases",
		.text = "Only so many of the newest releases of each project; `0` for all.",
	},
	{
		.name = "provenance",
		BOOL(struct pypi_options, provenance),
		.default_value = "true",
		.text = "Carry attestations along.",
	},
};

static const struct schema_key repository_keys[] = {
	{
		.name = "name",
		TEXT(struct repository, name),
		.required = true,
		.check = reservoir_check_name,
		.text = "Name, the first part of the path of its URL.",
	},
	{
		.name = "ecosystem",
		.type = SCHEMA_ENUM,
		FIELD(struct repository, ecosystem),
		.values = ecosystems,
		.required = true,
		.text = "What kind of packages it has.",
	},
	{
		.name = "mode",
		.type = SCHEMA_ENUM,
		FIELD(struct repository, mode),
		.values = modes,
		.default_value = "mirror",
		.text = "`mirror`: synced or imported beforehand; `cache`: fetched when a client "
			"asks for it, and kept.",
	},
	{
		.name = "upstream",
		TEXT(struct repository, upstream),
		.check = reservoir_check_url,
		.text = "URL that it comes from: of APT what stands in `sources.list`, of PyPI the "
			"simple index. Left out at a site that only imports.",
	},
	{
		.name = "readers",
		WORDS(struct repository, readers, n_readers, reservoir_config_word),
		.max = USERS_MAX,
		.text = "Users that may read it; when left out, everybody.",
	},
	{
		.name = "bandwidth",
		.type = SCHEMA_BYTES,
		FIELD(struct repository, bytes_per_second),
		.max = 1024 * GI,
		.default_value = "0",
		.text = "Bytes a second that it is served with, to all clients together; `0` for "
			"no limit.",
	},
	{
		.name = "requests",
		.type = SCHEMA_U32,
		FIELD(struct repository, requests_per_second),
		.max = 1000000,
		.default_value = "0",
		.text = "Requests a second that are answered, of all clients together; `0` for no "
			"limit.",
	},
	{
		.name = "cacheFor",
		.type = SCHEMA_DURATION,
		FIELD(struct repository, cache_for_ms),
		.max = 30u * DAY_MS,
		.default_value = "10m",
		.text = "How old an index of a `cache` may be before the upstream is asked again.",
	},
	{
		.name = "maxSize",
		.type = SCHEMA_BYTES,
		FIELD(struct repository, max_size),
		.max = 1024 * 1024 * GI,
		.default_value = "0",
		.text = "Bytes that a `cache` keeps; beyond, what was not asked for longest goes. "
			"`0` "
			"for no limit.",
	},
	{
		.name = "apt",
		MAPPING(apt_keys),
		FIELD(struct repository, apt),
		.when = "ecosystem",
		.when_values = 1u << REPOSITORY_APT,
		.optional = true,
		.check = reservoir_check_apt,
		.text = "What of an APT repository is taken.",
	},
	{
		.name = "pypi",
		MAPPING(pypi_keys),
		FIELD(struct repository, pypi),
		.when = "ecosystem",
		.when_values = 1u << REPOSITORY_PYPI,
		.optional = true,
		.text = "What of a Python package index is taken.",
	},
};
const struct schema_key reservoir_config_repository_item = {
	.name = "repositories[]",
	MAPPING(repository_keys),
	.size = sizeof(struct repository),
	.check = reservoir_check_repository,
};
