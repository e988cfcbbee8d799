/*
 * System threads.
 *
 * A thread object lives while it is referenced: by its handles, and by itself until it has ended.
 * The host's thread under it is joined later, by the next thread that is created or by shutdown,
 * because the last reference may be dropped by the ending thread itself.
 */
#include "ps/thread.h"

#include "base/log.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/irql.h"
#include "ke/left.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "ob/object.h"
#include "ps/process.h"
#include "trace/trace.h"
#include "verifier/fault.h"
#include "verifier/object.h"

#include <ntifs.h>

#include <stdlib.h>
#include <string.h>

/* A system thread starts inside a critical region (THREAD-07). */
#define IN_CRITICAL_REGION (-1)

static void destroy(void *object)
{
    ke_thread_finalize(object);
}

static DISPATCHER_HEADER *waitable(void *object)
{
    return &((PETHREAD)object)->Tcb.Header;
}

static struct _OBJECT_TYPE thread_type = {
    .name = "Thread", .destroy = destroy, .waitable = waitable};
static POBJECT_TYPE thread_type_pointer = &thread_type;
POBJECT_TYPE *PsThreadType = &thread_type_pointer;

static struct ps_state *state_of_ps(void)
{
    return ke_state(KE_MODULE_PS);
}

ULONG_PTR ps_new_id(void)
{
    struct ps_state *ps = state_of_ps();
    base_mutex_lock(&ps->lock);
    ULONG_PTR id = ps->next_id;
    ps->next_id += 4;
    base_mutex_unlock(&ps->lock);
    return id;
}

static PETHREAD create_thread(void)
{
    PETHREAD thread = ob_create(&thread_type, sizeof(*thread));
    if (thread == NULL) {
        return NULL;
    }
    if (!ke_thread_initialize(&thread->Tcb)) {
        ob_dereference(thread);
        return NULL;
    }
    __atomic_store_n(&thread->id, ps_new_id(), __ATOMIC_RELAXED);
    thread->exit_status = STATUS_PENDING;
    return thread;
}

struct _KTHREAD *ps_adopt(void)
{
    verifier_stack_begins();
    PETHREAD thread = create_thread();
    if (thread == NULL) {
        return NULL;
    }
    ob_make_internal(thread);
    return &thread->Tcb;
}

/* Joins the host threads that have ended. */
static void reap(struct ps_state *ps)
{
    base_mutex_lock(&ps->lock);
    struct base_thread **ended = ps->ended;
    ULONG count = ps->ended_count;
    ps->ended = NULL;
    ps->ended_count = 0;
    ps->ended_capacity = 0;
    base_mutex_unlock(&ps->lock);
    for (ULONG i = 0; i < count; i++) {
        base_thread_join(ended[i]);
    }
    free(ended);
}

/* Leaves a host thread to be joined. The lock is held. */
static void note_ended(struct ps_state *ps, struct base_thread *host)
{
    if (ps->ended_count == ps->ended_capacity) {
        ULONG capacity = ps->ended_capacity + 16;
        struct base_thread **ended = realloc(ps->ended, capacity * sizeof(struct base_thread *));
        if (ended == NULL) {
            abort();
        }
        ps->ended = ended;
        ps->ended_capacity = capacity;
    }
    ps->ended[ps->ended_count++] = host;
}

static bool is_of_test(PETHREAD thread)
{
    return thread->name == NULL && ob_header_of(thread)->creator == NULL;
}

/* The books are closed before the thread is signalled: who waited for it may shut down at once, and
 * joins the host's thread, which still has to leave. */
static void end_thread(PETHREAD thread)
{
    struct ps_state *ps = state_of_ps();
    base_mutex_lock(&ps->lock);
    ps->running -= thread->name == NULL;
    ps->running_of_tests -= is_of_test(thread);
    note_ended(ps, thread->host);
    base_mutex_unlock(&ps->lock);
    verifier_stack_ended();
    if (thread->at_end != NULL) {
        thread->at_end(thread->at_end_context);
    }
    ke_thread_leave(&thread->Tcb);
    ob_dereference(thread);
    ke_thread_forget();
}

