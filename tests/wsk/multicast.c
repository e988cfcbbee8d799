/* Datagrams to groups, on the loopback interface, and how they and broadcasts are told apart. */
#include "wsk_datagram.h"

#define GROUP 0x0907FEEF /* 239.254.7.9 */
#define LOOPBACK 0x0100007F
#define EVERYBODY 0xFFFFFF7F /* 127.255.255.255 */
#define CALLS_MAX 16

struct listener {
    KEVENT called;
    unsigned calls;
    LONG count; /* interlocked */
    ULONG flags[CALLS_MAX];
    unsigned counts[CALLS_MAX];
};

static NTSTATUS WSKAPI on_datagrams(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION list)
{
    struct listener *listener = context;
    unsigned call = listener->calls++;
    listener->flags[call] = flags & ~WSK_FLAG_AT_DISPATCH_LEVEL;
    for (; list != NULL; list = list->Next) {
        listener->counts[call]++;
        InterlockedIncrement(&listener->count);
    }
    KeSetEvent(&listener->called, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_DATAGRAM_DISPATCH dispatch = {on_datagrams};

struct scene {
    struct wsk_end end;
    PWSK_SOCKET member; /* bound to the wildcard address */
    PWSK_SOCKET sender;
    USHORT port; /* the member's */
    struct listener listener;
    struct receipt receipt;
};

static void open_scene(struct scene *scene)
{
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET bound;
    RtlZeroMemory(scene, sizeof(*scene));
    KeInitializeEvent(&scene->listener.called, SynchronizationEvent, FALSE);
    assert_int_equal(open_wsk(&scene->end), STATUS_SUCCESS);
    scene->member = make_datagram(&scene->end, AF_INET, &scene->listener, &dispatch);
    assert_int_equal(bind_socket(&scene->end, scene->member, &any), STATUS_SUCCESS);
    assert_int_equal(local_address(&scene->end, scene->member, &bound), STATUS_SUCCESS);
    scene->port = port_of(&bound);
    scene->sender = open_datagram(&scene->end, AF_INET, NULL, NULL, NULL);
    assert_int_equal(set_option(&scene->end, scene->sender, SOL_SOCKET, SO_BROADCAST, 1),
                     STATUS_SUCCESS);
    receipt_init(&scene->receipt);
}

static void close_scene(struct scene *scene)
{
    assert_int_equal(close_socket(&scene->end, scene->member), STATUS_SUCCESS);
    assert_int_equal(close_socket(&scene->end, scene->sender), STATUS_SUCCESS);
    receipt_free(&scene->receipt);
    close_wsk(&scene->end);
}

/* Joins the group on the loopback interface; false, with a word on it, where the host does not let
 * it. */
static BOOLEAN join(struct scene *scene)
{
    IP_MREQ request = {0};
    ULONG loopback = LOOPBACK;
    request.imr_multiaddr.s_addr = GROUP;
    request.imr_interface.s_addr = LOOPBACK;
    NTSTATUS status = control_socket(&scene->end, scene->member, WskSetOption, IP_ADD_MEMBERSHIP,
                                     IPPROTO_IP, &request, sizeof(request), NULL, 0, NULL);
    if (NT_SUCCESS(status)) {
        status = control_socket(&scene->end, scene->sender, WskSetOption, IP_MULTICAST_IF,
                                IPPROTO_IP, &loopback, sizeof(loopback), NULL, 0, NULL);
    }
    if (!NT_SUCCESS(status)) {
        print_message("skipped: no groups on the loopback interface here (0x%08X)\n",
                      (unsigned)status);
    }
    return NT_SUCCESS(status);
}

static NTSTATUS send_to(struct scene *scene, ULONG address, const char *text)
{
    SOCKADDR_INET to = any_address(AF_INET, scene->port);
    to.Ipv4.sin_addr.s_addr = address;
    return send_datagram(&scene->end, scene->sender, text, strlen(text), &to, NULL);
}

static void expect(struct scene *scene, char first, ULONG flags)
{
    assert_int_equal(receive_datagram(&scene->receipt, scene->member), STATUS_SUCCESS);
    assert_int_equal(scene->receipt.bytes[0], first);
    assert_int_equal(scene->receipt.flags, flags);
}

static void a_member_hears_its_group(void **state)
{
    struct scene scene;
    PROVES("WSK-DGRM-41", "WSK-DGRM-40");
    open_scene(&scene);
    if (!join(&scene)) {
        close_scene(&scene);
        skip();
    }
    assert_int_equal(send_to(&scene, GROUP, "group"), STATUS_SUCCESS);
    expect(&scene, 'g', MSG_MCAST);
    assert_int_equal(send_to(&scene, LOOPBACK, "one"), STATUS_SUCCESS);
    expect(&scene, 'o', 0);
    close_scene(&scene);
}

static void a_broadcast_says_so(void **state)
{
    struct scene scene;
    PROVES("WSK-DGRM-41", "WSK-DGRM-17");
    open_scene(&scene);
    assert_int_equal(send_to(&scene, EVERYBODY, "all"), STATUS_SUCCESS);
    expect(&scene, 'a', MSG_BCAST);
    close_scene(&scene);
}

static void the_event_gets_them_apart(void **state)
{
    static const ULONG flags[] = {0, MSG_BCAST, MSG_MCAST};
    struct scene scene;
    PROVES("WSK-EVT-72", "WSK-EVT-42");
    open_scene(&scene);
    BOOLEAN is_member = join(&scene);
    LONG total = is_member ? 5 : 3;
    assert_int_equal(send_to(&scene, LOOPBACK, "1"), STATUS_SUCCESS);
    assert_int_equal(send_to(&scene, LOOPBACK, "2"), STATUS_SUCCESS);
    assert_int_equal(send_to(&scene, EVERYBODY, "3"), STATUS_SUCCESS);
    if (is_member) {
        assert_int_equal(send_to(&scene, GROUP, "4"), STATUS_SUCCESS);
        assert_int_equal(send_to(&scene, GROUP, "5"), STATUS_SUCCESS);
    }
    assert_int_equal(enable_events(scene.member, WSK_EVENT_RECEIVE_FROM), STATUS_SUCCESS);
    while (InterlockedCompareExchange(&scene.listener.count, 0, 0) < total) {
        await(&scene.listener.called);
    }
    disable_event(&scene.end, scene.member, WSK_EVENT_RECEIVE_FROM);
    unsigned seen = 0;
    unsigned class = 0;
    for (unsigned i = 0; i < scene.listener.calls; i++) {
        class += scene.listener.flags[i] != flags[class];
        assert_int_equal(scene.listener.flags[i], flags[class]);
        seen += scene.listener.counts[i];
        assert_true(class == 0 ? seen <= 2 : class == 1 ? seen == 3 : seen <= 5);
    }
    close_scene(&scene);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_member_hears_its_group),
    kernel_test(a_broadcast_says_so),
    kernel_test(the_event_gets_them_apart),
};

TEST_MAIN(tests)
