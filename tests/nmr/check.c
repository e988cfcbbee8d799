/* What a module does wrong, and what is said of it. */
#include "modules.h"

#include "../rtl/capture.h"

#include <wskemu/network.h>

#define NMR_VIOLATION 0x4E4D52

static struct pair pair;

#define expect_violation(body, rule)                                                               \
    expect_bugcheck(body, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, rule)

static void return_a_failure_from_detach(void *context)
{
    attach_pair(&pair);
    pair.client.detach_status = STATUS_UNSUCCESSFUL;
    NmrDeregisterClient(pair.client.handle);
}

static void return_a_failure_from_provider_detach(void *context)
{
    attach_pair(&pair);
    pair.provider.detach_status = STATUS_TIMEOUT;
    NmrDeregisterClient(pair.client.handle);
}

static void detach_callback_returns_success_or_pending(void **state)
{
    PROVES("NMR-45");
    expect_violation(return_a_failure_from_detach, "NMR-45");
    expect_violation(return_a_failure_from_provider_detach, "NMR-45");
}

static void complete_after_success(void *context)
{
    attach_pair(&pair);
    pair.provider.detach_status = STATUS_PENDING;
    NmrDeregisterClient(pair.client.handle);
    NmrClientDetachProviderComplete(pair.client.binding);
}

static void complete_in_a_callback_that_succeeds(void *context)
{
    attach_pair(&pair);
    pair.provider.is_early = TRUE;
    NmrDeregisterClient(pair.client.handle);
}

static void complete_twice(void *context)
{
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    pair.provider.detach_status = STATUS_PENDING;
    NmrDeregisterClient(pair.client.handle);
    NmrProviderDetachClientComplete(pair.provider.binding);
    NmrProviderDetachClientComplete(pair.provider.binding);
}

static void complete_while_attached(void *context)
{
    attach_pair(&pair);
    NmrClientDetachProviderComplete(pair.client.binding);
}

static void only_a_pending_detachment_is_completed(void **state)
{
    PROVES("NMR-48");
    expect_violation(complete_after_success, "NMR-48");
    expect_violation(complete_in_a_callback_that_succeeds, "NMR-48");
    expect_violation(complete_twice, "NMR-48");
    expect_violation(complete_while_attached, "NMR-48");
}

static void complete_with_the_registration(void *context)
{
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    NmrDeregisterClient(pair.client.handle);
    NmrClientDetachProviderComplete(pair.client.handle);
}

static void complete_what_is_gone(void *context)
{
    attach_pair(&pair);
    end_client(&pair.client);
    NmrClientDetachProviderComplete(pair.client.binding);
}

static void completion_takes_the_handle_of_a_binding(void **state)
{
    PROVES("NMR-49");
    expect_violation(complete_with_the_registration, "NMR-49");
    expect_violation(complete_what_is_gone, "NMR-49");
}

static void attach_later(void *context)
{
    attach_pair(&pair);
    NmrClientAttachProvider(pair.client.binding, NULL, NULL, &pair.client.peer_context,
                            &pair.client.peer_dispatch);
}

static void attach_to_a_registration(void *context)
{
    attach_pair(&pair);
    NmrClientAttachProvider(pair.client.handle, NULL, NULL, &pair.client.peer_context,
                            &pair.client.peer_dispatch);
}

static void client_attaches_inside_its_callback_only(void **state)
{
    PROVES("NMR-23");
    expect_violation(attach_later, "NMR-23");
    expect_violation(attach_to_a_registration, "NMR-23");
}

static void lie(BOOLEAN is_unwilling, NTSTATUS status)
{
    make_pair(&pair);
    pair.client.is_liar = TRUE;
    pair.client.is_unwilling = is_unwilling;
    pair.client.wrong_status = status;
    register_provider(&pair.provider);
    register_client(&pair.client);
}

static void claim_to_be_attached(void *context)
{
    lie(TRUE, STATUS_SUCCESS);
}

static void deny_to_be_attached(void *context)
{
    lie(FALSE, STATUS_NOINTERFACE);
}

static void client_returns_what_its_attachment_returned(void **state)
{
    PROVES("NMR-21");
    expect_violation(claim_to_be_attached, "NMR-21");
    expect_violation(deny_to_be_attached, "NMR-21");
}

