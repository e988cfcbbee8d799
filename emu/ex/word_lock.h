/*
 * A lock for readers and writers in one 32-bit word, zero while free. See word_lock.c.
 */
#ifndef EX_WORD_LOCK_H
#define EX_WORD_LOCK_H

#include <wdm.h>

#include <stdbool.h>

/* may_lead: a thread that has to wait may run the loop meanwhile; never for spin locks. */
void ex_word_lock_shared(volatile ULONG *word, bool may_lead);
void ex_word_lock_exclusive(volatile ULONG *word, bool may_lead);

/* Take the lock if that needs no waiting. */
bool ex_word_lock_try_shared(volatile ULONG *word);
bool ex_word_lock_try_exclusive(volatile ULONG *word);

/* Makes the only reader the writer; false if there are others, or a writer waits. */
bool ex_word_lock_convert(volatile ULONG *word);

/* Release; false if the lock is not held in this mode. */
bool ex_word_lock_release_shared(volatile ULONG *word);
bool ex_word_lock_release_exclusive(volatile ULONG *word);

/*
 * Of locks that may lead, for who explains a hang: the 32 bits behind the word tell the writer.
 * After the lock was taken, and before it is released.
 */
void ex_word_lock_note_writer(volatile ULONG *word);
void ex_word_lock_forget_writer(volatile ULONG *word);

#endif
