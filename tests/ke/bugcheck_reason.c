/* Callbacks for the crash dump, which is never written. */
#include "kernel.h"

static VOID never_called(KBUGCHECK_CALLBACK_REASON reason, PKBUGCHECK_REASON_CALLBACK_RECORD record,
                         PVOID data, ULONG length)
{
    fail();
}

static void record_is_registered_once(void **state)
{
    UCHAR component[] = "test";
    KBUGCHECK_REASON_CALLBACK_RECORD record;
    KeInitializeCallbackRecord(&record);
    assert_false(KeDeregisterBugCheckReasonCallback(&record));
    assert_true(KeRegisterBugCheckReasonCallback(&record, never_called, KbCallbackSecondaryDumpData,
                                                 component));
    assert_false(KeRegisterBugCheckReasonCallback(&record, never_called,
                                                  KbCallbackSecondaryDumpData, component));
    assert_true(KeDeregisterBugCheckReasonCallback(&record));
    assert_false(KeDeregisterBugCheckReasonCallback(&record));
}

static const struct CMUnitTest tests[] = {
    kernel_test(record_is_registered_once),
};

TEST_MAIN(tests)
