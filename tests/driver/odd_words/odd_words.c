/* Words of Microsoft's compiler, and shapes that only it and gcc's extensions let pass. */
#include <ntddk.h>

#pragma warning(push)
#pragma warning(disable : 4100 4201)
#pragma comment(lib, "netio.lib")

#define TAG 'ddOx'

static_assert(sizeof(LONG) == 4, "without <assert.h>");
C_ASSERT(sizeof(WCHAR) == 2);

typedef struct _BASE {
    LIST_ENTRY Entry;
    ULONG Number;
} BASE;

typedef struct _DERIVED {
    BASE; /* its fields are ours */
    UCHAR Tail[0];
} DERIVED, *PDERIVED;

struct nothing {
};

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, DriverUnload)
#endif

__forceinline static int First(int value)
{
    return value + 1;
}

static __forceinline int Second(int value)
{
    return value + 2;
}

FORCEINLINE __int64 Third(unsigned __int64 value)
{
    return (__int64)value + 3;
}

__declspec(code_seg("PAGE")) static int __cdecl Paged(_In_ int value)
{
    PAGED_CODE();
    return value;
}

__declspec(noinline) static int NTAPI Plain(_In_opt_ PVOID Context)
{
    __pragma(warning(suppress : 6387)) return Context == NULL ? 0 : 1;
}

static __declspec(align(64)) UCHAR Line[64];

_Use_decl_annotations_ VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

_Use_decl_annotations_ NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject,
                                            PUNICODE_STRING RegistryPath)
{
    PDERIVED derived;
    struct nothing context = {};
    ULONG number;
    UNREFERENCED_PARAMETER(RegistryPath);
    UNREFERENCED_PARAMETER(context);
    DriverObject->DriverUnload = DriverUnload;

    derived = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(DERIVED), TAG);
    if (!derived)
        return STATUS_INSUFFICIENT_RESOURCES;
    derived->Number = First(0) + Second(0) + (ULONG)Third(0) + Paged(4) + Plain(NULL);
    number = derived->Number;
    ExFreePoolWithTag(derived, TAG);
    if (number != 10 || (ULONG_PTR)Line % 64 != 0)
        return STATUS_UNSUCCESSFUL;
    return TAG == (('d' << 24) | ('d' << 16) | ('O' << 8) | 'x') ? STATUS_SUCCESS
                                                                 : STATUS_DATA_ERROR;
}

#pragma warning(pop)
