/* What ?word says of that which is no name: statements, operators, subjects. */
#ifndef TG_INTERP_TOPICS_H
#define TG_INTERP_TOPICS_H

typedef struct tg_topic {
    const char *words; /* that ask for it, separated by spaces, with one at each end */
    const char *text;
    const char *example; /* lines for the prompt; tg --check-examples runs them */
    const char *value;   /* what is answered */
} tg_topic;

extern const tg_topic tg_topics[]; /* ends with a row without words */

/* NULL: there is none under that word. */
const tg_topic *tg_topic_find(const char *word);

#endif
