/*
 * Ordered tables as splay trees. They also remember the order of insertion: that is the order in
 * which RtlGetElementGenericTable counts.
 */
#include "rtl/level.h"

#include <wdm.h>

struct entry {
    RTL_SPLAY_LINKS links;
    LIST_ENTRY inserted;
};

C_ASSERT(sizeof(struct entry) == 40);

static struct entry *entry_of(PRTL_SPLAY_LINKS links)
{
    return CONTAINING_RECORD(links, struct entry, links);
}

static PVOID element_of(PRTL_SPLAY_LINKS links)
{
    return entry_of(links) + 1;
}

static TABLE_SEARCH_RESULT find(PRTL_GENERIC_TABLE table, PVOID buffer, PRTL_SPLAY_LINKS *found)
{
    PRTL_SPLAY_LINKS node = table->TableRoot;
    *found = NULL;
    if (node == NULL) {
        return TableEmptyTree;
    }
    for (;;) {
        RTL_GENERIC_COMPARE_RESULTS order = table->CompareRoutine(table, buffer, element_of(node));
        *found = node;
        if (order == GenericEqual) {
            return TableFoundNode;
        }
        BOOLEAN right = order == GenericGreaterThan;
        node = right ? RtlRightChild(node) : RtlLeftChild(node);
        if (node == NULL) {
            return right ? TableInsertAsRight : TableInsertAsLeft;
        }
    }
}

/* Makes an empty table. IRQL <= DISPATCH_LEVEL. */
VOID RtlInitializeGenericTable(PRTL_GENERIC_TABLE Table,
                               PRTL_GENERIC_COMPARE_ROUTINE CompareRoutine,
                               PRTL_GENERIC_ALLOCATE_ROUTINE AllocateRoutine,
                               PRTL_GENERIC_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    RtlZeroMemory(Table, sizeof(*Table));
    InitializeListHead(&Table->InsertOrderList);
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
}

/* The element that compares equal, which becomes the root, or NULL; and where it is or would be. */
PVOID RtlLookupElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                       TABLE_SEARCH_RESULT *SearchResult)
{
    PRTL_SPLAY_LINKS node;
    *SearchResult = find(Table, Buffer, &node);
    *NodeOrParent = node;
    if (node != NULL) {
        Table->TableRoot = RtlSplay(node);
    }
    return *SearchResult == TableFoundNode ? element_of(node) : NULL;
}

/* The element that compares equal, or NULL. */
PVOID RtlLookupElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PVOID node;
    TABLE_SEARCH_RESULT result;
    return RtlLookupElementGenericTableFull(Table, Buffer, &node, &result);
}

/* Hangs a new node where the look-up ended: the parent, which has become the root since, keeps the
 * subtree on that side below the new node. */
static VOID insert_node(PRTL_GENERIC_TABLE table, PRTL_SPLAY_LINKS node, PRTL_SPLAY_LINKS parent,
                        TABLE_SEARCH_RESULT result)
{
    RtlInitializeSplayLinks(node);
    if (result == TableInsertAsLeft) {
        PRTL_SPLAY_LINKS below = RtlLeftChild(parent);
        RtlInsertAsLeftChild(parent, node);
        if (below != NULL) {
            RtlInsertAsLeftChild(node, below);
        }
    } else if (result == TableInsertAsRight) {
        PRTL_SPLAY_LINKS below = RtlRightChild(parent);
        RtlInsertAsRightChild(parent, node);
        if (below != NULL) {
            RtlInsertAsRightChild(node, below);
        }
    }
    table->TableRoot = RtlSplay(node);
}

