/*
 * dontuse.h - makes Microsoft's code analysis complain of unsafe string functions. It declares
 * nothing, and no other compiler takes notice.
 */
#ifndef WDK_DONTUSE_H
#define WDK_DONTUSE_H

#endif /* WDK_DONTUSE_H */
