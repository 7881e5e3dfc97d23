/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue.h"

#include <ctype.h>
#include <stdlib.h>

#define DEEPEST 32u

struct reader {
    struct xr_plural *out;
    const char *at;
    unsigned depth;
    bool wrong;
};

/* Operators of two operands, by how strongly they bind; longer ones stand before their beginnings. */
static const struct {
    const char *text;
    unsigned char operation, rank;
} operators[] = {
    {"||", '|', 1}, {"&&", '&', 2}, {"==", '=', 3}, {"!=", '~', 3}, {"<=", 'l', 4},
    {">=", 'g', 4}, {"<", '<', 4},  {">", '>', 4},  {"+", '+', 5},  {"-", '-', 5},
    {"*", '*', 6},  {"/", '/', 6},  {"%", '%', 6},
};
#define OPERATORS (sizeof(operators) / sizeof(operators[0]))

static unsigned char choice(struct reader *r);

static char peek(struct reader *r)
{
    r->at += strspn(r->at, " \t");
    return *r->at;
}

static unsigned char node(struct reader *r, unsigned char operation, unsigned char a,
                          unsigned char b, unsigned char c, unsigned long value)
{
    if (r->out->count == XR_PLURAL_NODES) {
        r->wrong = true;
        return 0;
    }
    r->out->nodes[r->out->count] = (struct xr_plural_node){operation, a, b, c, value};
    return (unsigned char)r->out->count++;
}

static unsigned char operand(struct reader *r)
{
    char first = peek(r);
    unsigned char inner = 0;

    if (r->depth == DEEPEST || r->wrong) {
        r->wrong = true;
        return 0;
    }
    if (isdigit((unsigned char)first)) {
        unsigned long value = 0;

        for (; isdigit((unsigned char)*r->at); r->at++) {
            r->wrong = r->wrong || value > 100000000;
            value = value * 10 + (unsigned long)(*r->at - '0');
        }
        return node(r, '0', 0, 0, 0, value);
    }
    r->at++;
    if (first == 'n')
        return node(r, 'n', 0, 0, 0, 0);
    r->depth++;
    if (first == '!') {
        inner = operand(r);
        inner = node(r, '!', inner, 0, 0, 0);
    } else if (first == '(') {
        inner = choice(r);
        r->wrong = r->wrong || peek(r) != ')';
        r->at += !r->wrong;
    } else {
        r->wrong = true;
    }
    r->depth--;
    return inner;
}

/* Operators that bind at least that strongly; those of one rank from the left. */
static unsigned char binary(struct reader *r, unsigned rank)
{
    unsigned char left = operand(r);

    while (!r->wrong) {
        size_t i = 0;

        (void)peek(r);
        while (i < OPERATORS && strncmp(r->at, operators[i].text, strlen(operators[i].text)) != 0)
            i++;
        if (i == OPERATORS || operators[i].rank < rank)
            break;
        r->at += strlen(operators[i].text);
        left = node(r, operators[i].operation, left, binary(r, operators[i].rank + 1u), 0, 0);
    }
    return left;
}

static unsigned char choice(struct reader *r)
{
    unsigned char condition = 0, yes = 0, no = 0;

    if (r->depth == DEEPEST) {
        r->wrong = true;
        return 0;
    }
    r->depth++;
    condition = binary(r, 1);
    if (!r->wrong && peek(r) == '?') {
        r->at++;
        yes = choice(r);
        r->wrong = r->wrong || peek(r) != ':';
        r->at += !r->wrong;
        no = choice(r);
        condition = node(r, '?', condition, yes, no, 0);
    }
    r->depth--;
    return condition;
}

static bool expect(struct reader *r, const char *word)
{
    if (peek(r) != word[0] || strncmp(r->at, word, strlen(word)) != 0)
        return false;
    r->at += strlen(word);
    return true;
}

bool xr_plural_read(struct xr_plural *out, const char *text)
{
    struct reader r = {out, text, 0, false};
    char *end = NULL;

    *out = (struct xr_plural){0};
    if (!expect(&r, "nplurals") || !expect(&r, "=") || !isdigit((unsigned char)peek(&r)))
        return false;
    out->forms = strtoul(r.at, &end, 10);
    r.at = end;
    if (out->forms == 0 || out->forms > XR_PLURAL_FORMS || !expect(&r, ";") ||
        !expect(&r, "plural") || !expect(&r, "="))
        return false;
    out->top = choice(&r);
    if (!r.wrong && peek(&r) == ';')
        r.at++;
    return !r.wrong && (peek(&r) == '\0' || *r.at == '\n' || *r.at == '\r');
}

/* Operands stand before what uses them, so this ends. */
static unsigned long value_of(const struct xr_plural *plural, unsigned char at, unsigned long n)
{
    const struct xr_plural_node *node = &plural->nodes[at];
    unsigned long a = 0, b = 0;

    if (node->operation == 'n')
        return n;
    if (node->operation == '0')
        return node->value;
    a = value_of(plural, node->a, n);
    if (node->operation == '!')
        return !a;
    if (node->operation == '?')
        return value_of(plural, a ? node->b : node->c, n);
    b = value_of(plural, node->b, n);
    switch (node->operation) {
    case '|':
        return a || b;
    case '&':
        return a && b;
    case '=':
        return a == b;
    case '~':
        return a != b;
    case 'l':
        return a <= b;
    case 'g':
        return a >= b;
    case '<':
        return a < b;
    case '>':
        return a > b;
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return b != 0 ? a / b : 0;
    default:
        return b != 0 ? a % b : 0;
    }
}

size_t xr_plural_form(const struct xr_plural *plural, unsigned long n)
{
    unsigned long form = value_of(plural, plural->top, n);

    return form < plural->forms ? (size_t)form : 0;
}
