/* Datagrams, a million of them with WSKEMU_LONG=1, to a driver that counts them in
 * WskReceiveFromEvent: each is received once, or the host's counter says that its buffer had no
 * room. */
#include "wsk_end.h"

#include <ntstrsafe.h>
#include <stdlib.h>
#include <string.h>

#include "children.h"

#define DATAGRAMS_MAX 1000000
#define DATAGRAMS_SHORT 20000

struct counter {
    UCHAR seen[DATAGRAMS_MAX];
    ULONG expected;
    volatile LONG received;
    LONG repeated;
    LONG damaged;
    LONG lists;
};

static void count(struct counter *counter, const WSK_DATAGRAM_INDICATION *indication)
{
    const WSK_BUF *buffer = &indication->Buffer;
    const UCHAR *bytes = MmGetSystemAddressForMdlSafe(buffer->Mdl, NormalPagePriority);
    ULONG number;
    RtlCopyMemory(&number, bytes + buffer->Offset, sizeof(number));
    if (buffer->Length != 64 || number >= counter->expected) {
        counter->damaged++;
        return;
    }
    counter->repeated += counter->seen[number];
    counter->seen[number] = 1;
    InterlockedIncrement(&counter->received);
}

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION indication)
{
    struct counter *counter = context;
    UNREFERENCED_PARAMETER(flags);
    counter->lists++;
    for (; indication != NULL; indication = indication->Next) {
        count(counter, indication);
    }
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_DATAGRAM_DISPATCH table = {on_receive};

static bool is_long_run(void)
{
    const char *text = getenv("WSKEMU_LONG");
    return text != NULL && strcmp(text, "1") == 0;
}

static void every_datagram_is_accounted_for(void **state)
{
    static struct counter counter;
    struct wsk_end end;
    SOCKADDR_INET bound;
    LARGE_INTEGER moment = interval_ms(10);
    char port[8];
    char datagrams[16];
    int status = -1;
    PROVES("WSK-EVT-40", "WSK-EVT-41", "WSK-EVT-45");
    UNREFERENCED_PARAMETER(state);
    RtlZeroMemory(&counter, sizeof(counter));
    counter.expected = is_long_run() ? DATAGRAMS_MAX : DATAGRAMS_SHORT;
    LONG expected = (LONG)counter.expected;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, &counter, &table);
    assert_int_equal(set_option(&end, socket, SOL_SOCKET, SO_RCVBUF, 4 * 1024 * 1024),
                     STATUS_SUCCESS);
    assert_int_equal(bind_loopback(&end, socket, AF_INET, &bound), STATUS_SUCCESS);
    assert_int_equal(enable_events(socket, WSK_EVENT_RECEIVE_FROM), STATUS_SUCCESS);
    RtlStringCbPrintfA(port, sizeof(port), "%u", port_of(&bound));
    RtlStringCbPrintfA(datagrams, sizeof(datagrams), "%u", counter.expected);
    const char *arguments[] = {port, datagrams, NULL};
    int child = child_start("udp_client", arguments);
    assert_true(child > 0);
    while (!child_has_ended(child, &status)) {
        KeDelayExecutionThread(KernelMode, FALSE, &moment);
    }
    assert_int_equal(status, 0);
    long dropped = children_udp_drops(port_of(&bound));
    assert_true(dropped >= 0);
    while (counter.received + dropped < expected) {
        KeDelayExecutionThread(KernelMode, FALSE, &moment);
    }
    assert_int_equal(counter.received + dropped, expected);
    assert_int_equal(counter.repeated, 0);
    assert_int_equal(counter.damaged, 0);
    print_message("%d received in %d lists, %ld dropped by the host\n", counter.received,
                  counter.lists, dropped);
    close_socket(&end, socket);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(every_datagram_is_accounted_for),
};

TEST_MAIN(tests)
