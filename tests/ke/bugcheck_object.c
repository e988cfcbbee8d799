/* Bug checks of objects, lists, resources, and of drivers that stop by themselves: 0x18, 0x139,
 * 0xE3, and bug check callbacks. */
#include "bugcheck.h"
#include "kernel.h"

static PKEVENT event;

static void dereference_too_often(void *context)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\dereferenced");
    HANDLE handle;
    event = IoCreateNotificationEvent(&name, &handle);
    ZwClose(handle);
    ObDereferenceObject(event);
}

static void dereferencing_too_often_stops(void **state)
{
    PROVES("BUGCHECK-12");
    struct wskemu_bugcheck stop = bugcheck_of(dereference_too_often, NULL);
    assert_bugcheck(stop, REFERENCE_BY_POINTER, *ExEventObjectType, event, ANY, ANY);
}

static LIST_ENTRY head;
static LIST_ENTRY entry;

static void remove_twice(void *context)
{
    static LIST_ENTRY other;
    InitializeListHead(&head);
    InsertTailList(&head, &entry);
    InsertTailList(&head, &other);
    RemoveEntryList(&entry);
    RemoveEntryList(&entry);
}

static void insert_into_overwritten(void *context)
{
    InitializeListHead(&head);
    InsertTailList(&head, &entry);
    InitializeListHead(&entry);
    static LIST_ENTRY other;
    InsertTailList(&head, &other);
}

static void fail_fast(void *context)
{
    RtlFailFast(FAST_FAIL_INVALID_ARG);
}

static void a_broken_list_stops(void **state)
{
    PROVES("BUGCHECK-73");
    struct wskemu_bugcheck stop = bugcheck_of(remove_twice, NULL);
    assert_bugcheck(stop, KERNEL_SECURITY_CHECK_FAILURE, 3, ANY, ANY, ANY);
    stop = bugcheck_of(insert_into_overwritten, NULL);
    assert_bugcheck(stop, KERNEL_SECURITY_CHECK_FAILURE, 3, ANY, ANY, ANY);
    stop = bugcheck_of(fail_fast, NULL);
    assert_bugcheck(stop, KERNEL_SECURITY_CHECK_FAILURE, 5, ANY, ANY, ANY);
}

static ERESOURCE resource;

static PKTHREAD thread;

static void release_unowned(void *context)
{
    ExInitializeResourceLite(&resource);
    thread = KeGetCurrentThread();
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
}

static void releasing_a_resource_that_is_not_owned_stops(void **state)
{
    PROVES("BUGCHECK-58");
    struct wskemu_bugcheck stop = bugcheck_of(release_unowned, NULL);
    assert_bugcheck(stop, RESOURCE_NOT_OWNED, &resource, thread, ANY, ANY);
}

/* ---- bug check callbacks ---- */

static KBUGCHECK_CALLBACK_RECORD record;
static KBUGCHECK_CALLBACK_RECORD other_record;
static ULONG dump[2];

static VOID fill(PVOID to, ULONG length)
{
    RtlFillMemory(to, length, 0x77);
}

static BOOLEAN add(PKBUGCHECK_CALLBACK_RECORD added, ULONG *to)
{
    static UCHAR component[] = "test";
    return KeRegisterBugCheckCallback(added, fill, to, sizeof(*to), component);
}

static void stop_with_callbacks(void *context)
{
    KeInitializeCallbackRecord(&record);
    KeInitializeCallbackRecord(&other_record);
    add(&record, &dump[0]);
    add(&other_record, &dump[1]);
    KeDeregisterBugCheckCallback(&other_record);
    KeBugCheckEx(MANUALLY_INITIATED_CRASH, 1, 2, 3, 4);
}

static void registered_callbacks_run_when_the_system_stops(void **state)
{
    PROVES("BUGCHECK-01", "BUGCHECK-02");
    dump[0] = 0;
    dump[1] = 0;
    struct wskemu_bugcheck stop = bugcheck_of(stop_with_callbacks, NULL);
    assert_bugcheck(stop, MANUALLY_INITIATED_CRASH, 1, 2, 3, 4);
    assert_int_equal(dump[0], 0x77777777);
    assert_int_equal(dump[1], 0);
    assert_int_equal(record.State, BufferFinished);
}

static void a_record_is_registered_once(void **state)
{
    PROVES("BUGCHECK-02");
    STAYS_SILENT("BUGCHECK-03");
    KeInitializeCallbackRecord(&record);
    assert_false(KeDeregisterBugCheckCallback(&record));
    assert_true(add(&record, &dump[0]));
    assert_false(add(&record, &dump[0]));
    assert_true(KeDeregisterBugCheckCallback(&record));
    assert_false(KeDeregisterBugCheckCallback(&record));
    assert_true(add(&record, &dump[0]));
    assert_true(KeDeregisterBugCheckCallback(&record));
}

static void discard(void *context, const char *text, size_t length)
{
}

static void a_record_that_is_left_registered_is_reported(void **state)
{
    PROVES("BUGCHECK-03");
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    KeInitializeCallbackRecord(&record);
    add(&record, &dump[0]);
    wskemu_log_redirect(discard, NULL);
    assert_int_equal(wskemu_shutdown(), 1);
    wskemu_log_redirect(NULL, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(dereferencing_too_often_stops),
    kernel_test(a_broken_list_stops),
    kernel_test(releasing_a_resource_that_is_not_owned_stops),
    kernel_test(registered_callbacks_run_when_the_system_stops),
    kernel_test(a_record_is_registered_once),
    cmocka_unit_test(a_record_that_is_left_registered_is_reported),
};

TEST_MAIN(tests)
