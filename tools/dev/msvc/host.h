/*
 * Before each file of the host side, when clang reads it as clang-cl: the headers of Windows as
 * MinGW-w64 has them, which want to be read by gcc. What follows them is not.
 */
#define __GNUC__ 4
#define __GNUC_MINOR__ 2
#include <_mingw.h>
#undef __MINGW_IMPORT
#define __MINGW_IMPORT extern __declspec(dllimport)
/* clang-format off: winsock2.h goes before windows.h */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <iphlpapi.h>
#include <dbghelp.h>
/* clang-format on */
#include <errno.h>
#include <fcntl.h>
#include <intrin.h>
#include <io.h>
#include <limits.h>
#include <malloc.h>
#include <process.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#undef __GNUC__
#undef __GNUC_MINOR__
