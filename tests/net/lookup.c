/* Lookups of names that every machine knows. */
#include "fixture/network.h"

struct lookup {
    struct network *network;
    atomic_uint calls;
    atomic_bool is_done;
    struct net_resolved resolved;
};

static void on_resolved(void *context, const struct net_resolved *resolved)
{
    struct lookup *lookup = context;
    lookup->resolved = *resolved;
    atomic_fetch_add(&lookup->calls, 1);
    atomic_store(&lookup->is_done, true);
}

static void resolve(struct network *network, struct lookup *lookup, const char *node,
                    const char *service, unsigned family)
{
    struct net_lookup *handle;
    memset(lookup, 0, sizeof(*lookup));
    assert_int_equal(
        net_resolve(network->net, node, service, NET_STREAM, family, on_resolved, lookup, &handle),
        NET_AGAIN);
    assert_false(atomic_load(&lookup->is_done));
    await_flag(network, &lookup->is_done);
}

static void localhost_is_the_machine_itself(void **state)
{
    struct lookup lookup;
    struct net_address expected = loopback(NET_IPV4, 80);
    resolve(*state, &lookup, "localhost", "80", NET_IPV4);
    assert_int_equal(lookup.resolved.error, NET_OK);
    assert_int_not_equal(lookup.resolved.count, 0);
    assert_int_equal(lookup.resolved.addresses[0].family, NET_IPV4);
    assert_int_equal(lookup.resolved.addresses[0].port, 80);
    assert_memory_equal(lookup.resolved.addresses[0].bytes, expected.bytes, 16);
    assert_string_not_equal(lookup.resolved.name, "");
}

static void a_numeric_address_of_any_family_is_itself(void **state)
{
    struct lookup lookup;
    struct net_address expected = loopback(NET_IPV6, 0);
    resolve(*state, &lookup, "::1", NULL, 0);
    assert_int_equal(lookup.resolved.error, NET_OK);
    assert_int_equal(lookup.resolved.count, 1);
    assert_int_equal(lookup.resolved.addresses[0].family, NET_IPV6);
    assert_memory_equal(lookup.resolved.addresses[0].bytes, expected.bytes, 16);
}

static void an_unknown_service_is_not_found(void **state)
{
    struct lookup lookup;
    resolve(*state, &lookup, "127.0.0.1", "no-such-service", 0);
    assert_int_equal(lookup.resolved.error, NET_NOT_FOUND);
    assert_int_equal(lookup.resolved.count, 0);
}

static void a_lookup_of_nothing_is_invalid(void **state)
{
    struct network *network = *state;
    struct lookup lookup;
    struct net_lookup *handle;
    assert_int_equal(
        net_resolve(network->net, NULL, NULL, NET_STREAM, 0, on_resolved, &lookup, &handle),
        NET_INVALID);
}

static void an_address_has_a_name_and_a_service(void **state)
{
    struct network *network = *state;
    struct lookup lookup = {.calls = 0};
    struct net_lookup *handle;
    struct net_address address = loopback(NET_IPV4, 54321);
    assert_int_equal(
        net_resolve_address(network->net, &address, false, on_resolved, &lookup, &handle),
        NET_AGAIN);
    await_flag(network, &lookup.is_done);
    assert_int_equal(lookup.resolved.error, NET_OK);
    assert_string_not_equal(lookup.resolved.name, "");
    assert_string_equal(lookup.resolved.service, "54321");
}

static void an_abandoned_lookup_is_never_told(void **state)
{
    struct network *network = *state;
    struct lookup lookup = {.calls = 0};
    struct lookup later;
    struct net_lookup *handle;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(net_resolve(network->net, "localhost", NULL, NET_STREAM, 0, on_resolved,
                                     &lookup, &handle),
                         NET_AGAIN);
        assert_true(net_lookup_abandon(handle));
    }
    assert_false(network->pollers[0].active(network->pollers[0].context));
    resolve(network, &later, "127.0.0.1", NULL, 0);
    assert_int_equal(atomic_load(&lookup.calls), 0);
}

static void an_answer_that_waits_can_be_abandoned(void **state)
{
    struct network *network = *state;
    struct lookup lookup = {.calls = 0};
    struct net_lookup *handle;
    assert_int_equal(
        net_resolve(network->net, "127.0.0.1", NULL, NET_STREAM, 0, on_resolved, &lookup, &handle),
        NET_AGAIN);
    assert_true(network->pollers[0].active(network->pollers[0].context));
    while (!network->pollers[0].poll(network->pollers[0].context, UINT64_MAX)) {
    }
    assert_true(net_lookup_abandon(handle));
    network->pollers[0].deliver(network->pollers[0].context);
    assert_int_equal(atomic_load(&lookup.calls), 0);
}

static void a_network_ends_with_lookups_under_way(void **state)
{
    struct network *network = *state;
    static struct lookup lookups[10];
    struct net_lookup *handle;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(net_resolve(network->net, "localhost", NULL, NET_STREAM, 0, on_resolved,
                                     &lookups[i], &handle),
                         NET_AGAIN);
    }
    network_teardown(state);
    network_setup(state);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(atomic_load(&lookups[i].calls), 0);
    }
}

static const struct CMUnitTest tests[] = {
    network_test(localhost_is_the_machine_itself),
    network_test(a_numeric_address_of_any_family_is_itself),
    network_test(an_unknown_service_is_not_found),
    network_test(a_lookup_of_nothing_is_invalid),
    network_test(an_address_has_a_name_and_a_service),
    network_test(an_abandoned_lookup_is_never_told),
    network_test(an_answer_that_waits_can_be_abandoned),
    network_test(a_network_ends_with_lookups_under_way),
};

TEST_MAIN(tests)
