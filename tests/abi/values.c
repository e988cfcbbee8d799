/* Names, values and types that rules state and that the headers alone decide. */
#include <ntddk.h>
#include <wsk.h>

#include "check.h"
#include "test.h"

static void versions_are_major_and_minor_byte(void **state)
{
    PROVES("WSK-HDR-02", "WSK-DISP-01");
    assert_int_equal(MAKE_WSK_VERSION(1, 0), 0x0100);
    assert_int_equal(MAKE_WSK_VERSION(2, 0x13), 0x0213);
    assert_int_equal(WSK_MAJOR_VERSION(0x0213), 2);
    assert_int_equal(WSK_MINOR_VERSION(0x0213), 0x13);
}

static void wsk_waits(void **state)
{
    PROVES("WSK-HDR-03");
    assert_int_equal(WSK_NO_WAIT, 0);
    assert_true(WSK_INFINITE_WAIT == 0xFFFFFFFF);
    ABI_TYPE(__typeof__(WskCaptureProviderNPI),
             NTSTATUS(PWSK_REGISTRATION, ULONG, PWSK_PROVIDER_NPI));
}

static void wsk_flags(void **state)
{
    PROVES("WSK-HDR-04", "WSK-HDR-05");
    assert_int_equal(WSK_FLAG_BASIC_SOCKET, 0);
    assert_int_equal(WSK_FLAG_LISTEN_SOCKET, 1);
    assert_int_equal(WSK_FLAG_CONNECTION_SOCKET, 2);
    assert_int_equal(WSK_FLAG_DATAGRAM_SOCKET, 4);
    assert_int_equal(WSK_FLAG_STREAM_SOCKET, 8);
    assert_int_equal(WSK_FLAG_ABORTIVE, 1);
    assert_int_equal(WSK_FLAG_OOB, 1);
    assert_int_equal(WSK_FLAG_RELEASE_ASAP, 2);
    assert_int_equal(WSK_FLAG_NODELAY, 2);
    assert_int_equal(WSK_FLAG_WAITALL, 2);
    assert_int_equal(WSK_FLAG_ENTIRE_MESSAGE, 4);
    assert_int_equal(WSK_FLAG_DRAIN, 4);
    assert_int_equal(WSK_FLAG_AT_DISPATCH_LEVEL, 8);
}

static void wsk_control_codes(void **state)
{
    PROVES("WSK-HDR-08", "WSK-HDR-09", "WSK-HDR-10", "WSK-HDR-14");
    assert_int_equal(WSK_TRANSPORT_LIST_QUERY, 2);
    assert_int_equal(WSK_TRANSPORT_LIST_CHANGE, 3);
    assert_int_equal(WSK_CACHE_SD, 4);
    assert_int_equal(WSK_RELEASE_SD, 5);
    assert_int_equal(WSK_TDI_DEVICENAME_MAPPING, 6);
    assert_int_equal(WSK_SET_STATIC_EVENT_CALLBACKS, 7);
    assert_int_equal(WSK_TDI_BEHAVIOR, 8);
    assert_int_equal(WSK_TDI_BEHAVIOR_BYPASS_TDI, 1);
    assert_int_equal(WskSetOption, 0);
    assert_int_equal(WskGetOption, 1);
    assert_int_equal(WskIoctl, 2);
    assert_int_equal(WskInspectReject, 0);
    assert_int_equal(WskInspectAccept, 1);
    assert_int_equal(WskInspectPend, 2);
    assert_int_equal(WSK_SO_BASE, 0x4000);
    assert_int_equal(SO_WSK_SECURITY, 0x4001);
    assert_int_equal(SO_WSK_EVENT_CALLBACK, 0x4002);
    assert_int_equal(SO_CONDITIONAL_ACCEPT, 0x3002);
    ABI_TYPE(PFN_WSK_CONTROL_CLIENT,
             NTSTATUS(*)(PWSK_CLIENT, ULONG, SIZE_T, PVOID, SIZE_T, PVOID, SIZE_T *, PIRP));
    ABI_TYPE(PFN_WSK_CONTROL_SOCKET, NTSTATUS(*)(PWSK_SOCKET, WSK_CONTROL_SOCKET_TYPE, ULONG, ULONG,
                                                 SIZE_T, PVOID, SIZE_T, PVOID, SIZE_T *, PIRP));
}

