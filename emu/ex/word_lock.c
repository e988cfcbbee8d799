/*
 * The word: bit 0 is set while a writer holds the lock, bit 1 while threads sleep for it; then come
 * 14 bits that count waiting writers and 16 that count readers. While a writer waits no reader is
 * let in (SPIN-35, FAST-31). Whoever frees the lock with sleepers clears bit 1 and wakes all; they
 * look again, and sleep again with the bit set.
 */
#include "ex/word_lock.h"

#include "ke/address.h"
#include "ke/kernel.h"
#include "ke/patience.h"

#define WRITER 0x1u
#define SLEEPERS 0x2u
#define WAITING_WRITER 0x4u
#define WAITING_WRITERS_MASK 0xFFFCu
#define READER 0x10000u
#define READERS_MASK 0xFFFF0000u

static ULONG load(const volatile ULONG *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static bool try_swap(volatile ULONG *word, ULONG from, ULONG to)
{
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static bool admits_reader(ULONG value)
{
    return (value & (WRITER | WAITING_WRITERS_MASK)) == 0;
}

static bool admits_writer(ULONG value)
{
    return (value & (WRITER | READERS_MASK)) == 0;
}

/* What tells a thread from others in 32 bits. */
static ULONG mark_of(const struct _KTHREAD *thread)
{
    return (ULONG)((ULONG_PTR)thread >> 4);
}

void ex_word_lock_note_writer(volatile ULONG *word)
{
    __atomic_store_n(&word[1], mark_of(ke_current()), __ATOMIC_RELAXED);
}

void ex_word_lock_forget_writer(volatile ULONG *word)
{
    __atomic_store_n(&word[1], 0, __ATOMIC_RELAXED);
}

/* Readers are not known. */
static const void *holder_of(const void *lock, unsigned n)
{
    ULONG mark = load((const volatile ULONG *)lock + 1);
    LIST_ENTRY *head = &ke_entered()->threads.all;
    for (LIST_ENTRY *entry = head->Flink; entry != head && n == 0; entry = entry->Flink) {
        const struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        if (mark_of(thread) == mark) {
            return thread;
        }
    }
    return NULL;
}

/* Sleeps once, unless the word is no longer seen. */
static void sleep_on(volatile ULONG *word, ULONG seen, bool may_lead)
{
    struct ke_reason reason = {
        .what = may_lead ? "the push lock" : "the reader and writer spin lock",
        .object = (const void *)word,
        .kind = KE_REASON_LOCK,
        .rule = may_lead ? "MUTEX-12" : "SPIN-19",
        .holder = may_lead ? holder_of : NULL,
    };
    ke_reason_begin(&reason);
    if ((seen & SLEEPERS) != 0 || try_swap(word, seen, seen | SLEEPERS)) {
        ke_address_wait(word, sizeof(*word), seen | SLEEPERS, may_lead);
    }
    ke_reason_end(&reason);
}

bool ex_word_lock_try_shared(volatile ULONG *word)
{
    ULONG value = load(word);
    while (admits_reader(value)) {
        if (try_swap(word, value, value + READER)) {
            return true;
        }
        value = load(word);
    }
    return false;
}

void ex_word_lock_shared(volatile ULONG *word, bool may_lead)
{
    while (!ex_word_lock_try_shared(word)) {
        ULONG value = load(word);
        if (!admits_reader(value)) {
            sleep_on(word, value, may_lead);
        }
    }
}

bool ex_word_lock_try_exclusive(volatile ULONG *word)
{
    ULONG value = load(word);
    while (admits_writer(value)) {
        if (try_swap(word, value, value | WRITER)) {
            return true;
        }
        value = load(word);
    }
    return false;
}

static void wait_exclusive(volatile ULONG *word, bool may_lead)
{
    __atomic_fetch_add(word, WAITING_WRITER, __ATOMIC_SEQ_CST);
    for (;;) {
        ULONG value = load(word);
        if (!admits_writer(value)) {
            sleep_on(word, value, may_lead);
        } else if (try_swap(word, value, (value - WAITING_WRITER) | WRITER)) {
            return;
        }
    }
}

void ex_word_lock_exclusive(volatile ULONG *word, bool may_lead)
{
    if (!ex_word_lock_try_exclusive(word)) {
        wait_exclusive(word, may_lead);
    }
}

bool ex_word_lock_convert(volatile ULONG *word)
{
    ULONG value = load(word);
    while ((value & ~SLEEPERS) == READER) {
        if (try_swap(word, value, (value - READER) | WRITER)) {
            return true;
        }
        value = load(word);
    }
    return false;
}

bool ex_word_lock_release_shared(volatile ULONG *word)
{
    for (;;) {
        ULONG value = load(word);
        if ((value & READERS_MASK) == 0) {
            return false;
        }
        ULONG after = value - READER;
        bool wakes = (after & READERS_MASK) == 0 && (after & SLEEPERS) != 0;
        if (try_swap(word, value, wakes ? after & ~SLEEPERS : after)) {
            if (wakes) {
                ke_address_wake(word, true);
            }
            return true;
        }
    }
}

bool ex_word_lock_release_exclusive(volatile ULONG *word)
{
    for (;;) {
        ULONG value = load(word);
        if ((value & WRITER) == 0) {
            return false;
        }
        if (try_swap(word, value, value & ~(WRITER | SLEEPERS))) {
            if ((value & SLEEPERS) != 0) {
                ke_address_wake(word, true);
            }
            return true;
        }
    }
}
