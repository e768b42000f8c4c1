/* recurve run */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/name_table_internal.h"
#include "tools/command/commands.h"
#include "tools/cli/equations.h"
#include "tools/cli/json.h"
#include "tools/cli/limits.h"
#include "tools/cli/say.h"
#include "train/setup/lookup.h"

typedef struct run_options {
    const char *in, *out, *show, *grad, *dtype, *include_path;
    bool second, json;
    int64_t seed;
    work_limits limits;
} run_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(run_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(in, "in", "FILE", TEXT,
        "arrays (.npz) or tensors (.safetensors) for inputs,\n"
        "parameters and constants, by name; the others are drawn\nas the text declares"),
    ROW(out, "out", "OUT.npz", TEXT, "write all arrays to this file instead of printing them"),
    ROW(show, "show", "NAME,..", TEXT,
        "only these arrays, whole: values, and with --grad also\ngrad/NAME and second/NAME"),
    ROW(grad, "grad", "LOSS[:NAME,..]", TEXT,
        "the gradients d LOSS / d NAME, as grad/NAME; NAME is any\nvalue (default: all parameters "
        "of LOSS)"),
    ROW(second, "second", NULL, FLAG,
        "with --grad: the Hessian times a vector of ones, which is\nd (sum of all elements of all "
        "grad/..) / d NAME, as\nsecond/NAME"),
    ROW(dtype, "dtype", "f32|f64", TEXT, "arithmetic (default: f64)"),
    ROW(include_path, "include-path", "DIR[:DIR]..", TEXT, INCLUDE_PATH_DOC),
    ROW(seed, "seed", "N", WHOLE, "seed of the values that are drawn (default: 1)", .low = 0,
        .high = (int64_t)1 << 53),
    LIMIT_SECONDS_ROW(run_options),
    ROW(json, "json", NULL, FLAG, "print a JSON list of all arrays, unabbreviated"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_run = {
    .name = "run",
    .run = run,
    .summary = "compute the values and gradients of a model in a file",
    .synopsis = "FILE[:MODEL] [OPTION]...",
    .description =
        "Runs a model of the equation language once (default: the last in the file) and prints "
        "every\n"
        "named value: inputs, parameters, values, and those inside unrolled cells at each step, "
        "such\n"
        "as g[2]. Names are those that a line at the end of the text would use; a parameter of "
        "the\n"
        "unroll a is a/W. Long arrays are abbreviated. Names with the same\n"
        "equation are one value. Its gradient is that of all its uses.\n",
    OPTIONS(options),
    .failure = "the text has mistakes, or a file cannot be read or written",
    .example = "recurve run models/curnn_blog.rv --grad loss\n"
               "recurve run models/curnn_blog.rv --show 'C[1],g[2]'\n"
               "recurve run my.rv:net --in values.npz --grad loss:x,g[2] --second --out all.npz\n",
    .operand = "FILE",
};

typedef struct calculation {
    const run_options *o;
    rv_archive given;
    rv_store *store;
    rv_tape *tape;
    rv_lang_recording *recording;
    rv_program *program;
    rv_var *var;         /* [count] of the results */
    rv_archive result;   /* their names, and then their values, which are the program's */
    rv_name_table taken; /* their names */
    size_t var_room, result_room;
} calculation;

/* ---- what to compute ---- */

/* Adds PREFIXname once. */
static bool add_result(calculation *c, const char *prefix, const char *name, rv_var var,
                       rv_error *error)
{
    size_t count = c->result.tensor_count, room = strlen(prefix) + strlen(name) + 16;
    char *text = rv_alloc(room, 1);
    if (!text || !rv_name_table_reserve(&c->taken, count + 1) ||
        !rv_reserve(&c->var, &c->var_room, count + 1, sizeof *c->var) ||
        !rv_reserve(&c->result.tensors, &c->result_room, count + 1, sizeof *c->result.tensors)) {
        rv_free(text);
        return rv_fail_memory(error);
    }
    snprintf(text, room, "%s%s", prefix, name);
    if (rv_name_table_find(&c->taken, text) != SIZE_MAX) {
        rv_free(text);
        return true;
    }
    rv_name_table_add(&c->taken, text, count);
    c->result.tensors[count] = (rv_named_tensor){.name = text};
    c->result.tensor_count++;
    c->var[count] = var;
    return true;
}

static bool add_values(calculation *c, rv_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < rv_lang_value_count(c->recording); i++) {
        rv_lang_value v = rv_lang_value_at(c->recording, i);
        ok = add_result(c, "", v.name, v.var, error);
    }
    return ok;
}

static const char *value_name(const void *recording, int index)
{
    return rv_lang_value_at(recording, index).name;
}

/* Whether a name is `text` with the name of an unroll before it: a_g[2] for g[2]. */
static bool is_inside(const char *name, const char *text)
{
    size_t length = strlen(name), own = strlen(text);
    return own < length && strcmp(name + length - own, text) == 0 && name[length - own - 1] == '_';
}

static bool find_value(const calculation *c, const char *name, int length, rv_var *found,
                       rv_error *error)
{
    char text[256];
    int count = rv_lang_value_count(c->recording);
    snprintf(text, sizeof text, "%.*s", length, name);
    *found = rv_lang_value_of(c->recording, text);
    if (!rv_is_null(*found)) return true;
    for (int i = 0; i < count; i++) {
        const char *known = rv_lang_value_at(c->recording, i).name;
        if (is_inside(known, text))
            return rv_fail(error, RV_ERROR_NAME,
                           "\"%s\" is inside an unroll, whose name goes before it: %s", text,
                           known);
    }
    rv_fail_unknown("value", text, value_name, c->recording, count, error);
    return false;
}

static bool fail_tape(const calculation *c, rv_error *error)
{
    const rv_error *why = rv_tape_error(c->tape);
    return rv_fail(error, why->code != RV_OK ? why->code : RV_ERROR_MEMORY, "%s",
                   why->code != RV_OK ? why->text : "out of memory");
}

/* The values to differentiate with respect to. */
typedef struct leaves {
    const char **name;
    rv_var *var, *gradient; /* [count] */
    int count;
} leaves;

/* Lists the parameters of the loss, or the values that `list`, "a,b", names. There is room for
 * all. */
static bool list_leaves(const calculation *c, rv_var loss, char *list, leaves *l, rv_error *error)
{
    if (!list) {
        l->count = rv_parameters(loss, l->var, l->count);
        for (int i = 0; i < l->count; i++) l->name[i] = rv_tape_node(c->tape, l->var[i].id)->name;
        return l->count >= 0 || fail_tape(c, error);
    }
    l->count = 0;
    for (char *next; list; list = next) {
        next = strchr(list, ',');
        if (next) *next++ = '\0';
        l->name[l->count] = list;
        if (!find_value(c, list, (int)strlen(list), &l->var[l->count++], error)) return false;
    }
    return true;
}

static bool add_all(calculation *c, const char *prefix, const leaves *l, rv_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < l->count; i++)
        ok = add_result(c, prefix, l->name[i], l->gradient[i], error);
    return ok;
}

