/* SPDX-License-Identifier: Apache-2.0 */
/* What the backends of this folder were asked to do. */
#ifndef SFT_TESTS_ASKED_H
#define SFT_TESTS_ASKED_H

extern int null_lists, null_runs; /* calls of list and of run */
extern int broken_lists;

/* Scratch memory that the null backend says a kernel needs. */
enum { NULL_SCRATCH = 5000 };

#endif