static void client_that_declines_with_another_status_is_warned(void **state)
{
    PROVES("NMR-20");
    capture_start();
    lie(TRUE, STATUS_UNSUCCESSFUL);
    assert_non_null(strstr(capture_stop(), "NMR-20"));
    end_client(&pair.client);
    end_provider(&pair.provider);
}

static void say_nothing(void *context)
{
    make_pair(&pair);
    pair.provider.is_silent = TRUE;
    register_provider(&pair.provider);
    register_client(&pair.client);
}

static void provider_that_attaches_fills_both_parameters(void **state)
{
    PROVES("NMR-31");
    expect_violation(say_nothing, "NMR-31");
}

static void provider_that_refuses_with_another_status_is_warned(void **state)
{
    PROVES("NMR-31");
    make_pair(&pair);
    pair.provider.attach_status = STATUS_UNSUCCESSFUL;
    register_provider(&pair.provider);
    capture_start();
    register_client(&pair.client);
    assert_non_null(strstr(capture_stop(), "NMR-31"));
    end_client(&pair.client);
    end_provider(&pair.provider);
}

static void overwrite_characteristics(void *context)
{
    attach_pair(&pair);
    pair.client.client.ClientCleanupBindingContext = NULL;
    NmrDeregisterClient(pair.client.handle);
}

static void overwrite_the_identifier(void *context)
{
    NPIID copy = test_interface;
    make_pair(&pair);
    pair.client.client.ClientRegistrationInstance.NpiId = &copy;
    register_client(&pair.client);
    copy.Data1++;
    register_provider(&pair.provider);
}

static void what_was_registered_stays_as_it_is(void **state)
{
    PROVES("NMR-04", "NMR-06");
    expect_violation(overwrite_characteristics, "NMR-04");
    expect_violation(overwrite_the_identifier, "NMR-06");
}

static void wrong_sizes_and_versions_are_warned_of(void **state)
{
    PROVES("NMR-07", "NMR-08");
    make_pair(&pair);
    pair.client.client.Length--;
    pair.provider.provider.ProviderRegistrationInstance.Version = 1;
    capture_start();
    register_client(&pair.client);
    register_provider(&pair.provider);
    const char *text = capture_stop();
    assert_non_null(strstr(text, "NMR-07"));
    assert_non_null(strstr(text, "NMR-08"));
    end_client(&pair.client);
    end_provider(&pair.provider);
}

static void well_behaved_modules_are_not_warned_of(void **state)
{
    capture_start();
    attach_pair(&pair);
    end_client(&pair.client);
    end_provider(&pair.provider);
    assert_string_equal(capture_stop(), "");
}

static void early_wait_is_warned_of(void **state)
{
    PROVES("NMR-42");
    attach_pair(&pair);
    capture_start();
    NTSTATUS status = NmrWaitForClientDeregisterComplete(pair.client.handle);
    assert_non_null(strstr(capture_stop(), "NMR-42"));
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    end_client(&pair.client);
    end_provider(&pair.provider);
}

static KEVENT has_spoken;

static void note_speech(void *context, const char *text, size_t length)
{
    capture_sink(context, text, length);
    KeSetEvent(&has_spoken, IO_NO_INCREMENT, FALSE);
}

static VOID wait_for_client(PVOID context)
{
    NmrWaitForClientDeregisterComplete(pair.client.handle);
}

static void detachment_that_nobody_completes_is_spoken_of(void **state)
{
    PROVES("NMR-47");
    KeInitializeEvent(&has_spoken, NotificationEvent, FALSE);
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    NmrDeregisterClient(pair.client.handle);
    capture_start();
    wskemu_log_redirect(note_speech, NULL);
    wskemu_set_patience(1);
    PKTHREAD thread = start_thread(wait_for_client, NULL);
    assert_int_equal(wait_object(&has_spoken), STATUS_SUCCESS);
    wskemu_set_patience(0);
    NmrClientDetachProviderComplete(pair.client.binding);
    join_thread(thread);
    assert_non_null(strstr(capture_stop(), "NMR-47"));
    end_provider(&pair.provider);
}

static void what_stays_registered_is_reported_at_shutdown(void **state)
{
    PROVES("NMR-12", "NMR-38");
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    attach_pair(&pair);
    NmrDeregisterProvider(pair.provider.handle);
    capture_start();
    unsigned left = wskemu_shutdown();
    const char *text = capture_stop();
    assert_int_equal(left, 2);
    assert_non_null(strstr(text, "NMR-12"));
    assert_non_null(strstr(text, "NMR-38"));
}

