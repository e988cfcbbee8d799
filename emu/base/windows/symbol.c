/*
 * Names of code addresses, from the system's helper library, as far as it can read what the
 * toolchain wrote: the program databases of MSVC and clang-cl, and under Wine also what MinGW
 * writes. On Windows itself a MinGW program has only the module's name and an offset.
 *
 * The library is loaded at the first question, and may be asked by one thread at a time. What was
 * answered is kept: the texts must live as long as the process.
 */
#include "base/stack.h"

#include <windows.h>

#include <dbghelp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 256

struct known {
    struct known *next;
    struct base_stack_frame frame;
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct known *all_known;

static struct {
    bool was_opened;
    BOOL(WINAPI *name)(HANDLE, DWORD64, PDWORD64, PSYMBOL_INFO);
    BOOL(WINAPI *line)(HANDLE, DWORD64, PDWORD, PIMAGEHLP_LINE64);
    BOOL(WINAPI *refresh)(HANDLE);
} library;

/* Fills in a pointer to a function, whatever its type; NULL if the library lacks it. */
static void find_routine(HMODULE module, const char *name, void *place)
{
    FARPROC routine = GetProcAddress(module, name);
    memcpy(place, &routine, sizeof(routine));
}

static void open_library(void)
{
    BOOL(WINAPI * begin)(HANDLE, PCSTR, BOOL);
    DWORD(WINAPI * set)(DWORD);
    HMODULE module = LoadLibraryW(L"dbghelp.dll");
    library.was_opened = true;
    if (module == NULL) {
        return;
    }
    find_routine(module, "SymInitialize", &begin);
    find_routine(module, "SymSetOptions", &set);
    if (begin == NULL || set == NULL) {
        return;
    }
    set(SYMOPT_DEFERRED_LOADS | SYMOPT_LOAD_LINES | SYMOPT_FAIL_CRITICAL_ERRORS);
    if (begin(GetCurrentProcess(), NULL, TRUE)) {
        find_routine(module, "SymRefreshModuleList", &library.refresh);
        find_routine(module, "SymGetLineFromAddr64", &library.line);
        find_routine(module, "SymFromAddr", &library.name);
    }
}

/* The name of an export is only the last one that lies before the address. */
static void ask(struct base_stack_frame *frame)
{
    union {
        SYMBOL_INFO info;
        char room[sizeof(SYMBOL_INFO) + NAME_BYTES];
    } symbol = {.info = {.SizeOfStruct = sizeof(SYMBOL_INFO), .MaxNameLen = NAME_BYTES}};
    IMAGEHLP_LINE64 line = {.SizeOfStruct = sizeof(line)};
    DWORD64 distance = 0;
    DWORD column = 0;
    if (!library.name(GetCurrentProcess(), frame->pc, &distance, &symbol.info) ||
        (symbol.info.Flags & SYMFLAG_EXPORT) != 0) {
        return;
    }
    frame->function = _strdup(symbol.info.Name);
    if (library.line != NULL && library.line(GetCurrentProcess(), frame->pc, &column, &line)) {
        frame->file = _strdup(line.FileName);
        frame->line = line.LineNumber;
    }
}

/* Where nothing is known: the module, and how far from its beginning. */
static void name_by_module(struct base_stack_frame *frame)
{
    char path[MAX_PATH];
    char text[MAX_PATH + 24];
    HMODULE module = NULL;
    if (!GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (const char *)frame->pc, &module) ||
        GetModuleFileNameA(module, path, sizeof(path)) == 0) {
        return;
    }
    path[sizeof(path) - 1] = '\0';
    const char *name = strrchr(path, '\\');
    snprintf(text, sizeof(text), "%s+0x%llx", name != NULL ? name + 1 : path,
             (unsigned long long)(frame->pc - (uintptr_t)module));
    frame->function = _strdup(text);
}

static const struct known *find(uintptr_t pc)
{
    const struct known *known = all_known;
    while (known != NULL && known->frame.pc != pc) {
        known = known->next;
    }
    return known;
}

static void keep(const struct base_stack_frame *frame)
{
    struct known *known = malloc(sizeof(*known));
    if (known != NULL) {
        *known = (struct known){all_known, *frame};
        all_known = known;
    }
}

void base_stack_name(uintptr_t pc, struct base_stack_frame *frame)
{
    *frame = (struct base_stack_frame){.pc = pc};
    AcquireSRWLockExclusive(&lock);
    const struct known *known = find(pc);
    if (known != NULL) {
        *frame = known->frame;
    } else {
        if (!library.was_opened) {
            open_library();
        } else if (library.refresh != NULL) {
            library.refresh(GetCurrentProcess()); /* a driver may have been loaded */
        }
        if (library.name != NULL) {
            ask(frame);
        }
        if (frame->function == NULL) {
            name_by_module(frame);
        }
        keep(frame);
    }
    ReleaseSRWLockExclusive(&lock);
}
