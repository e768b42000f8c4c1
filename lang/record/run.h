/* The values of a block while it is recorded, and reports of mistakes. */
#ifndef RV_LANG_RECORD_RUN_H
#define RV_LANG_RECORD_RUN_H

#include "lang/lang.h"
#include "lang/resolve/scope.h"
#include "models/cell_internal.h"

enum {
    LANG_MOST_WORK = 8000000,    /* the default limit of operations for one model */
    LANG_MOST_CHECKED = 2000000, /* and for all that is checked in one text */
    LANG_MOST_STEPS = 100000     /* of an unroll or a series */
};

/* The limits, or their defaults. NULL stands for the defaults, too. */
int64_t rv_lang_most_work(const rv_lang_limits *limits, int64_t usual);
int64_t rv_lang_most_size(const rv_lang_limits *limits);
int64_t rv_lang_most_numbers(const rv_lang_limits *limits);
/* Whether the caller wants to stop. */
bool rv_lang_is_stopped(const rv_lang_limits *limits);

typedef enum lang_value_kind {
    VALUE_NONE, /* a failure, already reported */
    VALUE_NUMBER,
    VALUE_VAR,
    VALUE_WORD,
    VALUE_LIST,
    VALUE_PENDING /* a parameter whose shape follows from its use */
} lang_value_kind;

typedef struct lang_value {
    lang_value_kind kind;
    double number;
    rv_var var;
    const char *word;
    rv_shape list; /* a few whole numbers, as of axes; VALUE_PENDING: the sizes, -1 for _ */
    struct lang_run *owner; /* VALUE_PENDING: whose symbol it is */
    int symbol;
} lang_value;

/* The values inside an unrolled cell: value[t * cell->symbols + symbol], t = `start` for the
 * initial states. */
typedef struct lang_trace {
    const lang_block *cell;
    rv_var *value;
    int64_t start;    /* 0; in reverse the step after the last */
    int64_t last;     /* the largest t */
    const char *name; /* of the net, before its parameters' names; NULL: none */
} lang_trace;

/* Shared by all runs of one recording. */
typedef struct lang_work {
    lang_report *report;          /* NULL: the first problem goes to the tape */
    const rv_lang_limits *limits; /* NULL: the defaults */
    int64_t left, elements;
    int64_t asked;      /* what was left when the caller was asked whether to stop */
    int32_t nodes;      /* of the tape, already subtracted from `left` */
    int depth;          /* of nested expressions, loops and functions: at most LANG_DEEPEST */
    bool stopped;       /* by a limit, already reported */
    bool reported;      /* a problem has been reported */
    bool outside;       /* values inside an unroll are wanted only where a line names them */
    lang_location call; /* of a built-in function: mistakes inside it are reported here */
    /* Replaces each value when it is named; or NULL. */
    rv_var (*named)(void *context, const lang_block *block, int symbol, int64_t time, rv_var value);
    void *context;
} lang_work;

/* A block's values while it is recorded. */
typedef struct lang_run {
    const lang_block *block;
    lang_work *work;
    rv_tape *tape;
    rv_cell *cell;     /* of a cell's step */
    lang_value *value; /* [block->symbols]; the three arrays below lie behind it */
    rv_var **series;   /* [block->symbols]: SYMBOL_SERIES by time step */
    int64_t *times;    /* [block->symbols]: how many there are */
    lang_trace *trace; /* [block->unrolls] */
    bool failed;       /* a mistake in it has been reported */
    bool recall;       /* inside a product with weights: states are read with dropout */
    /* In a derivation: takes a line, and returns the cotangent of a symbol. False, null var:
     * reported. */
    bool (*line)(struct lang_run *run, const lang_node *s);
    rv_var (*cotangent)(struct lang_run *run, const lang_node *e, int target, int64_t time);
    void *context;
} lang_run;

/* Allocates the values of a block. Returns false, and reports it, when out of memory. */
bool rv_lang_start_run(lang_run *run, const lang_block *block, lang_work *work, rv_tape *tape);
void rv_lang_end_run(lang_run *run);

/* Subtracts from the work that is left. Returns false, and reports it, if none is left. */
bool rv_lang_spend(lang_run *run, lang_location location, int64_t work);

/* The same for one expression; also fails at LANG_DEEPEST. */
bool rv_lang_proceed(lang_run *run, const lang_node *e);

/* Reports a mistake at a location, in the report or on the tape. Returns a VALUE_NONE. */
lang_value rv_lang_wrong(lang_run *run, lang_location location, rv_code code, const char *format,
                         ...) RV_PRINTF(4, 5);
/* Returns the var as a value. Reports the tape's error for a null var. */
lang_value rv_lang_recorded(lang_run *run, lang_location location, rv_var var);

static inline lang_value rv_lang_none(void) { return (lang_value){.kind = VALUE_NONE}; }
static inline lang_value rv_lang_of_number(double number)
{
    return (lang_value){.kind = VALUE_NUMBER, .number = number};
}
static inline rv_var rv_lang_null(const lang_run *run) { return (rv_var){run->tape, -1}; }

/* Records an array of numbers. Null var on error, which is on the tape. */
rv_var rv_lang_constant(lang_run *run, rv_shape shape, const double *number);
/* Converts the value of e to a tensor: a number to a scalar, a list to an array. Returns a null var
 * after a mistake, which is reported. */
rv_var rv_lang_as_var(lang_run *run, const lang_node *e, const lang_value *v);
/* A tensor of integers as numbers of the tape's dtype; any other as it is. */
rv_var rv_lang_real(rv_var x);
const char *rv_lang_value_kind_text(const lang_value *v); /* "a number" */

#endif
