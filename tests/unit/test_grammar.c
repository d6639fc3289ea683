/* grammar/tg.ebnf is the grammar of tg, and this program holds the parser to it, both ways.
 * Sentences derived from it at random must parse; sentences spoiled by a token removed, doubled or
 * exchanged must parse exactly when the grammar derives them; and so must every program of the
 * source tree. */
#include "tests/unit/ebnf.h"

#include <ftw.h>

#ifndef TG_SOURCE_DIR
#define TG_SOURCE_DIR "."
#endif

static tg_ctx ctx;

static tg_parse_status parse(const char *text, size_t len) {
    tg_source *src = tg_source_new("<test>", text, len);
    assert_non_null(src);
    tg_unit *unit;
    tg_parse_status status = tg_parse(&ctx, src, &unit);
    tg_unit_drop(unit);
    tg_source_drop(src);
    return status;
}

/* ---- tokens ---- */

enum { MAX_TOKENS = 60000, MAX_NESTING = 2000 };

static tok tokens[MAX_TOKENS];
static int token_count;
static char nesting[MAX_NESTING]; /* open brackets: ( [ { of a block, r of a record, h of a hole, "
                                     of a string */
static int depth;

static void add_token(shape s, tg_token_kind kind, const char *text, size_t len) {
    assert_true(token_count < MAX_TOKENS);
    tokens[token_count++] = (tok){s, kind, text, (int)len};
}

static bool ends_operand(tg_token_kind k) {
    return k == TG_TOK_NUMBER || k == TG_TOK_NAME || k == TG_TOK_QUOTE || k == TG_TOK_SUPER ||
           k == TG_TOK_PRIME || k == TG_TOK_TRUE || k == TG_TOK_FALSE || k == TG_TOK_NONE ||
           k == TG_TOK_BREAK || k == TG_TOK_CONTINUE || k == TG_TOK_RETURN || k == TG_TOK_RPAREN ||
           k == TG_TOK_RBRACKET || k == TG_TOK_RBRACE || k == TG_TOK_SEMICOLON;
}

/* Does a line end behind the last token? Behind ? and what it asks for, always. */
static bool ends_line(void) {
    int n = token_count;
    return n > 0 && (ends_operand(tokens[n - 1].kind) || tokens[n - 1].kind == TG_TOK_UNKNOWN ||
                     (n > 1 && tokens[n - 2].kind == TG_TOK_UNKNOWN));
}

/* The text of a string from the lexer's place to its quote or next hole. */
static void text_token(tg_lexer *l) {
    uint32_t lo = l->at;
    while (l->at < l->len && l->text[l->at] != '"') {
        char c = l->text[l->at], next = l->text[l->at + 1];
        if (c == '{' && next != '{') break;
        bool pair = c == '\\' || ((c == '{' || c == '}') && next == c);
        uint32_t step = c == '\\' && next == 'u' ? 3
                        : pair                   ? 2
                                                 : 1; /* the brace of \u{ opens no hole */
        l->at = l->len - l->at < step ? l->len : l->at + step;
    }
    if (l->at > lo) add_token(TEXT, TG_TOK_BAD, l->text + lo, l->at - lo);
}

/* A `{` opens a record when `}` or a name and a colon follow. */
static bool opens_record(tg_lexer ahead) {
    tg_token t = tg_lex_next(&ahead);
    return t.kind == TG_TOK_RBRACE ||
           (t.kind == TG_TOK_NAME && tg_lex_next(&ahead).kind == TG_TOK_COLON);
}

/* Splits a program into the tokens of tg.ebnf; false if there is a bad one or a string has no end.
 */
static bool split(const char *text, size_t len) {
    tg_source src = {.text = (char *)text, .len = len};
    tg_lexer l = tg_lex_start(&src);
    token_count = depth = 0;
    for (;;) {
        char open = depth ? nesting[depth - 1] : '{';
        if (open == '"') {
            text_token(&l);
            if (l.at >= l.len) return false;
        }
        tg_token t = tg_lex_next(&l);
        const char *s = text + t.lo;
        if ((t.flags & TG_TOK_AFTER_LINE) && open == '{' && ends_line())
            add_token(NEWLINE, TG_TOK_BAD, "\n", 1);
        if (t.kind == TG_TOK_END) return depth == 0;
        if (t.kind == TG_TOK_BAD || (t.kind == TG_TOK_PRIME && (t.flags & TG_TOK_AFTER_SPACE)))
            return false;
        bool format = open == 'h' && (t.kind == TG_TOK_COLON || t.kind == TG_TOK_STORE);
        if (format) l.at = t.hi = t.lo + 1; /* `:=` is a colon and a format */
        add_token(t.kind == TG_TOK_NAME ? WORD : PLAIN, t.kind, s, t.hi - t.lo);
        assert_true(depth < MAX_NESTING);
        if (t.kind == TG_TOK_QUOTE && open != '"')
            nesting[depth++] = '"';
        else if (t.kind == TG_TOK_QUOTE)
            depth--;
        else if (t.kind == TG_TOK_LPAREN || t.kind == TG_TOK_LBRACKET)
            nesting[depth++] = *s;
        else if (t.kind == TG_TOK_LBRACE)
            nesting[depth++] = open == '"' ? 'h' : opens_record(l) ? 'r' : '{';
        else if (t.kind == TG_TOK_RPAREN || t.kind == TG_TOK_RBRACKET || t.kind == TG_TOK_RBRACE)
            depth -= depth > 0;
        else if (format) {
            uint32_t lo = l.at;
            while (l.at < l.len && !strchr("{}\"", text[l.at])) l.at++;
            if (l.at > lo) add_token(FORMAT, TG_TOK_BAD, text + lo, l.at - lo);
        }
    }
}

