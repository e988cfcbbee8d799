/* The one process, its silo, and the system's version. */
#include "kernel.h"

#include <ntifs.h>

/* Drivers declare this service themselves. */
NTSTATUS ZwQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
                                  ULONG SystemInformationLength, PULONG ReturnLength);

static void process_is_the_systems(void **state)
{
    PEPROCESS process = NULL;
    assert_true(PsIsSystemProcess(PsGetCurrentProcess()));
    assert_int_equal(PsLookupProcessByProcessId(PsGetCurrentProcessId(), &process), STATUS_SUCCESS);
    assert_ptr_equal(process, PsInitialSystemProcess);
    assert_int_equal(PsGetProcessExitStatus(process), STATUS_PENDING);
    assert_true(PsGetProcessCreateTimeQuadPart(process) > 0);
    ObDereferenceObject(process);
    assert_int_equal(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)8, &process),
                     STATUS_INVALID_PARAMETER);
}

static void attaching_changes_nothing(void **state)
{
    KAPC_STATE apc_state;
    KeStackAttachProcess(PsInitialSystemProcess, &apc_state);
    assert_ptr_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    KeUnstackDetachProcess(&apc_state);
}

static void detach_twice(void *context)
{
    KAPC_STATE apc_state;
    KeStackAttachProcess(context, &apc_state);
    KeUnstackDetachProcess(&apc_state);
    KeUnstackDetachProcess(&apc_state);
}

static void detaching_needs_an_attachment(void **state)
{
    expect_bugcheck(detach_twice, PsInitialSystemProcess, INVALID_PROCESS_DETACH_ATTEMPT,
                    ANY_PARAMETER, NULL);
}

static void silo_is_the_hosts(void **state)
{
    PESILO host = PsGetHostSilo();
    assert_true(PsIsHostSilo(host));
    assert_ptr_equal(PsGetCurrentServerSilo(), host);
    assert_ptr_equal(PsGetEffectiveServerSilo(PsGetCurrentSilo()), host);
    assert_false(PsIsCurrentThreadInServerSilo());
    PESILO before = PsAttachSiloToCurrentThread(host);
    PsDetachSiloFromCurrentThread(before);
}

static void system_tells_its_version(void **state)
{
    RTL_OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};
    ULONG major = 0;
    ULONG minor = 1;
    ULONG build = 0;
    UNICODE_STRING pack = {.Length = 2};
    RtlGetVersion(&version);
    assert_false(PsGetVersion(&major, &minor, &build, &pack));
    assert_int_equal(major, version.dwMajorVersion);
    assert_int_equal(minor, version.dwMinorVersion);
    assert_int_equal(build, version.dwBuildNumber);
    assert_int_equal(pack.Length, 0);
    assert_false(PsGetVersion(NULL, NULL, NULL, NULL));
}

static void system_tells_its_pages(void **state)
{
    ULONG info[16];
    ULONG bytes = 0;
    assert_int_equal(ZwQuerySystemInformation(0, info, sizeof(info), &bytes), STATUS_SUCCESS);
    assert_int_equal(bytes, sizeof(info));
    assert_int_equal(info[2], PAGE_SIZE);
    assert_int_equal(((UCHAR *)info)[56], KeQueryActiveProcessorCount(NULL));
    assert_int_equal(ZwQuerySystemInformation(0, info, 4, &bytes), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwQuerySystemInformation(77, info, 4, &bytes), STATUS_INVALID_INFO_CLASS);
}

static const struct CMUnitTest tests[] = {
    kernel_test(process_is_the_systems),        kernel_test(attaching_changes_nothing),
    kernel_test(detaching_needs_an_attachment), kernel_test(silo_is_the_hosts),
    kernel_test(system_tells_its_version),      kernel_test(system_tells_its_pages),
};

TEST_MAIN(tests)
