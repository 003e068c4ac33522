/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/apt.h"

#include "reservoir/apt/client.h"
#include "reservoir/apt/expect.h"
#include "reservoir/apt/explain.h"
#include "reservoir/apt/finish.h"
#include "reservoir/apt/from_host.h"
#include "reservoir/apt/key_expiry.h"
#include "reservoir/apt/sync.h"

const struct ecosystem apt_ecosystem = {
	.name = "apt",
	.text = "APT: Debian, Ubuntu and what is built like them",
	.sync = apt_sync,
	.finish = apt_finish,
	.keyring = apt_keyring,
	.check = apt_check,
	.expect = apt_expect,
	.package = apt_package,
	.client_config = apt_client_config,
	.explain = apt_explain,
	.warn = apt_warn,
	.from_host = apt_from_host,
};
