/*
 * wskemu build: a loadable driver of a source file.
 *
 * How a driver is compiled and linked stands in wskemu_driver.cmake and nowhere else. So this
 * writes a project of a few lines in a folder of its own, kept for the next time, and has cmake
 * build it; what is printed is what the compiler said.
 */
#include "command.h"
#include "module.h"
#include "paths.h"
#include "spawn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SOURCES_MAX 64
#define TEXT_BYTES 65536
#define LOG_BYTES_MAX (1024 * 1024)

enum { OPTION_OUTPUT, OPTION_COMPILER, OPTION_DEFINE, OPTION_INCLUDE, OPTION_RELEASE };

static const struct command_option options[] = {
    [OPTION_OUTPUT] = {"output", "DRIVER", "the file to make; default: the first source's name",
                       'o'},
    [OPTION_COMPILER] = {"compiler", "CC", "gcc or clang; default: $CC, else which is there", 'c'},
    [OPTION_DEFINE] = {"define", "NAME[=VALUE]", "as for the compiler", 'D'},
    [OPTION_INCLUDE] = {"include", "FOLDER", "as for the compiler", 'I'},
    [OPTION_RELEASE] = {"release", NULL, "optimise, without DBG", 0},
    {0},
};

static const struct command about = {
    .name = "build",
    .usage = "FILE.c [FILE...] [-o DRIVER]",
    .about = "Makes a driver that `wskemu run` loads of one source file, or a few. The source is\n"
             "what one compiles for Windows: #include <ntddk.h>, <wsk.h>, DriverEntry.",
    .more = "Needs gcc or clang, binutils, cmake 3.24, and ninja or make.\n",
    .options = options,
};

static struct {
    const char *sources[SOURCES_MAX]; /* absolute */
    int source_count;
    const char *output;
    const char *compiler;
    char definitions[4096]; /* as CMake's words */
    char folders[4096];
    bool is_release;
    bool has_cpp;
    char name[128];
    char target[PATHS_BYTES]; /* the file to make */
    char work[PATHS_BYTES / 2];
    char log[PATHS_BYTES];
} build;

/* ---- options ---- */

/* To be freed; NULL if there is no such thing. */
static char *absolute(const char *path)
{
    uv_fs_t request;
    char *copy = NULL;
    if (uv_fs_realpath(NULL, &request, path, NULL) == 0) {
        copy = strdup(request.ptr);
    }
    uv_fs_req_cleanup(&request);
    for (char *at = copy; at != NULL && *at != '\0'; at++) {
        *at = *at == '\\' ? '/' : *at;
    }
    return copy;
}

/* Appends a word that CMake takes as it is. */
static void append_word(char *list, size_t size, const char *word)
{
    size_t used = strlen(list);
    if (strstr(word, "]=]") != NULL ||
        snprintf(list + used, size - used, " [=[%s]=]", word) >= (int)(size - used)) {
        command_misuse(&about, "cannot take %s", word);
    }
}

static void take_option(int option, const char *value)
{
    char *folder;
    switch (option) {
    case OPTION_OUTPUT:
        build.output = value;
        break;
    case OPTION_COMPILER:
        build.compiler = value;
        break;
    case OPTION_DEFINE:
        append_word(build.definitions, sizeof(build.definitions), value);
        break;
    case OPTION_INCLUDE:
        folder = absolute(value);
        if (folder == NULL) {
            command_misuse(&about, "there is no folder %s", value);
        }
        append_word(build.folders, sizeof(build.folders), folder);
        free(folder);
        break;
    case OPTION_RELEASE:
        build.is_release = true;
        break;
    }
}

static bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

static void take_source(const char *path)
{
    static const char *const cpp[] = {".cpp", ".cc", ".cxx"};
    bool is_cpp = false;
    for (int i = 0; i < 3; i++) {
        is_cpp = is_cpp || has_ending(path, cpp[i]);
    }
    if (!is_cpp && !has_ending(path, ".c")) {
        command_misuse(&about, "%s is no C or C++ source", path);
    }
    if (build.source_count == SOURCES_MAX) {
        command_misuse(&about, "more than %d sources", SOURCES_MAX);
    }
    const char *source = absolute(path);
    if (source == NULL) {
        command_complain("there is no file %s", path);
        exit(EXIT_FAILED);
    }
    build.has_cpp = build.has_cpp || is_cpp;
    build.sources[build.source_count++] = source;
}

/* The driver's name: that of the file, as letters, digits and underscores. */
static void choose_name(const char *from)
{
    const char *slash = strrchr(from, '/');
    size_t used = 0;
    from = slash != NULL ? slash + 1 : from;
    if (!isalpha((unsigned char)from[0]) && from[0] != '_') {
        build.name[used++] = '_';
    }
    for (; *from != '\0' && *from != '.' && used < sizeof(build.name) - 1; from++) {
        build.name[used++] = isalnum((unsigned char)*from) ? *from : '_';
    }
    build.name[used] = '\0';
}

