#include "lang/syntax/token.h"

#include <string.h>

#include "tensor/memory.h"
#include "tensor/utf8_internal.h"

typedef struct lexer {
    const lang_source *source;
    lang_tokens *out;
    lang_report *report;
    uint32_t at;
    uint32_t column;    /* indentation of this line */
    uint32_t statement; /* indentation of the statement's first line */
    int depth;          /* of brackets */
    bool fresh;         /* the next token is a statement's first */
} lexer;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool add(lexer *x, lang_token_kind kind, uint32_t end)
{
    lang_tokens *t = x->out;
    if (!rv_reserve(&t->at, &t->capacity, t->count + 1, sizeof *t->at))
        return rv_lang_out_of_memory(x->report);
    if (x->fresh && kind > TOKEN_NEWLINE) x->statement = x->column;
    t->at[t->count++] = (lang_token){kind, x->at, end, x->column, x->fresh && kind > TOKEN_NEWLINE};
    if (kind > TOKEN_NEWLINE) x->fresh = false;
    x->at = end;
    return true;
}

/* Reports the first character before `end` that is not shown as it is. Such a character could make
 * a text look like another one, or control the terminal on which it is printed. */
static void check_visible(lexer *x, uint32_t end)
{
    const char *text = x->source->text;
    char shown[RV_VISIBLE];
    for (uint32_t at = x->at, next; at < end; at = next) {
        next = at + (uint32_t)rv_visible(text + at, end - at, shown);
        if (shown[0] != '\\' || text[at] == '\\' || text[at] == '\t') continue;
        lang_location location = {x->source, at, next};
        if (rv_utf8_length(text + at, end - at) > 0)
            rv_lang_add_problem(x->report, location, RV_ERROR_FORMAT,
                                "the invisible character %s; leave it out", shown);
        else
            rv_lang_add_problem(x->report, location, RV_ERROR_FORMAT,
                                "this is not UTF-8; save the file as UTF-8");
        return;
    }
}

static bool add_comment(lexer *x, uint32_t end)
{
    lang_tokens *t = x->out;
    const char *text = x->source->text;
    if (!rv_reserve(&t->comment, &t->comment_capacity, t->comments + 1, sizeof *t->comment))
        return rv_lang_out_of_memory(x->report);
    bool alone = true;
    for (uint32_t i = x->at; alone && i > 0 && text[i - 1] != '\n'; i--)
        alone = text[i - 1] == ' ' || text[i - 1] == '\t';
    uint32_t trimmed = end;
    while (trimmed > x->at && (unsigned char)text[trimmed - 1] <= ' ') trimmed--;
    check_visible(x, trimmed);
    t->comment[t->comments++] = (lang_comment){x->at, trimmed, alone};
    x->at = end;
    return true;
}

static bool end_statement(lexer *x)
{
    if (!x->fresh) { /* right after the last token, before any comments */
        uint32_t at = x->at;
        x->at = x->out->at[x->out->count - 1].end;
        if (!add(x, TOKEN_NEWLINE, x->at)) return false;
        x->at = at;
    }
    x->fresh = true;
    x->depth = 0;
    return true;
}

/* After the end of a line: reads the next line's indentation. The statement ends unless a bracket
 * is open and that line is indented more. */
static bool start_line(lexer *x)
{
    const char *text = x->source->text;
    uint32_t column = 0, at = x->at;
    for (; text[at] == ' ' || text[at] == '\t' || text[at] == '\r'; at++)
        column = text[at] == '\t' ? column / 8 * 8 + 8 : column + 1;
    bool empty = text[at] == '\n' || text[at] == '#' || at >= x->source->size;
    if (empty ? x->depth == 0 : x->depth == 0 || column <= x->statement)
        if (!end_statement(x)) return false;
    x->column = column;
    x->at = at;
    return true;
}

/* The end of a number: digits, a fraction if a digit follows the point, an exponent. So 1.x is a
 * product. */
static uint32_t number_end(const char *text, uint32_t at)
{
    while (is_digit(text[at])) at++;
    if (text[at] == '.' && is_digit(text[at + 1]))
        for (at++; is_digit(text[at]);) at++;
    if (text[at] == 'e' || text[at] == 'E') {
        uint32_t digits = at + 1 + (text[at + 1] == '+' || text[at + 1] == '-');
        if (is_digit(text[digits]))
            for (at = digits; is_digit(text[at]);) at++;
    }
    return at;
}

static bool wrong(lexer *x, uint32_t end, const char *what)
{
    lang_location location = {x->source, x->at, end};
    rv_lang_add_problem(x->report, location, RV_ERROR_FORMAT, "%s", what);
    return add(x, TOKEN_WRONG, end);
}

static bool is_no_break(const char *text) { return !strncmp(text, "\xc2\xa0", 2); }

static bool add_string(lexer *x)
{
    const char *text = x->source->text;
    uint32_t end = x->at + 1;
    while (text[end] != '"' && text[end] != '\n' && end < x->source->size) end++;
    check_visible(x, end);
    return text[end] == '"' ? add(x, TOKEN_STRING, end + 1)
                            : wrong(x, end, "this text has no end; close it with \"");
}

static bool step(lexer *x)
{
    const char *text = x->source->text, c = text[x->at];
    uint32_t end = x->at;
    if (c == '\n') {
        x->at++;
        return start_line(x);
    }
    if (c == ' ' || c == '\t' || c == '\r') {
        x->at++;
        return true;
    }
    if (c == '#') {
        while (end < x->source->size && text[end] != '\n') end++;
        return add_comment(x, end);
    }
    if (is_digit(c)) return add(x, TOKEN_NUMBER, number_end(text, x->at));
    if (is_no_break(text + end)) return wrong(x, end + 2, "a no-break space; type a plain one");
    if (is_letter(c)) {
        while ((is_letter(text[end]) && !is_no_break(text + end)) || is_digit(text[end])) end++;
        if (!rv_utf8_valid(text + x->at, end - x->at))
            return wrong(x, end, "this is not UTF-8; save the file as UTF-8");
        check_visible(x, end);
        return add(x, TOKEN_NAME, end);
    }
    if (c == '"') return add_string(x);
    if ((c == '<' || c == '>') && text[x->at + 1] == '=') return add(x, TOKEN_SIGN, x->at + 2);
    if (c && strchr("()[],=~+-*/.@^':<>", c)) {
        if (c == '(' || c == '[') x->depth++;
        if ((c == ')' || c == ']') && x->depth) x->depth--;
        return add(x, TOKEN_SIGN, x->at + 1);
    }
    bool ok = wrong(x, x->at + 1, "this character means nothing here");
    rv_lang_add_hint(x->report, "leave it out");
    return ok;
}

bool rv_lang_tokenize(const lang_source *source, lang_tokens *tokens, lang_report *report)
{
    lexer x = {.source = source, .out = tokens, .report = report, .fresh = true};
    *tokens = (lang_tokens){0};
    bool ok = start_line(&x);
    while (ok && x.at < source->size) ok = step(&x);
    return ok && end_statement(&x) && add(&x, TOKEN_END, x.at);
}

void rv_lang_free_tokens(lang_tokens *tokens)
{
    rv_free(tokens->at);
    rv_free(tokens->comment);
    *tokens = (lang_tokens){0};
}
