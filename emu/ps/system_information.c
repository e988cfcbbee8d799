/* What is asked of the system as a whole. */
#include "ke/limit.h"

#include <ntifs.h>

#define SYSTEM_BASIC_INFORMATION_CLASS 0
#define PHYSICAL_PAGES 0x100000 /* 4 GB */
#define ALLOCATION_GRANULARITY 0x10000
#define USER_ADDRESS_MIN 0x10000ULL
#define USER_ADDRESS_MAX 0x7FFFFFFEFFFFULL

/* What SystemBasicInformation answers. */
struct system_basic_information {
    ULONG Reserved;
    ULONG TimerResolution;
    ULONG PageSize;
    ULONG NumberOfPhysicalPages;
    ULONG LowestPhysicalPageNumber;
    ULONG HighestPhysicalPageNumber;
    ULONG AllocationGranularity;
    ULONG_PTR MinimumUserModeAddress;
    ULONG_PTR MaximumUserModeAddress;
    KAFFINITY ActiveProcessorsAffinityMask;
    CCHAR NumberOfProcessors;
};

C_ASSERT(sizeof(struct system_basic_information) == 64);

/* Drivers declare this service themselves, with an enumeration for the class. */
NTSTATUS ZwQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
                                  ULONG SystemInformationLength, PULONG ReturnLength);

/*
 * What the system is: SystemBasicInformation only. *ReturnLength, if wanted, is the bytes of it.
 * STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH. PASSIVE_LEVEL.
 */
NTSTATUS ZwQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
                                  ULONG SystemInformationLength, PULONG ReturnLength)
{
    struct system_basic_information *info = SystemInformation;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (SystemInformationClass != SYSTEM_BASIC_INFORMATION_CLASS) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (ReturnLength != NULL) {
        *ReturnLength = sizeof(*info);
    }
    if (SystemInformationLength != sizeof(*info)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    *info = (struct system_basic_information){
        .TimerResolution = KeQueryTimeIncrement(),
        .PageSize = PAGE_SIZE,
        .NumberOfPhysicalPages = PHYSICAL_PAGES,
        .LowestPhysicalPageNumber = 1,
        .HighestPhysicalPageNumber = PHYSICAL_PAGES,
        .AllocationGranularity = ALLOCATION_GRANULARITY,
        .MinimumUserModeAddress = USER_ADDRESS_MIN,
        .MaximumUserModeAddress = USER_ADDRESS_MAX,
        .ActiveProcessorsAffinityMask = KeQueryActiveProcessors(),
        .NumberOfProcessors = (CCHAR)KeQueryActiveProcessorCount(NULL),
    };
    return STATUS_SUCCESS;
}

/* The system's version; each parameter may be NULL. FALSE: it is no checked build. PASSIVE_LEVEL.
 * */
BOOLEAN PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber,
                     PUNICODE_STRING CSDVersion)
{
    RTL_OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    RtlGetVersion(&version);
    if (MajorVersion != NULL) {
        *MajorVersion = version.dwMajorVersion;
    }
    if (MinorVersion != NULL) {
        *MinorVersion = version.dwMinorVersion;
    }
    if (BuildNumber != NULL) {
        *BuildNumber = version.dwBuildNumber;
    }
    if (CSDVersion != NULL) {
        RtlInitUnicodeString(CSDVersion, NULL);
    }
    return FALSE;
}
