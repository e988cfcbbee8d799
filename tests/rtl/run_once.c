/* One-time initialisation. */
#include "kernel.h"

static RTL_RUN_ONCE once = RTL_RUN_ONCE_INIT;
static KEVENT may_finish;
static LONG calls;

static RTL_RUN_ONCE_INIT_FN succeed;
static RTL_RUN_ONCE_INIT_FN refuse;
static RTL_RUN_ONCE_INIT_FN wait_and_succeed;

static ULONG succeed(PRTL_RUN_ONCE RunOnce, PVOID Parameter, PVOID *Context)
{
    InterlockedIncrement(&calls);
    *Context = Parameter;
    return TRUE;
}

static ULONG refuse(PRTL_RUN_ONCE RunOnce, PVOID Parameter, PVOID *Context)
{
    InterlockedIncrement(&calls);
    return FALSE;
}

static ULONG wait_and_succeed(PRTL_RUN_ONCE RunOnce, PVOID Parameter, PVOID *Context)
{
    wait_object(&may_finish);
    return succeed(RunOnce, Parameter, Context);
}

static void once_is_once(void **state)
{
    static ULONG64 target;
    PVOID context = NULL;
    RtlRunOnceInitialize(&once);
    calls = 0;
    assert_int_equal(RtlRunOnceExecuteOnce(&once, refuse, &target, &context), STATUS_UNSUCCESSFUL);
    assert_int_equal(RtlRunOnceExecuteOnce(&once, succeed, &target, &context), STATUS_SUCCESS);
    assert_ptr_equal(context, &target);
    context = NULL;
    assert_int_equal(RtlRunOnceExecuteOnce(&once, succeed, NULL, &context), STATUS_SUCCESS);
    assert_ptr_equal(context, &target);
    assert_int_equal(calls, 2);
}

static VOID execute(PVOID StartContext)
{
    PVOID context = NULL;
    RtlRunOnceExecuteOnce(&once, wait_and_succeed, &calls, &context);
    *(PVOID *)StartContext = context;
}

static void others_wait_for_the_first(void **state)
{
    PVOID contexts[3] = {NULL};
    PKTHREAD threads[3];
    RtlRunOnceInitialize(&once);
    KeInitializeEvent(&may_finish, NotificationEvent, FALSE);
    calls = 0;
    for (ULONG index = 0; index < RTL_NUMBER_OF(threads); index++) {
        threads[index] = start_thread(execute, &contexts[index]);
    }
    for (ULONG index = 0; index < RTL_NUMBER_OF(threads); index++) {
        await_blocked(threads[index]);
    }
    KeSetEvent(&may_finish, IO_NO_INCREMENT, FALSE);
    for (ULONG index = 0; index < RTL_NUMBER_OF(threads); index++) {
        join_thread(threads[index]);
        assert_ptr_equal(contexts[index], &calls);
    }
    assert_int_equal(calls, 1);
}

static void asynchronous_initialisation_has_one_winner(void **state)
{
    PVOID context;
    RtlRunOnceInitialize(&once);
    assert_int_equal(RtlRunOnceBeginInitialize(&once, RTL_RUN_ONCE_CHECK_ONLY, &context),
                     STATUS_UNSUCCESSFUL);
    assert_int_equal(RtlRunOnceBeginInitialize(&once, RTL_RUN_ONCE_ASYNC, &context),
                     STATUS_PENDING);
    assert_int_equal(RtlRunOnceBeginInitialize(&once, RTL_RUN_ONCE_ASYNC, &context),
                     STATUS_PENDING);
    assert_int_equal(RtlRunOnceBeginInitialize(&once, 0, &context), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlRunOnceComplete(&once, RTL_RUN_ONCE_ASYNC, &once), STATUS_SUCCESS);
    assert_int_equal(RtlRunOnceComplete(&once, RTL_RUN_ONCE_ASYNC, &calls),
                     STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(RtlRunOnceBeginInitialize(&once, RTL_RUN_ONCE_CHECK_ONLY, &context),
                     STATUS_SUCCESS);
    assert_ptr_equal(context, &once);
    assert_int_equal(RtlRunOnceComplete(&once, 0, NULL), STATUS_UNSUCCESSFUL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(once_is_once),
    kernel_test(others_wait_for_the_first),
    kernel_test(asynchronous_initialisation_has_one_winner),
};

TEST_MAIN(tests)
