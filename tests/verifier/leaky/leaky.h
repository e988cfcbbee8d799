/* What the driver leaky does wrong: the test asks for it by an internal control code. */
#ifndef TESTS_VERIFIER_LEAKY_H
#define TESTS_VERIFIER_LEAKY_H

enum leaky_act {
    LEAKY_NOTHING, /* the good twin: it makes one of each and gives all back */
    LEAKY_IRP,
    LEAKY_MDL,
    LEAKY_POOL,
    LEAKY_WORK_ITEM,
    LEAKY_HANDLE,
    LEAKY_THREAD_HANDLE,
    LEAKY_LINK,
    LEAKY_FILE,
    LEAKY_TIMER,
    LEAKY_THREAD,
    LEAKY_COMPLETION_ROUTINE,
    LEAKY_IRP_HELD,
    LEAKY_CANCELLED_IRP_HELD,
    LEAKY_EXTENSION_TIMER,
    LEAKY_PATH,
    LEAKY_MEMBER,
    LEAKY_ALLOCATED_TIMER,
    LEAKY_RESOLUTION,
    LEAKY_ENDING_THREAD, /* Unload waits for what the thread signals instead of for the thread */
    LEAKY_WORK_ROUTINE,
};

#define LEAKY_NAME L"\\Device\\Leaky"
#define LEAKY_OTHER L"\\Device\\Other" /* the test's; it holds what it is sent */

#endif
