/* What the host of a test is. */
#ifndef TESTS_SUPPORT_HOST_H
#define TESTS_SUPPORT_HOST_H

#include "test.h"

#include <stdbool.h>

/* Whether the host is Wine, which lacks much of Winsock's control data and options. */
bool host_is_wine(void);

#endif
