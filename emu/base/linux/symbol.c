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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if __has_include(<elfutils/libdwfl.h>)
#include <dwarf.h>
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
    X(dwfl_module_addrdie)                                                                         \
    X(dwarf_haspc)                                                                                 \
    X(dwarf_getscopes)                                                                             \
    X(dwarf_getscopes_die)                                                                         \
    X(dwarf_tag)                                                                                   \
    X(dwarf_attr)                                                                                  \
    X(dwarf_formudata)                                                                             \
    X(dwarf_getsrcfiles)                                                                           \
    X(dwarf_filesrc)                                                                               \
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

/* The unit with that address, or NULL. clang writes no table of which unit has which addresses, so
 * that each has to be asked. */
static Dwarf_Die *unit_of(Dwfl_Module *module, uintptr_t pc, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dw.dwfl_module_addrdie(module, pc, bias);
    if (unit != NULL) {
        return unit;
    }
    while ((unit = dw.dwfl_module_nextcu(module, unit, bias)) != NULL) {
        if (dw.dwarf_haspc(unit, pc - *bias) == 1) {
            return unit;
        }
    }
    return NULL;
}

static void find_line_in_unit(Dwarf_Die *unit, Dwarf_Addr address, struct base_stack_frame *frame)
{
    Dwarf_Line *line = dw.dwarf_getsrc_die(unit, address);
    int number = 0;
    if (line != NULL && dw.dwarf_lineno(line, &number) == 0) {
        set_line(frame, dw.dwarf_linesrc(line, NULL, NULL), number);
    }
}

/* What the kernel's headers define inline is a call to who wrote the driver. */
static bool is_in_kernel_header(const struct base_stack_frame *frame)
{
    return frame->file != NULL && (strstr(frame->file, "include/wdk/") != NULL ||
                                   strstr(frame->file, "wskemu/wdk/") != NULL);
}

static bool read_number(Dwarf_Die *die, unsigned name, Dwarf_Word *number)
{
    Dwarf_Attribute attribute;
    return dw.dwarf_formudata(dw.dwarf_attr(die, name, &attribute), number) == 0;
}

static void set_call_line(Dwarf_Die *unit, Dwarf_Die *inlined, struct base_stack_frame *frame)
{
    Dwarf_Word file, line;
    Dwarf_Files *files;
    size_t count;
    if (read_number(inlined, DW_AT_call_file, &file) &&
        read_number(inlined, DW_AT_call_line, &line) &&
        dw.dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count) {
        set_line(frame, dw.dwarf_filesrc(files, file, NULL, NULL), (int)line);
    }
}

/* Goes outwards through the inlined calls until one is the driver's own. */
static void find_call_of_header(Dwarf_Die *unit, Dwarf_Addr address, struct base_stack_frame *frame)
{
    Dwarf_Die *innermost = NULL;
    Dwarf_Die *scopes = NULL;
    int count = 0;
    if (dw.dwarf_getscopes(unit, address, &innermost) > 0) {
        count = dw.dwarf_getscopes_die(innermost, &scopes);
    }
    for (int i = 0; i < count && is_in_kernel_header(frame); i++) {
        if (dw.dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine) {
            set_call_line(unit, &scopes[i], frame);
        }
    }
    free(scopes);
    free(innermost);
}

static void find_line(Dwfl_Module *module, struct base_stack_frame *frame)
{
    Dwfl_Line *line = dw.dwfl_module_getsrc(module, frame->pc);
    int number = 0;
    if (line != NULL) {
        const char *file = dw.dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
        set_line(frame, file, number);
        if (!is_in_kernel_header(frame)) {
            return;
        }
    }
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = unit_of(module, frame->pc, &bias);
    if (unit != NULL) {
        find_line_in_unit(unit, frame->pc - bias, frame);
        frame->header = is_in_kernel_header(frame) ? frame->file : NULL;
        find_call_of_header(unit, frame->pc - bias, frame);
    }
}

static void name_from_debug_information(struct base_stack_frame *frame)
{
    pthread_mutex_lock(&lock);
    Dwfl_Module *module = module_of(frame->pc);
    if (module != NULL) {
        frame->function = dw.dwfl_module_addrname(module, frame->pc);
        find_line(module, frame);
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
