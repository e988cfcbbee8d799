/* Dispatcher objects, and tables, on a stack: they go when the driver's routine returns. See
 * local_object.c. */
#ifndef VERIFIER_LOCAL_OBJECT_H
#define VERIFIER_LOCAL_OBJECT_H

#include "base/local.h"
#include "verifier/level.h"

struct ke_callback;

/* Whether the calling thread has initialised objects on its stack. */
extern BASE_THREAD_LOCAL bool verifier_has_local_objects;

/* What the functions below call. */
void verifier_local_object_note(const void *object);
void verifier_local_objects_bury(const struct ke_callback *callback);
bool verifier_local_object_find_gone(const void *object);

/* A dispatcher object was initialised, or a table given that has to stay. */
static inline void verifier_local_object_born(const void *object)
{
    if (verifier_is_on()) {
        verifier_local_object_note(object);
    }
}

/* The routine returned. Bug checks if a timer that is set or a queued DPC lies on its stack. */
static inline void verifier_local_objects_left(const struct ke_callback *callback)
{
    if (verifier_has_local_objects) {
        verifier_local_objects_bury(callback);
    }
}

/* Whether the object lay on the stack of a routine of the driver's that has returned since, and was
 * not initialised again. At level full only. */
static inline bool verifier_local_object_is_gone(const void *object)
{
    return verifier_is_full() && verifier_local_object_find_gone(object);
}

#endif
