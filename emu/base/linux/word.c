#include "base/word.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000ULL

_Static_assert(sizeof(base_word) == sizeof(uint32_t), "the kernel's futex is a plain word");

/* The bit set's variant takes a deadline of the monotonic clock, which is base_clock_ns()'s. */
void base_word_wait(base_word *word, uint32_t seen, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / NS_PER_SECOND),
                                .tv_nsec = (long)(deadline_ns % NS_PER_SECOND)};
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen,
            deadline_ns == BASE_FOREVER ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

void base_word_wake(base_word *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}
