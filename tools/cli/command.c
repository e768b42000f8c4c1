#include "tools/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/options.h"
#include "tools/cli/say.h"

void command_warn(const command *page, const char *text)
{
    say(stderr, "recurve %s: ", page->name);
    options_print_message(page, text);
    const size_t length = strlen(text);
    if (length == 0 || text[length - 1] != '\n') fputc('\n', stderr);
}

exit_status run_command(const command *page, int argc, char **argv)
{
    rv_error error = {0};
    exit_status result = page->run(argc, argv, &error);
    bool outside = error.code == RV_ERROR_IO || error.code == RV_ERROR_FORMAT ||
                   error.code == RV_ERROR_MEMORY ||
                   error.code == RV_ERROR_LIMIT; /* not the command line's fault */
    if (outside) result = STATUS_FAILED;
    if (error.code != RV_OK) command_warn(page, error.text);
    if (result == STATUS_USAGE) say(stderr, "Try 'recurve %s --help'.\n", page->name);
    return result;
}

void keep_standard_streams(void)
{
    /* Each descriptor is the lowest that is free. A folder can be neither read nor written as a
     * stream. */
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
        if (fcntl(number, F_GETFD) < 0 && open("/", O_RDONLY) != number) _exit(STATUS_FAILED);
}

int finish_output(exit_status result)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return (int)result;
    say(stderr, "recurve: cannot write to standard output: %s\n", strerror(errno));
    return result == STATUS_OK ? (int)STATUS_FAILED : (int)result;
}
