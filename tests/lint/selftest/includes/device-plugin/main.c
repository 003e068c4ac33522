#include <yaml.h>

#include "api/config/config.h"
#include "api/config/missing.pb-c.h"
#include "drivers/driver.h"
#include "inventory/unit.h"
