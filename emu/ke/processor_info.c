/*
 * What a driver can ask about processors: one group, one node, one package, as many cores as the
 * kernel has emulated processors.
 */
#include "ke/kernel.h"
#include "ke/limit.h"

static ULONG count_of_group(USHORT group)
{
    ke_current();
    return group == 0 || group == ALL_PROCESSOR_GROUPS ? ke_kernel()->processors.count : 0;
}

static KAFFINITY active_processors(void)
{
    ULONG count = count_of_group(0);
    return count == KE_PROCESSORS_MAX ? ~(KAFFINITY)0 : ((KAFFINITY)1 << count) - 1;
}

/* ---- counting ---- */

/* The number of processors, and their mask unless the pointer is NULL. Any IRQL. */
ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    if (ActiveProcessors != NULL) {
        *ActiveProcessors = active_processors();
    }
    return count_of_group(0);
}

/* The number of processors of a group, or with ALL_PROCESSOR_GROUPS of all. Any IRQL. */
ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return count_of_group(GroupNumber);
}

/* As KeQueryActiveProcessorCount: none is ever added. Any IRQL. */
ULONG KeQueryMaximumProcessorCount(VOID)
{
    return count_of_group(0);
}

/* As KeQueryActiveProcessorCountEx: none is ever added. Any IRQL. */
ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return count_of_group(GroupNumber);
}

/* The number of processor groups. Any IRQL. */
USHORT KeQueryActiveGroupCount(VOID)
{
    return 1;
}

/* The number of processor groups. Any IRQL. */
USHORT KeQueryMaximumGroupCount(VOID)
{
    return 1;
}

/* The mask of processors. Any IRQL. */
KAFFINITY KeQueryActiveProcessors(VOID)
{
    return active_processors();
}

/* The mask of a group's processors, 0 for no group. Any IRQL. */
KAFFINITY KeQueryGroupAffinity(USHORT GroupNumber)
{
    return GroupNumber == 0 ? active_processors() : 0;
}

/* ---- the current processor, and numbers ---- */

static ULONG lowest_allowed(const struct _KTHREAD *thread)
{
    KAFFINITY allowed = thread->affinity & active_processors();
    return allowed == 0 ? 0 : (ULONG)__builtin_ctzll(allowed);
}

/* Below DISPATCH_LEVEL a thread has no processor; it gets told the one it is likely to get. */
static ULONG current_number(void)
{
    const struct _KTHREAD *thread = ke_current();
    const struct ke_processor *processor =
        thread->processor != NULL ? thread->processor : thread->last_processor;
    if (processor == NULL || (thread->processor == NULL && thread->affinity != 0 &&
                              ((thread->affinity >> processor->number) & 1) == 0)) {
        return lowest_allowed(thread);
    }
    return processor->number;
}

static void set_number(PPROCESSOR_NUMBER number, ULONG index)
{
    number->Group = 0;
    number->Number = (UCHAR)index;
    number->Reserved = 0;
}

/* The index of the processor that runs the caller, and its number unless the pointer is NULL.
 * Meaningful at DISPATCH_LEVEL and above only. Any IRQL. */
ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    ULONG index = current_number();
    if (ProcNumber != NULL) {
        set_number(ProcNumber, index);
    }
    return index;
}

/* As KeGetCurrentProcessorNumberEx without a pointer. */
ULONG KeGetCurrentProcessorNumber(VOID)
{
    return current_number();
}

/* The index of a processor, INVALID_PROCESSOR_INDEX if there is none such. Any IRQL. */
ULONG KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber->Reserved != 0 || ProcNumber->Number >= count_of_group(ProcNumber->Group)) {
        return INVALID_PROCESSOR_INDEX;
    }
    return ProcNumber->Number;
}

/* The number of a processor; STATUS_INVALID_PARAMETER if there is none such. Any IRQL. */
NTSTATUS KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcIndex >= count_of_group(0)) {
        return STATUS_INVALID_PARAMETER;
    }
    set_number(ProcNumber, ProcIndex);
    return STATUS_SUCCESS;
}

/* ---- nodes ---- */

/* The node of the current processor. Any IRQL. */
USHORT KeGetCurrentNodeNumber(VOID)
{
    return 0;
}

/* The highest node's number. Any IRQL. */
USHORT KeQueryHighestNodeNumber(VOID)
{
    return 0;
}

/* The number of a node's processors. Any IRQL. */
USHORT KeQueryNodeMaximumProcessorCount(USHORT NodeNumber)
{
    return NodeNumber == 0 ? (USHORT)count_of_group(0) : 0;
}

static GROUP_AFFINITY all_of_group(void)
{
    return (GROUP_AFFINITY){.Mask = active_processors(), .Group = 0};
}