static void wsk_io_control_codes(void **state)
{
    PROVES("WSK-HDR-11");
    assert_true(SIO_WSK_SET_REMOTE_ADDRESS == (IOC_IN | IOC_WSK | 1));
    assert_true(SIO_WSK_REGISTER_EXTENSION == (IOC_INOUT | IOC_WSK | 2));
    assert_true(SIO_WSK_QUERY_IDEAL_SEND_BACKLOG == (IOC_OUT | IOC_WSK | 3));
    assert_true(SIO_WSK_QUERY_RECEIVE_BACKLOG == (IOC_OUT | IOC_WSK | 4));
    assert_true(SIO_WSK_QUERY_INSPECT_ID == (IOC_OUT | IOC_WSK | 5));
    assert_true(SIO_WSK_SET_SENDTO_ADDRESS == (IOC_IN | IOC_WSK | 6));
    assert_true(SIO_WSK_SET_TCP_SILENT_MODE == (IOC_VOID | IOC_WSK | 7));
    assert_true(SIO_WSK_SET_RECEIVE_EX_CALLBACK == (IOC_IN | IOC_WSK | 8));
}

static void message_flags(void **state)
{
    PROVES("WSK-HDR-13");
    assert_int_equal(MSG_TRUNC, 0x100);
    assert_int_equal(MSG_CTRUNC, 0x200);
    assert_int_equal(MSG_BCAST, 0x400);
    assert_int_equal(MSG_MCAST, 0x800);
}

#define MEMBER_TYPE(struct, member, type) ABI_TYPE(__typeof__(((struct *)0)->member), type)

static void wsk_member_types(void **state)
{
    PROVES("WSK-HDR-16");
    MEMBER_TYPE(WSK_BUF, Mdl, PMDL);
    MEMBER_TYPE(WSK_BUF, Offset, ULONG);
    MEMBER_TYPE(WSK_BUF, Length, SIZE_T);
    MEMBER_TYPE(WSK_INSPECT_ID, Key, ULONG_PTR);
    MEMBER_TYPE(WSK_INSPECT_ID, SerialNumber, ULONG);
    MEMBER_TYPE(WSK_TRANSPORT, Version, USHORT);
    MEMBER_TYPE(WSK_TRANSPORT, SocketType, USHORT);
    MEMBER_TYPE(WSK_TRANSPORT, Protocol, ULONG);
    MEMBER_TYPE(WSK_TRANSPORT, AddressFamily, ADDRESS_FAMILY);
    MEMBER_TYPE(WSK_TRANSPORT, ProviderId, GUID);
    MEMBER_TYPE(WSK_SOCKET, Dispatch, const VOID *);
    assert_int_equal(sizeof(WSK_SOCKET), sizeof(PVOID));
}

/* Each member stands at its place in the order of these lists, every one a pointer wide. */
#define AT_PLACE(struct, member, place) assert_int_equal(offsetof(struct, member), 8 * (place))

static void dispatch_tables_begin_with_the_basic_one(void **state)
{
    PROVES("WSK-DISP-08", "WSK-DISP-09", "WSK-DISP-25");
    AT_PLACE(WSK_PROVIDER_BASIC_DISPATCH, WskControlSocket, 0);
    AT_PLACE(WSK_PROVIDER_BASIC_DISPATCH, WskCloseSocket, 1);
    AT_PLACE(WSK_PROVIDER_LISTEN_DISPATCH, WskControlSocket, 0);
    AT_PLACE(WSK_PROVIDER_LISTEN_DISPATCH, WskCloseSocket, 1);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskControlSocket, 0);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskCloseSocket, 1);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskControlSocket, 0);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskCloseSocket, 1);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskControlSocket, 0);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskCloseSocket, 1);
}

