/* Mutants: mutexes that leave APCs as they are, and that can be given up for their owner. */
#include "kernel.h"

#include <ntifs.h>

static void mutant_is_owned_and_released(void **state)
{
    KMUTANT mutant;
    KeInitializeMutant(&mutant, TRUE);
    assert_int_equal(KeReadStateMutant(&mutant), 0);
    assert_int_equal(poll_object(&mutant), STATUS_SUCCESS);
    assert_int_equal(KeReadStateMutant(&mutant), -1);
    assert_false(KeAreApcsDisabled());
    assert_int_equal(KeReleaseMutant(&mutant, IO_NO_INCREMENT, FALSE, FALSE), -1);
    assert_int_equal(KeReleaseMutant(&mutant, IO_NO_INCREMENT, FALSE, FALSE), 0);
    assert_int_equal(KeReadStateMutant(&mutant), 1);
}

struct claim {
    KMUTANT mutant;
    KEVENT owned;
    KEVENT abandoned;
};

static void own(PVOID context)
{
    struct claim *claim = context;
    wait_object(&claim->mutant);
    KeSetEvent(&claim->owned, IO_NO_INCREMENT, FALSE);
    wait_object(&claim->abandoned);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void abandoned_mutant_says_so_once(void **state)
{
    struct claim claim;
    KeInitializeMutant(&claim.mutant, FALSE);
    KeInitializeEvent(&claim.owned, NotificationEvent, FALSE);
    KeInitializeEvent(&claim.abandoned, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(own, &claim);
    wait_object(&claim.owned);
    assert_int_equal(poll_object(&claim.mutant), STATUS_TIMEOUT);
    assert_int_equal(KeReleaseMutant(&claim.mutant, IO_NO_INCREMENT, TRUE, FALSE), 0);
    KeSetEvent(&claim.abandoned, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(poll_object(&claim.mutant), STATUS_ABANDONED);
    KeReleaseMutant(&claim.mutant, IO_NO_INCREMENT, FALSE, FALSE);
    assert_int_equal(poll_object(&claim.mutant), STATUS_SUCCESS);
    KeReleaseMutant(&claim.mutant, IO_NO_INCREMENT, FALSE, FALSE);
}

static const struct CMUnitTest tests[] = {
    kernel_test(mutant_is_owned_and_released),
    kernel_test(abandoned_mutant_says_so_once),
};

TEST_MAIN(tests)