static bool add_second(calculation *c, leaves *l, rv_error *error)
{
    rv_var sum = rv_scalar(c->tape, 0);
    for (int i = 0; i < l->count; i++)
        sum = rv_add(sum, rv_sum(l->gradient[i], RV_ALL_AXES, false));
    return (rv_gradient(sum, l->var, l->count, l->gradient) || fail_tape(c, error)) &&
           add_all(c, "second/", l, error);
}

/* Adds the gradients of LOSS or LOSS:a,b; `list` is what follows the colon, or NULL. */
static bool differentiate(calculation *c, rv_var loss, char *list, leaves *l, rv_error *error)
{
    char shape[RV_SHAPE_TEXT];
    if (rv_shape_count(rv_shape_of(loss)) != 1)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--grad: \"%.100s\" is %s, expected one number",
                       c->o->grad, rv_shape_text(rv_shape_of(loss), shape));
    return list_leaves(c, loss, list, l, error) &&
           (rv_gradient(loss, l->var, l->count, l->gradient) || fail_tape(c, error)) &&
           add_all(c, "grad/", l, error) && (!c->o->second || add_second(c, l, error));
}

static bool add_gradients(calculation *c, rv_error *error)
{
    const char *grad = c->o->grad;
    rv_var loss;
    if (!grad) return true;
    int length = (int)strcspn(grad, ":"), commas = 0;
    if (!find_value(c, grad, length, &loss, error)) return false;
    for (const char *at = grad; *at != '\0'; at++) commas += *at == ',';
    char *list = rv_alloc(strlen(grad) + 1, 1);
    size_t room = (size_t)rv_tape_count(c->tape) + (size_t)commas + 1;
    leaves l = {rv_alloc(room, sizeof *l.name), rv_alloc(room, sizeof *l.var),
                rv_alloc(room, sizeof *l.gradient), (int)room};
    bool ok = list && l.name && l.var && l.gradient;
    if (ok && grad[length] == ':') strcpy(list, grad + length + 1);
    ok = ok ? differentiate(c, loss, grad[length] == ':' ? list : NULL, &l, error)
            : rv_fail_memory(error);
    rv_free(list);
    rv_free(l.name);
    rv_free(l.var);
    rv_free(l.gradient);
    return ok;
}

