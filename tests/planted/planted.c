/*
 * Mistakes that drivers make, planted into an echo server: each is caught, and the report names the
 * rule, the object and the line. The server without any stays silent.
 */
#include "kernel.h"
#include "log.h"
#include "plants.h"

#include <ntifs.h>
#include <wsk.h>

#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 512
#define HANG_MS 300
#define DEADLINE_MS 1000 /* of a server that does not answer */
#define DEVICE L"\\Device\\PlantedEcho"

struct plant {
    int number;
    int group;
    const char *what;
    const char *rule;
    const char *object;
    const struct wskemu_driver_image *image;
};

WSKEMU_USE_DRIVER(planted_0);
#define DECLARE(number, group, what, rule, object) WSKEMU_USE_DRIVER(planted_##number);
PLANTS(DECLARE)

static const struct plant plants[] = {
#define ENTRY(number, group, what, rule, object)                                                   \
    {number, group, what, rule, object, &wskemu_image_planted_##number},
    PLANTS(ENTRY)};

/* What a mistake meets first depends on when results come; the good server is run as the policy
 * says. */
static const struct wskemu_options full = {.verifier = WSKEMU_VERIFIER_FULL, .hang_ms = HANG_MS};
static const struct wskemu_options deferred = {
    .verifier = WSKEMU_VERIFIER_FULL, .hang_ms = HANG_MS, .completion = WSKEMU_COMPLETION_DEFERRED};

/* ---- one visit ---- */

static PDRIVER_OBJECT load(const struct wskemu_driver_image *image, USHORT port)
{
    WCHAR key[96] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";
    ULONG value = port;
    PDRIVER_OBJECT driver = NULL;
    size_t end = wcslen(key);
    for (const char *name = image->name; *name != '\0'; name++) {
        key[end++] = (WCHAR)*name;
    }
    key[end] = L'\0';
    wskemu_registry_set(key, L"Port", REG_DWORD, &value, sizeof(value));
    return NT_SUCCESS(wskemu_load_driver(image, &driver)) ? driver : NULL;
}

/* Sends, waits for the answer, sends once more, and goes. Whether it came back is not asked: many a
 * mistake keeps it from that. */
static bool talk(USHORT port)
{
    struct wskemu_peer *peer;
    if (wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, port), &peer) != STATUS_SUCCESS) {
        return false;
    }
    wskemu_peer_set_deadline(peer, DEADLINE_MS);
    wskemu_peer_send_all(peer, "hello", 5);
    bool is_right = wskemu_peer_expect_bytes(peer, "hello", 5) == STATUS_SUCCESS;
    wskemu_peer_shutdown_send(peer);
    wskemu_peer_expect_end(peer);
    wskemu_peer_close(peer);
    return is_right;
}

static NTSTATUS ask_for_statistics(void)
{
    static IO_STATUS_BLOCK block;
    static KEVENT event;
    static ULONG statistics[2];
    UNICODE_STRING name = RTL_CONSTANT_STRING(DEVICE);
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    NTSTATUS status = IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp = IoBuildDeviceIoControlRequest(
        CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS), device, NULL, 0,
        statistics, sizeof(statistics), FALSE, &event, &block);
    IoGetNextIrpStackLocation(irp)->FileObject = file;
    if (IoCallDriver(device, irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    }
    ObDereferenceObject(file);
    return block.Status;
}

/* What was said, and what the kernel stopped with, if it did. */
struct visit {
    const struct wskemu_driver_image *image;
    bool is_answered;
    NTSTATUS asked;
    unsigned left;
    struct wskemu_bugcheck bugcheck;
};

/* The whole life of a driver, up to the end of its kernel. */
static void visit_driver(void *context)
{
    struct visit *visit = context;
    USHORT port = wskemu_free_port(AF_INET, SOCK_STREAM);
    PDRIVER_OBJECT driver = load(visit->image, port);
    if (driver != NULL) {
        visit->is_answered = talk(port);
        visit->asked = ask_for_statistics();
        wskemu_unload_driver(driver);
    }
    visit->left = wskemu_shutdown();
}

/* Returns what was printed. The kernel of the test is another one before and after. */
static const char *run(struct visit *visit, const struct wskemu_options *options)
{
    wskemu_shutdown();
    assert_int_equal(wskemu_boot(options), STATUS_SUCCESS);
    log_capture();
    wskemu_contain_bugcheck(visit_driver, visit, &visit->bugcheck);
    const char *text = log_captured();
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    return text;
}

/* ---- what is expected ---- */

/* Whether a line of the source carries the mark of the plant. */
static bool is_marked(const char *line, int number)
{
    const char *mark = strstr(line, "/* plant ");
    char *end;
    if (mark == NULL) {
        return false;
    }
    for (mark += strlen("/* plant "); *mark >= '0' && *mark <= '9'; mark = end + 1) {
        if (strtol(mark, &end, 10) == number) {
            return true;
        }
    }
    return false;
}

