/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of words that stand for the values of an enum. */
#ifndef SFT_WORDS_H
#define SFT_WORDS_H

/* Compiles only where the list `words` has a word for each value from 0 to `last`, and a NULL behind them. */
#define SFT_ASSERT_WORDS(words, last)                                                                        \
    _Static_assert(sizeof(words) / sizeof((words)[0]) == (last) + 2, #words " has a word for each value")

#endif