/* ---- what to show ---- */

static const char *result_name(const void *result, int index)
{
    return ((const rv_archive *)result)->tensors[index].name;
}

/* The result of a name of `length` bytes. -1 and an error: none. */
static int find_result(const calculation *c, const char *name, int length, rv_error *error)
{
    char text[256];
    int count = (int)c->result.tensor_count;
    snprintf(text, sizeof text, "%.*s", length, name);
    for (int i = 0; i < count; i++)
        if (strcmp(c->result.tensors[i].name, text) == 0) return i;
    rv_fail_unknown("array of --show", text, result_name, &c->result, count, error);
    return -1;
}

/* Moves the results that --show names to the front, in its order, and drops the others. */
static bool choose_results(calculation *c, rv_error *error)
{
    size_t shown = 0;
    const char *next = c->o->show;
    if (!next) return true;
    for (; *next != '\0'; next += *next == ',') {
        int length = (int)strcspn(next, ","), at = find_result(c, next, length, error);
        if (at < 0) return false;
        next += length;
        if ((size_t)at < shown) continue; /* named twice */
        const rv_named_tensor tensor = c->result.tensors[shown];
        const rv_var var = c->var[shown];
        c->result.tensors[shown] = c->result.tensors[at];
        c->var[shown++] = c->var[at];
        c->result.tensors[at] = tensor;
        c->var[at] = var;
    }
    while (c->result.tensor_count > shown)
        rv_free((char *)c->result.tensors[--c->result.tensor_count].name);
    return true;
}

/* ---- computing ---- */

/* Copies given parameters and constants into the store. */
static bool give_entries(const calculation *c, rv_error *error)
{
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    for (size_t i = 0; i < c->given.tensor_count; i++) {
        const rv_named_tensor *given = &c->given.tensors[i];
        rv_entry *entry = rv_store_find(c->store, given->name);
        if (!entry) continue;
        if (!rv_shape_equal(entry->tensor.shape, given->tensor.shape))
            return rv_fail(error, RV_ERROR_FORMAT, "\"%s\": %s has the shape %s, expected %s",
                           c->o->in, given->name, rv_shape_text(given->tensor.shape, seen),
                           rv_shape_text(entry->tensor.shape, expected));
        if (!rv_tensor_copy(&entry->tensor, &given->tensor, error)) return false;
    }
    return true;
}

