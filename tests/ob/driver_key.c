/* A driver's keys in the registry, and the handles that its device does not have. */
#include "kernel.h"

#include <ntddk.h>

#include <wskemu/registry.h>

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\tunable"

static ULONG read(const WCHAR *path, const WCHAR *name)
{
    ULONG value = 0;
    RTL_QUERY_REGISTRY_TABLE table[] = {{.Flags = RTL_QUERY_REGISTRY_DIRECT,
                                         .Name = (PWSTR)(ULONG_PTR)name,
                                         .EntryContext = &value},
                                        {0}};
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, path, table, NULL, NULL),
                     STATUS_SUCCESS);
    return value;
}

static void driver_reads_what_the_test_set(void **state)
{
    ULONG port = 7777;
    PDRIVER_OBJECT driver = NULL;
    assert_int_equal(wskemu_registry_set(SERVICE, L"Port", REG_DWORD, &port, sizeof(port)),
                     STATUS_SUCCESS);
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(tunable), &driver), STATUS_SUCCESS);
    assert_int_equal(read(SERVICE L"\\Parameters", L"Seen"), 7777);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
}

static void service_key_is_there(void **state)
{
    PDRIVER_OBJECT driver = NULL;
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(tunable), &driver), STATUS_SUCCESS);
    assert_int_equal(read(SERVICE, L"Type"), 1);
    assert_int_equal(read(SERVICE, L"Start"), 3);
    assert_int_equal(read(SERVICE L"\\Parameters", L"Seen"), 0);
    HANDLE key = NULL;
    assert_int_equal(IoOpenDriverRegistryKey(driver, (DRIVER_REGKEY_TYPE)9, KEY_READ, 0, &key),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        IoOpenDriverRegistryKey(driver, DriverRegKeyPersistentState, KEY_READ, 0, &key),
        STATUS_SUCCESS);
    ZwClose(key);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
}

static void opening_a_device_gives_a_file(void **state)
{
    PROVES("OB-13");
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Tunable");
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    PDRIVER_OBJECT driver = NULL;
    HANDLE handle = NULL;
    PVOID object = NULL;
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(tunable), &driver), STATUS_SUCCESS);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(ZwCreateFile(&handle, FILE_GENERIC_READ, &attributes, &io, NULL, 0, 0,
                                  FILE_OPEN, 0, NULL, 0),
                     STATUS_SUCCESS);
    assert_int_equal(
        ObReferenceObjectByHandle(handle, 0, *IoFileObjectType, KernelMode, &object, NULL),
        STATUS_SUCCESS);
    assert_ptr_equal(((PFILE_OBJECT)object)->DeviceObject, driver->DeviceObject);
    ObDereferenceObject(object);
    ZwClose(handle);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
}

static const struct CMUnitTest tests[] = {
    kernel_test(driver_reads_what_the_test_set),
    kernel_test(service_key_is_there),
    kernel_test(opening_a_device_gives_a_file),
};

TEST_MAIN(tests)
