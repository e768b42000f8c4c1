/* Reports of a sweep that run out of memory at any allocation, those of SQLite and cJSON included:
 * an error, or the whole report, and no leak. */
#include "tests/failing_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/tools/command.h"

extern "C" {
#include "tools/command/sweep_report.h"
}

extern "C" {
int fsync(int) { return 0; } /* the disk need not be waited for */
int fdatasync(int) { return 0; }
}

namespace {

char space_text[] = R"({"units": {"uniform": [4, 9]}, "model": ["gru", "rnn"]})";

std::string made()
{
    const std::string path = scratch_folder() + "/sweep.sqlite";
    sweep_plan fresh = {}, plan;
    database d;
    rv_error error = {};
    char options[] = "{\"epochs\": 3}", folder[] = "/", loss[] = "loss";
    fresh.space = space_text;
    fresh.options = options;
    fresh.folder = folder;
    fresh.objective = loss;
    EXPECT_TRUE(database_open(&d, path.c_str(), &fresh, &plan, &error)) << error.text;
    EXPECT_TRUE(
        database_run(&d, &error,
                     "INSERT INTO trial(number, settings, state, objective, message) VALUES"
                     "(0, '{\"units\": 4}', 'done', 0.5, NULL), (1, '{\"model\": \"gru\"}', "
                     "'failed', NULL, 'why')",
                     ""))
        << error.text;
    sweep_plan_free(&plan);
    database_close(&d);
    return path;
}

using Report = bool (*)(const sweep_report *, rv_error *);

/* The report's allocation n fails. *reached: there was one. */
bool report(const char *path, Report print, int64_t n, bool *reached, rv_error *error)
{
    database d;
    sweep_plan plan;
    space s = {};
    rv_error none = {};
    EXPECT_TRUE(database_open(&d, path, nullptr, &plan, &none) &&
                space_parse(&s, plan.space, path, &none));
    const sweep_report r = {&d, &plan, &s, objective_find("loss", &none), {0, 9}};
    calls = 0;
    failing = n;
    const bool ok = print(&r, error);
    fflush(stdout);
    *reached = n < 0 || calls > n;
    failing = -1;
    space_free(&s);
    sweep_plan_free(&plan);
    database_close(&d);
    return ok;
}

bool print_table(const sweep_report *r, rv_error *error) { return sweep_print_table(r, 1, error); }

TEST(SweepMemory, EveryReportIsWholeOrAnError)
{
    const std::string path = made(), out = path + ".out";
    const int console = dup(STDOUT_FILENO);
    for (const Report print :
         {sweep_print_json, sweep_print_best, sweep_print_csv, sweep_print_counts, print_table}) {
        std::string whole;
        bool reached = true;
        for (int64_t n = -1; reached; n++) {
            rv_error error = {};
            const int to = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            dup2(to, STDOUT_FILENO);
            close(to);
            const int64_t before = live;
            const bool ok = report(path.c_str(), print, n, &reached, &error);
            const int64_t after = live;
            dup2(console, STDOUT_FILENO);
            SCOPED_TRACE(n);
            if (n < 0) whole = slurp(out);
            ASSERT_EQ(ok ? slurp(out) : whole, whole);
            ASSERT_EQ(error.code, ok ? RV_OK : RV_ERROR_MEMORY) << error.text;
            ASSERT_EQ(n < 0 ? before : after, before);
        }
        EXPECT_NE(whole, "");
    }
    close(console);
}

} // namespace
