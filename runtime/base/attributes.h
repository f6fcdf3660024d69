/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiler is told about a function, where it understands it. */
#ifndef SFT_ATTRIBUTES_H
#define SFT_ATTRIBUTES_H

#if defined(__GNUC__)
#define SFT_MUST_CHECK __attribute__((warn_unused_result))
#define SFT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define SFT_MUST_CHECK
#define SFT_PRINTF(text, first)
#endif

#endif
