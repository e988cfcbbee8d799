/*
 * Splay trees: whatever was used last is the root. A root is its own parent.
 */
#include <wdm.h>

typedef RTL_SPLAY_LINKS *link_pointer;

/* Lifts the node above its parent, and keeps the order. */
static VOID lift(link_pointer node)
{
    link_pointer parent = node->Parent;
    link_pointer grandparent = parent->Parent;
    BOOLEAN parent_was_root = grandparent == parent;
    link_pointer moved;
    if (RtlIsLeftChild(node)) {
        moved = node->RightChild;
        parent->LeftChild = moved;
        node->RightChild = parent;
    } else {
        moved = node->LeftChild;
        parent->RightChild = moved;
        node->LeftChild = parent;
    }
    if (moved != NULL) {
        moved->Parent = parent;
    }
    parent->Parent = node;
    node->Parent = parent_was_root ? node : grandparent;
    if (!parent_was_root && grandparent->LeftChild == parent) {
        grandparent->LeftChild = node;
    } else if (!parent_was_root) {
        grandparent->RightChild = node;
    }
}

/* Makes the node the root. Returns it. */
PRTL_SPLAY_LINKS RtlSplay(PRTL_SPLAY_LINKS Links)
{
    while (!RtlIsRoot(Links)) {
        link_pointer parent = RtlParent(Links);
        if (!RtlIsRoot(parent)) {
            lift(!RtlIsLeftChild(Links) == !RtlIsLeftChild(parent) ? parent : Links);
        }
        lift(Links);
    }
    return Links;
}

/* Puts the child, which may be NULL, where the node is. Returns the node's parent, NULL for a root.
 * */
static link_pointer replace(link_pointer node, link_pointer child)
{
    BOOLEAN was_root = RtlIsRoot(node);
    link_pointer parent = was_root ? NULL : node->Parent;
    if (child != NULL) {
        child->Parent = was_root ? child : parent;
    }
    if (parent != NULL && parent->LeftChild == node) {
        parent->LeftChild = child;
    } else if (parent != NULL) {
        parent->RightChild = child;
    }
    return parent;
}

/* Takes the node out of the tree. Returns a node that stood nearest to it, or NULL. */
static link_pointer take_out(link_pointer node)
{
    if (node->LeftChild == NULL || node->RightChild == NULL) {
        link_pointer child = node->LeftChild != NULL ? node->LeftChild : node->RightChild;
        link_pointer parent = replace(node, child);
        return parent != NULL ? parent : child;
    }
    link_pointer stand_in = RtlSubtreePredecessor(node);
    link_pointer near_by = stand_in->Parent != node ? stand_in->Parent : stand_in;
    replace(stand_in, stand_in->LeftChild);
    replace(node, stand_in);
    stand_in->LeftChild = node->LeftChild;
    stand_in->RightChild = node->RightChild;
    if (stand_in->LeftChild != NULL) {
        stand_in->LeftChild->Parent = stand_in;
    }
    stand_in->RightChild->Parent = stand_in;
    return near_by;
}

/* Takes the node out and splays. Returns the new root, or NULL. */
PRTL_SPLAY_LINKS RtlDelete(PRTL_SPLAY_LINKS Links)
{
    link_pointer near_by = take_out(Links);
    return near_by != NULL ? RtlSplay(near_by) : NULL;
}

/* Takes the node out, and keeps *Root right. */
VOID RtlDeleteNoSplay(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root)
{
    link_pointer node = take_out(Links);
    while (node != NULL && !RtlIsRoot(node)) {
        node = RtlParent(node);
    }
    *Root = node;
}

/* The next node in the node's own subtree, or NULL. */
PRTL_SPLAY_LINKS RtlSubtreeSuccessor(PRTL_SPLAY_LINKS Links)
{
    link_pointer node = RtlRightChild(Links);
    while (node != NULL && RtlLeftChild(node) != NULL) {
        node = RtlLeftChild(node);
    }
    return node;
}

/* The node before it in the node's own subtree, or NULL. */
PRTL_SPLAY_LINKS RtlSubtreePredecessor(PRTL_SPLAY_LINKS Links)
{
    link_pointer node = RtlLeftChild(Links);
    while (node != NULL && RtlRightChild(node) != NULL) {
        node = RtlRightChild(node);
    }
    return node;
}

/* The next node in the tree, or NULL. */
PRTL_SPLAY_LINKS RtlRealSuccessor(PRTL_SPLAY_LINKS Links)
{
    link_pointer next = RtlSubtreeSuccessor(Links);
    if (next != NULL) {
        return next;
    }
    while (!RtlIsRoot(Links) && !RtlIsLeftChild(Links)) {
        Links = RtlParent(Links);
    }
    return RtlIsRoot(Links) ? NULL : RtlParent(Links);
}

/* The node before it in the tree, or NULL. */
PRTL_SPLAY_LINKS RtlRealPredecessor(PRTL_SPLAY_LINKS Links)
{
    link_pointer previous = RtlSubtreePredecessor(Links);
    if (previous != NULL) {
        return previous;
    }
    while (!RtlIsRoot(Links) && !RtlIsRightChild(Links)) {
        Links = RtlParent(Links);
    }
    return RtlIsRoot(Links) ? NULL : RtlParent(Links);
}