static void check_exit(const struct _ETHREAD *thread)
{
    const struct _KTHREAD *tcb = &thread->Tcb;
    if (!IsListEmpty(&tcb->mutants)) {
        const KMUTANT *mutex = CONTAINING_RECORD(tcb->mutants.Flink, KMUTANT, MutantListEntry);
        ke_bugcheck(THREAD_TERMINATE_HELD_MUTEX, (ULONG_PTR)thread, (ULONG_PTR)mutex, 0, 0,
                    "MUTEX-11", "The thread ended while it owned the mutex %p.",
                    (const void *)mutex);
    }
    if (tcb->kernel_apc_disable != IN_CRITICAL_REGION || tcb->special_apc_disable != 0) {
        ke_bugcheck(KERNEL_APC_PENDING_DURING_EXIT, 0, (ULONG_PTR)(USHORT)tcb->kernel_apc_disable,
                    tcb->irql, 0, "THREAD-34",
                    "The thread ended inside a critical or guarded region that it entered.");
    }
}

/* What every host thread of ours runs. */
static void run(void *context)
{
    PETHREAD thread = context;
    struct ke_callback callback;
    thread->Tcb.kernel_apc_disable = IN_CRITICAL_REGION;
    ke_thread_enter(&thread->Tcb, true);
    verifier_stack_begins();
    trace_object(TRACE_THREAD_START, TRACE_THREADS, thread, (ULONG_PTR)thread->start_routine, 0);
    ke_callback_enter(&callback, "a system thread", (void *)(ULONG_PTR)thread->start_routine);
    if (BASE_JUMP_SET(thread->exit) == 0) {
        thread->start_routine(thread->start_context);
        thread->exit_status = STATUS_SUCCESS;
    }
    __atomic_store_n(&thread->is_terminating, true, __ATOMIC_RELAXED);
    check_exit(thread);
    ke_callback_leave(&callback);
    trace_object(TRACE_THREAD_END, TRACE_THREADS, thread, 0, 0);
    if (state_of_ps()->on_end != NULL) {
        state_of_ps()->on_end(thread);
    }
    end_thread(thread);
}

void ps_on_thread_end(void (*routine)(PETHREAD thread))
{
    state_of_ps()->on_end = routine;
}

