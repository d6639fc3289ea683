/* Transcripts: documents that hold what was typed and what tg answered.
 *
 * A transcript is a line that begins with `tg> `, perhaps lines that begin with `...> `, and the
 * answer up to the next prompt. In a .tgt file all lines belong to transcripts, but for comments:
 * lines with # in front at the beginning or behind a blank line. In Markdown they stand in blocks
 * fenced by ```tg; the block ```tg new begins another session. In a .tg file they are comments, and
 * what stands before `tg> ` stands before each line. In an answer, a line of three dots alone is
 * any number of lines. */
#ifndef TG_TRANSCRIPT_H
#define TG_TRANSCRIPT_H

#include "base/ctx.h"
#include "base/str.h"

typedef struct tg_line {
    const char *text;
    size_t n; /* without the newline */
} tg_line;

typedef struct tg_exchange {
    int at;          /* index of the line with the prompt */
    int first, last; /* the lines [first, last) are the answer expected */
    tg_line prefix;  /* of each of these lines: "#   " in a .tg file */
    bool fresh;      /* begins a session */
    tg_str code;
} tg_exchange;

typedef struct tg_transcript {
    char *text;
    size_t len;
    tg_line *lines;
    size_t nlines, lines_cap;
    tg_exchange *items;
    size_t n, cap;
} tg_transcript;

bool tg_transcript_read(tg_ctx *c, const char *path, tg_transcript *t);
void tg_transcript_free(tg_transcript *t);
bool tg_transcript_matches(const tg_transcript *t, const tg_exchange *x, const tg_str *answer);
/* The i-th line of the answer expected, without prefix and trailing blanks. */
tg_line tg_transcript_expected(const tg_transcript *t, const tg_exchange *x, int i);
/* The file's text with answers[i] in place of what was expected where changed[i]. */
void tg_transcript_rewrite(const tg_transcript *t, const tg_str *answers, const bool *changed,
                           tg_str *out);

/* Splits into lines without trailing blanks, and without blank lines at the end. False: no memory.
 */
bool tg_lines_split(const char *text, size_t len, tg_line **lines, size_t *n);
bool tg_has_suffix(const char *path, const char *suffix);

#endif