static void choose_target(void)
{
    const char *output = build.output;
    if (output == NULL) {
        snprintf(build.target, sizeof(build.target), "%s%s", build.name, module_ending);
        return;
    }
    const char *slash = strrchr(output, '/');
    bool has_dot = strchr(slash != NULL ? slash : output, '.') != NULL;
    snprintf(build.target, sizeof(build.target), "%s%s", output, has_dot ? "" : module_ending);
}

static void read_options(int count, char **arguments)
{
    const char *value;
    int option;
    while ((option = command_next_option(&about, count, arguments, &value)) >= 0) {
        take_option(option, value);
    }
    if (optind == count) {
        command_misuse(&about, "which source?");
    }
    for (int i = optind; i < count; i++) {
        take_source(arguments[i]);
    }
    choose_name(build.output != NULL ? build.output : arguments[optind]);
    choose_target();
}

/* ---- what it needs ---- */

static bool find_compiler(void)
{
    static const char *const known[] = {"gcc", "clang", "cc"};
    static char chosen[256];
    size_t size = sizeof(chosen);
    if (build.compiler == NULL && uv_os_getenv("CC", chosen, &size) == 0) {
        build.compiler = chosen;
    }
    if (build.compiler != NULL) {
        if (!spawn_find(build.compiler, NULL, 0)) {
            command_complain("there is no compiler %s", build.compiler);
            return false;
        }
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (spawn_find(known[i], NULL, 0)) {
            build.compiler = known[i];
            return true;
        }
    }
    command_complain("no compiler found: install gcc or clang, or name one with --compiler");
    return false;
}

static const char *find_generator(void)
{
    if (spawn_find("ninja", NULL, 0)) {
        return "Ninja";
    }
    return spawn_find("make", NULL, 0) ? "Unix Makefiles" : NULL;
}

static bool make_folder(const char *path)
{
    uv_fs_t request;
    int error = uv_fs_mkdir(NULL, &request, path, 0700, NULL);
    uv_fs_req_cleanup(&request);
    return error == 0 || error == UV_EEXIST;
}

/* Makes each step of build.work that is missing. */
static bool make_work_folder(void)
{
    for (char *at = build.work + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            make_folder(build.work);
            *at = '/';
        }
    }
    return make_folder(build.work);
}

static unsigned long long hash_of(const char *text)
{
    unsigned long long hash = 14695981039346656037ULL;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
    }
    return hash;
}

/* A folder for this source and compiler, so that building it again is quick. */
static bool choose_work_folder(void)
{
    char base[PATHS_BYTES / 4];
    char key[PATHS_BYTES * 2];
    const char *rest = "wskemu";
    size_t size = sizeof(base);
    if (uv_os_getenv("XDG_CACHE_HOME", base, &size) != 0) {
        size = sizeof(base);
        if (uv_os_homedir(base, &size) != 0) {
            return false;
        }
        rest = ".cache/wskemu";
    }
    snprintf(key, sizeof(key), "%s %s %d", build.sources[0], build.compiler, build.is_release);
    snprintf(build.work, sizeof(build.work), "%s/%s/build/%s-%016llx", base, rest, build.name,
             hash_of(key));
    snprintf(build.log, sizeof(build.log), "%s/log", build.work);
    return make_work_folder();
}

/* ---- the project ---- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = file != NULL ? malloc(LOG_BYTES_MAX + 1) : NULL;
    if (text != NULL) {
        text[fread(text, 1, LOG_BYTES_MAX, file)] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

static void describe(char text[TEXT_BYTES], const struct paths *paths)
{
    int used =
        snprintf(text, TEXT_BYTES,
                 "cmake_minimum_required(VERSION 3.24)\n"
                 "project(%s LANGUAGES C%s)\n"
                 "set(WSKEMU_WDK_INCLUDE_DIR [=[%s]=])\n"
                 "set(WSKEMU_INCLUDE_DIR [=[%s]=])\n"
                 "set(WSKEMU_TMH_SCRIPT [=[%s]=])\n"
                 "set(WSKEMU_HOOK_NAMES [=[%s]=])\n"
                 "include([=[%s/wskemu_driver.cmake]=])\n"
                 "add_library(wskemu::wdk INTERFACE IMPORTED)\n"
                 "target_compile_options(wskemu::wdk INTERFACE ${WSKEMU_WDK_OPTIONS})\n"
                 "target_compile_definitions(wskemu::wdk INTERFACE ${WSKEMU_WDK_DEFINITIONS})\n"
                 "target_include_directories(wskemu::wdk INTERFACE ${WSKEMU_WDK_INCLUDE_DIR})\n"
                 "add_library(wskemu::wskemu INTERFACE IMPORTED)\n"
                 "target_include_directories(wskemu::wskemu INTERFACE ${WSKEMU_INCLUDE_DIR})\n"
                 "wskemu_add_driver(%s\n  INCLUDE_DIRS%s\n  DEFINITIONS%s\n  SOURCES",
                 build.name, build.has_cpp ? " CXX" : "", paths->wdk, paths->include, paths->tmh,
                 paths->hooks, paths->cmake, build.name, build.folders, build.definitions);
    for (int i = 0; i < build.source_count; i++) {
        used += snprintf(text + used, (size_t)(TEXT_BYTES - used), " [=[%s]=]", build.sources[i]);
    }
    snprintf(text + used, (size_t)(TEXT_BYTES - used), ")\n");
}

/* Writes a file unless that is what it holds already; *is_new tells. */
static bool write_file(const char *path, const char *text, bool *is_new)
{
    char *present = read_file(path);
    *is_new = present == NULL || strcmp(present, text) != 0;
    free(present);
    if (!*is_new) {
        return true;
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        command_complain("cannot write %s", path);
        return false;
    }
    fputs(text, file);
    return fclose(file) == 0;
}

