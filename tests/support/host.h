/* What the host of a test is. */
#ifndef TESTS_SUPPORT_HOST_H
#define TESTS_SUPPORT_HOST_H

#include "test.h"

#include <stdbool.h>

/* Whether the host is Wine, which lacks much of Winsock's control data and options. */
bool host_is_wine(void);

/* Skips a test of what Wine lacks; the first words of a test. */
#define NOT_UNDER_WINE(what)                                                                       \
    do {                                                                                           \
        if (host_is_wine()) {                                                                      \
            print_message("skipped: Wine lacks %s\n", what);                                       \
            skip();                                                                                \
        }                                                                                          \
    } while (false)

#endif
