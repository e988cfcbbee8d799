#include "base/poller.h"

/* epoll counts nobody: any thread may poll at any time. */
void base_poller_leave(void)
{
}
