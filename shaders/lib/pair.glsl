// SPDX-License-Identifier: Apache-2.0
// Rows and columns in the signed halves of a word.
ivec2 pair(uint word) { return ivec2(int(word << 16) >> 16, int(word) >> 16); }