/* As RtlInsertElementGenericTable, at the place that a look-up found. */
PVOID RtlInsertElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                       PBOOLEAN NewElement, PVOID NodeOrParent,
                                       TABLE_SEARCH_RESULT SearchResult)
{
    BOOLEAN found = SearchResult == TableFoundNode;
    if (NewElement != NULL) {
        *NewElement = !found;
    }
    if (found) {
        Table->TableRoot = RtlSplay(NodeOrParent);
        return element_of(NodeOrParent);
    }
    struct entry *entry = Table->AllocateRoutine(Table, BufferSize + (CLONG)sizeof(*entry));
    if (entry == NULL) {
        if (NewElement != NULL) {
            *NewElement = FALSE;
        }
        return NULL;
    }
    RtlCopyMemory(entry + 1, Buffer, BufferSize);
    InsertTailList(&Table->InsertOrderList, &entry->inserted);
    Table->NumberGenericTableElements++;
    insert_node(Table, &entry->links, NodeOrParent, SearchResult);
    return entry + 1;
}

/* A copy of the buffer in the table, or the element that compares equal, and which of the two; NULL
 * if there is no memory. IRQL <= APC_LEVEL. */
PVOID RtlInsertElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                   PBOOLEAN NewElement)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    PRTL_SPLAY_LINKS node;
    TABLE_SEARCH_RESULT result = find(Table, Buffer, &node);
    return RtlInsertElementGenericTableFull(Table, Buffer, BufferSize, NewElement, node, result);
}

/* Removes and frees the element that compares equal; FALSE if there is none. IRQL <=
 * DISPATCH_LEVEL. */
BOOLEAN RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PRTL_SPLAY_LINKS node;
    if (find(Table, Buffer, &node) != TableFoundNode) {
        return FALSE;
    }
    Table->TableRoot = RtlDelete(node);
    RemoveEntryList(&entry_of(node)->inserted);
    Table->NumberGenericTableElements--;
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->WhichOrderedElement = 0;
    Table->FreeRoutine(Table, entry_of(node));
    return TRUE;
}

static PRTL_SPLAY_LINKS first_of(PRTL_GENERIC_TABLE table)
{
    PRTL_SPLAY_LINKS node = table->TableRoot;
    while (node != NULL && RtlLeftChild(node) != NULL) {
        node = RtlLeftChild(node);
    }
    return node;
}

/* The element behind *RestartKey, the first one if that is NULL; NULL at the end. */
PVOID RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE Table, PVOID *RestartKey)
{
    PRTL_SPLAY_LINKS node = *RestartKey != NULL ? RtlRealSuccessor(*RestartKey) : first_of(Table);
    if (node == NULL) {
        return NULL;
    }
    *RestartKey = node;
    return element_of(node);
}

/* The first element, or the one behind the last that was returned or looked up; NULL at the end. */
PVOID RtlEnumerateGenericTable(PRTL_GENERIC_TABLE Table, BOOLEAN Restart)
{
    PVOID key = Restart ? NULL : Table->TableRoot;
    PVOID element = RtlEnumerateGenericTableWithoutSplaying(Table, &key);
    if (element != NULL) {
        Table->TableRoot = RtlSplay(key);
    }
    return element;
}

/* The element of that number in the order of insertion, from 0 on; NULL behind the end. Any IRQL
 * with resident memory. */
PVOID RtlGetElementGenericTable(PRTL_GENERIC_TABLE Table, ULONG I)
{
    if (I >= Table->NumberGenericTableElements) {
        return NULL;
    }
    /* WhichOrderedElement counts from 1; 0 is the list's head. */
    PLIST_ENTRY entry = Table->OrderedPointer;
    ULONG position = Table->WhichOrderedElement;
    if (position > I + 1) {
        entry = &Table->InsertOrderList;
        position = 0;
    }
    for (; position < I + 1; position++) {
        entry = entry->Flink;
    }
    Table->OrderedPointer = entry;
    Table->WhichOrderedElement = position;
    return CONTAINING_RECORD(entry, struct entry, inserted) + 1;
}

ULONG RtlNumberGenericTableElements(PRTL_GENERIC_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

/* IRQL <= APC_LEVEL. */
BOOLEAN RtlIsGenericTableEmpty(PRTL_GENERIC_TABLE Table)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return Table->NumberGenericTableElements == 0;
}
