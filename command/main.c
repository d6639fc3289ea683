/* The tg command: options, exit statuses, and the two signals it cares for.
 *
 * Exit status: 0 done, 1 an error in the program, 2 wrong usage, 130 interrupted. Ctrl-C only sets
 * a flag in the session, which stops at its next safe point; pressed a third time with no answer it
 * ends the process, as nothing is left to save. A closed pipe ends it by SIGPIPE as usual; where
 * that signal is ignored, the failing write is noticed at the end. */
#include "base/alloc.h"
#include "base/terminal.h"
#include "command/colon/colon.h"
#include "command/command.h"
#include "command/lesson/lesson.h"
#include "command/transcript.h"

#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: tg                      the prompt\n"
    "       tg [options] file args  run a script\n"
    "       tg [options] file.tgt   perform a transcript: its lines, with their answers of now\n"
    "       tg [options] -e code    run code and show its results\n"
    "       tg [options] -          run a script from standard input\n"
    "       tg --check files        replay the transcripts in files and compare\n"
    "       tg check files          tell errors and shapes of programs without running them\n"
    "       tg fmt files            lay programs out: blanks, indentation, line ends\n"
    "       tg lesson [name]        the lessons, or one of them, step by step\n"
    "\n"
    "  --single        single precision by default\n"
    "  --threads N     use up to N threads (default: TG_NUM_THREADS, or one for each processor);\n"
    "                  results are the same to the last bit for every N\n"
    "  --seed N        seed of the random generator (default 0)\n"
    "  --color WHEN    auto, always or never; auto (the default) is on a terminal, unless the\n"
    "                  environment has NO_COLOR, or TERM is dumb\n"
    "  --norc          the prompt without ~/.config/tg/init.tg, which it runs at its start\n"
    "  --update        with --check: write what tg answers into the files\n"
    "  --ops-doc       print the documentation of all operations\n"
    "  --words         print the words of the language with their kinds, for editors\n"
    "  --help          print this\n"
    "  --version       print the version\n";

/* Words that stand where a script would; a script of that name is run as ./name. */
static const struct subcommand {
    const char *name;
    int (*run)(const tg_options *options, int argc, char *const *argv); /* what follows the word */
    bool talks; /* to a person: Ctrl-C does not end it */
} subcommands[] = {
    {"lesson", tg_lesson_command, true},
    {"check", tg_check_command, false},
    {"fmt", tg_fmt_command, false},
};

enum { STUBBORN = 3 }; /* unanswered Ctrl-Cs that end the process */

volatile sig_atomic_t tg_command_interrupted;
static tg_state *volatile watched;
static volatile sig_atomic_t at_prompt; /* a session of a person is not thrown away */

/* OpenBLAS starts threads when it is loaded, before main, which would take signals as well as this
 * one does, and wake nobody here. So these are blocked until then: threads inherit that. */
static sigset_t at_start;

static void block_signals(void) {
    static const int meant[] = {SIGINT, SIGTSTP, SIGWINCH, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) sigaddset(&set, meant[i]);
    sigprocmask(SIG_BLOCK, &set, &at_start);
}

#ifdef __ELF__
typedef void start_fn(void);
__attribute__((section(".preinit_array"), used)) static start_fn *const first = block_signals;
#endif

static void on_interrupt(int signal_number) {
    (void)signal_number;
    if (tg_command_interrupted < STUBBORN) tg_command_interrupted++;
    if (tg_command_interrupted == STUBBORN && !at_prompt) _exit(EXIT_INTERRUPTED);
    if (watched) tg_interrupt(watched);
}

void tg_command_watch(tg_state *s) {
    watched = s;
}

void tg_command_complain(const tg_state *s) {
    const char *text = tg_error(s);
    fflush(stdout);
    fprintf(stderr, "%s\n",
            text[0] ? text : "error: out of memory"); /* too little even for the report */
}

static int wrong_usage(const char *what, const char *option) {
    fprintf(stderr, "tg: %s: %s\nTry `tg --help`.\n", what, option);
    return EXIT_USAGE;
}

/* ---- options ---- */

typedef enum mode {
    MODE_PROMPT,
    MODE_FILE,
    MODE_SUBCOMMAND,
    MODE_CODE,
    MODE_STDIN,
    MODE_CHECK,
    MODE_EXAMPLES,
    MODE_OPS,
    MODE_WORDS
} mode;

typedef struct command {
    tg_options options;
    mode mode;
    bool update;
    bool norc;          /* without init.tg */
    const char *colour; /* auto, always or never */
    const char *code;   /* of -e */
    char **rest;        /* the script and its arguments, or the files to check */
    int nrest;
    const struct subcommand *sub;
    bool done; /* --help or --version was answered */
} command;

