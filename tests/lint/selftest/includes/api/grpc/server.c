#include "api/grpc/server.h"

#include <grpc/grpc.h>

#include "api/config/config.pb-c.h"
#include "base/good.h"
