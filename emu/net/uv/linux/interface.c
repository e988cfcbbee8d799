#include "net/uv/interface.h"

#include <net/if.h>

uint32_t interface_index(const char *name)
{
    return if_nametoindex(name);
}