static bool read_number(const char *text, uint64_t most, uint64_t *out) {
    char *end;
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *end == 0 && errno == 0 && *out <= most;
}

/* Is this `--name value` or `--name=value`? *value is NULL when nothing follows. */
static bool is_valued(const char *name, int argc, char **argv, int *i, const char **value) {
    const char *option = argv[*i];
    size_t n = strlen(name);
    if (!option || strncmp(option, name, n) != 0 || (option[n] && option[n] != '=')) return false;
    if (option[n] == '=')
        *value = option + n + 1;
    else
        *value = *i + 1 < argc ? argv[++*i] : NULL;
    return true;
}

/* One option at argv[*i]. Returns an exit status, or -1 to go on. */
static int read_option(command *c, int argc, char **argv, int *i) {
    const char *option = argv[*i], *value;
    uint64_t number;
    if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
        fputs(usage, stdout);
        c->done = true;
    } else if (strcmp(option, "--version") == 0) {
        printf("tg %s\nline editor: %s\n", tg_version(), tg_editor_name);
        c->done = true;
    } else if (strcmp(option, "--single") == 0) {
        c->options.single = 1;
    } else if (strcmp(option, "--norc") == 0) {
        c->norc = true;
    } else if (strcmp(option, "--check") == 0) {
        c->mode = MODE_CHECK;
    } else if (strcmp(option, "--update") == 0) {
        c->update = true;
    } else if (strcmp(option, "--check-examples") == 0) {
        c->mode = MODE_EXAMPLES;
    } else if (strcmp(option, "--ops-doc") == 0) {
        c->mode = MODE_OPS;
    } else if (strcmp(option, "--words") == 0) {
        c->mode = MODE_WORDS;
    } else if (is_valued("--threads", argc, argv, i, &value)) {
        if (!value || !read_number(value, 1024, &number) || number == 0)
            return wrong_usage("--threads wants a number from 1 to 1024",
                               value ? value : "nothing given");
        c->options.threads = (int)number;
    } else if (is_valued("--seed", argc, argv, i, &value)) {
        if (!value || !read_number(value, UINT64_MAX, &number))
            return wrong_usage("--seed wants a whole number", value ? value : "nothing given");
        c->options.seed = number;
    } else if (is_valued("--color", argc, argv, i, &c->colour)) {
        if (!c->colour || (strcmp(c->colour, "auto") != 0 && strcmp(c->colour, "always") != 0 &&
                           strcmp(c->colour, "never") != 0))
            return wrong_usage("--color wants auto, always or never",
                               c->colour ? c->colour : "nothing given");
    } else if (strcmp(option, "-e") == 0) {
        if (c->code) return wrong_usage("one -e is enough", argv[*i + 1] ? argv[*i + 1] : "-e");
        if (*i + 1 >= argc) return wrong_usage("wants code behind it", "-e");
        c->code = argv[++*i];
        c->mode = MODE_CODE;
    } else {
        return wrong_usage("unknown option", option);
    }
    return -1;
}

static const struct subcommand *find_subcommand(const char *word) {
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
        if (strcmp(subcommands[i].name, word) == 0) return &subcommands[i];
    return NULL;
}

/* Options end at the first other argument, at `-` and at `--`; with --check they may stand
 * anywhere. */
