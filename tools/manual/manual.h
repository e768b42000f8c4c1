/* What is installed beside the command, made of the tables that it parses its command line with. */
#ifndef RV_TOOLS_MANUAL_MANUAL_H
#define RV_TOOLS_MANUAL_MANUAL_H

#include "tools/command/commands.h"

/* Prints recurve(1). */
void print_overview_page(void);

/* Prints recurve-mpi(1). */
void print_mpi_page(void);

/* Prints the manual page of a command, such as recurve-train(1). */
void print_command_page(const command *page);

/* Prints the variables that completion.bash reads: the names of models, optimizers, tasks and ops,
 * of the commands of recurve and recurve-mpi, and the operands and options of each command. */
void print_bash_tables(void);
/* The same for completion.zsh: the options and operands as _arguments takes them. */
void print_zsh_tables(void);

#endif
