#include "kernel.h"

#include "ke/kernel.h"

#include <string.h>

PKTHREAD start_thread(PKSTART_ROUTINE routine, PVOID context)
{
    HANDLE handle = NULL;
    PVOID thread = NULL;
    NTSTATUS status =
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine, context);
    assert_int_equal(status, STATUS_SUCCESS);
    status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode,
                                       &thread, NULL);
    assert_int_equal(status, STATUS_SUCCESS);
    ZwClose(handle);
    return thread;
}

void join_thread(PKTHREAD thread)
{
    assert_int_equal(wait_object(thread), STATUS_SUCCESS);
    ObDereferenceObject(thread);
}

void await_blocked(PKTHREAD thread)
{
    LARGE_INTEGER pause = {.QuadPart = -500};
    for (;;) {
        ke_lock();
        bool is_blocked = thread->wait != NULL;
        ke_unlock();
        if (is_blocked) {
            return;
        }
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
}

void expect_bugcheck_(const char *file, int line, void (*body)(void *), void *context, ULONG code,
                      ULONG_PTR parameter1, const char *rule)
{
    struct wskemu_bugcheck caught = {0};
    if (!wskemu_catch_bugcheck(body, context, &caught)) {
        print_error("expected bug check 0x%X, but none came\n", code);
        _fail(file, line);
    }
    NTSTATUS status = wskemu_boot(NULL);
    bool is_rule = rule == NULL || (caught.rule != NULL && strcmp(caught.rule, rule) == 0);
    if (caught.code != code || !is_rule ||
        (parameter1 != ANY_PARAMETER && caught.parameter[0] != parameter1)) {
        print_error("expected bug check 0x%X (0x%llX) of %s, got 0x%X (0x%llX) of %s: %s\n", code,
                    (unsigned long long)parameter1, rule != NULL ? rule : "any rule", caught.code,
                    (unsigned long long)caught.parameter[0],
                    caught.rule != NULL ? caught.rule : "no rule", caught.sentence);
        _fail(file, line);
    }
    assert_int_equal(status, STATUS_SUCCESS);
}
