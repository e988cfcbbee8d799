#include "base/word.h"

#include "base/clock.h"

#include <windows.h>

#define NS_PER_MS 1000000ULL

/* Rounded up; a day is long enough to look again after. */
static DWORD milliseconds_until(uint64_t deadline_ns)
{
    const uint64_t longest = 24ULL * 3600 * 1000;
    if (deadline_ns == BASE_FOREVER) {
        return INFINITE;
    }
    uint64_t now = base_clock_ns();
    uint64_t left = now >= deadline_ns ? 0 : (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
    return (DWORD)(left < longest ? left : longest);
}

void base_word_wait(base_word *word, uint32_t seen, uint64_t deadline_ns)
{
    WaitOnAddress((volatile void *)word, &seen, sizeof(seen), milliseconds_until(deadline_ns));
}

void base_word_wake(base_word *word)
{
    WakeByAddressSingle((void *)word);
}