/* Starts the host's thread; the running thread holds a reference of its own. */
static NTSTATUS start_thread(PETHREAD thread)
{
    struct ps_state *ps = state_of_ps();
    ULONG is_drivers = thread->name == NULL;
    reap(ps);
    thread->is_system = true;
    ob_reference(thread);
    base_mutex_lock(&ps->lock);
    ps->running += is_drivers;
    ps->running_of_tests += is_of_test(thread);
    thread->host = base_thread_start(run, thread);
    bool is_started = thread->host != NULL;
    if (!is_started) {
        ps->running -= is_drivers;
        ps->running_of_tests -= is_of_test(thread);
    }
    base_mutex_unlock(&ps->lock);
    if (!is_started) {
        ob_dereference(thread);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

NTSTATUS ps_start_worker(const char *name, void (*routine)(void *context), void *context,
                         struct _KTHREAD **thread)
{
    PETHREAD worker = create_thread();
    if (worker == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_make_internal(worker);
    worker->name = name;
    worker->start_routine = routine;
    worker->start_context = context;
    worker->Tcb.is_worker = true;
    NTSTATUS status = start_thread(worker);
    if (!NT_SUCCESS(status)) {
        ob_dereference(worker);
        return status;
    }
    *thread = &worker->Tcb;
    return STATUS_SUCCESS;
}

void ps_join_worker(struct _KTHREAD *thread)
{
    KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
    ob_dereference(thread);
    reap(state_of_ps());
}

static NTSTATUS check_creation(const OBJECT_ATTRIBUTES *attributes, HANDLE process)
{
    const ULONG refused = OBJ_PERMANENT | OBJ_EXCLUSIVE | OBJ_OPENIF;
    void *object = NULL;
    ACCESS_MASK access = 0;
    if (attributes != NULL && (attributes->Attributes & refused) != 0) {
        ke_warning("THREAD-06",
                   "the driver created a thread with attributes 0x%X, which a thread "
                   "cannot have",
                   attributes->Attributes & refused);
        return STATUS_INVALID_PARAMETER;
    }
    if (process == NULL) {
        return STATUS_SUCCESS;
    }
    NTSTATUS status = ob_reference_handle(process, *PsProcessType, &object, &access);
    if (NT_SUCCESS(status)) {
        ob_dereference(object);
    }
    return status;
}

NTSTATUS ps_create_thread(const struct ps_thread_start *start, ACCESS_MASK access, HANDLE *handle,
                          CLIENT_ID *client)
{
    NTSTATUS status = check_creation(start->attributes, start->process);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    PETHREAD thread = create_thread();
    if (thread == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    thread->start_routine = start->routine;
    thread->start_context = start->context;
    thread->creator = start->creator;
    thread->at_end = start->at_end;
    thread->at_end_context = start->at_end_context;
    status = ob_open_handle(thread, access, handle);
    if (NT_SUCCESS(status)) {
        if (client != NULL) {
            client->UniqueProcess = PsGetCurrentProcessId();
            client->UniqueThread = (HANDLE)thread->id;
        }
        status = start_thread(thread);
        if (!NT_SUCCESS(status)) {
            ob_close_handle(*handle);
        }
    }
    ob_dereference(thread);
    return status;
}

/*
 * Starts a system thread and gives a handle to it. ObjectAttributes may be NULL; ProcessHandle must
 * be NULL or the system process's; ClientId may be NULL. STATUS_INVALID_PARAMETER,
 * STATUS_INVALID_HANDLE, STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. (THREAD-01 to 08)
 */
NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
                              POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                              PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (ProcessHandle != NULL || ClientId != NULL) {
        ke_warning("THREAD-05", "the driver created a system thread with a %s; drivers pass NULL",
                   ProcessHandle != NULL ? "ProcessHandle" : "ClientId");
    }
    struct ps_thread_start start = {
        .attributes = ObjectAttributes,
        .process = ProcessHandle,
        .routine = StartRoutine,
        .context = StartContext,
        .creator = _ReturnAddress(),
    };
    return ps_create_thread(&start, DesiredAccess, ThreadHandle, ClientId);
}

/* These run in a system thread that is not the driver's, whatever thread stands for it here. */
static void check_not_loading(const struct _ETHREAD *thread)
{
    const struct ke_callback *callback = ke_callback_innermost();
    bool is_systems = callback != NULL && (strcmp(callback->what, KE_CALLBACK_ENTRY) == 0 ||
                                           strcmp(callback->what, KE_CALLBACK_UNLOAD) == 0);
    if (is_systems) {
        ke_bugcheck(ACTIVE_EX_WORKER_THREAD_TERMINATION, (ULONG_PTR)thread, 0, 0, 0, "THREAD-12",
                    "The driver called PsTerminateSystemThread in %s, which runs in a thread of "
                    "the system's: loading or unloading it would never end.",
                    callback->what);
    }
}

/*
 * Ends the calling system thread; does not return. In any other thread it does nothing and returns
 * STATUS_INVALID_PARAMETER. PASSIVE_LEVEL. (THREAD-10, THREAD-11)
 */
NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    PETHREAD thread = (PETHREAD)ke_current();
    check_not_loading(thread);
    if (!thread->is_system) {
        return STATUS_INVALID_PARAMETER;
    }
    if (thread->Tcb.is_worker) {
        ke_bugcheck(ACTIVE_EX_WORKER_THREAD_TERMINATION, (ULONG_PTR)thread, 0, 0, 0, "WORK-24",
                    "The driver called PsTerminateSystemThread in a work routine, whose thread is "
                    "not the driver's.");
    }
    thread->exit_status = ExitStatus;
    BASE_JUMP_TO(thread->exit);
}

/* The calling thread's object, not referenced. Any IRQL. */
PETHREAD(PsGetCurrentThread)(VOID)
{
    return (PETHREAD)ke_current();
}

/* The calling thread. Any IRQL. */
PKTHREAD(KeGetCurrentThread)(VOID)
{
    return ke_current();
}

/* The calling thread's number. Any IRQL. */
HANDLE PsGetCurrentThreadId(VOID)
{
    return (HANDLE)((PETHREAD)ke_current())->id;
}

/* A thread's number. Any IRQL. */
HANDLE PsGetThreadId(PETHREAD Thread)
{
    return (HANDLE)Thread->id;
}

/* Whether the thread has begun to end. Any IRQL. */
BOOLEAN PsIsThreadTerminating(PETHREAD Thread)
{
    return __atomic_load_n(&Thread->is_terminating, __ATOMIC_RELAXED);
}

/* Whether the thread is a system thread. Any IRQL. */
BOOLEAN PsIsSystemThread(PETHREAD Thread)
{
    return Thread->is_system;
}

/* STATUS_PENDING until the thread has ended, then its exit status. IRQL <= APC_LEVEL. (THREAD-22)
 * */
NTSTATUS PsGetThreadExitStatus(PETHREAD Thread)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    bool has_ended = ReadAcquire(&Thread->Tcb.Header.SignalState) != 0;
    return has_ended ? Thread->exit_status : STATUS_PENDING;
}

static bool has_id(const void *object, ULONG_PTR id)
{
    return __atomic_load_n(&((const struct _ETHREAD *)object)->id, __ATOMIC_RELAXED) == id;
}

/* The thread of that number, referenced. STATUS_INVALID_PARAMETER if there is none. IRQL <=
 * APC_LEVEL. (THREAD-23) */
NTSTATUS PsLookupThreadByThreadId(HANDLE ThreadId, PETHREAD *Thread)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    *Thread = ThreadId != NULL ? ob_find(&thread_type, has_id, (ULONG_PTR)ThreadId) : NULL;
    return *Thread != NULL ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* For reports. */
static bool find(void *context, const void *address, struct verifier_description *description)
{
    struct ke_kernel *kernel = context;
    bool is_found = false;
    if (!verifier_lock(&kernel->lock)) {
        return false;
    }
    for (LIST_ENTRY *entry = kernel->threads.all.Flink; entry != &kernel->threads.all && !is_found;
         entry = entry->Flink) {
        const struct _ETHREAD *thread = CONTAINING_RECORD(entry, struct _ETHREAD, Tcb.link);
        is_found = thread == address;
        if (is_found) {
            description->kind = thread->is_system ? "system thread" : "thread";
            description->start = thread;
            description->creator = thread->creator;
        }
    }
    base_mutex_unlock(&kernel->lock);
    return is_found;
}

/* A thread that has begun to end has left the driver's code. */
static bool is_in_code(const void *object, ULONG_PTR code)
{
    const struct _ETHREAD *thread = object;
    return thread->start_routine != NULL && thread->name == NULL &&
           !__atomic_load_n(&thread->is_terminating, __ATOMIC_RELAXED) &&
           ke_code_holds((const struct ke_code *)code,
                         (const void *)(ULONG_PTR)thread->start_routine);
}

PETHREAD ps_find_thread_of(const struct ke_code *code)
{
    return ob_find(&thread_type, is_in_code, (ULONG_PTR)code);
}

bool ps_is_blocked(PETHREAD thread)
{
    ke_lock();
    bool is_blocked = thread->Tcb.wait != NULL;
    ke_unlock();
    return is_blocked;
}

static NTSTATUS start(void *state)
{
    struct ps_state *ps = state;
    verifier_finder_add(find, NULL, ke_kernel());
    base_mutex_init(&ps->lock);
    ps->next_id = 8;
    ke_kernel()->threads.adopt = ps_adopt;
    return ps_process_create();
}

static void quiesce(void *state)
{
    reap(state);
}

static ULONG count_running(struct ps_state *ps)
{
    base_mutex_lock(&ps->lock);
    ULONG running = ps->running;
    base_mutex_unlock(&ps->lock);
    return running;
}

static ULONG count_of_tests(struct ps_state *ps)
{
    base_mutex_lock(&ps->lock);
    ULONG count = ps->running_of_tests;
    base_mutex_unlock(&ps->lock);
    return count;
}

static unsigned report(void *state)
{
    ULONG running = count_running(state);
    if (running != 0) {
        base_log("left: %u system threads still run\n", running);
    }
    for (ULONG i = count_of_tests(state); i != 0; i--) {
        ke_left_note(NULL);
    }
    return running;
}

static bool is_busy(void *state)
{
    return count_running(state) != 0;
}

static void stop(void *state)
{
    struct ps_state *ps = state;
    reap(ps);
    base_mutex_destroy(&ps->lock);
}

const struct ke_module ps_module = {
    .name = "threads",
    .state_bytes = sizeof(struct ps_state),
    .start = start,
    .quiesce = quiesce,
    .report = report,
    .is_busy = is_busy,
    .stop = stop,
};
