/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka.h with the headers that it wants before it. */
#ifndef SFT_TESTS_CM_H
#define SFT_TESTS_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