static int read_options(command *c, int argc, char **argv) {
    int i = 1, n = 0;
    bool ended = false;
    c->rest = argv;
    for (; i < argc && !c->done; i++) {
        bool option = !ended && argv[i][0] == '-' && argv[i][1];
        if (option && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (option) {
            int status = read_option(c, argc, argv, &i);
            if (status >= 0) return status;
        } else if (c->mode == MODE_CHECK) {
            c->rest[n++] = argv[i]; /* argv is ours, and n < i */
        } else {
            break;
        }
    }
    if (c->done) return -1;
    if (c->mode == MODE_CHECK) {
        c->nrest = n;
        return n ? -1 : wrong_usage("wants files behind it", "--check");
    }
    if (c->update) return wrong_usage("goes with --check", "--update");
    c->rest = argv + i;
    c->nrest = argc - i;
    if (c->mode == MODE_PROMPT && c->nrest)
        c->mode = strcmp(argv[i], "-") == 0 && !ended ? MODE_STDIN : MODE_FILE;
    if (c->mode == MODE_FILE && !ended && (c->sub = find_subcommand(argv[i])))
        c->mode = MODE_SUBCOMMAND;
    if (c->mode == MODE_PROMPT && !isatty(STDIN_FILENO)) c->mode = MODE_STDIN;
    int script = c->mode == MODE_FILE || (c->mode == MODE_STDIN && c->nrest)
                     ? 1
                     : 0; /* args do not name the script */
    c->options.argc = c->nrest - script;
    c->options.argv = (const char *const *)(c->rest + script);
    return -1;
}

/* ---- colours ---- */

/* See https://no-color.org. Colours are for terminals, each stream for itself. */
static int choose_colours(const char *when) {
    const char *none = getenv("NO_COLOR");
    if (strcmp(when, "never") == 0) return 0;
    if (strcmp(when, "always") == 0) return TG_COLOURS_ECHO | TG_COLOURS_ERROR;
    if (none && none[0]) return 0;
    return (tg_terminal_obeys(STDOUT_FILENO) ? TG_COLOURS_ECHO : 0) |
           (tg_terminal_obeys(STDERR_FILENO) ? TG_COLOURS_ERROR : 0);
}

/* ---- running ---- */

static int exit_status(const tg_state *s, tg_status status) {
    if (status == TG_DONE) return EXIT_DONE;
    tg_command_complain(s);
    return status == TG_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_ERROR;
}

static tg_status run_code(tg_state *s, const char *code) {
    const char sign = code[strspn(code, " \t\n")]; /* ? may ask about a command too */
    return sign == ':' || sign == '?' ? tg_colon_or_run(s, code, strlen(code), TG_ECHO)
                                      : tg_run(s, "-e", code, TG_ECHO);
}

static int run_stdin(tg_state *s) {
    size_t len;
    char *text = tg_command_read("-", &len);
    if (!text) return tg_command_interrupted ? EXIT_INTERRUPTED : EXIT_ERROR;
    tg_status status = tg_run_bytes(s, "<stdin>", text, len, 1, TG_QUIET);
    tg_free(text);
    return exit_status(s, status);
}

static int run_command(command *c) {
    if (c->mode == MODE_CHECK) return tg_check(&c->options, c->nrest, c->rest, c->update);
    if (c->mode == MODE_EXAMPLES) return tg_check_examples(&c->options);
    bool transcript = c->mode == MODE_FILE && tg_has_suffix(c->rest[0], ".tgt");
    if (!transcript) {
        c->options.colours = choose_colours(c->colour);
        c->options.terminal = isatty(STDOUT_FILENO);
    }
    if (c->mode == MODE_SUBCOMMAND) {
        at_prompt = c->sub->talks;
        return c->sub->run(&c->options, c->nrest - 1, c->rest + 1);
    }
    tg_state *s = tg_open(&c->options);
    if (!s) {
        fputs("tg: out of memory\n", stderr);
        return EXIT_ERROR;
    }
    tg_command_watch(s);
    if (tg_error(s)[0]) tg_command_complain(s); /* of a library that could not be read */
    int status = EXIT_DONE;
    switch (c->mode) {
    case MODE_FILE:
        status = transcript ? tg_play(s, c->rest[0])
                            : exit_status(s, tg_run_file(s, c->rest[0], TG_QUIET));
        break;
    case MODE_CODE: status = exit_status(s, run_code(s, c->code)); break;
    case MODE_STDIN: status = run_stdin(s); break;
    case MODE_OPS: {
        const char *text = tg_operations_document(s);
        if (text)
            fputs(text, stdout);
        else
            status = EXIT_ERROR;
        break;
    }
    case MODE_WORDS: {
        const char *text;
        status = exit_status(s, tg_words(s, &text));
        if (status == EXIT_DONE) fputs(text, stdout);
        break;
    }
    default: at_prompt = 1; status = tg_prompt(s, !c->norc);
    }
    tg_command_watch(NULL);
    tg_close(s);
    return status;
}

/* What was printed must have arrived: a full disk is an error, a closed pipe only an end. */
static int finish(int status) {
    errno = 0;
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (!failed) return status;
    if (errno != EPIPE)
        fprintf(stderr, "tg: cannot write the output: %s\n",
                errno ? strerror(errno) : "an earlier write failed");
    return status == EXIT_DONE ? EXIT_ERROR : status;
}

int main(int argc, char **argv) {
    command c = {.colour = "auto", .options.forks = 1};
    struct sigaction act = {.sa_handler = on_interrupt};
    setlocale(LC_CTYPE, ""); /* the line editor must know UTF-8; numbers keep their point */
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL); /* no SA_RESTART: a read must end */
    sigprocmask(SIG_SETMASK, &at_start, NULL);
    int status = read_options(&c, argc, argv);
    if (status < 0) status = c.done ? EXIT_DONE : run_command(&c);
    return finish(status);
}
