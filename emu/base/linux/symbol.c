/*
 * Names of code addresses: from debug information by elfutils' library where it is installed, else
 * from what the dynamic linker knows.
 *
 * The library is loaded at the first question, so that nothing depends on it. Its session lives as
 * long as the process, as do the texts that point into it. A module that was loaded since (a
 * driver) is found by reading the list of modules again; what is known already stays where it is.
 */
#include "base/stack.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#if __has_include(<elfutils/libdwfl.h>)
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#define LIBRARY "libdw.so.1"
#define FUNCTIONS(X)                                                                               \
    X(dwfl_begin)                                                                                  \
    X(dwfl_report_begin_add)                                                                       \
    X(dwfl_linux_proc_report)                                                                      \
    X(dwfl_report_end)                                                                             \
    X(dwfl_linux_proc_find_elf)                                                                    \
    X(dwfl_standard_find_debuginfo)                                                                \
    X(dwfl_addrmodule)                                                                             \
    X(dwfl_module_addrname)                                                                        \
    X(dwfl_module_getsrc)                                                                          \
    X(dwfl_module_nextcu)                                                                          \
    X(dwfl_lineinfo)                                                                               \
    X(dwarf_haspc)                                                                                 \
    X(dwarf_getsrc_die)                                                                            \
    X(dwarf_linesrc)                                                                               \
    X(dwarf_lineno)

static struct {
#define X(name) __typeof__(name) *name;
    FUNCTIONS(X)
#undef X
} dw;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool was_opened;
static Dwfl *session;
static Dwfl_Callbacks callbacks;

static void open_session(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return;
    }
#define X(name)                                                                                    \
    *(void **)&dw.name = dlsym(library, #name);                                                    \
    if (dw.name == NULL) {                                                                         \
        return;                                                                                    \
    }
    FUNCTIONS(X)
#undef X
    callbacks.find_elf = dw.dwfl_linux_proc_find_elf;
    callbacks.find_debuginfo = dw.dwfl_standard_find_debuginfo;
    session = dw.dwfl_begin(&callbacks);
}

static Dwfl_Module *module_of(uintptr_t pc)
{
    if (!was_opened) {
        was_opened = true;
        open_session();
    }
    if (session == NULL) {
        return NULL;
    }
    Dwfl_Module *module = dw.dwfl_addrmodule(session, pc);
    if (module == NULL) {
        dw.dwfl_report_begin_add(session);
        dw.dwfl_linux_proc_report(session, getpid());
        dw.dwfl_report_end(session, NULL, NULL);
        module = dw.dwfl_addrmodule(session, pc);
    }
    return module;
}

static void set_line(struct base_stack_frame *frame, const char *file, int line)
{
    frame->file = file;
    frame->line = (unsigned)line;
}

/* By asking each unit of the module: clang writes no table of which unit has which addresses. */
static void find_line_in_units(Dwfl_Module *module, struct base_stack_frame *frame)
{
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;
    while ((unit = dw.dwfl_module_nextcu(module, unit, &bias)) != NULL) {
        if (dw.dwarf_haspc(unit, frame->pc - bias) != 1) {
            continue;
        }
        Dwarf_Line *line = dw.dwarf_getsrc_die(unit, frame->pc - bias);
        int number = 0;
        if (line != NULL && dw.dwarf_lineno(line, &number) == 0) {
            set_line(frame, dw.dwarf_linesrc(line, NULL, NULL), number);
        }
        return;
    }
}

static void name_from_debug_information(struct base_stack_frame *frame)
{
    pthread_mutex_lock(&lock);
    Dwfl_Module *module = module_of(frame->pc);
    if (module != NULL) {
        frame->function = dw.dwfl_module_addrname(module, frame->pc);
        Dwfl_Line *line = dw.dwfl_module_getsrc(module, frame->pc);
        int number = 0;
        if (line != NULL) {
            const char *file = dw.dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
            set_line(frame, file, number);
        } else {
            find_line_in_units(module, frame);
        }
    }
    pthread_mutex_unlock(&lock);
}

#else

static void name_from_debug_information(struct base_stack_frame *frame)
{
    (void)frame;
}

#endif

void base_stack_name(uintptr_t pc, struct base_stack_frame *frame)
{
    Dl_info info;
    *frame = (struct base_stack_frame){.pc = pc};
    name_from_debug_information(frame);
    if (frame->function == NULL && dladdr((void *)pc, &info) != 0) {
        frame->function = info.dli_sname;
    }
}