static void datagram_and_listen_tables(void **state)
{
    PROVES("WSK-DISP-10", "WSK-DISP-11");
    AT_PLACE(WSK_PROVIDER_LISTEN_DISPATCH, WskBind, 2);
    AT_PLACE(WSK_PROVIDER_LISTEN_DISPATCH, WskAccept, 3);
    AT_PLACE(WSK_PROVIDER_LISTEN_DISPATCH, WskInspectComplete, 4);
    AT_PLACE(WSK_PROVIDER_LISTEN_DISPATCH, WskGetLocalAddress, 5);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskBind, 2);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskSendTo, 3);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskReceiveFrom, 4);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskRelease, 5);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskGetLocalAddress, 6);
    AT_PLACE(WSK_PROVIDER_DATAGRAM_DISPATCH, WskSendMessages, 7);
}

static void connection_and_stream_tables(void **state)
{
    PROVES("WSK-DISP-12", "WSK-DISP-13");
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskBind, 2);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskConnect, 3);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskGetLocalAddress, 4);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskGetRemoteAddress, 5);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskSend, 6);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskReceive, 7);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskDisconnect, 8);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskRelease, 9);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskConnectEx, 10);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskSendEx, 11);
    AT_PLACE(WSK_PROVIDER_CONNECTION_DISPATCH, WskReceiveEx, 12);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskBind, 2);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskAccept, 3);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskConnect, 4);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskListen, 5);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskSend, 6);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskReceive, 7);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskDisconnect, 8);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskRelease, 9);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskGetLocalAddress, 10);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskGetRemoteAddress, 11);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskConnectEx, 12);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskSendEx, 13);
    AT_PLACE(WSK_PROVIDER_STREAM_DISPATCH, WskReceiveEx, 14);
}

static void wsk_provider_table(void **state)
{
    PROVES("WSK-DISP-04");
    assert_int_equal(offsetof(WSK_PROVIDER_DISPATCH, Version), 0);
    assert_int_equal(offsetof(WSK_PROVIDER_DISPATCH, Reserved), 2);
    AT_PLACE(WSK_PROVIDER_DISPATCH, WskSocket, 1);
    AT_PLACE(WSK_PROVIDER_DISPATCH, WskSocketConnect, 2);
    AT_PLACE(WSK_PROVIDER_DISPATCH, WskControlClient, 3);
    AT_PLACE(WSK_PROVIDER_DISPATCH, WskGetAddressInfo, 4);
    AT_PLACE(WSK_PROVIDER_DISPATCH, WskFreeAddressInfo, 5);
    AT_PLACE(WSK_PROVIDER_DISPATCH, WskGetNameInfo, 6);
}

static void io_stack_location_control_bits(void **state)
{
    PROVES("IRP-35");
    assert_int_equal(SL_PENDING_RETURNED, 0x01);
    assert_int_equal(SL_ERROR_RETURNED, 0x02);
    assert_int_equal(SL_INVOKE_ON_CANCEL, 0x20);
    assert_int_equal(SL_INVOKE_ON_SUCCESS, 0x40);
    assert_int_equal(SL_INVOKE_ON_ERROR, 0x80);
}

static void major_function_codes(void **state)
{
    PROVES("IRP-111");
    assert_int_equal(IRP_MJ_CREATE, 0x00);
    assert_int_equal(IRP_MJ_CLOSE, 0x02);
    assert_int_equal(IRP_MJ_READ, 0x03);
    assert_int_equal(IRP_MJ_WRITE, 0x04);
    assert_int_equal(IRP_MJ_FLUSH_BUFFERS, 0x09);
    assert_int_equal(IRP_MJ_DEVICE_CONTROL, 0x0e);
    assert_int_equal(IRP_MJ_INTERNAL_DEVICE_CONTROL, 0x0f);
    assert_int_equal(IRP_MJ_SHUTDOWN, 0x10);
    assert_int_equal(IRP_MJ_CLEANUP, 0x12);
    assert_int_equal(IRP_MJ_POWER, 0x16);
    assert_int_equal(IRP_MJ_SYSTEM_CONTROL, 0x17);
    assert_int_equal(IRP_MJ_PNP, 0x1b);
    assert_int_equal(IRP_MJ_MAXIMUM_FUNCTION, 0x1b);
}

