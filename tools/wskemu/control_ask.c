/* The side of the commands that ask: connects, sends one line, prints what comes back. */
#include "command.h"
#include "control.h"
#include "control_place.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define PROCESSES_MAX 256

struct question {
    uv_loop_t loop;
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_write_t write;
    const char *text;
    char *answer;
    size_t used;
    int error;
};

static void on_room(uv_handle_t *pipe, size_t suggested, uv_buf_t *buffer)
{
    struct question *question = pipe->data;
    char *larger = realloc(question->answer, question->used + suggested + 1);
    if (larger == NULL) {
        *buffer = uv_buf_init(NULL, 0);
        return;
    }
    question->answer = larger;
    *buffer = uv_buf_init(larger + question->used, (unsigned)suggested);
}

static void on_read(uv_stream_t *pipe, ssize_t count, const uv_buf_t *buffer)
{
    struct question *question = pipe->data;
    (void)buffer;
    if (count < 0) {
        question->error = count == UV_EOF ? 0 : (int)count;
        uv_close((uv_handle_t *)pipe, NULL);
        return;
    }
    question->used += (size_t)count;
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct question *question = connect->handle->data;
    uv_buf_t parts[] = {
        uv_buf_init((char *)(uintptr_t)question->text, (unsigned)strlen(question->text)),
        uv_buf_init("\n", 1),
    };
    question->error = status;
    if (status == 0) {
        question->error = uv_write(&question->write, connect->handle, parts, 2, NULL);
    }
    if (question->error == 0) {
        question->error = uv_read_start(connect->handle, on_room, on_read);
    }
    if (question->error != 0) {
        uv_close((uv_handle_t *)connect->handle, NULL);
    }
}

/* Asks at a place; returns libuv's error. The answer, then to be freed, is in *answer. */
static int ask_at(const char *place, const char *text, char **answer)
{
    struct question question = {.text = text};
    uv_loop_init(&question.loop);
    uv_pipe_init(&question.loop, &question.pipe, 0);
    question.pipe.data = &question;
    uv_pipe_connect(&question.connect, &question.pipe, control_place_pipe(place), on_connected);
    uv_run(&question.loop, UV_RUN_DEFAULT);
    uv_loop_close(&question.loop);
    /* An answer begins with a line that has its status. */
    bool is_answer = question.used != 0 && memchr(question.answer, '\n', question.used) != NULL;
    if (question.error == 0 && !is_answer) {
        question.error = UV_EOF;
    }
    if (question.error != 0) {
        free(question.answer);
        return question.error;
    }
    question.answer[question.used] = '\0';
    *answer = question.answer;
    return 0;
}

/* Whether somebody answers there; what a killed program left is removed. */
static bool is_alive(unsigned process)
{
    char place[CONTROL_PLACE_BYTES];
    char *answer = NULL;
    if (!control_place_of(process, place)) {
        return false;
    }
    int error = ask_at(place, "ping", &answer);
    free(answer);
    if (error == UV_ECONNREFUSED || error == UV_ENOENT) {
        control_place_remove(place);
    }
    return error == 0;
}

/* The only program that runs; 0 after a complaint. */
static unsigned find_only(void)
{
    unsigned processes[PROCESSES_MAX];
    unsigned alive[PROCESSES_MAX];
    int count = control_place_list(processes, PROCESSES_MAX);
    int living = 0;
    for (int i = 0; i < count; i++) {
        if (is_alive(processes[i])) {
            alive[living++] = processes[i];
        }
    }
    if (living == 1) {
        return alive[0];
    }
    if (living == 0) {
        command_complain("no driver runs; start one with `wskemu run DRIVER`");
        return 0;
    }
    command_complain("%d drivers run; name one with --process:", living);
    for (int i = 0; i < living; i++) {
        fprintf(stderr, "  %u\n", alive[i]);
    }
    return 0;
}

static int print_answer(char *answer)
{
    char *text;
    int status = (int)strtol(answer, &text, 10);
    text += *text == '\n';
    if (status == EXIT_CLEAN) {
        fputs(text, stdout);
        return fflush(stdout) == 0 ? EXIT_CLEAN : EXIT_FAILED;
    }
    fputs(text, stderr);
    return status;
}

int control_ask(unsigned process, const char *question)
{
    char place[CONTROL_PLACE_BYTES];
    char *answer;
    unsigned number = process != 0 ? process : find_only();
    if (number == 0) {
        return EXIT_NO_RUN;
    }
    if (!control_place_of(number, place)) {
        command_complain("cannot find the folder of control sockets");
        return EXIT_NO_RUN;
    }
    int error = ask_at(place, question, &answer);
    if (error == UV_EOF || error == UV_ECONNRESET) {
        command_complain("process %u ended, or unloaded its driver, before it answered", number);
        return EXIT_FAILED;
    }
    if (error != 0) {
        command_complain("process %u does not answer: %s", number, uv_strerror(error));
        return EXIT_NO_RUN;
    }
    int status = print_answer(answer);
    free(answer);
    return status;
}
