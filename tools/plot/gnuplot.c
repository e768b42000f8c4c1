#include "tools/plot/gnuplot.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tensor/utf8_internal.h"
#include "tools/cli/say.h"
#include "tools/machine/timing.h"

enum { MOST_BYTES = 1 << 28, SECONDS = 60 }; /* limits of a picture's size and time */

extern char **environ;

void gnuplot_put_text(FILE *to, const char *text)
{
    char shown[RV_VISIBLE];
    fputc('"', to);
    while (*text != '\0') {
        text += rv_visible(text, strlen(text), shown);
        for (const char *c = shown; *c != '\0'; c++) {
            bool plain = (unsigned char)*c >= 0x80 || *c == ' ' || isalnum((unsigned char)*c);
            if (plain)
                fputc(*c, to);
            else
                say(to, "\\%03o", (unsigned)*c);
        }
    }
    fputc('"', to);
}

/* ---- the process ---- */

/* The three standard streams of gnuplot, as unnamed temporary files. Pipes would need concurrent
 * reads and writes, and a SIGPIPE handler. */
typedef struct streams {
    FILE *file[3];
} streams;

static bool open_streams(streams *s, rv_error *error)
{
    *s = (streams){{NULL}};
    for (int i = 0; i < 3; i++)
        if (!(s->file[i] = tmpfile()))
            return rv_fail(error, RV_ERROR_IO, "cannot make a temporary file for gnuplot: %s",
                           strerror(errno));
    return true;
}

static void close_streams(streams *s)
{
    for (int i = 0; i < 3; i++)
        if (s->file[i]) fclose(s->file[i]);
}

static bool fail_start(int code, rv_error *error)
{
    if (code == ENOENT)
        return rv_fail(error, RV_ERROR_IO,
                       "pictures are drawn by gnuplot, which is not installed; on Debian: apt-get "
                       "install gnuplot-nox");
    return rv_fail(error, RV_ERROR_IO, "cannot start gnuplot: %s", strerror(code));
}

/* Waits for gnuplot, but not for ever: a display server or a font that it waits for may never
 * come. */
static bool wait_for(pid_t child, int seconds, int *status, rv_error *error)
{
    const struct timespec nap = {.tv_nsec = 2000000};
    double end = seconds_now() + seconds;
    for (pid_t done; (done = waitpid(child, status, WNOHANG)) != child; nanosleep(&nap, NULL)) {
        if (done < 0 && errno != EINTR) return fail_start(errno, error);
        if (done < 0 || seconds_now() < end) continue;
        kill(child, SIGKILL);
        while (waitpid(child, status, 0) < 0 && errno == EINTR) continue;
        return rv_fail(error, RV_ERROR_IO,
                       "gnuplot did not finish within %d second(s) and was stopped", seconds);
    }
    return true;
}

/* Runs gnuplot and sets *status to the wait status. */
static bool start_and_wait(char **arguments, const streams *s, int seconds, int *status,
                           rv_error *error)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return fail_start(code, error);
    for (int i = 0; i < 3 && code == 0; i++)
        code = posix_spawn_file_actions_adddup2(&actions, fileno(s->file[i]), i);
    if (code == 0) code = posix_spawnp(&child, "gnuplot", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) return fail_start(code, error);
    return wait_for(child, seconds, status, error);
}

/* Reads the whole output of gnuplot. The caller frees it with rv_free. */
static char *read_back(FILE *file, size_t *size, rv_error *error)
{
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    char *bytes = end >= 0 && end < MOST_BYTES ? rv_alloc((size_t)end + 1, 1) : NULL;
    rewind(file);
    *size = bytes ? fread(bytes, 1, (size_t)end, file) : 0;
    if (!bytes || *size != (size_t)end)
        rv_fail(error, RV_ERROR_IO, "cannot read what gnuplot wrote");
    return bytes;
}

/* Fails with gnuplot's error messages, without blank lines. */
static bool fail_drawing(int status, FILE *complaint, rv_error *error)
{
    char text[RV_ERROR_TEXT / 2], line[256];
    rv_text to = {text, text + sizeof text};
    *text = '\0';
    rewind(complaint);
    while (fgets(line, sizeof line, complaint))
        if (line[strspn(line, " \t\n")] != '\0')
            rv_put(&to, "\n    %.*s", (int)strcspn(line, "\n"), line);
    if (WIFSIGNALED(status))
        return rv_fail(error, RV_ERROR_IO, "gnuplot was killed by signal %d%-s", WTERMSIG(status),
                       text);
    return rv_fail(error, RV_ERROR_IO, "gnuplot could not draw the picture%-s", text);
}

bool gnuplot_find(rv_error *error)
{
    streams s;
    int status;
    bool ok =
        open_streams(&s, error) &&
        start_and_wait((char *[]){"gnuplot", "--version", NULL}, &s, SECONDS, &status, error) &&
        (status == 0 || fail_drawing(status, s.file[2], error));
    close_streams(&s);
    return ok;
}

/* ---- a picture ---- */

static void put_terminal(FILE *to, const gnuplot_picture *p, bool png)
{
    if (png)
        say(to,
            "set terminal pngcairo noenhanced size %d,%d fontscale 2 linewidth 2 pointscale 2 "
            "font 'Sans,10' background '#ffffff'\n",
            2 * p->width, 2 * p->height);
    else
        say(to,
            "set terminal svg noenhanced size %d,%d fontscale 1.3 font 'sans-serif,10' "
            "background '#ffffff'\n",
            p->width, p->height);
}

static bool give_script(const gnuplot_picture *p, bool png, FILE *to, rv_error *error)
{
    if (!p->body) return rv_fail_memory(error);
    say(to, "set encoding utf8\n");
    put_terminal(to, p, png);
    say_lines(to, p->body, strlen(p->body));
    bool ok = fflush(to) == 0 && !ferror(to);
    rewind(to);
    return ok ||
           rv_fail(error, RV_ERROR_IO, "cannot write the script for gnuplot: %s", strerror(errno));
}

static bool draw(const gnuplot_picture *p, bool png, const char *path, rv_error *error)
{
    streams s;
    int status;
    rv_bytes picture = {0};
    char *bytes = NULL;
    bool ok = open_streams(&s, error) && give_script(p, png, s.file[0], error) &&
              start_and_wait((char *[]){"gnuplot", "-d", "-", NULL}, &s,
                             p->seconds ? p->seconds : SECONDS, &status, error) &&
              (status == 0 || fail_drawing(status, s.file[2], error)) &&
              (bytes = read_back(s.file[1], &picture.size, error)) && error->code == RV_OK;
    if (ok && picture.size == 0) ok = fail_drawing(status, s.file[2], error);
    picture.bytes = bytes;
    ok = ok && rv_file_write(path, &picture, 1, error);
    rv_free(bytes);
    close_streams(&s);
    return ok;
}

/* Draws to PATH.png or PATH.svg. */
static bool draw_as(const gnuplot_picture *p, bool png, const char *path, rv_error *error)
{
    size_t size = strlen(path) + sizeof ".svg";
    char *full = rv_alloc(size, 1);
    if (!full) return rv_fail_memory(error);
    snprintf(full, size, "%s%s", path, png ? ".png" : ".svg");
    bool ok = draw(p, png, full, error);
    rv_free(full);
    return ok;
}

bool gnuplot_draw(const gnuplot_picture *picture, const char *path, rv_error *error)
{
    return draw_as(picture, false, path, error) && draw_as(picture, true, path, error);
}

bool gnuplot_draw_png(const gnuplot_picture *picture, const char *path, rv_error *error)
{
    return draw_as(picture, true, path, error);
}