/* ---- what the tools said ---- */

/* Lines that tell of the build and not of the source. */
static bool is_noise(const char *line)
{
    static const char *const begins[] = {"[",   "FAILED:", "ninja:", "make",        "gmake",
                                         "-- ", "Change ", "Re-run", "Consolidate", "CMake Error"};
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        if (strncmp(line, begins[i], strlen(begins[i])) == 0) {
            return true;
        }
    }
    return line[0] == '\0';
}

static void print_said(char *log)
{
    bool is_command = false; /* the line after FAILED: */
    for (char *line = log; line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        if (!is_command && !is_noise(line)) {
            fprintf(stderr, "%s\n", line);
        }
        is_command = strncmp(line, "FAILED:", 7) == 0;
        line = end;
    }
}

static int explain_failure(char *log)
{
    bool has_no_entry = strstr(log, "undefined symbol `DriverEntry'") != NULL ||
                        strstr(log, "symbol not defined: DriverEntry") != NULL ||
                        (strstr(log, "DriverEntry") != NULL && strstr(log, "driver.ld") != NULL);
    if (has_no_entry) {
        command_complain("%s has no DriverEntry%s", build.sources[0],
                         build.has_cpp ? "; in C++ it must be extern \"C\"" : "");
        return EXIT_FAILED;
    }
    print_said(log);
    command_complain("%s was not built", build.target);
    return EXIT_FAILED;
}

/* Runs cmake; on failure what it said is explained. */
static bool run_cmake(const char *const *arguments)
{
    int status = spawn_and_wait(arguments, build.log);
    char *log = read_file(build.log);
    if (status != 0) {
        explain_failure(log != NULL ? log : (char[]){""});
    } else if (log != NULL) {
        print_said(log); /* warnings */
    }
    free(log);
    return status == 0;
}

static bool configure(void)
{
    char compiler[512], kind[64];
    const char *generator = find_generator();
    if (generator == NULL) {
        command_complain("install ninja or make");
        return false;
    }
    snprintf(compiler, sizeof(compiler), "-DCMAKE_C_COMPILER=%s", build.compiler);
    snprintf(kind, sizeof(kind), "-DCMAKE_BUILD_TYPE=%s", build.is_release ? "Release" : "Debug");
    const char *arguments[] = {"cmake",   "-S",     build.work, "-B",       build.work, "-G",
                               generator, compiler, kind,       "-Wno-dev", NULL};
    return run_cmake(arguments);
}

static bool compile(void)
{
    char target[160];
    snprintf(target, sizeof(target), "%s_module", build.name);
    const char *arguments[] = {"cmake", "--build", build.work, "--target", target, NULL};
    return run_cmake(arguments);
}

static bool install(void)
{
    char made[PATHS_BYTES];
    uv_fs_t request;
    snprintf(made, sizeof(made), "%s/%s%s", build.work, build.name, module_ending);
    remove(build.target); /* a running program may have it mapped */
    int error = uv_fs_copyfile(NULL, &request, made, build.target, 0, NULL);
    uv_fs_req_cleanup(&request);
    if (error != 0) {
        command_complain("cannot write %s: %s", build.target, uv_strerror(error));
    }
    return error == 0;
}

int command_build(int count, char **arguments)
{
    struct paths paths;
    static char text[TEXT_BYTES];
    char path[PATHS_BYTES];
    bool is_new = false;
    read_options(count, arguments);
#ifdef _WIN32
    command_complain("cannot build drivers on Windows yet; use wskemu_add_driver()");
    return EXIT_FAILED;
#endif
    if (!paths_find(&paths) || !find_compiler()) {
        return EXIT_FAILED;
    }
    if (!spawn_find("cmake", NULL, 0)) {
        command_complain("install cmake, 3.24 or newer");
        return EXIT_FAILED;
    }
    if (!choose_work_folder()) {
        command_complain("cannot make a folder for the build; set XDG_CACHE_HOME");
        return EXIT_FAILED;
    }
    describe(text, &paths);
    snprintf(path, sizeof(path), "%s/CMakeLists.txt", build.work);
    if (!write_file(path, text, &is_new)) {
        return EXIT_FAILED;
    }
    snprintf(path, sizeof(path), "%s/CMakeCache.txt", build.work);
    if ((is_new || !paths_exist(path)) && !configure()) {
        remove(path); /* to begin anew */
        return EXIT_FAILED;
    }
    return compile() && install() ? EXIT_CLEAN : EXIT_FAILED;
}
