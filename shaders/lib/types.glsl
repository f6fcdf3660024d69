// SPDX-License-Identifier: Apache-2.0
// Types, operands and push constants. Every shader includes this file right after #version.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_control_flow_attributes : require
#include "abi/common.h"

// `stored` is an element of a tensor or of scratch memory, `real` what kernels compute with. A load converts
// with real(), a store with stored(); both are 32-bit floats, so that nothing is converted. A word of the
// push constants is a float in either case.
#define stored float
#define stored4 vec4
#define real float
#define real2 vec2
#define real4 vec4

// Operands are buffer device addresses in the push constants. Indices are below 2^31 elements, because SPIR-V
// reads them as signed; the recorder sees to it.
layout(buffer_reference, std430, buffer_reference_align = SFT_STORED_BYTES) buffer Stored { stored at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4 * SFT_STORED_BYTES) buffer Stored4
{
    stored4 at[];
};
layout(buffer_reference, std430, buffer_reference_align = 4) buffer I32 { int at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer U32 { uint at[]; };

// The push-constant block of a kernel, from its two lists in shaders/abi.
#define SFT_MEMBER(type, name) type name;
#define SFT_PUSH(OPERANDS, WORDS) \
    layout(push_constant) uniform Push { OPERANDS(SFT_MEMBER) WORDS(SFT_MEMBER) }

// A constant for each line of a list that mirrors an enum.
#define SFT_NUMBER(name, number) const uint name = number;

// Whether an optional operand is there: absent ones have address 0.
#define PRESENT(reference) (any(notEqual(uvec2(reference), uvec2(0))))
#define ABSENT Stored(uvec2(0))

// A Stored operand that starts at a whole quad, as quads. By way of uvec2: SwiftShader crashes on a direct
// cast.
#define QUADS(reference) Stored4(uvec2(reference))