static void mdl_flags(void **state)
{
    PROVES("MDL-14");
    assert_int_equal(MDL_MAPPED_TO_SYSTEM_VA, 0x1);
    assert_int_equal(MDL_PAGES_LOCKED, 0x2);
    assert_int_equal(MDL_SOURCE_IS_NONPAGED_POOL, 0x4);
    assert_int_equal(MDL_ALLOCATED_FIXED_SIZE, 0x8);
    assert_int_equal(MDL_PARTIAL, 0x10);
    assert_int_equal(MDL_PARTIAL_HAS_BEEN_MAPPED, 0x20);
    assert_int_equal(MDL_IO_PAGE_READ, 0x40);
    assert_int_equal(MDL_WRITE_OPERATION, 0x80);
    assert_int_equal(MDL_PARENT_MAPPED_SYSTEM_VA, 0x100);
    assert_int_equal(MDL_FREE_EXTRA_PTES, 0x200);
    assert_int_equal(MDL_IO_SPACE, 0x800);
    assert_int_equal(MDL_NETWORK_HEADER, 0x1000);
    assert_int_equal(MDL_MAPPING_CAN_FAIL, 0x2000);
    assert_int_equal(MDL_PAGE_CONTENTS_INVARIANT, 0x4000);
}

static void levels(void **state)
{
    PROVES("IRQL-01");
    assert_int_equal(PASSIVE_LEVEL, 0);
    assert_int_equal(APC_LEVEL, 1);
    assert_int_equal(DISPATCH_LEVEL, 2);
    assert_int_equal(CLOCK_LEVEL, 13);
    assert_int_equal(IPI_LEVEL, 14);
    assert_int_equal(POWER_LEVEL, 14);
    assert_int_equal(HIGH_LEVEL, 15);
}

static void priority_increments(void **state)
{
    PROVES("EVT-10");
    assert_int_equal(EVENT_INCREMENT, 1);
    assert_int_equal(IO_NO_INCREMENT, 0);
}

static void device_control_codes(void **state)
{
    PROVES("DEV-61", "DEV-62");
    ULONG code = (ULONG)CTL_CODE(0x8003, 0x801, METHOD_NEITHER, FILE_WRITE_ACCESS);
    assert_true(code == (0x8003u << 16 | 2u << 14 | 0x801u << 2 | 3u));
    assert_int_equal(METHOD_BUFFERED, 0);
    assert_int_equal(METHOD_IN_DIRECT, 1);
    assert_int_equal(METHOD_OUT_DIRECT, 2);
    assert_int_equal(METHOD_NEITHER, 3);
    assert_int_equal(FILE_ANY_ACCESS, 0);
    assert_int_equal(FILE_READ_ACCESS, 1);
    assert_int_equal(FILE_WRITE_ACCESS, 2);
}

static void session_classes(void **state)
{
    PROVES("SESS-01", "SESS-02", "SESS-06", "SESS-26");
    assert_int_equal(IoSessionStateNotification, 0);
    assert_int_equal(IoMaxContainerNotificationClass, 1);
    assert_int_equal(IoSessionStateInformation, 0);
    assert_int_equal(IoMaxContainerInformationClass, 1);
    assert_int_equal(IO_SESSION_MAX_PAYLOAD_SIZE, 256);
    ABI_TYPE(PIO_CONTAINER_NOTIFICATION_FUNCTION, NTSTATUS(*)());
}