static bool compute(calculation *c, rv_error *error)
{
    int count = 0;
    const rv_named_tensor *inputs = rv_lang_inputs(c->recording, &count);
    if (limits_reached((void *)(uintptr_t)&c->o->limits)) return false;
    c->program = rv_compile_with(c->tape, c->var, (int)c->result.tensor_count, RV_VALUES);
    if (!c->program) return fail_tape(c, error);
    for (int i = 0; i < count; i++)
        if (!rv_feed(c->program, inputs[i].name, &inputs[i].tensor, error)) return false;
    rv_run(c->program);
    for (size_t i = 0; i < c->result.tensor_count; i++)
        c->result.tensors[i].tensor = *rv_program_output(c->program, (int)i);
    return true;
}

static bool check_given(const calculation *c, rv_error *error)
{
    known_names known = {0};
    bool ok =
        known_names_add(&known, c->tape, error) && known_names_check(&known, &c->given, error);
    known_names_free(&known);
    return ok;
}

static bool record(calculation *c, const rv_model *model, rv_error *error)
{
    rv_lang_recording_options how = {c->given.tensors, (int)c->given.tensor_count,
                                     (uint64_t)c->o->seed};
    bool f32 = c->o->dtype && strcmp(c->o->dtype, "f32") == 0;
    c->store = rv_store_new((uint64_t)c->o->seed);
    c->tape = rv_tape_new(c->store, f32 ? RV_F32 : RV_F64);
    if (!c->tape) return rv_fail_memory(error);
    c->recording = rv_lang_record(model, c->tape, &how);
    if (c->recording) return true;
    return rv_fail(error, RV_ERROR_FORMAT, "%-s", rv_tape_error(c->tape)->text);
}

static void end(calculation *c)
{
    for (size_t i = 0; i < c->result.tensor_count; i++) rv_free((char *)c->result.tensors[i].name);
    rv_free(c->result.tensors);
    rv_free(c->var);
    rv_name_table_free(&c->taken);
    rv_program_free(c->program);
    rv_lang_recording_free(c->recording);
    rv_tape_free(c->tape);
    rv_store_free(c->store);
    rv_archive_free(&c->given);
}

/* ---- results ---- */

/* Prints all elements, or the first ones of a long array. */
static void print_elements(const rv_tensor *t)
{
    enum { WHOLE = 8, FIRST = 6 };
    int64_t count = rv_tensor_count(t), shown = count <= WHOLE ? count : FIRST;
    for (int64_t i = 0; i < shown; i++)
        say(stdout, "%s%.6g", i > 0 ? " " : "", rv_tensor_get(t, i));
    say(stdout, shown < count ? " ...\n" : "\n");
}

/* Prints all of an array: rows of its last axis, the matrices of a larger one apart. */
static void print_whole(const rv_named_tensor *r)
{
    const rv_shape *s = &r->tensor.shape;
    char shape[RV_SHAPE_TEXT];
    int64_t count = rv_tensor_count(&r->tensor), columns = s->rank > 0 ? s->dim[s->rank - 1] : 1,
            matrix = columns * (s->rank > 1 ? s->dim[s->rank - 2] : 1);
    int width = 0;
    for (int64_t i = 0; i < count; i++) {
        int digits = snprintf(NULL, 0, "%.6g", rv_tensor_get(&r->tensor, i));
        width = digits > width ? digits : width;
    }
    say(stdout, "%s %s\n", r->name, rv_shape_text(*s, shape));
    for (int64_t i = 0; i < count; i++) {
        if (i > 0 && i % matrix == 0) putchar('\n');
        say(stdout, "  %*.6g%-s", width, rv_tensor_get(&r->tensor, i),
            (i + 1) % columns ? "" : "\n");
    }
}

