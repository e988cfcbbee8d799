/*
 * What drivers may call by the headers and what is not there yet: a driver links, and a call is a
 * bug check that names the function.
 */
#include "ke/bugcheck.h"

#include <ntddk.h>
#include <ntifs.h>

#define MISSING(type, name, parameters)                                                            \
    type name parameters                                                                           \
    {                                                                                              \
        ke_not_implemented(#name);                                                                 \
    }

/* ---- plug and play, interfaces of devices ---- */

MISSING(NTSTATUS, IoGetDeviceInterfaces,
        (const GUID *InterfaceClassGuid, PDEVICE_OBJECT PhysicalDeviceObject, ULONG Flags,
         PWSTR *SymbolicLinkList))
MISSING(NTSTATUS, IoGetDeviceProperty,
        (PDEVICE_OBJECT DeviceObject, DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
         PVOID PropertyBuffer, PULONG ResultLength))
MISSING(VOID, IoInvalidateDeviceRelations, (PDEVICE_OBJECT DeviceObject, DEVICE_RELATION_TYPE Type))
MISSING(VOID, IoInvalidateDeviceState, (PDEVICE_OBJECT PhysicalDeviceObject))
MISSING(NTSTATUS, IoOpenDeviceInterfaceRegistryKey,
        (PUNICODE_STRING SymbolicLinkName, ACCESS_MASK DesiredAccess,
         PHANDLE DeviceInterfaceRegKey))
MISSING(NTSTATUS, IoOpenDeviceRegistryKey,
        (PDEVICE_OBJECT DeviceObject, ULONG DevInstKeyType, ACCESS_MASK DesiredAccess,
         PHANDLE DeviceRegKey))
MISSING(NTSTATUS, IoRegisterDeviceInterface,
        (PDEVICE_OBJECT PhysicalDeviceObject, const GUID *InterfaceClassGuid,
         PUNICODE_STRING ReferenceString, PUNICODE_STRING SymbolicLinkName))
MISSING(NTSTATUS, IoRegisterPlugPlayNotification,
        (IO_NOTIFICATION_EVENT_CATEGORY EventCategory, ULONG EventCategoryFlags,
         PVOID EventCategoryData, PDRIVER_OBJECT DriverObject,
         PDRIVER_NOTIFICATION_CALLBACK_ROUTINE CallbackRoutine, PVOID Context,
         PVOID *NotificationEntry))
MISSING(VOID, IoRequestDeviceEject, (PDEVICE_OBJECT PhysicalDeviceObject))
MISSING(NTSTATUS, IoSetDeviceInterfaceState, (PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable))
MISSING(NTSTATUS, IoUnregisterPlugPlayNotification, (PVOID NotificationEntry))
MISSING(NTSTATUS, IoUnregisterPlugPlayNotificationEx, (PVOID NotificationEntry))
MISSING(NTSTATUS, IoWMIRegistrationControl, (PDEVICE_OBJECT DeviceObject, ULONG Action))

/* ---- power ---- */

MISSING(NTSTATUS, PoCallDriver, (PDEVICE_OBJECT DeviceObject, PIRP Irp))
MISSING(NTSTATUS, PoRequestPowerIrp,
        (PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
         PREQUEST_POWER_COMPLETE CompletionFunction, PVOID Context, PIRP *Irp))
MISSING(POWER_STATE, PoSetPowerState,
        (PDEVICE_OBJECT DeviceObject, POWER_STATE_TYPE Type, POWER_STATE State))
MISSING(VOID, PoStartNextPowerIrp, (PIRP Irp))

/* ---- the I/O manager's queue of a device ---- */

MISSING(VOID, IoSetStartIoAttributes,
        (PDEVICE_OBJECT DeviceObject, BOOLEAN DeferredStartIo, BOOLEAN NonCancelable))
MISSING(VOID, IoStartNextPacket, (PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable))
MISSING(VOID, IoStartNextPacketByKey, (PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key))
MISSING(VOID, IoStartPacket,
        (PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key, PDRIVER_CANCEL CancelFunction))

/* ---- files ---- */

MISSING(PDEVICE_OBJECT, IoGetBaseFileSystemDeviceObject, (PFILE_OBJECT FileObject))
MISSING(NTSTATUS, ZwDeleteFile, (POBJECT_ATTRIBUTES ObjectAttributes))
MISSING(NTSTATUS, ZwQueryDirectoryFile,
        (HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
         PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
         FILE_INFORMATION_CLASS FileInformationClass, BOOLEAN ReturnSingleEntry,
         PUNICODE_STRING FileName, BOOLEAN RestartScan))
MISSING(NTSTATUS, ZwQueryFullAttributesFile,
        (POBJECT_ATTRIBUTES ObjectAttributes, PFILE_NETWORK_OPEN_INFORMATION FileInformation))
MISSING(NTSTATUS, ZwQueryInformationFile,
        (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
         FILE_INFORMATION_CLASS FileInformationClass))
MISSING(NTSTATUS, ZwQueryVolumeInformationFile,
        (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FsInformation, ULONG Length,
         FS_INFORMATION_CLASS FsInformationClass))
MISSING(NTSTATUS, ZwSetInformationFile,
        (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
         FILE_INFORMATION_CLASS FileInformationClass))