/* "echo.c:123", the place that the report has to name. */
static void find_place(int number, char *place, size_t bytes)
{
    char line[LINE_BYTES];
    FILE *file = fopen(PLANTED_FOLDER "/echo.c", "r");
    assert_non_null(file);
    snprintf(place, bytes, "no mark of plant %d", number);
    for (int at = 1; fgets(line, sizeof(line), file) != NULL; at++) {
        if (is_marked(line, number)) {
            snprintf(place, bytes, "echo.c:%d", at);
        }
    }
    fclose(file);
}

static bool names(const char *text, const struct plant *plant, const char *what)
{
    bool is_named = strstr(text, what) != NULL;
    if (!is_named) {
        print_error("plant %d (%s): the report does not name %s\n", plant->number, plant->what,
                    what);
    }
    return is_named;
}

static bool is_caught(const struct plant *plant)
{
    char place[32];
    struct visit visit = {.image = plant->image};
    const char *text = run(&visit, &deferred);
    find_place(plant->number, place, sizeof(place));
    bool is_named = names(text, plant, plant->rule);
    is_named = names(text, plant, plant->object) && is_named;
    is_named = names(text, plant, place) && is_named;
    if (!is_named) {
        fputs(text, stderr);
    }
    return is_named;
}

/* ---- tests ---- */

static void the_server_without_a_mistake_stays_silent(void **state)
{
    struct visit visit = {.image = WSKEMU_DRIVER(planted_0)};
    STAYS_SILENT("IRP-15", "IRP-18", "WSK-IRP-15", "IRP-80", "IRP-89", "IRP-91", "IRP-93",
                 "WSK-BUF-12", "POOL-31", "POOL-33", "POOL-35", "POOL-36", "POOL-38", "RTL-41",
                 "SPIN-14", "SPIN-23", "TIMER-12", "WSK-EVT-10", "WSK-CLOSE-21", "WSK-BUF-05",
                 "WSK-BUF-08", "WSK-CLOSE-10", "WSK-EVT-26", "WSK-EVT-34", "WSK-IND-13",
                 "WSK-IRP-09", "WSK-IRP-10", "WSK-IRP-11", "WSK-REG-22", "WSK-REG-25", "WSK-REG-44",
                 "WSK-REG-46", "DPC-13", "DPC-15", "IRP-65", "IRQL-14", "SPIN-15", "WORK-24",
                 "WSK-ACC-28", "WSK-EVT-60", "WSK-IRP-06", "WSK-IRP-14", "WSK-REG-05");
    const char *text = run(&visit, &full);
    assert_string_equal(text, "");
    assert_true(visit.is_answered);
    assert_int_equal(visit.asked, STATUS_SUCCESS);
    assert_int_equal(visit.left, 0);
}

static void each_planted_mistake_is_caught_and_named(void **state)
{
    PROVES("IRP-15", "IRP-18", "WSK-IRP-15", "IRP-80", "IRP-89", "IRP-91", "IRP-93", "WSK-BUF-12",
           "POOL-31", "POOL-33", "POOL-35", "POOL-36", "POOL-38", "RTL-41", "SPIN-14", "SPIN-23",
           "TIMER-12", "WSK-EVT-10", "WSK-CLOSE-21", "WSK-BUF-05", "WSK-BUF-08", "WSK-CLOSE-10",
           "WSK-EVT-26", "WSK-EVT-34", "WSK-IND-13", "WSK-IRP-09", "WSK-IRP-10", "WSK-IRP-11",
           "WSK-REG-22", "WSK-REG-25", "WSK-REG-44", "WSK-REG-46");
    unsigned missed = 0;
    for (size_t i = 0; i < RTL_NUMBER_OF(plants); i++) {
        missed += !is_caught(&plants[i]);
    }
    assert_int_equal(missed, 0);
}

/* docs/planted.md has a row for each. */
static void the_page_lists_what_is_planted(void **state)
{
    static char page[65536];
    FILE *file = fopen(PLANTED_FOLDER "/../../docs/planted.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < RTL_NUMBER_OF(plants); i++) {
        char row[LINE_BYTES];
        const struct plant *plant = &plants[i];
        snprintf(row, sizeof(row), "| %d | %s | %s | %d |\n", plant->number, plant->what,
                 plant->rule, plant->group);
        if (strstr(page, row) == NULL) {
            fail_msg("docs/planted.md lacks the row %s", row);
        }
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(the_server_without_a_mistake_stays_silent),
    kernel_test(each_planted_mistake_is_caught_and_named),
    cmocka_unit_test(the_page_lists_what_is_planted),
};

TEST_MAIN(tests)
