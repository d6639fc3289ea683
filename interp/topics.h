/* What ?word says of that which is no name: statements, operators, subjects. */
#ifndef TG_INTERP_TOPICS_H
#define TG_INTERP_TOPICS_H

typedef struct tg_topic {
    const char *words; /* that ask for it, separated by spaces, with one at each end */
    const char *text;
    const char *example; /* lines for the prompt; tg --check-examples runs them */
    const char *value;   /* what is answered */
} tg_topic;

/* Of the list that ? shows: its title, and the first word of the topic that it begins with. */
typedef struct tg_topic_part {
    const char *title, *first;
} tg_topic_part;
extern const tg_topic_part tg_topic_parts[]; /* ends with a row without a title */

extern const tg_topic tg_topics[]; /* ends with a row without words */

/* NULL: there is none under that word. */
const tg_topic *tg_topic_find(const char *word);
/* The word of a topic that may have been meant, nearer than `within` (base/nearest.h); NULL: none.
 * Valid until the next call. */
const char *tg_topic_nearest(const char *word, int within);

#endif
