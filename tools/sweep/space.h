/* A space of hyper-parameters: the JSON object whose keys are options of `recurve train`.
 *
 *     {"task": "adding",                                      the same in every trial
 *      "optimizer": ["adam", "momentum"],                     one of these
 *      "learning-rate": {"log-uniform": [1e-4, 1]},           log x is uniform from log 1e-4 to log 1
 *      "layers": {"each": [1, 2, 4]},                         each in turn: a grid
 *      "units": {"uniform": [8, 64]},                         whole numbers, as the option's are
 *      "momentum": {"uniform": [0.5, 0.99], "when": {"optimizer": "momentum"}}}
 *
 * The settings of trial i are a pure function of the seed and i. */
#ifndef RV_TOOLS_SWEEP_SPACE_H
#define RV_TOOLS_SWEEP_SPACE_H

#include <cjson/cJSON.h>

#include "recurve.h"

typedef enum space_kind { SPACE_CHOICES, SPACE_EACH, SPACE_UNIFORM, SPACE_LOG_UNIFORM } space_kind;

/* A distribution of an option. It draws a value only if each option that `when` names has the
 * value, or one of the values, that `when` states. */
typedef struct space_entry {
    const rv_config_row *row;
    space_kind kind;
    const cJSON *choices; /* an array; or a single value */
    int64_t turn;      /* of SPACE_EACH: trials that one choice holds for, until the next comes */
    double low, high;  /* both included */
    const cJSON *when; /* an object; NULL: always */
} space_entry;

enum { SPACE_ENTRIES = 256 };

typedef struct space {
    cJSON *json; /* owns what the entries point to */
    space_entry entries[SPACE_ENTRIES];
    int count;
} space;

/* Parses the text of the file `path`. RV_ERROR_FORMAT names the key, and what was expected. Free
 * with space_free, also after a failure. */
bool space_parse(space *s, const char *text, const char *path, rv_error *error);
void space_free(space *s);

/* The same for a text whose conditions may name the keys of another space, which the text does not
 * repeat. The entries of that space come first, and point to its JSON. */
bool space_continue(space *s, const space *above, const char *text, const char *path,
                    rv_error *error);

/* The number of combinations of the values of `each`: so many consecutive trials have each once. */
int64_t space_combinations(const space *s);

/* Whether an entry can differ from trial to trial. */
bool space_varies(const space_entry *entry);

/* The settings of a trial as one line of JSON, for rv_free. The options that *given sets are left
 * out, except for the seed of runs, if the space draws it. NULL: out of memory. */
char *space_draw(const space *s, const cJSON *given, uint64_t seed, int64_t trial);

/* The options that are given, as JSON, for cJSON_Delete. NULL: out of memory. */
cJSON *space_given(const rv_train_config *config);

#endif