static void print_table(const rv_archive *result)
{
    int name = 4, shape = 5;
    char text[RV_SHAPE_TEXT];
    for (size_t i = 0; i < result->tensor_count; i++) {
        int a = (int)strlen(result->tensors[i].name),
            b = (int)strlen(rv_shape_text(result->tensors[i].tensor.shape, text));
        name = a > name ? a : name;
        shape = b > shape ? b : shape;
    }
    say(stdout, "%-*s  %-*s  values\n", name, "name", shape, "shape");
    for (size_t i = 0; i < result->tensor_count; i++) {
        const rv_named_tensor *r = &result->tensors[i];
        say(stdout, "%-*s  %-*s  ", name, r->name, shape, rv_shape_text(r->tensor.shape, text));
        print_elements(&r->tensor);
    }
}

static bool print_json(const rv_archive *result, rv_error *error)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < result->tensor_count; i++) {
        const rv_named_tensor *r = &result->tensors[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", r->name);
        json_add_shape(object, "shape", r->tensor.shape);
        cJSON *values = cJSON_AddArrayToObject(object, "values");
        for (int64_t k = 0; k < rv_tensor_count(&r->tensor); k++) {
            double value = rv_tensor_get(&r->tensor, k);
            cJSON_AddItemToArray(values,
                                 isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
        }
        cJSON_AddItemToArray(list, object);
    }
    return json_print(list, error);
}

static bool output(const calculation *c, rv_error *error)
{
    const run_options *o = c->o;
    if (o->out && !rv_npz_write(o->out, &c->result, error)) return false;
    if (o->json) return print_json(&c->result, error);
    for (size_t i = 0; !o->out && o->show && i < c->result.tensor_count; i++)
        print_whole(&c->result.tensors[i]);
    if (!o->out && !o->show) print_table(&c->result);
    if (o->out) say(stderr, "%zu array(s) in %s\n", c->result.tensor_count, o->out);
    return true;
}

static exit_status calculate(const run_options *o, const rv_model *model, rv_error *error)
{
    calculation c = {.o = o};
    exit_status result = STATUS_USAGE;
    if ((!o->in || rv_arrays_read(o->in, 0, &c.given, error)) && record(&c, model, error) &&
        check_given(&c, error) && add_values(&c, error) && add_gradients(&c, error) &&
        choose_results(&c, error))
        result = give_entries(&c, error) && compute(&c, error) && output(&c, error) ? STATUS_OK
                                                                                    : STATUS_FAILED;
    end(&c);
    return result;
}

static bool check_options(const run_options *o, const char *file, rv_error *error)
{
    if (!file) return rv_fail(error, RV_ERROR_ARGUMENT, "no FILE[:MODEL] given");
    if (!rv_names_file(file, NULL))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "got \"%.100s\", expected FILE.rv or FILE.rv:MODEL", file);
    return !o->second || o->grad ||
           rv_fail(error, RV_ERROR_ARGUMENT, "--second differentiates what --grad LOSS gives");
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    run_options o = {.seed = 1};
    const char *file = NULL;
    rv_lang *lang = NULL;
    if (!options_parse(&command_run, argc, argv, &o, &file, &result, error)) return result;
    if (!check_options(&o, file, error) || !equations_are_spared("out", o.out, error))
        return STATUS_USAGE;
    const rv_model *model = rv_lookup_model(file, o.include_path, &lang, error);
    result = STATUS_USAGE;
    if (model && !model->record)
        rv_fail(error, RV_ERROR_ARGUMENT,
                "\"%s\" is a cell, expected a model that unrolls it, such as\n"
                "model net(n=2)\n  input x[n, 3, 4]\n  h = unroll %s(x)",
                model->name, model->name);
    const rv_lang_limits limits = limits_start(&o.limits);
    if (lang) rv_lang_limit(lang, &limits);
    if (model && model->record) result = calculate(&o, model, error);
    if (result != STATUS_OK) limits_explain(&o.limits, error);
    rv_lang_free(lang);
    return result;
}