/* The processors of a node, as a mask, a count, or both. Any IRQL. */
VOID KeQueryNodeActiveAffinity(USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count)
{
    if (Affinity != NULL) {
        *Affinity = NodeNumber == 0 ? all_of_group() : (GROUP_AFFINITY){.Mask = 0};
    }
    if (Count != NULL) {
        *Count = KeQueryNodeMaximumProcessorCount(NodeNumber);
    }
}

/* ---- relations ---- */

/* Writes entries one behind the other as long as they fit, and counts what all need. */
struct relation_writer {
    UCHAR *next;
    ULONG room;
    ULONG needed;
};

/* Begins an entry with body_bytes behind the common fields; NULL when it does not fit. */
static PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX begin_entry(struct relation_writer *writer,
                                                            LOGICAL_PROCESSOR_RELATIONSHIP relation,
                                                            size_t body_bytes)
{
    ULONG bytes =
        (ULONG)(FIELD_OFFSET(SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX, Processor) + body_bytes);
    writer->needed += bytes;
    if (writer->next == NULL || writer->needed > writer->room) {
        return NULL;
    }
    PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX entry = (void *)writer->next;
    RtlZeroMemory(entry, bytes);
    entry->Relationship = relation;
    entry->Size = bytes;
    writer->next += bytes;
    return entry;
}

static void write_processors(struct relation_writer *writer,
                             LOGICAL_PROCESSOR_RELATIONSHIP relation, KAFFINITY mask)
{
    PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX entry =
        begin_entry(writer, relation, sizeof(PROCESSOR_RELATIONSHIP));
    if (entry != NULL) {
        entry->Processor.GroupCount = 1;
        entry->Processor.GroupMask[0].Mask = mask;
    }
}

static void write_cores(struct relation_writer *writer, KAFFINITY wanted)
{
    for (ULONG i = 0; i < KE_PROCESSORS_MAX; i++) {
        if (((wanted >> i) & 1) != 0) {
            write_processors(writer, RelationProcessorCore, (KAFFINITY)1 << i);
        }
    }
}

static void write_node(struct relation_writer *writer)
{
    PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX entry =
        begin_entry(writer, RelationNumaNode, sizeof(NUMA_NODE_RELATIONSHIP));
    if (entry != NULL) {
        entry->NumaNode.GroupCount = 1;
        entry->NumaNode.GroupMask = all_of_group();
    }
}

static void write_group(struct relation_writer *writer)
{
    PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX entry =
        begin_entry(writer, RelationGroup, sizeof(GROUP_RELATIONSHIP));
    if (entry != NULL) {
        entry->Group.MaximumGroupCount = 1;
        entry->Group.ActiveGroupCount = 1;
        entry->Group.GroupInfo[0].MaximumProcessorCount = (UCHAR)count_of_group(0);
        entry->Group.GroupInfo[0].ActiveProcessorCount = (UCHAR)count_of_group(0);
        entry->Group.GroupInfo[0].ActiveProcessorMask = active_processors();
    }
}

static bool wants(LOGICAL_PROCESSOR_RELATIONSHIP asked, LOGICAL_PROCESSOR_RELATIONSHIP relation)
{
    return asked == relation || asked == RelationAll;
}

static void write_relations(struct relation_writer *writer, LOGICAL_PROCESSOR_RELATIONSHIP asked,
                            KAFFINITY wanted)
{
    if (wants(asked, RelationProcessorCore)) {
        write_cores(writer, wanted);
    }
    if (wants(asked, RelationNumaNode) || asked == RelationNumaNodeEx) {
        write_node(writer);
    }
    if (wants(asked, RelationProcessorPackage)) {
        write_processors(writer, RelationProcessorPackage, active_processors());
    }
    if (wants(asked, RelationGroup)) {
        write_group(writer);
    }
}

/*
 * How processors relate: of all, or with ProcessorNumber of one. *Length is the room in bytes and
 * becomes the bytes needed. IRQL <= DISPATCH_LEVEL. STATUS_SUCCESS, STATUS_INFO_LENGTH_MISMATCH
 * when the room is too small, STATUS_INVALID_PARAMETER.
 */
NTSTATUS KeQueryLogicalProcessorRelationship(PPROCESSOR_NUMBER ProcessorNumber,
                                             LOGICAL_PROCESSOR_RELATIONSHIP RelationshipType,
                                             PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX Information,
                                             PULONG Length)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    KAFFINITY wanted = active_processors();
    if (ProcessorNumber != NULL) {
        ULONG index = KeGetProcessorIndexFromNumber(ProcessorNumber);
        if (index == INVALID_PROCESSOR_INDEX) {
            return STATUS_INVALID_PARAMETER;
        }
        wanted = (KAFFINITY)1 << index;
    }
    struct relation_writer writer = {.next = (UCHAR *)Information, .room = *Length};
    write_relations(&writer, RelationshipType, wanted);
    ULONG room = *Length;
    *Length = writer.needed;
    return writer.needed > room ? STATUS_INFO_LENGTH_MISMATCH : STATUS_SUCCESS;
}