static void register_client_at_dispatch_level(void *context)
{
    KIRQL old;
    make_pair(&pair);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    register_client(&pair.client);
}

static void register_provider_at_apc_level(void *context)
{
    KIRQL old;
    make_pair(&pair);
    KeRaiseIrql(APC_LEVEL, &old);
    register_provider(&pair.provider);
}

static void attach_at_dispatch_level(void *context)
{
    KIRQL old;
    attach_pair(&pair);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NmrClientAttachProvider(pair.client.binding, NULL, NULL, &pair.client.peer_context,
                            &pair.client.peer_dispatch);
}

#define expect_level(body, violation, rule)                                                        \
    expect_bugcheck(body, NULL, DRIVER_VIOLATION, violation, rule)

static void registering_and_attaching_need_passive_level(void **state)
{
    PROVES("WSK-IRQL-13");
    expect_level(register_client_at_dispatch_level, 1, NULL);
    expect_level(register_provider_at_apc_level, 1, NULL);
    expect_level(attach_at_dispatch_level, 1, NULL);
}

#define ABOVE_DISPATCH_LEVEL (DISPATCH_LEVEL + 1)

static void raise_above(void)
{
    KIRQL old;
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    pair.provider.detach_status = STATUS_PENDING;
    KeRaiseIrql(ABOVE_DISPATCH_LEVEL, &old);
}

static void deregister_client_above(void *context)
{
    raise_above();
    NmrDeregisterClient(pair.client.handle);
}

static void deregister_provider_above(void *context)
{
    raise_above();
    NmrDeregisterProvider(pair.provider.handle);
}

static void complete_client_above(void *context)
{
    raise_above();
    NmrClientDetachProviderComplete(pair.client.binding);
}

static void complete_provider_above(void *context)
{
    raise_above();
    NmrProviderDetachClientComplete(pair.provider.binding);
}

static void deregistering_and_completing_need_dispatch_level_at_most(void **state)
{
    PROVES("WSK-IRQL-14");
    expect_level(deregister_client_above, 2, NULL);
    expect_level(deregister_provider_above, 2, NULL);
    expect_level(complete_client_above, 2, NULL);
    expect_level(complete_provider_above, 2, NULL);
}

static void wait_for_client_at_dispatch_level(void *context)
{
    KIRQL old;
    attach_pair(&pair);
    NmrDeregisterClient(pair.client.handle);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NmrWaitForClientDeregisterComplete(pair.client.handle);
}

static void wait_for_provider_at_dispatch_level(void *context)
{
    KIRQL old;
    attach_pair(&pair);
    NmrDeregisterProvider(pair.provider.handle);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NmrWaitForProviderDeregisterComplete(pair.provider.handle);
}

static void waiting_needs_a_level_below_dispatch_level(void **state)
{
    PROVES("WSK-IRQL-15");
    expect_level(wait_for_client_at_dispatch_level, 2, NULL);
    expect_level(wait_for_provider_at_dispatch_level, 2, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(detach_callback_returns_success_or_pending),
    kernel_test(only_a_pending_detachment_is_completed),
    kernel_test(completion_takes_the_handle_of_a_binding),
    kernel_test(client_attaches_inside_its_callback_only),
    kernel_test(client_returns_what_its_attachment_returned),
    kernel_test(client_that_declines_with_another_status_is_warned),
    kernel_test(provider_that_attaches_fills_both_parameters),
    kernel_test(provider_that_refuses_with_another_status_is_warned),
    kernel_test(what_was_registered_stays_as_it_is),
    kernel_test(wrong_sizes_and_versions_are_warned_of),
    kernel_test(well_behaved_modules_are_not_warned_of),
    kernel_test(early_wait_is_warned_of),
    kernel_test(detachment_that_nobody_completes_is_spoken_of),
    cmocka_unit_test(what_stays_registered_is_reported_at_shutdown),
    kernel_test(registering_and_attaching_need_passive_level),
    kernel_test(deregistering_and_completing_need_dispatch_level_at_most),
    kernel_test(waiting_needs_a_level_below_dispatch_level),
};

TEST_MAIN(tests)
