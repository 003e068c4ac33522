#include "base/good.h"

#include <stdio.h>
/* #include "drivers/driver.h" */
