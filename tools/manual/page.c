/* Manual pages in the man macros, man(7). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tools/manual/manual.h"
#include "tools/mpi/pages.h"

/* ---- text ---- */

/* A character as itself: roff interprets some. */
static void print_character(char c)
{
    static const struct {
        char character;
        const char *written;
    } escaped[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},
                   {'^', "\\(ha"}, {'~', "\\(ti"}, {'`', "\\(ga"}};
    for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++)
        if (escaped[i].character == c) {
            fputs(escaped[i].written, stdout);
            return;
        }
    putchar(c);
}

static void print_characters(const char *text, size_t length)
{
    if (length > 0 && *text == '.') fputs("\\&", stdout); /* not a request */
    for (size_t i = 0; i < length; i++) print_character(text[i]);
}

static void print_line(const char *line, size_t length)
{
    print_characters(line, length);
    putchar('\n');
}

/* `\%` keeps roff from breaking the word at a hyphen. */
static void print_in(char font, const char *text, size_t length)
{
    printf("\\f%c\\%%", font);
    print_characters(text, length);
    fputs("\\fR", stdout);
}

/* The length of an option, "--batch-size", at the beginning of the text, or 0. */
static size_t option_length(const char *text)
{
    size_t length = 2;
    if (text[0] != '-' || text[1] != '-' || !islower((unsigned char)text[2])) return 0;
    while (islower((unsigned char)text[length]) ||
           (text[length] == '-' && islower((unsigned char)text[length + 1])))
        length++;
    return length;
}

/* A line of prose: options, and what stands in backquotes, are bold. */
static void print_prose_line(const char *line, size_t length)
{
    if (length > 0 && *line == '.') fputs("\\&", stdout);
    for (size_t i = 0, size; i < length; i += size) {
        const char *at = line + i, *end = *at == '`' ? memchr(at + 1, '`', length - i - 1) : NULL;
        size = option_length(at);
        if (end) {
            size = (size_t)(end - at) + 1;
            print_in('B', at + 1, size - 2);
        } else if (size > 0) {
            print_in('B', at, size);
        } else {
            size = 1;
            print_character(*at);
        }
    }
    putchar('\n');
}

/* Prose, in which an empty line begins a paragraph. After an empty line, indented lines are a block
 * that is printed as it is, but for the indentation of its first line. */
static void print_prose(const char *text)
{
    bool literal = false, blank = false;
    size_t margin = 0;
    for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
        size_t indent = strspn(text, " ");
        length = strcspn(text, "\n");
        if (length == 0) {
            blank = true;
            continue;
        }
        if (literal && indent == 0) puts(".EE\n.RE");
        if (blank) puts(".PP");
        if (blank && indent > 0) puts(".RS 4\n.EX");
        if (blank) margin = indent;
        literal = indent > 0 && (blank || literal);
        blank = false;
        if (literal)
            print_line(text + (indent < margin ? indent : margin),
                       length - (indent < margin ? indent : margin));
        else
            print_prose_line(text + indent, length - indent);
    }
    if (literal) puts(".EE\n.RE");
}

static void print_example(const char *lines)
{
    puts(".EX");
    for (size_t length; *lines != '\0'; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        print_line(lines, length);
    }
    puts(".EE");
}

/* ---- sections ---- */

static void print_title(const char *name)
{
    fputs(".TH ", stdout);
    for (const char *c = name; *c != '\0'; c++) print_character((char)toupper((unsigned char)*c));
    printf(" 1 \"\" \"recurve %s\" \"User Commands\"\n", rv_version());
}

static void print_name(const char *name, const char *summary)
{
    puts(".SH NAME");
    print_characters(name, strlen(name));
    fputs(" \\- ", stdout);
    print_characters(summary, strlen(summary));
    putchar('\n');
}

static void print_synopsis(const char *program, const char *arguments)
{
    printf(".B %s\n", program);
    print_prose_line(arguments, strlen(arguments));
}

static void print_option(const option_row *row)
{
    char key[64];
    puts(".TP");
    for (const char *name = row->key; name; name = name == row->alias ? NULL : row->alias) {
        int length = snprintf(key, sizeof key, "--%s", name);
        if (name == row->alias) fputs(", ", stdout);
        print_in('B', key, (size_t)length);
    }
    if (row->argument) putchar(' ');
    if (row->argument) print_in('I', row->argument, strlen(row->argument));
    putchar('\n');
    print_prose(row->doc);
}

static void print_options(const command *page)
{
    const option_table table = options_of(page);
    puts(".SH OPTIONS");
    for (int i = 0; i < table.count; i++) {
        const char *group = table.heading[i];
        if (group) printf(".SS %s\n", group);
        print_option(table.row[i]);
    }
    print_option(&(option_row){.key = "help", .doc = "print this page as text"});
}

