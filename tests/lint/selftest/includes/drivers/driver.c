#include <libudev.h>
#include <pci/pci.h>
#include "drivers/driver.h"
#include "../base/good.h"
#include "base/missing.h"
#include "inventory/unit.h"
#include <dlfcn.h>
