/* How far a typed word is from a known one: the edits that make one of the other (Damerau 1964:
 * insert, delete, replace a letter, exchange two that stand side by side), weighed. Another case of
 * the same letter is a quarter of an edit, as Softmax is softmax; a first letter that differs adds
 * one, as people seldom mistype it. A word cut short is a
 * little nearer than the letters that it lacks, and never more than an edit and a half away. */
#include "base/nearest.h"

#include <stddef.h>
#include <string.h>

enum { EDIT = 4, CASE = 1, FIRST = 1, CUT_SHORT = 6, LONGEST = 63, FAR = 1000 };

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int change(char a, char b) {
    return a == b ? 0 : lower(a) == lower(b) ? CASE : EDIT;
}

static bool alike(const char *a, const char *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!a[i] || lower(a[i]) != lower(b[i])) return false;
    return true;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Of words of at most LONGEST letters. */
static int edits(const char *a, size_t na, const char *b, size_t nb) {
    int row[3][LONGEST + 1] = {{0}};
    for (size_t j = 0; j <= nb; j++) row[0][j] = EDIT * (int)j;
    for (size_t i = 1; i <= na; i++) {
        int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = EDIT * (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int best = up[j - 1] + change(a[i - 1], b[j - 1]);
            best = least(best, least(up[j], now[j - 1]) + EDIT);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                best = least(best, up2[j - 2] + EDIT);
            now[j] = best;
        }
    }
    return row[na % 3][nb];
}

/* `within`: what is as far as that, or farther, need not be told apart. */
static int distance(const char *word, const char *known, int within) {
    size_t n = strlen(word), m = strlen(known);
    if (n == 0 || n > LONGEST || m > LONGEST) return FAR;
    if (n == m && alike(word, known, n)) return CASE;
    if (n >= 3 && n < m && alike(word, known, n)) return least(CUT_SHORT, EDIT * (int)(m - n) - 1);
    if (EDIT * (int)(n > m ? n - m : m - n) >= within) return FAR;
    return edits(word, n, known, m) + (lower(word[0]) == lower(known[0]) ? 0 : FIRST);
}

tg_nearest tg_nearest_to(const char *word) {
    size_t n = strlen(word);
    int most = n <= 2 ? CASE : n <= 4 ? EDIT + FIRST : 2 * EDIT + FIRST;
    return (tg_nearest){.word = word, .within = most + 1};
}

tg_nearest tg_nearest_of_few(const char *word) {
    tg_nearest n = tg_nearest_to(word);
    if (n.within <= EDIT + FIRST && strlen(word) > 1) n.within = EDIT + FIRST + 1;
    return n;
}

void tg_nearest_offer(tg_nearest *n, const char *candidate) {
    int d = distance(n->word, candidate, n->within + 1);
    if (d == n->within && n->best && strcmp(n->best, candidate) != 0) {
        if (!n->also[1]) n->also[n->also[0] != NULL] = candidate;
    } else if (d < n->within) {
        *n = (tg_nearest){.word = n->word, .best = candidate, .within = d};
    }
}

const char *tg_nearest_in(const char *word, const char *const *list) {
    tg_nearest n = tg_nearest_of_few(word);
    for (; *list; list++) tg_nearest_offer(&n, *list);
    return n.best;
}

bool tg_is_word_byte(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

const char *tg_text_find(const char *text, const char *word) {
    size_t n = strlen(word);
    for (; text && *text; text++)
        if (alike(text, word, n)) return text;
    return NULL;
}
