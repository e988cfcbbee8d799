#include "detail/trace_logging.h"