static void session_structs(void **state)
{
    PROVES("SESS-03", "SESS-04", "SESS-05");
    MEMBER_TYPE(IO_SESSION_STATE_NOTIFICATION, Size, ULONG);
    MEMBER_TYPE(IO_SESSION_STATE_NOTIFICATION, Flags, ULONG);
    MEMBER_TYPE(IO_SESSION_STATE_NOTIFICATION, IoObject, PVOID);
    MEMBER_TYPE(IO_SESSION_STATE_NOTIFICATION, EventMask, ULONG);
    MEMBER_TYPE(IO_SESSION_STATE_NOTIFICATION, Context, PVOID);
    assert_int_equal(sizeof(IO_SESSION_STATE_NOTIFICATION), 32);
    MEMBER_TYPE(IO_SESSION_STATE_INFORMATION, SessionId, ULONG);
    MEMBER_TYPE(IO_SESSION_STATE_INFORMATION, SessionState, IO_SESSION_STATE);
    MEMBER_TYPE(IO_SESSION_STATE_INFORMATION, LocalSession, BOOLEAN);
    assert_int_equal(sizeof(IO_SESSION_STATE_INFORMATION), 12);
    MEMBER_TYPE(IO_SESSION_CONNECT_INFO, SessionId, ULONG);
    MEMBER_TYPE(IO_SESSION_CONNECT_INFO, LocalSession, BOOLEAN);
    assert_int_equal(sizeof(IO_SESSION_CONNECT_INFO), 8);
}

static void session_events(void **state)
{
    PROVES("SESS-07", "SESS-09", "SESS-10");
    assert_int_equal(IoSessionEventIgnore, 0);
    assert_int_equal(IoSessionEventCreated, 1);
    assert_int_equal(IoSessionEventTerminated, 2);
    assert_int_equal(IoSessionEventConnected, 3);
    assert_int_equal(IoSessionEventDisconnected, 4);
    assert_int_equal(IoSessionEventLogon, 5);
    assert_int_equal(IoSessionEventLogoff, 6);
    assert_int_equal(IoSessionEventMax, 7);
    assert_int_equal(IO_SESSION_STATE_CREATION_EVENT, 1 << (IoSessionEventCreated - 1));
    assert_int_equal(IO_SESSION_STATE_TERMINATION_EVENT, 1 << (IoSessionEventTerminated - 1));
    assert_int_equal(IO_SESSION_STATE_CONNECT_EVENT, 1 << (IoSessionEventConnected - 1));
    assert_int_equal(IO_SESSION_STATE_DISCONNECT_EVENT, 1 << (IoSessionEventDisconnected - 1));
    assert_int_equal(IO_SESSION_STATE_LOGON_EVENT, 1 << (IoSessionEventLogon - 1));
    assert_int_equal(IO_SESSION_STATE_LOGOFF_EVENT, 1 << (IoSessionEventLogoff - 1));
    assert_int_equal(IO_SESSION_STATE_VALID_EVENT_MASK, 0x3f);
    assert_true(IO_SESSION_STATE_ALL_EVENTS == 0xffffffff);
}

static void session_states(void **state)
{
    PROVES("SESS-08");
    assert_int_equal(IoSessionStateCreated, 1);
    assert_int_equal(IoSessionStateInitialized, 2);
    assert_int_equal(IoSessionStateConnected, 3);
    assert_int_equal(IoSessionStateDisconnected, 4);
    assert_int_equal(IoSessionStateDisconnectedLoggedOn, 5);
    assert_int_equal(IoSessionStateLoggedOn, 6);
    assert_int_equal(IoSessionStateLoggedOff, 7);
    assert_int_equal(IoSessionStateTerminated, 8);
    assert_int_equal(IoSessionStateMax, 9);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(versions_are_major_and_minor_byte),
    cmocka_unit_test(wsk_waits),
    cmocka_unit_test(wsk_flags),
    cmocka_unit_test(wsk_control_codes),
    cmocka_unit_test(wsk_io_control_codes),
    cmocka_unit_test(message_flags),
    cmocka_unit_test(wsk_member_types),
    cmocka_unit_test(dispatch_tables_begin_with_the_basic_one),
    cmocka_unit_test(datagram_and_listen_tables),
    cmocka_unit_test(connection_and_stream_tables),
    cmocka_unit_test(wsk_provider_table),
    cmocka_unit_test(io_stack_location_control_bits),
    cmocka_unit_test(major_function_codes),
    cmocka_unit_test(mdl_flags),
    cmocka_unit_test(levels),
    cmocka_unit_test(priority_increments),
    cmocka_unit_test(device_control_codes),
    cmocka_unit_test(session_classes),
    cmocka_unit_test(session_structs),
    cmocka_unit_test(session_events),
    cmocka_unit_test(session_states),
};

TEST_MAIN(tests)
