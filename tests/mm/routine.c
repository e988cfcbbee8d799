/* Routines of the kernel by their names. */
#include "kernel.h"

static PVOID find(PCWSTR text)
{
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, text);
    return MmGetSystemRoutineAddress(&name);
}

static void known_routine_is_found(void **state)
{
    LONG (*set_event)(PRKEVENT, KPRIORITY, BOOLEAN) = find(L"KeSetEvent");
    KEVENT event;
    assert_ptr_equal(set_event, (PVOID)(ULONG_PTR)KeSetEvent);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    assert_int_equal(set_event(&event, IO_NO_INCREMENT, FALSE), 0);
    assert_int_equal(KeReadStateEvent(&event), 1);
    assert_non_null(find(L"ExAllocatePool2"));
    assert_non_null(find(L"ZwClose"));
    assert_ptr_equal(find(L"PsThreadType"), &PsThreadType);
}

static void unknown_routine_is_null(void **state)
{
    assert_null(find(L"KeSetEven"));
    assert_null(find(L"KeSetEventually"));
    assert_null(find(L"kesetevent"));
    assert_null(find(L"WskRegister")); /* of another module on Windows */
    assert_null(find(L"printf"));
    assert_null(find(L""));
}

static const struct CMUnitTest tests[] = {
    kernel_test(known_routine_is_found),
    kernel_test(unknown_routine_is_null),
};

TEST_MAIN(tests)
