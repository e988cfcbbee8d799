/* The host copies the byte, so that an address without memory is an error and not a fault. */
#include "base/memory.h"

#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

bool base_memory_is_readable(const void *address)
{
    char byte;
    struct iovec to = {.iov_base = &byte, .iov_len = 1};
    struct iovec from = {.iov_base = (void *)(uintptr_t)address, .iov_len = 1};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}
