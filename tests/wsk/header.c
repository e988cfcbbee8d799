/* What wsk.h says by its declarations alone. */
#include "test.h"

#include <ntddk.h>
#include <wsk.h>

/* Two types are one only if their calling conventions are, where the compiler knows any. */
#define SAME_TYPE(expression, type) _Generic((expression), type : TRUE, default : FALSE)

#define AS_TEXT_(words) #words
#define AS_TEXT(words) AS_TEXT_(words)

static NTSTATUS NTAPI on_client(PVOID context, ULONG type, PVOID information, SIZE_T length)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(information);
    UNREFERENCED_PARAMETER(length);
    return STATUS_NOT_IMPLEMENTED;
}

static void functions_and_callbacks_are_called_as_the_kernels(void **state)
{
    PROVES("WSK-HDR-01");
    UNREFERENCED_PARAMETER(state);
    assert_string_equal(AS_TEXT(WSKAPI), AS_TEXT(NTAPI));
    assert_true(SAME_TYPE(&on_client, PFN_WSK_CLIENT_EVENT));
    assert_int_equal(on_client(NULL, 0, NULL, 0), STATUS_NOT_IMPLEMENTED);
    assert_true(SAME_TYPE((PFN_WSK_CLOSE_SOCKET)NULL, NTSTATUS(NTAPI *)(PWSK_SOCKET, PIRP)));
    assert_true(SAME_TYPE((PFN_WSK_LISTEN)NULL, NTSTATUS(NTAPI *)(PWSK_SOCKET, PIRP)));
    assert_true(SAME_TYPE(&WskDeregister, VOID(NTAPI *)(PWSK_REGISTRATION)));
    assert_true(SAME_TYPE(&WskReleaseProviderNPI, VOID(NTAPI *)(PWSK_REGISTRATION)));
}

static void each_event_has_a_flag_of_its_own(void **state)
{
    PROVES("WSK-HDR-07");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WSK_EVENT_SEND_BACKLOG, 0x10);
    assert_int_equal(WSK_EVENT_RECEIVE, 0x40);
    assert_int_equal(WSK_EVENT_DISCONNECT, 0x80);
    assert_int_equal(WSK_EVENT_RECEIVE_FROM, 0x100);
    assert_int_equal(WSK_EVENT_ACCEPT, 0x200);
    assert_true(WSK_EVENT_DISABLE == 0x80000000);
}

/* A callback with flags has them second; the others have nothing of the kind. */
static void four_callbacks_have_flags(void **state)
{
    PROVES("WSK-EVT-06");
    UNREFERENCED_PARAMETER(state);
    assert_true(SAME_TYPE((PFN_WSK_ACCEPT_EVENT)NULL,
                          NTSTATUS(WSKAPI *)(PVOID, ULONG, PSOCKADDR, PSOCKADDR, PWSK_SOCKET,
                                             PVOID *, const WSK_CLIENT_CONNECTION_DISPATCH **)));
    assert_true(
        SAME_TYPE((PFN_WSK_RECEIVE_EVENT)NULL,
                  NTSTATUS(WSKAPI *)(PVOID, ULONG, PWSK_DATA_INDICATION, SIZE_T, SIZE_T *)));
    assert_true(SAME_TYPE((PFN_WSK_RECEIVE_FROM_EVENT)NULL,
                          NTSTATUS(WSKAPI *)(PVOID, ULONG, PWSK_DATAGRAM_INDICATION)));
    assert_true(SAME_TYPE((PFN_WSK_DISCONNECT_EVENT)NULL, NTSTATUS(WSKAPI *)(PVOID, ULONG)));
    assert_true(
        SAME_TYPE((PFN_WSK_INSPECT_EVENT)NULL,
                  WSK_INSPECT_ACTION(WSKAPI *)(PVOID, PSOCKADDR, PSOCKADDR, PWSK_INSPECT_ID)));
    assert_true(SAME_TYPE((PFN_WSK_ABORT_EVENT)NULL, NTSTATUS(WSKAPI *)(PVOID, PWSK_INSPECT_ID)));
    assert_true(SAME_TYPE((PFN_WSK_SEND_BACKLOG_EVENT)NULL, NTSTATUS(WSKAPI *)(PVOID, SIZE_T)));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(functions_and_callbacks_are_called_as_the_kernels),
    cmocka_unit_test(each_event_has_a_flag_of_its_own),
    cmocka_unit_test(four_callbacks_have_flags),
};

TEST_MAIN(tests)
