#include <stdio.h>

#include "drivers/driver.h"
#include "good.h"
#include <grpc/grpc.h>
