/* The version of Windows that the emulator says it is: the one of ntverp.h. */
#include <wdm.h>
#include <ntverp.h>

#define NTDDI_CURRENT 0x0A00000C

static const RTL_OSVERSIONINFOEXW current = {
    .dwMajorVersion = VER_PRODUCTMAJORVERSION,
    .dwMinorVersion = VER_PRODUCTMINORVERSION,
    .dwBuildNumber = VER_PRODUCTBUILD,
    .dwPlatformId = VER_PLATFORM_WIN32_NT,
    .wProductType = VER_NT_WORKSTATION,
};

/* Fills the structure, whose size field says which of the two it is. IRQL PASSIVE_LEVEL. Always
 * STATUS_SUCCESS. Rule RTL-98. */
NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation)
{
    ULONG size = lpVersionInformation->dwOSVersionInfoSize;
    SIZE_T known = size >= sizeof(RTL_OSVERSIONINFOEXW) ? sizeof(RTL_OSVERSIONINFOEXW)
                                                        : sizeof(RTL_OSVERSIONINFOW);
    RtlCopyMemory(lpVersionInformation, &current, known);
    lpVersionInformation->dwOSVersionInfoSize = size;
    return STATUS_SUCCESS;
}

/* Notes the condition for each field in TypeMask. */
ULONGLONG VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition)
{
    for (ULONG index = 0; index < 8; index++) {
        if (TypeMask & (1u << index)) {
            ULONG shift = index * VER_NUM_BITS_PER_CONDITION_MASK;
            ConditionMask |= (ULONGLONG)(Condition & VER_CONDITION_MASK) << shift;
        }
    }
    return ConditionMask;
}

static UCHAR condition_of(ULONGLONG mask, ULONG type)
{
    ULONG index = (ULONG)__builtin_ctz(type);
    return (UCHAR)(mask >> (index * VER_NUM_BITS_PER_CONDITION_MASK) & VER_CONDITION_MASK);
}

static BOOLEAN holds(ULONG value, ULONG wanted, UCHAR condition)
{
    switch (condition) {
    case VER_EQUAL:
        return value == wanted;
    case VER_GREATER:
        return value > wanted;
    case VER_GREATER_EQUAL:
        return value >= wanted;
    case VER_LESS:
        return value < wanted;
    case VER_LESS_EQUAL:
        return value <= wanted;
    default:
        return FALSE;
    }
}

/* The parts of a version count as one number, from the first that is asked for on: a difference in
 * an earlier part decides by the first part's condition. */
static BOOLEAN version_holds(const RTL_OSVERSIONINFOEXW *wanted, ULONG types, ULONGLONG conditions)
{
    const struct {
        ULONG type;
        ULONG value;
        ULONG wanted;
    } parts[] = {
        {VER_MAJORVERSION, current.dwMajorVersion, wanted->dwMajorVersion},
        {VER_MINORVERSION, current.dwMinorVersion, wanted->dwMinorVersion},
        {VER_SERVICEPACKMAJOR, current.wServicePackMajor, wanted->wServicePackMajor},
        {VER_SERVICEPACKMINOR, current.wServicePackMinor, wanted->wServicePackMinor},
    };
    UCHAR condition = 0;
    for (ULONG index = 0; index < RTL_NUMBER_OF(parts); index++) {
        if (!(types & parts[index].type)) {
            continue;
        }
        if (condition == 0) {
            condition = condition_of(conditions, parts[index].type);
        }
        if (parts[index].value != parts[index].wanted) {
            return holds(parts[index].value, parts[index].wanted, condition);
        }
    }
    return condition == 0 || holds(0, 0, condition);
}

/* Compares the system's version with VersionInfo. IRQL PASSIVE_LEVEL. STATUS_SUCCESS,
 * STATUS_REVISION_MISMATCH, STATUS_INVALID_PARAMETER (no condition). */
NTSTATUS RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask,
                              ULONGLONG ConditionMask)
{
    if (TypeMask == 0 || ConditionMask == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    const struct {
        ULONG type;
        ULONG value;
        ULONG wanted;
    } single[] = {
        {VER_BUILDNUMBER, current.dwBuildNumber, VersionInfo->dwBuildNumber},
        {VER_PLATFORMID, current.dwPlatformId, VersionInfo->dwPlatformId},
        {VER_PRODUCT_TYPE, current.wProductType, VersionInfo->wProductType},
    };
    for (ULONG index = 0; index < RTL_NUMBER_OF(single); index++) {
        if ((TypeMask & single[index].type) &&
            !holds(single[index].value, single[index].wanted,
                   condition_of(ConditionMask, single[index].type))) {
            return STATUS_REVISION_MISMATCH;
        }
    }
    if ((TypeMask & VER_SUITENAME) &&
        (current.wSuiteMask & VersionInfo->wSuiteMask) != VersionInfo->wSuiteMask) {
        return STATUS_REVISION_MISMATCH;
    }
    return version_holds(VersionInfo, TypeMask, ConditionMask) ? STATUS_SUCCESS
                                                               : STATUS_REVISION_MISMATCH;
}

/* Whether an NTDDI_... version is this one or an earlier one. IRQL PASSIVE_LEVEL. */
BOOLEAN RtlIsNtDdiVersionAvailable(ULONG Version)
{
    return Version <= NTDDI_CURRENT;
}

/* Whether this is that version with at least its service pack. IRQL PASSIVE_LEVEL. */
BOOLEAN RtlIsServicePackVersionInstalled(ULONG Version)
{
    return Version >> 16 == NTDDI_CURRENT >> 16 && Version <= NTDDI_CURRENT;
}
