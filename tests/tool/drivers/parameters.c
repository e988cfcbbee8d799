/* Prints the values of its Parameters key. */
#include <ntddk.h>

static DRIVER_UNLOAD Unload;
DRIVER_INITIALIZE DriverEntry;

static VOID Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

static VOID Print(HANDLE Key, PCWSTR Name)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION Information;
        UCHAR Bytes[256];
    } Value;
    UNICODE_STRING String;
    ULONG Length;
    RtlInitUnicodeString(&String, Name);
    NTSTATUS Status =
        ZwQueryValueKey(Key, &String, KeyValuePartialInformation, &Value, sizeof(Value), &Length);
    if (!NT_SUCCESS(Status)) {
        DbgPrint("%ws: 0x%08X\n", Name, Status);
        return;
    }
    const KEY_VALUE_PARTIAL_INFORMATION *Information = &Value.Information;
    if (Information->Type == REG_SZ) {
        DbgPrint("%ws type %u: %ws\n", Name, Information->Type, (PCWSTR)Information->Data);
        return;
    }
    ULONGLONG Number = 0;
    RtlCopyMemory(&Number, Information->Data, min(Information->DataLength, sizeof(Number)));
    DbgPrint("%ws type %u length %u: %llu\n", Name, Information->Type, Information->DataLength,
             Number);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    HANDLE Service;
    HANDLE Key;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Parameters = RTL_CONSTANT_STRING(L"Parameters");
    Driver->DriverUnload = Unload;
    InitializeObjectAttributes(&Attributes, Path, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status = ZwOpenKey(&Service, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    InitializeObjectAttributes(&Attributes, &Parameters, OBJ_KERNEL_HANDLE, Service, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    ZwClose(Service);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Print(Key, L"Number");
    Print(Key, L"Wide");
    Print(Key, L"Text");
    Print(Key, L"Bytes");
    Print(Key, L"List");
    ZwClose(Key);
    return STATUS_SUCCESS;
}
