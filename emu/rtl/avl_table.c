/*
 * Ordered tables as AVL trees.
 *
 * The table's BalancedRoot is no element: its RightChild is the tree, and it is the parent of the
 * tree's top, so that no rotation has a special case. Balance is the height of the right subtree
 * less that of the left, -1 to 1 whenever a function returns. An element is a node's memory behind
 * its links, at the size that drivers add to theirs: sizeof(RTL_BALANCED_LINKS).
 */
#include "rtl/level.h"

#include <wdm.h>

typedef RTL_BALANCED_LINKS *node_pointer;

static PVOID element_of(node_pointer node)
{
    return node != NULL ? node + 1 : NULL;
}

static node_pointer *child_of(node_pointer node, BOOLEAN right)
{
    return right ? &node->RightChild : &node->LeftChild;
}

static BOOLEAN is_right_child(node_pointer node)
{
    return node->Parent->RightChild == node;
}

static VOID link_child(node_pointer parent, BOOLEAN right, node_pointer child)
{
    *child_of(parent, right) = child;
    if (child != NULL) {
        child->Parent = parent;
    }
}

/* Lifts the child of that side above the node. Returns the child. */
static node_pointer rotate(node_pointer node, BOOLEAN right)
{
    node_pointer top = *child_of(node, right);
    node_pointer parent = node->Parent;
    BOOLEAN node_is_right = is_right_child(node);
    link_child(node, right, *child_of(top, !right));
    link_child(top, !right, node);
    link_child(parent, node_is_right, top);
    return top;
}

/* Mends a node whose side `right` is two levels higher. Returns the new top of this subtree. */
static node_pointer rebalance(node_pointer node, BOOLEAN right)
{
    CHAR heavy = right ? 1 : -1;
    node_pointer child = *child_of(node, right);
    if (child->Balance != -heavy) {
        BOOLEAN was_even = child->Balance == 0;
        node->Balance = was_even ? heavy : 0;
        child->Balance = was_even ? (CHAR)-heavy : 0;
        return rotate(node, right);
    }
    node_pointer middle = *child_of(child, !right);
    node->Balance = middle->Balance == heavy ? (CHAR)-heavy : 0;
    child->Balance = middle->Balance == -heavy ? heavy : 0;
    middle->Balance = 0;
    rotate(child, !right);
    return rotate(node, right);
}

static VOID rebalance_after_insert(PRTL_AVL_TABLE table, node_pointer node)
{
    while (node->Parent != &table->BalancedRoot) {
        BOOLEAN right = is_right_child(node);
        node = node->Parent;
        CHAR grown = right ? 1 : -1;
        if (node->Balance == grown) {
            rebalance(node, right);
            return;
        }
        node->Balance = (CHAR)(node->Balance + grown);
        if (node->Balance == 0) {
            return;
        }
    }
    table->DepthOfTree++;
}

/* The subtree of that side of the node has become lower. */
static VOID rebalance_after_delete(PRTL_AVL_TABLE table, node_pointer node, BOOLEAN right)
{
    while (node != &table->BalancedRoot) {
        CHAR lost = right ? 1 : -1;
        if (node->Balance == 0) {
            node->Balance = (CHAR)-lost;
            return;
        }
        if (node->Balance == lost) {
            node->Balance = 0;
        } else {
            node = rebalance(node, !right);
            if (node->Balance != 0) {
                return;
            }
        }
        right = is_right_child(node);
        node = node->Parent;
    }
    table->DepthOfTree--;
}

static node_pointer first_below(node_pointer node)
{
    while (node != NULL && node->LeftChild != NULL) {
        node = node->LeftChild;
    }
    return node;
}

static node_pointer first_of(PRTL_AVL_TABLE table)
{
    return first_below(table->BalancedRoot.RightChild);
}

static node_pointer next_of(PRTL_AVL_TABLE table, node_pointer node)
{
    if (node->RightChild != NULL) {
        return first_below(node->RightChild);
    }
    while (node->Parent != &table->BalancedRoot && is_right_child(node)) {
        node = node->Parent;
    }
    return node->Parent != &table->BalancedRoot ? node->Parent : NULL;
}

static node_pointer previous_of(PRTL_AVL_TABLE table, node_pointer node)
{
    if (node->LeftChild != NULL) {
        for (node = node->LeftChild; node->RightChild != NULL;) {
            node = node->RightChild;
        }
        return node;
    }
    while (node->Parent != &table->BalancedRoot && !is_right_child(node)) {
        node = node->Parent;
    }
    return node->Parent != &table->BalancedRoot ? node->Parent : NULL;
}

static TABLE_SEARCH_RESULT find(PRTL_AVL_TABLE table, PVOID buffer, node_pointer *found)
{
    node_pointer node = table->BalancedRoot.RightChild;
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
        node = *child_of(node, right);
        if (node == NULL) {
            return right ? TableInsertAsRight : TableInsertAsLeft;
        }
    }
}

/* Puts the node's only child, or nothing, in its place. */
static VOID splice_out(PRTL_AVL_TABLE table, node_pointer node)
{
    node_pointer parent = node->Parent;
    BOOLEAN right = is_right_child(node);
    node_pointer child = node->LeftChild != NULL ? node->LeftChild : node->RightChild;
    link_child(parent, right, child);
    rebalance_after_delete(table, parent, right);
}