static bool derivable(const char *text, size_t len) {
    return split(text, len) && recognise("program", tokens, token_count);
}

/* ---- tests ---- */

static bool is_word(const node *n) {
    for (int i = 0; i < n->len; i++)
        if (n->text[i] < 'a' || n->text[i] > 'z') return false;
    return n->kind == LITERAL && n->len > 1;
}

/* The words of the grammar are the parser's keywords and those of the declarations; each rule is
 * used. */
static void words_agree(void **state) {
    (void)state;
    static const char *const names[] = {"input",     "assume", "rule",   "precision", "use",
                                        "unchecked", "single", "double", "where",     "format",
                                        "short",     "long",   "sci",    NULL};
    for (int x = 0; x < node_count; x++) {
        if (nodes[x].kind == REF) rules[nodes[x].rule].used = true;
        if (!is_word(&nodes[x])) continue;
        bool known = false;
        for (int i = 0; tg_keywords[i]; i++)
            known |= strncmp(tg_keywords[i], nodes[x].text, (size_t)nodes[x].len) == 0 &&
                     tg_keywords[i][nodes[x].len] == 0;
        for (int i = 0; names[i]; i++)
            known |= strncmp(names[i], nodes[x].text, (size_t)nodes[x].len) == 0;
        if (!known) fail_msg("the grammar has the word %.*s", nodes[x].len, nodes[x].text);
    }
    for (int i = 0; tg_keywords[i]; i++) {
        bool used = false;
        for (int x = 0; x < node_count && !used; x++)
            used = is_word(&nodes[x]) && (size_t)nodes[x].len == strlen(tg_keywords[i]) &&
                   memcmp(nodes[x].text, tg_keywords[i], (size_t)nodes[x].len) == 0;
        if (!used) fail_msg("the grammar lacks the word %s", tg_keywords[i]);
    }
    for (int r = 0; r < rule_count; r++)
        if (!rules[r].used && strcmp(rules[r].name, "program") != 0)
            fail_msg("the rule %s is not used", rules[r].name);
}

static void new_sentence(void) {
    word_count = in_string = 0;
    derive(rules[find_rule("program", 7)].body, (int)below(120) + 1);
}

/* Every alternative of the grammar was tried. */
static void assert_visited(int x, const char *rule_name) {
    if (x < 0) return;
    if (nodes[x].visits == 0) fail_msg("a part of the rule %s was never derived", rule_name);
    assert_visited(nodes[x].first, rule_name);
    assert_visited(nodes[x].next, rule_name);
}

static void derived_sentences_parse(void **state) {
    (void)state;
    for (int i = 0; i < 30000; i++) {
        new_sentence();
        size_t len = join();
        if (parse(sentence, len) != TG_PARSE_OK)
            fail_msg("the grammar derives, but the parser says \"%s\" at byte %u:\n%s",
                     ctx.diag.msg, ctx.diag.at.lo, sentence);
        if (!derivable(sentence, len)) fail_msg("derived, but not recognised:\n%s", sentence);
    }
    for (int r = 0; r < rule_count; r++)
        if (!rules[r].token) assert_visited(rules[r].body, rules[r].name);
}

/* `assume (x)` is always the declaration for the parser; the grammar also reads a call, which only
 * matters for wrong programs. */
static bool has_ambiguous_word(void) {
    for (int i = 0; i + 1 < word_count; i++)
        if (strcmp(words[i].text, "assume") == 0 && strchr("([{+-", words[i + 1].text[0]))
            return true;
    return false;
}

static void spoil(void) {
    unsigned n = (unsigned)word_count, i = below(n), j = below(n);
    word other = words[j];
    switch (below(4)) {
    case 0:
        memmove(words + i, words + i + 1, (n - i - 1) * sizeof *words);
        word_count--;
        break;
    case 1:
        if (n == MAX_WORDS) break;
        memmove(words + i + 1, words + i, (n - i) * sizeof *words);
        word_count++;
        break;
    case 2:
        words[j] = words[i];
        words[i] = other;
        break;
    default: words[i] = other;
    }
}

