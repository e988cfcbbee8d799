/*
 * Sleeping at a word: what the host gives to build locks and parking places of.
 *
 * The word's owner decides by atomic operations who goes on; only whoever cannot comes here. A wake
 * touches no memory of the word, so it may come when the word is gone already.
 */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stdatomic.h>
#include <stdint.h>

/* No deadline. */
#define BASE_FOREVER UINT64_MAX

typedef _Atomic uint32_t base_word;

/* Sleeps if the word is seen, until a wake or until deadline_ns of base_clock_ns(). May return
 * early: callers look again. */
void base_word_wait(base_word *word, uint32_t seen, uint64_t deadline_ns);

/* Wakes one thread that sleeps at the word. */
void base_word_wake(base_word *word);

#endif