static VOID remove_node(PRTL_AVL_TABLE table, node_pointer node)
{
    if (table->RestartKey == node) {
        table->RestartKey = previous_of(table, node);
    }
    node_pointer stand_in = node;
    if (node->LeftChild != NULL && node->RightChild != NULL) {
        stand_in = next_of(table, node);
    }
    splice_out(table, stand_in);
    if (stand_in != node) {
        /* The successor takes over the node's place, with all its links. */
        BOOLEAN right = is_right_child(node);
        stand_in->Balance = node->Balance;
        link_child(stand_in, FALSE, node->LeftChild);
        link_child(stand_in, TRUE, node->RightChild);
        link_child(node->Parent, right, stand_in);
    }
    table->NumberGenericTableElements--;
    table->DeleteCount++;
    table->OrderedPointer = NULL;
    table->WhichOrderedElement = 0;
    table->FreeRoutine(table, node);
}

/* Makes an empty table. IRQL <= DISPATCH_LEVEL. */
VOID RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table, PRTL_AVL_COMPARE_ROUTINE CompareRoutine,
                                  PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine,
                                  PRTL_AVL_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    RtlZeroMemory(Table, sizeof(*Table));
    Table->BalancedRoot.Parent = &Table->BalancedRoot;
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
}

/* The element that compares equal, or NULL; and where it is or would be. */
PVOID RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                          TABLE_SEARCH_RESULT *SearchResult)
{
    node_pointer node;
    *SearchResult = find(Table, Buffer, &node);
    *NodeOrParent = node;
    return *SearchResult == TableFoundNode ? element_of(node) : NULL;
}

/* The element that compares equal, or NULL. IRQL <= APC_LEVEL. */
PVOID RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    PVOID node;
    TABLE_SEARCH_RESULT result;
    return RtlLookupElementGenericTableFullAvl(Table, Buffer, &node, &result);
}

/* As RtlInsertElementGenericTableAvl, at the place that a look-up found. */
PVOID RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                          PBOOLEAN NewElement, PVOID NodeOrParent,
                                          TABLE_SEARCH_RESULT SearchResult)
{
    BOOLEAN found = SearchResult == TableFoundNode;
    if (NewElement != NULL) {
        *NewElement = !found;
    }
    if (found) {
        return element_of(NodeOrParent);
    }
    node_pointer node = Table->AllocateRoutine(Table, BufferSize + (CLONG)sizeof(*node));
    if (node == NULL) {
        if (NewElement != NULL) {
            *NewElement = FALSE;
        }
        return NULL;
    }
    RtlZeroMemory(node, sizeof(*node));
    RtlCopyMemory(element_of(node), Buffer, BufferSize);
    BOOLEAN right = SearchResult != TableInsertAsLeft;
    link_child(SearchResult == TableEmptyTree ? &Table->BalancedRoot : NodeOrParent, right, node);
    Table->NumberGenericTableElements++;
    Table->OrderedPointer = NULL;
    Table->WhichOrderedElement = 0;
    rebalance_after_insert(Table, node);
    return element_of(node);
}

/* A copy of the buffer in the table, or the element that compares equal, and which of the two; NULL
 * if there is no memory. IRQL <= APC_LEVEL. */
PVOID RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                      PBOOLEAN NewElement)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    node_pointer node;
    TABLE_SEARCH_RESULT result = find(Table, Buffer, &node);
    return RtlInsertElementGenericTableFullAvl(Table, Buffer, BufferSize, NewElement, node, result);
}

/* Removes and frees the element that compares equal; FALSE if there is none. IRQL <=
 * DISPATCH_LEVEL. */
BOOLEAN RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    node_pointer node;
    if (find(Table, Buffer, &node) != TableFoundNode) {
        return FALSE;
    }
    remove_node(Table, node);
    return TRUE;
}

/* As RtlDeleteElementGenericTableAvl, for a node that a look-up found. */
VOID RtlDeleteElementGenericTableAvlEx(PRTL_AVL_TABLE Table, PVOID NodeOrParent)
{
    remove_node(Table, NodeOrParent);
}

/* The first of several equal elements, and where to go on. */
PVOID RtlLookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
                                                   PVOID *RestartKey)
{
    node_pointer node;
    *RestartKey = NULL;
    if (find(Table, Buffer, &node) != TableFoundNode) {
        return NULL;
    }
    node_pointer before = previous_of(Table, node);
    while (before != NULL &&
           Table->CompareRoutine(Table, Buffer, element_of(before)) == GenericEqual) {
        node = before;
        before = previous_of(Table, node);
    }
    *RestartKey = node;
    return element_of(node);
}

/* The element behind *RestartKey, the first one if that is NULL; NULL at the end. */
PVOID RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID *RestartKey)
{
    node_pointer node = *RestartKey != NULL ? next_of(Table, *RestartKey) : first_of(Table);
    if (node != NULL) {
        *RestartKey = node;
    }
    return element_of(node);
}

/* The first element, or the one behind the last that was returned; NULL at the end. */
PVOID RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart)
{
    PVOID key = Restart ? NULL : Table->RestartKey;
    PVOID element = RtlEnumerateGenericTableWithoutSplayingAvl(Table, &key);
    Table->RestartKey = key;
    return element;
}

/* The element of that number in the order of the table, from 0 on; NULL behind the end. Any IRQL
 * with resident memory. */
PVOID RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I)
{
    if (I >= Table->NumberGenericTableElements) {
        return NULL;
    }
    node_pointer node = Table->OrderedPointer;
    ULONG position = Table->WhichOrderedElement;
    if (node == NULL || position > I) {
        node = first_of(Table);
        position = 0;
    }
    for (; position < I; position++) {
        node = next_of(Table, node);
    }
    Table->OrderedPointer = node;
    Table->WhichOrderedElement = I;
    return element_of(node);
}

ULONG RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return Table->NumberGenericTableElements;
}

BOOLEAN RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements == 0;
}
