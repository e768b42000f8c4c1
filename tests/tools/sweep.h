/* Running `recurve sweep`, and looking into its database. */
#ifndef RV_TESTS_TOOLS_SWEEP_H
#define RV_TESTS_TOOLS_SWEEP_H

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "tests/tools/command.h"

/* Trials of some milliseconds, and some of some tenths of a second. */
inline const char space_text[] =
    R"({"task": "adding", "samples": 120, "length": 6, "model": ["gru", "rnn"],
  "optimizer": ["adam", "momentum"], "units": {"uniform": [4, 9]},
  "learning-rate": {"log-uniform": [1e-4, 1e4]},
  "momentum": {"uniform": [0.5, 0.99], "when": {"optimizer": "momentum"}},
  "epochs": [4, 4, 4, 4, 4, 4, 4, 4, 4, 400]})";

inline std::string written(const std::string &text)
{
    const std::string path = scratch_folder() + "/space.json";
    spit(path, text);
    return path;
}

/* The rows of a query, columns joined by |. */
inline std::string rows(const std::string &path, const std::string &sql)
{
    std::string text;
    sqlite3 *sqlite = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &sqlite), SQLITE_OK);
    sqlite3_busy_timeout(sqlite, 10000);
    const auto add = [](void *to, int count, char **values, char **) {
        for (int i = 0; i < count; i++)
            *static_cast<std::string *>(to) +=
                std::string(values[i] ? values[i] : "NULL") + (i + 1 < count ? "|" : "\n");
        return 0;
    };
    EXPECT_EQ(sqlite3_exec(sqlite, sql.c_str(), add, &text, nullptr), SQLITE_OK)
        << sqlite3_errmsg(sqlite);
    sqlite3_close(sqlite);
    return text;
}

/* All that must not depend on workers and kills. */
inline std::string table(const std::string &path)
{
    return rows(path, "SELECT number, state, settings, epochs, best_epoch, objective, parameters, "
                      "digest, checkpoint IS NULL FROM trial ORDER BY number") +
           rows(path, "SELECT trial, epoch, loss, validation_loss, validation_error FROM epoch "
                      "ORDER BY trial, epoch");
}

inline Outcome sweep(const std::string &arguments) { return recurve("sweep " + arguments); }

/* A sweep in a process group of its own. */
inline pid_t started(const std::string &arguments)
{
    const pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        execl("/bin/sh", "sh", "-c",
              ("exec tools/recurve sweep " + arguments + " >/dev/null 2>&1 </dev/null").c_str(),
              nullptr);
        _exit(127);
    }
    setpgid(child, child);
    return child;
}

/* Waits until a condition holds, for at most ten seconds. */
inline void until(const std::function<bool()> &holds)
{
    for (int i = 0; i < 500 && !holds(); i++)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(holds());
}

#endif
