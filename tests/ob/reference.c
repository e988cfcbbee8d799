/* References by pointer, and who destroys an object. */
#include "kernel.h"
#include "log.h"

#include "ob/object.h"

#include <ntifs.h>

/* An object of the test's own, whose destruction can be watched. */
struct probe {
    PKTHREAD *destroyer; /* out: who destroyed it */
    KIRQL *irql;         /* out: at which level */
    PKEVENT destroyed;
};

static void destroy(void *object)
{
    struct probe *probe = object;
    *probe->destroyer = KeGetCurrentThread();
    *probe->irql = KeGetCurrentIrql();
    KeSetEvent(probe->destroyed, IO_NO_INCREMENT, FALSE);
}

static struct _OBJECT_TYPE probe_type = {.name = "Probe", .destroy = destroy};
static struct _OBJECT_TYPE passive_type = {
    .name = "Probe", .destroy = destroy, .is_destroyed_at_passive = true};

static PKTHREAD destroyer;
static KIRQL destroyed_at;
static KEVENT destroyed;

static struct probe *new_probe(POBJECT_TYPE type)
{
    struct probe *probe = ob_create(type, sizeof(*probe));
    assert_non_null(probe);
    KeInitializeEvent(&destroyed, NotificationEvent, FALSE);
    destroyer = NULL;
    *probe = (struct probe){&destroyer, &destroyed_at, &destroyed};
    return probe;
}

static void last_dereference_destroys(void **state)
{
    PROVES("OB-11", "OB-20");
    STAYS_SILENT("OB-15");
    struct probe *probe = new_probe(&probe_type); /* one reference */
    ObReferenceObject(probe);
    ObDereferenceObject(probe);
    assert_null(destroyer);
    ObDereferenceObject(probe);
    assert_ptr_equal(destroyer, KeGetCurrentThread());
}

static void plain_references_check_nothing(void **state)
{
    PROVES("OB-10");
    struct probe *probe = new_probe(&probe_type);
    assert_int_equal(ObReferenceObjectByPointer(probe, 0, &probe_type, UserMode), STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByPointer(probe, 0, *PsThreadType, UserMode),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ObReferenceObjectByPointer(probe, 0, *PsThreadType, KernelMode),
                     STATUS_SUCCESS);
    ObReferenceObject(probe);
    ObDereferenceObject(probe);
    ObDereferenceObject(probe);
    ObDereferenceObject(probe);
    assert_null(destroyer);
    ObDereferenceObject(probe);
    assert_non_null(destroyer);
}

static void links_are_always_checked(void **state)
{
    PROVES("OB-10");
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\DosDevices");
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle = NULL;
    PVOID link = NULL;
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(ZwOpenSymbolicLinkObject(&handle, SYMBOLIC_LINK_QUERY, &attributes),
                     STATUS_SUCCESS);
    ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &link, NULL);
    assert_int_equal(ObReferenceObjectByPointer(link, 0, NULL, KernelMode),
                     STATUS_OBJECT_TYPE_MISMATCH);
    ObDereferenceObject(link);
    ZwClose(handle);
}

static void deferred_deletion_is_anothers(void **state)
{
    PROVES("OB-14");
    struct probe *probe = new_probe(&probe_type);
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ObReferenceObject(probe);
    ObDereferenceObjectDeferDelete(probe);
    ObDereferenceObjectDeferDelete(probe);
    KeLowerIrql(irql);
    wait_object(&destroyed);
    assert_ptr_not_equal(destroyer, KeGetCurrentThread());
    assert_int_equal(destroyed_at, PASSIVE_LEVEL);
}

static void deletion_waits_for_passive_level(void **state)
{
    PROVES("OB-11");
    struct probe *probe = new_probe(&passive_type);
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ObDereferenceObject(probe);
    KeLowerIrql(irql);
    wait_object(&destroyed);
    assert_int_equal(destroyed_at, PASSIVE_LEVEL);

    probe = new_probe(&passive_type);
    ObDereferenceObject(probe);
    assert_ptr_equal(destroyer, KeGetCurrentThread());
}

static BOOLEAN was_referenced;

static void reference_while_dying(void *object)
{
    was_referenced = ObReferenceObjectSafe(object);
}

static struct _OBJECT_TYPE dying_type = {.name = "Probe", .destroy = reference_while_dying};

static void safe_reference_refuses_the_dying(void **state)
{
    PROVES("OB-19");
    PVOID object = ob_create(&dying_type, 16);
    assert_non_null(object);
    assert_true(ObReferenceObjectSafe(object));
    ObDereferenceObject(object);
    was_referenced = TRUE;
    ObDereferenceObject(object);
    assert_false(was_referenced);
}

static void dereference_once_too_often(void *context)
{
    struct probe *probe = context;
    ob_header_of(probe)->references = 0; /* as it is when the last one is gone */
    ObDereferenceObject(probe);
}

static void a_reference_too_few_is_a_bugcheck(void **state)
{
    PROVES("OB-15");
    struct probe *probe = new_probe(&probe_type);
    expect_bugcheck(dereference_once_too_often, probe, REFERENCE_BY_POINTER, (ULONG_PTR)&probe_type,
                    "OB-15");
}

/* ---- tags, at level full ---- */

static void boot_full(void)
{
    static const struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_FULL};
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

static const char *told_of(ULONG taken, ULONG dropped)
{
    struct probe *probe = new_probe(&probe_type);
    log_capture();
    ObReferenceObjectWithTag(probe, taken);
    ObDereferenceObjectWithTag(probe, dropped);
    ObDereferenceObject(probe);
    return log_captured();
}

static void a_reference_dropped_with_another_tag_is_warned_of(void **state)
{
    PROVES("OB-18");
    boot_full();
    const char *text = told_of('1gaT', '2gaT');
    assert_non_null(strstr(text, "warning OB-18"));
    assert_non_null(strstr(text, "'Tag2', at"));
    boot_full(); /* a rule is spoken of once */
    text = told_of('1gaT', 'tlfD');
    assert_non_null(strstr(text, "warning OB-18"));
    assert_non_null(strstr(text, "1 that were taken with the tag 'Tag1'"));
}

static void a_reference_dropped_with_its_tag_is_not(void **state)
{
    STAYS_SILENT("OB-18");
    boot_full();
    assert_string_equal(told_of('1gaT', '1gaT'), "");
    assert_string_equal(told_of('tlfD', 'tlfD'), "");
}

static const struct CMUnitTest tests[] = {
    kernel_test(last_dereference_destroys),
    kernel_test(plain_references_check_nothing),
    kernel_test(links_are_always_checked),
    kernel_test(deferred_deletion_is_anothers),
    kernel_test(deletion_waits_for_passive_level),
    kernel_test(safe_reference_refuses_the_dying),
    kernel_test(a_reference_too_few_is_a_bugcheck),
    kernel_test(a_reference_dropped_with_another_tag_is_warned_of),
    kernel_test(a_reference_dropped_with_its_tag_is_not),
};

TEST_MAIN(tests)
