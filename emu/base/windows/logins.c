#include "base/logins.h"

/* Windows has sessions of its own, but nobody here asks for them. */

bool base_logins_are_supported(void)
{
    return false;
}

struct base_logins *base_logins_open(const char **why)
{
    *why = "not on this host";
    return NULL;
}

bool base_logins_wait(struct base_logins *logins)
{
    return false;
}

bool base_logins_list(struct base_logins *logins, base_login_visitor *visit, void *context)
{
    return false;
}

void base_logins_end(struct base_logins *logins)
{
}

void base_logins_close(struct base_logins *logins)
{
}
