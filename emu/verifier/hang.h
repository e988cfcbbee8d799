/*
 * Hangs: who waits for ever while nothing can happen any more, and an explanation instead of
 * silence. See hang.c.
 */
#ifndef VERIFIER_HANG_H
#define VERIFIER_HANG_H

#include <wdm.h>

#include <stdbool.h>
#include <stdint.h>

#define VERIFIER_ASKERS_MAX 4

/* What an area expects from outside of the kernel. */
enum verifier_outlook {
    VERIFIER_NOTHING,
    VERIFIER_TRAFFIC, /* what others may send or never send */
    VERIFIER_SURELY,  /* what ends by itself: a name lookup, a connection that is being made */
};

/* Called with no lock held. */
typedef enum verifier_outlook verifier_asker(void *context);

/* What a hang is told as. */
struct verifier_hang_cause {
    ULONG code;
    ULONG_PTR parameter[4];
    const char *rule; /* or NULL */
    char sentence[480];
};

/* Whether something of an area explains a hang better than the waits do. No lock is held. */
typedef bool verifier_suspect(void *context, struct verifier_hang_cause *cause);

struct verifier_hang_report;

/* Guarded by the dispatcher lock; the lists do not change once threads run. */
struct verifier_hang {
    uint64_t next_ns;  /* when to look again; 0: not yet known */
    uint64_t progress; /* of the lead, at the last look */
    unsigned quiet;    /* looks in a row at which nothing could happen any more */
    bool is_looking;
    struct {
        verifier_asker *ask;       /* or NULL */
        verifier_suspect *suspect; /* or NULL */
        void *context;
    } askers[VERIFIER_ASKERS_MAX];
    unsigned asker_count;
    struct verifier_hang_report *report; /* of the hang that stops the kernel */
};

/* After so many milliseconds a hang is told; 0: never. Only boot sets it. */
void verifier_hang_set(unsigned long milliseconds);
unsigned long verifier_hang_ms(void);

/* Has an area asked; either function may be NULL. While the kernel starts. */
void verifier_asker_add(verifier_asker *ask, verifier_suspect *suspect, void *context);

/* When the background thread shall look next; BASE_FOREVER for never. The dispatcher lock is held.
 */
uint64_t verifier_hang_next(void);

/* Looks, if it is time; stops the kernel if it hangs. The dispatcher lock is held on entry and on
 * return, not between. By the background thread. */
void verifier_hang_look(void);

/* Prints the threads of a kernel that was stopped because it hangs, with their stacks, and what is
 * pending. Returns false, having printed nothing, of any other. */
bool verifier_hang_print(void);

/* When the kernel goes. */
void verifier_hang_stop(struct verifier_hang *hang);

#endif