static void print_status(const char *status, size_t length, const char *meaning)
{
    puts(".TP");
    print_in('B', status, length);
    putchar('\n');
    print_prose(meaning);
}

/* `others`: lines "STATUS  MEANING", or NULL. */
static void print_statuses(const char *failure, const char *others)
{
    puts(".SH EXIT STATUS");
    print_status("0", 1, "success");
    print_status("1", 1, failure);
    print_status("2", 1, "the command line is wrong");
    const char *meaning = others ? strstr(others, "  ") : NULL;
    if (meaning) print_status(others, (size_t)(meaning - others), meaning + 2);
}

/* ---- other pages ---- */

/* Whether a text mentions `recurve NAME`. */
static bool mentions(const char *text, const char *name)
{
    static const char before[] = "recurve ";
    size_t length = strlen(name);
    while ((text = strstr(text, before))) {
        text += sizeof before - 1;
        if (strncmp(text, name, length) == 0 && !isalnum((unsigned char)text[length])) return true;
    }
    return false;
}

static bool page_mentions(const command *page, const char *name)
{
    const option_table table = options_of(page);
    bool found = mentions(page->description, name) || mentions(page->example, name);
    for (int i = 0; i < table.count; i++) found = found || mentions(table.row[i]->doc, name);
    return found;
}

/* The pages that a page mentions, and recurve(1); in recurve(1), NULL, all others. */
static void print_others(const command *page)
{
    const char *separator = page ? ",\n" : "";
    fputs(page ? ".SH SEE ALSO\n.BR recurve (1)" : ".SH SEE ALSO\n", stdout);
    for (int i = 0; i < command_count; i++) {
        const char *name = commands[i]->name;
        if (page && (page == commands[i] || !page_mentions(page, name))) continue;
        printf("%s.BR \\%%recurve\\-%s (1)", separator, name);
        separator = ",\n";
    }
    putchar('\n');
}

/* ---- pages ---- */

void print_command_page(const command *page)
{
    char name[64];
    snprintf(name, sizeof name, "recurve-%s", page->name);
    print_title(name);
    print_name(name, page->summary);
    puts(".SH SYNOPSIS");
    snprintf(name, sizeof name, "recurve %s", page->name);
    print_synopsis(name, page->synopsis);
    puts(".SH DESCRIPTION");
    print_prose(page->description);
    print_options(page);
    print_statuses(page->failure, page->statuses);
    puts(".SH EXAMPLES");
    print_example(page->example);
    print_others(page);
}

void print_overview_page(void)
{
    print_title("recurve");
    print_name("recurve", COMMANDS_ABOUT);
    puts(".SH SYNOPSIS");
    print_synopsis("recurve", "COMMAND [OPTION]...");
    puts(".br");
    print_synopsis("recurve", "--help | --version");
    puts(".SH DESCRIPTION");
    print_prose(
        "Trains, checks, draws and exports recurrent nets. A cell is the equations of its step, "
        "one of\n"
        "those that `recurve models` lists or a text of your own. Its gradients are derived, and\n"
        "every gradient can be proved.\n");
    puts(".SH COMMANDS");
    for (int i = 0; i < command_count; i++) {
        puts(".TP");
        printf(".BR recurve\\-%s (1)\n", commands[i]->name);
        print_prose(commands[i]->summary);
    }
    print_statuses("the command failed", NULL);
    puts(".SH EXAMPLES");
    print_example("recurve train --classes 0-9 --output /tmp/digits\n"
                  "recurve models gru > my.rv\n"
                  "recurve check my.rv\n"
                  "recurve train my.rv --task adding\n");
    print_others(NULL);
}

void print_mpi_page(void)
{
    print_title("recurve-mpi");
    print_name("recurve-mpi", MPI_ABOUT);
    puts(".SH SYNOPSIS");
    print_synopsis("mpirun \\-n RANKS recurve\\-mpi", MPI_SYNOPSIS);
    puts(".br");
    print_synopsis("recurve\\-mpi", "--help | --version");
    puts(".SH DESCRIPTION");
    print_prose(
        "Runs commands of `recurve` on the processes of an MPI job, its ranks.\n" MPI_DESCRIPTION);
    puts(".SH COMMANDS");
    for (int i = 0; i < MPI_PAGES; i++)
        print_status(mpi_pages[i].of->name, strlen(mpi_pages[i].of->name), mpi_pages[i].summary);
    print_statuses("the command failed", mpi_pages[MPI_TRAIN].of->statuses);
    puts(".SH EXAMPLES");
    for (int i = 0; i < MPI_EXAMPLES; i++) print_example(mpi_examples[i]);
    fputs(".SH SEE ALSO\n.BR recurve (1)", stdout);
    for (int i = 0; i < MPI_PAGES; i++)
        printf(",\n.BR \\%%recurve\\-%s (1)", mpi_pages[i].of->name);
    puts(",\n.BR mpirun (1)");
}
