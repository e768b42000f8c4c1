/* recurve tasks */
#include "tools/cli/list.h"
#include "tools/command/commands.h"

static exit_status run(int argc, char **argv, rv_error *error);

const command command_tasks = {
    .name = "tasks",
    .run = run,
    .summary = "list the synthetic tasks that a net can be trained on",
    .synopsis = "[NAME] [--json]",
    .description = "Prints each task of `recurve train --task`: what is to be learned, and the "
                   "baseline, the\nscore of a constant answer that ignores the input. With a NAME "
                   "it prints only that task.\n",
    LIST_COMMAND,
    .example = "recurve tasks adding\n"
               "recurve train --task adding\n",
    .operand = "TASK",
};

static void describe(int index, list_item *item)
{
    const rv_task *task = rv_task_at(index);
    item->name = task->name;
    list_append(item->formula, sizeof item->formula, "%s", task->about);
    list_append(item->note, sizeof item->note, "baseline: %s", task->baseline);
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    const list tasks = {
        .kind = "task", .count = rv_task_count(), .note_key = "baseline", .describe = describe};
    return list_run(&command_tasks, &tasks, argc, argv, error);
}