static void spoiled_sentences_agree(void **state) {
    (void)state;
    int accepted = 0, rejected = 0;
    for (int i = 0; i < 6000; i++) {
        do new_sentence();
        while (word_count == 0);
        spoil();
        if (has_ambiguous_word()) continue;
        size_t len = join();
        bool parses = parse(sentence, len) == TG_PARSE_OK, derived = derivable(sentence, len);
        if (parses && !derived)
            fail_msg("the parser accepts what the grammar does not derive:\n%s", sentence);
        if (!parses && derived)
            fail_msg("the grammar derives, but the parser says \"%s\":\n%s", ctx.diag.msg,
                     sentence);
        if (parses)
            accepted++;
        else
            rejected++;
    }
    assert_true(accepted > 500 && rejected > 500);
}

static int programs;

static int check_program(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)info, (void)place;
    size_t n = strlen(path), len;
    if (kind != FTW_F || n < 3 || strcmp(path + n - 3, ".tg") != 0) return 0;
    char *text = read_file(path, &len);
    bool parses = parse(text, len) == TG_PARSE_OK, derived = derivable(text, len);
    free(text);
    if (!parses) fail_msg("%s does not parse: %s (byte %u)", path, ctx.diag.msg, ctx.diag.at.lo);
    if (!derived) fail_msg("%s parses, but the grammar does not derive it", path);
    programs++;
    return 0;
}

static void programs_of_the_tree_are_derived(void **state) {
    (void)state;
    nftw(TG_SOURCE_DIR "/stdlib", check_program, 16, FTW_PHYS);
    nftw(TG_SOURCE_DIR "/examples", check_program, 16, FTW_PHYS);
    assert_true(programs > 0);
}

static void wrong_programs_are_rejected(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "1 +",
        "(1",
        "1)",
        "[1 2]",
        "[1, 2; 3]",
        "f(",
        "f(a=1, 2)",
        "x[]",
        "x[1:2:3:4]",
        "x.",
        "x.5",
        "1..2..3",
        "a == not b",
        "1 + x -> x",
        "- x -> x",
        "(a = 2)",
        "(a, b) = 1, 2",
        "a = 1, 2",
        "a, b, c = 1, 2",
        "a, b += 1",
        "x[0] = 1",
        "x' = 1",
        "f(2) = 3",
        "f(x)(y) = 3",
        "a = b = c",
        "a := b := c",
        "if a",
        "if a b",
        "if { }",
        "if a { } b",
        "if a { } else b",
        "else { }",
        "for i { }",
        "for i = 1..2 { }",
        "for x[0] in y { }",
        "for 1 in y { }",
        "while { }",
        "repeat { }",
        "input X[2.5]",
        "input X[1e4]",
        "input X[a + 1]",
        "input X[]",
        "precision half",
        "format wide",
        "use \"a{b}\"",
        "use \"\"",
        "{a: 1, b}",
        "{a: 1; b: 2}",
        "{a: }",
        "{1: 2}",
        "}",
        "{",
        "\"",
        "\"{\"",
        "\"}\"",
        "\"{}\"",
        "\"{a:}\"",
        "\"\\q\"",
        "x 'a'",
        "'a'",
        "x ++ ",
        "!x",
        "a && b",
        "a || b",
        "2x",
        "1_000",
        "0x1F",
        "1e",
        "??",
        "?(",
        "a ? b : c",
        "x -> ",
        "(x, 1) -> x",
        "(x=1, y) -> x",
        "not",
        "and b",
        "a where",
        "a where R",
        "a where 1 = 2",
        "a where R = 1,",
        "a where R = 1 where S = 2",
        "a where R := 1",
        "where R = 1",
        "a, b = 1, 2 where R = 1",
        "(a where R = 1)",
        "x in y",
        "break 1",
        "return return",
        "x\n* y",
        "f\n.x = 1",
        "a,, b",
        "(,)",
        "[,]",
        "f(,)",
        "x[,]",
        "true = 1",
        "if = 1",
        "..",
        "x..",
        "...",
        "@",
        "x ²²'² ³ 4",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (parse(wrong[i], strlen(wrong[i])) == TG_PARSE_OK) fail_msg("it parses: %s", wrong[i]);
        if (derivable(wrong[i], strlen(wrong[i]))) fail_msg("the grammar derives it: %s", wrong[i]);
    }
}

static int start(void **state) {
    (void)state;
    read_grammar(TG_SOURCE_DIR "/grammar/tg.ebnf");
    return tg_ctx_init(&ctx) ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    tg_ctx_free(&ctx);
    free(grammar_text);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_agree),
        cmocka_unit_test(derived_sentences_parse),
        cmocka_unit_test(spoiled_sentences_agree),
        cmocka_unit_test(programs_of_the_tree_are_derived),
        cmocka_unit_test(wrong_programs_are_rejected),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
