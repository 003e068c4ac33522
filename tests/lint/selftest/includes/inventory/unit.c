#include "inventory/unit.h"

#include <libudev.h>
#include <jansson.h>

#include "api/config/config.h"
#include "api/config/config.pb-c.h"
#include "drivers/driver.c"
