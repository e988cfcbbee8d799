#include "module.h"

#include "command.h"

#include <wskemu/driver_image.h>

#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#ifdef _WIN32
const char module_ending[] = ".dll";
#define ADVICE "on Windows wskemu_add_driver() makes one, where wskemu is a shared library"
#else
const char module_ending[] = ".so";
#define ADVICE "`wskemu build FILE.c` makes one"
#endif

#define PATH_BYTES 4096
#define ELF_MACHINE_AT 18
#define ELF_X86_64 62

#define MODULES_MAX 64

/* They stay loaded. */
static uv_lib_t libraries[MODULES_MAX];
static int library_count;

static bool is_file(const char *path)
{
    struct stat information;
    return stat(path, &information) == 0 && (information.st_mode & S_IFMT) == S_IFREG;
}

static bool find(const char *name, char path[PATH_BYTES])
{
    const char *folder = strchr(name, '/') == NULL ? "./" : ""; /* never by a search path */
#ifdef _WIN32
    folder = strchr(name, '\\') != NULL || strchr(name, ':') != NULL ? "" : folder;
#endif
    snprintf(path, PATH_BYTES, "%s%s%s", folder, name, module_ending);
    if (is_file(path)) {
        return true;
    }
    snprintf(path, PATH_BYTES, "%s%s", folder, name);
    return is_file(path);
}

static const char *machine_name(unsigned machine)
{
    static char number[16];
    switch (machine) {
    case 3:
        return "32-bit x86";
    case 40:
        return "32-bit ARM";
    case 183:
        return "64-bit ARM";
    case 243:
        return "RISC-V";
    default:
        snprintf(number, sizeof(number), "machine %u", machine);
        return number;
    }
}

/* Looks at the first bytes, for a better word than the dynamic linker's. */
static bool check_form(const char *path)
{
    unsigned char head[20] = {0};
    FILE *file = fopen(path, "rb");
    size_t got = file != NULL ? fread(head, 1, sizeof(head), file) : 0;
    if (file == NULL) {
        command_complain("cannot read %s", path);
        return false;
    }
    fclose(file);
    bool is_elf = got == sizeof(head) && memcmp(head, "\177ELF", 4) == 0;
    unsigned machine = head[ELF_MACHINE_AT] | (unsigned)head[ELF_MACHINE_AT + 1] << 8;
    bool is_pe = head[0] == 'M' && head[1] == 'Z';
#ifdef _WIN32
    bool is_ours = is_pe, is_others = is_elf;
    const char *other = "Linux";
#else
    bool is_ours = is_elf, is_others = is_pe;
    const char *other = "Windows";
#endif
    if (is_elf && machine != ELF_X86_64) {
        command_complain("%s is for %s, and this wskemu for x86-64: build it again here, with "
                         "`wskemu build`",
                         path, machine_name(machine));
        return false;
    }
    if (is_others) {
        command_complain("%s is a binary for %s; wskemu runs drivers that are built from source, "
                         "with `wskemu build`",
                         path, other);
        return false;
    }
    if (!is_ours) {
        size_t length = strlen(path);
        bool is_source = length > 2 && strcmp(path + length - 2, ".c") == 0;
        command_complain("%s is no driver%s%s", path,
                         is_source ? "; build it first: wskemu build " : "", is_source ? path : "");
        return false;
    }
    return true;
}

static void explain(const char *path, const char *error)
{
    static const char undefined[] = "undefined symbol: ";
    const char *symbol = strstr(error, undefined);
    if (symbol != NULL) {
        command_complain("%s needs %s, which this wskemu does not have", path,
                         symbol + sizeof(undefined) - 1);
    } else {
        command_complain("cannot load %s: %s", path, error);
    }
}

const struct wskemu_driver_image *module_open(const char *name)
{
    char path[PATH_BYTES];
    const struct wskemu_driver_image *(*image)(void) = NULL;
    if (library_count == MODULES_MAX) {
        command_complain("more than %d drivers", MODULES_MAX);
        return NULL;
    }
    if (!find(name, path)) {
        command_complain("no driver %s or %s%s here; " ADVICE, name, name, module_ending);
        return NULL;
    }
    uv_lib_t *library = &libraries[library_count];
    if (!check_form(path)) {
        return NULL;
    }
    if (uv_dlopen(path, library) != 0) {
        explain(path, uv_dlerror(library));
        return NULL;
    }
    void *symbol = NULL;
    if (uv_dlsym(library, "wskemu_module_image", &symbol) != 0) {
        bool has_entry = uv_dlsym(library, "DriverEntry", &symbol) == 0;
        command_complain("%s %s; build it with `wskemu build` or wskemu_add_driver()", path,
                         has_entry ? "was not built for wskemu" : "has no DriverEntry");
        return NULL;
    }
    library_count++;
    memcpy(&image, &symbol, sizeof(image));
    return image();
}
