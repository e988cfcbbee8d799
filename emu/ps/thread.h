/* Threads as objects. See thread.c. */
#ifndef PS_THREAD_H
#define PS_THREAD_H

#include <ntddk.h>

#include "base/jump.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "ke/kernel.h"

struct _ETHREAD {
    struct _KTHREAD Tcb;
    ULONG_PTR id;
    const char *name; /* of a worker, for reports; NULL for a driver's thread */
    PKSTART_ROUTINE start_routine;
    PVOID start_context;
    const void *creator; /* return address of who created it */
    NTSTATUS exit_status;
    PEPROCESS _Atomic identity; /* whom it impersonates, or NULL */
    bool is_system;
    bool is_terminating;
    void (*at_end)(void *context); /* called by the thread itself when it ends; or NULL */
    void *at_end_context;
    struct base_thread *host; /* NULL for an adopted thread */
    base_jump exit;           /* where PsTerminateSystemThread goes */
};

struct ps_state {
    struct base_mutex lock; /* guards all below */
    ULONG_PTR next_id;
    ULONG running;              /* system threads of drivers that have not ended */
    ULONG running_of_tests;     /* those of them that no driver's code made */
    struct base_thread **ended; /* host threads to join */
    ULONG ended_count;
    ULONG ended_capacity;
    void (*on_end)(PETHREAD thread); /* see ps_on_thread_end */
};

extern const struct ke_module ps_module;

/* A number for a thread or a process. */
ULONG_PTR ps_new_id(void);

/* Starts a thread of the emulator's own. *thread holds a reference that ps_join_worker drops. */
NTSTATUS ps_start_worker(const char *name, void (*routine)(void *context), void *context,
                         struct _KTHREAD **thread);

/* Waits for the end of a worker. */
void ps_join_worker(struct _KTHREAD *thread);

/* As PsCreateSystemThread; at_end(context), if wanted, is called by the thread when it ends. */
struct ps_thread_start {
    const OBJECT_ATTRIBUTES *attributes;
    HANDLE process;
    PKSTART_ROUTINE routine;
    void *context;
    const void *creator; /* return address of who asked */
    void (*at_end)(void *context);
    void *at_end_context;
};
NTSTATUS ps_create_thread(const struct ps_thread_start *start, ACCESS_MASK access, HANDLE *handle,
                          CLIENT_ID *client);

/* A thread that runs code of the driver, or will: referenced, or NULL. */
PETHREAD ps_find_thread_of(const struct ke_code *code);

/* Whether the thread waits for something at this moment. */
bool ps_is_blocked(PETHREAD thread);

/* Has routine called in every system thread that ends, at PASSIVE_LEVEL; for the I/O manager. */
void ps_on_thread_end(void (*routine)(PETHREAD thread));

/* Makes the thread object of the calling host thread. */
struct _KTHREAD *ps_adopt(void);

#endif
